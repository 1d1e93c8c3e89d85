"""Users: what one user would be shown under two settings, beside what this user took, and along B's debias strength."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from core.charts import two_lists
from core.charts import users as taste
from core.charts.text import metric_name
from core.evaluation.groups import USER_GROUPS
from core.evaluation.metrics import CUTOFFS, key_title
from core.warehouse import finding_users, paths, queries
from pages.shared import along, charts, frame, lists, people, server, tables, view, words
from pages.shared.lists import Asked, Kept, Side
from pages.shared.pair import compared, standing_in

ORDER, GROUP, SEED, PENALTY = "order", "group", "seed", "penalty"
DETAILS = "details"
ORDERS = {
    "largest change": "lists",
    "largest loss": "loss",
    "largest gain": "gain",
    "largest fall of popularity": "popularity",
}
EVERYBODY = "all users"
THREE_LINES = 57  # pixels: Streamlit wraps text in rows higher than 56
STRONGEST, STEP = 1.0, 0.01  # popularity penalties to try
NARROW = 300  # pixels: narrower, and what stands side by side stands below each other
THIRD = 310  # the same for the history beside both lists: a window of 1,400 pixels has room for the three
MARKS = {lists.HIT: "green", "new": "blue", "dropped": "orange", "same": "gray"}
MARKS |= {f"{way} {n}": "gray" for way in ("up", "down") for n in range(1, max(CUTOFFS))}
"""The words beside an item, and the ground they stand on; the words say it all."""


# ---------------------------------------------------------------- which user


def choose_order() -> None:
    """The widgets that order the users, and choose a group of them."""
    st.selectbox(
        "Next user by", list(ORDERS), key=ORDER, bind="query-params", width=190, on_change=people.begin_again,
        help="Largest change: fewest items in common. Loss and gain are of the accuracy metric in the sidebar.",
    )  # fmt: skip
    st.selectbox(
        "Group", [EVERYBODY, *USER_GROUPS], key=GROUP, bind="query-params", width=120, on_change=people.begin_again,
        help="Users by how popular the items of their profile are: the lowest and the highest fifth, and all between.",
    )  # fmt: skip


def chosen_group() -> str | None:
    """The group of users that is asked for; None for all."""
    asked = st.session_state.get(GROUP) or st.query_params.get(GROUP)
    return asked if asked in USER_GROUPS else None


def by_change(dataset: str, sides: tuple[Side, Side], split: str, cutoff: int, metric: str) -> tuple[list[str], str]:
    """All users who have both lists, in the order that is asked for, and that order in words.

    By id where nobody has two lists: added ones need not be of this split.
    """
    order = ORDERS.get(st.session_state.get(ORDER, ""), "lists")
    a, b = sides
    found = server.ask(finding_users.ids_by_change, a.run, b.run, split, order, cutoff, chosen_group(), metric)
    if not found:
        return people.by_id(dataset, chosen_group())
    name = metric_name(metric)
    return found, {
        "lists": f"fewest items in common first, then the largest change of {name}",
        "loss": f"largest loss of {name} from A to B first",
        "gain": f"largest gain of {name} from A to B first",
        "popularity": "largest fall of the mean popularity from A to B first",
    }[order]


def profile(facts: pd.Series, history: pd.DataFrame, split: str) -> None:
    """Who this is, in one line, of the same items that the chart and the table below show."""
    told = f"User **{words.plain(facts['user_id'])}** took {words.count(len(history), 'item')}"
    if len(history):
        told += (
            f", **{facts['user_group']}** taste: the mean item was taken by "
            f"{words.percent(history['popularity'].mean())} of users, "
            f"and {words.percent(history['hot'].mean())} of the items are hot"
        )
    held_out = int(facts["held_out"])
    ending = "" if held_out else " Lists of this user were not evaluated: they are scored now."
    st.markdown(f"{told}. Held out in {split}: {held_out}.{ending}")


# ---------------------------------------------------------------- the lists


def choose_penalty(added: str) -> float:
    """The slider that re-ranks both lists, and what it did. 0: the lists as they were evaluated.

    added: the sides ("A", "B") that nothing can re-rank, since they were added and not trained here.
    """
    penalty = st.slider(
        "Popularity penalty, of both lists", 0.0, STRONGEST, 0.0, STEP, key=PENALTY, bind="query-params",
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
    st.caption(told)  # always there, so that the lists do not jump while the slider moves
    return float(penalty)


def kept_of(runs: tuple[str, ...], asked: Asked) -> Kept:
    """What was measured of the user under those runs: one question each to all their lists and values."""
    found = server.ask(paths.values_along, runs, asked.user, asked.metric, asked.split)
    values = found.set_index("run")["value"].astype(float)
    return Kept(server.ask(paths.lists_along, runs, asked.user, asked.split, asked.cutoff), values)


def shown_list(side: Side, asked: Asked, held_out: int, kept: Kept) -> pd.DataFrame:
    """What a run shows the user: as it was evaluated, or scored now where it is re-ranked or nothing is held out."""
    penalty = asked.penalty if asked.penalty and not side.added else None
    if penalty is None and (held_out or side.added):
        return kept.of(side.run)
    return server.ask(queries.reranked_list, side.run, asked.user, asked.split, asked.cutoff, penalty)


def numbers(
    sides: tuple[Side, Side], shown: list[pd.DataFrame], asked: Asked, held_out: int, kept: Kept, wanted: str
) -> None:
    """This user's numbers under both settings, with the difference. A re-ranked list was not measured."""
    a, b = (math.nan if asked.penalty and not side.added else kept.value(side.run) for side in sides)
    found = two_lists.numbers(shown[0], shown[1], asked.metric, a, b, held_out)
    config = st.column_config
    tables.table(
        found,
        f"What user {asked.user} gets from A and from B",
        {
            "Measure": config.TextColumn(
                "This user", width=128, help="Percentile: of 100 items, how many fewer users took."
            ),
            "A": config.TextColumn(width=46),
            "B": config.TextColumn(width=46),
            "B - A": config.TextColumn(width=76),
        },
        key="numbers",
        height="content",
    )
    if asked.metric != wanted:
        st.caption(
            f"{key_title(wanted)} needs scores, which lists added do not have: {key_title(asked.metric)} instead."
        )
    elif asked.penalty:
        st.caption(f"{key_title(asked.metric)} is measured for lists as trained, so not for re-ranked ones.")


def columns(most: float) -> dict[str, object]:
    """How the columns of lists of items are drawn."""
    config = st.column_config
    return {
        "#": config.NumberColumn(width=26),
        "Title": config.TextColumn(width=98),
        "Shown to": config.ProgressColumn(
            "Popularity",
            format="percent",
            min_value=0,
            max_value=most,
            width=68,
            help="Share of users who took the item.",
        ),
        "Percentile": config.NumberColumn("Pctl.", width=34, help=lists.PERCENTILE),
        "Marks": config.MultiselectColumn(
            "Marks",
            width=72,
            options=list(MARKS),
            color=[MARKS[word] for word in MARKS],
            help="Against the other list: same place, up so many places here, down, or only here: new in B, dropped "
            "from A. Hit: the user took it in the held-out split.",
        ),
        "Score": config.NumberColumn(format="%.2f", width=50, help="What the model gives it for this user."),
        "Genres": config.TextColumn(width=94),
    }


def one_list(side: Side, here: view.View, marked: pd.DataFrame, most: float, asked: Asked, detailed: bool) -> None:
    """One of the two lists, under its name."""
    free = "" if side.variant in {here.a, here.b} else " :small[:gray[not pinned]]"
    penalty = asked.penalty
    if side.added:
        penalty, free = 0.0, f" :gray-badge[:material/upload_file: added, not trained here]{free}"
    again = f" :gray-badge[:material/swap_vert: re-ranked, penalty {penalty:g}]" if penalty else ""
    label = here.label(side.variant)
    st.markdown(f":{view.ACCENTS[side.name]}-badge[{side.name}] **{words.plain(label)}**{again}{free}")
    if marked.empty:
        st.info(
            "No list: the lists added have none for this user in this split."
            if side.added
            else "No list: this user took everything that could be shown."
        )
        return
    left_out = [] if detailed else ["Genres", "Score"]
    if marked["Genres"].isna().all():
        left_out.append("Genres")
    rows = marked.drop(columns=left_out, errors="ignore")
    tables.table(
        rows,
        f"What {label} shows this user",
        columns(most),
        key=f"list_{side.name}",
        height="content",
        row_height=THREE_LINES,
    )


def taken(title: str, frame: pd.DataFrame, empty: str, most: float, key: str, detailed: bool) -> None:
    """Items that the user took."""
    known = frame["timestamp"].notna().any()
    told = "" if frame.empty else ", most recent first" if known else ", most popular first: no times are known"
    st.markdown(f"**{title}**{told}")
    if frame.empty:
        st.caption(empty)
        return
    shown = pd.DataFrame({"Title": lists.titles(frame), "Shown to": frame["popularity"]})
    if frame["rating"].notna().any():
        shown.insert(1, "Rating", frame["rating"])
    if detailed and frame["genres"].notna().any():
        shown["Genres"] = frame["genres"]
    tables.table(
        shown,
        f"{title}{told}",
        {
            **columns(most),
            "Title": st.column_config.TextColumn(width=170),
            "Rating": st.column_config.NumberColumn("Rated", format="%.1f", width=46),
            "Genres": st.column_config.TextColumn(width=160),
        },
        height=284,
        key=key,
    )


# ---------------------------------------------------------------- the page


def missing(here: view.View) -> None:
    """What is needed before anything can be compared."""
    need = "a data set" if here.dataset is None else "two trained settings"
    st.info(f"Comparing what users are shown needs {need}. Start on **{'Data' if here.dataset is None else 'Sweep'}**.")
    where = "data" if here.dataset is None else "sweep"
    st.page_link(f"pages/{where}.py", label=f"Open {where.capitalize()}", icon=":material/arrow_forward:")


def choose_seed(seeds: list[int]) -> int:
    """Whose lists are shown."""
    return int(st.selectbox("Seed", seeds, key=SEED, bind="query-params", width=90))


def both_lists(
    here: view.View,
    sides: tuple[Side, Side],
    shown: list[pd.DataFrame],
    asked: Asked,
    history: pd.DataFrame,
    held_out: pd.DataFrame,
) -> None:
    """What the user took, and the two lists: beside each other where there is room, else the lists below."""
    most = max([0.01, *(frame["popularity"].max() for frame in (*shown, history, held_out) if len(frame))])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if all(len(one) for one in shown):
            st.markdown(f"**{two_lists.sentence(two_lists.apart(*shown))}**", width="stretch")
        else:
            st.caption("Nothing to compare: a list is missing.", width="stretch")
        detailed = st.toggle(
            "Genres and scores", key=DETAILS, bind="query-params", help="Wider lists, below the history"
        )
    room = st.grid(1 if detailed else 3, gap="small", min_column_width=THIRD)
    with room.cell():
        before = st.grid(2, gap="small", min_column_width=NARROW)
        with before.cell():
            taken("Took before", history, "Nothing.", most, "history", detailed)
        with before.cell():
            taken(
                f"Took in {asked.split}",
                held_out,
                "Nothing was held out for this user.",
                most,
                "held_out_items",
                detailed,
            )
    with room.cell(column_span=1 if detailed else 2):
        pair = st.grid(2, gap="small", min_column_width=NARROW)
        for side, own, other, gone in zip(sides, shown, reversed(shown), ("dropped", "new"), strict=True):
            with pair.cell():
                one_list(side, here, lists.with_marks(own, other, gone), most, asked, detailed)


def how_popular(
    here: view.View, sides: tuple[Side, Side], shown: list[pd.DataFrame], asked: Asked, history: pd.DataFrame
) -> None:
    """The profile against the lists."""
    by_name = {
        f"{side.name}{' re-ranked' if asked.penalty and not side.added else ''}: {here.label(side.variant)}": own
        for side, own in zip(sides, shown, strict=True)
    }
    said = taste.takeaway(history, by_name)
    st.header("How popular: the profile against the lists")
    charts.chart(
        taste.popularity(history, by_name),
        taste.NAME,
        said,
        taste.table(history, by_name),
        f"Popularity of what user {asked.user} took and is shown",
        f"user-popularity-{here.facts['name']}",
        along.source(here, asked.split),
    )
    st.caption(said)


def chosen_sides(added: dict[str, bool], a: str, b: str, seed: int) -> tuple[Side, Side]:
    """Both settings with their runs of that seed. added: by side, are they lists that somebody added?"""
    runs = server.ask(paths.seeds_of, (a, b))
    found = []
    for name, variant in (("A", a), ("B", b)):
        own = runs[runs["variant"] == variant]
        run = along.run_of(dict(zip(own["seed"], own["run"], strict=True)), seed)
        found.append(Side(name, variant, run, added[name]))
    return found[0], found[1]


def page() -> None:
    """The page, top to bottom."""
    here = view.current()
    head, options = st.columns([3, 2], vertical_alignment="bottom")
    head.title("Users")
    first, second = compared(here)
    if here.dataset is None or first is None or second is None:
        missing(here)
        return
    view.notice(here)
    if told := standing_in(here):
        st.caption(told)
    # what is chosen below decides who is offered above, so the places come first
    row, who, knobs = st.container(), st.container(), st.grid(2, gap="small", min_column_width=NARROW)
    with knobs.cell():
        path = along.choose_path(here, second)
        added = {"A": here.is_added(first), "B": here.is_added(second)}
        penalty = choose_penalty(" and ".join(name for name, is_added in added.items() if is_added))
    shown_b = str(path.points["variant"].iloc[path.chosen]) if path.is_path else second
    seeds = {int(seed) for seed in server.ask(paths.seeds_of, (first, second))["seed"]} | path.seeds()
    with options.container(horizontal=True, horizontal_alignment="right", vertical_alignment="bottom", gap="small"):
        seed = choose_seed(sorted(seeds))
    split = here.split
    sides = chosen_sides(added, first, shown_b, seed)
    cutoff = view.cutoff()
    metric = server.ask(finding_users.metric_for, (sides[0].run, sides[1].run), here.accuracy, cutoff)
    with row:
        user = people.choose(
            here.dataset, lambda: by_change(str(here.dataset), sides, split, cutoff, metric), choose_order, split,
            chosen_group(),
        )  # fmt: skip
    if user is None:
        return
    facts = server.ask(queries.user, here.dataset, user, split)
    if facts.empty:
        st.warning("There is no such user in this data set.")
        return
    asked = Asked(user, split, cutoff, penalty, metric)
    history = server.ask(queries.user_history, here.dataset, user, split)
    held_out = server.ask(queries.user_held_out, here.dataset, user, split)
    with who:
        profile(facts.iloc[0], history, split)
    kept = kept_of((sides[0].run, *(path.runs(seed) if path.is_path else [sides[1].run])), asked)
    shown = [shown_list(side, asked, len(held_out), kept) for side in sides]
    with knobs.cell():
        numbers(sides, shown, asked, len(held_out), kept, here.accuracy)
    both_lists(here, sides, shown, asked, history, held_out)
    along.along_the_path(here, path, (first, second), seed, asked, kept)
    how_popular(here, sides, shown, asked, history)


frame.enter()
page()
