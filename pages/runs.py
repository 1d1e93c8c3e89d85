"""Runs: every run and job in one table; cancel, retry, delete, pin and open them; what failed, by reason.

Here: the filters, what is live, and the opened run under its heading. Not here: the table (shared/run_table.py), what
is done to runs (shared/run_actions.py), what an opened run shows (shared/run_details.py), sweeps and the queue as a
whole (shared/jobs.py), the list itself, which is made in SQL (core/warehouse/run_list.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.jobs.queue import State
from core.models.choices import method_label
from core.warehouse import run_list
from core.warehouse.run_list import LISTED, STATES, RunList, Wanted
from pages.shared import boundary, frame, jobs, run_actions, run_details, run_rows, run_table, server, view, words
from pages.shared.run_rows import CANCEL, DELETE, PIN_A, PIN_B, RETRY, Row

TEXT, STATE, METHOD, DATA, PROTOCOL = "run_text", "run_state", "run_method", "run_data", "run_protocol"
SWEEP, ORDER = "run_sweep", "run_order"
ORDER_NAMES = {
    "Newest": "asked",
    "Under way": "newest",
    "Oldest": "oldest",
    "Setting": "setting",
    "Best accuracy": "metric",
    "Slowest": "slowest",
    "Most memory": "memory",
    "Latest best epoch": "epoch",
}
ORDER_HELP = (
    "**Newest**: the latest sweep, as it is trained; rows stay where they are. **Under way**: what runs and "
    "waits, which moves as it ends. **Best accuracy**: by the sidebar's accuracy metric, on validation."
)
DELETED_HELP = "Deleted runs are not listed unless they are asked for."


# ---------------------------------------------------------------- filters


def filters() -> tuple[Wanted, str, int | None]:
    """The widgets; what they ask for, the order, and the sweep."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text = st.text_input(
            "Search", key=TEXT, bind="query-params", max_chars=120, width=260, icon=":material/search:",
            placeholder="Setting, seed 2, reason, id",
            help="All words must occur. *seed 2* and *replicate 3* are those numbers.",
        )  # fmt: skip
        st.text_input(
            "Open a run",
            key=run_actions.RUN,
            bind="query-params",
            max_chars=40,
            width=180,
            placeholder="Id, or # and a job",
        )
        states = st.pills(
            "State", STATES, selection_mode="multi", key=STATE, bind="query-params", width="content", help=DELETED_HELP
        )
    known = run_list.choices(server.warehouse(), jobs.queue().asked())
    methods, sets = method_names(known), set_names(known)
    columns = st.columns([3, 2, 2, 3, 2], gap="small")
    with columns[0]:
        method = st.multiselect("Method", list(methods), key=METHOD, bind="query-params", placeholder="Any")
    with columns[1]:
        data = pick("Data set", list(sets), DATA)
    with columns[2]:
        protocol = pick("Protocol", sorted(set(known["protocol"].dropna())), PROTOCOL)
    with columns[3]:
        sweeps = jobs.sweeps()
        sweep = pick("Sweep", list(sweeps), SWEEP)
    with columns[4]:
        order = st.selectbox("First", list(ORDER_NAMES), key=ORDER, bind="query-params", help=ORDER_HELP)
    wanted = Wanted(
        text or "",
        tuple(state for state in states or () if state in STATES),
        tuple(methods[name] for name in method or () if name in methods),
        sets.get(data or ""),
        protocol,
    )
    return wanted, ORDER_NAMES.get(order, "asked"), sweeps.get(sweep or "")


def pick(label: str, options: Sequence[str], key: str) -> str | None:
    """One of the options, or any."""
    chosen = st.selectbox(label, options, index=None, key=key, bind="query-params", placeholder="Any")
    return chosen if chosen in options else None


def method_names(known: pd.DataFrame) -> dict[str, str]:
    """Method by its label."""
    return {method_label(method): method for method in sorted(set(known["method"].dropna()))}


def set_names(known: pd.DataFrame) -> dict[str, str]:
    """Data set by its title, with the beginning of its id where two share one."""
    rows = known[["dataset", "title"]].dropna().drop_duplicates("dataset")
    twice = rows["title"].duplicated(keep=False)
    titles = rows["title"].where(~twice, rows["title"] + " " + rows["dataset"].str[:6])
    return dict(zip(titles, rows["dataset"], strict=True))


# ---------------------------------------------------------------- the table


def listing(wanted: Wanted, order: str, sweep: int | None, beside_open: bool) -> None:
    """The sweeps under way, the counts, what is selected, and the table: what is live."""
    if st.session_state.pop(run_actions.WHOLE, False):
        st.rerun()
    latest = jobs.queue().latest(sweep)  # before the index: what ends in between would count as deleted
    server.version()
    found = RunList(server.warehouse(), latest, sweep is not None)
    counts = found.counts(wanted)
    asked = {state: counts[state] for state in STATES if state in (wanted.states or LISTED)}
    n = sum(asked.values())
    jobs.sweep_bars([sweep] if sweep is not None else None)
    jobs.controls(told(asked))
    run_actions.failures(found, wanted, asked.get("failed", 0))
    above = st.container()
    number = run_table.paging(n)
    with above:
        first, here = (number - 1) * run_table.PAGE_ROWS, view.current()
        page = found.page(wanted, order, run_table.PAGE_ROWS, first, here.accuracy, here.bias)
        rows = run_rows.rows_of(page)
        run_actions.actions([row for row in rows if row.key in st.session_state.get(run_rows.SELECTED, ())], rows)
        run_table.part(number, n, 0 if wanted.states else counts["deleted"])
        if page.empty:
            st.info(nothing(wanted, sweep), icon=":material/search_off:")
        else:
            run_table.table(page, rows, found.present(wanted), beside_open)


def told(counts: dict[str, int]) -> str:
    """Such as "2 running, 14 waiting, 322 done"."""
    return ", ".join(f"{n:,} {state}" for state, n in counts.items() if n) or "No run matches"


def nothing(wanted: Wanted, sweep: int | None) -> str:
    """Why the table is empty, and what to do."""
    if wanted == Wanted() and sweep is None:
        return "Nothing was trained here yet. Fetch a data set on **Data**, then start a comparison on **Sweep**."
    return "No run matches these filters. Take one away, or search for fewer words."


# ---------------------------------------------------------------- one run


def opened() -> run_details.Opened | None:
    """The run that the address names; a sentence where it names none."""
    text = st.session_state.get(run_actions.RUN) or ""
    if not text.strip():
        return None
    found = run_details.find(text)
    if found is None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.warning(
                f"No run or job is called {words.plain(text[:40])}, or several are.", icon=":material/search_off:"
            )
            st.button("Close", key="runs_close_unknown", on_click=close)
    return found


def detail(found: run_details.Opened) -> None:
    """The opened run under its heading."""
    st.divider()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(words.plain(found.label), anchor="opened", width="stretch")
        variant = found.meta.get("variant")
        if variant:
            for name in (PIN_A, PIN_B):
                st.button(name, key=f"open_{name}", icon=":material/keep:", type="tertiary",
                          on_click=run_actions.act, args=(name, (as_row(found),)))  # fmt: skip
        if found.meta or found.problem:
            st.button("Delete", key="open_delete", icon=":material/delete:", type="tertiary",
                      on_click=run_actions.act, args=(DELETE, (as_row(found),)))  # fmt: skip
        elif found.job:
            action = CANCEL if found.under_way else RETRY
            over = found.run is None and found.job.state == State.DONE
            st.button(
                action, key="open_job", icon=run_actions.BUTTONS[action], type="tertiary", disabled=over,
                on_click=run_actions.act, args=(action, (as_row(found),)),
            )  # fmt: skip
        st.button("Close", key="open_close", icon=":material/close:", type="tertiary", on_click=close)
    if not found.meta and found.job and not found.problem and not found.under_way:
        st.markdown(f"**{words.plain(jobs.step(found.job).capitalize())}**")
    run_details.show(found)


def as_row(found: run_details.Opened) -> Row:
    """An opened run as actions need it."""
    m = found.meta
    return Row(
        found.run or "", found.run, found.job.id if found.job else None, "done", found.label, m.get("variant"),
        str(m.get("dataset", "")), m.get("protocol"), m.get("bootstrap") is not None, float(m.get("seconds") or 0),
    )  # fmt: skip


def close() -> None:
    """Open nothing: for callbacks."""
    st.session_state[run_actions.RUN] = ""


def page() -> None:
    """The page, top to bottom."""
    here = view.current()
    st.title("Runs")
    if here.simulated:
        st.warning(view.SIMULATED, icon=":material/science:")
    run_actions.undo_notice()
    wanted, order, sweep = filters()
    st.session_state.pop(run_actions.WHOLE, None)
    found = opened()

    def live() -> None:
        with boundary.calm("the list of runs"):
            listing(wanted, order, sweep, found is not None)

    st.fragment(live, run_every=jobs.every())()
    if found:
        detail(found)
    if deleting := st.session_state.get(run_actions.DELETING):
        run_actions.confirm(deleting, here)


frame.enter()
page()
