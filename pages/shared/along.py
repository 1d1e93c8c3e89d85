"""Moving along the path of a setting: the slider over its trained strengths, and how one user's list changes there.

Here: the widgets and the bump chart of the Users page. Not here: which paths there are (core/warehouse/paths.py), the
drawing (core/charts/bump.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.charts import bump
from core.charts.text import provenance
from core.evaluation.metrics import key_title
from core.warehouse import paths
from pages.shared import charts, server, tables, view, words
from pages.shared.lists import Asked, Kept

PATH, STRENGTH, OWNER = "path", "strength", "strength_of"


@dataclass(frozen=True, slots=True)
class Along:
    """The path that B lies on, as far as it is trained, and what of it is looked at."""

    points: pd.DataFrame
    """Rows of `paths.paths_through`, in order of strength; empty where B has no strength."""
    chosen: int

    @property
    def is_path(self) -> bool:
        """Is there anything to move along?"""
        return len(self.points) > 1

    @property
    def method(self) -> str:
        """What the path is called."""
        return str(self.points["method_label"].iloc[0])

    @property
    def symbol(self) -> str:
        """Of the strength."""
        return str(self.points["symbol"].iloc[0])

    @property
    def texts(self) -> list[str]:
        """The strengths, as the slider and the link write them."""
        return [f"{strength:.10g}" for strength in self.points["strength"]]

    def seeds(self) -> set[int]:
        """Every seed that one of the points has."""
        return {int(seed) for seeds in self.points.get("seeds", ()) for seed in seeds}

    def runs(self, seed: int) -> list[str]:
        """Each point's run of that seed."""
        each = zip(self.points["seeds"], self.points["runs"], strict=True)
        return [run_of(dict(zip(seeds, own, strict=True)), seed) for seeds, own in each]


def choose_path(here: view.View, b: str) -> Along:
    """The slider along B's path, and what it does in words; where nothing can be moved, why. b: a variant."""
    along = _path_of(b)
    if not along.is_path:
        _nothing_to_move(here.label(b), along)
        return along
    at = int(along.points.index[along.points["variant"] == b][0])
    texts, path = along.texts, str(along.points["path"].iloc[0])
    if st.session_state.get(OWNER, (b, path)) != (b, path):  # another B: its own strength, not the last one's
        st.session_state[STRENGTH] = texts[at]
    st.session_state[OWNER] = (b, path)
    chosen = st.select_slider(
        f"Strength {along.symbol} of B, along {along.method}", texts, value=texts[at], key=STRENGTH,
        bind="query-params",
        help="The trained settings of B's path: list B is of the chosen strength. A click in the chart below chooses, "
        "too.",
    )  # fmt: skip
    position = texts.index(chosen) if chosen in texts else at
    _list_b_is_of(here, b, along.points.iloc[position], f"{along.symbol} {texts[at]}")
    return Along(along.points, position)


def _path_of(b: str) -> Along:
    """B's path; where it lies on several, the one that is chosen."""
    every = server.ask(paths.paths_through, b)
    names = path_names(every)
    if not names:
        return Along(every, 0)
    path = next(iter(names.values()))
    if len(names) > 1:
        label = st.selectbox(
            "Path of B", list(names), key=PATH, bind="query-params", width=300,
            help="Several methods equal B where they are off, and B may have a strength of its own.",
        )  # fmt: skip
        path = names.get(str(label), path)
    return Along(every[every["path"] == path].reset_index(drop=True), 0)


def _nothing_to_move(label: str, along: Along) -> None:
    """Why there is no slider."""
    st.markdown(":small[Strength of B]")
    name = words.plain(label)
    st.caption(
        f"{name} is the only point of its path that is trained: there is nothing to move along. Train more strengths "
        "on **Sweep**."
        if len(along.points)
        else f"{name} has no debias strength: there is nothing to move along. Pin a setting that has one as B."
    )


def path_names(every: pd.DataFrame) -> dict[str, str]:
    """What the paths are called, and their ids: the method, with a setting of it where two share that name.

    A path of a single point is left out where there are others.
    """
    firsts = every[~every["off"].astype(bool)].drop_duplicates("path")
    firsts = firsts[firsts["points"] > 1] if (firsts["points"] > 1).any() else firsts
    shared = firsts["method_label"].duplicated(keep=False)
    return {
        f"{row.method_label}, as {row.label}" if twice else str(row.method_label): str(row.path)
        for row, twice in zip(firsts.itertuples(), shared, strict=True)
    }


def _list_b_is_of(here: view.View, b: str, point: pd.Series, own: str) -> None:
    """What list B is of, and the button that keeps it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        label = words.plain(point["label"])
        told = f"List B is of **{label}**"
        if point["variant"] != b:
            told += f"; B itself is {own}"
        st.caption(f"{told}.", width="stretch")
        st.button(
            "Pin as B", on_click=pin_b, args=(str(point["variant"]),), disabled=point["variant"] == here.b,
            help="Make the chosen strength B on every page", type="tertiary", icon=":material/keep:",
        )  # fmt: skip


def pin_b(variant: str) -> None:
    """Make that setting B: for a callback."""
    st.session_state[view.B] = variant[: view.SHORT]


def clicked() -> None:
    """A click in the bump chart chooses its strength: the chart's callback."""
    at = view.clicked(st.session_state.get(bump.NAME), bump.PICK, "at")
    if at is not None:
        st.session_state[STRENGTH] = str(at)


def run_of(runs: Mapping[int, str], seed: int) -> str:
    """A setting's run of that seed; its first where it has none (what has no chance in it is run once).

    >>> run_of({0: "r0", 1: "r1"}, 1), run_of({0: "r0"}, 1)
    ('r1', 'r0')
    """
    return runs.get(seed, next(iter(runs.values())))


def along_the_path(
    here: view.View, along: Along, compared: tuple[str, str], seed: int, asked: Asked, kept: Kept
) -> None:
    """How this user's list changes over the strength: the bump chart and its numbers. compared: variants A and B."""
    if not along.is_path:
        return
    st.header("Along the strength of B")
    runs = tuple(along.runs(seed))
    found = kept.lists[kept.lists["run"].isin(runs)]
    if found.empty:
        st.caption(f"Nothing of this user is held out in {asked.split}, so no list along the path was kept.")
        return
    places = dict(zip(along.points["variant"], range(len(along.points)), strict=True))
    pins = {letter: places[variant] for letter, variant in zip("AB", compared, strict=True) if variant in places}
    path = bump.Path(
        along.method, along.symbol, tuple(along.texts), runs, along.chosen, asked.cutoff, asked.split, pins
    )
    rows = bump.placed(found, path)
    said, ranks = bump.takeaway(rows, path), bump.ranks(rows, path)
    charts.chart(
        bump.bump(rows, path),
        bump.NAME,
        said,
        ranks,
        f"The list of user {asked.user} along {along.method}",
        f"user-along-{here.facts['name']}",
        source(here, asked.split),
        on_select=clicked,
        selection_mode=[bump.PICK],
    )
    as_trained = " The chart is of the lists as trained." if asked.penalty else ""
    st.caption(f"{words.plain(said)}{as_trained}{_other_seeds(along, seed)}")
    with st.expander("The numbers", icon=":material/table:"):
        _tables(here, rows, path, ranks, asked, kept)


def _other_seeds(along: Along, seed: int) -> str:
    """Which strengths stand there with another seed."""
    lacking = [along.texts[n] for n, seeds in enumerate(along.points["seeds"]) if seed not in seeds]
    if not lacking:
        return ""
    return f" Strength {', '.join(lacking)} has no seed {seed}: its first one is drawn."


def _tables(
    here: view.View, rows: pd.DataFrame, path: bump.Path, ranks: pd.DataFrame, asked: Asked, kept: Kept
) -> None:
    """The chart's numbers: a strength a row, and an item a row."""
    title = key_title(asked.metric)
    config = st.column_config
    steps = bump.steps(rows, path, kept.values, title)
    tables.table(
        steps,
        f"User {asked.user} at every strength",
        {
            title: config.NumberColumn(format=tables.NUMBER),
            "Mean popularity": config.NumberColumn(format="percent", help="Mean share of users who took the items"),
            "New": config.NumberColumn(help="Items that the strength before does not show"),
            "Kept": config.NumberColumn(help="Items of the first strength's list that are still shown"),
        },
        name=f"user-steps-{here.facts['name']}",
        key="steps",
        height="content",
    )
    tables.table(
        ranks,
        f"Rank of every item at every strength, user {asked.user}",
        {
            "Item": config.TextColumn(width=220),
            "Taken": config.TextColumn(help=f"The user took it in {asked.split}"),
            "Popularity": config.NumberColumn(format="percent", help="Share of users who took the item"),
        },
        key="ranks",
        height=320,
    )


def source(here: view.View, split: str) -> str:
    """Where the numbers are from: Users has a split of its own."""
    return f"{here.title}{', simulated' if here.simulated else ''}; {provenance(split, here.protocol)}"
