"""The filter of a page over settings: ranges of the two metrics, and methods to leave out.

The widgets are the filter, and a brush over the chart fills them in: whatever is drawn there can be typed, and a link
has it. Here: widgets, what they let through. Not here: the brush itself (core/charts/trade_off.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.charts import palette
from core.charts.text import metric_name
from pages.shared import view

ENDS = ("x_min", "x_max", "y_min", "y_max")
HIDDEN = "hide"


def widgets(here: view.View, points: pd.DataFrame) -> None:
    """The widgets, folded away until they are needed."""
    names = method_names(points)
    st.session_state[HIDDEN] = [method for method in st.session_state.get(HIDDEN) or [] if method in names]
    with st.expander("Filter", icon=":material/filter_alt:", key="filter"):
        st.caption("A drag over the chart fills these in. Empty: no limit.")
        with st.grid(4, gap="small"):
            for axis, key in (("y", here.accuracy), ("x", here.bias)):
                for end, words in (("min", "from"), ("max", "to")):
                    st.number_input(
                        f"{metric_name(key)} {words}", value=None, step=0.01, format="%.4g", key=f"{axis}_{end}",
                        bind="query-params", persist_state="session", placeholder="no limit",
                    )  # fmt: skip
        st.multiselect(
            "Leave out methods", list(names), format_func=lambda method: names.get(method, str(method)), key=HIDDEN,
            bind="query-params", persist_state="session", placeholder="None: all are shown",
        )  # fmt: skip


def method_names(points: pd.DataFrame) -> dict[str, str]:
    """Method to its label, in the legend's order."""
    names = dict(zip(points["method"], points["method_label"], strict=True))
    return {method: names[method] for method in palette.in_order(names)}


def is_on() -> bool:
    """Does anything limit what is shown?"""
    state = st.session_state
    return bool(state.get(HIDDEN)) or any(state.get(end) is not None for end in ENDS)


def clear() -> None:
    """Show everything: for callbacks."""
    st.session_state.update(dict.fromkeys(ENDS), **{HIDDEN: []})


def brushed(ranges: Mapping[str, Sequence[float]]) -> None:
    """Take over the ranges of a brush, for callbacks. ranges: of "x", "y" or both; widened to four digits."""
    for axis in "xy":
        if len(ends := ranges.get(axis, ())) == 2:
            low, high = sorted(float(end) for end in ends)
            digits = 4 - math.ceil(math.log10(max(abs(low), abs(high), 1e-12)))
            st.session_state[f"{axis}_min"] = math.floor(low * 10**digits) / 10**digits
            st.session_state[f"{axis}_max"] = math.ceil(high * 10**digits) / 10**digits


def kept(points: pd.DataFrame, always: Sequence[str | None] = ()) -> pd.DataFrame:
    """The points that the filter lets through. A path keeps what of it is within; `always`: variants that stay."""
    state = st.session_state
    passes = ~points["method"].isin(state.get(HIDDEN) or [])
    for axis in "xy":
        low, high = _number(state.get(f"{axis}_min"), -math.inf), _number(state.get(f"{axis}_max"), math.inf)
        passes &= points[axis].between(low, high)
    return points[passes | points["variant"].isin([one for one in always if one])]


def _number(value: Any, without: float) -> float:
    return without if value is None else float(value)
