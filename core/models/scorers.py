"""Scorers: what a trained run is, when all that is asked of it is a score for every user and item.

Here: the forms there are, and their arrays for an artefact.
Not here: files (jobs/artifacts.py), ranking (evaluation/), how a form comes about (engines/, baselines.py).
A new form is one class and one row in FORMS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.datasets.interactions import Interactions

if TYPE_CHECKING:  # whoever lists results never waits for it
    from scipy.sparse import csr_array

Tensors = Mapping[str, NDArray[Any]]

LARGEST = float(np.finfo(np.float32).max)


class Scorer(Protocol):
    """Scores of users for all items; a higher score is shown earlier."""

    @property
    def n_items(self) -> int:
        """Items of the catalogue."""

    def scores(self, users: NDArray[np.integer]) -> NDArray[np.float32]:
        """users (B,) numbers. Returns (B, n_items) float32."""

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The arrays it is made of: `from_tensors` gives an equal scorer back."""


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """A score is the dot product of a user's and an item's embedding.

    users (U, d) float32, items (I, d) float32.
    """

    users: NDArray[np.float32]
    items: NDArray[np.float32]

    @property
    def n_items(self) -> int:
        """Items of the catalogue."""
        return len(self.items)

    def scores(self, users: NDArray[np.integer]) -> NDArray[np.float32]:
        """users (B,). Returns (B, I) float32."""
        product: NDArray[np.float32] = self.users[users] @ self.items.T
        return product

    def tensors(self) -> dict[str, NDArray[Any]]:
        """`users` and `items`."""
        return {"users": self.users, "items": self.items}


def scores_are_numbers(users: NDArray[np.float32], items: NDArray[np.float32]) -> bool:
    """Is the score of every user and item sure to be a finite float32? Told by the largest components, without scoring.

    users (U, d), items (I, d). Finite embeddings are not enough: their products overflow long before they do.
    """
    largest = [float(np.abs(table).max(initial=0)) for table in (users, items)]  # NaN if one component is
    return bool(users.shape[1] * largest[0] * largest[1] < LARGEST)


@dataclass(frozen=True, slots=True, eq=False)
class GatedFactors:
    """MACR's score: what a user's and an item's embedding agree on, less c, times what each is worth by itself.

    users (U, d), items (I, d) float32; user_gate (U,), item_gate (I,) float32 in (0, 1), the sigmoids of the linear
    heads; c, the reference score. (x_ui - c) user_gate_u item_gate_i: the rule Wei et al., KDD 2021, rank by.
    """

    users: NDArray[np.float32]
    items: NDArray[np.float32]
    user_gate: NDArray[np.float32]
    item_gate: NDArray[np.float32]
    c: float

    @property
    def n_items(self) -> int:
        """Items of the catalogue."""
        return len(self.items)

    def scores(self, users: NDArray[np.integer]) -> NDArray[np.float32]:
        """users (B,). Returns (B, I) float32."""
        product: NDArray[np.float32] = self.users[users] @ self.items.T
        product -= np.float32(self.c)
        product *= self.user_gate[users, None]
        product *= self.item_gate
        return product

    def tensors(self) -> dict[str, NDArray[Any]]:
        """`users`, `items`, `user_gate`, `item_gate`, and `c` (1,) float64."""
        return {
            "users": self.users,
            "items": self.items,
            "user_gate": self.user_gate,
            "item_gate": self.item_gate,
            "c": np.array([self.c]),
        }


@dataclass(frozen=True, slots=True)
class RandomScores:
    """Uniform scores in [0, 1) that only seed, user and item decide: nothing of users x items is stored.

    The score is splitmix64 of a counter (Steele, Lea, Flood, OOPSLA 2014), the upper 24 bits of it.
    """

    seed: int
    n_users: int
    n_items: int

    def scores(self, users: NDArray[np.integer]) -> NDArray[np.float32]:
        """users (B,). Returns (B, I) float32."""
        start = np.random.SeedSequence(self.seed).generate_state(1, np.uint64)[0]
        rows: NDArray[np.uint64] = users.astype(np.uint64)[:, None] * np.uint64(self.n_items)
        cells: NDArray[np.uint64] = rows + np.arange(self.n_items, dtype=np.uint64)[None, :]
        bits = mixed(start + cells * np.uint64(0x9E3779B97F4A7C15))
        return (bits >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """`random`: seed, users, items."""
        return {"random": np.array([self.seed, self.n_users, self.n_items], np.int64)}


def mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64's output function (Steele, Lea, Flood, OOPSLA 2014): bits that look random, from any whole numbers."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


@dataclass(frozen=True, slots=True, eq=False)
class ItemWeights:
    """A score is the sum of an item's weights from the items that the user took, every pair of items having one.

    taken: what users took, as far as the weights were fitted to it; weights (I, I) float32, from row to column.
    Memory grows with items x items: whoever makes one sees first that it fits (memory.py).
    """

    taken: Interactions
    weights: NDArray[np.float32]

    @property
    def n_items(self) -> int:
        """Items of the catalogue."""
        return len(self.weights)

    def scores(self, users: NDArray[np.integer]) -> NDArray[np.float32]:
        """users (B,). Returns (B, I) float32."""
        found: NDArray[np.float32] = _rows(self.taken, users) @ self.weights
        return found

    def tensors(self) -> dict[str, NDArray[Any]]:
        """`weights`, and `taken_indptr` and `taken_indices` of the interactions."""
        return {"weights": self.weights, **_taken_tensors(self.taken)}


@dataclass(frozen=True, slots=True, eq=False)
class ItemNeighbours:
    """The same sum, where an item has weights to its few neighbours only.

    Item j's neighbours are `neighbours[starts[j]:starts[j + 1]]`, ascending, their similarities beside them.
    taken: what users took; starts (I + 1,) int64, neighbours (n,) int32, similarities (n,) float32.
    """

    taken: Interactions
    starts: NDArray[np.int64]
    neighbours: NDArray[np.int32]
    similarities: NDArray[np.float32]

    @property
    def n_items(self) -> int:
        """Items of the catalogue."""
        return len(self.starts) - 1

    def scores(self, users: NDArray[np.integer]) -> NDArray[np.float32]:
        """users (B,). Returns (B, I) float32."""
        from scipy.sparse import csr_array

        square = (self.n_items, self.n_items)
        weights = csr_array((self.similarities, self.neighbours, self.starts), shape=square)
        found: NDArray[np.float32] = (_rows(self.taken, users) @ weights).toarray()
        return found

    def tensors(self) -> dict[str, NDArray[Any]]:
        """`starts`, `neighbours`, `similarities`, and `taken_indptr` and `taken_indices` of the interactions."""
        return {
            "starts": self.starts,
            "neighbours": self.neighbours,
            "similarities": self.similarities,
            **_taken_tensors(self.taken),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Penalised:
    """Another scorer's scores, less what an item's popularity costs it.

    score - strength * (standard deviation of the user's scores over all items) * log(1 + popularity of the item): in
    units of the user's own spread, one strength means the same to scorers of every scale, and log(1 + 0) = 0.
    popularity (I,) int64: users who took the item, counted on what the scorer was trained on.
    """

    scorer: Scorer
    popularity: NDArray[np.int64]
    strength: float

    @property
    def n_items(self) -> int:
        """Items of the catalogue."""
        return len(self.popularity)

    def scores(self, users: NDArray[np.integer]) -> NDArray[np.float32]:
        """users (B,). Returns (B, I) float32."""
        scores = self.scorer.scores(users)
        spread = scores.std(axis=1, dtype=np.float64)  # squares of float32 scores may overflow float32
        cost: NDArray[np.float32] = np.log1p(self.popularity).astype(np.float32) * np.float32(self.strength)
        penalised: NDArray[np.float32] = scores - spread.astype(np.float32)[:, None] * cost
        return penalised

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The scorer's, with `penalised_popularity` and `penalty_strength` (1,) float64."""
        own = {"penalised_popularity": self.popularity, "penalty_strength": np.array([self.strength])}
        return {**self.scorer.tensors(), **own}


def penalised(scorer: Scorer, popularity: NDArray[np.int64], strength: float) -> Scorer:
    """The scorer with a penalty of that strength, whatever penalty it had; itself without one at strength 0."""
    plain = scorer.scorer if isinstance(scorer, Penalised) else scorer
    return Penalised(plain, popularity, strength) if strength else plain


def _rows(taken: Interactions, users: NDArray[np.integer]) -> csr_array:
    """What some users took, as a sparse matrix of ones: (B, I) float32."""
    from scipy.sparse import csr_array

    ones = np.ones(len(taken), np.float32)
    return csr_array((ones, taken.indices, taken.indptr), shape=(taken.n_users, taken.n_items))[users]


def _taken_tensors(taken: Interactions) -> dict[str, NDArray[Any]]:
    return {"taken_indptr": taken.indptr, "taken_indices": taken.indices}


def _taken(tensors: Tensors, n_items: int) -> Interactions:
    return Interactions(tensors["taken_indptr"], tensors["taken_indices"], n_items)


# --- back from arrays


def _random(t: Tensors) -> RandomScores:
    return RandomScores(*(int(n) for n in t["random"]))


def _gated(t: Tensors) -> GatedFactors:
    return GatedFactors(t["users"], t["items"], t["user_gate"], t["item_gate"], float(t["c"][0]))


def _item_weights(t: Tensors) -> ItemWeights:
    return ItemWeights(_taken(t, len(t["weights"])), t["weights"])


def _item_neighbours(t: Tensors) -> ItemNeighbours:
    return ItemNeighbours(_taken(t, len(t["starts"]) - 1), t["starts"], t["neighbours"], t["similarities"])


def _penalised(t: Tensors) -> Penalised:
    own = {"penalised_popularity", "penalty_strength"}
    scorer = from_tensors({name: array for name, array in t.items() if name not in own})
    return Penalised(scorer, t["penalised_popularity"], float(t["penalty_strength"][0]))


FORMS: dict[str, Callable[[Tensors], Scorer]] = {
    "penalty_strength": _penalised,  # first: it wraps another form, whose arrays stand beside its own
    "random": _random,
    "item_gate": _gated,
    "weights": _item_weights,
    "similarities": _item_neighbours,
    "users": lambda t: Factors(t["users"], t["items"]),
}
"""The array that tells a form, and how it is made of its arrays. The first that is there decides."""


def from_tensors(tensors: Tensors) -> Scorer:
    """The scorer whose `tensors` these are. Raises KeyError if they are nobody's."""
    form = next((make for name, make in FORMS.items() if name in tensors), None)
    if form is None:
        raise KeyError(f"no form of scorer is made of {', '.join(sorted(tensors))}")
    return form(tensors)
