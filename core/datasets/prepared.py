"""A prepared data set in memory: numbered, split, ready to be published; and the id that follows from it.

Here: the arrays, what is told about them, and the hash that is the data set's id.
Not here: how they come about (preparation.py, simulated.py), and files (store.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.ids import content_id

SPLITS = ("train", "validation", "test")  # append only: the position is part of a data set's id


@dataclass(frozen=True, slots=True)
class Description:
    """What is told about a data set beside its interactions; no part of its id."""

    name: str
    title: str
    source: str
    licence: str = ""
    citation: str = ""
    prepared_how: str = ""
    notes: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    simulated: bool = False
    imported: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Interactions numbered by sorted text id and split; each pair once, sorted by user, then item.

    user_ids (U,), item_ids (I,) pyarrow strings, ascending by UTF-8 bytes; users, items (n,) int32 numbers;
    splits (n,) int8, positions in SPLITS; ratings (n,) float64 and timestamps (n,) int64 where there are any.
    attributes: pyarrow columns of the items, (I,): title string, year int32, genres string.
    truth: arrays a simulation knows, by name; users' and items' rows aligned with the numbers.
    """

    about: Description
    user_ids: pa.Array
    item_ids: pa.Array
    users: NDArray[np.int32]
    items: NDArray[np.int32]
    splits: NDArray[np.int8]
    ratings: NDArray[np.float64] | None = None
    timestamps: NDArray[np.int64] | None = None
    attributes: Mapping[str, pa.Array] = field(default_factory=dict)
    truth: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The data set's id: see `interactions_id`."""
        return interactions_id(self.user_ids, self.item_ids, self.users, self.items, self.splits)

    def count(self, split: str) -> int:
        """Interactions in that split."""
        return int(np.count_nonzero(self.splits == SPLITS.index(split)))


def interactions_id(
    user_ids: pa.Array,
    item_ids: pa.Array,
    users: NDArray[np.int32],
    items: NDArray[np.int32],
    splits: NDArray[np.int8],
) -> str:
    """The id of interactions with their splits: equal data, equal id, from any source and in any order of rows.

    The arguments are `Prepared`'s, sorted by user, then item, so their order says nothing. Ratings, times and titles
    are left out.
    """
    digest = hashlib.sha256()
    for ids in (user_ids, item_ids):
        lengths = pc.binary_length(ids).to_numpy(zero_copy_only=False).astype("<i8")
        digest.update(len(ids).to_bytes(8, "little"))
        digest.update(lengths.tobytes())  # without them ["ab", "c"] and ["a", "bc"] would hash alike
        digest.update("".join(ids.to_pylist()).encode())
    for array, kind in ((users, "<i4"), (items, "<i4"), (splits, "<i1")):
        digest.update(np.ascontiguousarray(array, dtype=kind).data)
    return content_id({"interactions": digest.hexdigest()})
