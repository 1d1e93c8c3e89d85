"""Parquet files: typed columns, read as they are.

Here: that format. Not here: how a typed column becomes text ids (columns.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from core.datasets.archives import too_large
from core.datasets.readers.blob import Blob, one_line
from core.errors import BadInput

_CELL = 8  # bytes of a number: the least that a cell takes in memory, however small the file


def column_names(blob: Blob) -> tuple[str, ...]:
    """The names of the top-level columns. Raises BadInput."""
    try:
        return tuple(pq.read_schema(pa.BufferReader(blob.buffer)).names)
    except (pa.ArrowException, OSError) as error:
        raise _refusal(blob, error) from error


def read_columns(blob: Blob, wanted: Sequence[int]) -> pa.Table:
    """The columns at those positions, named by position. Raises BadInput."""
    try:
        file = pq.ParquetFile(pa.BufferReader(blob.buffer))
        if file.metadata.num_rows * len(wanted) * _CELL > blob.limit:
            raise too_large(blob.name, blob.limit)
        names = file.schema_arrow.names
        table = file.read(columns=[names[n] for n in wanted])
        table.validate(full=True)  # a damaged file can hold text that is no UTF-8, and crash whoever trusts it
        return pa.table({str(n): table.column(names[n]) for n in wanted})
    except (pa.ArrowException, OSError, KeyError) as error:
        raise _refusal(blob, error) from error


def _refusal(blob: Blob, error: Exception) -> BadInput:
    return BadInput(blob.name, f"it cannot be read as Parquet ({one_line(error)})", "Write it again, or use CSV.")
