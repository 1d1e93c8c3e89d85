"""Tables as files that other programs read: CSV and Parquet.

Here: the two forms, and the neutralising of cells. Not here: which table it is.
A spreadsheet runs a text cell that begins like a formula, and a title or an id can be anybody's text: such cells get an
apostrophe in front, which spreadsheets hide. Numbers are numbers, and Parquet has no such trouble.
"""

from __future__ import annotations

import io
from typing import Any

import pandas as pd

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\n")


def csv_text(frame: pd.DataFrame) -> str:
    """The frame as CSV with a header, missing values empty, formulas neutralised. Floats keep every digit."""
    safe = frame.map(neutralised).rename(columns=neutralised)
    return safe.to_csv(index=False, lineterminator="\n")


def neutralised(cell: Any) -> Any:
    """The cell, with an apostrophe in front if a spreadsheet would run it.

    A lone carriage return becomes a line feed: the writer quotes that, and the other would begin a row of its own.
    >>> [neutralised(c) for c in ("=1+1", "Alien", -5)]
    ["'=1+1", 'Alien', -5]
    """
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """The frame as a Parquet file."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()
