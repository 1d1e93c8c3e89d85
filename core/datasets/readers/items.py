"""Titles, years and genres of items, from a file of their own.

Here: any table format, and the two that MovieLens has for films (`::` and `|`); how a title is made readable.
Not here: which items a data set has (core/datasets/preparation.py).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.datasets.raw import row_places
from core.datasets.readers import FORMATS, find_format
from core.datasets.readers.blob import Blob, open_blob
from core.datasets.readers.columns import Column, as_ids, find_column
from core.datasets.readers.delimited import Dialect, read_columns
from core.errors import BadInput
from core.settings import Settings

FILM_GENRES = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
"""The flags of u.item, in the order of its last columns (MovieLens 100K, README)."""

_MOVIES_DAT = Dialect("::", columns=("item", "title", "genres"))
_U_ITEM = Dialect("|", columns=("item", "title", "release date", "video date", "url", *FILM_GENRES))
_YEAR = r"^(?P<title>.*\S)\s*\((?P<year>(?:1[89]|20)\d\d)\)\s*(?:\(V\))?\s*$"  # (V): released on video
_ARTICLE = r"^(.+), (The|A|An|La|Le|Les|Il|El|Los|Las|Das|Der|Die)( \(.*\))?$"
_SPELLING = {"unkonwn": "unknown", "(no genres listed)": None}
"""What MovieLens and RecBole write, and what is meant."""


def read_items_file(
    path: Path,
    settings: Settings,
    format: str | None = None,
    item_column: str | None = None,
    title_column: str | None = None,
    name: str | None = None,
    films: bool = False,
) -> pa.Table:
    """id string, title string, year int32, genres string; each id once, its first row kept. All but id may be null.

    format: told from the content if None. item_column: the ids' column, if the file has one of that name.
    title_column: guessed if None. name: what messages call the file. films: in any format, as MovieLens writes them.
    Raises BadInput, Unknown.
    """
    blob = open_blob(path, settings, name)
    if dialect := _film_dialect(blob):
        return _films(blob.as_utf8().text(), dialect)
    blob = blob if blob.head().startswith(b"PAR1") else blob.as_utf8()
    blob, format = find_format(blob, format)
    return _table(blob, format, item_column, title_column, films or FORMATS[format].films)


def readable(titles: pa.Array, years: pa.Array, films: bool) -> tuple[pa.Array, pa.Array]:
    """Titles without the year that ends them, and the year; of films, articles stand in front.

    >>> titles, years = readable(pa.array(["Matrix, The (1999)"]), pa.array([None], pa.int32()), films=True)
    >>> titles[0].as_py(), years[0].as_py()
    ('The Matrix', 1999)
    """
    parts = pc.extract_regex(titles, _YEAR)
    bare = pc.coalesce(pc.struct_field(parts, "title"), titles)
    years = pc.coalesce(years, pc.struct_field(parts, "year").cast(pa.int32()))
    if films:
        bare = pc.replace_substring_regex(bare, _ARTICLE, r"\2 \1\3")
    return _spelt(bare), years


def _film_dialect(blob: Blob) -> Dialect | None:
    """How MovieLens writes films, if it is that."""
    line = (blob.first_lines(1) or [""])[0]
    if line.count("::") == len(_MOVIES_DAT.columns) - 1:
        return _MOVIES_DAT
    return _U_ITEM if line.count("|") == len(_U_ITEM.columns) - 1 else None


def _films(blob: Blob, dialect: Dialect) -> pa.Table:
    cells = read_columns(blob, dialect, range(len(dialect.columns))).combine_chunks()
    columns = [cells.column(n).combine_chunks() for n in range(len(dialect.columns))]
    genres = _flagged(columns[-len(FILM_GENRES) :]) if dialect is _U_ITEM else _listed_genres(columns[2])
    titles, years = readable(columns[1], pa.nulls(len(cells), pa.int32()), films=True)
    place = row_places(blob, "movielens", len(cells))
    return _by_id(Column(blob.name, "item", cells.column(0), place), titles, years, genres)


def _table(blob: Blob, format: str, item_column: str | None, title_column: str | None, films: bool) -> pa.Table:
    names = FORMATS[format].columns(blob)
    item_column = item_column if item_column in names else None  # else by its usual names
    asked = {"item": item_column, "title": title_column or None, "year": None, "genres": None}
    options = {"item": "--item-col", "title": "--title-col"}
    at = {
        role: find_column(names, role, column, blob.name, options.get(role, ""), required=role in options)
        for role, column in asked.items()
    }
    table = FORMATS[format].read(blob, sorted({n for n in at.values() if n is not None}))

    def text(role: str) -> pa.Array:
        return _missing_as_null(_as_text(table.column(str(at[role])), blob.name, names[at[role] or 0]))

    nothing = pa.nulls(len(table), pa.string())
    years = _years(text("year") if at["year"] is not None else nothing)
    titles, years = readable(text("title"), years, films)
    genres = text("genres") if at["genres"] is not None else nothing
    ids = Column(blob.name, names[at["item"] or 0], table.column(str(at["item"])), row_places(blob, format, len(table)))
    return _by_id(ids, titles, years, _spaced_genres(genres) if format == "recbole" else _listed_genres(genres))


def _by_id(ids: Column, titles: pa.Array, years: pa.Array, genres: pa.Array) -> pa.Table:
    """One row for each id, the first that has it."""
    found = as_ids(ids)
    _, first = np.unique(found.numbers, return_index=True)
    at = pa.array(first)
    return pa.table(
        {"id": found.texts, "title": titles.take(at), "year": years.take(at), "genres": genres.take(at)},
        schema=pa.schema({"id": pa.string(), "title": pa.string(), "year": pa.int32(), "genres": pa.string()}),
    )


def _as_text(column: pa.ChunkedArray, file: str, name: str) -> pa.Array:
    """Cells as text; lists, which Parquet may have for genres, with commas between."""
    convert: Callable[[pa.ChunkedArray], pa.ChunkedArray] = lambda cells: cells.cast(pa.string())  # noqa: E731
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        convert = lambda cells: pc.binary_join(cells, ", ")  # noqa: E731
    try:
        return pa.concat_arrays(convert(column).chunks or [pa.array([], pa.string())])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        mend = "Write it as text, or leave the column out."
        raise BadInput(file, f"column {name!r} has the type {column.type}, which is no text", mend) from error


def _missing_as_null(texts: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _years(texts: pa.Array) -> pa.Array:
    """Four digits are a year; anything else is none."""
    found = pc.struct_field(pc.extract_regex(texts, r"^(?P<year>\d{4})(?:\.0)?$"), "year")
    return found.cast(pa.int32())


def _flagged(flags: list[pa.Array]) -> pa.Array:
    # not null_handling="skip": pyarrow 26 loses the rows where all are null
    named = [pc.if_else(pc.equal(flag, "1"), f"{genre}, ", "") for flag, genre in zip(flags, FILM_GENRES, strict=True)]
    return _missing_as_null(pc.utf8_rtrim(pc.binary_join_element_wise(*named, ""), ", "))


def _listed_genres(texts: pa.Array) -> pa.Array:
    return _spelt(pc.replace_substring(texts, "|", ", "))


def _spaced_genres(texts: pa.Array) -> pa.Array:
    """RecBole's token sequences."""
    return _spelt(pc.replace_substring_regex(texts, r"\s+", ", "))


def _spelt(texts: pa.Array) -> pa.Array:
    for written, meant in _SPELLING.items():
        texts = pc.if_else(pc.fill_null(pc.equal(texts, written), False), pa.scalar(meant, pa.string()), texts)
    return texts
