"""Where a path over strength turns: the strength beyond which more of it does less, and where nothing is left of it.

Here: the reading of a path whose two ends are one and the same, as that of AUC-NS over beta, which begins and ends at
DNS. Not here: how the path is measured (models/explain.py, jobs/explain.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST = 0.95
"""Of the whole effect: from the first strength that has it, more strength does next to nothing more."""
FALL = 0.25
"""Of the whole effect: a path that falls by so much from its top has turned there, whatever comes later."""
SAME = 0.99
"""Of the choices: where so many are those at strength 0, nothing is left of the strength."""


@dataclass(frozen=True, slots=True)
class Turn:
    """How a path over strength goes. Strengths are points of the path but for `most_at`, which lies between two."""

    at: float
    """The turning point: the strength with the largest effect before the path falls for the first time."""
    effect: float
    """The value there, and below at strength 0."""
    start: float
    most_at: float
    """The smallest strength with MOST of the rise from `start` to `effect`."""
    back_at: float | None
    """The smallest strength beyond the turning point from which on SAME of the choices are those at 0; None if none."""
    least: float
    """The smallest effect beyond the turning point, and below its strength: under `start` where the path overshoots."""
    least_at: float
    again: float | None
    """The largest effect of a second rise, which is as large as a fall, and below its strength; None without one."""
    again_at: float | None
    agreement: float
    """The lowest share of choices that are those at strength 0, and below its strength."""
    agreement_at: float


def find_turn(
    strengths: NDArray[np.float64], effects: NDArray[np.float64], agreements: NDArray[np.float64]
) -> Turn | None:
    """Reads a path. strengths (n,) ascending from 0; effects (n,), what more strength is to raise; agreements (n,) in
    [0, 1], the share of choices that are those at strength 0. None where no strength raises the effect.

    >>> find_turn(np.array([0, 1.0, 2, 3, 4]), np.array([1, 2.0, 3, 2, 1]), np.array([1, 0.8, 0.5, 0.8, 1])).at
    2.0
    """
    whole = float(effects.max() - effects[0])
    if whole <= 0:
        return None
    top, again = _tops(effects, FALL * whole)
    least = top + int(np.argmin(effects[top:]))
    lowest = int(np.argmin(agreements))
    wanted = effects[0] + MOST * (effects[top] - effects[0])
    return Turn(
        at=float(strengths[top]),
        effect=float(effects[top]),
        start=float(effects[0]),
        most_at=first_reaching(strengths[: top + 1], effects[: top + 1], float(wanted)),
        back_at=_back(strengths[top + 1 :], agreements[top + 1 :]),
        least=float(effects[least]),
        least_at=float(strengths[least]),
        again=None if again is None else float(effects[again]),
        again_at=None if again is None else float(strengths[again]),
        agreement=float(agreements[lowest]),
        agreement_at=float(strengths[lowest]),
    )


def _tops(effects: NDArray[np.float64], fall: float) -> tuple[int, int | None]:
    """The places of the largest effect before the path falls by `fall`, and of the largest after it rises by as much.

    Smaller ripples are noise.
    """
    highest = np.maximum.accumulate(effects)
    fallen = np.flatnonzero((highest - effects >= fall) & (highest > effects[0]))
    if len(fallen) == 0:
        return int(np.argmax(effects)), None
    first = int(np.argmax(effects[: fallen[0] + 1]))
    lowest = np.minimum.accumulate(effects[first:])
    risen = effects[first:] - lowest
    second = first + int(np.argmax(np.where(risen >= fall, effects[first:], -np.inf)))
    return first, second if risen.max() >= fall else None


def first_reaching(strengths: NDArray[np.float64], effects: NDArray[np.float64], wanted: float) -> float:
    """The smallest strength whose effect is `wanted`, read from the straight lines between the points of a path.

    NaN where the path never gets there.
    >>> first_reaching(np.array([0.0, 1, 2]), np.array([0.0, 10, 10]), 5.0)
    0.5
    """
    reached = np.flatnonzero(effects >= wanted)
    if len(reached) == 0:
        return float("nan")
    k = int(reached[0])
    if k == 0:
        return float(strengths[0])
    share = (wanted - effects[k - 1]) / (effects[k] - effects[k - 1])
    return float(strengths[k - 1] + share * (strengths[k] - strengths[k - 1]))


def _back(strengths: NDArray[np.float64], agreements: NDArray[np.float64]) -> float | None:
    other = np.flatnonzero(agreements < SAME)
    first = int(other[-1]) + 1 if len(other) else 0
    return float(strengths[first]) if first < len(strengths) else None


def turn_of_path(strengths: NDArray[np.float64], effects: NDArray[np.float64]) -> float | None:
    """The strength at which a measured path turns: its largest effect before it falls by FALL of its rise.

    strengths (n,) ascending; effects (n,), what more strength is to raise. None for a path that rises to its end, or
    never rises: it has not turned among these strengths.

    >>> turn_of_path(np.array([0.0, 1, 2, 3]), np.array([1.0, 3, 2, 1])), turn_of_path(np.arange(3.0), np.arange(3.0))
    (1.0, None)
    """
    found = find_turn(strengths, effects, np.zeros(len(effects)))
    if found is None or found.effect - found.least < FALL * (found.effect - found.start):
        return None
    return found.at
