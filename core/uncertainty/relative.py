"""Relative changes against a baseline, "12 % less", with the crossed bootstrap's errors over users and seeds.

Here: ratios of means, on the scale of their logarithms. Not here: the variance over users and seeds, and the verdict
made of it (verdict.py), differences in the metric's own unit (verdict.py).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from core.uncertainty.bootstrap import LEVEL, Resampled
from core.uncertainty.verdict import ENOUGH_SEEDS, Differences, differences

Floats = NDArray[np.float64]


def relative_changes(
    resampled: Resampled, baseline: int, without_chance: NDArray[np.bool_] | None = None
) -> Differences:
    r"""Each variant's mean over the baseline's, minus 1: -0.12 is 12 % less. Arguments as in `verdict.differences`.

    Each variant's values are divided by their mean, whose difference then has the error of the log ratio to first
    order (delta method): error(log(m_v / m_b)) = error(x_v / m_v - x_b / m_b), users and seeds as in `differences`.
    `error` and `freedom` are of that; p is of Student's t = log(m_v / m_b) / error; the interval is exp of
    log(m_v / m_b) -+ t error, minus 1, so that it holds 0 exactly where p is above 0.05, and never goes below -1.
    `of_users` and `of_seeds` are variances of the log ratio. NaN for a variant whose mean is not above 0, and for all
    where the baseline's is not: nothing is a share of nothing. Where it is the variant's that is 0, the change is -1.
    """
    means = resampled.means
    found = differences(_around_one(resampled), baseline, without_chance)
    log_ratio = _log_ratios(means, baseline)
    half = scipy.stats.t.ppf((1 + LEVEL) / 2, found.freedom) * found.error
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(log_ratio == 0, 0.0, np.abs(log_ratio) / found.error)
    known = np.isfinite(found.error)
    return replace(
        found,
        difference=np.expm1(log_ratio),
        low=np.where(known, np.expm1(log_ratio - half), np.nan),
        high=np.where(known, np.expm1(log_ratio + half), np.nan),
        p=np.where(known, 2 * scipy.stats.t.sf(t, found.freedom), np.nan),
        enough_seeds=_enough_seeds(resampled, baseline, without_chance),
    )


def over_users_alone(resampled: Resampled, baseline: int) -> tuple[Floats, Floats]:
    """The 95 % percentile interval of the same changes over resampled users, for the runs that were trained: low, high.

    For variants with too few seeds for more; seeds have no part in it, so it is too narrow to tell methods apart.
    (V,) each, NaN for the baseline and where there is no change to speak of.
    """
    low, high = np.full((2, len(resampled.means)), np.nan)
    sound = np.isfinite(_log_ratios(resampled.means, baseline)) & (resampled.n_users > 1)
    sound[baseline] = False
    if sound.any():
        draws = resampled.mean_draws
        of_base = draws[:, [baseline]]
        ratios = np.divide(draws, of_base, out=np.full_like(draws, np.nan), where=of_base > 0)
        low[sound], high[sound] = np.nanquantile(ratios[:, sound] - 1, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def _enough_seeds(resampled: Resampled, baseline: int, without_chance: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """As `differences` counts them, whether there is a ratio or not."""
    fixed = False if without_chance is None else without_chance
    enough = np.where(fixed, resampled.seeds >= 1, resampled.seeds >= ENOUGH_SEEDS)
    return np.asarray(enough & enough[baseline], np.bool_)


def _around_one(resampled: Resampled) -> Resampled:
    means = resampled.means
    over = np.where(means > 0, means, np.nan)
    draws = resampled.draws / over.astype(np.float32)[None, :, None]
    return Resampled(resampled.values / over[:, None], draws, resampled.n_users)


def _log_ratios(means: Floats, baseline: int) -> Floats:
    """log(m_v / m_b): -inf where the variant's mean is 0, NaN where there is no ratio."""
    of_base = means[baseline] if means[baseline] > 0 else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(np.where(means >= 0, means, np.nan) / of_base))
