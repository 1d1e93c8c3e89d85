"""Data: choose or fetch a data set, add one's own, add lists made elsewhere, and look at how popularity is spread."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.charts import popularity
from core.datasets import store
from core.datasets.catalogue import CATALOGUE
from core.jobs import control
from core.jobs.queue import ACTIVE, Job, Kind
from core.warehouse import queries
from pages.shared import adding, boundary, charts, frame, importing, jobs, server, tables, view, words

TAB, WHICH = "tab", "remove_which"
THREE_LINES = 64  # pixels
SPLITS = ("train", "validation", "test")
HOT_SHARES = tuple(range(1, 51))
HOT_SHARE = 15  # percent of the items that count as hot in every metric (core/datasets/popularity.py)


def fetch(name: str) -> None:
    """Queue fetching and preparing a known data set: for a button's callback."""
    with boundary.attempt("fetching the data set"):
        control.request_dataset(server.settings(), name)
        boundary.say(f"{CATALOGUE[name].title} is fetched in the background.")


def remove(dataset: str) -> None:
    """Remove a prepared data set: for a button's callback."""
    with boundary.attempt("removing the data set"):
        store.remove_dataset(server.settings(), dataset)
        st.session_state[WHICH] = None
        boundary.say("Removed. Its finished runs are kept.")


def choose() -> None:
    """What is prepared, and what can be fetched."""
    sets = server.ask(queries.datasets)
    st.header("Prepared")
    if sets.empty:
        st.info(
            "No data set is prepared yet. Fetch one below, or import your own under **Add**.",
            icon=":material/database:",
        )
    else:
        prepared(sets)
    st.header("Fetch a well-known one")
    under_way = {
        str(job.payload.get("name")): job for job in jobs.queue().jobs(kind=Kind.PREPARE) if job.state in ACTIVE
    }
    with st.container(border=True, gap="xsmall"):
        for name in CATALOGUE:
            known_one(name, under_way.get(name), there=len(sets) > 0 and bool((sets["name"] == name).any()))
    if under_way:
        jobs.live_bars()
    for job in jobs.queue().jobs(kind=Kind.PREPARE, limit=1):
        if job.state == "failed":
            jobs.failure(job)


def known_one(name: str, job: Job | None, there: bool) -> None:
    """One row of the catalogue: size, licence, and the button or what is happening."""
    known = CATALOGUE[name]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"**{words.plain(known.title)}** {':orange-badge[simulated]' if known.simulated else ''}  \n"
            f":small[{words.plain(known.size)}. {words.plain(known.licence)}]",
            width="stretch",
        )
        if job:
            st.caption(jobs.step(job), width="content")
            return
        verb = "Generate" if known.simulated else "Fetch"
        label, icon = (f"{verb} again", ":material/refresh:") if there else (verb, ":material/download:")
        st.button(label, icon=icon, key=f"fetch_{name}", on_click=fetch, args=(name,), help=known.citation or None)


def prepared(sets: pd.DataFrame) -> None:
    """The prepared data sets as a table."""
    shown = pd.DataFrame(
        {
            "Data set": [f"{t}\nsimulated" if s else t for t, s in zip(sets["title"], sets["simulated"], strict=True)],
            "Users": sets["users"],
            "Items": sets["items"],
            "Interactions": sets["interactions"],
            "Density": sets["density"],
            "Prepared how": sets["prepared_how"],
            "Source": sets["source"],
            "Licence": sets["licence"],
            "Id": sets["dataset"],
        }
    )
    config = st.column_config
    number = config.NumberColumn(format="localized", width=72)
    tables.table(
        shown,
        "Prepared data sets",
        {
            "Data set": config.TextColumn(width=125),
            "Users": number,
            "Items": number,
            "Interactions": config.NumberColumn(format="localized", width=88),
            "Density": config.NumberColumn(format="percent", width=66),
            "Prepared how": config.TextColumn(width=190),
            "Source": config.TextColumn(width=170),
            "Licence": config.TextColumn(width=150),
            "Id": config.TextColumn(width=90),
        },
        name="data-sets",
        height="content",
        row_height=THREE_LINES,
        key="prepared",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("The sidebar chooses the one that every page speaks of.", width="content")
        with st.popover("Remove one", icon=":material/delete:", type="tertiary"):
            titles = dict(zip(sets["dataset"], sets["title"], strict=True))
            chosen = st.selectbox(
                "Data set", list(titles), index=None, format_func=lambda d: titles.get(d, "-"), key=WHICH
            )
            st.caption("Its runs stay on disk and come back with it; an import of your own has to be imported again.")
            st.button("Remove", on_click=remove, args=(chosen,), key="remove", disabled=chosen is None)


def look(here: view.View) -> None:
    """How popularity is spread over the chosen data set."""
    if here.dataset is None:
        st.info("There is no data set to look at yet. Fetch one under **Choose**, or import your own under **Add**.")
        return
    facts = here.facts
    st.header(words.plain(here.title))
    with st.grid(5, gap="small"):
        for label, value in (
            ("Users", f"{int(facts['users']):,}"),
            ("Items", f"{int(facts['items']):,}"),
            ("Interactions", f"{int(facts['interactions']):,}"),
            ("Density", words.percent(facts["density"])),
            ("Gini of popularity", words.number(facts["gini"])),
        ):
            st.metric(label, value, border=True)
    sizes = ", ".join(f"{int(facts[n]):,} {n}" for n in SPLITS)
    told = [f"{sizes}. Prepared: {facts['prepared_how']}.", *facts["notes"]]
    st.caption("  \n".join(words.plain(sentence) for sentence in told if sentence))
    long_tail(here)
    spread(here)
    users(here)


def long_tail(here: view.View) -> None:
    """Popularity by rank, with the cut between hot and cold items."""
    items = server.ask(queries.item_popularity, here.dataset)
    left, right = st.columns(2, gap="medium")
    with left.container(border=True, height="stretch"):
        st.subheader("The long tail")
        share = st.select_slider(
            "Hot items",
            HOT_SHARES,
            HOT_SHARE,
            format_func=lambda s: f"{s} % of the items",
            key="cut",
            bind="query-params",
        )
        if share != HOT_SHARE:
            items = items.assign(hot=items["rank"] <= share / 100 * len(items))
        charts.chart(
            popularity.long_tail(items),
            "long_tail",
            popularity.long_tail_takeaway(items),
            items,
            note=charts.data_set(),
        )
        st.caption(f"{popularity.long_tail_takeaway(items)} Metrics always cut at {HOT_SHARE} %, ties being hot.")
    curve = server.ask(queries.lorenz, here.dataset)
    gini = float(here.facts["gini"])
    with right.container(border=True, height="stretch"):
        st.subheader("Inequality")
        charts.chart(
            popularity.lorenz(curve, gini),
            "lorenz",
            popularity.lorenz_takeaway(curve, gini),
            curve,
            note=charts.data_set(),
        )
        st.caption(popularity.lorenz_takeaway(curve, gini))
    with st.expander("The items as a table", icon=":material/table:"):
        shown = items[["rank", "title", "item_id", "year", "genres", "count", "share", "decile", "hot"]]
        config = {
            "share": st.column_config.NumberColumn(format="percent"),
            "year": st.column_config.NumberColumn(format="%d"),
        }
        tables.table(shown, "Items by popularity", config, height=300, key="items")
        tables.download(shown, f"items-{here.facts['name']}", "items_csv")


def spread(here: view.View) -> None:
    """What each popularity decile has, as a chart and a table."""
    shares = server.ask(queries.decile_shares, here.dataset)
    said = popularity.decile_shares_takeaway(shares)
    left, right = st.columns([3, 2], gap="medium")
    with left.container(border=True, height="stretch"):
        st.subheader("Deciles")
        charts.chart(popularity.decile_shares(shares), "deciles", said, shares, note=charts.data_set())
        st.caption(said)
    with right.container(border=True, height="stretch"):
        percent = st.column_config.NumberColumn(format="percent")
        shown = shares.rename(
            columns={"train_share": "of train", "test_share": "of test", "catalogue_share": "of the items"}
        )
        config = {"of train": percent, "of test": percent, "of the items": percent}
        tables.table(shown, "Shares of each popularity decile", config, height="content", key="decile_table")
        tables.download(shares, f"deciles-{here.facts['name']}", "deciles_csv")


def users(here: view.View) -> None:
    """How users differ in the length and the popularity of their profiles."""
    histograms = server.ask(queries.profile_histograms, here.dataset)
    profiles = server.ask(queries.user_profiles, here.dataset)
    for place, (measure, (_, name)) in zip(st.columns(2, gap="medium"), popularity.MEASURES.items(), strict=True):
        said = popularity.profile_takeaway(profiles, measure)
        with place.container(border=True, height="stretch"):
            st.subheader(name.capitalize())
            rows = histograms[histograms["measure"] == measure]
            charts.chart(
                popularity.profile_histogram(histograms, measure),
                f"profile_{measure}",
                said,
                rows,
                note=charts.data_set(),
            )
            st.caption(said)


def page() -> None:
    """The page, top to bottom."""
    here = view.current()
    st.title("Data")
    if here.simulated:
        st.warning(view.SIMULATED, icon=":material/science:")
    names = ["Choose", "Add", "Lists", "Look"]
    choose_tab, add_tab, lists_tab, look_tab = st.tabs(names, key=TAB, bind="query-params")
    with choose_tab:
        if choose_tab.open:
            choose()
    with add_tab:
        if add_tab.open:
            importing.draw()
    with lists_tab:
        if lists_tab.open:
            adding.draw(here)
    with look_tab:
        if look_tab.open:
            look(here)


frame.enter()
page()
