"""SAM pairs: negatives from both sides of a positive's popularity. Boratto, Fenu, Marras 2021.

Here: the draw. Not here: the loss that asks for it (objectives.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.datasets.interactions import Interactions

WINDOW = 0.1  # of the catalogue: how many ranks of popularity above or below a positive its negative may stand
TRIES = 16  # draws inside the window before a negative is drawn from the whole catalogue


class SamPairs:
    """Draws for each pair an item that the user has not taken, in turn more and less popular than the positive.

    The ranks above (below) the positive's, WINDOW of the catalogue of them, are drawn from uniformly. Where the window
    is empty, or the user has taken what TRIES draws found there, the negative is uniform over all they have not taken.
    """

    def __init__(self, fitted: Interactions, stream: np.random.Generator):
        self._fitted, self._stream = fitted, stream
        self._keys = fitted.users().astype(np.int64) * fitted.n_items + fitted.indices
        self._by_rank = np.argsort(fitted.popularity(), kind="stable").astype(np.int32)
        self._rank = np.empty(fitted.n_items, np.int64)
        self._rank[self._by_rank] = np.arange(fitted.n_items)
        self._width = max(1, round(WINDOW * fitted.n_items))

    def draw(self, users: NDArray[np.int32], items: NDArray[np.int32], first: int) -> NDArray[np.int32]:
        """users, items (B,): the pairs; first: the place of the first one in the epoch, which decides whose turn it is.

        Returns (B,) int32; -1 for a user who took every item.
        """
        more_popular = (first + np.arange(len(users))) % 2 == 0
        rank = self._rank[items]
        low = np.where(more_popular, rank + 1, np.maximum(rank - self._width, 0))
        high = np.where(more_popular, np.minimum(rank + 1 + self._width, self._fitted.n_items), rank)
        negatives = np.full(len(users), -1, np.int32)
        self._fill(negatives, np.flatnonzero(high > low), users, low, high)
        free = self._fitted.lengths()[users] < self._fitted.n_items
        whole = np.zeros_like(low), np.full_like(high, self._fitted.n_items)
        while len(left := np.flatnonzero((negatives < 0) & free)):
            self._fill(negatives, left, users, *whole)
        return negatives

    def _fill(
        self,
        negatives: NDArray[np.int32],
        left: NDArray[np.int64],
        users: NDArray[np.int32],
        low: NDArray[np.int64],
        high: NDArray[np.int64],
    ) -> None:
        """Draw for the pairs `left`, from the ranks low to high - 1, until TRIES are used up."""
        for _ in range(TRIES):
            if len(left) == 0:
                return
            found = self._by_rank[self._stream.integers(low[left], high[left])]
            fresh = ~self._taken(users[left], found)
            negatives[left[fresh]] = found[fresh]
            left = left[~fresh]

    def _taken(self, users: NDArray[np.int32], items: NDArray[np.int32]) -> NDArray[np.bool_]:
        asked = users.astype(np.int64) * self._fitted.n_items + items
        at = np.minimum(np.searchsorted(self._keys, asked), len(self._keys) - 1)
        taken: NDArray[np.bool_] = self._keys[at] == asked
        return taken
