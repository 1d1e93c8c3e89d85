"""Parity between groups of items: has a hot item the same chance to be shown as a cold one?

Here: PopREO, PopRSP and PRI. The first two are functions of counts summed over users, hot first, cold second; their
`_sums` give each user's summands, so that weights @ summands are the counts of weighted users.
Not here: which items are hot (groups.py), the ranks of held-out items (ranking.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.evaluation.ratios import ratio

Items = NDArray[np.integer]
Flags = NDArray[np.bool_]
Counts = NDArray[np.integer]
Sums = NDArray[np.floating]


def reo_sums(top_k: Items, is_hit: Flags, is_hot: Flags, n_test_hot: Counts, n_test_cold: Counts) -> NDArray[np.int64]:
    """Each user's part in PopREO: hits among hot and cold items, held-out hot and cold items. (U, 4) int64.

    top_k (U, k) int, is_hit (U, k) bool, is_hot (I,) bool, n_test_hot and n_test_cold (U,) int.
    """
    hot_hits = (is_hot[top_k] & is_hit).sum(axis=1)
    return np.stack([hot_hits, is_hit.sum(axis=1) - hot_hits, n_test_hot, n_test_cold], axis=1)


def rsp_sums(top_k: Items, is_hot: Flags, n_candidates: Counts) -> NDArray[np.int64]:
    """Each user's part in PopRSP: hot and cold items shown, hot and cold candidates. (U, 4) int64.

    top_k (U, k) int, is_hot (I,) bool, n_candidates (U, 2) int: how many hot and cold items the user may be shown.
    """
    shown = top_k >= 0
    hot_shown = (is_hot[top_k] & shown).sum(axis=1)
    return np.column_stack([hot_shown, shown.sum(axis=1) - hot_shown, n_candidates])


def relative_spread(sums: Sums) -> NDArray[np.float64]:
    """std / mean (ddof 0) over hot and cold of P_g = shown_g / all_g. In [0, 1], lower is better.

    PopREO where sums (..., 4) are those of `reo_sums` over users: P_g = P(shown | group, in test), the ranking-based
    equal opportunity. PopRSP where they are those of `rsp_sums`: P_g = P(shown | group, not in train), the
    ranking-based statistical parity. 0: both groups have the same chance; 1: one has none.
    Returns (...) float64; NaN where a group has nothing below the line, or neither group has anything above it.
    Zhu et al., SIGIR 2020 ("Measuring and Mitigating Item Under-Recommendation Bias"), over hot and cold as in Elliot:
    counts are summed over users before they are divided.

    >>> relative_spread(np.array([[3, 1, 4, 4]]))  # 3/4 and 1/4: 0.25 / 0.5
    array([0.5])
    """
    hot, cold = (ratio(sums[..., group], sums[..., 2 + group]) for group in (0, 1))
    return ratio(np.abs(hot - cold), hot + cold)  # of two numbers std is half the difference, and half the sum the mean


def pri(popularity: Counts, mean_ranks: NDArray[np.float64]) -> float:
    """PRI = -Spearman(popularity, mean rank), over items that somebody holds out. In [-1, 1]; lower is less bias.

    Among users who took an item, how high does it stand? 1: the more popular, the higher, always; 0, which is fair:
    popularity does not matter; below 0: the less popular, the higher.
    popularity (I,) int; mean_ranks (I,) mean rank of the item among all candidates of the users who hold it out (1 is
    the best), NaN where nobody does. Returns a float; fewer than two such items, or all alike on one side: NaN.
    Popularity-rank correlation for items, Zhu et al., WSDM 2021. Equal values share their mean rank.

    >>> pri(np.array([9, 5, 1, 7]), np.array([1.0, 4.0, 8.0, np.nan]))
    1.0
    """
    ranked = ~np.isnan(mean_ranks)
    # rounded: means of the same ranks, summed in another order, are equal
    x, y = _mean_places(popularity[ranked]), _mean_places(np.round(mean_ranks[ranked], 9))
    x, y = x - x.mean() if len(x) else x, y - y.mean() if len(y) else y
    norm = np.sqrt((x @ x) * (y @ y))
    return float(np.clip(-(x @ y) / norm, -1, 1)) if norm > 0 else float("nan")


def _mean_places(values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Each value's place in ascending order, from 1; equal ones share the mean of theirs."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    places: NDArray[np.float64] = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(places[which])
