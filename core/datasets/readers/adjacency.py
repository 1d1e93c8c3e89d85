"""LightGCN's adjacency lists: one user a line, then the items they took, separated by blanks.

Here: that format. Not here: whether train and test come as two such files (imports.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from core.datasets.readers.blob import Blob, not_text
from core.errors import BadInput

COLUMNS = ("user", "item")

_NEVER = "\x1f"  # a separator that no line holds, so that each line is one cell
_BLOCK = 1 << 26  # a line must fit: some 10 million items of one user


def column_names(_: Blob) -> tuple[str, ...]:
    """The format has no header: these two."""
    return COLUMNS


def read_columns(blob: Blob, wanted: Sequence[int]) -> pa.Table:
    """user, item: a row for each item of each line, as text, named by position. Raises BadInput.

    A user without items has no rows.
    """
    parts = [_pairs(chunk) for chunk in _lines(blob).chunks]
    columns = [pa.chunked_array([part[n] for part in parts], pa.string()) for n in wanted]
    if not any(len(part[0]) for part in parts):
        raise BadInput(blob.name, "no line has an item after its user", "Choose a file with interactions in it.")
    return pa.table(dict(zip(map(str, wanted), columns, strict=True)))


def _pairs(lines: pa.StringArray) -> tuple[pa.StringArray, pa.StringArray]:
    """The user and the item of each pair: every word but a line's first is an item."""
    words = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(lines))
    line = pc.list_parent_indices(words)
    is_item = np.zeros(len(line), bool)
    is_item[1:] = np.diff(line.to_numpy()) == 0
    users = pc.list_element(words, 0).take(line)
    return users.filter(pa.array(is_item)), words.flatten().filter(pa.array(is_item))


def _lines(blob: Blob) -> pa.ChunkedArray:
    try:
        return pacsv.read_csv(
            pa.BufferReader(blob.buffer),
            read_options=pacsv.ReadOptions(column_names=["line"], block_size=_BLOCK),
            parse_options=pacsv.ParseOptions(delimiter=_NEVER, quote_char=False),
            convert_options=pacsv.ConvertOptions(column_types={"line": pa.string()}, strings_can_be_null=False),
        ).column("line")
    except pa.ArrowInvalid as error:
        raise not_text(blob.name) from error
