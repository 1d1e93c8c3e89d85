"""What the columns of a table mean, and how their cells become ids, ratings and times.

An id is text, never inferred: `007`, `7` and `-5` are three. Here: the roles and the conversions, each refusal with
its row. Not here: the bytes (blob.py), and what is done with the rows (core/datasets/preparation.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.errors import BadInput

ROLES: dict[str, tuple[str, ...]] = {
    "user": ("user", "userid", "uid", "customer", "customerid", "reviewer", "reviewerid", "visitor", "visitorid"),
    "item": (
        "item", "itemid", "iid", "movie", "movieid", "product", "productid", "asin", "book", "bookid", "article",
        "articleid", "track", "trackid", "song", "songid", "artist", "artistid", "business", "businessid",
    ),
    "rating": ("rating", "ratings", "score", "stars"),
    "time": ("timestamp", "time", "date", "datetime", "unixtime"),
    "title": ("title", "movietitle", "name", "itemname", "productname"),
    "year": ("year", "releaseyear"),
    "genres": ("genres", "genre", "class", "categories", "category"),
}  # fmt: skip
"""Column names that are taken for a role when none is given, letters and digits only, in order of preference."""

_REFUSED = ("", "nan", "null")  # an id of only these letters, in any case, is a missing value
_EXACT = 2.0**53  # whole floats beyond this stand for several integers
_CANNOT = (pa.ArrowInvalid, pa.ArrowNotImplementedError)
_MEND_MISSING = "Give every row an id, or remove the row."
_MEND_TYPE = "Write ids as text or whole numbers."
_NO_IDS = pa.array([], pa.string()).dictionary_encode()


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The cells of one column of a file, and how to say where one of them stands."""

    file: str
    name: str
    cells: pa.ChunkedArray
    place: Callable[[int], str]
    """Row n, from 0, in words: "line 7"."""

    def refusal(self, row: int, problem: str, mend: str) -> BadInput:
        """The refusal of one cell."""
        return BadInput(f"{self.file}, {self.place(row)}, column {self.name!r}", problem, mend)

    def bad_cell(self, row: int, what: str, mend: str) -> BadInput:
        """The refusal of a cell that is not `what`."""
        return self.refusal(row, f"{str(self.cells[row].as_py())[:40]!r} is not {what}", mend)


@dataclass(frozen=True, slots=True, eq=False)
class Ids:
    """A column of ids. numbers (n,) int32 point into texts, distinct and ascending by UTF-8 bytes."""

    numbers: NDArray[np.int32]
    texts: pa.StringArray


def find_column(
    names: Sequence[str], role: str, asked: str | None, where: str, option: str, required: bool
) -> int | None:
    """The position of the column with that role: the one asked for, or one that is usually called so.

    asked: a name, None to guess, "" for none. Raises BadInput where it is missing or there twice.
    """
    if asked == "" and not required:
        return None
    if asked:
        found = [n for n, name in enumerate(names) if name == asked]
    else:
        plain = ["".join(c for c in name.lower() if c.isalnum()) for name in names]
        found = next(([n for n, p in enumerate(plain) if p == usual] for usual in ROLES[role] if usual in plain), [])
    if len(found) > 1:
        raise BadInput(where, f"column {names[found[0]]!r} is there {len(found)} times", "Rename or remove one.")
    if not found and (required or asked):
        raise BadInput(
            where, f"there is no column {asked or role!r} (there are: {_listed(names)})", f"Name it: {option}."
        )
    return found[0] if found else None


def as_ids(column: Column) -> Ids:
    """Text ids of a column of text or whole numbers. Raises BadInput with the row of the first cell that is none."""
    if column.cells.null_count:
        row = _first(pc.is_null(column.cells))
        raise column.refusal(row, "the id is missing", _MEND_MISSING)
    encoded = pa.concat_arrays(_encodable(column).unify_dictionaries().chunks or [_NO_IDS])
    texts = encoded.dictionary.cast(pa.string())
    _refuse_bad_ids(column, texts, encoded.indices)
    order = pc.array_sort_indices(texts)
    rank = np.empty(len(texts), np.int32)
    rank[order.to_numpy()] = np.arange(len(texts), dtype=np.int32)
    return Ids(rank[encoded.indices.to_numpy()], texts.take(order))


def as_numbers(column: Column) -> NDArray[np.float64]:
    """Finite numbers, (n,) float64. Raises BadInput with the row of the first cell that is none."""
    mend = "Write it as a plain number, or import without this column."
    values = _converted(column, _text_cast(pa.float64()), "a number", mend)
    numbers: NDArray[np.float64] = values.to_numpy()
    if not np.isfinite(numbers).all():
        raise column.bad_cell(int(np.argmin(np.isfinite(numbers))), "a number", mend)
    return numbers


def as_times(column: Column) -> NDArray[np.int64] | NDArray[np.float64]:
    """Times, (n,): numbers in the file's own unit, dates in seconds since 1970 (UTC unless a zone is given).

    int64 where all are whole, so that long ones stay exact; float64 otherwise. Raises BadInput with the row.
    """
    mend = "Write seconds since 1970 or 2024-01-31T12:00:00, or import without this column."
    values = _converted(column, _text_cast(_time_type(column.cells)), "a time", mend)
    if pa.types.is_integer(values.type):
        return np.asarray(values.to_numpy(), np.int64)
    if pa.types.is_timestamp(values.type):
        return _whole_if_possible(values.cast(pa.int64()).to_numpy() / 1e6)
    times: NDArray[np.float64] = values.to_numpy()
    good = np.abs(times) < _EXACT  # false for NaN, too
    if not good.all():
        raise column.bad_cell(int(np.argmin(good)), "a time", mend)
    return _whole_if_possible(times)


def _time_type(cells: pa.ChunkedArray) -> pa.DataType:
    """How these cells can be read: the first kind of time that all of them are, else what the first of them is."""
    if pa.types.is_temporal(cells.type):
        return pa.timestamp("us")
    if not _is_text(cells.type):
        return pa.int64() if pa.types.is_integer(cells.type) else pa.float64()
    kinds = (pa.int64(), pa.float64(), pa.timestamp("us"), pa.timestamp("us", "UTC"))
    for sample in (cells.slice(0, 1), cells):  # most kinds fail on the first cell, at no cost
        kinds = tuple(kind for kind in kinds if not _fails(sample, _text_cast(kind))) or kinds
    return kinds[0]


def _text_cast(kind: pa.DataType) -> Callable[[pa.ChunkedArray], pa.ChunkedArray]:
    """Cells to numbers or times; blanks around text do not matter, and days lose what is finer than a microsecond."""

    def cast(cells: pa.ChunkedArray) -> pa.ChunkedArray:
        if _is_text(cells.type):
            return pc.utf8_trim_whitespace(cells).cast(kind)
        return cells.cast(kind, safe=not pa.types.is_timestamp(kind))

    return cast


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _whole_if_possible(times: NDArray[np.float64]) -> NDArray[np.int64] | NDArray[np.float64]:
    whole = times.astype(np.int64)
    return whole if (whole == times).all() else times


def _encodable(column: Column) -> pa.ChunkedArray:
    """The cells as a dictionary of texts or whole numbers, none lost or changed."""
    cells, kind = column.cells, column.cells.type
    if pa.types.is_dictionary(kind):
        cells, kind = cells.cast(kind.value_type), kind.value_type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _converted(column, lambda part: part.cast(pa.string()), "text", _MEND_TYPE).dictionary_encode()
    if pa.types.is_floating(kind):
        return _whole_floats(column, cells.cast(pa.float64()).to_numpy()).dictionary_encode()
    if pa.types.is_integer(kind) or _is_text(kind):
        return cells.dictionary_encode()
    if pa.types.is_string_view(kind):
        return cells.cast(pa.string()).dictionary_encode()
    raise BadInput(column.file, f"column {column.name!r} has the type {kind}, which cannot be an id", _MEND_TYPE)


def _whole_floats(column: Column, values: NDArray[np.float64]) -> pa.ChunkedArray:
    """Floats that are whole numbers, as a column that once had gaps is often written; NaN and fractions are refused."""
    good = (np.trunc(values) == values) & (np.abs(values) <= _EXACT)
    if not good.all():
        row = int(np.argmin(good))
        kind = "a missing id" if math.isnan(values[row]) else "no exact whole number, so it is no id"
        raise column.refusal(row, f"{values[row]:g} is {kind}", _MEND_TYPE)
    return pa.chunked_array([pa.array(values.astype(np.int64))])


def _refuse_bad_ids(column: Column, texts: pa.StringArray, indices: pa.Array) -> None:
    """Missing ids, and text that runs over a line or holds NUL, which no id does."""
    missing = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(texts)), pa.array(_REFUSED))
    broken = pc.match_substring_regex(texts, r"[\x00\r\n]")
    bad = pc.or_(missing, broken)
    if not pc.any(bad).as_py():
        return
    row = _first(bad.take(indices))
    number = indices[row].as_py()
    text = texts[number].as_py()
    if missing[number].as_py():
        raise column.refusal(row, f"the id is missing ({text!r})", _MEND_MISSING)
    raise column.refusal(row, f"the id {text[:40]!r} holds a line end or NUL", "Close the quote before it.")


def _converted(
    column: Column, convert: Callable[[pa.ChunkedArray], pa.ChunkedArray], what: str, mend: str
) -> pa.ChunkedArray:
    cells = column.cells
    if cells.null_count:
        raise column.bad_cell(_first(pc.is_null(cells)), what, mend)
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    try:
        return convert(cells)
    except _CANNOT:
        raise column.bad_cell(_first_failure(cells, convert), what, mend) from None


def _fails(cells: pa.ChunkedArray, convert: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> bool:
    try:
        convert(cells)
    except _CANNOT:
        return True
    return False


def _first_failure(cells: pa.ChunkedArray, convert: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> int:
    """The first row that cannot be converted, by halving: log n conversions instead of a look at each row."""
    low, high = 0, len(cells)
    while high - low > 1:
        middle = (low + high) // 2
        if _fails(cells.slice(low, middle - low), convert):
            high = middle
        else:
            low = middle
    return low


def _first(mask: pa.ChunkedArray | pa.Array) -> int:
    return int(pc.index(mask, True).as_py())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
