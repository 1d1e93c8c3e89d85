"""Compare: setting A against setting B, from what differs in their settings to which items gain and lose.

The figures and verdicts are those of `python -m core compare A B`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from core.charts import compare_answer, compare_curves
from core.charts import who_pays as groups
from core.charts.text import capitalised
from core.evaluation.metrics import key_title
from core.models import differences
from core.uncertainty.verdict import BETTER, ENOUGH_SEEDS, FEW_SEEDS, NO_INTERVAL, VERDICTS, WORSE
from core.warehouse import compare, queries, who_pays
from pages.shared import boundary, charts, frame, movers, server, tables, view, words
from pages.shared.pair import Pair, compared, standing_in

ALL_SETTINGS, KIND, CURVE = "all_settings", "metric_kind", "curve"
KINDS = ("All", "Accuracy", "Popularity", "Told apart")
CURVES = {"Accuracy": "metric", "Train loss": "loss"}
METRICS_HEIGHT, SETTINGS_HEIGHT = 640, 390  # pixels; longer tables scroll
SIDE_BY_SIDE = 400  # pixels: narrower, and what stands side by side stands below each other


def swap() -> None:
    """A becomes B and B becomes A: for the button's callback."""
    first, second = compared(view.current())
    pin_both(second, first)


def pin_both(first: str | None, second: str | None) -> None:
    """Pin what is shown, so that it follows to every page and a link reopens it: for callbacks."""
    st.session_state[view.A] = (first or "")[: view.SHORT]
    st.session_state[view.B] = (second or "")[: view.SHORT]


# ---------------------------------------------------------------- head


def nothing_to_compare(here: view.View, first: str | None, second: str | None) -> bool:
    """Says what is missing, if anything is."""
    if here.dataset is None:
        view.no_dataset()
        return True
    if first is None or second is None:
        st.info(
            f"Comparing needs two trained settings, and {words.plain(here.title)} has "
            f"{words.count(len(here.variants), 'finished setting')} under protocol *{here.protocol}*. Train more on "
            "**Sweep**.",
            icon=":material/tune:",
        )
        st.page_link("pages/sweep.py", label="Open Sweep", icon=":material/arrow_forward:")
        return True
    if first == second:
        st.info(
            f"A and B are one setting, {words.plain(here.label(first))}: there is nothing to tell apart. Unpin one in "
            "the sidebar, or pin another one on **Trade-off**.",
            icon=":material/keep:",
        )
        st.page_link("pages/trade_off.py", label="Open Trade-off", icon=":material/scatter_plot:")
        return True
    return False


def chips(pair: Pair) -> None:
    """Who is A and who is B, what is not pinned, and the buttons that change that."""
    here = pair.here
    free = []
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for side, variant, pin in (("A", pair.first, here.a), ("B", pair.second, here.b)):
            row = pair.row(variant)
            badge = " :gray-badge[:material/upload_file: added, not trained here]" if here.is_added(variant) else ""
            unpinned = "" if pin else " :small[:gray[not pinned]]"
            free += [] if pin else [side]
            st.markdown(
                f":{view.ACCENTS[side]}-badge[{side}] **{words.plain(row['label'])}**{badge}{unpinned}", width="content"
            )
        st.button("Swap", icon=":material/swap_horiz:", key="swap", type="tertiary", on_click=swap)
        if free:
            st.button(
                "Pin both" if len(free) == 2 else f"Pin {free[0]}", icon=":material/keep:", key="pin_shown",
                type="tertiary", on_click=pin_both, args=pair.variants,
                help="What is pinned follows to every page, and a link reopens it.",
            )  # fmt: skip
    if told := standing_in(here):
        st.caption(told)


def answer(pair: Pair, found: pd.DataFrame) -> None:
    """The answer in a sentence, and the same to copy."""
    here = pair.here
    sides = tuple(
        compare_answer.Side(str(row["label"]), str(row["method"]), int(row["seeds"]))
        for row in map(pair.row, pair.variants)
    )
    data = here.title + (" (simulated)" if here.simulated else "")
    told = compare_answer.answer(found, (here.accuracy, here.bias), sides, data, here.split, here.protocol)  # type: ignore[arg-type]
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(gap="xxsmall"):
            st.markdown(f"**{words.plain(told.lead)}**")
            st.caption(words.plain(told.rest))
        with st.popover("Copy", icon=":material/content_copy:", type="tertiary", help="The sentence, to copy"):
            st.code(told.text, language=None, wrap_lines=True)
            st.caption("The same figures from the command line:")
            st.code(command(pair), language="bash", wrap_lines=True)


def command(pair: Pair) -> str:
    """What gives the same figures without a page."""
    ids = " ".join(variant[: view.SHORT] for variant in pair.variants)
    metrics = f"{pair.here.accuracy} {pair.here.bias}"
    return f"python -m core compare {ids} --metric {metrics} --split {pair.here.split}"


def has_values(pair: Pair, found: pd.DataFrame) -> bool:
    """Has either side no value at all here? Says so: added lists need not be of this split, nor reach this far."""
    lacking = [name for name in ("first", "second") if found.empty or found[name].isna().all()]
    for name in lacking:
        label = pair.labels[name == "second"]
        st.info(
            f"**{words.plain(label)}** has no values here ({words.plain(pair.where)}). Choose the other split or "
            "another length in the sidebar.",
            icon=":material/rule:",
        )
    return not lacking


# ---------------------------------------------------------------- settings


def settings_card(pair: Pair) -> None:
    """What differs in their settings."""
    fields = [json.loads(pair.row(variant)["fields"]) for variant in pair.variants]
    found = differences.settings(*fields)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.header("What differs in their settings", width="stretch")
        whole = st.toggle("All settings", key=ALL_SETTINGS, bind="query-params")
    st.markdown(words.plain(differences.sentence(*fields)))
    apart = differences.reference(fields[0]) != differences.reference(fields[1])
    differing = [row for row in found if row.differs]
    shown = differing + [row for row in found if not row.differs] if whole else [] if apart else differing
    if shown:
        rows = pd.DataFrame(
            {
                "Setting": [row.name for row in shown],
                "A": [row.first for row in shown],
                "B": [row.second for row in shown],
                "Default": [row.default for row in shown],
                "What it is": [row.what for row in shown],
            }
        )
        if whole:
            rows.insert(1, "Differs", ["≠" if row.differs else "" for row in shown])
        config = st.column_config
        narrow = {name: config.TextColumn(width=64) for name in ("A", "B")}
        tables.table(
            rows,
            "Settings of A and B that differ" if not whole else "All settings of A and B",
            {
                "Setting": config.TextColumn(width=92),
                "Differs": config.TextColumn("", width=20),
                **narrow,
                "Default": config.TextColumn(width=84, help="Where nothing is chosen; of A and B, where that differs"),
                "What it is": config.TextColumn(width=200),
            },
            name="settings-of-both",
            key="settings",
            height=SETTINGS_HEIGHT if len(rows) > 10 else "content",
        )
    seeds = [_trained(pair, side, variant) for side, variant in zip("AB", pair.variants, strict=True)]
    st.caption(" ".join(seeds))


def _trained(pair: Pair, side: str, variant: str) -> str:
    row = pair.row(variant)
    if row["baseline"]:
        return f"{side} is a reference: one run is as good as many." if row["seeds"] == 1 else f"{side} is a reference."
    epoch, seconds = f"{row['epoch']:.0f}", words.duration(row["seconds"])
    return f"{side}: {words.count(int(row['seeds']), 'seed')}, best epoch {epoch} and {seconds} of training on average."


# ---------------------------------------------------------------- learning


def curves_card(pair: Pair) -> None:
    """Learning curves of both."""
    runs = [run for variant in pair.variants for run in pair.row(variant)["runs"]]
    history = server.ask(queries.history, tuple(runs))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.header("Learning curves", width="stretch")
        chosen = st.segmented_control(
            "Curve", list(CURVES), default="Accuracy", key=CURVE, bind="query-params", required=True,
            label_visibility="collapsed",
        )  # fmt: skip
    column = CURVES.get(chosen or "", "metric")
    drawn = history.dropna(subset=[column])
    curved, trained = set(drawn["variant"]), set(history["variant"])
    none = [n for v, n in pair.names.items() if v not in trained]
    unlooked = [n for v, n in pair.names.items() if v in trained - curved]
    if len(drawn):
        said = compare_curves.takeaway(drawn, pair.names)
        chart = compare_curves.curves(drawn, pair.names, column)
        charts.chart(chart, f"curves_{column}", said, drawn, "Learning curves")
        st.caption(words.plain(said))
    if unlooked:
        st.caption(
            f"{words.plain(' and '.join(unlooked))}: nothing was measured on validation while it was trained, as under "
            f"protocol *{view.current().protocol}*. *Train loss* has its curve."
        )
    if none:
        st.caption(f"{words.plain(' and '.join(none))}: nothing is learned over epochs, so there is no curve.")
    if column == "loss" and len(drawn):
        st.caption("Losses of different methods are on scales of their own: compare their shapes, not their heights.")


# ---------------------------------------------------------------- metrics


def metrics_card(pair: Pair, found: pd.DataFrame) -> None:
    """Every metric side by side, with the paired difference and its verdict."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.header("Every metric, side by side", width="stretch")
        kind = st.segmented_control(
            "Which metrics", KINDS, default="All", key=KIND, bind="query-params", required=True,
            label_visibility="collapsed",
        )  # fmt: skip
    rows = _of_kind(found, kind or "All")
    if rows.empty:
        st.caption("None.")
    else:
        _metric_table(pair, rows, int(found["p"].notna().sum()))
    st.caption(
        f"Showing {len(rows)} of {words.count(len(found), 'metric')}. {words.plain(capitalised(pair.where))}. "
        f"{_tally(found)}"
    )
    here = pair.here
    whole = found.assign(
        a=pair.labels[0], b=pair.labels[1], k=pair.k, dataset=here.dataset, simulated=here.simulated, split=here.split,
        protocol=here.protocol,
    )  # fmt: skip
    tables.download(whole, f"compare-metrics-{here.facts['name']}-{here.split}", "metrics_file")


def _metric_table(pair: Pair, rows: pd.DataFrame, judged: int) -> None:
    """judged: how many metrics have a p."""
    apart = f"p, all {judged}" if judged else "p, all"
    shown = pd.DataFrame(
        {
            "Metric": [key_title(key) for key in rows["metric"]],
            "A": rows["first"],
            "B": rows["second"],
            "B − A": rows["difference"],
            "95 % interval": [_interval(row) for _, row in rows.iterrows()],
            "Verdict": [_verdict(row) for _, row in rows.iterrows()],
            "Better": rows["better"],
            "p": rows["p"],
            apart: rows["p_all"],
            "Change": 100 * rows["relative"],
        }
    )
    config, number = st.column_config, tables.NUMBER
    tables.table(
        shown,
        f"Every metric of A and B, {pair.where}",
        {
            "Metric": config.TextColumn(width=214),
            "A": config.NumberColumn(format=number, width=60, help=f"{pair.labels[0]}: mean over seeds"),
            "B": config.NumberColumn(format=number, width=60, help=f"{pair.labels[1]}: mean over seeds"),
            "B − A": config.NumberColumn(format=number, width=72, help="Paired: on the same users"),
            "95 % interval": config.TextColumn(width=132, help="Of the difference, over users and seeds"),
            "Verdict": config.TextColumn(width=124, help="What B is against A, by the p of the metric alone"),
            "Better": config.TextColumn(width=56, help="Which direction is better, taken by itself"),
            "p": config.NumberColumn(format="%.2g", width=64, help="Of this metric alone, as the command has it"),
            apart: config.NumberColumn(
                format="%.2g", width=66, help="After Holm's correction for every metric here that has a p"
            ),
            "Change": config.NumberColumn(format="%+.3g %%", width=72, help="The difference as a share of A's mean"),
        },
        key="metrics",
        height="content" if len(rows) <= 12 else METRICS_HEIGHT,
    )


def _of_kind(found: pd.DataFrame, kind: str) -> pd.DataFrame:
    if kind == "Told apart":
        return found[found["verdict"].isin([BETTER, WORSE])]
    return found if kind not in KINDS[1:3] else found[found["kind"] == kind.lower()]


def _interval(row: Any) -> str | None:
    return None if math.isnan(row["low"]) else f"{words.number(row['low'])} to {words.number(row['high'])}"


def _verdict(row: Any) -> str:
    """The verdict; of what only one of them was measured with, that."""
    for name, other, letter in (("first", "second", "A"), ("second", "first", "B")):
        if math.isnan(row[name]) and not math.isnan(row[other]):
            return f"{letter} has no value"
    return str(row["verdict"])


def _tally(found: pd.DataFrame) -> str:
    """How many of each verdict, how many hold for all at once, and what to make of it."""
    counts = found["verdict"].value_counts()
    told = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if verdict in counts]
    text = f"Of B against A: {', '.join(told)}."
    if counts.get(FEW_SEEDS):
        text += f" A verdict needs {ENOUGH_SEEDS} seeds of each, since another seed is another result."
    if counts.get(NO_INTERVAL):
        text += " No interval: resampling users does not reach the metric, or one side lacks it."
    judged = int(found["p"].notna().sum())
    if judged > 1:
        text += (
            f" {int((found['p_all'] < 0.05).sum())} of them hold after correction for all {judged} (Holm): a metric "
            "that was not chosen beforehand should be judged by that."
        )
    return text


# ---------------------------------------------------------------- users


def users_card(pair: Pair, found: pd.DataFrame) -> None:
    """Accuracy and lift of each group of users, worst-off named."""
    here = pair.here
    st.header("Who gains and who loses")
    row = found[found["metric"] == here.accuracy]
    if row.empty or row["difference"].isna().any():
        st.caption(f"There is no {key_title(here.accuracy)} of both. Choose another accuracy metric in the sidebar.")
        return
    rows = server.ask(who_pays.by_user_group, pair.variants, here.accuracy, pair.k, here.split)
    said = groups.accuracy_takeaway(rows, here.accuracy)
    st.markdown(words.plain(said))
    grid = st.grid(2, gap="medium", min_column_width=SIDE_BY_SIDE)
    with grid.cell():
        title = f"{key_title(here.accuracy)} by user group, B against A"
        st.markdown(f"**{title}**")
        charts.chart(groups.accuracy(rows, here.accuracy, pair.pins), "groups", said, rows, title)
    with grid.cell():
        st.markdown("**Popularity lift by user group**")
        lifts = rows.assign(baseline=False, label=rows["variant"].map(pair.names))
        told = groups.lift_takeaway(lifts)
        charts.chart(groups.lift(lifts, pair.pins), "lifts", told, rows, "Popularity lift by user group")
        st.caption(words.plain(told))
    st.caption(
        f"{words.plain(capitalised(pair.where))}. Verdicts are corrected for the three groups (Holm). Trade-off tells "
        "the same of both against the baseline, and how groups are made."
    )


def metrics_of(pair: Pair) -> pd.DataFrame | None:
    """`compare.metrics`; None, with the reason on the screen, where a run's file cannot be read."""
    with boundary.calm("the metrics"), st.spinner("Resampling users"):
        return server.ask(compare.metrics, *pair.variants, pair.k, pair.here.split)
    return None


def card(what: str, draw: Callable[..., None], *arguments: Any) -> None:
    """A card that its own widgets redraw without the rest of the page. what: a noun, for what goes wrong."""

    def drawn() -> None:
        with boundary.calm(what):
            draw(*arguments)

    st.fragment(drawn)()


def items(pair: Pair) -> None:
    """Which items are shown, and which move."""
    shown = server.ask(compare.shown, *pair.variants, pair.k, pair.here.split)
    movers.exposure_card(pair, shown)
    card("the items", movers.movers_card, pair, shown)


def page() -> None:
    """The page, top to bottom."""
    here = view.current()
    st.title("Compare")
    view.notice(here)
    first, second = compared(here)
    if nothing_to_compare(here, first, second):
        return
    pair = Pair(here, str(first), str(second), view.cutoff())
    chips(pair)
    found = metrics_of(pair)
    complete = found is not None and has_values(pair, found)
    if found is not None and complete:
        answer(pair, found)
    grid = st.grid(2, gap="medium", min_column_width=SIDE_BY_SIDE)
    with grid.cell():
        card("the settings", settings_card, pair)
    with grid.cell():
        card("the learning curves", curves_card, pair)
    if found is None or not complete:
        return
    card("the metrics", metrics_card, pair, found)
    with boundary.calm("the groups of users"):
        users_card(pair, found)
    with boundary.calm("the items"):
        items(pair)


frame.enter()
page()
