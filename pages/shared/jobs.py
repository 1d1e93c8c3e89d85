"""The queue on the screen: one line in the sidebar, bars and a table while something runs, what failed and why.

The sidebar's line watches for every page: it looks at the queue every 2 s while there is work and every 10 s while
there is none, and asks for a full run only when there is something new to show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core.jobs import control
from core.jobs.queue import ACTIVE, Job, Kind, Queue, State
from core.models.sweep import Sweep
from pages.shared import boundary, server, tables, words

BUSY_EVERY, IDLE_EVERY = "2s", "10s"
SHOWN_FAILURES, SHOWN_JOBS = 3, 12
ALL_JOBS = "All jobs"
SWEEP, ACTION, LOG = "sweep", "job_action", "log_of"
STATE_NAMES = {
    State.QUEUED: "waiting",
    State.RUNNING: "running",
    State.DONE: "done",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}


def queue() -> Queue:
    """The queue of this server's cache."""
    return Queue(server.settings())


def busy() -> bool:
    """Is anything queued or running?"""
    counts = queue().counts()
    return any(counts[state] for state in ACTIVE)


def every() -> str | None:
    """How often a live part of a page looks at the queue: not at all while there is no work."""
    return BUSY_EVERY if busy() else None


def watch() -> None:
    """The sidebar's line, drawn while something is queued or running."""
    working = busy()
    seen = (server.warehouse().version, working)

    def line() -> None:
        with boundary.calm("the jobs line"):
            now = busy()
            if (server.version(), now) != seen:
                st.rerun()
            if now:
                with st.container(gap=None):
                    st.caption(f":material/autorenew: {summary()}")
                    st.page_link("pages/sweep.py", label="All jobs", icon=":material/list:")

    st.fragment(line, run_every=BUSY_EVERY if working else IDLE_EVERY)()


def summary() -> str:
    """Such as "2 running, 14 waiting, about 40 s left"."""
    activity = control.overview(server.settings())
    parts = [f"{activity.running} running"] if activity.running else []
    parts += [f"{activity.queued} waiting"] if activity.queued else []
    return ", ".join([*parts, "paused" if activity.paused else words.left(activity.left)])


def step(job: Job, others: Mapping[int, Job] | None = None) -> str:
    """Where a job is, in words. others: jobs by number that need not be asked for, such as one that it waits for."""
    if job.state == State.RUNNING and job.cancelling:
        return "stopping after this epoch"
    if job.state == State.RUNNING and job.epochs:
        return f"epoch {job.epoch or 0} of {job.epochs}, {words.left(job.left)}"
    if job.state == State.RUNNING:
        return job.doing or "starting"
    if job.state == State.QUEUED and job.waits_on:
        before = (others or {}).get(job.waits_on) or queue().job(job.waits_on)
        if before.state in ACTIVE:
            return f"waits for {'its data set' if before.kind == Kind.PREPARE else 'the run that it re-ranks'}"
    return job.reason or ("found in the cache" if job.cached else STATE_NAMES[job.state])


def live_bars(limit: int = 4, headline: bool = False) -> None:
    """What runs now, one bar each, kept up to date; headline: with the number of jobs and the time left above."""

    def draw() -> None:
        with boundary.calm("the progress"):
            if headline:
                st.markdown(f"**{summary()}**")
            running = queue().jobs(state=State.RUNNING, limit=limit)
            for job in running:
                st.progress(min(1.0, job.share or 0.0), text=f"{words.plain(job.label)} · {words.plain(step(job))}")
            if not running:
                st.caption("Starting the worker.")

    st.fragment(draw, run_every=every())()


def failure(job: Job) -> None:
    """A failed job: its error and the end of its log."""
    reason = words.plain(job.reason or "no reason was recorded")
    st.error(f"**{words.plain(job.label)}** failed. {reason}", icon=":material/error:")
    with st.expander("End of its log", icon=":material/receipt_long:", key=f"tail_{job.id}"):
        log_tail(job)


def log_tail(job: Job) -> None:
    """The end of a job's log."""
    tail = control.log_tail(server.settings(), job)
    if tail:
        st.code(tail, language=None, height=180)
    else:
        st.caption("It has written no log.")


def board() -> None:
    """The live table of one sweep, or of all jobs, with everything that can be done to them."""
    st.subheader("Jobs")
    shown = _choice()

    def draw() -> None:
        with boundary.calm("the jobs"):
            found = queue().jobs(sweep=shown)
            if not found:
                st.info("Nothing was started here yet. Choose methods above and start a sweep.", icon=":material/tune:")
                return
            _controls(found)
            _table(found)
            _one(found)
            _failures(found)

    st.fragment(draw, run_every=every())()


def _choice() -> int | None:
    """The sweep to show; None for all jobs."""
    names = _sweeps()
    chosen = st.selectbox(
        "Show", [*names, ALL_JOBS], key=SWEEP, persist_state="session", label_visibility="collapsed", width=360
    )
    return names.get(chosen)


def _sweeps() -> dict[str, int]:
    return {f"#{s.id} {s.name or 'sweep'} · {words.count(s.runs, 'run')}": s.id for s in queue().sweeps(50)}


def start(dataset: str, sweep: Sweep, what: str) -> None:
    """Queue what of a sweep is to be trained, and show it on the board: for callbacks. what: its name in a failure."""
    with boundary.attempt(what):
        asked = control.request_sweep(server.settings(), dataset, sweep)
        show(asked.sweep)
        boundary.say(f"{words.count(asked.queued, 'run')} queued. They go on when this page is closed.")


def show(sweep: int) -> None:
    """Let the board show that sweep: for callbacks. The browser keeps what it showed unless another is named."""
    st.session_state[SWEEP] = next((name for name, number in _sweeps().items() if number == sweep), ALL_JOBS)


def _controls(found: Sequence[Job]) -> None:
    counts = {state: sum(job.state == state for job in found) for state in State}
    told = ", ".join(f"{n:,} {STATE_NAMES[state]}" for state, n in counts.items() if n)
    active = any(counts[state] for state in ACTIVE)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        paused = queue().paused
        left = "paused" if paused else words.left(control.overview(server.settings()).left)
        st.markdown(f"**{told}**" + (f", {left}" if active else ""), width="stretch")
        if paused:
            st.button("Resume", icon=":material/play_arrow:", on_click=_resume, key="resume")
        elif active:
            st.button(
                "Pause",
                icon=":material/pause:",
                on_click=_pause,
                key="pause",
                help="What runs goes on; nothing new starts.",
            )
        if active:
            st.button("Cancel all", icon=":material/close:", on_click=_cancel_all, key="cancel_all")
    if active and not paused and not control.worker_running(server.settings()):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("No worker is running, so nothing starts.", width="content")
            st.button("Start the worker", on_click=_start_worker, key="start_worker", type="tertiary")


def _table(found: Sequence[Job]) -> None:
    steps = _steps(found)
    frame = pd.DataFrame(
        {
            "Run": [job.label for job in found],
            "State": [STATE_NAMES[job.state] for job in found],
            "Progress": [1.0 if job.state == State.DONE else job.share or 0.0 for job in found],
            "NDCG@10": [job.metric for job in found],
            "Seconds": [job.seconds for job in found],
            "Now": ["" if now == STATE_NAMES[job.state] else now for job, now in zip(found, steps, strict=True)],
            "Do": [_actions(job) for job in found],
        }
    )
    config = st.column_config
    tables.table(
        frame,
        "Jobs with state, progress and time left",
        {
            "Run": config.TextColumn(width="medium", pinned=True),
            "Progress": config.ProgressColumn(format="percent", min_value=0, max_value=1, width="small"),
            "NDCG@10": config.NumberColumn(format="%.3f", help="The latest on validation."),
            "Seconds": config.NumberColumn(format="%.1f", help="Working time."),
            "Now": config.TextColumn(width="medium"),
            "Do": config.ButtonColumn(
                key=ACTION, on_click=_do_clicked, args=(tuple(job.id for job in found),), type="tertiary", width=130
            ),
        },
        height="content" if len(found) <= SHOWN_JOBS else 420,
        key="jobs_table",
        placeholder="",
    )


def _steps(found: Sequence[Job]) -> list[str]:
    """Where each job is; hundreds may wait for the same few, which are asked for once."""
    others = {job.id: job for job in found}
    waited = {job.waits_on for job in found if job.state == State.QUEUED and job.waits_on}
    others |= {number: queue().job(number) for number in waited - others.keys()}
    return [step(job, others) for job in found]


def _actions(job: Job) -> list[str]:
    can = ["Cancel"] if job.state in ACTIVE else []
    can += ["Retry"] if job.state in {State.FAILED, State.CANCELLED} or _fell_back(job) else []
    return [*can, "Log"]


def _fell_back(job: Job) -> bool:
    return job.kind == Kind.PREPARE and job.state == State.DONE and job.reason is not None


def _one(found: Sequence[Job]) -> None:
    """The actions of the table as widgets, for keyboards; and the log that was asked for."""
    labels = {job.id: f"{job.label} ({STATE_NAMES[job.state]})" for job in found}
    with st.popover("One job", icon=":material/more_horiz:", type="tertiary"):
        first = next((n for n, job in enumerate(found) if len(_actions(job)) > 1), 0)
        picked = st.selectbox("Job", list(labels), first, format_func=lambda job: labels.get(job, "-"), key="one_job")
        can = next((_actions(job) for job in found if job.id == picked), [])
        with st.container(horizontal=True):
            for action in ("Cancel", "Retry", "Log"):
                st.button(action, key=f"one_{action}", on_click=_do, args=(action, picked), disabled=action not in can)
    asked = next((job for job in found if job.id == st.session_state.get(LOG)), None)
    if asked is not None:
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"End of the log of **{words.plain(asked.label)}**", width="stretch")
                st.button(
                    "Close",
                    key="close_log",
                    on_click=_do,
                    args=("Close", None),
                    type="tertiary",
                    icon=":material/close:",
                )
            log_tail(asked)


def _failures(found: Sequence[Job]) -> None:
    failed = [job for job in found if job.state == State.FAILED]
    for job in failed[:SHOWN_FAILURES]:
        failure(job)
    if len(failed) > SHOWN_FAILURES:
        st.caption(f"{len(failed) - SHOWN_FAILURES} more failed; the table has their reasons.")


def _do_clicked(ids: Sequence[int]) -> None:
    click = st.session_state.get(ACTION)
    if click is not None and 0 <= click["row"] < len(ids):
        _do(click["label"], ids[click["row"]])


def _do(action: str, job: int | None) -> None:
    settings = server.settings()
    with boundary.attempt("the job"):
        if action == "Cancel" and job is not None:
            queue().cancel(job)
        elif action == "Retry" and job is not None:
            control.retry(settings, job)
        else:
            st.session_state[LOG] = job


def _pause() -> None:
    with boundary.attempt("the queue"):
        queue().pause()


def _resume() -> None:
    with boundary.attempt("the queue"):
        control.resume(server.settings())


def _cancel_all() -> None:
    with boundary.attempt("the queue"):
        boundary.say(f"{words.count(queue().cancel_all(), 'job')} cancelled; what runs stops after its epoch.")


def _start_worker() -> None:
    with boundary.attempt("the worker"):
        control.ensure_worker(server.settings())
