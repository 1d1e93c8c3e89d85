r"""Accuracy: do the lists hold what users took? One value a user; the mean over users is taken in measure.py.

Here: pure functions of `is_hit` (U, k) bool (the item at each rank is among the user's held-out items) and `n_test`
(U,) int (held-out items of the user, |T|; at least 1 for every evaluated user). Not here: how lists are made
(ranking.py), and AUC's compiled loop (_kernels.py; `auc` and `partial_auc` here are its definition for one user).
A list shorter than k is padded with misses: an empty rank counts as a wrong one, so divisors stay k.
Each returns (U,) float64 in [0, 1], higher is better; a user with `n_test` 0 gets 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Counts = NDArray[np.integer]
PerUser = NDArray[np.float64]

MAX_FPR = 0.1
"""How far partial AUC looks: to the tenth of the other candidates that score highest."""


def precision(is_hit: Flags) -> PerUser:
    """Precision@k = |R & T| / k: the share of the list that the user took. In [0, 1], higher is better.

    is_hit (U, k) bool. Returns (U,) float64. Short lists: still divided by k (as RecTools).

    >>> precision(np.array([[True, False, True, False]]))
    array([0.5])
    """
    return np.asarray(is_hit.mean(axis=1), np.float64)


def recall(is_hit: Flags, n_test: Counts) -> PerUser:
    """Recall@k = |R & T| / |T|: the share of the held-out items that the list holds. In [0, 1], higher is better.

    is_hit (U, k) bool, n_test (U,) int. Returns (U,) float64; nothing held out: 0. Divided by |T| even where |T| > k
    (as RecBole and ranx; some code divides by min(k, |T|)).

    >>> recall(np.array([[True, False, True, False]]), np.array([8]))
    array([0.25])
    """
    return np.asarray(is_hit.sum(axis=1) / np.maximum(n_test, 1), np.float64)


def f1(is_hit: Flags, n_test: Counts) -> PerUser:
    """F1@k = 2 |R & T| / (k + |T|): the harmonic mean of precision and recall. In [0, 1], higher is better.

    is_hit (U, k) bool, n_test (U,) int. Returns (U,) float64; no hit: 0. Per user, then averaged (some code takes the
    harmonic mean of the two averages, which is another number).

    >>> f1(np.array([[True, False, True, False]]), np.array([4]))
    array([0.5])
    """
    return np.asarray(2 * is_hit.sum(axis=1) / (is_hit.shape[1] + n_test), np.float64)


def hit_rate(is_hit: Flags) -> PerUser:
    """HitRate@k = [R & T is not empty]: 1 where the list holds anything that the user took. 0 or 1, higher is better.

    is_hit (U, k) bool. Returns (U,) float64; empty list: 0.

    >>> hit_rate(np.array([[False, True], [False, False]]))
    array([1., 0.])
    """
    return np.asarray(is_hit.any(axis=1), np.float64)


def ndcg(is_hit: Flags, n_test: Counts) -> PerUser:
    """NDCG@k = sum_r hit_r / log2(r + 1), divided by the same of the best list. In [0, 1], higher is better.

    is_hit (U, k) bool, n_test (U,) int. Returns (U,) float64; nothing held out: 0. Binary gains; the best list has
    min(k, |T|) hits at the top. Jarvelin and Kekalainen, TOIS 20(4), 2002, with the log2 discount of the field's
    libraries.

    >>> ndcg(np.array([[False, True]]), np.array([1])).round(4)  # (1 / log2(3)) / (1 / log2(2))
    array([0.6309])
    """
    discounts = 1 / np.log2(np.arange(2, is_hit.shape[1] + 2))
    ideal = np.concatenate([[1.0], np.cumsum(discounts)])  # ideal[0] stands for "nothing held out": 0 / 1
    return np.asarray(is_hit @ discounts / ideal[np.minimum(n_test, is_hit.shape[1])], np.float64)


def average_precision(is_hit: Flags, n_test: Counts) -> PerUser:
    """AP@k = sum_r hit_r precision@r / min(k, |T|); its mean over users is MAP@k. In [0, 1], higher is better.

    is_hit (U, k) bool, n_test (U,) int. Returns (U,) float64; nothing held out: 0. Divided by min(k, |T|), so that a
    perfect list reaches 1 (as RecBole; ranx and RecTools divide by |T|).

    >>> average_precision(np.array([[True, False, True]]), np.array([2])).round(4)  # (1/1 + 2/3) / 2
    array([0.8333])
    """
    k = is_hit.shape[1]
    precision_at = np.cumsum(is_hit, axis=1) / np.arange(1, k + 1)
    return np.asarray((precision_at * is_hit).sum(axis=1) / np.maximum(np.minimum(n_test, k), 1), np.float64)


def reciprocal_rank(is_hit: Flags) -> PerUser:
    """RR@k = 1 / rank of the first hit; its mean over users is MRR@k. In [0, 1], higher is better.

    is_hit (U, k) bool. Returns (U,) float64; no hit in the list: 0.

    >>> reciprocal_rank(np.array([[False, True, True], [False, False, False]]))
    array([0.5, 0. ])
    """
    return np.where(is_hit.any(axis=1), 1 / (is_hit.argmax(axis=1) + 1), 0.0)


def auc(positives: NDArray[np.floating], others: NDArray[np.floating]) -> float:
    """AUC = P(score of a held-out item > score of another candidate) + P(equal) / 2. In [0, 1], higher is better.

    positives (P,), others (N,): one user's scores of held-out items and of all other candidates (items neither trained
    on nor held out). Returns a float; NaN where either is empty, and such a user is left out of the mean. The rank
    statistic of Mann and Whitney, ties 1/2; users weigh the same, where RecBole's GAUC weighs them by P. This is the
    definition; `_kernels.held_out_block` computes it for all users.

    >>> auc(np.array([2.0, 1.0]), np.array([1.0, 0.0]))  # 1, 1, 1/2, 1
    0.875
    """
    if len(positives) == 0 or len(others) == 0:
        return float("nan")
    difference = positives[:, None] - others
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())


def partial_auc(positives: NDArray[np.floating], others: NDArray[np.floating], max_fpr: float = MAX_FPR) -> float:
    """Partial AUC: the area under ROC up to a false-positive rate of .1, over .1. In [0, 1], higher is better.

    Only the tenth of the other candidates that scores highest counts: P(a held-out item scores above one of them).
    positives (P,), others (N,): as in `auc`. Returns a float; NaN where either is empty, and such a user is left out of
    the mean. ROC is drawn by straight lines, so that ties count 1/2 and a tenth that is no whole number of items cuts
    the last one; guessing gives .05. One-way partial AUC (Dodd and Pepe, Biometrics 59(3), 2003) over its width, as in
    Shi et al., WWW 2023; scikit-learn's `max_fpr` shifts and scales it (McClish) so that guessing gives .5.

    >>> partial_auc(np.array([2.0, 0.5]), np.array([3.0, 1, 1, 0, 0]), 0.4)  # of 3 and 1, the 2 beats one, 0.5 none
    0.25
    """
    if len(positives) == 0 or len(others) == 0:
        return float("nan")
    budget = max_fpr * len(others)
    above = (others > positives[:, None]).sum(axis=1)
    tied = (others == positives[:, None]).sum(axis=1)
    into = np.clip(budget - above, 0, tied)  # how far the budget reaches into the tied ones, then past them
    area = into**2 / (2 * np.maximum(tied, 1)) + np.maximum(budget - above - tied, 0)
    return float(area.sum() / (len(positives) * budget))
