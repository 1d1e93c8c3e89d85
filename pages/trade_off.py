"""Trade-off: accuracy against popularity bias, one mark per method and strength; a click pins it and opens it below.

Both kinds of chance are drawn, over users and over seeds, and every setting is judged against the baseline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from core.charts import trade_off
from core.charts.text import listed, metric_name, number
from core.charts.trade_off_answer import answer
from core.charts.trade_off_chance import LIT, MANY, Chance
from core.charts.trade_off_data import in_order
from core.charts.trade_off_rule import Ruled
from core.decisions.judge import Judged, turning_points
from core.errors import DamagedArtifact
from core.evaluation.metrics import key_title
from core.warehouse import decide, queries, verdicts
from pages.shared import (
    charts,
    deciding,
    explained,
    filtering,
    frame,
    jobs,
    reporting,
    server,
    tables,
    view,
    who_pays,
    words,
)

CLICKS, SHOW, BY_NAME = "clicks", "show", "pin_by_name"
SHOWN, ROWS_HEIGHT = 20, 560  # a longer table scrolls in a frame so many pixels high
SEEDS, INTERVALS, PATHS, WIN_WIN, FRONT = "seeds", "intervals", "paths", "win-win", "front"
DRAWN = [SEEDS, INTERVALS, PATHS, WIN_WIN, FRONT]
ROWS = "rows"


def chart_key() -> str:
    """The chart's key: a new one after each click, since a chart's own selection can be cleared in no other way."""
    return f"marks_{st.session_state.get(CLICKS, 0)}"


def clicked() -> None:
    """A click on a mark pins or unpins it, a drag limits what is shown: the chart's callback."""
    state = st.session_state.get(chart_key())
    variant = view.clicked_variant(state, trade_off.PICK)
    ranges = ((state or {}).get("selection") or {}).get(trade_off.BRUSH) or {}
    if variant:
        view.pin(variant)
    elif ranges:
        filtering.brushed(ranges)
    if variant or ranges:
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


def chance_of(here: view.View, judged: Judged | None) -> pd.DataFrame | None:
    """What users and seeds leave of the points; None, with a sentence, where a run's values cannot be read.

    Pins and the recommended setting are among them, however many settings there are.
    """
    looked_at = here.a, here.b, judged.recommended if judged else None
    try:
        with st.spinner("Resampling users", show_time=True):
            found = server.ask(verdicts.verdicts, *_axes(here), here.baseline)
            lacking = tuple(v for v in looked_at if v and v not in set(found["variant"]))
            # asked for only where something lacks, so that a pin costs nothing where all are resampled
            return server.ask(verdicts.verdicts, *_axes(here), here.baseline, lacking) if lacking else found
    except DamagedArtifact as damaged:
        st.warning(
            f"{words.plain(damaged)}  \nUntil then nothing here has an interval or a verdict.", icon=":material/report:"
        )
        return None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the filter lets through."""

    whole: pd.DataFrame
    """All points."""
    points: pd.DataFrame
    found: pd.DataFrame | None
    """What chance leaves of those points; probabilities and corrections are of all settings."""


def shown_of(here: view.View, points: pd.DataFrame, found: pd.DataFrame | None) -> Shown:
    """The filter's choice; pins and baseline stay, since what is shown is told of them."""
    kept = filtering.kept(points, (here.baseline, here.a, here.b))
    return Shown(points, kept, None if found is None else found[found["variant"].isin(kept["variant"])])


def said(here: view.View, points: pd.DataFrame, question: trade_off.Question, found: pd.DataFrame) -> None:
    """The answer above the chart, and what has to be trained for a better one."""
    told = answer(points, found, question, here.baseline)
    st.markdown(f"**{words.plain(told.lead)}.** {words.plain(told.rest)}".rstrip())
    if told.train:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(words.plain(told.train), width="content")
            st.page_link("pages/sweep.py", label="Open Sweep", icon=":material/tune:")


def chart(
    here: view.View,
    shown: Shown,
    question: trade_off.Question,
    judged: Judged | None,
) -> None:
    """The chart, with what is shown on it."""
    points, found = shown.points, shown.found
    drawn = st.pills(
        "Show", DRAWN, selection_mode="multi", default=DRAWN, key=SHOW, bind="query-params",
        format_func=str.capitalize, label_visibility="collapsed",
    )  # fmt: skip
    seeds = server.ask(queries.trade_off_seeds, *_axes(here)) if SEEDS in drawn else None
    if seeds is not None:
        seeds = seeds[seeds["variant"].isin(points["variant"])]
    turns = turning_points(shown.whole, here.bias)
    ruled = Ruled.of(judged, turns)
    charts.chart(
        charts.kept(
            _drawn,
            points,
            question.x,
            question.y,
            question.split,
            question.protocol,
            seeds,
            found,
            turns,
            tuple(sorted(ruled.outside)),
            ruled.recommended,
            here.baseline,
            here.a,
            here.b,
            tuple(drawn),
        ),
        chart_key(),
        trade_off.takeaway(points, question),
        points[~points["also_on"]].rename(columns={"x": here.bias, "y": here.accuracy}),
        f"{key_title(here.accuracy)} against {key_title(here.bias)}",
        f"trade-off-{here.facts['name']}",
        charts.data_set(),
        on_select=clicked,
        selection_mode=[trade_off.PICK, trade_off.BRUSH],
    )
    if legend := _legend(here, drawn, found, judged, turns):
        st.caption(legend)
    _below(here, shown)


def _drawn(
    points: pd.DataFrame, x: str, y: str, split: str, protocol: str, seeds: pd.DataFrame | None,
    found: pd.DataFrame | None, turns: pd.DataFrame, outside: tuple[str, ...], recommended: str | None,
    baseline: str | None, a: str | None, b: str | None, drawn: tuple[str, ...],
) -> Any:  # fmt: skip
    """The chart of what is given, which two visitors who look at the same have in common."""
    chance = None
    if found is not None:
        chance = Chance(found, baseline, INTERVALS in drawn, FRONT in drawn, WIN_WIN in drawn)
    pins = {name: variant for name, variant in (("A", a), ("B", b)) if variant}
    ruled, question = Ruled(outside, recommended, turns), trade_off.Question(x, y, split, protocol)
    return trade_off.trade_off(
        points, question, seeds, pins, PATHS in drawn, chance=chance, ruled=ruled, brush=True
    )  # fmt: skip


def _below(here: view.View, shown: Shown) -> None:
    """How many are shown, and what the mouse does, as widgets too."""
    marks = in_order(shown.points)
    by_variant = dict(zip(marks["variant"], marks["label"], strict=True))
    inside = filtering.passes(marks)
    stay = set(marks.loc[~inside, "variant"])
    names = [n for n, v in (("the baseline", here.baseline), ("A", here.a), ("B", here.b)) if v in stay]
    beside = f", and {listed(names)}, which the filter would leave out" if names else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            f"Showing {int(inside.sum())} of {words.count(len(here.variants), 'setting')}{beside}. "
            "A click on a mark pins A, a second B, a third replaces B; a click on a pin unpins it. A drag over the "
            "chart shows only what is inside.",
            width="stretch",
        )
        if filtering.is_on():
            st.button("Show all", icon=":material/filter_alt_off:", key="clear_filter", on_click=filtering.clear)
        st.selectbox(
            "Pin by name", list(by_variant), index=None, format_func=lambda v: by_variant.get(v, "-"), key=BY_NAME,
            on_change=picked_by_name, placeholder="Pin by name", label_visibility="collapsed", width=220,
        )  # fmt: skip


def _legend(
    here: view.View, shown: list[str], found: pd.DataFrame | None, judged: Judged | None, turns: pd.DataFrame
) -> str:
    """What is drawn of chance and of the rule, in words."""
    told = ["**Faint dots**: the seeds."] if SEEDS in shown else []
    if judged and judged.outside:
        told.append("**Grey**: does not keep to the rule, on validation.")
    if judged and judged.recommended:
        told.append("**Dashed ring**: recommended.")
    if len(turns):
        told.append("**Diamond**: the path turns; beyond it more strength does less.")
    if found is None:
        return " ".join(told)
    if INTERVALS in shown:
        few = " of what is lit, pinned, recommended or the baseline" if len(found) > MANY else ""
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
        name=f"seeds-{here.facts['name']}-{here.split}",
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


def lacks_number(here: view.View) -> bool:
    """Is a target asked for whose value is missing? Then there is no rule, and no card of the decision."""
    asked = frame.RULES.get(st.session_state.get(view.RULE, ""))
    return asked == "reach" and here.rule is None and here.protocol == decide.PROTOCOL


def no_number(here: view.View) -> None:
    """What to do for one: what there is to reach, on the split that a rule is judged on."""
    points = server.ask(queries.trade_off, str(here.dataset), decide.CHOSEN_ON, here.protocol, here.bias, here.accuracy)
    name, told = metric_name(here.bias), ""
    if len(points):
        told = f" The settings here have {number(points['x'].min())} to {number(points['x'].max())} on validation"
        base = points.loc[points["variant"] == here.baseline, "x"]
        told += f", {words.plain(here.label(here.baseline))} has {number(base.iloc[0])}." if len(base) else "."
    with st.container(border=True):
        st.markdown(
            f"**The target has no number yet**, so nothing is recommended. Say in the sidebar, under *Decide by*, "
            f"which {name} must be reached.{told}"
        )


def onwards(here: view.View) -> None:
    """Where the pins are taken apart, and all of it as one file."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if here.a or here.b:
            st.page_link("pages/compare.py", label="Compare A and B", icon=":material/compare_arrows:", width="content")
            st.page_link("pages/users.py", label="What single users see", icon=":material/group:", width="content")
            if not (here.a and here.b):
                st.caption("Pin a second setting to compare two.", width="content")
        reporting.button(here)
    if here.is_added(here.a) or here.is_added(here.b):
        st.caption(view.ADDED)


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
    judged = deciding.judged(here)
    found = chance_of(here, judged)
    if found is not None:
        said(here, points, question, found)
    filtering.widgets(here, points)
    shown = shown_of(here, points, found)
    if shown.points.empty:
        st.info("The filter leaves nothing.", icon=":material/filter_alt:")
        st.button("Show all", icon=":material/filter_alt_off:", key="clear_filter", on_click=filtering.clear)
        return
    chart(here, shown, question, judged)
    if lacks_number(here):
        no_number(here)
    deciding.card(here, judged)
    onwards(here)
    who_pays.card(here)
    table(here, shown.points, shown.found)
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
