"""The answer above a comparison of A and B: what B keeps, what it changes, and how sure that is, in words to copy.

Here: sentences over `core.warehouse.compare.metrics`. Not here: the numbers, the table beside them (the page).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from core.charts.text import capitalised, listed, metric_name, number, provenance, signed
from core.evaluation.metrics import METRICS, parse_key
from core.models.sweep import WITHOUT_CHANCE
from core.uncertainty.verdict import ENOUGH_SEEDS, FEW_SEEDS, NO_INTERVAL
from core.uncertainty.win_win import TRADE_OFF, WIN_WIN, label

_TIMES = 2.0  # from here on a ratio is "2.31 times" rather than "231 %"
_COLD = ("aplt", "aclt")  # what these say has words of its own
_ENDINGS = {WIN_WIN: ": win-win", TRADE_OFF: ": a trade-off"}


@dataclass(frozen=True, slots=True)
class Side:
    """A setting that is compared."""

    label: str
    method: str
    seeds: int

    @property
    def lacks_seeds(self) -> bool:
        """Has it too few for a verdict?"""
        return self.seeds < ENOUGH_SEEDS and self.method not in WITHOUT_CHANCE


class Answer(NamedTuple):
    """Plain text, labels as they are. `lead` is the answer; `rest` says how sure it is, and what it is about."""

    lead: str
    rest: str

    @property
    def text(self) -> str:
        """All of it, to copy."""
        return f"{self.lead} {self.rest}"


def answer(
    found: pd.DataFrame, keys: Sequence[str], sides: tuple[Side, Side], data: str, split: str, protocol: str
) -> Answer:
    """What B is against A in the metrics that somebody chose beforehand.

    found: `compare.metrics`; keys: of one accuracy and one popularity metric; sides: A and B; data: the data set's
    title. Intervals are in brackets; one of a share takes A's mean as measured.
    """
    rows = {row["metric"]: row for _, row in found.iterrows() if not math.isnan(row["difference"])}
    told = [_phrase(rows[key]) for key in keys if key in rows]
    lacking = [metric_name(key) for key in keys if key not in rows]
    lead = f"B {' and '.join(told)}." if told else "There is nothing to set beside each other."
    if lacking:
        lead += f" There is no {listed(lacking)} of both."
    first, second = sides
    sentences = [
        *_sure([rows[key] for key in keys if key in rows], sides),
        f"A is {first.label}, B is {second.label}",
        f"{data}, {provenance(split, protocol)}, {_seeds(sides)}",
    ]
    if any(not math.isnan(rows[key]["low"]) for key in keys if key in rows):
        sentences[-1] += "; in brackets 95 % intervals over users and seeds"
    return Answer(lead, ". ".join(sentences) + ".")


def _phrase(row: Any) -> str:
    """What B does to one metric: "keeps 98.7 % of A's NDCG@10 [97.8, 99.6]"."""
    name, (lowest, _) = metric_name(row["metric"]), METRICS[parse_key(row["metric"])[0]].range
    if lowest < 0 or math.isnan(row["relative"]):
        change = _with_ends(row["difference"], row["low"], row["high"], signed)
        return f"moves {name} from {number(row['first'])} to {number(row['second'])}, by {change}"
    ratio, low, high = (1 + float(row[column]) for column in ("relative", "relative_low", "relative_high"))
    if parse_key(row["metric"])[0] in _COLD:
        return f"shows cold items {_with_ends(ratio, low, high, number, ' times as often')}"
    if ratio >= _TIMES:
        return "has " + _with_ends(ratio, low, high, number, f" times A's {name}")
    verb = "keeps" if ratio < 1 and row["kind"] == "accuracy" else "has"
    return f"{verb} " + _with_ends(100 * ratio, 100 * low, 100 * high, number, f" % of A's {name}")


def _with_ends(value: float, low: float, high: float, written: Any, unit: str = "") -> str:
    ends = "" if math.isnan(low) else f" [{written(low)}, {written(high)}]"
    return f"{written(value)}{unit}{ends}"


def _sure(rows: Sequence[Any], sides: tuple[Side, Side]) -> list[str]:
    """The verdicts, or what they lack."""
    words = [row["verdict"] for row in rows]
    if FEW_SEEDS in words:
        few = [f"{name} has {side.seeds}" for name, side in zip("AB", sides, strict=True) if side.lacks_seeds]
        return [f"Not enough seeds for a verdict, which needs {ENOUGH_SEEDS} of each: {' and '.join(few)}"]
    told = [f"{row['verdict']} in {metric_name(row['metric'])}" for row in rows if row["verdict"] != NO_INTERVAL] + [
        f"{metric_name(row['metric'])} has no interval" for row in rows if row["verdict"] == NO_INTERVAL
    ]
    ending = _ENDINGS.get(label(words[0], words[1]), "") if len(words) == 2 else ""
    return [capitalised(", ".join(told)) + ending] if told else []


def _seeds(sides: tuple[Side, Side]) -> str:
    first, second = (f"{side.seeds} seed{'s' * (side.seeds != 1)}" for side in sides)
    return f"{first} each" if first == second else f"{first} of A and {second} of B"
