"""What an epoch of either engine observed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EpochReport:
    """What an epoch observed."""

    loss: float
    """Mean over the trained pairs, each at the moment before its step."""
    skipped: int
    """Pairs of users who took every item: there is no negative for them."""
