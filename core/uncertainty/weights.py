"""Resampling weights: how often each user, and each seed of a variant, is drawn in each bootstrap resample.

Here: the random draws, once for a data set, so that whatever is compared is compared on the same resamples: differences
are paired. Not here: what is computed from them (bootstrap.py, set_metrics.py).
The draws follow from names alone (the data set's, the variant's), so that a number does not move when another variant
joins the comparison, or when it is asked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.ids import content_id

RESAMPLES = 2_000
"""Resamples of an interval: its ends then have a Monte Carlo error of 6 % of a standard error, the standard error
itself one of 1.6 %."""
BLOCK_BYTES = 32 * 2**20  # of weights as float32: a block is made, used and dropped

KEPT = 600  # variants' shares of seeds: 24 kB each with three seeds


def user_weights(n_users: int, name: str, resamples: int = RESAMPLES) -> NDArray[np.uint8]:
    """How often each user is drawn in each resample, with replacement: (resamples, n_users) uint8; rows sum to n_users.

    name: of the data set, which the draws follow from. One byte a weight: 1.9 MB for 943 users, 60 MB for 29,858; that
    somebody is drawn more than 255 times has a probability below 1e-500. Efron, Annals of Statistics 7(1), 1979.

    >>> user_weights(4, "tiny", 3).sum(axis=1)
    array([4, 4, 4], dtype=uint64)
    """
    rng = np.random.default_rng(int(content_id([name, "users"]), 16))
    weights = np.empty((resamples, n_users), np.uint8)
    for rows in _rows(resamples, n_users, itemsize=8):
        drawn = rng.integers(n_users, size=(rows.stop - rows.start, n_users))
        drawn += np.arange(len(drawn))[:, None] * n_users
        weights[rows] = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
    return weights


def seed_weights(n_seeds: Sequence[int], names: Sequence[str], resamples: int = RESAMPLES) -> NDArray[np.float32]:
    """Each variant's share of each of its seeds in each resample: (resamples, variants, most seeds) float32.

    n_seeds: of each variant; names: what each variant's draws follow from, independent of the other variants'. Rows sum
    to 1 over the seeds that a variant has; places behind them are 0.
    """
    most = max(n_seeds, default=0)
    shares = np.zeros((resamples, len(n_seeds), most), np.float32)
    for variant, (seeds, name) in enumerate(zip(n_seeds, names, strict=True)):
        if seeds:
            shares[:, variant, :seeds] = shares_of(name, seeds, resamples)
    return shares


@lru_cache(maxsize=KEPT)
def shares_of(name: str, seeds: int, resamples: int) -> NDArray[np.float32]:
    """One variant's share of each of its seeds in each resample, (resamples, seeds), for reading only.

    Kept: drawing them is a third of what a question costs, and every metric has the same.
    """
    rng = np.random.default_rng(int(content_id([name, "seeds"]), 16))
    drawn = rng.multinomial(seeds, np.full(seeds, 1 / seeds), resamples) / seeds
    return drawn.astype(np.float32)


def blocks(weights: NDArray[np.uint8]) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """The weights as float32, some resamples at a time: (rows, their weights). 32 MB of memory at most."""
    resamples, n_users = weights.shape
    for rows in _rows(resamples, n_users, itemsize=4):
        yield rows, weights[rows].astype(np.float32)


def _rows(resamples: int, n_users: int, itemsize: int) -> Iterator[slice]:
    size = max(1, BLOCK_BYTES // max(n_users * itemsize, 1))
    for start in range(0, resamples, size):
        yield slice(start, min(start + size, resamples))
