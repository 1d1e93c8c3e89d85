"""A rule, asked of a data set's finished settings: judged on validation, reported on test once it is decided.

Here: where the numbers of a decision come from. Not here: how a rule judges (core/decisions), its words (core/charts).
"""

from __future__ import annotations

import pandas as pd

from core.decisions.judge import Judged, judge
from core.decisions.rule import Rule
from core.warehouse import queries, verdicts
from core.warehouse.database import Warehouse
from core.warehouse.queries import Split

CHOSEN_ON: Split = "validation"
PROTOCOL = "validation"
"""The one protocol that has something to choose on which is not the test split."""


def judged(w: Warehouse, dataset: str, rule: Rule, baseline: str | None) -> Judged:
    """What the rule makes of the settings of protocol `validation`, by their figures on validation.

    Raises DamagedArtifact for a run's file, Unknown for a metric.
    """
    return judge(*_measured(w, dataset, rule, baseline, CHOSEN_ON), rule, baseline)


def figures(w: Warehouse, dataset: str, rule: Rule, baseline: str | None, variant: str, split: Split) -> pd.DataFrame:
    """A setting and its baseline on a split: a row each of `rule.accuracy` and `rule.bias`.

    metric, value, low, high (of the mean, over users), baseline_value, difference (from the baseline),
    difference_low, difference_high (over users and seeds), p (Holm-corrected for all settings that are there), seeds.
    NaN where there is no answer; no row for a setting without a point on that split.
    """
    points, found = _measured(w, dataset, rule, baseline, split)
    marks = points[~points["also_on"]].merge(found, on="variant", how="left").set_index("variant")
    if variant not in marks.index:
        return pd.DataFrame(columns=_FIGURES)
    own = marks.loc[variant]
    rows = []
    for axis, key in (("y", rule.accuracy), ("x", rule.bias)):
        of_baseline = marks[axis].get(baseline, float("nan"))
        ends = [own[f"{axis}_{end}"] for end in ("from", "to")]
        compared = [own[f"{axis}_{name}"] for name in ("difference", "difference_low", "difference_high", "p")]
        rows.append((key, own[axis], *ends, of_baseline, *compared, own["seeds"]))
    return pd.DataFrame(rows, columns=_FIGURES)


_FIGURES = [
    *("metric", "value", "low", "high", "baseline_value"),
    *("difference", "difference_low", "difference_high", "p", "seeds"),
]


def _measured(
    w: Warehouse, dataset: str, rule: Rule, baseline: str | None, split: Split
) -> tuple[pd.DataFrame, pd.DataFrame]:
    asked = dataset, split, PROTOCOL, rule.bias, rule.accuracy
    return queries.trade_off(w, *asked), verdicts.verdicts(w, *asked, baseline)
