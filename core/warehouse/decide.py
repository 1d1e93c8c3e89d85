"""A rule, asked of a data set's finished settings: judged on validation, reported on test once it is decided.

Here: where the numbers of a decision come from. Not here: how a rule judges (core/decisions), its words (core/charts).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.decisions.judge import Judged, judge
from core.decisions.rule import Rule
from core.decisions.store import Decision
from core.warehouse import queries, verdicts
from core.warehouse.database import Warehouse
from core.warehouse.queries import Split

CHOSEN_ON: Split = "validation"
SPLITS: tuple[Split, ...] = (CHOSEN_ON, "test")
PROTOCOL = "validation"
"""The one protocol that has something to choose on which is not the test split."""


def judged(w: Warehouse, dataset: str, rule: Rule, baseline: str | None) -> Judged:
    """What the rule makes of the settings of protocol `validation`, by their figures on validation.

    Raises DamagedArtifact for a run's file, Unknown for a metric.
    """
    points, found = _measured(w, dataset, rule, baseline, CHOSEN_ON)
    first = judge(points, found, rule, baseline)
    if first.recommended is None or first.recommended in set(found["variant"]):
        return first
    # one of many, too far from the front to be resampled unasked: its means keep to the rule, its verdict is still open
    return judge(*_measured(w, dataset, rule, baseline, CHOSEN_ON, first.recommended), rule, baseline)


def figures(w: Warehouse, dataset: str, rule: Rule, baseline: str | None, variant: str, split: Split) -> pd.DataFrame:
    """A setting and its baseline on a split: a row each of `rule.accuracy` and `rule.bias`.

    metric, value, low, high (of the mean, over users), baseline_value, difference (from the baseline),
    difference_low, difference_high (over users and seeds), p (Holm-corrected for all settings that are there), seeds.
    NaN where there is no answer; no row for a setting without a point on that split.
    """
    points, found = _measured(w, dataset, rule, baseline, split, variant)
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
    w: Warehouse, dataset: str, rule: Rule, baseline: str | None, split: Split, *also: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    asked = dataset, split, PROTOCOL, rule.bias, rule.accuracy
    return queries.trade_off(w, *asked), verdicts.verdicts(w, *asked, baseline, also)


def plain(found: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of `figures` as they are kept and told, with None for what is missing."""
    rows = found.to_dict("records")
    return [{str(name): None if pd.isna(value) else value for name, value in row.items()} for row in rows]


def decision(
    w: Warehouse, dataset: str, rule: Rule, labels: Mapping[str, str], variant: str, baseline: str | None, note: str
) -> Decision:
    """A decision for that setting, to be saved, with its figures on validation and on test. labels: by variant."""
    rows = [
        {"split": split, **row}
        for split in SPLITS
        for row in plain(figures(w, dataset, rule, baseline, variant, split))
    ]
    label, of_baseline = labels[variant], labels.get(baseline or "", "")
    return Decision(dataset, rule, variant, label, baseline, of_baseline, rows, note)
