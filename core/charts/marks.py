"""The shapes of marks: polygons within about -1..1, made hollow, split in two, and written as SVG paths.

Here: geometry. Not here: which method has which shape (palette.py).
A contour runs clockwise as it is seen (y points down); a hole runs the other way round, so that filling leaves it out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Point = tuple[float, float]
Contour = tuple[Point, ...]

GAP = 0.17
"""Half the gap that splits a mark, and a hole's least size: about two pixels of a mark of ten."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A mark: its contours, and how thick its outline is where it is hollow."""

    contours: tuple[Contour, ...]
    wall: float = 0.42

    def path(self, hollow: bool = False, split: bool = False) -> str:
        """As an SVG path. hollow: the outline only; split: a gap across, which leaves an upper and a lower part."""
        contours = list(self.contours)
        if hollow:
            contours += [tuple(reversed(_inset(contour, self.wall))) for contour in self.contours]
        if split:
            contours = [part for contour in contours for part in _halves(contour) if len(part) > 2]
        return "".join(_written(contour) for contour in contours)


def _written(contour: Contour) -> str:
    return f"M{'L'.join(f'{_short(x)},{_short(y)}' for x, y in contour)}Z"


def _short(value: float) -> str:
    """Two decimals: a hundredth of a mark of ten pixels is not seen."""
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-0.", "-.").removeprefix("0") or "0"


def _inset(contour: Contour, distance: float) -> Contour:
    """The contour with every side moved inwards: a corner is where its two sides then meet."""
    around = zip(contour[-1:] + contour[:-1], contour, contour[1:] + contour[:1], strict=True)
    return tuple(_corner(before, at, after, distance) for before, at, after in around)


def _corner(before: Point, at: Point, after: Point, distance: float) -> Point:
    (ax, ay), (bx, by) = _inwards(before, at), _inwards(at, after)
    # a . p = distance + a . at and b . p = distance + b . at
    turn = ax * by - ay * bx
    return at[0] + distance * (by - ay) / turn, at[1] + distance * (ax - bx) / turn


def _inwards(start: Point, end: Point) -> Point:
    """The unit normal on the right of a side, which is inside of a contour that runs clockwise on the screen."""
    x, y = end[0] - start[0], end[1] - start[1]
    length = math.hypot(x, y)
    return -y / length, x / length


def _halves(contour: Contour) -> tuple[Contour, Contour]:
    """What of a contour lies above the gap, and what below."""
    flipped = tuple((x, -y) for x, y in contour)
    return _above(contour), tuple((x, -y) for x, y in _above(flipped))


def _above(contour: Contour) -> Contour:
    """The part with y up to -GAP (Sutherland and Hodgman 1974, one side)."""
    kept: list[Point] = []
    for (x1, y1), (x2, y2) in zip(contour[-1:] + contour[:-1], contour, strict=True):
        if (y1 <= -GAP) != (y2 <= -GAP):
            kept.append((x1 + (x2 - x1) * (-GAP - y1) / (y2 - y1), -GAP))
        if y2 <= -GAP:
            kept.append((x2, y2))
    return tuple(kept)


def _arc(radius: float, start: float, end: float, points: int) -> Contour:
    """Points of a circle, clockwise on the screen; degrees, 0 on the right, 90 at the bottom."""
    steps = (math.radians(start + (end - start) * n / (points - 1)) for n in range(points))
    return tuple((radius * math.cos(angle), radius * math.sin(angle)) for angle in steps)


def _star(points: int, outer: float, inner: float) -> Contour:
    radii = [outer, inner] * points
    angles = [-math.pi / 2 + math.pi * n / points for n in range(2 * points)]
    return tuple((r * math.cos(a), r * math.sin(a)) for r, a in zip(radii, angles, strict=True))


def _turned(contour: Contour, degrees: float) -> Contour:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return tuple((c * x - s * y, s * x + c * y) for x, y in contour)


_PLUS = ((-0.37, -1.1), (0.37, -1.1), (0.37, -0.37), (1.1, -0.37), (1.1, 0.37), (0.37, 0.37), (0.37, 1.1),
         (-0.37, 1.1), (-0.37, 0.37), (-1.1, 0.37), (-1.1, -0.37), (-0.37, -0.37))  # fmt: skip
_TEE = ((-1.05, -1), (1.05, -1), (1.05, -0.28), (0.37, -0.28), (0.37, 1.1), (-0.37, 1.1), (-0.37, -0.28),
        (-1.05, -0.28))  # fmt: skip

CIRCLE = Shape((_arc(1, 0, 345, 24),), 0.5)
PLUS = Shape((_PLUS,), 0.19)
SQUARE = Shape((((-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)),), 0.46)
DIAMOND = Shape((((0, -1.2), (1.05, 0), (0, 1.2), (-1.05, 0)),), 0.4)
TRIANGLE = Shape((((0, -1.1), (1.1, 0.85), (-1.1, 0.85)),), 0.34)
BOW_TIE = Shape((((-1, -1), (0.05, 0), (-1, 1)), ((-0.05, 0), (1, -1), (1, 1))), 0.2)
STAR = Shape((_star(5, 1.3, 0.62),), 0.27)
TRIANGLE_DOWN = Shape((((-1.1, -0.85), (1.1, -0.85), (0, 1.1)),), 0.34)
EX = Shape((_turned(_PLUS, 45),), 0.19)
TEE = Shape((_TEE,), 0.19)
SLANT = Shape((((-0.45, -0.85), (1.25, -0.85), (0.45, 0.85), (-1.25, 0.85)),), 0.36)
DOME = Shape((tuple((x, y + 0.55) for x, y in _arc(1.2, 180, 360, 17)),), 0.36)
WEDGE = Shape((((0.0, 0.0), *_arc(1.08, 45, 315, 21)),), 0.3)
ARROW_DOWN = Shape((((-0.42, -1.1), (0.42, -1.1), (0.42, 0), (1.1, 0), (0, 1.15), (-1.1, 0), (-0.42, 0)),), 0.2)
