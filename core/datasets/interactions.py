"""Interactions as a compressed sparse matrix: which items each user took.

Here: the one in-memory form of user-item pairs that models and evaluation work on.
Not here: ids, titles, times (store.py), and files (readers/).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """Users x items as sorted rows. Memory grows with the number of pairs, never with users x items.

    indptr (U+1,) int64, indices (nnz,) int32: user u took `indices[indptr[u]:indptr[u+1]]`, ascending, each once.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    n_items: int
    repeats: NDArray[np.int64] | None = None
    """(nnz,) how often each pair is in a bootstrap sample of the pairs, 0 for those left out; None where each is there
    once. Who took what stays as it is: only what is trained on and counted changes."""

    @classmethod
    def from_pairs(
        cls, users: NDArray[np.integer], items: NDArray[np.integer], n_users: int, n_items: int
    ) -> Interactions:
        """Pairs in any order, repeated ones kept once. users, items: (n,) numbers from 0."""
        keys = _distinct(users.astype(np.int64) * n_items + items)
        rows, columns = np.divmod(keys, max(n_items, 1))
        indptr = np.zeros(n_users + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=n_users), out=indptr[1:])
        return cls(indptr, columns.astype(np.int32), n_items)

    @property
    def n_users(self) -> int:
        """Users, with or without a pair."""
        return len(self.indptr) - 1

    def __len__(self) -> int:
        return len(self.indices)

    def row(self, user: int) -> NDArray[np.int32]:
        """The items of one user, ascending (a view)."""
        return self.indices[self.indptr[user] : self.indptr[user + 1]]

    def users(self) -> NDArray[np.int32]:
        """The user of each pair, (nnz,), aligned with `indices`."""
        return np.repeat(np.arange(self.n_users, dtype=np.int32), self.lengths())

    def lengths(self) -> NDArray[np.int64]:
        """Items per user, (U,)."""
        return np.diff(self.indptr)

    def has(self, users: NDArray[np.integer], items: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of those pairs are here: (n,) bool. users, items: (n,) numbers."""
        own = self.users().astype(np.int64) * self.n_items + self.indices
        return np.isin(users.astype(np.int64) * self.n_items + items, own)

    def popularity(self) -> NDArray[np.int64]:
        """Users per item, (I,); of a sample, pairs per item with their repeats."""
        if self.repeats is None:
            return np.bincount(self.indices, minlength=self.n_items)
        return np.bincount(self.indices, self.repeats, self.n_items).astype(np.int64)

    def resampled(self, stream: np.random.Generator) -> Interactions:
        """A bootstrap sample: as many pairs, drawn with replacement, each told by how often it came."""
        drawn = stream.integers(0, max(len(self), 1), len(self))
        return replace(self, repeats=np.bincount(drawn, minlength=len(self)).astype(np.int64))

    def trained(self) -> NDArray[np.int64]:
        """The numbers of the pairs that are trained on, ascending, each as often as it is in the sample."""
        numbers = np.arange(len(self))
        return numbers if self.repeats is None else np.repeat(numbers, self.repeats)

    def merged(self, other: Interactions) -> Interactions:
        """The pairs of both."""
        return Interactions.from_pairs(
            np.concatenate([self.users(), other.users()]),
            np.concatenate([self.indices, other.indices]),
            self.n_users,
            self.n_items,
        )


def _distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """As np.unique, which hashes whole numbers since numpy 2.3: ten times as slow for 800,000 pairs nearly in order."""
    found = np.sort(keys)
    new = np.ones(len(found), np.bool_)
    np.not_equal(found[1:], found[:-1], out=new[1:])
    return found[new]
