"""The answer above the trade-off chart: who beats the baseline on both axes, the best of them, and how sure that is.

Here: sentences over `queries.trade_off` and `verdicts.verdicts`, and what to do where there is no answer.
Not here: the chart and its name (trade_off.py).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pandas as pd

from core.charts.text import capitalised, listed, metric_name, number, p_value, percent, signed
from core.charts.trade_off import Question
from core.charts.trade_off_data import best
from core.models.sweep import WITHOUT_CHANCE
from core.uncertainty.verdict import ENOUGH_SEEDS, FEW_SEEDS, NO_INTERVAL, SAME, WORSE
from core.uncertainty.win_win import ONE_BETTER, TRADE_OFF, WIN_WIN

_TOLD = {
    ONE_BETTER: ("better on one axis only",) * 2,
    TRADE_OFF: ("a trade-off", "trade-offs"),
    WORSE: ("worse",) * 2,
    SAME: ("not distinguishable",) * 2,
    NO_INTERVAL: ("without an interval",) * 2,
}
"""How one and several settings that are no win-win are told, best first."""


class Answer(NamedTuple):
    """What is said above the chart: plain text, labels as they are."""

    lead: str
    """The answer in a few words."""
    rest: str
    """The best, and how sure it is, in sentences; may be empty."""
    train: str = ""
    """What has to be trained first, in a sentence; empty where every setting has its verdict."""


def answer(points: pd.DataFrame, found: pd.DataFrame, question: Question, baseline: str | None) -> Answer:
    """The answer for the chart's settings against a baseline (its id)."""
    marks = points[~points["also_on"]].merge(found, on="variant")
    base = marks[marks["variant"] == baseline]
    if base.empty:
        return Answer("No verdicts", "The baseline has no finished run here. Choose another one in the sidebar.")
    without = [key for axis, key in (("y", question.y), ("x", question.x)) if marks[f"{axis}_from"].isna().all()]
    if without:
        return Answer(f"No verdicts: {listed([metric_name(key) for key in without])} has no interval", _UNREACHED)
    others = marks[marks["variant"] != baseline]
    if others.empty:
        return Answer("No verdicts", "There is nothing else to compare with the baseline yet.")
    judged = others[others["verdict"] != FEW_SEEDS]
    train = _train(others, base.iloc[0])
    if judged.empty:
        return Answer(f"Not enough seeds to say what beats {base['label'].iloc[0]}", "", train)
    said = " ".join(part for part in (_rest(judged, question), _limited(points, found)) if part)
    return Answer(_lead(judged, str(base["label"].iloc[0])), said, train)


def _limited(points: pd.DataFrame, found: pd.DataFrame) -> str:
    """Which settings have verdicts at all, where not all have."""
    n = points.loc[~points["also_on"], "variant"].nunique()
    if len(found) >= n:
        return ""
    return (
        f"Of {n:,} settings {len(found):,} are resampled, those nearest the Pareto front with the baseline, the pins "
        "and what the rule recommends: the others have no interval and no verdict here. p is corrected for all."
    )


_UNREACHED = (
    "Its value is of the ranks of all items, which resampling users does not reach: it has the seeds' spread only. "
    "Choose another metric in the sidebar for verdicts."
)


def _lead(judged: pd.DataFrame, baseline: str) -> str:
    """How many win.

    >>> _lead(pd.DataFrame({"verdict": ["win-win", "worse"]}), "RNS")
    '1 of 2 settings is win-win against RNS'
    """
    won, n = int((judged["verdict"] == WIN_WIN).sum()), len(judged)
    if n == 1:
        return (
            f"The one setting compared with {baseline} is {'win-win' if won else _TOLD[judged['verdict'].iloc[0]][0]}"
        )
    return f"{won or 'None'} of {n} settings {'are' if won > 1 else 'is'} win-win against {baseline}"


def _rest(judged: pd.DataFrame, question: Question) -> str:
    """What win-win means here, what the others are, and the best with its differences from the baseline."""
    y, x = metric_name(question.y), metric_name(question.x)
    counts = judged["verdict"].value_counts()
    others = [f"{counts[v]} {told[int(counts[v] > 1)].removeprefix('a ')}" for v, told in _TOLD.items() if v in counts]
    winners = judged[judged["verdict"] == WIN_WIN]
    row = best(winners if len(winners) else judged, "y", question.y)
    verdict = "" if len(winners) else f" ({_TOLD[row['verdict']][0]})"
    sentences = [
        f"win-win is better in {y} and in {x}, each significant after Holm's correction (the intervals in "
        "brackets are not corrected)",
        f"{'The others: ' * bool(len(winners))}{listed(others)}" if others and len(judged) > 1 else "",
        f"The best {y}{' of these' if len(winners) > 1 else ''} has {row['label']}{verdict}: {number(row['y'])}, "
        f"{_difference(row, 'y')}; {x} {number(row['x'])}, {_difference(row, 'x')}",
        "" if math.isnan(row["front"]) else f"It is on the Pareto front in {percent(row['front'])} of resamples",
    ]
    return ". ".join([capitalised(s) for s in sentences if s]) + "."


def _difference(row: Any, axis: str) -> str:
    """From the baseline, with the interval over users and seeds, which is not corrected: p is."""
    difference, low, high = (row[f"{axis}_difference{end}"] for end in ("", "_low", "_high"))
    if math.isnan(low):
        return f"{signed(difference)} without an interval"
    return f"{signed(difference)} [{signed(low)}, {signed(high)}], Holm's p {p_value(row[f'{axis}_p'])}"


def _train(others: pd.DataFrame, base: Any) -> str:
    """What lacks seeds, and what to do; empty where nothing does."""
    few = others[others["verdict"] == FEW_SEEDS]
    if few.empty:
        return ""
    why = f"a verdict needs {ENOUGH_SEEDS}, since another seed is another result"
    if base["seeds"] < ENOUGH_SEEDS and base["method"] not in WITHOUT_CHANCE:
        return f"The baseline {base['label']} has {_seeds(base['seeds'])}: {why}. Train {ENOUGH_SEEDS} seeds of it."
    if len(few) == 1:
        one = few.iloc[0]
        return f"{one['label']} has {_seeds(one['seeds'])}: {why}. Train {ENOUGH_SEEDS} seeds of it."
    return f"{len(few)} settings have fewer seeds than {ENOUGH_SEEDS}: {why}. Train {ENOUGH_SEEDS} seeds of each."


def _seeds(n: int) -> str:
    return f"{n} seed{'s' if n != 1 else ''}"
