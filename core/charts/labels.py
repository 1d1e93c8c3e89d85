"""Which labels of a scatter chart fit, and on which side of their mark: those that would cover anything are left out.

Here: a greedy choice over estimated sizes in pixels. Not here: what a label says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_CHARACTER, _LINE = 6.0, 13.0  # pixels of an 11-pixel sans-serif font, a little generous
_GAP = 3.0  # between a mark and its label
_CLEARLY = 1.5  # times as far to another mark as to the own one

Box = tuple[float, float, float, float]
"""left, top, right, bottom"""
Line = tuple[float, float, float, float]
"""x and y of one end, x and y of the other, in the data's units."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The range of an axis."""

    low: float
    high: float

    @property
    def inner_low(self) -> float:
        """A little inside: a mark there is seen whole."""
        return self.low + 0.05 * (self.high - self.low)

    @property
    def inner_high(self) -> float:
        """The same at the other end."""
        return self.high - 0.05 * (self.high - self.low)

    def share(self, value: float) -> float:
        """Where a value lies, from 0 at the low end to 1."""
        return (value - self.low) / (self.high - self.low)


def place_labels(
    wanted: pd.DataFrame,
    lines: Iterable[Line],
    x: Extent,
    y: Extent,
    width: float,
    height: float,
    letters: Iterable[Line] = (),
    bars: Iterable[Line] = (),
) -> pd.DataFrame:
    """Those of `wanted` that fit, with align, dx and dy for a text mark.

    wanted: x, y, text, priority (smallest first), clear (half the mark's width in pixels); width, height: in pixels.
    A label covers no mark, no line, no letter (lines through it) and no other label, and stays within the chart. Of
    labels with priority 0 it is not asked that they cover no line; those of priority 2, plain strengths, stand clearly
    nearer to their own mark than to any other, or one would not know whose they are. Bars are covered
    only where no side is free of them: they are long, and quiet. Each label looks at what is as high up in the chart as
    it is: 3,000 marks cost a fifth of a second.
    """

    def on_screen(px: float, py: float) -> tuple[float, float]:
        return x.share(px) * width, (1 - y.share(py)) * height

    at = [on_screen(px, py) for px, py in zip(wanted["x"], wanted["y"], strict=True)]
    clear = [float(pixels) for pixels in wanted["clear"]]
    marks = [(px - c, py - c, px + c, py + c) for (px, py), c in zip(at, clear, strict=True)]
    drawn, still, quiet = (
        _Boxes([*first, *(box for a, b, c, d in some for box in _along(*on_screen(a, b), *on_screen(c, d)))])
        for first, some in (((), lines), (marks, letters), ((), bars))
    )
    priorities, texts = [int(priority) for priority in wanted["priority"]], list(wanted["text"])
    placed: dict[int, dict[str, Any]] = {}
    centres = np.array(at).reshape(-1, 2)
    labels = np.empty((0, 4))
    for n in sorted(range(len(wanted)), key=priorities.__getitem__):
        sides = [
            side
            for side in _sides(*at[n], str(texts[n]), clear[n] + _GAP)  # none of them touches its own mark
            if _inside(side[3], width, height)
            and not still.covered_by(side[3])
            and not (priorities[n] and drawn.covered_by(side[3]))
            and not _covers(side[3], labels)
            and (priorities[n] < 2 or _is_nearest(side[3], n, centres))
        ]
        if sides:
            align, dx, dy, box = next((side for side in sides if not quiet.covered_by(side[3])), sides[0])
            placed[n] = {"align": align, "dx": dx, "dy": dy}
            labels = np.vstack([labels, box])
    rows = sorted(placed)
    where: dict[str, Any] = {name: [placed[n][name] for n in rows] for name in ("align", "dx", "dy")}
    return wanted.iloc[rows].assign(**where)


def text_width(text: str) -> float:
    """How wide a label is, in pixels: an estimate."""
    return _CHARACTER * len(text)


def _along(x1: float, y1: float, x2: float, y2: float) -> list[Box]:
    """Points of a line, close enough that no letter fits between two."""
    steps = max(1, math.ceil(math.hypot(x2 - x1, y2 - y1) / _CHARACTER))
    at = [(x1 + (x2 - x1) * n / steps, y1 + (y2 - y1) * n / steps) for n in range(steps + 1)]
    return [(px - 1, py - 1, px + 1, py + 1) for px, py in at]


def _sides(px: float, py: float, text: str, gap: float) -> list[tuple[str, float, float, Box]]:
    """Right, left, above, below, and aslant: align, dx, dy, and the box covered."""
    wide, half = text_width(text), _LINE / 2
    aslant = [
        (align, dx, dy, (left, py + dy - half, left + wide, py + dy + half))
        for align, dx, left in (("left", 4.0, px + 4), ("right", -4.0, px - 4 - wide))
        for dy in (-gap - half, gap + half)
    ]
    return [
        ("left", gap, 0.0, (px + gap, py - half, px + gap + wide, py + half)),
        ("right", -gap, 0.0, (px - gap - wide, py - half, px - gap, py + half)),
        ("center", 0.0, -gap - half, (px - wide / 2, py - gap - _LINE, px + wide / 2, py - gap)),
        ("center", 0.0, gap + half, (px - wide / 2, py + gap, px + wide / 2, py + gap + _LINE)),
        *aslant,
    ]


def _is_nearest(box: Box, own: int, centres: NDArray[np.float64]) -> bool:
    """Is the own mark's middle clearly nearer to the box than any other's? Marks at the same place count as own."""
    aside = np.maximum(np.maximum(np.array(box[:2]) - centres, centres - np.array(box[2:])), 0)
    far = np.hypot(aside[:, 0], aside[:, 1])
    elsewhere = (centres != centres[own]).any(axis=1)
    return bool((far[elsewhere] > _CLEARLY * far[own]).all())


def _inside(box: Box, width: float, height: float) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height


class _Boxes:
    """Boxes that stay where they are, by their upper ends: of thousands a label meets those of its own height."""

    def __init__(self, boxes: list[Box]):
        found = np.array(boxes).reshape(-1, 4)
        self._boxes = found[np.argsort(found[:, 1], kind="stable")]
        self._tallest = float((found[:, 3] - found[:, 1]).max(initial=0))

    def covered_by(self, box: Box) -> bool:
        """Does it cover any of them, if only in part?"""
        first, last = np.searchsorted(self._boxes[:, 1], (box[1] - self._tallest, box[3]))
        return _covers(box, self._boxes[first:last])


def _covers(box: Box, others: NDArray[np.float64]) -> bool:
    left, top, right, bottom = others.T
    return bool(((box[0] < right) & (left < box[2]) & (box[1] < bottom) & (top < box[3])).any())
