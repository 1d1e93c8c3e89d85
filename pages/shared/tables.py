"""The table beside a chart: the same numbers, to sort, search and download.

Not here: how a frame becomes a CSV file (core/export.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.export import csv_text

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

NUMBER = "%.3g"
"""How a table writes a metric: three significant digits, as charts and sentences do."""


def download(frame: pd.DataFrame, name: str, key: str, label: str = "Download CSV") -> None:
    """A button that saves the frame as CSV. name: the file's name without its ending."""
    st.download_button(
        label,
        csv_text(frame).encode(),
        f"{name}.csv",
        "text/csv",
        key=key,
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
    )


def table(frame: pd.DataFrame | Styler, alt: str, columns: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """A read-only table as wide as its place. alt: its purpose, for screen readers."""
    options = {"placeholder": "-", **options}
    return st.dataframe(frame, column_config=dict(columns or {}), hide_index=True, alt=alt, **options)
