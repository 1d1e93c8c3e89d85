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
def _has(items: Items, item: int) -> bool:
    """Is the item among these, ascending? By binary search."""
    at = np.searchsorted(items, item)
    return bool(at < len(items) and items[at] == item)


@kernel()
def _twice_beaten(scores: NDArray[np.float32], score: np.float32) -> np.int32:
    """Twice the number of scores below `score`, plus the number that equal it; fewer than 2^30 scores.

    Counted in int32 and by index: that becomes vector instructions. With int64, or looping over the scores themselves,
    it takes seven times as long.
    """
    beaten = np.int32(0)
    for at in range(len(scores)):
        beaten += np.int32(scores[at] < score) + np.int32(scores[at] <= score)
    return beaten


@kernel(
    "void(float32[:, ::1], int32[::1], int64[::1], int32[::1], int64[::1], int32[::1], float64[::1])", allocates=True
)
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

    scores (B, I), users (B,); mask and held-out rows, ascending. A held-out item that is masked counts for nothing.
    Each held-out item is compared with the whole catalogue, then what is no candidate is taken back: a straight pass
    over the scores is so fast that sorting them, or searching in sorted ones, takes many times as long.
    """
    n_items = scores.shape[1]
    for row in range(scores.shape[0]):
        masked = mask_indices[mask_indptr[users[row]] : mask_indptr[users[row] + 1]]
        held = held_indices[held_indptr[users[row]] : held_indptr[users[row] + 1]]
        positives = np.empty(len(held), np.float32)
        n_positives = 0
        for item in held:
            if not _has(masked, item):
                positives[n_positives] = scores[row, item]
                n_positives += 1
        positives = positives[:n_positives]
        trained = np.empty(len(masked), np.float32)
        for at, item in enumerate(masked):
            trained[at] = scores[row, item]
        twice_won = np.int64(0)
        for score in positives:
            twice_won += _twice_beaten(scores[row], score)
            twice_won -= _twice_beaten(trained, score) + _twice_beaten(positives, score)
        pairs = n_positives * (n_items - len(masked) - n_positives)
        auc[row] = twice_won / (2 * pairs) if pairs > 0 else np.nan
