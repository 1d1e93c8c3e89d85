"""Small worlds for the tests of evaluation: who took what, what a model scores, and brute-force definitions."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from core.datasets.interactions import Interactions

NOTHING, TRAINED, HELD_OUT = 0, 1, 2


@dataclass(frozen=True)
class Table:
    """A scorer that looks its scores up: (U, I) float32."""

    values: NDArray[np.float32]

    @property
    def n_items(self) -> int:
        return self.values.shape[1]

    def scores(self, users: NDArray[np.int32]) -> NDArray[np.float32]:
        return self.values[users]


@dataclass(frozen=True)
class World:
    """kind (U, I): nothing, trained on, or held out; scores (U, I) with many ties."""

    kind: NDArray[np.int64]
    scores: NDArray[np.float32]

    @property
    def scorer(self) -> Table:
        return Table(self.scores)

    @property
    def train(self) -> Interactions:
        return where(self.kind == TRAINED)

    @property
    def held_out(self) -> Interactions:
        return where(self.kind == HELD_OUT)

    def of_users(self, order: NDArray[np.int64]) -> "World":
        return World(self.kind[order], self.scores[order])


def where(taken: NDArray[np.bool_]) -> Interactions:
    """Interactions from a (U, I) table, for tests only: the product never holds one."""
    return Interactions.from_pairs(*np.nonzero(taken), *taken.shape)


def rows(*items: list[int], n_items: int) -> Interactions:
    """Interactions from each user's items."""
    users = np.repeat(np.arange(len(items)), [len(row) for row in items])
    return Interactions.from_pairs(users, np.array([i for row in items for i in row], np.int64), len(items), n_items)


@st.composite
def worlds(draw: st.DrawFn, max_users: int = 6, max_items: int = 30) -> World:
    """Worlds with users without train or held-out items, items nobody took, and equal scores."""
    shape = draw(st.tuples(st.integers(1, max_users), st.integers(1, max_items)))
    kind = draw(arrays(np.int64, shape, elements=st.sampled_from([NOTHING, NOTHING, TRAINED, HELD_OUT])))
    scores = draw(arrays(np.float32, shape, elements=st.integers(-3, 3).map(float)))
    return World(kind, scores)
