"""The table beside a chart: the same numbers, to sort, search and download."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def download(frame: pd.DataFrame, name: str, key: str, label: str = "Download CSV") -> None:
    """A button that saves the frame as CSV. name: the file's name without its ending."""
    st.download_button(
        label,
        csv(frame),
        f"{name}.csv",
        "text/csv",
        key=key,
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
    )


def csv(frame: pd.DataFrame) -> bytes:
    """The frame as CSV; a text that a spreadsheet would run as a formula gets an apostrophe in front."""
    return frame.map(_neutral).rename(columns=_neutral).to_csv(index=False).encode()


def _neutral(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def table(frame: pd.DataFrame, alt: str, columns: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """A read-only table as wide as its place. alt: its purpose, for screen readers."""
    return st.dataframe(frame, column_config=dict(columns or {}), hide_index=True, alt=alt, **options)
