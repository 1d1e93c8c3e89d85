"""What a metric means: its paragraph, direction, range, equation and source, where it is chosen or shown."""

from __future__ import annotations

import streamlit as st

from core.evaluation.metrics import METRICS, key_title, parse_key


def metric(key: str) -> None:
    """A metric's paragraph. key: as numbers are stored under, such as "ndcg@10"."""
    about = METRICS[parse_key(key)[0]]
    unit = f", in {about.unit}" if about.unit else ""
    st.markdown(
        f"**{key_title(key)}**: {about.how_to_read} {about.direction.capitalize()}, taken by itself. "
        f"{about.range_text.capitalize()}{unit}. {about.empty}"
    )
    st.latex(about.equation)
    st.caption(f"{'Mean over users' if about.per_user else 'Over all lists together'}. Source: {about.source}")


def beside(key: str, picker: str) -> None:
    """The paragraph behind a small button, for the side of a picker. key: the metric chosen there; picker: its key."""
    title = key_title(key)
    with st.popover("", icon=":material/help:", type="tertiary", help=f"How to read {title}", key=f"explain_{picker}"):
        metric(key)


def label(text: str, key: str, picker: str) -> None:
    """The label of a picker whose own is hidden, with the button of `beside` at its end."""
    with st.container(horizontal=True, vertical_alignment="center", gap=None):
        st.markdown(f":small[{text}]", width="stretch")
        beside(key, picker)
