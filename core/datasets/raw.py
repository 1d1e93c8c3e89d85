"""Interactions as a file has them: rows with text ids, before any is checked against another.

Here: from a file to such rows, and a test file put beside a train file. Not here: filters and splits (preparation.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.datasets.readers import FORMATS, find_format
from core.datasets.readers.blob import Blob, open_blob
from core.datasets.readers.columns import Column, Ids, as_ids, as_numbers, as_times, find_column
from core.errors import BadInput
from core.settings import Settings

Times = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns are called. None: guessed from the usual names; "" for rating or time: there is none."""

    user: str | None = None
    item: str | None = None
    rating: str | None = None
    time: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """What was found out about a file: its format, its columns, and which of them have which role."""

    format: str
    names: tuple[str, ...]
    roles: dict[str, int]
    """Role ("user", "item", "rating", "time") -> position in `names`."""

    def name(self, role: str) -> str | None:
        """What the column with that role is called."""
        return self.names[self.roles[role]] if role in self.roles else None


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """n rows as read, ids numbered by sorted text; ratings (n,) and times (n,) where the file has them.

    held_out (n,) bool: the row comes from a separate test file; None without one.
    """

    name: str
    users: Ids
    items: Ids
    ratings: NDArray[np.float64] | None = None
    times: Times | None = None
    held_out: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.users.numbers)


def find_layout(blob: Blob, format: str | None, columns: Columns, require: bool = True) -> tuple[Blob, Layout]:
    """Format and columns, as asked for or told from the content; and the blob, checked for that format.

    require: refuse columns that are missing or there twice. Raises BadInput (that, or no text), Unknown (the format).
    """
    blob, name = find_format(blob, format)
    names = FORMATS[name].columns(blob)
    asked = {"user": columns.user, "item": columns.item, "rating": columns.rating, "time": columns.time}
    if not FORMATS[name].header:  # nobody names the columns of a file that does not
        asked = {role: "" if given == "" else None for role, given in asked.items()}
    found = {role: _position(names, role, given, blob.name, require) for role, given in asked.items()}
    if require and found["user"] == found["item"]:
        problem = f"column {names[found['user'] or 0]!r} cannot hold both users and items"
        raise BadInput(blob.name, problem, "Name another one: --user-col or --item-col.")
    return blob, Layout(name, names, {role: at for role, at in found.items() if at is not None})


def _position(names: tuple[str, ...], role: str, asked: str | None, where: str, require: bool) -> int | None:
    try:
        return find_column(names, role, asked, where, f"--{role}-col", required=role in {"user", "item"})
    except BadInput:
        if require:
            raise
        return None


def read_interactions(
    path: Path,
    settings: Settings,
    columns: Columns,
    format: str | None = None,
    name: str | None = None,
) -> tuple[Raw, Layout]:
    """The rows of a file, and what was found out about it. name: what messages call it. Raises BadInput, Unknown."""
    blob, layout = find_layout(open_blob(path, settings, name), format, columns)
    table = FORMATS[layout.format].read(blob, sorted(set(layout.roles.values())))
    place = row_places(blob, layout.format, len(table))

    def column(role: str) -> Column:
        position = layout.roles[role]
        return Column(blob.name, layout.names[position], table.column(str(position)), place)

    raw = Raw(
        name=blob.name,
        users=as_ids(column("user")),
        items=as_ids(column("item")),
        ratings=as_numbers(column("rating")) if "rating" in layout.roles else None,
        times=as_times(column("time")) if "time" in layout.roles else None,
    )
    return raw, layout


def row_places(blob: Blob, format: str, rows: int) -> Callable[[int], str]:
    """How to say where a row stands in a file of that format."""
    if format in {"parquet", "lightgcn"}:  # no lines, or several rows on one
        return lambda row: f"row {row + 1}"
    return lambda row: blob.place(row, rows, FORMATS[format].header)


def with_test(train: Raw, test: Raw) -> Raw:
    """Both files' rows over common ids, those of `test` held out. Ratings and times stay if both files have them."""
    users, items = _common(train.users, test.users), _common(train.items, test.items)
    both_rated = train.ratings is not None and test.ratings is not None
    both_timed = train.times is not None and test.times is not None
    return Raw(
        name=train.name,
        users=users,
        items=items,
        ratings=np.concatenate([train.ratings, test.ratings]) if both_rated else None,
        times=np.concatenate([train.times, test.times]) if both_timed else None,
        held_out=np.repeat([False, True], [len(train), len(test)]),
    )


def _common(first: Ids, second: Ids) -> Ids:
    """One numbering for both."""
    texts = pc.unique(pa.concat_arrays([first.texts, second.texts]))
    texts = texts.take(pc.array_sort_indices(texts))
    numbers = [pc.index_in(ids.texts, texts).to_numpy().astype(np.int32)[ids.numbers] for ids in (first, second)]
    return Ids(np.concatenate(numbers), texts)
