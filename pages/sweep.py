"""Sweep: choose methods, strengths and seeds; see what it will cost; start it; watch it.

The widgets follow the tables of choices and fields in core/models, so a new method or setting appears by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.errors import LabError
from core.jobs import control
from core.models.choices import BASELINES, ENCODERS, LOSSES, OPTIMIZERS, PROTOCOLS, SAMPLERS, UPDATERS, Choice
from core.models.fields import FIELDS
from core.models.sweep import DEFAULT_SWEEP, Grid, Sweep
from pages.shared import boundary, frame, jobs, server, view, words

MODULES: Mapping[str, Mapping[str, Choice]] = {
    "encoder": ENCODERS,
    "loss": LOSSES,
    "updater": UPDATERS,
    "optimizer": OPTIMIZERS,
}
DEFAULT_METHODS = ["rns", "auc_ns"]
METHODS, BASES, SEEDS = "methods", "references", "seeds"
CARD = 360  # pixels: narrower, and the methods stand below each other
SEED_COUNTS = (1, 2, 3, 4, 5, 10, 20, 30)


def preset(methods: list[str], seeds: int, betas: list[str]) -> None:
    """Fill the form: for the buttons' callbacks."""
    st.session_state[METHODS] = methods
    st.session_state[SEEDS] = seeds
    st.session_state["strength_auc_ns"] = betas


def presets() -> None:
    """Buttons that fill the form."""
    usual = [f"{beta:g}" for beta in SAMPLERS["auc_ns"].strength.grid]  # type: ignore[union-attr]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Presets", width="content")
        st.button(
            "Quick look", on_click=preset, args=(DEFAULT_METHODS, 1, ["0", "0.05"]), help="Two methods, one seed."
        )
        st.button(
            "Default comparison", on_click=preset, args=(DEFAULT_METHODS, 3, usual), help="What a first start trains."
        )


def several(name: str, label: str, table: Mapping[str, Choice], default: list[str], **options: Any) -> list[str]:
    """A choice of several rows of a table of choices; what a URL says beyond the table is dropped."""
    picked = st.multiselect(
        label,
        list(table),
        default=default,
        format_func=lambda key: table[key].label,
        key=name,
        bind="query-params",
        help="  \n".join(f"**{choice.label}**: {choice.line}" for choice in table.values()),
        **options,
    )
    return [key for key in picked if key in table]


def strengths(methods: list[str]) -> dict[str, Grid]:
    """Each method's values of its debias strength, as chips."""
    grids: dict[str, Grid] = {}
    cards = st.grid(2, gap="small", min_column_width=CARD)
    for method in methods:
        choice = SAMPLERS[method]
        with cards.container(border=True, gap="xsmall", height="stretch"):
            st.markdown(f"**{choice.label}** :small[{words.plain(choice.line)}]")
            grids[method] = strength(method, choice)
    return grids


def strength(method: str, choice: Choice) -> Grid:
    """One method's chips; a method without a strength says so."""
    if choice.strength is None:
        st.caption("Has no debias strength: one point on the trade-off.")
        return {}
    usual = [f"{value:g}" for value in choice.strength.grid]
    off = choice.strength.off_is
    meaning = f" {choice.strength.symbol} {choice.strength.off:g} is {SAMPLERS[off].label}." if off else ""
    values = st.multiselect(
        f"Strength {choice.strength.symbol}",
        usual,
        default=usual,
        key=f"strength_{method}",
        bind="query-params",
        accept_new_options=True,
        help=f"{choice.strength.what}{meaning} To add a value from {choice.strength.low:g} to "
        f"{choice.strength.high:g}, type it.",
        placeholder="Type a value",
    )
    return {choice.strength.field: [str(value) for value in values]}


def modules() -> dict[str, list[str]]:
    """The other building modules: chosen where there is a choice, named where there is none."""
    chosen = {name: list(table) for name, table in MODULES.items() if len(table) == 1}
    for name, table in MODULES.items():
        if name not in chosen:
            chosen[name] = several(name, FIELDS[name].help.capitalize(), table, list(table)[:1]) or list(table)[:1]
    fixed = [f"{name} {next(iter(table.values())).label}" for name, table in MODULES.items() if len(table) == 1]
    st.caption(f"Always: {', '.join(fixed)}.")
    return chosen


def settings(methods: list[str], chosen: dict[str, list[str]], protocol: str) -> Grid:
    """Field to values typed in; a field left empty keeps each method's tested default and is not in the grid."""
    uses = [
        {
            **{name: values[0] for name, values in chosen.items()},
            "updater": updater,
            "sampler": method,
            "protocol": protocol,
        }
        for method in methods
        for updater in chosen["updater"]
    ]
    skip = {*MODULES, "sampler", "threads", *(s.field for m in methods if (s := SAMPLERS[m].strength))}
    shown = [name for name in FIELDS if name not in skip and any(FIELDS[name].used(use) for use in uses)]
    columns = st.columns(4)
    grid = {}
    for place, name in enumerate(shown):
        field = FIELDS[name]
        defaults = dict.fromkeys(str(field.default(use)) for use in uses if field.used(use))
        typed = columns[place % 4].text_input(
            name.replace("_", " "),
            key=f"set_{name}",
            bind="query-params",
            placeholder=" or ".join(defaults),
            help=f"{field.help.capitalize()}. Empty: each method's tested default. Values with commas: a grid.",
            max_chars=200,
        )
        if values := [part.strip() for part in typed.split(",") if part.strip()]:
            grid[name] = values
    return grid


def form(protocol: str) -> Sweep:
    """The widgets of the request, and the request they make."""
    presets()
    methods = several(METHODS, "Methods", SAMPLERS, DEFAULT_METHODS)
    grids = strengths(methods)
    left, right = st.columns([3, 1])
    with left:
        references = several(BASES, "References", BASELINES, list(DEFAULT_SWEEP.baselines))
    with right:
        # no number input: an infinite number in the URL would break it before a page could judge it
        seeds = st.selectbox(
            "Seeds",
            SEED_COUNTS,
            SEED_COUNTS.index(3),
            key=SEEDS,
            bind="query-params",
            help="Trainings of each setting.",
        )
    with st.expander("Settings: tested defaults unless changed", icon=":material/settings:"):
        chosen = modules()
        typed = settings(methods, chosen, protocol) if methods else {}
    built = tuple({"sampler": [m], **chosen, **grids[m], **typed} for m in methods)
    return Sweep(built, tuple(references), tuple(range(seeds if seeds in SEED_COUNTS else 3)), protocol)


def plan(dataset: str | None, sweep: Sweep) -> None:
    """What the request means, before anything is started, and the button: one bar, always in view."""
    if dataset is None:
        st.info("There is no data set to train on yet. Fetch or import one on **Data**.", icon=":material/database:")
        return
    try:
        planned = control.plan(server.settings(), dataset, sweep)
    except LabError as error:
        st.warning(str(error).replace("\n", "  \n"), icon=":material/rule:", title="This cannot be trained")
        return
    todo = planned.to_train
    time = (
        f", about {words.duration(planned.seconds)}"
        if planned.seconds is not None
        else ", time is measured once it runs"
    )
    cores = words.count(server.settings().workers, "core")
    told, button = st.columns([5, 3], gap="large", vertical_alignment="center")
    told.markdown(
        f"**{words.count(planned.runs, 'run')}**: {planned.cached:,} cached, {planned.waiting:,} under way, "
        f"**{todo:,} to train**" + (f"{time} on {cores}." if todo else ".") + "  \n"
        f":small[:gray[{words.count(planned.variants, 'setting')} × {words.count(len(sweep.seeds), 'seed')} on "
        f"{words.plain(view.current().title)}, {PROTOCOLS[sweep.protocol].label} "
        f"(protocol *{sweep.protocol}*, sidebar).]]"
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
        on_click=start,
        args=(dataset, sweep),
    )


def start(dataset: str, sweep: Sweep) -> None:
    """Queue the sweep: for the button's callback."""
    with boundary.attempt("the sweep"):
        asked = control.request_sweep(server.settings(), dataset, sweep)
        jobs.show(asked.sweep)
        boundary.say(f"{words.count(asked.queued, 'run')} queued. They go on when this page is closed.")


frame.enter()
st.title("Sweep")
st.caption(
    "Train each method over its debias strengths, with several seeds. What was trained before is never trained again."
)
here = view.current()
view.notice(here)
request = form(here.protocol)
with st.bottom.container(border=True):
    plan(here.dataset, request)
jobs.board()
