"""Compiled loops of the ranking: the k best candidates of a user, and where the held-out ones stand.

Here: kernels over plain arrays, one pass over a block of users. Not here: blocks, dtypes and names (ranking.py).
Importing this file imports numba, so nothing that pages or the command line read at start imports it. Each kernel has
one signature, and calls no kernel of another file.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.kernels import Scalar, kernel

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
def _not_above(scores: NDArray[np.float32], score: np.float32) -> tuple[np.int32, np.int32]:
    """How many scores are below `score`, and how many are below or equal to it; fewer than 2^31 scores.

    Counted in int32 and by index: that becomes vector instructions. With int64, or looping over the scores themselves,
    it takes seven times as long.
    """
    below, not_above = np.int32(0), np.int32(0)
    for at in range(len(scores)):
        below += np.int32(scores[at] < score)
        not_above += np.int32(scores[at] <= score)
    return below, not_above


@kernel()
def _width(budget: Scalar, above: Scalar, tied: Scalar) -> Scalar:
    """The part of the first `budget` negatives, best first, over which a positive is found: ROC's area, ties sloping.

    above, tied: negatives that score above the positive, and equal to it.
    """
    if budget <= above:
        return 0.0
    if budget >= above + tied:
        return budget - above - tied / 2
    return (budget - above) ** 2 / (2 * tied)


@kernel(
    "void(float32[:, ::1], int32[::1], int64[::1], int32[::1], int64[::1], int32[::1], float64,"
    " float64[::1], float64[::1], float64[::1], int64[::1])",
    allocates=True,
)
def held_out_block(
    scores: Scores,
    users: Users,
    mask_indptr: Starts,
    mask_indices: Items,
    held_indptr: Starts,
    held_indices: Items,
    max_fpr: float,
    auc: NDArray[np.float64],
    partial_auc: NDArray[np.float64],
    rank_sums: NDArray[np.float64],
    n_ranked: NDArray[np.int64],
) -> None:
    """Where the held-out items of a block of users stand among their candidates: AUC, partial AUC, ranks by item.

    scores (B, I), users (B,); mask and held-out rows, ascending; max_fpr in (0, 1]. Into auc and partial_auc (B,):
    accuracy.auc and accuracy.partial_auc for all users, NaN where they are not defined. Added to rank_sums and n_ranked
    (I,): each held-out item's rank among all its user's candidates (1 is the best, ties their mean), and 1.
    A held-out item that is masked counts for nothing. Each held-out item is compared with the whole catalogue, then
    what is no candidate is taken back: a straight pass over the scores is so fast that sorting them, or searching in
    sorted ones, takes many times as long.
    """
    n_items = scores.shape[1]
    for row in range(scores.shape[0]):
        masked = mask_indices[mask_indptr[users[row]] : mask_indptr[users[row] + 1]]
        held = held_indices[held_indptr[users[row]] : held_indptr[users[row] + 1]]
        positives, items = np.empty(len(held), np.float32), np.empty(len(held), np.int32)
        n_positives = 0
        for item in held:
            if not _has(masked, item):
                positives[n_positives] = scores[row, item]
                items[n_positives] = item
                n_positives += 1
        positives = positives[:n_positives]
        trained = np.empty(len(masked), np.float32)
        for at, item in enumerate(masked):
            trained[at] = scores[row, item]
        n_candidates = n_items - len(masked)
        n_others = n_candidates - n_positives
        budget = max_fpr * n_others
        twice_won, area = np.int64(0), 0.0
        for at, score in enumerate(positives):
            below, not_above = _not_above(scores[row], score)
            trained_below, trained_not_above = _not_above(trained, score)
            below -= trained_below
            not_above -= trained_not_above
            rank_sums[items[at]] += n_candidates - not_above + (not_above - below + 1) / 2
            n_ranked[items[at]] += 1
            positives_below, positives_not_above = _not_above(positives, score)
            below -= positives_below
            not_above -= positives_not_above
            twice_won += below + not_above
            area += _width(budget, n_others - not_above, not_above - below)
        pairs = n_positives * n_others
        auc[row] = twice_won / (2 * pairs) if pairs > 0 else np.nan
        partial_auc[row] = area / (n_positives * budget) if pairs > 0 else np.nan
