"""Parquet files: typed columns, read as they are.

Here: that format. Not here: how a typed column becomes text ids (columns.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from core.datasets.readers.blob import Blob
from core.errors import BadInput


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
        names = file.schema_arrow.names
        table = file.read(columns=[names[n] for n in wanted])
        return pa.table({str(n): table.column(names[n]) for n in wanted})
    except (pa.ArrowException, OSError, KeyError) as error:
        raise _refusal(blob, error) from error


def _refusal(blob: Blob, error: Exception) -> BadInput:
    return BadInput(blob.name, f"it cannot be read as Parquet ({error})", "Write it again, or use CSV.")
