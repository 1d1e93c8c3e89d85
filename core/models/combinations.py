"""Every combination of the building modules: what refuses it, what trains it, and a few that stand for all.

Here: the cells of the table (encoder, sampler, loss, updater, optimizer), and a covering set of them for the tests.
Not here: the rules that refuse (rules.py), and what a choice is (choices.py). docs/methods.md's matrix is made of it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from core.errors import BadVariant
from core.models.defaults import Key, searched
from core.models.fields import MODULE_TABLES, engine_of
from core.models.variant import make_variant

WAYS_OUT: tuple[Mapping[str, str], ...] = ({}, {"sam": "off"})
"""Settings beyond the modules under which a combination may have a meaning: the usual ones, then what rules name."""

Pair = frozenset[tuple[str, str]]
"""A choice of each of two modules: {("sampler", "dns"), ("loss", "bc")}."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of the building modules."""

    encoder: str
    sampler: str
    loss: str
    updater: str
    optimizer: str

    @property
    def modules(self) -> dict[str, str]:
        """The five modules' names, as arguments of `make_variant`."""
        return {name: getattr(self, name) for name in MODULE_TABLES}

    @property
    def refusal(self) -> str | None:
        """The sentence that refuses these modules at their usual settings, as everywhere; None if nothing does."""
        return _refusal(self, 0)

    @property
    def settings(self) -> Mapping[str, str] | None:
        """What must be set for it to have a meaning: mostly {}; None where nothing gives it one."""
        return next((way for n, way in enumerate(WAYS_OUT) if _refusal(self, n) is None), None)

    @property
    def choices(self) -> dict[str, str]:
        """The arguments of `make_variant`: the modules, and `settings`."""
        return {**self.modules, **(self.settings or {})}

    @property
    def engine(self) -> str:
        """What trains it: "compiled" or "autograd"."""
        return engine_of(self.modules)

    @property
    def row(self) -> Key:
        """The searched combination whose default settings it takes."""
        return searched(self.encoder, self.sampler, self.loss, self.updater, self.optimizer)

    @property
    def pairs(self) -> frozenset[Pair]:
        """Its choices, two at a time."""
        return frozenset(map(frozenset, itertools.combinations(self.modules.items(), 2)))


@cache
def _refusal(cell: Cell, way: int) -> str | None:
    try:
        make_variant("any", **cell.modules, **WAYS_OUT[way])
    except BadVariant as error:
        return " ".join(error.reasons)
    return None


@cache
def _cells() -> tuple[Cell, ...]:
    return tuple(Cell(*names) for names in itertools.product(*MODULE_TABLES.values()))


def cells() -> list[Cell]:
    """Every combination, refused or not, in the order of the tables; the encoder varies slowest."""
    return list(_cells())


def trainable() -> list[Cell]:
    """Those that have a meaning: `make_variant(dataset, **cell.choices)` gives a variant."""
    return [cell for cell in _cells() if cell.settings is not None]


def pairwise(among: Iterable[Cell] | None = None) -> list[Cell]:
    """A few cells in which every two choices that occur together in `among` (default: `trainable()`) still do.

    Greedy: always the cell with most pairs that are not covered yet; of equal ones that whose pairs were taken least
    often, so that no encoder or optimizer stands for all; then the first. The same every time. 48 is the least that
    six samplers and eight losses allow.
    """
    left = trainable() if among is None else list(among)
    uncovered = set[Pair]().union(*(cell.pairs for cell in left))
    taken: Counter[Pair] = Counter()
    chosen: list[Cell] = []
    while uncovered:
        best = max(left, key=lambda cell: (len(cell.pairs & uncovered), -sum(taken[pair] for pair in cell.pairs)))
        chosen.append(best)
        taken.update(best.pairs)
        uncovered -= best.pairs
    return chosen
