"""Which pages there are, in their sections.

It imports nothing but Streamlit: until the pages are named, a fresh server's first visitor sees a list of file names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st


def pages() -> dict[str, Sequence[Any]]:
    """The pages by section. A file's name is the page's address."""
    return {
        "Start": [
            st.Page(
                "pages/overview.py",
                title="Overview",
                icon=":material/home:",
                default=True,
                help="What this is, the trade-off so far, and what is under way.",
            )
        ],
        "Prepare": [
            st.Page(
                "pages/data.py",
                title="Data",
                icon=":material/database:",
                help="Choose, fetch or import a data set, and look at its popularity.",
            )
        ],
        "Train": [
            st.Page(
                "pages/sweep.py",
                title="Sweep",
                icon=":material/tune:",
                help="Choose methods, strengths and seeds; start, watch and cancel their training.",
            ),
            st.Page(
                "pages/runs.py",
                title="Runs",
                icon=":material/list_alt:",
                help="Every run and job: search, open, retry, cancel, delete.",
            ),
        ],
        "Analyse": [
            st.Page(
                "pages/trade_off.py",
                title="Trade-off",
                icon=":material/scatter_plot:",
                help="Accuracy against popularity bias, one mark per method and strength.",
            ),
            st.Page(
                "pages/compare.py",
                title="Compare",
                icon=":material/compare_arrows:",
                help="Setting A against setting B: settings, metrics with verdicts, items and user groups.",
            ),
            st.Page(
                "pages/users.py",
                title="Users",
                icon=":material/group:",
                help="What one user would be shown under two settings, side by side.",
            ),
            st.Page(
                "pages/sampler.py",
                title="Sampler",
                icon=":material/science:",
                help="AUC-NS taken apart on a trained model, and where more strength does nothing more.",
            ),
            st.Page(
                "pages/bias_variance.py",
                title="Bias and variance",
                icon=":material/balance:",
                help="Where less popularity bias lowers the whole error, and where variance eats it up.",
            ),
        ],
        "Evidence": [
            st.Page(
                "pages/reproduction.py",
                title="Reproduction",
                icon=":material/fact_check:",
                help="The papers' tables beside runs of this program.",
            )
        ],
    }
