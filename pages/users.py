"""Users: what one user would be shown under two settings, beside what this user took."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.charts import users as charts
from core.warehouse import finding_users, queries
from pages.shared import frame, lists, people, server, tables, view, words
from pages.shared.pair import compared

ORDER, SPLIT, SEED, PENALTY = "order", "held_out", "seed", "penalty"
ORDERS = {
    "lists differ most": "lists",
    "gains most": "gain",
    "loses most": "loss",
    "turns to the long tail most": "popularity",
}
THREE_LINES = 57  # pixels: Streamlit wraps text in rows higher than 56
STRONGEST, STEP = 1.0, 0.01  # popularity penalties to try
SIDE_BY_SIDE = 400  # pixels: narrower, and the lists stand below each other


def run_of(here: view.View, variant: str, seed: int) -> str:
    """The variant's run of that seed; its first where it has none (what has no chance in it is run once)."""
    runs = server.ask(queries.runs, here.dataset)
    runs = runs[(runs["variant"] == variant) & runs["bootstrap"].isna()]
    exact = runs[runs["seed"] == seed]
    return str((exact if len(exact) else runs)["run"].iloc[0])


def seeds_of(here: view.View, variants: list[str]) -> list[int]:
    """Every seed that one of the settings has."""
    runs = server.ask(queries.runs, here.dataset)
    return sorted({int(seed) for seed in runs.loc[runs["variant"].isin(variants), "seed"]})


def by_change(dataset: str, runs: tuple[str, str], split: str, cutoff: int) -> tuple[list[str], str]:
    """The users to choose from, those first whose lists differ as is asked for, and how they came about.

    By id where nobody has two lists: added ones need not be of this split.
    """
    order = ORDERS.get(st.session_state.get(ORDER, ""), "lists")
    found = server.ask(finding_users.users_by_change, *runs, split, people.OFFERED, order, cutoff)
    if found.empty:
        return people.by_id(dataset)
    return list(found["user_id"]), f"{len(found):,} users, those first whose list {_named(order)}"


def _named(order: str) -> str:
    return (
        next(name for name, key in ORDERS.items() if key == order)
        .removeprefix("lists ")
        .replace("differ most", "differs most")
    )


def choose_order() -> None:
    """The widget that orders the users."""
    st.selectbox(
        "First the user whose list", list(ORDERS), key=ORDER, bind="query-params", width=210,
        on_change=people.begin_again,
    )  # fmt: skip


def choose_penalty(added: str) -> float:
    """The slider that re-ranks both lists, and what it did. 0: the lists as they were evaluated.

    added: the sides ("A", "B") that nothing can re-rank, since they were added and not trained here.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        penalty = st.slider(
            "Popularity penalty", 0.0, STRONGEST, 0.0, STEP, key=PENALTY, bind="query-params", width=280,
            help="Re-ranks both lists at once, without training: every score loses so many times log(1 + users who "
            "took the item), in units of the spread of this user's scores. It replaces a penalty that a setting has "
            "of its own. 0: the lists as trained.",
        )  # fmt: skip
        told = (
            f"**Re-ranked, not trained:** both lists with a popularity penalty of {penalty:g}. To see what it does "
            "for everybody, train it: the reference *Popularity penalty* on **Sweep**."
            if penalty
            else "Off: both lists as they were trained."
        )
        if penalty and added:
            told += f" Except {added}: lists added have no scores to re-rank."
        st.caption(told, width=520)  # always there, so that the lists do not jump while the slider moves
    return float(penalty)


def shown_list(run: str, user: str, split: str, cutoff: int, penalty: float) -> pd.DataFrame:
    """What a run shows the user: as it was evaluated, or re-ranked now."""
    if penalty:
        return server.ask(queries.reranked_list, run, user, split, cutoff, penalty)
    return server.ask(queries.user_list, run, user, split).head(cutoff)


def profile(facts: pd.Series, history: pd.DataFrame, split: str) -> None:
    """Who this is, in one line, of the same items that the chart and the table below show."""
    told = f"User **{words.plain(facts['user_id'])}** took {words.count(len(history), 'item')}"
    if len(history):
        told += (
            f", **{facts['user_group']}** taste: the mean item was taken by "
            f"{words.percent(history['popularity'].mean())} of users, "
            f"and {words.percent(history['hot'].mean())} of the items are hot"
        )
    st.markdown(f"{told}. Held out in {split}: {int(facts['held_out'])}.")


def columns(most: float) -> dict[str, object]:
    """How the columns of lists of items are drawn."""
    config = st.column_config
    return {
        "#": config.NumberColumn(width=30),
        "Title": config.TextColumn(width=130),
        "Shown to": config.ProgressColumn(
            "Popularity",
            format="percent",
            min_value=0,
            max_value=most,
            width=86,
            help="Share of users who took the item.",
        ),
        "Change": config.TextColumn(
            width=64,
            help="Against the other list: = the same place, ▲ 3 three places higher here, ▼ lower; "
            "new or dropped: only here.",
        ),
        "Took": config.TextColumn(width=44, help="The user took it in the held-out split."),
        "Score": config.NumberColumn(format="%.2f", width=50, help="What the model gives it for this user."),
        "Genres": config.TextColumn(width=94),
    }


def one_list(side: str, here: view.View, variant: str, frame: pd.DataFrame, most: float, penalty: float) -> None:
    """One of the two lists, under its name."""
    free = "" if variant in {here.a, here.b} else " :small[:gray[not pinned]]"
    if here.is_added(variant):
        penalty, free = 0.0, f" :gray-badge[:material/upload_file: added, not trained here]{free}"
    again = f" :gray-badge[:material/swap_vert: re-ranked, penalty {penalty:g}]" if penalty else ""
    st.markdown(f":{view.ACCENTS[side]}-badge[{side}] **{words.plain(here.label(variant))}**{again}{free}")
    if frame.empty:
        st.info(
            "No list: the lists added have none for this user in this split."
            if here.is_added(variant)
            else "No list: this user has nothing held out in this split. Choose the other split, or another user."
        )
        return
    genres = frame["Genres"].notna().any()
    tables.table(
        frame if genres else frame.drop(columns="Genres"),
        f"What {here.label(variant)} shows this user",
        columns(most),
        key=f"list_{side}",
        height="content",
        row_height=THREE_LINES if genres else None,
    )


def taken(title: str, frame: pd.DataFrame, empty: str, most: float, key: str) -> None:
    """Items that the user took."""
    st.subheader(title)
    if frame.empty:
        st.caption(empty)
        return
    known = frame["timestamp"].notna().any()
    st.caption("The most recent first." if known else "The most popular first: no times are known.")
    shown = pd.DataFrame({"Title": lists.titles(frame), "Shown to": frame["popularity"], "Genres": frame["genres"]})
    if frame["rating"].notna().any():
        shown.insert(1, "Rating", frame["rating"])
    tables.table(
        shown,
        title,
        {
            **columns(most),
            "Title": st.column_config.TextColumn(width=200),
            "Rating": st.column_config.NumberColumn(format="%.1f", width=52),
            "Genres": st.column_config.TextColumn(width=160),
        },
        height=320,
        key=key,
    )


def page() -> None:
    """The page, top to bottom."""
    here = view.current()
    head, options = st.columns([3, 2], vertical_alignment="bottom")
    head.title("Users")
    first, second = compared(here)
    if here.dataset is None or first is None or second is None:
        need = "a data set" if here.dataset is None else "two trained settings"
        st.info(
            f"Comparing what users are shown needs {need}. Start on **{'Data' if here.dataset is None else 'Sweep'}**."
        )
        where = "data" if here.dataset is None else "sweep"
        st.page_link(f"pages/{where}.py", label=f"Open {where.capitalize()}", icon=":material/arrow_forward:")
        return
    view.notice(here)
    cutoff = view.cutoff()
    with options.container(horizontal=True, horizontal_alignment="right", vertical_alignment="bottom", gap="small"):
        seeds = seeds_of(here, [first, second])
        splits = ["test", "validation"] if here.protocol == "validation" else ["test"]
        split = (
            st.segmented_control("Held out", splits, default="test", key=SPLIT, bind="query-params", required=True)
            or "test"
        )
        seed = st.selectbox("Seed", seeds, key=SEED, bind="query-params", width=90)
    runs = (run_of(here, first, seed), run_of(here, second, seed))
    user = people.choose(here.dataset, lambda: by_change(str(here.dataset), runs, split, cutoff), choose_order, split)
    if user is None:
        return
    facts = server.ask(queries.user, here.dataset, user, split)
    if facts.empty:
        st.warning("There is no such user in this data set.")
        return
    history = server.ask(queries.user_history, here.dataset, user, split)
    profile(facts.iloc[0], history, split)
    is_added = {"A": here.is_added(first), "B": here.is_added(second)}
    penalty = choose_penalty(" and ".join(side for side, added in is_added.items() if added))
    penalties = [0.0 if added else penalty for added in is_added.values()]
    shown = [shown_list(run, user, split, cutoff, own) for run, own in zip(runs, penalties, strict=True)]
    held_out = server.ask(queries.user_held_out, here.dataset, user, split)
    most = max([0.01, *(frame["popularity"].max() for frame in (*shown, history, held_out) if len(frame))])
    pair = st.grid(2, gap="medium", min_column_width=SIDE_BY_SIDE)
    with pair.cell():
        one_list("A", here, first, lists.with_marks(shown[0], shown[1], "dropped"), most, penalty)
    with pair.cell():
        one_list("B", here, second, lists.with_marks(shown[1], shown[0], "new"), most, penalty)
    again = [" re-ranked" if own else "" for own in penalties]
    by_name = {f"A{again[0]}: {here.label(first)}": shown[0], f"B{again[1]}: {here.label(second)}": shown[1]}
    said = charts.takeaway(history, by_name)
    st.subheader("How popular: the profile against the lists")
    st.altair_chart(charts.popularity(history, by_name), key="taste", alt=said)
    st.caption(said)
    pair = st.grid(2, gap="medium", min_column_width=SIDE_BY_SIDE)
    with pair.cell():
        taken("Took before", history, "Nothing.", most, "history")
    with pair.cell():
        taken(f"Took in {split}", held_out, "Nothing was held out for this user.", most, "held_out_items")


frame.enter()
page()
