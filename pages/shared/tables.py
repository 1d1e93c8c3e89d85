"""The table beside a chart: the same numbers, to sort, search and download.

Not here: how a frame becomes a file (core/export.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.export import csv_text, parquet_bytes

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

NUMBER = "%.3g"
"""How a table writes a metric: three significant digits, as charts and sentences do."""

CSV, PARQUET = ("csv", "text/csv"), ("parquet", "application/vnd.apache.parquet")


def download(frame: pd.DataFrame, name: str, key: str, label: str = "Download") -> None:
    """Buttons that save the frame as CSV and as Parquet, made when one is clicked.

    name: the files' name without its ending; label: what is downloaded, before both.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(label, width="content")
        buttons(frame, name, key)


def buttons(frame: pd.DataFrame, name: str, key: str) -> None:
    """The two buttons alone. In CSV what a spreadsheet would run as a formula is made harmless; Parquet has no need."""
    save("CSV", lambda: csv_text(frame).encode(), name, CSV, key)
    save("Parquet", lambda: parquet_bytes(frame), name, PARQUET, f"{key}_parquet")


def save(label: str, make: Callable[[], bytes], name: str, form: tuple[str, str], key: str) -> None:
    """One button. make: the bytes, asked for by the click, outside of the page's run; form: ending and MIME type."""
    ending, mime = form
    st.download_button(
        label,
        make,
        f"{name}.{ending}",
        mime,
        key=key,
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
    )


def table(
    frame: pd.DataFrame | Styler,
    alt: str,
    columns: Mapping[str, Any] | None = None,
    name: str | None = None,
    **options: Any,
) -> Any:
    """A read-only table as wide as its place. alt: its purpose, for screen readers.

    name: the name of its files, which are then offered below it, in the columns' own names; it needs a `key`.
    """
    options = {"placeholder": "-", **options}
    shown = st.dataframe(frame, column_config=dict(columns or {}), hide_index=True, alt=alt, **options)
    if name:
        download(frame if isinstance(frame, pd.DataFrame) else frame.data, name, f"{options['key']}_file")  # type: ignore[attr-defined]
    return shown
