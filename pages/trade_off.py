"""Trade-off: accuracy against popularity bias, one mark per method and strength; a click pins it and opens it below.

Both kinds of chance are drawn, over users and over seeds, and every setting is judged against the baseline.
"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import streamlit as st

from core.charts import learning, palette, trade_off
from core.charts.trade_off_answer import answer
from core.charts.trade_off_chance import LIT, MANY, Chance
from core.errors import DamagedArtifact
from core.evaluation.metrics import METRICS, key_title, metric_key, parse_key
from core.warehouse import queries, verdicts
from pages.shared import explained, frame, jobs, server, tables, view, who_pays, words

CLICKS, SHOW, BY_NAME = "clicks", "show", "pin_by_name"
SHOWN, ROWS_HEIGHT = 20, 560  # a longer table scrolls in a frame so many pixels high
SIDE_BY_SIDE = 400  # pixels: narrower, and the pins stand below each other
SEEDS, INTERVALS, PATHS, WIN_WIN, FRONT = "seeds", "intervals", "paths", "win-win", "front"
DRAWN = [SEEDS, INTERVALS, PATHS, WIN_WIN, FRONT]
ROWS = "rows"


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
        view.no_dataset()
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


def chance_of(here: view.View) -> pd.DataFrame | None:
    """What users and seeds leave of the points; None, with a sentence, where a run's values cannot be read."""
    try:
        with st.spinner("Resampling users", show_time=True):
            return server.ask(verdicts.verdicts, *_axes(here), here.baseline)
    except DamagedArtifact as damaged:
        st.warning(
            f"{words.plain(damaged)}  \nUntil then nothing here has an interval or a verdict.", icon=":material/report:"
        )
        return None


def said(here: view.View, points: pd.DataFrame, question: trade_off.Question, found: pd.DataFrame) -> None:
    """The answer above the chart, and what has to be trained for a better one."""
    told = answer(points, found, question, here.baseline)
    st.markdown(f"**{words.plain(told.lead)}.** {words.plain(told.rest)}".rstrip())
    if told.train:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(words.plain(told.train), width="content")
            st.page_link("pages/sweep.py", label="Open Sweep", icon=":material/tune:")


def chart(here: view.View, points: pd.DataFrame, question: trade_off.Question, found: pd.DataFrame | None) -> None:
    """The chart, with what is shown on it."""
    shown = st.pills(
        "Show", DRAWN, selection_mode="multi", default=DRAWN, key=SHOW, bind="query-params",
        format_func=str.capitalize, label_visibility="collapsed",
    )  # fmt: skip
    seeds = server.ask(queries.trade_off_seeds, *_axes(here)) if SEEDS in shown else None
    chance = None
    if found is not None:
        chance = Chance(found, here.baseline, INTERVALS in shown, FRONT in shown, WIN_WIN in shown)
    pins = {name: variant for name, variant in (("A", here.a), ("B", here.b)) if variant}
    st.altair_chart(
        trade_off.trade_off(points, question, seeds, pins, PATHS in shown, chance=chance),
        key=chart_key(),
        on_select=clicked,
        selection_mode=[trade_off.PICK],
        alt=trade_off.takeaway(points, question),
    )
    if legend := _legend(here, shown, found):
        st.caption(legend)
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


def _legend(here: view.View, shown: list[str], found: pd.DataFrame | None) -> str:
    """What is drawn of chance, in words."""
    told = ["**Faint dots**: the seeds."] if SEEDS in shown else []
    if found is None:
        return " ".join(told)
    if INTERVALS in shown:
        few = " of what is lit, pinned or the baseline" if len(found) > MANY else ""
        told.append(
            f"**Bars**{few}: 95 % intervals over users, of the mean over seeds. All settings are compared on the same "
            "users, so bars that overlap may still differ: the verdict says."
        )
        told += [
            f"No interval for {key_title(k)}." for k, axis in _named_axes(here) if found[f"{axis}_from"].isna().all()
        ]
    if WIN_WIN in shown and here.baseline in set(found["variant"]):
        told.append(f"**Shaded**: better than {words.plain(here.label(here.baseline))} on both.")
    if FRONT in shown and found["front"].notna().any():
        told.append(
            f"**Lit**: on the Pareto front in at least {100 * LIT:g} % of resamples of users and seeds; settings with "
            "one seed move with the users alone, so theirs is too sure."
        )
    return " ".join(told)


def _named_axes(here: view.View) -> tuple[tuple[str, str], tuple[str, str]]:
    return (here.accuracy, "y"), (here.bias, "x")


def _axes(here: view.View) -> tuple[str, str, str, str, str]:
    return str(here.dataset), here.split, here.protocol, here.bias, here.accuracy


def table(here: view.View, points: pd.DataFrame, found: pd.DataFrame | None) -> None:
    """The same numbers, to sort, search and download; the seeds of a chosen row below it."""
    marks = in_order(points)
    if found is None:
        found = pd.DataFrame({"variant": marks["variant"], **dict.fromkeys(CHANCE, float("nan")), "verdict": None})
    marks = marks.merge(found, on="variant", how="left")
    against = here.baseline in set(marks["variant"])
    columns = {"label": st.column_config.TextColumn("Setting", width=150)}
    if against:
        help_ = f"Against {here.label(here.baseline)}, on both axes, each after Holm's correction"
        columns["verdict"] = st.column_config.TextColumn("Verdict", width=114, help=help_)
    columns["front"] = _number("P(front)", "Probability to be on the Pareto front, over users and seeds", "%.2f", 62)
    for key, axis in _named_axes(here):
        columns |= _axis_columns(key, axis, against)
    columns["seeds"] = st.column_config.NumberColumn("Seeds", width=52)
    state = tables.table(
        marks[list(columns)],
        f"{key_title(here.accuracy)} and {key_title(here.bias)} of every setting, with intervals and verdicts",
        columns,
        key=ROWS,
        height="content" if len(marks) <= SHOWN else ROWS_HEIGHT,
        on_select="rerun",
        selection_mode="single-row",
    )
    chosen = state["selection"]["rows"]
    if chosen and chosen[0] < len(marks):
        _seeds(here, marks.iloc[chosen[0]])
    else:
        st.caption("Choose a row to see its seeds.")
    _download(here, marks)


CHANCE = [f"{axis}_{name}" for axis in "xy" for name in ("from", "to", "difference", "p")] + ["front"]


def _axis_columns(key: str, axis: str, against: bool) -> dict[str, Any]:
    """A metric's columns: mean over seeds, interval over users, spread of seeds, p."""
    title = key_title(key)
    found = {
        axis: _number(_short(title), f"{title}: mean over seeds", width=72),
        f"{axis}_from": _number("low", f"{title}: low end of the mean's 95 % interval over users", width=54),
        f"{axis}_to": _number("high", f"{title}: high end of the mean's 95 % interval over users", width=54),
        f"{axis}_sd": _number("seed sd", f"{title}: standard deviation of single seeds", width=62),
    }
    if against:
        tells = f"{title}: p of the difference from the baseline, over users and seeds, after Holm's correction"
        found[f"{axis}_p"] = _number("p Holm", tells, "%.2g", 62)
    return found


def _short(title: str) -> str:
    """What a narrow column calls a metric.

    >>> _short("Cold share of the list (APLT@10)"), _short("NDCG@10")
    ('APLT@10', 'NDCG@10')
    """
    return title[title.index("(") + 1 : -1] if title.endswith(")") else title


def _number(label: str, tells: str, written: str = tables.NUMBER, width: int = 70) -> Any:
    return st.column_config.NumberColumn(label, help=tells, format=written, width=width)


def _seeds(here: view.View, row: pd.Series) -> None:
    """The single seeds of a setting."""
    seeds = server.ask(queries.trade_off_seeds, *_axes(here))
    own = seeds[seeds["variant"] == row["variant"]]
    st.markdown(f"Seeds of **{words.plain(row['label'])}**")
    titles = {axis: key_title(key) for key, axis in _named_axes(here)}
    numbers = {axis: st.column_config.NumberColumn(title, format="%.4g") for axis, title in titles.items()}
    tables.table(
        own[["seed", "y", "x", "run"]],
        f"Seeds of {row['label']}",
        {"seed": "Seed", **numbers, "run": "Run"},
        key="seeds_of_row",
        height="content",
    )


def _download(here: view.View, marks: pd.DataFrame) -> None:
    """The table as a file, with the smallest and largest seed, the differences, and where the numbers are from."""
    renamed = {"from": "low", "to": "high", "low": "seed_min", "high": "seed_max", "sd": "seed_sd", "p": "p_holm"}
    names: dict[str, str] = {}
    for key, axis in _named_axes(here):
        names |= {axis: key} | {f"{axis}_{old}": f"{key}_{new}" for old, new in renamed.items()}
        names |= {f"{axis}_difference{end}": f"{key}_difference{end}" for end in ("", "_low", "_high")}
    kept = ["variant", "label", "method", "strength", "seeds", *names, "verdict", "front"]
    out = marks.reindex(columns=kept).rename(columns=names)
    base = here.label(here.baseline) if here.baseline else None
    out = out.assign(
        baseline=base, dataset=here.dataset, simulated=here.simulated, split=here.split, protocol=here.protocol
    )
    tables.download(out, f"trade-off-{here.facts['name']}-{here.split}", "points_csv")


def in_order(points: pd.DataFrame) -> pd.DataFrame:
    """Each setting once: methods as the legend has them, in order of strength; baselines last."""
    place = palette.in_order(points["method"])
    marks = points[~points["also_on"]]
    marks = marks.assign(place=[place.index(method) for method in marks["method"]])
    return marks.sort_values(["baseline", "place", "strength", "label"])


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
    """What is pinned, side by side."""
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
    st.page_link("pages/users.py", label="What single users would be shown", icon=":material/group:")


def page() -> None:
    """The page, top to bottom."""
    here = view.current()
    st.title("Trade-off")
    view.notice(here)
    points = server.ask(queries.trade_off, *_axes(here)) if here.dataset else pd.DataFrame()
    view.undrawn(here, points.get("variant", ()))
    if points.empty:
        empty(here)
        return
    question = trade_off.Question(here.bias, here.accuracy, here.split, here.protocol)
    st.markdown(
        f"**{key_title(here.accuracy)}** against **{key_title(here.bias)}** on {words.plain(here.title)}, "
        f"{here.split} split."
    )
    found = chance_of(here)
    if found is not None:
        said(here, points, question, found)
    chart(here, points, question, found)
    pinned(here)
    who_pays.card(here)
    table(here, points, found)
    with st.expander("How to read this, and the formulas", icon=":material/menu_book:"):
        st.markdown(
            "Each mark is one setting: the mean over its seeds. A line joins a method's settings in the order of its "
            "debias strength. Two kinds of chance are shown apart: **bars** say how far the mean could move with other "
            "users like these (95 % intervals by 2,000 resamples of the users), **faint dots** how far single seeds "
            "lie apart. The **verdict** puts both together: the difference from the baseline on the same users, over "
            "users and seeds, corrected for how many settings are compared (Holm). *Win-win* is better on both axes, "
            "each with p below 0.05 (intervals in brackets are 95 % each, not corrected); *not "
            "distinguishable* is no proof that there is no difference. A mark in the "
            "shaded region is better on both; whether significantly so, its verdict says."
        )
        explained.metric(here.accuracy)
        explained.metric(here.bias)


frame.enter()
page()
