"""Reproduction: the published tables beside our own runs, and what is still to be trained for them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.charts import reproduction as chart
from core.datasets.catalogue import CATALOGUE
from core.evaluation.metrics import key_title
from core.models.choices import ENCODERS
from core.reproduction import comparison, cost, request
from core.reproduction.comparison import JUDGED_BY, READINGS, VERDICTS, Reading
from core.reproduction.deviations import DEVIATIONS, TRIED
from core.reproduction.plan import PARTS, SETTINGS, make_plan
from core.reproduction.published import MEASURES
from core.reproduction.request import Outlook
from pages.shared import boundary, charts, explained, frame, jobs, server, tables, view, words

TABLE, READING, MEASURE, ALL_TABLES = "table", "reading", "measure", "all_tables"
READING_NAMES: dict[str, Reading] = {"One epoch for all metrics": "epoch", "Each metric's own best epoch": "per-metric"}
PLAN_BAR = [5, 2, 3]
WHAT = (
    "Both papers publish tables. Here they stand beside runs of this program: once at the settings that the authors "
    "name, once at the settings that you get here without naming any, with three seeds each."
)


def picked(label: str, options: Sequence[str], key: str) -> str:
    """One of a few choices; what a URL says beyond them is dropped."""
    chosen = st.segmented_control(
        label, options, default=options[0], key=key, bind="query-params", required=True, label_visibility="collapsed"
    )
    return chosen if chosen in options else options[0]


def title_of(part: str) -> str:
    """What the page calls a table."""
    return PARTS[part].title


def part_chosen() -> str:
    """The table to show."""
    names = {title_of(part): part for part in PARTS}
    return names[picked("Table", list(names), TABLE)]


def reading_chosen() -> Reading:
    """How the best epoch is read."""
    reading = READING_NAMES[picked("Best epoch", list(READING_NAMES), READING)]
    st.markdown(
        f":small[:gray[Shown: {READINGS[reading]}.]] :orange-badge[chosen on test] "
        ":small[:gray[Both readings are optimistic.]]"
    )
    return reading


def published_table(part: str) -> None:
    """A table of the AUC-NS paper: chart, takeaway, numbers, verdicts."""
    left, right = st.columns([3, 1], vertical_alignment="top")
    with left:
        reading = reading_chosen()
    with right:
        names = {key_title(m): m for m in MEASURES}
        first = MEASURES.index(JUDGED_BY)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xxsmall"):
            asked = st.selectbox("Metric", list(names), index=first, key=MEASURE, bind="query-params")
            metric = names.get(asked, JUDGED_BY)
            explained.beside(metric, MEASURE)
    found = server.ask(comparison.figures, (part,), False)
    table = comparison.side_by_side(found, reading, metric)
    said = chart.takeaway(table, metric)
    note = f"{title_of(part)}; {READINGS[reading]}, chosen on test: optimistic"
    charts.chart(chart.beside(table, metric), "beside", said, table, name=f"reproduction_{part}", note=note)
    st.markdown(words.plain(said))
    numbers(table, comparison.verdicts(found), metric)
    tables.download(found, f"reproduction_{part}", "reproduction_csv", "Download every metric and reading")
    if reading == "per-metric" and metric in comparison.COUNTED_ON_ALL:
        st.caption("Hot items are counted on what each run was trained on: see below.")


def numbers(table: pd.DataFrame, verdicts: pd.DataFrame, metric: str) -> None:
    """The same as numbers, differences coloured by whether they are within the tolerance."""
    judged = dict(zip(verdicts["method"], verdicts["verdict"], strict=True))
    shown = pd.DataFrame({"Method": table["method"], "Published": table["published"]})
    shown["Published"] = [
        f"{v:.4f}{' (sic)' if s else ''}" for v, s in zip(table["published"], table["sic"], strict=True)
    ]
    columns = {"Method": st.column_config.TextColumn(pinned=True)}
    states = {}
    for settings, name in SETTINGS.items():
        title = name[:1].upper() + name[1:]
        shown[title] = table[settings]
        shown[f"{title}: ±"] = table[f"{settings}_sd"]
        shown[f"{title}: difference"] = table[f"{settings}_difference"]
        states[f"{title}: difference"] = list(table[f"{settings}_state"])
        columns |= {
            title: st.column_config.NumberColumn(format="%.4f", help=f"Mean over seeds of {key_title(metric)}."),
            f"{title}: ±": st.column_config.NumberColumn("±", format="%.4f", help="Standard deviation over seeds."),
            f"{title}: difference": st.column_config.NumberColumn("Difference", format="%+.4f", help="To published."),
        }
    shown["By NDCG@10, in both readings"] = [VERDICTS[judged[method]] for method in table["method"]]
    styled = shown.style.apply(
        lambda column: [background(state) for state in states[str(column.name)]], subset=list(states)
    )
    tables.table(styled, "Published figures and ours", columns, key="beside_table", height="content")


def background(state: str) -> str:
    """The style of a cell in that state; a thin ground, on which both themes' text is readable."""
    colour = chart.STATE_COLOURS.get(state)
    return f"background-color: {colour}38" if colour else ""


def one_bp() -> None:
    """Accuracy and cost of one-sided against two-sided updating."""
    reading = reading_chosen()
    found = server.ask(comparison.figures, ("one_bp",), False)
    costs = server.ask(cost.cost, False)
    for settings in SETTINGS:
        said = cost.in_words(costs, settings)
        if said:
            st.markdown(f"At {words.plain(SETTINGS[settings])}, {words.plain(said)}")
    measured = {m: _means(found, reading, m) for m in PARTS["one_bp"].measures}
    shown = pd.DataFrame(
        {
            "Settings": [SETTINGS[s] for s in costs["settings"]],
            "Updating": costs["method"],
            **{key_title(m): [values.get(key) for key in _keys(costs)] for m, values in measured.items()},
            "Seconds an epoch": costs["epoch_seconds"],
            "Best epoch": costs["best_epoch"],
            "Epochs to two-sided's best": costs["epochs_to_reach"],
            "Seconds to it": costs["seconds_to_reach"],
        }
    )
    config = st.column_config.NumberColumn
    tables.table(
        shown,
        "Accuracy and cost of both updatings",
        {
            **{key_title(m): config(format="%.4f") for m in measured},
            "Seconds an epoch": config(format="%.3g", help="Of training alone, evaluations left out."),
            "Best epoch": config(format="%.0f"),
            "Epochs to two-sided's best": config(format="%.0f", help="Until NDCG@10 is as high as two-sided's best."),
            "Seconds to it": config(format="%.3g"),
        },
        key="one_bp_table",
        height="content",
    )
    tables.download(shown, "reproduction_one_bp", "reproduction_csv")
    st.caption(
        "InfoNCE with five negatives, the same settings for both. Times are those of the runs as they were trained."
    )


def gowalla() -> None:
    """The main methods of both papers on a large catalogue, with each other."""
    reading = reading_chosen()
    found = server.ask(comparison.figures, ("gowalla",), False)
    own = found[found["reading"] == reading]
    measured = {m: _means(found, reading, m) for m in PARTS["gowalla"].measures}
    methods = list(dict.fromkeys(own["method"]))
    shown = pd.DataFrame(
        {
            "Method": methods,
            **{key_title(m): [values.get(("tuned", method)) for method in methods] for m, values in measured.items()},
            "Seeds": [int(own.loc[own["method"] == method, "seeds"].max()) for method in methods],
        }
    )
    config = {key_title(m): st.column_config.NumberColumn(format="%.4f") for m in measured}
    tables.table(shown, "Methods on Gowalla", config, key="gowalla_table", height="content")
    tables.download(shown, "reproduction_gowalla", "reproduction_csv")
    st.caption(
        "As far as an ordinary computer allows: MF at 64 dimensions, 100 epochs. OneBP's authors train 1,024, "
        "so these rows compare the methods with each other and with no published figure."
    )


def _means(found: pd.DataFrame, reading: Reading, metric: str) -> dict[tuple[str, str], float]:
    rows = found[(found["reading"] == reading) & (found["metric"] == metric)]
    return {(s, m): value for s, m, value in zip(rows["settings"], rows["method"], rows["mean"], strict=True)}


def _keys(costs: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(costs["settings"], costs["method"], strict=True))


def explanations(part: str) -> None:
    """Where the runs differ from the authors', and what was tried where a row is below."""
    tried = {method: text for (where, method), text in TRIED.items() if where == part}
    if tried:
        with st.expander("Rows that are below, and what was tried", icon=":material/troubleshoot:"):
            for method, text in tried.items():
                st.markdown(f"**{words.plain(ENCODERS[part].label)}, {words.plain(method)}.** {text}")
    with st.expander("Where this differs from the authors' programs", icon=":material/difference:"):
        for what, how in DEVIATIONS.items():
            st.markdown(f"**{words.plain(what)}.** {how.replace('[methods.md](methods.md)', 'docs/methods.md')}")


def run_missing(parts: tuple[str, ...]) -> None:
    """Queue what those tables lack: for the button's callback."""
    with boundary.attempt("the runs"):
        asked = request.request(server.settings(), make_plan(parts))
        fetched = (
            f" Fetched first: {', '.join(CATALOGUE[name].title for name in asked.fetching)}." if asked.fetching else ""
        )
        boundary.say(f"{words.count(asked.queued, 'run')} queued. They go on when this page is closed.{fetched}")


def plan_bar(part: str) -> None:
    """What is missing, what it would cost, and the button."""
    told, choice, button = st.columns(PLAN_BAR, gap="large", vertical_alignment="center")
    everything = choice.toggle("All tables", key=ALL_TABLES, bind="query-params")
    parts = tuple(PARTS) if everything else (part,)
    ahead = request.outlook(server.settings(), make_plan(parts))
    told.markdown(f"{_counts(ahead)}  \n:small[:gray[{_sources(ahead)}]]")
    button.button(
        f"Run what is missing: {words.count(ahead.to_train, 'run')}"
        if ahead.to_train
        else "All under way"
        if ahead.waiting
        else "Everything is trained",
        type="primary",
        icon=":material/play_arrow:",
        disabled=not ahead.to_train,
        width="stretch",
        on_click=run_missing,
        args=(parts,),
    )


def _counts(ahead: Outlook) -> str:
    time = (
        f", about {words.duration(ahead.seconds)}" if ahead.seconds is not None else ", time is measured once it runs"
    )
    cores = words.count(server.settings().workers, "core")
    return (
        f"**{words.count(ahead.runs, 'run')}**: {ahead.cached:,} trained, {ahead.waiting:,} under way, "
        f"**{ahead.to_train:,} missing**" + (f"{time} on {cores}." if ahead.to_train else ".")
    )


def _sources(ahead: Outlook) -> str:
    if ahead.absent:
        return f"Fetched first: {words.plain(' and '.join(CATALOGUE[name].title for name in ahead.absent))}."
    return "What was trained before is not trained again; an interrupted run goes on from the queue."


def page() -> None:
    """The page, top to bottom."""
    st.title("Reproduction")
    st.caption(WHAT)
    view.notice(view.current())
    part = part_chosen()
    if jobs.busy():
        jobs.live_bars(headline=True)
    if part == "one_bp":
        one_bp()
    elif part == "gowalla":
        gowalla()
    else:
        published_table(part)
    explanations(part)
    with st.bottom.container(border=True):
        plan_bar(part)


frame.enter()
page()
