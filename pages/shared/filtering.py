"""The filter of a page over settings: ranges of the two metrics, and methods to leave out.

Both ranges are one text, bound to the address: a drag over the chart changes it once, so that the browser's Back undoes
the drag at once. The number fields beside it are the same ranges to type. Here: widgets, what they let through. Not
here: the brush itself (core/charts/trade_off.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.charts import palette
from core.charts.text import metric_name
from pages.shared import view

ENDS = ("x_min", "x_max", "y_min", "y_max")
"""The number fields; links once had a parameter for each."""
HIDDEN = "hide"

Ranges = Mapping[str, float | None]
"""Each of ENDS to its value; None: no limit."""
_NUMBER = r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?"
_RANGE = re.compile(rf"(?<![a-z])([xy])\s*=?\s*({_NUMBER})?\s*\.\.\s*({_NUMBER})?", re.IGNORECASE)


def widgets(here: view.View, points: pd.DataFrame) -> None:
    """The widgets, folded away until they are needed."""
    names = method_names(points)
    st.session_state[HIDDEN] = [method for method in st.session_state.get(HIDDEN) or [] if method in names]
    _take_old_link()
    with st.expander("Filter", icon=":material/filter_alt:", key="filter"):
        st.caption("A drag over the chart fills these in. Empty: no limit.")
        numbers = st.grid(4, gap="small", min_column_width=200)
        with st.grid(2, gap="small"):
            st.multiselect(
                "Leave out methods", list(names), format_func=lambda method: names.get(method, str(method)),
                key=HIDDEN, bind="query-params", persist_state="session", placeholder="None: all are shown",
            )  # fmt: skip
            text = st.text_input(
                "Both ranges, as a link has them", key=view.WITHIN, bind="query-params", persist_state="session",
                placeholder="x 0.01..0.03 y 0.19..", max_chars=120,
                help="x is the popularity metric, y the accuracy metric; either end may be missing.",
            )  # fmt: skip
        st.session_state.update(ranges(text))
        with numbers:
            for axis, key in (("y", here.accuracy), ("x", here.bias)):
                for end, words in (("min", "from"), ("max", "to")):
                    st.number_input(
                        f"{metric_name(key)} {words}", value=None, step=0.01, format="%.4g", key=f"{axis}_{end}",
                        placeholder="no limit", on_change=_typed,
                    )  # fmt: skip


def ranges(text: str | None) -> dict[str, float | None]:
    """The ends that a text names, None for those it does not: what cannot be read says nothing.

    >>> ranges("x 0.01..0.03 y ..0.2")
    {'x_min': 0.01, 'x_max': 0.03, 'y_min': None, 'y_max': 0.2}
    """
    found: dict[str, float | None] = dict.fromkeys(ENDS)
    for axis, low, high in _RANGE.findall(text or ""):
        found[f"{axis.lower()}_min"], found[f"{axis.lower()}_max"] = (
            float(end) if end else None for end in (low, high)
        )
    return found


def written(ends: Ranges) -> str:
    """The text that `ranges` reads.

    >>> written({"x_min": 0.01, "x_max": 0.03, "y_min": None, "y_max": 0.2})
    'x 0.01..0.03 y ..0.2'
    """
    told = []
    for axis in "xy":
        low, high = ("" if (end := ends.get(f"{axis}_{side}")) is None else f"{end:.10g}" for side in ("min", "max"))
        told += [f"{axis} {low}..{high}"] if low or high else []
    return " ".join(told)


def _typed() -> None:
    """What was typed into a number field becomes the text: the fields' callback."""
    st.session_state[view.WITHIN] = written({end: st.session_state.get(end) for end in ENDS})


def _take_old_link() -> None:
    """Links that were made before had a parameter for each end."""
    old = {end: st.query_params.get(end) for end in ENDS if end in st.query_params}
    if not old:
        return
    for end in old:
        del st.query_params[end]
    if not st.session_state.get(view.WITHIN) and view.WITHIN not in st.query_params:
        read = [f"{axis} {old.get(f'{axis}_min') or ''}..{old.get(f'{axis}_max') or ''}" for axis in "xy"]
        # into the field for this run, and into the address, which a field's first value does not reach
        st.query_params[view.WITHIN] = st.session_state[view.WITHIN] = written(ranges(" ".join(read)))


def method_names(points: pd.DataFrame) -> dict[str, str]:
    """Method to its label, in the legend's order."""
    names = dict(zip(points["method"], points["method_label"], strict=True))
    return {method: names[method] for method in palette.in_order(names)}


def is_on() -> bool:
    """Does anything limit what is shown?"""
    return bool(st.session_state.get(HIDDEN)) or bool(written(ranges(st.session_state.get(view.WITHIN))))


def clear() -> None:
    """Show everything: for callbacks."""
    st.session_state.update({view.WITHIN: "", HIDDEN: []})


def brushed(brush: Mapping[str, Sequence[float]]) -> None:
    """Take over the ranges of a brush, for callbacks. brush: of "x", "y" or both; widened to four digits."""
    ends = ranges(st.session_state.get(view.WITHIN))
    for axis in "xy":
        if len(drawn := brush.get(axis, ())) == 2:
            low, high = sorted(float(end) for end in drawn)
            digits = 4 - math.ceil(math.log10(max(abs(low), abs(high), 1e-12)))
            ends[f"{axis}_min"] = math.floor(low * 10**digits) / 10**digits
            ends[f"{axis}_max"] = math.ceil(high * 10**digits) / 10**digits
    st.session_state[view.WITHIN] = written(ends)


def kept(points: pd.DataFrame, always: Sequence[str | None] = ()) -> pd.DataFrame:
    """The points that the filter lets through. A path keeps what of it has a mark; `always`: variants that stay."""
    inside = points[passes(points) | points["variant"].isin([one for one in always if one])]
    marks = inside.loc[~inside["also_on"].astype(bool), "variant"]
    return inside[inside["variant"].isin(marks)]


def passes(points: pd.DataFrame) -> pd.Series:
    """Which points the filter lets through."""
    found = ~points["method"].isin(st.session_state.get(HIDDEN) or [])
    ends = ranges(st.session_state.get(view.WITHIN))
    for axis in "xy":
        low, high = _number(ends[f"{axis}_min"], -math.inf), _number(ends[f"{axis}_max"], math.inf)
        found &= points[axis].between(low, high)
    return found


def _number(value: Any, without: float) -> float:
    return without if value is None else float(value)
