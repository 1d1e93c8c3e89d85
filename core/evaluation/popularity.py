"""Popularity bias and reach of lists: who and what the lists leave out.

Here: pure functions of `top_k` (U, k) int item numbers, -1 where a list is shorter than k, and of facts about items
(`is_hot` (I,) bool, `popularity` (I,) int, both counted on what the model was trained on). Per-user functions return
(U,) float64; `gini`, `coverage`, `entropy` and `exposure` describe the whole set of lists, from counts that may be
weighted sums over users.
Not here: which items are hot (groups.py), accuracy (accuracy.py), lists against profiles (calibration.py), groups of
items against each other (parity.py).
R is a user's list, T the held-out items. A share with nothing below the line is 0 for the six measures of the AUC-NS
paper (arXiv 2306.01348, whose code adds 1e-8 to the divisor instead); a mean over the items of an empty list is NaN,
and such a user is left out of the mean over users.
"""

from __future__ import annotations

from math import log2

import numpy as np
from numpy.typing import NDArray

from core.evaluation.groups import N_DECILES

Items = NDArray[np.integer]
Flags = NDArray[np.bool_]
Counts = NDArray[np.integer]
Amounts = NDArray[np.integer] | NDArray[np.floating]
"""Counts, or sums over weighted users."""
PerUser = NDArray[np.float64]


def over_recommended(top_k: Items, is_hit: Flags, of_group: Flags) -> PerUser:
    """OHR (group = hot) or OCR (cold) = |group in R, not in T| / |group in R|. In [0, 1], lower is better.

    Of the group's items shown to a user, the share the user did not take.
    top_k (U, k) int, is_hit (U, k) bool, of_group (I,) bool. Returns (U,) float64; none of the group shown: 0.
    arXiv 2306.01348.

    >>> over_recommended(np.array([[0, 1, 2]]), np.array([[True, False, False]]), np.array([True, True, False]))
    array([0.5])
    """
    shown = _flagged(top_k, of_group)
    return _share((shown & ~is_hit).sum(axis=1), shown.sum(axis=1))


def under_recommended(top_k: Items, is_hit: Flags, of_group: Flags, n_test_of_group: Counts) -> PerUser:
    """UHR (group = hot) or UCR (cold) = |group in T, not in R| / |group in T|. In [0, 1], lower is better.

    Of the group's items that a user took, the share the list misses.
    top_k (U, k) int, is_hit (U, k) bool, of_group (I,) bool, n_test_of_group (U,) int. Returns (U,) float64; none of
    the group taken: 0. arXiv 2306.01348.

    >>> hot = np.array([True, True, False])
    >>> under_recommended(np.array([[0, 2]]), np.array([[True, False]]), hot, np.array([2]))  # took 0 and 1, shown 0
    array([0.5])
    """
    found = (_flagged(top_k, of_group) & is_hit).sum(axis=1)
    return _share(n_test_of_group - found, n_test_of_group)


def false_positive_rate(is_hit: Flags) -> PerUser:
    """FPR = |R not in T| / k = 1 - precision. In [0, 1], lower is better.

    is_hit (U, k) bool. Returns (U,) float64; an empty rank counts as wrong, as in precision. The paper's name
    (arXiv 2306.01348); in statistics a false-positive rate is divided by the negatives instead.

    >>> false_positive_rate(np.array([[True, False, False, False]]))
    array([0.75])
    """
    return np.asarray(1 - is_hit.mean(axis=1), np.float64)


def false_negative_rate(is_hit: Flags, n_test: Counts) -> PerUser:
    """FNR = |T not in R| / |T| = 1 - recall. In [0, 1], lower is better.

    is_hit (U, k) bool, n_test (U,) int. Returns (U,) float64; nothing held out: 0. arXiv 2306.01348.

    >>> false_negative_rate(np.array([[True, False, False, False]]), np.array([2]))
    array([0.5])
    """
    return _share(n_test - is_hit.sum(axis=1), n_test)


def mean_popularity(top_k: Items, popularity: Counts) -> PerUser:
    """Mean popularity of a list, in interactions per item; its mean over users is ARP. At least 0, lower is less bias.

    top_k (U, k) int, popularity (I,) int. Returns (U,) float64; empty list: NaN. A short list is divided by its own
    length. Yin et al., VLDB 2012 (average recommendation popularity); an item never seen in train has popularity 0.

    >>> mean_popularity(np.array([[0, 1], [1, -1]]), np.array([10, 4]))
    array([7., 4.])
    """
    return _mean_shown(top_k, popularity)


def cold_count(top_k: Items, is_hot: Flags) -> PerUser:
    """Number of cold items in a list; its mean over users is ACLT. In [0, k], higher is better.

    top_k (U, k) int, is_hot (I,) bool. Returns (U,) float64; empty list: 0. Abdollahpouri et al., FLAIRS 2019.

    >>> cold_count(np.array([[0, 1, 2]]), np.array([True, False, False]))
    array([2.])
    """
    return np.asarray(_flagged(top_k, ~is_hot).sum(axis=1), np.float64)


def cold_share(top_k: Items, is_hot: Flags) -> PerUser:
    """Share of a list that is cold; its mean over users is APLT. In [0, 1], higher is better.

    top_k (U, k) int, is_hot (I,) bool. Returns (U,) float64; empty list: NaN. A short list is divided by its length.
    Abdollahpouri et al., FLAIRS 2019; RecBole's TailPercentage is near, but never counts items unseen in train as cold.

    >>> cold_share(np.array([[0, 1, 2, 3]]), np.array([True, False, True, True]))
    array([0.25])
    """
    return _mean_shown(top_k, ~is_hot)


def novelty(top_k: Items, popularity: Counts, n_users: int) -> PerUser:
    """Mean of -log2(max(popularity, 1) / n_users) over a list, in bits. In [0, log2 n_users], higher is better.

    top_k (U, k) int, popularity (I,) int counted over n_users users. Returns (U,) float64; empty list: NaN.
    Mean self-information (Zhou et al., PNAS 2010), RecTools' MIUF; an item never seen in train counts as seen once.

    >>> novelty(np.array([[0, 1]]), np.array([8, 2]), 8)  # (0 + 2) / 2
    array([1.])
    """
    return _mean_shown(top_k, np.log2(n_users) - np.log2(np.maximum(popularity, 1)))


def recommendation_counts(
    top_k: Items, n_items: int, weights: NDArray[np.floating] | None = None
) -> NDArray[np.int64] | NDArray[np.float64]:
    """In how many lists each item is. top_k (U, k) int; returns (I,) int64.

    With weights (U,), how much each list counts, (I,) float64.

    >>> recommendation_counts(np.array([[0, 2], [2, -1]]), 4)
    array([1, 0, 2, 0])
    >>> recommendation_counts(np.array([[0, 2], [2, -1]]), 4, np.array([0.5, 3]))
    array([0.5, 0. , 3.5, 0. ])
    """
    shown = top_k >= 0
    if weights is None:
        return np.bincount(top_k[shown], minlength=n_items)
    return np.bincount(top_k[shown], np.repeat(weights, shown.sum(axis=1)), n_items)


def gini(counts: Amounts) -> float:
    """Gini index = sum_i (2 i - n - 1) c_(i) / (n sum c), c_(1) <= ... <= c_(n). In [0, 1 - 1/n], lower is better.

    How unequally the catalogue is shown: 0 where every item is in equally many lists.
    counts (I,) of the whole catalogue, never-shown items included. Returns a float; nothing shown: 0. Divided by n, as
    RecBole and LensKit; Elliot reports one minus it, over n - 1.

    >>> gini(np.array([0, 0, 0, 8]))
    0.75
    """
    n, total = len(counts), counts.sum()
    if total == 0:
        return 0.0
    return float((2 * np.arange(1, n + 1) - n - 1) @ np.sort(counts) / (n * total))


def coverage(counts: Amounts) -> float:
    """Coverage = |items in at least one list| / |catalogue|. In [0, 1], higher is better.

    counts (I,) lists per item. Returns a float; no items: 0. Ge et al., RecSys 2010 (catalogue coverage).

    >>> coverage(np.array([3, 0, 1, 0]))
    0.5
    """
    return float(np.count_nonzero(counts) / max(len(counts), 1))


def entropy(counts: Amounts) -> float:
    """Entropy of exposure = -sum_i p_i log2 p_i, p_i = c_i / sum c, in bits. In [0, log2 I], higher is better.

    How spread out the recommendations are: 2 to this power is the number of items that, shown equally often, would be
    as spread out. counts (I,) lists per item. Returns a float; nothing shown: 0. Shannon, 1948; RecBole's
    ShannonEntropy takes the natural logarithm and divides by the number of items shown at all: not followed.

    >>> entropy(np.array([2, 1, 1, 0]))
    1.5
    """
    shown = counts[counts > 0] / max(counts.sum(), 1e-300)
    return abs(float(-(shown * np.log2(shown)).sum()))  # abs: no -0.0 where one item fills every list


def entropy_norm(counts: Amounts) -> float:
    """Entropy of exposure / log2 I: 1 where all of the catalogue is shown equally often. In [0, 1], higher is better.

    counts (I,) lists per item of the whole catalogue. Returns a float; nothing shown, or a catalogue of one item: 0.
    Pielou's evenness (J. Theor. Biol. 13, 1966), over the whole catalogue rather than over the items shown.

    >>> entropy_norm(np.array([2, 1, 1, 0]))
    0.75
    """
    return min(entropy(counts) / log2(len(counts)), 1.0) if len(counts) > 1 else 0.0


def exposure(counts: Amounts, decile: NDArray[np.integer]) -> NDArray[np.float64]:
    """Share of the recommendation slots that each popularity decile gets, least popular first; sums to 1.

    counts (I,) lists per item, decile (I,) int 1..10 (groups.py). Returns (10,) float64 in [0, 1]; nothing shown: 0.
    To be read against the deciles' shares of the interactions: neither direction is better by itself.

    >>> exposure(np.array([1, 3]), np.array([9, 10]))
    array([0.  , 0.  , 0.  , 0.  , 0.  , 0.  , 0.  , 0.  , 0.25, 0.75])
    """
    by_decile = np.bincount(decile, weights=counts, minlength=N_DECILES + 1)[1:]
    return np.asarray(by_decile / (counts.sum() or 1), np.float64)


def _flagged(top_k: Items, flags: Flags) -> Flags:
    """Which ranks show a flagged item; an empty rank shows none. (U, k) bool."""
    return flags[top_k] & (top_k >= 0)


def _share(part: Counts, whole: Counts) -> PerUser:
    return np.asarray(part / np.maximum(whole, 1), np.float64)


def _mean_shown(top_k: Items, value: NDArray[np.generic]) -> PerUser:
    """Mean of the shown items' values, NaN for an empty list. (U,) float64."""
    shown = top_k >= 0
    n_shown = shown.sum(axis=1)
    total = np.where(shown, value[top_k], 0).sum(axis=1, dtype=np.float64)
    return np.where(n_shown > 0, total / np.maximum(n_shown, 1), np.nan)
