"""The tour on the Overview: from the curve to a decision in five steps, told of the results on the screen.

Each step is ticked by what was done, not by a click here. Put away, it stays away for everybody on this cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.charts.text import metric_name, number, percent
from core.charts.trade_off_data import best
from core.decisions import preferences, store
from pages.shared import boundary, deciding, server, view, words

NAME = "tour"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what to do, what it shows here, where, and whether it was done."""

    title: str
    text: str
    page: str
    done: bool


def card(here: view.View, points: pd.DataFrame) -> None:
    """The tour, or the button that brings it back. points: `queries.trade_off` of the view, at least one row."""
    if preferences.is_dismissed(server.settings(), NAME):
        st.button("Show the tour", icon=":material/tour:", type="tertiary", key="tour_back", on_click=_bring_back)
        return
    found = steps(here, points)
    done = sum(step.done for step in found)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header(f"From here to a decision: {done} of {len(found)} steps done")
            st.space("stretch")
            st.button("Put away", icon=":material/close:", type="tertiary", key="tour_away", on_click=_put_away)
        with st.grid(len(found), gap="small", min_column_width=190):
            for place, step in enumerate(found, 1):
                with st.container(gap="xsmall"):
                    mark = ":green[:material/check_circle:]" if step.done else f":gray-badge[{place}]"
                    st.page_link(f"pages/{step.page}.py", label=f"**{step.title}**")
                    st.markdown(f"{mark} :small[{words.plain(step.text)}]")


def steps(here: view.View, points: pd.DataFrame) -> list[Step]:
    """The five steps, in the numbers of the view."""
    marks = points[~points["also_on"] & ~points["baseline"]]
    y, x = metric_name(here.accuracy), metric_name(here.bias)
    return [
        Step("Read the curve", _curve(here, points, marks), "trade_off", bool(here.a or here.b)),
        Step(
            "Pin two settings",
            f"Click two marks. A and B then follow to every page{_advised(here)}.",
            "trade_off", bool(here.a and here.b),
        ),
        Step(
            "Compare them",
            f"What differs in {y}, in {x} and for whom, with intervals over users and seeds.",
            "compare", "compare" in _seen(),
        ),
        Step("Look at one user", "Both lists side by side: what is common, moved, new, and really taken.", "users",
             "users" in _seen()),
        Step(
            "Decide",
            "Set the rule in the sidebar, save what it recommends, and see its test figures.", "trade_off",
            bool(store.decisions(server.settings(), here.dataset, limit=1)),
        ),
    ]  # fmt: skip


def _curve(here: view.View, points: pd.DataFrame, marks: pd.DataFrame) -> str:
    """What the curve says of its ends. What the one end costs is told against the best, and against the baseline, which
    is what a rule goes by."""
    if marks.empty:
        return "Points appear as runs finish."
    top, far = best(marks, "y", here.accuracy), best(marks, "x", here.bias)
    if top["variant"] == far["variant"] or not 0 <= far["y"] < top["y"]:
        return f"{top['label']} is best on both axes, of {words.count(len(marks), 'setting')}."
    y, x = metric_name(here.accuracy), metric_name(here.bias)
    base = points[(points["variant"] == here.baseline) & ~points["also_on"]]
    told = f"{top['label']} has the best {y}, {number(top['y'])}. {far['label']} has the best {x}, {number(far['x'])}"
    told += f" instead of {number(top['x'])}, at {_change(far['y'], top['y'])} {y} than that best"
    if len(base) and here.baseline not in {top["variant"], far["variant"]} and base["y"].iloc[0] > 0:
        told += f", and {_change(far['y'], base['y'].iloc[0])} than the baseline {base['label'].iloc[0]}"
    return f"{told}."


def _change(value: float, against: float) -> str:
    """A change in percent of what it is against.

    >>> _change(0.3, 0.4)
    '25.0 % less'
    """
    share = value / against - 1
    return f"{percent(abs(share))} {'less' if share < 0 else 'more'}"


def _advised(here: view.View) -> str:
    """What the rule recommends, and against what."""
    judged = deciding.judged(here)
    if not judged or not judged.recommended:
        return ""
    against = f", against {here.label(judged.baseline)}," if judged.baseline else ""
    return f"; the rule{against} recommends {here.label(judged.recommended)}"


def next_step(here: view.View) -> tuple[str, str, str]:
    """The first thing that was not done yet, whether the tour is put away or not: page, words, icon."""
    if not (here.a and here.b):
        return "trade_off", "pin two settings", "keep"
    if "compare" not in _seen():
        return "compare", "compare them", "compare_arrows"
    if "users" not in _seen():
        return "users", "what users see", "group"
    return "trade_off", "decide", "gavel"


def saw(page: str) -> None:
    """Note that a page was opened: for app.py. page: its address, as in `st.Page.url_path`."""
    _seen().add(page)


def _seen() -> set[str]:
    seen: set[str] = st.session_state.setdefault("seen", set())
    return seen


def _put_away() -> None:
    with boundary.attempt("the tour"):
        preferences.dismiss(server.settings(), NAME)


def _bring_back() -> None:
    with boundary.attempt("the tour"):
        preferences.bring_back(server.settings(), NAME)
