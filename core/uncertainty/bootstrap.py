"""The bootstrap over users: each run's metric on every resample, its 95 % interval; beside it the spread over seeds.

Here: means over users. Not here: how metrics of the whole set become such means (set_metrics.py), differences
(verdict.py).
The two sources of chance stay apart: `interval` is about which users there happened to be, for the mean of the runs
that were trained; `sd_of` over seeds is about which seed a run happened to have.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.uncertainty.weights import blocks

LEVEL = 0.95
COLUMN_BYTES = 64 * 2**20  # of per-user values as float32 at a time


@dataclass(frozen=True, eq=False)
class Resampled:
    """One metric of V variants with S seeds each at most, on R resamples of the users."""

    values: NDArray[np.float64]
    """(V, S) the metric of each run, on the users as they are; NaN where a variant has fewer seeds."""
    draws: NDArray[np.float32]
    """(R, V, S) the metric of each run on each resample; NaN where `values` is, and where a resample held no user for
    whom the metric is defined."""
    n_users: int
    """Users that were resampled."""

    @property
    def seeds(self) -> NDArray[np.int64]:
        """(V,) how many seeds each variant has."""
        return np.asarray(np.isfinite(self.values).sum(axis=1), np.int64)

    @property
    def means(self) -> NDArray[np.float64]:
        """(V,) mean over seeds; NaN for a variant without a value."""
        return mean_of(self.values)

    @cached_property
    def mean_draws(self) -> NDArray[np.float64]:
        """(R, V) mean over seeds on each resample."""
        return mean_of(self.draws)


def resample_means(values: NDArray[np.floating], weights: NDArray[np.uint8]) -> Resampled:
    """A metric that is a mean over users, on every resample: weights times values.

    values (V, S, U), NaN where the metric is not defined for the user, and all NaN for a seed that a variant lacks;
    weights (R, U). A resample's mean is the weighted sum over its defined users, divided by their weights. Products are
    taken in float32 of deviations from the run's mean, so that rounding is relative to the spread, not to the mean.
    Memory: (R, V, S) float32, and blocks of 100 MB.
    """
    n_variants, n_seeds, n_users = values.shape
    runs = values.reshape(-1, n_users)
    draws = np.empty((len(weights), len(runs)), np.float32)
    means = np.empty(len(runs))
    size = max(1, COLUMN_BYTES // max(4 * n_users, 1))
    for start in range(0, len(runs), size):
        some = slice(start, start + size)
        means[some] = mean_of(runs[some])
        _fill(draws[:, some], runs[some], means[some], weights)
    return Resampled(means.reshape(n_variants, n_seeds), draws.reshape(-1, n_variants, n_seeds), n_users)


def _fill(
    draws: NDArray[np.float32],
    runs: NDArray[np.floating],
    means: NDArray[np.float64],
    weights: NDArray[np.uint8],
) -> None:
    defined = np.isfinite(runs)
    partly = ~defined.all(axis=1)  # elsewhere the weights sum to the number of users
    deviations = np.where(defined, runs - means[:, None], 0).astype(np.float32).T
    present = defined[partly].astype(np.float32).T
    for rows, some in blocks(weights):
        total = some @ deviations
        total[:, ~partly] /= np.float32(weights.shape[1])
        held = some @ present
        total[:, partly] = np.divide(total[:, partly], held, out=np.full_like(held, np.nan), where=held > 0)
        draws[rows] = total + means.astype(np.float32)


def interval(resampled: Resampled, level: float = LEVEL) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The bootstrap interval over users of each variant's mean over seeds: low, high, (V,) each.

    Percentiles of the resampled values. BCa intervals were compared: on means of hundreds of users their ends differ by
    less than the resamples' own noise, and they need the jackknife of every run. What is estimated is the metric of as
    many users drawn alike, for the runs that were trained.
    NaN for a variant without values, and with fewer than two users.
    """
    draws = resampled.mean_draws
    low, high = np.full(draws.shape[1], np.nan), np.full(draws.shape[1], np.nan)
    sound = np.isfinite(resampled.means) & (resampled.n_users > 1)
    if sound.any():
        low[sound], high[sound] = np.nanquantile(draws[:, sound], [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def sd_of(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Standard deviation (ddof 1) over the last axis of what is defined (not NaN); NaN with fewer than two."""
    n = np.isfinite(values).sum(axis=-1)
    deviations = np.nan_to_num(values - mean_of(values)[..., None])
    return np.where(n > 1, np.sqrt((deviations**2).sum(axis=-1) / np.maximum(n - 1, 1)), np.nan)


def mean_of(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean over the last axis of what is defined (not NaN); NaN where nothing is."""
    defined = np.isfinite(values)
    n = defined.sum(axis=-1)
    total = np.where(defined, values, 0).sum(axis=-1, dtype=np.float64)
    return np.asarray(np.where(n > 0, total / np.maximum(n, 1), np.nan), np.float64)
