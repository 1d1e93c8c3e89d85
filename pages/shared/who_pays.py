"""The card on who pays: what the pins cost and bring each group of users and of items, against the baseline.

Here: one card of the Trade-off page, with its tables. Not here: the numbers (core/warehouse/who_pays.py), the charts
and what they say (core/charts/who_pays.py).
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import streamlit as st

from core.charts import exposure
from core.charts import who_pays as charts
from core.evaluation.metrics import key_title
from core.warehouse import who_pays
from pages.shared import boundary, server, tables, view, words
from pages.shared import charts as drawing

SIDE_BY_SIDE = 400  # pixels: narrower, and the charts stand below each other

HOW = """
**Users** are grouped by the share of popular items among what they took in train: *niche* are the fifth of all users
with the lowest share, *blockbuster* the fifth with the highest, *diverse* the three fifths between. Users with equal
shares at a cut go by their number, users without a profile are diverse, and only users with held-out items count.

A **change** is of the group's mean, as a share of its mean under the baseline. Its 95 % interval
is over users and seeds; with fewer than three seeds of a setting it is over users alone, and there is no verdict.
Verdicts are corrected for all groups and settings shown (Holm), so that an interval that just misses 0 can still be
*not distinguishable*.

**Popularity lift** is how much more popular the items shown to a group are than those it took; 0 is calibrated. Its
interval is over users.

**Deciles** are ten groups of equally many items by popularity in what was trained on, ties by item number. *Found* is
the share of the held-out pairs of user and item of that decile that the lists hold.
"""


def card(here: view.View) -> None:
    """The card, or what to do for it. With nothing to compare with, there is still what each decile of items gets."""
    with st.container(border=True), boundary.calm("who pays"):
        st.header("Who pays")
        pins = {name: variant for name, variant in (("A", here.a), ("B", here.b)) if variant}
        if here.a == here.b:
            pins.pop("B", None)
        others = {name: variant for name, variant in pins.items() if variant != here.baseline}
        missing = _missing(here, pins, others)
        if missing:
            st.info(missing, icon=":material/keep:")
        if pins:
            _answer(here, pins, others)


def _missing(here: view.View, pins: dict[str, str], others: dict[str, str]) -> str:
    """What is not there yet for a comparison, and how to get it; empty where nothing is missing."""
    if not pins:
        return (
            "Pin a setting: click its mark in the chart, or choose it by name. Here it then shows which users and "
            "which items pay for it."
        )
    if here.baseline is None:
        return (
            "The baseline has no finished run here, and who pays is told against it. Name another one in the sidebar, "
            "or train this one."
        )
    if here.a == here.b:
        return "A and B are the same setting. Pin another one as B, or free it."
    if not others:
        return (
            f"The pin, {words.plain(here.label(here.baseline))}, is the baseline itself. Pin another setting, or name "
            "another baseline in the sidebar."
        )
    return ""


def _answer(here: view.View, pins: dict[str, str], others: dict[str, str]) -> None:
    """Charts with what they say, then the same numbers as tables."""
    k, base = view.cutoff(), () if here.baseline is None else (here.baseline,)
    groups = None
    with st.spinner("Comparing groups of users and of items"):
        if base and others:
            groups = server.ask(who_pays.by_user_group, (*base, *others.values()), here.accuracy, k, here.split)
        deciles = server.ask(who_pays.by_decile, (*base, *others.values()), k, here.split)
    deciles = deciles.assign(baseline=deciles["variant"] == here.baseline)
    if groups is not None:
        for name, variant in others.items():
            of_pin = groups[groups["baseline"] | (groups["variant"] == variant)]
            said = words.plain(charts.accuracy_takeaway(of_pin, here.accuracy))
            st.markdown(f":{view.ACCENTS[name]}-badge[{name}] {said}")
    grid = st.grid(2, gap="medium", min_column_width=SIDE_BY_SIDE)
    if groups is not None:
        lifts, changes = charts.lift_takeaway(groups), charts.accuracy_takeaway(groups, here.accuracy)
        title = f"{key_title(here.accuracy)} by user group"
        _panel(grid, title, drawing.kept(charts.accuracy, groups, here.accuracy, pins), groups, changes, caption=False)
        _panel(grid, "Popularity lift by user group", drawing.kept(charts.lift, groups, pins), groups, lifts)
    found = drawing.kept(charts.recall, deciles, k, pins)
    _panel(grid, "What is found, by popularity", found, deciles, charts.recall_takeaway(deciles))
    shown = drawing.kept(_exposure, deciles, pins, here.split)
    _panel(grid, "Which items are shown", shown, deciles, exposure.takeaway(deciles, here.split))
    by_users, by_items, how = st.tabs(["Users", "Items", "How to read this"])
    with by_users:
        if groups is None:
            st.caption("There is nothing to compare with.")
        else:
            _group_table(here, groups)
    with by_items:
        _decile_table(here, deciles)
    with how:
        st.markdown(HOW)


def _exposure(deciles: pd.DataFrame, pins: dict[str, str], split: str) -> Any:
    return exposure.exposure(deciles, charts.colours(deciles, pins), split)


def _panel(grid: Any, title: str, chart: Any, data: pd.DataFrame, told: str, caption: bool = True) -> None:
    """One chart, under what it is called and above what it says."""
    with grid.container():
        st.markdown(f"**{title}**")
        drawing.chart(chart, f"who_pays_{chart.name}", told, data, title)
        if caption:
            st.caption(words.plain(told))


def _group_table(here: view.View, groups: pd.DataFrame) -> None:
    name = key_title(here.accuracy)
    interval = [_interval(low, high) for low, high in zip(groups["low"], groups["high"], strict=True)]
    shown = pd.DataFrame(
        {
            "Setting": groups["label"],
            "User group": groups["user_group"],
            "Users": groups["users"],
            name: groups["value"],
            "Change": 100 * groups["relative"],
            "Interval": interval,
            "Over": groups["over"],
            "Verdict": groups["verdict"],
            "Lift": 100 * groups["lift"],
        }
    )
    percent = st.column_config.NumberColumn(format="%.3g %%")
    tables.table(
        shown,
        f"{name} and popularity lift of each user group",
        {
            "Setting": st.column_config.TextColumn(width=130),
            "Users": st.column_config.NumberColumn(width=48),
            name: st.column_config.NumberColumn(format=tables.NUMBER),
            "Change": percent,
            "Interval": st.column_config.TextColumn(help="95 % of the change, of this group by itself: not corrected"),
            "Verdict": st.column_config.TextColumn(help="After Holm's correction for all groups and settings here"),
            "Lift": percent,
        },
        key="who_pays_users",
        height="content",
    )
    _download(here, groups.assign(metric=here.accuracy), "user-groups", "who_pays_users_csv")


def _decile_table(here: view.View, deciles: pd.DataFrame) -> None:
    shares = {
        "Found": "recall", "Share shown": "share", "Share of train": "train_share",
        f"Share of {here.split}": "test_share",
    }  # fmt: skip
    shown = pd.DataFrame(
        {
            "Setting": deciles["label"],
            "Decile": deciles["decile"],
            "Items": deciles["items"],
            "Held out": deciles["held_out"],
            **{title: 100 * deciles[column] for title, column in shares.items()},
        }
    )
    percent = st.column_config.NumberColumn(format="%.3g %%")
    tables.table(
        shown,
        "What each popularity decile of the items gets",
        {"Setting": st.column_config.TextColumn(width=180), **dict.fromkeys(shares, percent)},
        key="who_pays_items",
        height=420,
    )
    _download(here, deciles, "item-deciles", "who_pays_items_csv")


def _interval(low: float, high: float) -> str | None:
    return None if math.isnan(low) else f"{words.number(100 * low)} to {words.number(100 * high)} %"


def _download(here: view.View, frame: pd.DataFrame, what: str, key: str) -> None:
    """The frame with where its numbers are from."""
    frame = frame.assign(
        k=view.cutoff(), dataset=here.dataset, simulated=here.simulated, split=here.split, protocol=here.protocol
    )
    tables.download(frame, f"who-pays-{what}-{here.facts['name']}-{here.split}", key)
