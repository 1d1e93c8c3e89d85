"""What the trade-off chart draws of chance: intervals over users, the win-win region, who may be on the Pareto front.

Here: the frames behind those layers, what a tooltip says of chance. Not here: marks and encodings (trade_off.py), the
sentence above the chart (trade_off_answer.py), the numbers themselves (core/warehouse/verdicts.py).
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.charts.labels import Extent
from core.charts.text import better, number, p_value, percent
from core.uncertainty.verdict import FEW_SEEDS, NO_INTERVAL
from core.uncertainty.win_win import BASELINE, region

LIT = 0.05
"""Probability to be on the Pareto front, from which on a setting is lit."""
REGION_NAME = "better on both"
MANY = 60  # of more settings only those that matter have bars: one would not know whose they are
_NAME_WIDE, _NAME_TALL = 0.18, 0.08  # the room that its name needs, as shares of the axes


@dataclass(frozen=True, slots=True)
class Chance:
    """What chance leaves of the points, and how much of it is drawn."""

    found: pd.DataFrame
    """`verdicts.verdicts`, of the same question as the points."""
    baseline: str | None
    """The variant that others are compared with."""
    intervals: bool = True
    front: bool = True
    win_win: bool = True

    def with_intervals(self, points: pd.DataFrame, always: Collection[str] = ()) -> pd.DataFrame:
        """The points with x_from, x_to, y_from, y_to: the interval over users that is drawn, NaN where none is.

        Of more than MANY settings only the lit ones, the baseline and `always` have one.
        """
        drawn = self.found[["variant", "x_from", "x_to", "y_from", "y_to"]]
        if not self.intervals:
            drawn = drawn[:0]
        elif len(drawn) > MANY:
            some = {*always, self.baseline, *self.found.loc[self.found["front"] >= LIT, "variant"]}
            drawn = drawn[drawn["variant"].isin(list(some))]
        return points.merge(drawn, on="variant", how="left")

    def lit(self, marks: pd.DataFrame) -> pd.DataFrame:
        """The marks that are on the Pareto front with a probability of LIT at least."""
        on = list(self.found.loc[self.found["front"] >= LIT, "variant"]) if self.front else []
        return marks[marks["variant"].isin(on)]

    def region(
        self, points: pd.DataFrame, x: Extent, y: Extent, x_key: str, y_key: str
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The part of the axes in which both metrics are better than the baseline's: x1, x2, y1, y2; and its name, in
        its outer corner: x, y, text, align, dx, dy. One row each at most.

        None without a baseline among the points, and where its mark is so far off that all or none of what the axes
        show is better; no name where it has no room.
        """
        at = points[(points["variant"] == self.baseline) & ~points["also_on"]]
        if at.empty or not self.win_win:
            return _rectangle([]), _name([])
        right, top = (better(key) == "higher" for key in (x_key, y_key))
        corner = region(float(at["x"].iloc[0]), float(at["y"].iloc[0]), 1 if right else -1, 1 if top else -1)
        x1, x2 = _within(corner.x_low, corner.x_high, x)
        y1, y2 = _within(corner.y_low, corner.y_high, y)
        whole = (x1, x2, y1, y2) == (x.low, x.high, y.low, y.high)
        if whole or x1 >= x2 or y1 >= y2:
            return _rectangle([]), _name([])
        room = x.share(x2) - x.share(x1) > _NAME_WIDE and y.share(y2) - y.share(y1) > _NAME_TALL
        return _rectangle([(x1, x2, y1, y2)]), _name([_corner(x1, x2, y1, y2, right, top)] if room else [])

    def told(self, marks: pd.DataFrame) -> pd.DataFrame:
        """With what a tooltip says: x_text and y_text with the interval over users, against (the verdict with both
        p-values, accuracy first), on_front."""
        rows = marks[["variant"]].merge(self.found, on="variant", how="left")
        words: dict[str, list[str]] = {}
        for axis in "xy":
            means = marks.get(f"true_{axis}", marks[axis])
            ends = zip(means, rows[f"{axis}_from"], rows[f"{axis}_to"], strict=True)
            words[f"{axis}_text"] = [with_interval(*row) for row in ends]
        words["against"] = [_against(row) for row in rows.itertuples()]
        words["on_front"] = ["no interval" if math.isnan(p) else percent(p) for p in rows["front"]]
        return marks.assign(**words)


def with_interval(mean: float, low: float, high: float) -> str:
    """A mean with its interval over users, if it has one.

    >>> with_interval(0.44, 0.43, 0.45), with_interval(0.44, float("nan"), float("nan"))
    ('0.440 [0.430, 0.450]', '0.440, no interval')
    """
    return f"{number(mean)}, no interval" if math.isnan(low) else f"{number(mean)} [{number(low)}, {number(high)}]"


def _against(row: Any) -> str:
    if not isinstance(row.verdict, str):
        return "-"
    if row.verdict in {BASELINE, FEW_SEEDS, NO_INTERVAL}:
        return str(row.verdict)
    return f"{row.verdict} (p {p_value(row.y_p)}, {p_value(row.x_p)})"


def _within(low: float | None, high: float | None, extent: Extent) -> tuple[float, float]:
    """A side of the region, as far as the axis reaches."""
    return (
        extent.low if low is None else max(low, extent.low),
        extent.high if high is None else min(high, extent.high),
    )


def _corner(x1: float, x2: float, y1: float, y2: float, right: bool, top: bool) -> tuple[Any, ...]:
    """Where the name of a rectangle stands: in that corner."""
    across = (x2, "right", -6.0) if right else (x1, "left", 6.0)
    along = (y2, 12.0) if top else (y1, -12.0)
    return across[0], along[0], REGION_NAME, *across[1:], along[1]


def _rectangle(rows: list[tuple[float, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["x1", "x2", "y1", "y2"], dtype=float)


def _name(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["x", "y", "text", "align", "dx", "dy"])
