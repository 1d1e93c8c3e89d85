"""Overview: what this is, the trade-off so far, what is under way, and the next step."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.charts import trade_off
from core.charts.trade_off_rule import Ruled
from core.jobs.queue import Kind, State
from core.warehouse import queries
from pages.shared import boundary, charts, deciding, frame, jobs, server, tour, view, words

WHAT = (
    "Recommenders learn to favour what is popular already. Longtail Lab trains them with methods that push against "
    "this, each over a range of *debias strengths*, and draws what every step costs in accuracy and brings in reach. "
    "Follow the curve, pin two settings, and read what single users would be shown."
)


THIRD = 320  # pixels: narrower, and what the chart says stands below it


def introduction() -> None:
    """What this is, and the two ways in."""
    left, right = st.columns([5, 3], gap="large", vertical_alignment="center")
    left.markdown(WHAT)
    with right.container(horizontal=True, horizontal_alignment="right", gap="small"):
        st.page_link("pages/trade_off.py", label="Open the trade-off", icon=":material/scatter_plot:")
        st.page_link("pages/data.py", label="Start with your own data", icon=":material/upload_file:")


def points_of(here: view.View) -> pd.DataFrame:
    """The points of the trade-off; none without a data set."""
    axes = (str(here.dataset), here.split, here.protocol, here.bias, here.accuracy)
    return server.ask(queries.trade_off, *axes) if here.dataset else pd.DataFrame()


def curve(here: view.View, points: pd.DataFrame) -> None:
    """The trade-off in small, and what it says."""
    grid = st.grid(3, gap="medium", min_column_width=THIRD)
    left, right = grid.cell(column_span=2), grid.cell()
    with left.container(border=True):
        if points.empty:
            waiting(here)
            return
        question = trade_off.Question(here.bias, here.accuracy, here.split, here.protocol)
        pins = {name: variant for name, variant in (("A", here.a), ("B", here.b)) if variant}
        said = trade_off.takeaway(points, question)
        judged = deciding.judged(here)
        ruled = Ruled(judged.outside, judged.recommended) if judged else None
        small = trade_off.trade_off(points, question, chosen=pins, small=True, ruled=ruled)
        charts.chart(small, "small", said, points, name="overview", note=charts.data_set())
    with right.container(gap="small"):
        st.header("What it says so far" if jobs.busy() else "What it says")
        st.markdown(words.plain(said))
        marks = points[~points["also_on"]]
        advice = "Choose on validation, report on test." if here.protocol == "validation" else ""
        if judged and judged.recommended:
            against = f", against {words.plain(here.label(judged.baseline))}" if judged.baseline else ""
            chosen = words.plain(here.label(judged.recommended))
            st.caption(f"Dashed ring: what the rule recommends{against}: **{chosen}**.")
        st.caption(f"{words.count(len(marks), 'setting')} on {words.plain(here.title)}. {advice}")
        next_step(here)


def waiting(here: view.View) -> None:
    """What to expect while there is no point."""
    if jobs.busy():
        st.header("The first points are on their way")
        st.markdown(
            "The data set is fetched and prepared first. Then the default comparison is trained: most popular, RNS, "
            "and AUC-NS at six strengths (β 0 is DNS), with three seeds each. Points appear here as runs finish."
        )
    elif here.dataset is None:
        st.header("Begin with a data set")
        st.markdown("Fetch a well-known one or import your own on **Data**; then train a comparison on **Sweep**.")
        st.page_link("pages/data.py", label="Open Data", icon=":material/database:")
    else:
        st.header("Nothing trained here yet")
        st.markdown(
            f"{words.plain(here.title)} has no finished run under protocol *{here.protocol}*. "
            "Train a comparison on **Sweep**."
        )
        st.page_link("pages/sweep.py", label="Open Sweep", icon=":material/tune:")


def next_step(here: view.View) -> None:
    """One thing to do next."""
    page, told, icon = tour.next_step(here)
    st.page_link(f"pages/{page}.py", label=f"Next: {told}", icon=f":material/{icon}:")


def data_sets() -> None:
    """Every prepared data set in a line or two."""
    st.header("Data sets")
    sets = server.ask(queries.datasets)
    if sets.empty:
        st.caption("None yet.")
    for _, facts in sets.iterrows():
        simulated = " :orange-badge[simulated]" if facts["simulated"] else ""
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"**{words.plain(facts['title'])}**{simulated}")
            sizes = (words.count(int(facts[n]), n.removesuffix("s")) for n in ("users", "items", "interactions"))
            st.caption(
                f"{', '.join(sizes)}; density {words.percent(facts['density'])}, "
                f"Gini of popularity {words.number(facts['gini'])}"
            )


def under_way() -> None:
    """Jobs, live; and what became of the last preparation where that matters."""
    st.header("Jobs")
    if jobs.busy():
        jobs.live_bars(headline=True)
    else:
        counts = jobs.queue().counts()
        done, failed = counts[State.DONE], counts[State.FAILED]
        st.caption(
            f"Nothing under way. {words.count(done, 'job')} done, {failed:,} failed."
            if done or failed
            else "Nothing was started yet."
        )
    for job in jobs.queue().jobs(kind=Kind.PREPARE, limit=1):
        if job.state == State.FAILED:
            jobs.failure(job)
        elif job.reason:
            st.caption(f"{words.plain(job.label)}: {words.plain(job.reason)}")
    for job in jobs.queue().jobs(state=State.FAILED, kind=Kind.TRAIN, limit=1):
        jobs.failure(job)
    st.page_link("pages/runs.py", label="All jobs", icon=":material/list:")


def decisions(here: view.View) -> None:
    """What was decided last."""
    st.header("Last decisions")
    sets = server.ask(queries.datasets)
    deciding.last(here, dict(zip(sets["dataset"], sets["title"], strict=True)))


def page() -> None:
    """The page, top to bottom."""
    here = view.current()
    st.title("Overview")
    introduction()
    view.notice(here)
    points = points_of(here)
    if len(points):
        with boundary.calm("the tour"):
            tour.card(here, points)
    curve(here, points)
    left, right = st.columns([2, 1], gap="medium")
    with left:
        under_way()
        decisions(here)
    with right:
        data_sets()


frame.enter()
page()
