"""The fixed triples that the bias-variance analysis looks at: a user, a held-out item, an item the user never touched.

Here: how they are drawn, and by how much a scorer prefers the first item. Not here: what is computed of that
(decomposition.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.datasets.interactions import Interactions

if TYPE_CHECKING:  # compiles kernels on import
    from core.evaluation.ranking import Scorer

BLOCK_SCORES = 2**22
"""Scores held at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Triples:
    """users, positives, negatives (T,) int32: who, the item held out, the item never touched; users ascending."""

    users: NDArray[np.int32]
    positives: NDArray[np.int32]
    negatives: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.users)


def fixed_triples(held_out: Interactions, touched: Interactions, each: int, seed: int) -> Triples:
    """For every held-out pair, `each` items that the user never touched, uniform, with replacement.

    touched: all the user's interactions, held-out ones included. A user who touched every item has no triple. The same
    arguments give the same triples, whatever is compared on them.
    """
    users = np.repeat(held_out.users(), each)
    positives = np.repeat(held_out.indices, each)
    lengths = touched.lengths()[users]
    possible = lengths < touched.n_items
    users, positives, lengths = users[possible], positives[possible], lengths[possible]
    place = np.random.default_rng([seed, 2306]).integers(0, touched.n_items - lengths)
    return Triples(users, positives, _untouched(touched, users, place))


def _untouched(touched: Interactions, users: NDArray[np.int32], place: NDArray[np.int64]) -> NDArray[np.int32]:
    """The place-th item, counted from 0, that each user never touched: by binary search among the gaps of its row.

    Before the k-th touched item there are row[k] - k untouched ones, a number that never falls along the row.
    """
    before = touched.indices - (np.arange(len(touched)) - touched.indptr[touched.users()])
    keys = touched.users().astype(np.int64) * (touched.n_items + 1) + before
    asked = users.astype(np.int64) * (touched.n_items + 1) + place
    passed = np.searchsorted(keys, asked, side="right") - touched.indptr[users]
    return (place + passed).astype(np.int32)


def margins(scorer: Scorer, n_items: int, triples: Triples) -> NDArray[np.float32]:
    """The score of each triple's first item less that of its second, (T,) float32. Memory: a block of users' scores."""
    found = np.empty(len(triples), np.float32)
    users, starts = np.unique(triples.users, return_index=True)
    ends = np.append(starts[1:], len(triples))
    size = max(1, BLOCK_SCORES // max(n_items, 1))
    for first in range(0, len(users), size):
        block = users[first : first + size]
        part = slice(starts[first], ends[min(first + size, len(users)) - 1])
        row = np.searchsorted(block, triples.users[part])
        scores = scorer.scores(block)
        found[part] = scores[row, triples.positives[part]] - scores[row, triples.negatives[part]]
    return found
