"""Win-win against a baseline: better on both axes, each significant; or a trade-off, or worse, or not to be told.

Here: the label from two verdicts, and the region that is drawn. Not here: the verdicts (verdict.py), the chart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.uncertainty.verdict import BETTER, FEW_SEEDS, NO_INTERVAL, SAME, WORSE

WIN_WIN, TRADE_OFF, ONE_BETTER = "win-win", "trade-off", "better on one"
BASELINE = "baseline"
LABELS = (WIN_WIN, ONE_BETTER, TRADE_OFF, WORSE, SAME, FEW_SEEDS, NO_INTERVAL, BASELINE)
"""All labels, best first."""

_LABEL_OF = {
    frozenset({BETTER}): WIN_WIN,
    frozenset({BETTER, SAME}): ONE_BETTER,
    frozenset({BETTER, WORSE}): TRADE_OFF,
    frozenset({WORSE}): WORSE,
    frozenset({WORSE, SAME}): WORSE,
    frozenset({SAME}): SAME,
}


def label(accuracy: str, bias: str) -> str:
    """What two verdicts make together, each by its Holm-corrected p-value: one of LABELS.

    Win-win: better on both. Trade-off: better on one, worse on the other. Worse: worse on one, and not better on the
    other. Better on one: the other is not distinguishable, which is less than win-win and no proof of a trade-off. Not
    distinguishable on both stays that. A verdict that lacks seeds or an interval on either axis leaves no label but it.

    >>> label("better", "not distinguishable"), label("worse", "better")
    ('better on one', 'trade-off')
    """
    for missing in (FEW_SEEDS, NO_INTERVAL):
        if missing in {accuracy, bias}:
            return missing
    return _LABEL_OF[frozenset({accuracy, bias})]


def labels(accuracy: Sequence[str], bias: Sequence[str], baseline: int) -> list[str]:
    """`label` of each variant; the variant at position `baseline` is the baseline."""
    found = [label(a, b) for a, b in zip(accuracy, bias, strict=True)]
    found[baseline] = BASELINE
    return found


class Region(NamedTuple):
    """A rectangle of the trade-off chart; None where it has no bound."""

    x_low: float | None
    x_high: float | None
    y_low: float | None
    y_high: float | None


def region(x: float, y: float, x_sign: int, y_sign: int) -> Region:
    """Where a variant beats the baseline at (x, y) on both axes. sign: 1 where higher is better on that axis, else -1.

    A mark inside it is no win-win yet: each difference must be significant, and how large it must be for that differs
    from variant to variant.

    >>> region(0.1, 0.4, 1, -1)
    Region(x_low=0.1, x_high=None, y_low=None, y_high=0.4)
    """
    x_low, x_high = (x, None) if x_sign > 0 else (None, x)
    y_low, y_high = (y, None) if y_sign > 0 else (None, y)
    return Region(x_low, x_high, y_low, y_high)
