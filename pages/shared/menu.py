"""Which pages there are, in their sections.

It imports nothing but Streamlit: until the pages are named, a fresh server's first visitor sees a list of file names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st


def pages() -> dict[str, Sequence[Any]]:
    """The pages by section."""
    return {
        "Start": [_page("overview", "Overview", "home", "What this is, the trade-off so far, and what is under way.")],
        "Prepare": [
            _page("data", "Data", "database", "Choose, fetch or import a data set, and look at its popularity.")
        ],
        "Train": [
            _page(
                "sweep", "Sweep", "tune",
                "Choose methods, strengths and seeds; start, watch and cancel their training.",
            ),
            _page("runs", "Runs", "list_alt", "Every run and job: search, open, retry, cancel, delete."),
        ],
        "Analyse": [
            _page(
                "trade_off", "Trade-off", "scatter_plot",
                "Accuracy against popularity bias, one mark per method and strength.",
            ),
            _page(
                "compare", "Compare", "compare_arrows",
                "Setting A against setting B: settings, metrics with verdicts, items and user groups.",
            ),
            _page("users", "Users", "group", "What one user would be shown under two settings, side by side."),
            _page(
                "sampler", "Sampler", "science",
                "AUC-NS taken apart on a trained model, and where more strength does nothing more.",
            ),
            _page(
                "bias_variance", "Bias and variance", "balance",
                "Where less popularity bias lowers the whole error, and where variance eats it up.",
            ),
        ],
        "Evidence": [
            _page("reproduction", "Reproduction", "fact_check", "The papers' tables beside runs of this program.")
        ],
    }  # fmt: skip


def _page(name: str, title: str, icon: str, tells: str) -> Any:
    """A page by its file's name, which is its address."""
    return st.Page(f"pages/{name}.py", title=title, icon=f":material/{icon}:", help=tells, default=name == "overview")
