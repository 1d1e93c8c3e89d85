"""A published split of a data set that may not be passed on: which rows are test, one bit a row, and nothing else.

Where a licence forbids redistribution, the data come from their owner, and only the membership is kept here: the rows
sorted by user, then item, both as numbers, a bit each, set for test. The bits fit one set of pairs, whose digest is
kept beside them.
Here: reading such a mask and laying it on rows. Not here: how it was made (tools/make_split_mask.py).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.datasets.raw import Raw
from core.datasets.readers.columns import Ids
from core.errors import BadInput

MASKS = Path(__file__).parent / "masks"


@dataclass(frozen=True, slots=True)
class Mask:
    """Which rows of one known set of pairs are held out for test."""

    file: str
    """The bits, numpy.packbits of (n,) bool, in the folder `masks`."""
    rows: int
    pairs: str
    """The digest of the pairs it belongs to (`numbered_pairs`)."""
    of: str
    """What those pairs are, for a refusal."""

    def hold_out(self, raw: Raw) -> Raw:
        """The same rows, `held_out` as the mask says. Raises BadInput for any other pairs than its own."""
        order, digest = numbered_pairs(raw) or (np.arange(0), "")
        if digest != self.pairs:
            raise BadInput(
                raw.name,
                f"its {len(raw):,} pairs of user and item are not the {self.rows:,} of {self.of}, and this split says "
                "of each of those, and of no other, whether it is test",
                f"Take {self.of} as its owner has it.",
            )
        held_out = np.empty(self.rows, bool)
        held_out[order] = self.bits()
        return replace(raw, held_out=held_out)

    def bits(self) -> NDArray[np.bool_]:
        """Is it test, (rows,) bool, in the order of numeric user and item."""
        packed = np.frombuffer((MASKS / self.file).read_bytes(), np.uint8)
        return np.unpackbits(packed, count=self.rows).astype(bool)


def numbered_pairs(raw: Raw) -> tuple[NDArray[np.int64], str] | None:
    """The positions of the rows by user, then item, both as numbers, (n,), and sha256 of the pairs in that order.

    Hashed are all users, then all items, 8 bytes a number, the least byte first. None where an id is no whole number.
    """
    users, items = _as_integers(raw.users), _as_integers(raw.items)
    if users is None or items is None:
        return None
    order = np.lexsort((items, users))
    return order, hashlib.sha256(b"".join(n[order].astype("<i8").tobytes() for n in (users, items))).hexdigest()


def _as_integers(ids: Ids) -> NDArray[np.int64] | None:
    """The ids of the rows as numbers, (n,); None where one is no number, or is written "007", which is another id."""
    try:
        numbers = pc.cast(ids.texts, pa.int64())
    except pa.ArrowInvalid:
        return None
    if not pc.cast(numbers, pa.string()).equals(ids.texts):
        return None
    found: NDArray[np.int64] = numbers.to_numpy(zero_copy_only=False)[ids.numbers]
    return found
