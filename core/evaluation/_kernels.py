"""Compiled loops of the ranking: the k best candidates of a user, and the AUC of a user's scores.

Here: kernels over plain arrays, one pass over a block of users. Not here: blocks and names (ranking.py).
Importing this file imports numba, so nothing that pages or the command line read imports it at start.
Every argument has one dtype (ranking.py sees to it), so that each kernel compiles once. No kernel of another file
is called from here: an edit there would leave the cached code here stale.
"""

from __future__ import annotations

import numpy as np
from numba import njit

CANDIDATE, MASKED, POSITIVE = 0, 1, 2


@njit(cache=True)
def top_k_block(scores, users, mask_indptr, mask_indices, items_out, scores_out):  # type: ignore[no-untyped-def]
    """The k best candidates of each user of a block, best first; of equal scores the lower item number first.

    scores (B, I) float32, users (B,) int32, mask rows int64/int32 ascending; items_out (B, k) int32 filled with -1,
    scores_out (B, k) float32 filled with NaN. Scans the gaps between masked items and keeps a sorted list of k: an item
    enters only when it beats the last of the list, which is rare after the first few hundred. A NaN score never enters.
    """
    k = items_out.shape[1]
    for row in range(scores.shape[0]):
        n_kept = 0
        bar = -np.inf
        start = 0
        at, stop = mask_indptr[users[row]], mask_indptr[users[row] + 1]
        while start < scores.shape[1]:
            gap_end = scores.shape[1] if at >= stop else mask_indices[at]
            for item in range(start, gap_end):
                score = scores[row, item]
                if score > bar or (n_kept < k and score == score):  # noqa: PLR0124 (false for NaN only)
                    place = min(n_kept, k - 1)
                    while place > 0 and scores_out[row, place - 1] < score:
                        scores_out[row, place] = scores_out[row, place - 1]
                        items_out[row, place] = items_out[row, place - 1]
                        place -= 1
                    scores_out[row, place] = score
                    items_out[row, place] = item
                    n_kept = min(n_kept + 1, k)
                    if n_kept == k:
                        bar = scores_out[row, k - 1]
            start = gap_end + 1
            at += 1


@njit(cache=True)
def auc_block(scores, users, mask_indptr, mask_indices, held_indptr, held_indices, auc_out):  # type: ignore[no-untyped-def]
    """AUC of each user of a block: the share of (held-out, other candidate) pairs in the right order, ties counting 1/2.

    scores (B, I) float32, users (B,) int32, both index pairs int64/int32; auc_out (B,) float64. NaN where a user has no
    held-out item or no other candidate. One mark array of a byte an item; O(I log positives) a user.
    """
    n_items = scores.shape[1]
    role = np.zeros(n_items, np.uint8)
    for row in range(scores.shape[0]):
        masked = mask_indices[mask_indptr[users[row]] : mask_indptr[users[row] + 1]]
        held = held_indices[held_indptr[users[row]] : held_indptr[users[row] + 1]]
        for item in held:
            role[item] = POSITIVE
        for item in masked:
            role[item] = MASKED
        positives = np.empty(len(held), np.float32)
        n_positives = 0
        for item in held:
            if role[item] == POSITIVE:
                positives[n_positives] = scores[row, item]
                n_positives += 1
        positives = np.sort(positives[:n_positives])
        n_others, twice_won = 0, 0
        for item in range(n_items):
            if role[item] != CANDIDATE:
                continue
            score = scores[row, item]
            low, high = 0, n_positives
            while low < high:
                middle = (low + high) >> 1
                if positives[middle] < score:
                    low = middle + 1
                else:
                    high = middle
            while high < n_positives and positives[high] == score:
                high += 1
            twice_won += 2 * (n_positives - high) + (high - low)
            n_others += 1
        n_pairs = n_positives * n_others
        auc_out[row] = twice_won / (2.0 * n_pairs) if n_pairs > 0 else np.nan
        for item in held:
            role[item] = CANDIDATE
        for item in masked:
            role[item] = CANDIDATE
