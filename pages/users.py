"""Users: what one user would be shown under two settings, beside what this user took."""

from __future__ import annotations

import random

import pandas as pd
import streamlit as st

from core.charts import users as charts
from core.warehouse import queries
from pages.shared import boundary, frame, lists, server, tables, view, words

USER, FIND, ORDER, SPLIT, SEED, FIRST = "user", "find", "order", "held_out", "seed", "first_user"
ORDERS = {
    "lists differ most": "lists",
    "gains most": "gain",
    "loses most": "loss",
    "turns to the long tail most": "popularity",
}
OFFERED = 100
THREE_LINES = 57  # pixels: Streamlit wraps text in rows higher than 56
SIDE_BY_SIDE = 400  # pixels: narrower, and the lists stand below each other


def compared(here: view.View) -> tuple[str | None, str | None]:
    """The two settings side by side, each pin on its own side. Beside a single pin stands the baseline; without any,
    the strongest AUC-NS stands beside it."""
    if here.a and here.b:
        return here.a, here.b
    one = here.a or here.b or strongest(here)
    beside = here.baseline if here.baseline != one else other_than(here, one)
    return (one, beside) if here.a else (beside, one)


def strongest(here: view.View) -> str | None:
    """The AUC-NS setting of the largest strength; another one where there is none."""
    found = here.variants[here.variants["method"] == "auc_ns"].sort_values("strength")
    return str(found["variant"].iloc[-1]) if len(found) else other_than(here, here.baseline)


def other_than(here: view.View, variant: str | None) -> str | None:
    """A setting that is another one; None where there is no other."""
    others = here.variants.loc[here.variants["variant"] != variant, "variant"]
    return str(others.iloc[-1]) if len(others) else None


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


def go_to(user: str) -> None:
    """Show that user: for callbacks."""
    st.session_state[USER] = user


def anyone(dataset: str) -> None:
    """Show a user at random: for a callback. Nobody where the data set has gone meanwhile."""
    with boundary.attempt("the choice of a user"):
        if users := list(server.ask(queries.user_profiles, dataset)["user_id"]):
            go_to(random.choice(users))


def begin_again() -> None:
    """Show the first of the users who are found next: for callbacks of what finds and orders them."""
    st.session_state[USER] = None
    st.session_state[FIRST] = True


def candidates(here: view.View, runs: tuple[str, str], split: str, cutoff: int) -> tuple[list[str], str]:
    """The users to choose from, best first, and how they came about."""
    text = str(st.session_state.get(FIND, "") or "").strip()
    if text:
        found = server.ask(queries.find_users, here.dataset, text, OFFERED)
        exact = found["user_id"] == text
        told = (
            f"{words.count(len(found), 'user')} found by id or by a title they took"
            if len(found) < OFFERED
            else f"the first {OFFERED} users found by id or by a title they took"
        )
        return list(found.loc[exact, "user_id"]) + list(found.loc[~exact, "user_id"]), told
    order = ORDERS.get(st.session_state.get(ORDER, ""), "lists")
    found = server.ask(queries.users_by_change, *runs, split, OFFERED, order, cutoff)
    return list(found["user_id"]), f"{len(found):,} users, those first whose list {_named(order)}"


def _named(order: str) -> str:
    return (
        next(name for name, key in ORDERS.items() if key == order)
        .removeprefix("lists ")
        .replace("differ most", "differs most")
    )


def choose_user(here: view.View, runs: tuple[str, str], split: str, cutoff: int) -> str | None:
    """The row of widgets that chooses a user."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Find by id or title", key=FIND, bind="query-params", placeholder="405, or fargo", max_chars=80, width=190,
            on_change=begin_again,
        )  # fmt: skip
        st.selectbox(
            "First the user whose list", list(ORDERS), key=ORDER, bind="query-params", width=210, on_change=begin_again
        )
        offered, told = candidates(here, runs, split, cutoff)
        first = st.session_state.pop(FIRST, False)
        asked = None if first else st.session_state.get(USER) or st.query_params.get(USER)
        if asked and asked not in offered and len(server.ask(queries.user, here.dataset, str(asked), split)):
            offered = [str(asked), *offered]
        if not offered:
            st.caption("Nobody matches. Try a part of an id, or a word of a title.")
            return None
        if asked not in offered:
            st.session_state[USER] = offered[0]
        # no default: whoever was chosen by Random or Next would be it, left out of the URL, and lost in a fresh browser
        user = st.selectbox("User", offered, index=None, key=USER, bind="query-params", width=130) or offered[0]
        later = offered[(offered.index(user) + 1) % len(offered)]
        st.button(
            "Next", icon=":material/arrow_forward:", on_click=go_to, args=(later,), help="The next in this order."
        )
        st.button("Random", icon=":material/casino:", on_click=anyone, args=(here.dataset,))
    st.caption(f"{told[0].upper()}{told[1:]}.")
    return user


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


def one_list(side: str, here: view.View, variant: str, frame: pd.DataFrame, most: float) -> None:
    """One of the two lists, under its name."""
    free = "" if variant in {here.a, here.b} else " :small[:gray[not pinned]]"
    st.markdown(f":{view.ACCENTS[side]}-badge[{side}] **{words.plain(here.label(variant))}**{free}")
    if frame.empty:
        st.info("No list: this user has nothing held out in this split. Choose the other split, or another user.")
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
    user = choose_user(here, runs, split, cutoff)
    if user is None:
        return
    facts = server.ask(queries.user, here.dataset, user, split)
    if facts.empty:
        st.warning("There is no such user in this data set.")
        return
    shown = [server.ask(queries.user_list, run, user, split).head(cutoff) for run in runs]
    history = server.ask(queries.user_history, here.dataset, user, split)
    profile(facts.iloc[0], history, split)
    held_out = server.ask(queries.user_held_out, here.dataset, user, split)
    most = max([0.01, *(frame["popularity"].max() for frame in (*shown, history, held_out) if len(frame))])
    pair = st.grid(2, gap="medium", min_column_width=SIDE_BY_SIDE)
    with pair.cell():
        one_list("A", here, first, lists.with_marks(shown[0], shown[1], "dropped"), most)
    with pair.cell():
        one_list("B", here, second, lists.with_marks(shown[1], shown[0], "new"), most)
    by_name = {f"A: {here.label(first)}": shown[0], f"B: {here.label(second)}": shown[1]}
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
