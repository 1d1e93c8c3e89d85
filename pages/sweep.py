"""Sweep: choose methods, strengths and seeds; see what it will cost; start it; watch it."""

from __future__ import annotations

import streamlit as st

from core.errors import LabError
from core.jobs import control
from core.models.choices import PROTOCOLS
from core.models.sweep import Sweep
from pages.shared import asking, frame, jobs, plans, presets, server, view, words


def plan(dataset: str | None, sweep: Sweep) -> None:
    """What the request means, before anything is started, and the button: one bar, always in view."""
    if dataset is None:
        st.info("There is no data set to train on yet. Fetch or import one on **Data**.", icon=":material/database:")
        return
    try:
        planned = control.plan(server.settings(), dataset, sweep)
    except LabError as error:
        st.warning(words.plain(error).replace("\n", "  \n"), icon=":material/rule:", title="This cannot be trained")
        return
    todo = planned.to_train
    time = (
        f", about {words.duration(planned.seconds)}"
        if planned.seconds is not None
        else ", time is measured once it runs"
    )
    cores = words.count(server.settings().workers, "core")
    where = f"{words.plain(view.current().title)}, {PROTOCOLS[sweep.protocol].label} (protocol *{sweep.protocol}*)"
    told, button = st.columns([5, 3], gap="large", vertical_alignment="center")
    told.markdown(
        f"**{words.count(planned.runs, 'run')}**: {planned.cached:,} cached, {planned.waiting:,} under way, "
        f"**{todo:,} to train**" + (f"{time} on {cores}." if todo else ".") + "  \n"
        f":small[:gray[{_size(planned, sweep)} on {where}.{' ' + jobs.estimates_so_far() if todo else ''}]]"
    )
    button.button(
        f"Train {words.count(todo, 'run')}"
        if todo
        else "All under way"
        if planned.waiting
        else "Everything is trained"
        if planned.runs
        else "Choose at least one method or reference",
        type="primary",
        icon=":material/play_arrow:",
        disabled=not todo,
        width="stretch",
        on_click=jobs.start,
        args=(dataset, sweep, "the sweep"),
    )


def _size(planned: control.Plan, sweep: Sweep) -> str:
    """How many settings and seeds: what has no chance in it is run once, whatever was asked for."""
    settings, seeds = words.count(planned.variants, "setting"), words.count(len(sweep.seeds), "seed")
    if planned.runs == planned.variants * len(sweep.seeds):
        return f"{settings} × {seeds}"
    return f"{settings}, {seeds} of each in which chance plays a part,"


frame.enter()
st.title("Sweep")
st.caption(
    "Train each method over its debias strengths, with several seeds. What was trained before is never trained again."
)
here = view.current()
view.notice(here)
given = plans.imported(here)
if given is None:
    presets.buttons(here)
request = given.sweep if given else asking.form(here)
plans.save(here, request)
with st.bottom.container(border=True):
    plan(here.dataset, request)
jobs.board()
