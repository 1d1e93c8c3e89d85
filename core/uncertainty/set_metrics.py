"""The bootstrap of metrics that describe all lists together: recomputed on each resample's weighted counts.

Here: the interface (what each user adds, and a function of the sums), and it served for Gini, coverage and entropy.
Not here: the definitions (core/evaluation/popularity.py; a test holds that both give the same), means (bootstrap.py).
A metric that is no function of sums over users, such as PRI, has no row here and so no interval, which is said.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from core.uncertainty.weights import blocks

Contributions: TypeAlias = NDArray[np.floating] | NDArray[np.integer] | Any
"""(U, D): what each user adds to D sums; dense, or sparse (scipy.sparse, which has no types)."""
OfSums = Callable[[NDArray[np.floating]], NDArray[np.floating]]
"""(..., D) sums, a row a resample, to (...,) values of the metric."""

SUMS_BYTES = 8 * 2**20  # of sums at a time: sorting them is twice as fast while they stay in the processor's cache


def resample_set(contributions: Contributions, weights: NDArray[np.uint8], of_sums: OfSums) -> NDArray[np.float32]:
    """The metric of one run on every resample: of_sums(weights x contributions), (R,) float32.

    contributions (U, D), dense or sparse; weights (R, U). Costs R x (its non-zeros + what of_sums does with D sums).
    """
    columns = contributions.T  # a sparse product is fastest with the resamples side by side
    values = np.empty(len(weights), np.float32)
    size = max(1, SUMS_BYTES // max(4 * contributions.shape[1], 1))
    for rows, some in blocks(weights):
        for start in range(0, len(some), size):
            part = np.ascontiguousarray(some[start : start + size].T)
            sums = np.ascontiguousarray((columns @ part).T)
            values[rows.start + start : rows.start + start + part.shape[1]] = of_sums(sums)
    return values


def shown(top_k: NDArray[np.integer]) -> scipy.sparse.csr_array:
    """What each user adds to the counts of the shown items: (U, m) of ones, the m items that any list holds.

    top_k (U, k) int, -1 behind the end of a short list. Items in no list are left out: their count is 0 in every
    resample, and the functions below take the size of the catalogue instead.
    """
    held = top_k >= 0
    items, column = np.unique(top_k[held], return_inverse=True)
    ones = np.ones(len(column), np.float32)
    pointers = np.concatenate([[0], np.cumsum(held.sum(axis=1))])
    return scipy.sparse.csr_array((ones, column, pointers), shape=(len(top_k), len(items)))


def gini(n_items: int) -> OfSums:
    """The Gini index of exposure as a function of the shown items' counts (popularity.gini), for n_items in all."""

    def of_counts(counts: NDArray[np.floating]) -> NDArray[np.floating]:
        ranked = np.sort(counts, axis=-1)
        rank = np.arange(n_items - ranked.shape[-1] + 1, n_items + 1, dtype=np.float64)
        total = ranked.sum(axis=-1, dtype=np.float64)
        return np.asarray(ranked @ (2 * rank - n_items - 1) / np.maximum(n_items * total, 1))

    return of_counts


def coverage(n_items: int) -> OfSums:
    """Catalogue coverage as a function of the shown items' counts (popularity.coverage), for n_items in all."""
    return lambda counts: np.count_nonzero(counts, axis=-1) / max(n_items, 1)


def entropy(n_items: int) -> OfSums:
    """Entropy of exposure in bits as a function of the shown items' counts (popularity.entropy)."""
    del n_items  # items in no list add nothing
    return _entropy


def entropy_norm(n_items: int) -> OfSums:
    """The same over log2 of the catalogue's size, n_items (popularity.entropy_norm)."""
    return lambda counts: _entropy(counts) / np.log2(max(n_items, 2))


def _entropy(counts: NDArray[np.floating]) -> NDArray[np.floating]:
    total = np.maximum(counts.sum(axis=-1, dtype=np.float64), 1)
    # sum of -(c/n) log2(c/n) = log2 n - sum of c log2 c / n; a count is a whole number, so 0 or at least 1
    weighted = (counts * np.log2(np.maximum(counts, 1))).sum(axis=-1, dtype=np.float64)
    return np.asarray(np.log2(total) - weighted / total)


OF_COUNTS: dict[str, Callable[[int], OfSums]] = {
    "gini": gini,
    "coverage": coverage,
    "entropy": entropy,
    "entropy_norm": entropy_norm,
}
"""Metrics of the counts of shown items: name to a maker of the function, given the size of the catalogue."""
