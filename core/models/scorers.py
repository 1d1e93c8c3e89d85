"""Scorers: what a trained run is, when all that is asked of it is a score for every user and item.

Here: the forms there are, and their arrays for an artefact.
Not here: files (jobs/artifacts.py), ranking (evaluation/).
A new form is one class and one line in `from_tensors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[Any]]


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
        bits = _mixed(start + cells * np.uint64(0x9E3779B97F4A7C15))
        return (bits >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """`random`: seed, users, items."""
        return {"random": np.array([self.seed, self.n_users, self.n_items], np.int64)}


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64's output function."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def from_tensors(tensors: Tensors) -> Scorer:
    """The scorer whose `tensors` these are. Raises KeyError if they are nobody's."""
    if "random" in tensors:
        return RandomScores(*(int(n) for n in tensors["random"]))
    if "item_gate" in tensors:
        gates = tensors["user_gate"], tensors["item_gate"]
        return GatedFactors(tensors["users"], tensors["items"], *gates, float(tensors["c"][0]))
    return Factors(tensors["users"], tensors["items"])
