"""Compiled loops of the ranking: the k best candidates of a user, and the AUC of a user's scores.

Here: kernels over plain arrays, one pass over a block of users. Not here: blocks, dtypes and names (ranking.py).
Importing this file imports numba, so nothing that pages or the command line read at start imports it. Each kernel has
one signature, and calls no kernel of another file.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.kernels import kernel

Scores = NDArray[np.float32]
Users = NDArray[np.int32]
Starts = NDArray[np.int64]
Items = NDArray[np.int32]

CANDIDATE, MASKED, POSITIVE = 0, 1, 2


@kernel("void(float32[:, ::1], int32[::1], int64[::1], int32[::1], int32[:, ::1], float32[:, ::1])")
def top_k_block(
    scores: Scores, users: Users, mask_indptr: Starts, mask_indices: Items, top_items: Items, top_scores: Scores
) -> None:
    """The k best candidates of each user of a block, best first; of equal scores the lower item number first.

    scores (B, I), users (B,); mask rows ascending; top_items (B, k) comes filled with -1, top_scores (B, k) with NaN.
    Scans the gaps between masked items and keeps a sorted list of k: an item enters only when it beats the last of a
    full list, which is rare after the first few hundred. A NaN score never enters.
    """
    k = top_items.shape[1]
    n_items = scores.shape[1]
    for row in range(scores.shape[0]):
        at, stop = mask_indptr[users[row]], mask_indptr[users[row] + 1]
        kept = 0
        bar = np.float32(-np.inf)
        start = 0
        while start < n_items:
            end = mask_indices[at] if at < stop else n_items
            for item in range(start, end):
                score = scores[row, item]
                if score > bar or (kept < k and not np.isnan(score)):
                    place = min(kept, k - 1)
                    while place > 0 and top_scores[row, place - 1] < score:
                        top_scores[row, place] = top_scores[row, place - 1]
                        top_items[row, place] = top_items[row, place - 1]
                        place -= 1
                    top_scores[row, place] = score
                    top_items[row, place] = item
                    kept = min(kept + 1, k)
                    if kept == k:
                        bar = top_scores[row, k - 1]
            start = end + 1
            at += 1


@kernel()
def _insert(ascending: NDArray[np.float32], n: int, score: np.float32) -> None:
    """Put `score` among the first n, ascending. By insertion: compiling np.sort would take a second at first start."""
    place = n
    while place > 0 and ascending[place - 1] > score:
        ascending[place] = ascending[place - 1]
        place -= 1
    ascending[place] = score


@kernel()
def _below_and_up_to(ascending: NDArray[np.float32], n: int, score: np.float32) -> tuple[int, int]:
    """How many of the first n are smaller than `score`, and how many are not larger."""
    low, high = 0, n
    while low < high:
        middle = (low + high) >> 1
        if ascending[middle] < score:
            low = middle + 1
        else:
            high = middle
    while high < n and ascending[high] == score:
        high += 1
    return low, high


@kernel("void(float32[:, ::1], int32[::1], int64[::1], int32[::1], int64[::1], int32[::1], float64[::1])")
def auc_block(
    scores: Scores,
    users: Users,
    mask_indptr: Starts,
    mask_indices: Items,
    held_indptr: Starts,
    held_indices: Items,
    auc: NDArray[np.float64],
) -> None:
    """AUC of each user of a block, into auc (B,): accuracy.auc for all of them, NaN where it is not defined.

    scores (B, I), users (B,); mask and held-out rows. A held-out item that is masked counts for nothing.
    One byte an item says what the item is to the user; O(I log P) a user with P held-out items, and P^2 / 4 moves.
    """
    n_items = scores.shape[1]
    role = np.zeros(n_items, np.uint8)
    positives = np.empty(n_items, np.float32)  # one user's scores, ascending
    for row in range(scores.shape[0]):
        masked = mask_indices[mask_indptr[users[row]] : mask_indptr[users[row] + 1]]
        held = held_indices[held_indptr[users[row]] : held_indptr[users[row] + 1]]
        for item in masked:
            role[item] = MASKED
        n_positives = 0
        for item in held:
            if role[item] != MASKED:
                role[item] = POSITIVE
                _insert(positives, n_positives, scores[row, item])
                n_positives += 1
        n_others, twice_won = 0, 0
        for item in range(n_items):
            if role[item] == CANDIDATE:
                below, up_to = _below_and_up_to(positives, n_positives, scores[row, item])
                twice_won += (n_positives - below) + (n_positives - up_to)  # a pair in order counts 2, a tie 1
                n_others += 1
        pairs = n_positives * n_others
        auc[row] = twice_won / (2 * pairs) if pairs > 0 else np.nan
        for item in masked:
            role[item] = CANDIDATE
        for item in held:
            role[item] = CANDIDATE
