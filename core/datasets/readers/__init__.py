"""Readers: from a file's bytes to columns, one module per on-disk format.

    blob        bytes, whatever they are packed in
    delimited   csv, tsv, recbole, movielens
    adjacency   lightgcn
    parquet     parquet
    columns     which column means what; columns -> ids, ratings, times
    items       titles, years, genres

Here: the table of formats, and the guess from a file's content. A new format is one row of FORMATS and its reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from core.datasets.readers import adjacency, delimited, parquet
from core.datasets.readers.blob import Blob
from core.errors import Unknown


@dataclass(frozen=True, slots=True)
class Format:
    """One on-disk format: how its columns are named and read, by position."""

    label: str
    line: str
    columns: Callable[[Blob], tuple[str, ...]]
    read: Callable[[Blob, Sequence[int]], pa.Table]
    text: bool = True
    header: bool = True
    films: bool = False
    """Titles are written the MovieLens way: "Matrix, The (1999)"."""


def _delimited(dialect: Callable[[Blob], delimited.Dialect], label: str, line: str, **more: bool) -> Format:
    return Format(
        label,
        line,
        columns=lambda blob: delimited.column_names(blob, dialect(blob)),
        read=lambda blob, wanted: delimited.read_columns(blob, dialect(blob), wanted),
        **more,
    )


FORMATS: dict[str, Format] = {
    "csv": _delimited(delimited.csv_dialect, "CSV", "Comma or semicolon separated, with a header."),
    "tsv": _delimited(delimited.tsv_dialect, "TSV", "Tab separated, with a header."),
    "parquet": Format("Parquet", "Parquet, columns by name.", parquet.column_names, parquet.read_columns, text=False),
    "recbole": _delimited(
        delimited.recbole_dialect, "RecBole", "RecBole atomic file: tab separated, header of name:type.", films=True
    ),
    "movielens": _delimited(
        delimited.movielens_dialect,
        "MovieLens",
        "user::item::rating::timestamp without a header, or the same with tabs (u.data).",
        header=False,
        films=True,
    ),
    "lightgcn": Format(
        "LightGCN",
        "Adjacency list: user item item ..., one user a line.",
        adjacency.column_names,
        adjacency.read_columns,
        header=False,
    ),
}

_TYPED = re.compile(r"[^:]+:(token|float|token_seq|float_seq)")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def find_format(blob: Blob, asked: str | None) -> tuple[Blob, str]:
    """The format asked for, or told from the content; and the blob, checked to be text if the format is.

    Raises Unknown for a format that does not exist, and BadInput for a file that is empty or no text.
    """
    if asked is not None and asked not in FORMATS:
        raise Unknown("format", asked, FORMATS)
    name = asked or ("parquet" if blob.head().startswith(b"PAR1") else None)
    if name and not FORMATS[name].text:
        return blob, name
    blob = blob.text()
    return blob, name or _guess(blob.first_lines())


def _guess(lines: list[str]) -> str:
    """The format of a text with these first lines."""
    tabbed, words = lines[0].split("\t"), [line.split() for line in lines]
    if "::" in lines[0]:
        return "movielens"
    if all(_TYPED.fullmatch(cell.strip()) for cell in tabbed):
        return "recbole"
    if len(tabbed) > 1:
        return "movielens" if len(tabbed) in {3, 4} and _all_numbers(tabbed) else "tsv"
    if any(len(line) > 1 for line in words) and all(_all_numbers(line) for line in words):
        return "lightgcn"
    return "csv"


def _all_numbers(cells: list[str]) -> bool:
    return all(_NUMBER.fullmatch(cell.strip()) for cell in cells)
