"""Trade-off: accuracy against popularity bias, one mark per method and strength; a click pins it and opens it below."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import streamlit as st

from core.charts import exposure, learning, palette, trade_off
from core.evaluation.metrics import METRICS, key_title, metric_key, parse_key
from core.warehouse import queries
from pages.shared import frame, jobs, server, tables, view, words

CLICKS, SHOW, BY_NAME = "clicks", "show", "pin_by_name"
SHOWN, ROWS_HEIGHT = 20, 560  # a longer table scrolls in a frame so many pixels high
SIDE_BY_SIDE = 400  # pixels: narrower, and the pins stand below each other
SEEDS, PATHS = "seeds", "paths"


def chart_key() -> str:
    """The chart's key: a new one after each click, since a chart's own selection can be cleared in no other way."""
    return f"marks_{st.session_state.get(CLICKS, 0)}"


def clicked() -> None:
    """A click on a mark pins or unpins it: the chart's callback."""
    variant = view.clicked_variant(st.session_state.get(chart_key()), trade_off.PICK)
    if variant:
        view.pin(variant)
        st.session_state[CLICKS] = st.session_state.get(CLICKS, 0) + 1


def picked_by_name() -> None:
    """A choice by name does what a click does: the select box's callback."""
    variant = st.session_state.get(BY_NAME)
    if variant:
        view.pin(variant)
        st.session_state[BY_NAME] = None


def empty(here: view.View) -> None:
    """What to do while there is no point."""
    if here.dataset is None:
        st.info("There is no data set yet. Fetch or import one on **Data**.", icon=":material/database:")
        st.page_link("pages/data.py", label="Open Data", icon=":material/arrow_forward:")
    elif jobs.busy():
        st.info(
            f"Training is under way: {jobs.summary()}. The first points appear here by themselves.",
            icon=":material/autorenew:",
        )
        jobs.live_bars()
    else:
        st.info(
            f"No finished run on {words.plain(here.title)} under protocol *{here.protocol}* yet. "
            "Start a sweep; its points appear here.",
            icon=":material/tune:",
        )
        st.page_link("pages/sweep.py", label="Open Sweep", icon=":material/arrow_forward:")


def chart(here: view.View, points: pd.DataFrame, question: trade_off.Question) -> None:
    """The chart, with what is shown on it."""
    shown = st.pills(
        "Show", [SEEDS, PATHS], selection_mode="multi", default=[SEEDS, PATHS], key=SHOW, bind="query-params",
        format_func=str.capitalize, label_visibility="collapsed",
    )  # fmt: skip
    seeds = server.ask(queries.trade_off_seeds, *_axes(here)) if SEEDS in shown else None
    pins = {name: variant for name, variant in (("A", here.a), ("B", here.b)) if variant}
    st.altair_chart(
        trade_off.trade_off(points, question, seeds, pins, PATHS in shown),
        key=chart_key(),
        on_select=clicked,
        selection_mode=[trade_off.PICK],
        alt=trade_off.takeaway(points, question),
    )
    marks = in_order(points)
    by_variant = dict(zip(marks["variant"], marks["label"], strict=True))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            f"Showing {len(marks)} of {words.count(len(here.variants), 'setting')}. "
            "A click on a mark pins A, a second B, a third replaces B; a click on a pin unpins it.",
            width="stretch",
        )
        st.selectbox(
            "Pin by name", list(by_variant), index=None, format_func=lambda v: by_variant.get(v, "-"), key=BY_NAME,
            on_change=picked_by_name, placeholder="Pin by name", label_visibility="collapsed", width=220,
        )  # fmt: skip


def _axes(here: view.View) -> tuple[str, str, str, str, str]:
    return str(here.dataset), here.split, here.protocol, here.bias, here.accuracy


def table(here: view.View, points: pd.DataFrame) -> None:
    """The same numbers, to sort, search and download."""
    marks = in_order(points)
    y, x = key_title(here.accuracy), key_title(here.bias)
    shown = pd.DataFrame(
        {
            "Setting": marks["label"],
            y: marks["y"],
            f"{y}: seeds": _range(marks, "y"),
            x: marks["x"],
            f"{x}: seeds": _range(marks, "x"),
            "Seeds": marks["seeds"],
        }
    )
    number = st.column_config.NumberColumn(format=tables.NUMBER)
    tables.table(
        shown,
        f"{y} and {x} of every setting",
        {"Setting": st.column_config.TextColumn(width=230), y: number, x: number},
        key="points",
        height="content" if len(shown) <= SHOWN else ROWS_HEIGHT,
    )
    columns = [
        "variant",
        "label",
        "method",
        "strength",
        "seeds",
        "x",
        "x_low",
        "x_high",
        "x_sd",
        "y",
        "y_low",
        "y_high",
        "y_sd",
    ]
    out = marks[columns].rename(
        columns=lambda c: (
            c.replace("x", here.bias, 1) if c[0] == "x" else c.replace("y", here.accuracy, 1) if c[0] == "y" else c
        )
    )
    out = out.assign(dataset=here.dataset, simulated=here.simulated, split=here.split, protocol=here.protocol)
    tables.download(out, f"trade-off-{here.facts['name']}-{here.split}", "points_csv")


def in_order(points: pd.DataFrame) -> pd.DataFrame:
    """Each setting once: methods as the legend has them, in order of strength; baselines last."""
    place = palette.in_order(points["method"])
    marks = points[~points["also_on"]]
    marks = marks.assign(place=[place.index(method) for method in marks["method"]])
    return marks.sort_values(["baseline", "place", "strength", "label"])


def _range(marks: pd.DataFrame, axis: str) -> list[str]:
    pairs = zip(marks[f"{axis}_low"], marks[f"{axis}_high"], strict=True)
    return [f"{words.number(low)} to {words.number(high)}" if low != high else "-" for low, high in pairs]


def reading(key: str) -> None:
    """What a metric means, how to read it, and its formula."""
    metric = METRICS[parse_key(key)[0]]
    st.markdown(f"**{key_title(key)}**: {metric.how_to_read} {metric.better.capitalize()} is better, taken by itself.")
    st.latex(metric.equation)
    st.caption(f"Source: {metric.source}")


def details(here: view.View, name: str, variant: str) -> None:
    """A pinned setting: what differs, its metrics over seeds, its learning curve."""
    row = here.variants[here.variants["variant"] == variant].iloc[0]
    st.markdown(f":{view.ACCENTS[name]}-badge[{name}] **{words.plain(row['label'])}**")
    if row["baseline"]:
        st.caption(view.ADDED if here.is_added(variant) else "A reference: nothing to train.")
    else:
        epoch, seconds = f"{row['epoch']:.0f}", words.duration(row["seconds"])
        st.caption(
            f"{words.count(int(row['seeds']), 'seed')}, best epoch {epoch} and {seconds} of training on average."
        )
    curve = server.ask(queries.history, tuple(row["runs"]))
    if len(curve):
        # panel by panel: a chart of several panels cannot follow the width of its place
        for number, panel in enumerate(learning.curves(curve).vconcat):
            st.altair_chart(panel, key=f"curve_{name}_{number}", alt=learning.takeaway(curve))
    _metric_table(here, name, variant)
    with st.expander("All settings", icon=":material/settings:"):
        settings = {k: v for k, v in json.loads(row["fields"]).items() if k != "dataset"}
        shown = pd.DataFrame(
            {"Setting": [k.replace("_", " ") for k in settings], "Value": [_value(v) for v in settings.values()]}
        )
        tables.table(shown, f"Settings of {row['label']}", key=f"settings_{name}", height="content")


def _metric_table(here: view.View, name: str, variant: str) -> None:
    found = server.ask(queries.metrics_of, variant)
    found = found[(found["reading"] == "epoch") & (found["split"] == here.split)].set_index("metric")
    keys = [metric_key(metric, view.cutoff() if about.at_k else None) for metric, about in METRICS.items()]
    found = found.loc[[key for key in keys if key in found.index]]
    shown = pd.DataFrame(
        {
            "Metric": [key_title(key) for key in found.index],
            "Mean": found["mean"],
            "Seed sd": found["seed_sd"],
            "Better": [METRICS[parse_key(key)[0]].better for key in found.index],
        }
    )
    config = st.column_config
    tables.table(
        shown,
        f"Metrics of pin {name}, {here.split} split",
        {
            "Metric": config.TextColumn(width=170),
            "Mean": config.NumberColumn(format=tables.NUMBER, width=70),
            "Seed sd": config.NumberColumn(format=tables.NUMBER, width=70),
            "Better": config.TextColumn(width=60),
        },
        key=f"metrics_{name}",
        height=300,
    )


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def pinned(here: view.View) -> None:
    """What is pinned, side by side, and where its recommendations go."""
    pins = {name: variant for name, variant in (("A", here.a), ("B", here.b)) if variant}
    if not pins:
        return
    grid = st.grid(2, gap="medium", min_column_width=SIDE_BY_SIDE)
    for name in view.ACCENTS:
        with grid.container(border=True, height="stretch"):
            if name in pins:
                details(here, name, pins[name])
            else:
                st.markdown(f":gray-badge[{name}] Pin a second setting to see both side by side.")
    shares = server.ask(queries.exposure, here.dataset, here.split, here.protocol, tuple(pins.values()))
    if len(shares):
        with st.container(border=True):
            st.subheader("Which items are shown")
            st.altair_chart(exposure.exposure(shares), key="exposure", alt=exposure.takeaway(shares))
            st.caption(exposure.takeaway(shares))
    st.page_link("pages/users.py", label="What single users would be shown", icon=":material/group:")


def page() -> None:
    """The page, top to bottom."""
    here = view.current()
    st.title("Trade-off")
    view.notice(here)
    points = server.ask(queries.trade_off, *_axes(here)) if here.dataset else pd.DataFrame()
    if points.empty:
        empty(here)
        return
    question = trade_off.Question(here.bias, here.accuracy, here.split, here.protocol)
    st.markdown(
        f"**{key_title(here.accuracy)}** against **{key_title(here.bias)}** on {words.plain(here.title)}, "
        f"{here.split} split."
    )
    chart(here, points, question)
    pinned(here)
    table(here, points)
    with st.expander("How to read this, and the formulas", icon=":material/menu_book:"):
        st.markdown(
            "Each mark is one setting: the mean over its seeds, with bars from the smallest to the largest seed and "
            "faint dots for the seeds themselves. A line joins a method's settings in the order of its debias strength."
        )
        reading(here.accuracy)
        reading(here.bias)


frame.enter()
page()
