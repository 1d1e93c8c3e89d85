"""Two lists of one user, in words and numbers: what they have in common, what moved, what is new, whose hits are lost.

Here: sentences and small tables over frames of `queries.user_list`. Not here: the lists themselves (the page), charts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from core.charts.text import number, percent
from core.evaluation.metrics import key_title

Written = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Apart:
    """How list B differs from list A, in items."""

    common: int
    moved: int
    """Of the common ones: at another rank."""
    new: int
    dropped: int
    hits: int
    """Of A."""
    hits_lost: int
    """Hits of A that B lacks."""
    hits_won: int
    """Hits of B that A lacks."""


def apart(a: pd.DataFrame, b: pd.DataFrame) -> Apart:
    """The difference between two lists. a, b: rank, item_id, hit.

    >>> a = pd.DataFrame({"rank": [1, 2, 3], "item_id": ["x", "y", "z"], "hit": [True, False, False]})
    >>> b = pd.DataFrame({"rank": [1, 2, 3], "item_id": ["z", "y", "w"], "hit": [False, False, True]})
    >>> apart(a, b)
    Apart(common=2, moved=1, new=1, dropped=1, hits=1, hits_lost=1, hits_won=1)
    """
    places = dict(zip(a["item_id"], a["rank"], strict=True)), dict(zip(b["item_id"], b["rank"], strict=True))
    hits = {*a["item_id"][a["hit"]]}, {*b["item_id"][b["hit"]]}
    common = places[0].keys() & places[1].keys()
    return Apart(
        common=len(common),
        moved=sum(places[0][item] != places[1][item] for item in common),
        new=len(places[1]) - len(common),
        dropped=len(places[0]) - len(common),
        hits=len(hits[0]),
        hits_lost=len(hits[0] - common),
        hits_won=len(hits[1] - common),
    )


def sentence(found: Apart) -> str:
    """The difference in one line.

    >>> sentence(Apart(6, 3, 4, 4, 5, 2, 1))
    "6 in common, 3 of them moved, 4 new; 2 of A's 5 hits lost, 1 won."
    """
    lost = (
        f"{found.hits_lost} of A's {found.hits} hit{'' if found.hits == 1 else 's'} lost"
        if found.hits
        else "A has no hit to lose"
    )
    moved = f"{found.moved} of them moved, " if found.common else ""
    return f"{found.common} in common, {moved}{found.new} new; {lost}, {found.hits_won} won."


def numbers(
    a: pd.DataFrame, b: pd.DataFrame, metric: str, value_a: float, value_b: float, held_out: int
) -> pd.DataFrame:
    """The user's numbers under both settings, written out: columns Measure, A, B, "B - A".

    a, b: the lists (popularity, percentile, hot, hit); value_a, value_b: of the metric, NaN where there is none.
    """
    both = (a, b)
    rows: list[tuple[str, list[float], Written, str]] = [
        (key_title(metric), [value_a, value_b], number, ""),
        (f"Hits of {held_out:,} held out", [_count(frame["hit"]) for frame in both], _whole, ""),
        ("Mean popularity", [float(frame["popularity"].mean()) for frame in both], percent, " points"),
        ("Mean percentile", [100 * float(frame["percentile"].mean()) for frame in both], number, ""),
        ("Cold items", [_count(~frame["hot"].astype(bool)) for frame in both], _whole, ""),
    ]
    return pd.DataFrame(
        [
            (name, *("-" if math.isnan(v) else how(v) for v in values), _change(values[1] - values[0], how, unit))
            for name, values, how, unit in rows
        ],
        columns=["Measure", "A", "B", "B - A"],
    )


def _count(flags: pd.Series) -> float:
    """How many are true; NaN for a list that is not known."""
    return float(flags.sum()) if len(flags) else math.nan


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _change(change: float, how: Written, unit: str) -> str:
    """With its sign; between percentages in points."""
    if math.isnan(change):
        return "-"
    sign = "+" if change > 0 else "-" if change < 0 else ""
    return f"{sign}{number(abs(100 * change))}{unit}" if unit else f"{sign}{how(abs(change))}"
