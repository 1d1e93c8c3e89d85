"""Changes as shares of the baseline, "12 % less", with the crossed bootstrap's errors over users and seeds.

Here: differences over the baseline's mean. Not here: the differences, their errors, and the verdict (verdict.py).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.uncertainty.bootstrap import LEVEL, Resampled
from core.uncertainty.verdict import Differences, differences

Floats = NDArray[np.float64]


def relative_changes(
    resampled: Resampled, baseline: int, without_chance: NDArray[np.bool_] | None = None
) -> Differences:
    """`verdict.differences` in shares of the baseline's mean: -0.12 is 12 % less. Arguments as there.

    The baseline's mean is taken as measured, so that p, the verdict, and whether the interval holds 0 are those of the
    plain difference. (Ratios of resampled means, or their logarithms, have ends without bound where a group of users is
    small; where the change is small, all are the same to first order.) NaN for all where that mean is not above 0:
    nothing is a share of nothing.
    """
    found = differences(resampled, baseline, without_chance)
    of_base = _share_of(resampled, baseline)
    return replace(
        found,
        difference=found.difference / of_base,
        error=found.error / of_base,
        low=found.low / of_base,
        high=found.high / of_base,
        p=found.p if np.isfinite(of_base) else np.full_like(found.p, np.nan),
        of_users=found.of_users / of_base**2,
        of_seeds=found.of_seeds / of_base**2,
    )


def over_users_alone(resampled: Resampled, baseline: int) -> tuple[Floats, Floats]:
    """The 95 % percentile interval of the same changes over resampled users, for the runs that were trained: low, high.

    For variants with too few seeds for more; seeds have no part in it, so it is too narrow to tell methods apart.
    (V,) each, NaN for the baseline and where there is no change to speak of.
    """
    low, high = np.full((2, len(resampled.means)), np.nan)
    of_base = _share_of(resampled, baseline)
    sound = np.isfinite(resampled.means / of_base) & (resampled.n_users > 1)
    sound[baseline] = False
    if sound.any():
        draws = resampled.mean_draws
        changes = (draws - draws[:, [baseline]])[:, sound] / of_base
        low[sound], high[sound] = np.nanquantile(changes, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def _share_of(resampled: Resampled, baseline: int) -> float:
    """What a share is of: the baseline's mean, NaN where it is not above 0."""
    mean = float(resampled.means[baseline])
    return mean if mean > 0 else float("nan")
