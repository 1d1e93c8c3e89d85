"""What a rule makes of measured settings: which keep to it, where paths turn, and which setting it recommends.

Here: frames in, frames out. Not here: how they are measured (core/warehouse), what is said of them (core/charts).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.decisions.rule import Rule
from core.evaluation.metrics import sign_of
from core.evaluation.turning import turn_of_path
from core.models.choices import LISTS
from core.uncertainty.verdict import ALPHA, BETTER, FEW_SEEDS, NO_INTERVAL, SAME, WORSE


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What the rule makes of the settings."""

    rows: pd.DataFrame
    """A row a setting: variant, label, keeps (to the rule), beyond (the turning point of its path), change and its ends
    change_low, change_high (give_up: percent of the baseline's accuracy; reach: value of the popularity metric), wanted
    (one of verdict.VERDICTS: what it is against the baseline in the wanted metric; None without a baseline, and for the
    baseline), wanted_p (after Holm's correction, NaN without an answer), gain (by how much its mean is better in the
    wanted metric than the baseline's, negative where it is worse)."""
    recommended: str | None
    """A variant; None where nothing keeps to the rule, or the baseline has no value that it needs."""
    baseline: str | None
    """The variant that the rule compares with, where it has a point."""
    turns: pd.DataFrame
    """A row a path that turns: path, variant, strength, of the setting at its turning point."""

    possible: bool = True
    """Is there anything that the rule can be asked of? Not where its baseline has no point, nor where `sure` asks for
    intervals and nothing but the baseline has one."""

    @property
    def outside(self) -> frozenset[str]:
        """Settings that do not keep to the rule; none where it cannot be judged."""
        return frozenset(self.rows.loc[~self.rows["keeps"], "variant"] if self.possible else ())


def judge(points: pd.DataFrame, found: pd.DataFrame, rule: Rule, baseline: str | None) -> Judged:
    """Judge settings by a rule.

    points: `queries.trade_off` of the rule's metrics (popularity on x, accuracy on y); found: `verdicts.verdicts`, of
    the same question against the same baseline; baseline: its variant. The recommended setting keeps to the rule, is
    not beyond the turning point of a path it is on (more strength does less there, however it measured), is no added
    list, and is the best by the wanted metric; of equals the best by the constrained one, then the weakest.
    """
    marks = points[~points["also_on"]].merge(found, on="variant", how="left", suffixes=("", "_found"))
    at = marks[marks["variant"] == baseline]
    base = baseline if len(at) else None
    of_baseline = float(at["y"].iloc[0]) if len(at) else float("nan")
    turns = turning_points(points, rule.bias)
    rows = pd.DataFrame({"variant": marks["variant"], "label": marks["label"]})
    rows = rows.assign(**_changes(marks, rule, of_baseline, base))
    rows["keeps"] = _keeps(marks, rule, of_baseline, base)
    rows["beyond"] = rows["variant"].isin(_beyond(points, turns))
    rows = rows.assign(**_wanted(marks, rule, base))
    possible = _possible(rows, rule, base)
    recommended = _recommended(marks, rows, rule) if possible else None
    return Judged(rows.reset_index(drop=True), recommended, base, turns, possible)


def turning_points(points: pd.DataFrame, bias: str) -> pd.DataFrame:
    """Where the paths of `queries.trade_off` turn on the popularity metric `bias`: path, variant, strength.

    A path that is still rising at its strongest setting has not turned.
    """
    found = []
    ordered = points[points["strength"].notna()].sort_values(["path", "strength"], kind="stable")
    paths, variants = ordered["path"].to_numpy(), ordered["variant"].to_numpy()
    strengths, values = (ordered[name].to_numpy(np.float64) for name in ("strength", "x"))
    starts = np.flatnonzero(np.r_[True, paths[1:] != paths[:-1]]) if len(paths) else np.empty(0, np.int64)
    for start, end in zip(starts, [*starts[1:], len(paths)], strict=False):
        of = strengths[start:end]
        at = turn_of_path(of, sign_of(bias) * values[start:end]) if len(of) > 2 else None
        if at is not None:
            found.append((paths[start], variants[start + int(np.flatnonzero(of == at)[0])], at))
    return pd.DataFrame(found, columns=["path", "variant", "strength"])


def _beyond(points: pd.DataFrame, turns: pd.DataFrame) -> set[str]:
    joined = points.merge(turns[["path", "strength"]], on="path", suffixes=("", "_turn"))
    return set(joined.loc[joined["strength"] > joined["strength_turn"], "variant"])


def _changes(marks: pd.DataFrame, rule: Rule, of_baseline: float, base: str | None) -> dict[str, pd.Series]:
    if rule.kind == "reach":
        return {"change": marks["x"], "change_low": marks["x_from"], "change_high": marks["x_to"]}
    scale = 100 / abs(of_baseline) if of_baseline else float("nan")
    change = (marks["y"] - of_baseline) * scale
    low, high = marks["y_difference_low"] * scale, marks["y_difference_high"] * scale
    own = marks["variant"] == base
    return {"change": change, "change_low": low.mask(own, 0.0), "change_high": high.mask(own, 0.0)}


def _wanted(marks: pd.DataFrame, rule: Rule, base: str | None) -> dict[str, Any]:
    """The verdicts on the metric that is to be the best, which no rule asks for: the best mean may be chance."""
    axis = "x" if rule.wanted == rule.bias else "y"
    difference, p = marks[f"{axis}_difference"] * sign_of(rule.wanted), marks[f"{axis}_p"]
    words = np.where(p < ALPHA, np.where(difference > 0, BETTER, WORSE), SAME)
    words = np.where(p.isna(), np.where(marks[f"{axis}_from"].isna(), NO_INTERVAL, FEW_SEEDS), words)
    told = pd.Series(words, marks.index, dtype=object).where(marks["variant"] != base, None)
    of_base = marks.loc[marks["variant"] == base, axis]
    gain = (marks[axis] - (float(of_base.iloc[0]) if len(of_base) else float("nan"))) * sign_of(rule.wanted)
    return {"wanted": told if base else None, "wanted_p": p, "gain": gain}


def _possible(rows: pd.DataFrame, rule: Rule, base: str | None) -> bool:
    if rule.kind == "give_up" and base is None:
        return False
    others = rows[rows["variant"] != base]
    return not (rule.sure and len(others) and others["change_low"].isna().all())


def _keeps(marks: pd.DataFrame, rule: Rule, of_baseline: float, base: str | None) -> list[bool]:
    """By the mean; with `sure` by the worse end of its interval, and not without one."""
    if rule.kind == "reach":
        worse_end = marks["x_from"] if sign_of(rule.bias) > 0 else marks["x_to"]
        values = worse_end if rule.sure else marks["x"]
    elif not rule.sure:
        values = marks["y"]
    else:
        worse_end = marks["y_difference_low"] if sign_of(rule.accuracy) > 0 else marks["y_difference_high"]
        values = (of_baseline + worse_end).mask(marks["variant"] == base, of_baseline)
    return [rule.keeps(float(value), of_baseline) for value in values]


def _recommended(marks: pd.DataFrame, rows: pd.DataFrame, rule: Rule) -> str | None:
    allowed = marks[(rows["keeps"] & ~rows["beyond"]).to_numpy() & (marks["method"] != LISTS)]
    if allowed.empty:
        return None
    first, second = ("x", "y") if rule.kind == "give_up" else ("y", "x")
    ranked = allowed.assign(
        best=sign_of(rule.wanted) * allowed[first], then=sign_of(rule.constrained) * allowed[second]
    ).sort_values(["best", "then", "strength"], ascending=[False, False, True], kind="stable")
    return str(ranked["variant"].iloc[0])
