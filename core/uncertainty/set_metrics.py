"""Metrics that describe all lists together, as values of single users, so that they are resampled like means.

Here: the jackknife. What a user adds to such a metric is known from the metric without that user; these values have the
metric as their mean, and the variance of that mean is the jackknife's. Not here: the definitions (core/evaluation),
what is done with the values (bootstrap.py).

Why not the metric of each resample: a resample holds two thirds of the users, some of them several times, so that its
lists are fewer than they look. Its Gini index is another quantity than the one measured, and spreads less:
docs/uncertainty.md has the figures. PRI, whose ranks need all scores, is no function of lists, and has no interval.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.evaluation.measure import OF_SUMS, Cut

PerUser = NDArray[np.float64]
Lists = NDArray[np.integer]


def per_user(name: str, lists: Cut) -> PerUser:
    """What each user adds to a metric of the whole set: (U,) float64, their mean is the metric.

    name: without cutoff, one of REACHED; lists: of all evaluated users. The value of user u is M + (U - 1) (m - M_u): M
    the metric, M_u the metric without u, m the mean of all M_u (Tukey's pseudo-values, moved so that their mean is the
    metric itself: Efron, Stein, Annals of Statistics 9(3), 1981, who show that their variance tends to be too large
    rather than too small). NaN where the metric is not defined without the user, and everywhere where it is not at all.
    """
    if name in OF_SUMS:
        metric = OF_SUMS[name]
        summands = metric.summands(lists)
        total = summands.sum(axis=0)
        whole, without = float(metric.value(total)), metric.value(total - summands)
    else:
        whole, without = OF_COUNTS[name](lists.top_k, len(lists.facts.popularity))
    if np.isnan(without).all():
        return np.full(len(lists.top_k), np.nan)
    return np.asarray(whole + (len(without) - 1) * (np.nanmean(without) - without), np.float64)


WithAndWithout = tuple[float, PerUser]
"""A metric, and (U,) the metric without each user."""


def gini(top_k: Lists, n_items: int) -> WithAndWithout:
    """Gini index of exposure (popularity.gini), of all users and without each.

    top_k (U, k), -1 behind the end. To leave a user out takes one from the count of each item in the list, which in the
    ascending counts is the first place of that count, or the next for the user's second item of one count: the order
    stays, so the sum that Gini is made of loses those places' weights, and nothing is sorted again. O(U k log k).
    """
    shown, counts = _shown(top_k, n_items)
    ranked = np.sort(counts)
    weight = 2 * np.arange(1, n_items + 1) - n_items - 1
    total, weighted = counts.sum(), weight @ ranked
    of_lists = np.sort(np.where(shown, counts[top_k], 0), axis=1)  # a missing place is a count of 0
    place = np.searchsorted(ranked, of_lists) + _repeats(of_lists)
    lost = np.where(of_lists > 0, weight[np.minimum(place, n_items - 1)], 0).sum(axis=1)
    left = total - shown.sum(axis=1)
    without = np.where(left > 0, (weighted - lost) / (n_items * np.maximum(left, 1)), 0.0)
    return float(weighted / (n_items * max(total, 1))), without


def coverage(top_k: Lists, n_items: int) -> WithAndWithout:
    """Catalogue coverage (popularity.coverage): without a user, the items that nobody else is shown are lost."""
    shown, counts = _shown(top_k, n_items)
    own = (shown & (counts[top_k] == 1)).sum(axis=1)
    covered = np.count_nonzero(counts)
    return covered / max(n_items, 1), (covered - own) / max(n_items, 1)


def entropy(top_k: Lists, n_items: int) -> WithAndWithout:
    """Entropy of exposure in bits (popularity.entropy): log2 n - sum of c log2 c / n, n the sum of the counts c."""
    shown, counts = _shown(top_k, n_items)
    change = np.where(shown, (_c_log_c(counts - 1) - _c_log_c(counts))[top_k], 0).sum(axis=1)
    total, weighted = counts.sum(), _c_log_c(counts).sum()
    whole, without = (
        np.log2(np.maximum(n, 1)) - w / np.maximum(n, 1)
        for n, w in ((total, weighted), (total - shown.sum(axis=1), weighted + change))
    )
    return float(whole), np.asarray(without)


def entropy_norm(top_k: Lists, n_items: int) -> WithAndWithout:
    """The same over its largest value, log2 of the catalogue's size (popularity.entropy_norm)."""
    whole, without = entropy(top_k, n_items)
    largest = np.log2(max(n_items, 2))
    return whole / largest, without / largest


OF_COUNTS: dict[str, Callable[[Lists, int], WithAndWithout]] = {
    "gini": gini,
    "coverage": coverage,
    "entropy": entropy,
    "entropy_norm": entropy_norm,
}
"""Metrics of the counts of shown items: name to the metric with all users and without each."""

REACHED = frozenset({*OF_COUNTS, *OF_SUMS})
"""Names of the metrics of the whole set that have intervals."""


def _shown(top_k: Lists, n_items: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which places show an item, and in how many lists each item is."""
    shown = top_k >= 0
    return shown, np.bincount(top_k[shown], minlength=n_items)


def _repeats(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many equal values stand before each in its ascending row.

    >>> _repeats(np.array([[1, 4, 4, 4, 7]]))
    array([[0, 0, 1, 2, 0]])
    """
    place = np.broadcast_to(np.arange(rows.shape[1]), rows.shape)
    first = place.copy()
    first[:, 1:][rows[:, 1:] == rows[:, :-1]] = 0
    return np.asarray(place - np.maximum.accumulate(first, axis=1))


def _c_log_c(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(counts * np.log2(np.maximum(counts, 1)))
