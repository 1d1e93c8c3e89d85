"""What is done to runs: cancel, retry, delete and the way back, pin, open; by buttons above the table and in its rows.

Callbacks run before the page and set what it draws. Not here: the table (run_table.py), and the work (core/jobs).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import streamlit as st

from core.jobs import control
from core.jobs.queue import ACTIVE
from core.warehouse.run_list import RunList, Wanted
from pages.shared import boundary, jobs, run_rows, server, view, words
from pages.shared.run_rows import AGAIN, CANCEL, DELETE, OPEN, PIN_A, PIN_B, RETRY, Row

RUN = "run"
CLICK = "runs_click"
DELETING, UNDO, WHOLE = "runs_deleting", "runs_undo", "runs_whole"
NAMED = 5
"""As many runs are named before they are deleted."""


def actions(chosen: Sequence[Row], rows: Sequence[Row]) -> None:
    """The buttons for what is selected, and the selection as a widget for keyboards."""
    one = chosen[0] if len(chosen) == 1 else None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        told = f"{len(chosen):,} selected" if chosen else "Select"
        with st.popover(told, icon=":material/checklist:", type="tertiary", disabled=not rows):
            names = {row.key: f"{row.label} ({row.state})" for row in rows}
            picked = st.multiselect(
                "Rows of this page", list(names), format_func=lambda k: names.get(k, k), key="runs_pick"
            )
            with st.container(horizontal=True):
                st.button("Select these", key="runs_pick_these", on_click=run_rows.select, args=(picked,))
                st.button("The whole page", key="runs_pick_all", on_click=run_rows.select, args=(tuple(names),))
        st.space("stretch")
        for action, icon in BUTTONS.items():
            of = [row for row in chosen if action in row.can]
            single = action in {OPEN, PIN_A, PIN_B}
            if action == AGAIN and not of:
                continue
            st.button(
                action,
                icon=icon,
                key=f"runs_{action}",
                type="tertiary",
                disabled=not of or (single and one is None),
                on_click=act,
                args=(action, tuple(of)),
            )


BUTTONS = {
    OPEN: ":material/open_in_full:",
    PIN_A: ":material/keep:",
    PIN_B: ":material/keep:",
    CANCEL: ":material/close:",
    RETRY: ":material/replay:",
    AGAIN: ":material/replay:",
    DELETE: ":material/delete:",
}


def act_on_one(action: str, row: Row) -> None:
    """Do something to a row: for the buttons of the table."""
    act(action, (row,))


def act(action: str, rows: Sequence[Row]) -> None:
    """Do something to rows: for callbacks."""
    st.session_state[WHOLE] = True
    with boundary.attempt("the run"):
        if action == OPEN:
            st.session_state[RUN] = rows[0].key
        elif action in {PIN_A, PIN_B}:
            pin(action, rows[0])
        elif action == CANCEL:
            boundary.say(cancel([row.job for row in rows if row.job is not None]))
        elif action == DELETE:
            st.session_state[DELETING] = tuple(rows)
        else:
            retry([row.job for row in rows if row.job is not None])


def pin(name: str, row: Row) -> None:
    """Pin a run's setting as A or B, on its data set and protocol."""
    st.session_state[view.A if name == PIN_A else view.B] = str(row.variant)[: view.SHORT]
    here = view.current()
    if row.dataset != here.dataset or row.protocol != here.protocol:
        where = "another data set" if row.dataset != here.dataset else f"protocol {row.protocol}"
        boundary.say(f"Pinned as {name}. It is of {where}: choose that in the sidebar to see it.")


def cancel(numbers: Sequence[int]) -> str:
    """Cancel jobs; what came of it. Those that have ended since they were drawn are left as they are."""
    n = jobs.queue().cancel_these(numbers)
    return f"{words.count(n, 'job')} cancelled; what runs stops after its epoch." if n else jobs.TOO_LATE


def retry(numbers: Sequence[int]) -> None:
    """Queue jobs again: for callbacks."""
    ended = {number for number, job in jobs.queue().jobs_of(numbers).items() if job.state not in ACTIVE}
    control.retry_all(server.settings(), numbers)
    new = [n for n, job in jobs.queue().jobs_of(ended).items() if job.state in ACTIVE]
    jobs.follow_again(new)
    boundary.say(f"{words.count(len(new), 'run')} queued again." if new else jobs.UNDER_WAY)


def retry_group(numbers: Sequence[int]) -> None:
    """Queue again what failed for one reason: for callbacks."""
    st.session_state[WHOLE] = True
    with boundary.attempt("the jobs"):
        retry(numbers)


def failures(found: RunList, wanted: Wanted, n: int) -> None:
    """What failed, by reason, each with one button for all."""
    if not n:
        return
    groups = found.failures(wanted)
    reasons = words.count(len(groups), "reason")
    with st.expander(f"{n:,} failed, for {reasons}", icon=":material/error:", key="runs_failures"):
        for place, (reason, count, numbers, settings) in enumerate(groups.itertuples(index=False)):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", border=True):
                names = ", ".join(settings[:3]) + (f" and {len(settings) - 3:,} more" if len(settings) > 3 else "")
                st.markdown(
                    f"**{count:,}** · {words.plain(reason or 'No reason was recorded.')}  \n"
                    f":small[:gray[{words.plain(names)}]]",
                    width="stretch",
                )
                st.button(
                    f"Retry all {count:,}" if count > 1 else "Retry",
                    key=f"runs_retry_{place}",
                    icon=":material/replay:",
                    on_click=retry_group,
                    args=(tuple(numbers),),
                )


# ---------------------------------------------------------------- deleting


@st.dialog("Delete these runs?", on_dismiss=lambda: st.session_state.pop(DELETING, None))
def confirm(rows: Sequence[Row], here: view.View) -> None:
    """What deleting would mean, and the button."""
    names = [f"- {words.plain(row.label)}" for row in rows[:NAMED]]
    names += [f"- and {len(rows) - NAMED:,} more"] if len(rows) > NAMED else []
    st.markdown("\n".join(names))
    for sentence in consequences(rows, here):
        st.caption(words.plain(sentence))
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if st.button("Keep", key="runs_keep", on_click=keep):
            st.rerun()
        what = words.count(len(rows), "run")
        if st.button(f"Delete {what}", key="runs_delete", type="primary", on_click=delete, args=(tuple(rows),)):
            st.rerun()


def consequences(rows: Sequence[Row], here: view.View) -> list[str]:
    """What goes with those runs, in sentences."""
    said = []
    used = {"pinned as A": here.a, "pinned as B": here.b, "your baseline": here.baseline}
    for role, variant in used.items():
        n = sum(row.variant == variant and not row.replicate for row in rows)
        if variant and n:
            seeds = here.variants.loc[here.variants["variant"] == variant, "seeds"]
            said.append(
                f"{words.count(n, 'run')} of {int(seeds.sum())} of {here.label(variant)}, which is {role}, "
                f"{'goes' if n == 1 else 'go'}."
            )
    if replicates := sum(row.replicate for row in rows):
        said.append(f"{words.count(replicates, 'replicate')} of these: Bias and variance counts on them.")
    seconds = sum(row.seconds for row in rows)
    return [*said, f"Training them again, to the same numbers, takes about {words.duration(seconds)} on one core."]


def keep() -> None:
    """Delete nothing: for callbacks."""
    st.session_state.pop(DELETING, None)


def delete(rows: Sequence[Row]) -> None:
    """Delete those runs, and offer to get them back: for callbacks."""
    st.session_state.pop(DELETING, None)
    with boundary.attempt("the run"):
        gone = control.delete_runs(server.settings(), [row.run for row in rows if row.run])
        st.session_state[UNDO] = tuple(gone)
        close_if(gone)
        run_rows.forget_selection()


def close_if(gone: Iterable[control.Deleted]) -> None:
    """Close the opened run if it is one of these: nothing of it is left to show. For callbacks."""
    text = (st.session_state.get(RUN) or "").strip().lower()
    if text and any(one.run.startswith(text) or text == f"#{one.job}" for one in gone):
        st.session_state[RUN] = ""


def undo_notice() -> None:
    """What was deleted last, and the way back: at the bottom of the window, in view wherever the page is scrolled."""
    gone: Sequence[control.Deleted] = st.session_state.get(UNDO, ())
    if not gone:
        return
    what = words.plain(gone[0].label) if len(gone) == 1 else words.count(len(gone), "run")
    back = [one.job for one in gone if one.job is not None]
    with st.bottom.container(horizontal=True, vertical_alignment="center", gap="small", border=True):
        lost = "" if back else " What it was cannot be read, so it cannot be brought back from here."
        st.markdown(f":material/delete: Deleted: **{what}**.{lost}", width="stretch")
        if back:
            st.button("Undo: train it again" if len(back) == 1 else f"Undo: train all {len(back):,} again",
                      key="runs_undo_button", icon=":material/undo:", on_click=undo, args=(tuple(back),))  # fmt: skip
        st.button("", icon=":material/close:", key="runs_undo_close", type="tertiary", help="Put this away",
                  on_click=lambda: st.session_state.pop(UNDO, None))  # fmt: skip


def undo(numbers: Sequence[int]) -> None:
    """Train again what was deleted last: for callbacks."""
    with boundary.attempt("the run"):
        retry(numbers)
        st.session_state.pop(UNDO, None)
