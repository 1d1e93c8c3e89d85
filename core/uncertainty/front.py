"""The Pareto front of two metrics, and how probable it is that a variant is on it.

Here: arrays of values, signs for their directions. Not here: the metrics, drawing. Chance is the crossed bootstrap's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.uncertainty.bootstrap import Resampled
from core.uncertainty.verdict import seed_variance

ROWS = 500  # resamples at a time: sorting them needs a dozen arrays of this many rows


def on_front(x: NDArray[np.floating], y: NDArray[np.floating], x_sign: int, y_sign: int) -> NDArray[np.bool_]:
    """Which points no other dominates: none is as good on both axes and better on one. Row by row.

    x, y (..., V); sign: 1 where higher is better on that axis, else -1. Equal points are on the front together; a point
    with a NaN is not on it and dominates nobody. O(V log V) a row.

    >>> on_front(np.array([1.0, 2.0, 1.0]), np.array([2.0, 1.0, 1.0]), 1, 1)
    array([ True,  True, False])
    """
    missing = np.isnan(x) | np.isnan(y)
    a = np.where(missing, -np.inf, np.asarray(x, np.float64) * x_sign)
    b = np.where(missing, -np.inf, np.asarray(y, np.float64) * y_sign)
    order = np.lexsort((-b, -a), axis=-1)  # best x first, and among equals best y
    a, b = np.take_along_axis(a, order, -1), np.take_along_axis(b, order, -1)
    best = np.maximum.accumulate(b, axis=-1)
    front = np.ones(a.shape, np.bool_)
    front[..., 1:] = b[..., 1:] > best[..., :-1]
    first = _first_of_equals(a, b)
    front = np.take_along_axis(front, first, -1)
    found = np.zeros_like(front)
    np.put_along_axis(found, order, front, -1)
    return np.asarray(found & ~missing)


def _first_of_equals(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each place of sorted rows, the place of the first point that equals it."""
    places = np.broadcast_to(np.arange(a.shape[-1]), a.shape).copy()
    places[..., 1:][(a[..., 1:] == a[..., :-1]) & (b[..., 1:] == b[..., :-1])] = 0
    return np.maximum.accumulate(places, axis=-1)


def crossed(
    resampled: Resampled, seed_shares: NDArray[np.float32], without_chance: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Each variant's mean on resampled users and resampled seeds, (R, V) float64: the crossed bootstrap's draws.

    seed_shares (R, V, S): `seed_weights`, the same for both metrics of a variant, so that what moves together stays
    together. The deviation that resampled seeds give is stretched so that its variance is max(0, s^2 / S - w^2) of
    `verdict.differences`, instead of that share of it which so few seeds show. Variants with one seed, or without
    chance, move with the users alone.
    """
    of_mean, own = seed_variance(resampled)
    n = resampled.seeds
    fixed = np.zeros(len(n), np.bool_) if without_chance is None else without_chance
    wanted = np.where(fixed, 0.0, np.maximum(of_mean - own, 0))
    seen = of_mean * (n - 1) / np.maximum(n, 1)
    stretch = np.sqrt(np.divide(wanted, seen, out=np.zeros(len(n)), where=seen > 0))
    deviations = np.nan_to_num(resampled.values - resampled.means[:, None]) * stretch[:, None]
    return np.asarray(resampled.mean_draws + np.einsum("rvs,vs->rv", seed_shares, deviations), np.float64)


def front_probability(
    x: NDArray[np.floating], y: NDArray[np.floating], x_sign: int, y_sign: int
) -> NDArray[np.float64]:
    """The share of resamples in which each variant is on the front, (V,). x, y (R, V): `crossed` draws, paired by row.

    Read it as "on how many reruns with other users and seeds would it be on the front". It depends on which variants
    take part: near twins share it.
    """
    counts = np.zeros(x.shape[1])
    for start in range(0, len(x), ROWS):
        rows = slice(start, start + ROWS)
        counts += on_front(x[rows], y[rows], x_sign, y_sign).sum(axis=0)
    return counts / max(len(x), 1)
