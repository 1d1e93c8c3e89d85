"""What a training costs, by two clocks.

Imported by our process and by those of other libraries, so it needs nothing that is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, process_time
from typing import NamedTuple

Fit = Callable[[int], None]
"""Trains so many epochs, from the beginning or on from where it was."""


class Spent(NamedTuple):
    """Seconds of one training."""

    wall: float
    """What passed, other programs' turns included."""
    cpu: float
    """What this process computed, in all its threads. With one thread on an idle machine both are the same."""


TimedFit = Callable[[int], Spent]


def timed(fit: Fit) -> TimedFit:
    """The same training, that says what it cost."""

    def run(epochs: int) -> Spent:
        wall, cpu = perf_counter(), process_time()
        fit(epochs)
        return Spent(perf_counter() - wall, process_time() - cpu)

    return run
