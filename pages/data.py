"""Data: choose or fetch a data set, add one's own, and look at how popularity is spread in it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.datasets import store
from core.datasets.catalogue import CATALOGUE
from core.jobs import control
from core.jobs.queue import ACTIVE, Kind
from core.warehouse import queries
from pages.shared import boundary, frame, jobs, server, tables, view, words

TAB = "tab"


def fetch(name: str) -> None:
    """Queue fetching and preparing a known data set: for a button's callback."""
    with boundary.attempt("fetching the data set"):
        control.request_dataset(server.settings(), name)
        boundary.say(f"{CATALOGUE[name].title} is fetched in the background.")


def remove(dataset: str) -> None:
    """Remove a prepared data set: for a button's callback."""
    with boundary.attempt("removing the data set"):
        store.remove_dataset(server.settings(), dataset)
        boundary.say("Removed. Its finished runs are kept.")


def choose() -> None:
    """What is prepared, and what can be fetched."""
    sets = server.ask(queries.datasets)
    st.subheader("Prepared")
    if sets.empty:
        st.info("No data set is prepared yet. Fetch one below, or import your own under **Add**.", icon=":material/database:")
    else:
        prepared(sets)
    st.subheader("Fetch a well-known one")
    under_way = {str(job.payload.get("name")): job for job in jobs.queue().jobs(kind=Kind.PREPARE) if job.state in ACTIVE}
    for name, known in CATALOGUE.items():
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{words.plain(known.title)}**  \n:small[{words.plain(known.line)}]", width="stretch")
            if name in under_way:
                st.caption(jobs.step(under_way[name]), width="content")
            else:
                there = len(sets) and (sets["name"] == name).any()
                st.button(
                    "Fetch again" if there else "Fetch",
                    icon=":material/refresh:" if there else ":material/download:",
                    key=f"fetch_{name}",
                    on_click=fetch,
                    args=(name,),
                )
    if under_way:
        jobs.live_bars()
    for job in jobs.queue().jobs(kind=Kind.PREPARE, limit=1):
        if job.state == "failed":
            jobs.failure(job)


def prepared(sets: pd.DataFrame) -> None:
    """The prepared data sets as a table."""
    shown = pd.DataFrame(
        {
            "Data set": sets["title"],
            "Simulated": ["simulated" if s else "" for s in sets["simulated"]],
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
    number = config.NumberColumn(format="localized")
    tables.table(
        shown,
        "Prepared data sets",
        {"Users": number, "Items": number, "Interactions": number, "Density": config.NumberColumn(format="percent")},
        height="content",
        key="prepared",
    )
    st.caption("The sidebar chooses the one that every page speaks of.")


frame.enter()
st.title("Data")
choose_tab, add_tab, look_tab = st.tabs(["Choose", "Add", "Look"], key=TAB, bind="query-params")
