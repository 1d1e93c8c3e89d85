"""Ranking: the k best items for each user, all items ranked, in blocks of users.

Here: blocks, dtypes and names around the kernels. Not here: the loops (_kernels.py), what lists are worth (measure.py).
Memory: one block of scores (`BLOCK_SCORES` numbers, or one user's where the catalogue is larger), and users x k.
Importing this file imports numba; core/kernels.py sets its cache folder before that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.evaluation import _kernels
from core.evaluation.accuracy import MAX_FPR
from core.evaluation.measure import Ranking

BLOCK_SCORES = 2**22
"""Scores held at a time: 16 MB. Smaller blocks cost a large catalogue more: its factors are read once a block."""


class Scorer(Protocol):
    """Anything that scores all items for some users."""

    @property
    def n_items(self) -> int:
        """Items of the catalogue."""

    def scores(self, users: NDArray[np.int32]) -> NDArray[np.float32]:
        """(B,) user numbers -> (B, I) float32, larger is better."""


def top_k(
    scorer: Scorer, users: NDArray[np.integer], mask: Interactions, k: int, held_out: Interactions | None = None
) -> Ranking:
    """The k best items of each user among those that `mask` does not hold, best first, ties to the lower item number.

    scorer: see Scorer; users (n,) user numbers; mask: what each user may not be shown (the train set).
    Returns lists of (n, k), padded with -1 and NaN where fewer than k candidates remain. Items that score NaN are never
    shown. With `held_out`, also what needs the scores of all candidates: AUC, partial AUC and the ranks of held-out
    items; else these are None.
    Raises ValueError where scorer, users and interactions cannot be of one data set.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    for interactions in (mask, held_out):
        _refuse_others(scorer, users, interactions)
    asked: NDArray[np.int32] = _plain(users, np.int32)
    items = np.full((len(users), k), -1, np.int32)
    top_scores = np.full((len(users), k), np.nan, np.float32)
    mask_rows = _rows(mask)
    stand = None if held_out is None else _Standing(held_out, len(users))
    for block, scores in _blocks(scorer, asked):
        _kernels.top_k_block(scores, asked[block], *mask_rows, items[block], top_scores[block])
        if stand is not None:
            stand.add(block, scores, asked[block], mask_rows)
    if stand is None:
        return Ranking(asked, items, top_scores, None)
    return Ranking(asked, items, top_scores, stand.auc, stand.partial_auc, stand.mean_ranks())


class _Standing:
    """Where held-out items stand among the candidates, gathered block by block: memory linear in users and items."""

    def __init__(self, held_out: Interactions, n_users: int):
        self._held_rows = _rows(held_out)
        self.auc, self.partial_auc = np.full(n_users, np.nan), np.full(n_users, np.nan)
        self._rank_sums, self._n_ranked = np.zeros(held_out.n_items), np.zeros(held_out.n_items, np.int64)

    def add(
        self,
        block: slice,
        scores: NDArray[np.float32],
        users: NDArray[np.int32],
        mask_rows: tuple[NDArray[np.int64], NDArray[np.int32]],
    ) -> None:
        _kernels.held_out_block(
            scores, users, *mask_rows, *self._held_rows, MAX_FPR,
            self.auc[block], self.partial_auc[block], self._rank_sums, self._n_ranked,
        )  # fmt: skip

    def mean_ranks(self) -> NDArray[np.float64]:
        """(I,), NaN for an item that nobody holds out."""
        return np.where(self._n_ranked > 0, self._rank_sums / np.maximum(self._n_ranked, 1), np.nan)


def _refuse_others(scorer: Scorer, users: NDArray[np.integer], interactions: Interactions | None) -> None:
    """Interactions of another data set would be read beyond their end: kernels check no bounds."""
    if interactions is None:
        return
    if interactions.n_items != scorer.n_items:
        raise ValueError(f"the scorer knows {scorer.n_items} items, the interactions {interactions.n_items}")
    if len(users) and not 0 <= users.min() <= users.max() < interactions.n_users:
        raise ValueError(f"users must be numbers below {interactions.n_users}")


def _blocks(scorer: Scorer, users: NDArray[np.int32]) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    size = max(1, BLOCK_SCORES // max(scorer.n_items, 1))
    for start in range(0, len(users), size):
        block = slice(start, start + size)
        yield block, _plain(scorer.scores(users[block]), np.float32)


def _rows(interactions: Interactions) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    return _plain(interactions.indptr, np.int64), _plain(interactions.indices, np.int32)


def _plain(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Contiguous, writable and of the kernel's dtype: it takes nothing else. Copies only what is not."""
    return np.require(array, dtype, ["C", "W"])
