"""The queue on the screen: one line in the sidebar, bars and a table while something runs, what failed and why.

The sidebar's line watches for every page: it looks at the queue every 2 s while there is work and every 10 s while
there is none, and asks for a full run only when there is something new to show. It follows the sweeps that had work
when this session looked, and says once, on whatever page, that one has ended.
Here: also the small parts that Sweep and Runs share. Not here: the table of all runs (pages/runs.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
import streamlit as st

from core.jobs import control
from core.jobs.queue import ACTIVE, Job, Kind, Queue, State
from core.models.sweep import Sweep
from core.warehouse.run_list import ends
from pages.shared import boundary, row_menu, server, tables, view, words

BUSY_EVERY, IDLE_EVERY = "2s", "10s"
SHOWN_FAILURES, SHOWN_JOBS, MOST_JOBS, SHOWN_SWEEPS = 3, 12, 200, 3
ALL_JOBS = "All jobs"
SWEEP, ACTION, LOG = "sweep", "job_action", "log_of"
FOLLOWED, ENDED, LATEST, AGAIN = "followed_sweeps", "ended_sweeps", "latest_sweep", "jobs_again"
TOO_LATE = "That has ended already, so nothing was cancelled."
UNDER_WAY = "That is under way already."
METRIC_HELP = "On validation. Of a run that is done: at the chosen epoch, as on Runs. Of any other: the latest."
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
    """The sidebar's line, drawn while something is queued or running; and what has ended since this session looked."""
    working = busy()
    seen = (server.warehouse().version, working)
    _announce()

    def line() -> None:
        with boundary.calm("the jobs line"):
            now = busy()
            if (server.version(), now) != seen or _just_ended() or _trained_again():
                st.rerun()
            if now:
                with st.container(gap=None):
                    st.caption(f":material/autorenew: {summary()}")
                    st.page_link("pages/runs.py", label="Runs and jobs", icon=":material/list:")

    st.fragment(line, run_every=BUSY_EVERY if working else IDLE_EVERY)()
    _ended_lines()


def follow(sweep: int) -> None:
    """Say it once that sweep has ended, even if it does so before the sidebar looks again."""
    st.session_state[FOLLOWED] = st.session_state.get(FOLLOWED, frozenset()) | {sweep}


def follow_again(numbers: Iterable[int]) -> None:
    """Say it once that those jobs, queued again by hand, have ended; not their sweeps, which ended long ago."""
    st.session_state[AGAIN] = st.session_state.get(AGAIN, frozenset()) | set(numbers)


def _just_ended() -> set[int]:
    """Sweeps that this session followed and that have no work left."""
    followed = st.session_state.get(FOLLOWED)
    return set(followed) - set(queue().active_sweeps()) if followed else set()


def _followed_next(ended: set[int]) -> frozenset[int]:
    """The sweeps to follow from now on: those followed before, and those asked for since this session looked last.

    An older one that has work again has it by a job that was queued again, of which `follow_again` tells.
    """
    before, active = st.session_state.get(LATEST), frozenset(queue().active_sweeps())
    st.session_state[LATEST] = max((s.id for s in queue().sweeps(1)), default=0)
    followed = st.session_state.get(FOLLOWED, frozenset()) - ended
    return active if before is None else active & (followed | {sweep for sweep in active if sweep > before})


def _trained_again() -> list[Job]:
    """What was queued again by hand, once none of it is under way; each in its latest state."""
    numbers = st.session_state.get(AGAIN)
    found = list(queue().jobs_of(numbers).values()) if numbers else []
    return [] if any(job.state in ACTIVE for job in found) else found


def told_again(found: Sequence[Job]) -> str:
    """What came of jobs that were queued again: "2 of 3 runs are trained again"."""
    done = [job for job in found if job.state == State.DONE]
    if len(found) == 1:
        return f"**{words.plain(found[0].label)}** {'is done' if done else STATE_NAMES[found[0].state]}."
    return f"{len(done):,} of {words.count(len(found), 'run')} queued again are done."


def _announce() -> None:
    """A toast for each sweep that has ended, and a line in the sidebar that stays until it is put away."""
    if again := _trained_again():
        st.session_state.pop(AGAIN)
        st.toast(told_again(again), icon=":material/check:", duration="long")
    ended = _just_ended()
    st.session_state[FOLLOWED] = _followed_next(ended)
    for progress in control.progress(server.settings(), ended) if ended else []:
        said = f"**{words.plain(progress.name)}** has ended: {words.plain(told(progress))}."
        st.toast(said, icon=":material/check:", duration="long")
        others = [other for other in st.session_state.get(ENDED, ()) if other[0] != progress.sweep]
        st.session_state[ENDED] = (*others, (progress.sweep, said))[-SHOWN_SWEEPS:]


def _ended_lines() -> None:
    for sweep, said in st.session_state.get(ENDED, ()):
        with st.container(gap=None):
            st.caption(f":material/check: {said}")
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                # no page link: its parameters would reach the address, and not the choice of the data set
                opened = st.button(
                    "See the trade-off",
                    icon=":material/scatter_plot:",
                    key=f"see_{sweep}",
                    type="tertiary",
                    width="stretch",
                    on_click=_choose,
                    args=(queue().sweep(sweep).dataset,),
                )
                st.button(
                    "",
                    icon=":material/close:",
                    key=f"ended_{sweep}",
                    type="tertiary",
                    help="Put this away",
                    on_click=_put_away,
                    args=(sweep,),
                )
        if opened:
            st.switch_page("pages/trade_off.py", query_params={})  # bound ones come back with their widgets


def _choose(dataset: str) -> None:
    """Let the next run be about that data set."""
    if dataset != view.current().dataset:
        view.choose_next(dataset)


def _put_away(sweep: int) -> None:
    st.session_state[ENDED] = tuple(other for other in st.session_state.get(ENDED, ()) if other[0] != sweep)


def told(progress: control.Progress) -> str:
    """How far a sweep is: "12 of 40 runs done, 1 failed, about 30 s left"."""
    m = progress.members
    parts = [f"{m.done:,} of {words.count(m.runs, 'run')} done"]
    parts += [f"{m.failed:,} failed"] if m.failed else []
    parts += [f"{m.cancelled:,} cancelled"] if m.cancelled else []
    return ", ".join([*parts, *([words.left(progress.left)] if m.active else [])])


def sweep_bars(sweeps: Iterable[int] | None = None) -> None:
    """A bar for each of those sweeps, or of all under way; for a part of the page that is live."""
    found = control.progress(server.settings(), sweeps)
    for progress in found[:SHOWN_SWEEPS]:
        m = progress.members
        text = f"**{words.plain(progress.name)}** · {words.plain(told(progress))}"
        st.progress((m.runs - m.active) / m.runs, text=text)
    if len(found) > SHOWN_SWEEPS:
        st.caption(f"{words.count(len(found) - SHOWN_SWEEPS, 'more sweep')} under way.")


def estimates_so_far() -> str:
    """How wrong the estimates of the latest sweeps were, in a sentence; nothing until one is done."""
    costs = control.costs(server.settings())
    if not costs:
        return ""
    times = words.number(sum(c.took for c in costs) / sum(c.expected for c in costs))
    if len(costs) == 1:
        return f"The last sweep took {times} times its estimate."
    each = ", ".join(words.number(c.took / c.expected) for c in costs)
    return f"The last {words.spelled(len(costs))} sweeps took {times} times their estimate (the latest first: {each})."


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


def log_tail(job: Job, lines: int = 40) -> None:
    """The end of a job's log."""
    tail = control.log_tail(server.settings(), job, lines)
    if tail:
        st.code(tail, language=None, height=180)
    else:
        st.caption("It has written no log.")


def board() -> None:
    """The live table of one sweep, or of all jobs, with everything that can be done to them."""
    st.header("Jobs")
    shown = _choice()

    def draw() -> None:
        with boundary.calm("the jobs"):
            if boundary.SAID in st.session_state:
                st.rerun()  # what a click in here had to say is told by a full run
            server.version()
            counts = _counts(shown)
            if not sum(counts.values()):
                st.info("Nothing was started here yet. Choose methods above and start a sweep.", icon=":material/tune:")
                return
            found = _found(shown, sum(counts.values()))
            if shown is not None:
                sweep_bars([shown])
            controls(told_counts(counts))
            _table(found)
            _rest(len(found), sum(counts.values()))
            _one(found)
            _failures(found)

    st.fragment(draw, run_every=every())()


def _counts(sweep: int | None) -> dict[State, int]:
    if sweep is None:
        return queue().counts()
    members = queue().members([sweep]).get(sweep)
    return {state: getattr(members, state, 0) if members else 0 for state in State}


def _found(sweep: int | None, n: int) -> list[Job]:
    """The jobs to show, always in the same order: as they are trained, or of all jobs the latest first.

    Of more than can be overseen, what runs, failed and waits before what is over.
    """
    if n <= MOST_JOBS:
        return queue().jobs(sweep=sweep)
    order = (State.RUNNING, State.FAILED, State.QUEUED, State.CANCELLED, State.DONE)
    parts = (queue().jobs(sweep=sweep, state=state, limit=MOST_JOBS) for state in order)
    shown = [job for part in parts for job in part][:MOST_JOBS]
    return sorted(shown, key=lambda job: job.id, reverse=sweep is None)


def _rest(shown: int, n: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if shown < n:
            st.caption(f"Showing {shown:,} of {n:,}: what runs, failed and waits first.", width="content")
        st.page_link("pages/runs.py", label="All runs and jobs", icon=":material/list:")


def _choice() -> int | None:
    """The sweep to show; None for all jobs."""
    names = sweeps()
    chosen = st.selectbox(
        "Show", [*names, ALL_JOBS], key=SWEEP, persist_state="session", label_visibility="collapsed", width=360
    )
    return names.get(chosen)


def sweeps() -> dict[str, int]:
    """The latest sweeps by name."""
    return {f"#{s.id} {s.name or 'sweep'} · {words.count(s.runs, 'run')}": s.id for s in queue().sweeps(50)}


def start(dataset: str, sweep: Sweep, what: str) -> None:
    """Queue what of a sweep is to be trained, and show it on the board: for callbacks. what: its name in a failure."""
    with boundary.attempt(what):
        asked = control.request_sweep(server.settings(), dataset, sweep)
        show(asked.sweep)
        if asked.queued:
            follow(asked.sweep)
        boundary.say(f"{words.count(asked.queued, 'run')} queued. They go on when this page is closed.")


def show(sweep: int) -> None:
    """Let the board show that sweep: for callbacks. The browser keeps what it showed unless another is named."""
    st.session_state[SWEEP] = next((name for name, number in sweeps().items() if number == sweep), ALL_JOBS)


def told_counts(counts: Mapping[State, int]) -> str:
    """Such as "2 running, 14 waiting"."""
    return ", ".join(f"{n:,} {STATE_NAMES[state]}" for state, n in counts.items() if n)


def controls(said: str) -> None:
    """A line about jobs, with what can be done to the queue as a whole."""
    active = busy()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        paused = queue().paused
        left = "paused" if paused else words.left(control.overview(server.settings()).left)
        st.markdown(f"**{said}**" + (f", {left}" if active else ""), width="stretch")
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
    if active and not paused and not control.worker_expected(server.settings()):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("No worker is running, so nothing starts.", width="content")
            st.button("Start the worker", on_click=_start_worker, key="start_worker", type="tertiary")


def _table(found: Sequence[Job]) -> None:
    where = steps(found)
    numbers = [job.id for job in found]
    do, menus = row_menu.columns(ACTION, numbers, numbers, _do, type="tertiary", width=54)
    metrics, seconds = zip(*measured(found), strict=True)
    frame = pd.DataFrame(
        {
            "Run": [job.label for job in found],
            do: [_actions(job) for job in found],
            "State": [STATE_NAMES[job.state] for job in found],
            "Progress": [1.0 if job.state == State.DONE else job.share or 0.0 for job in found],
            "NDCG@10": metrics,
            "Seconds": seconds,
            "Now": ["" if now == STATE_NAMES[job.state] else now for job, now in zip(found, where, strict=True)],
        }
    )
    config = st.column_config
    tables.table(
        frame,
        "Jobs with state, progress and time left",
        {
            "Run": config.TextColumn(width="medium", pinned=True),
            "Progress": config.ProgressColumn(format="percent", min_value=0, max_value=1, width="small"),
            "NDCG@10": config.NumberColumn(format="%.3f", help=METRIC_HELP, width=76),
            "Seconds": config.NumberColumn(format="%.1f", help="Training.", width=68),
            "Now": config.TextColumn(width=150),
            **menus,
        },
        height="content" if len(found) <= SHOWN_JOBS else 420,
        key="jobs_table",
        placeholder="",
    )


def measured(found: Sequence[Job]) -> list[tuple[float | None, float | None]]:
    """NDCG@10 on validation and seconds of each job: of what is done its result's, of the others the latest told."""
    known = server.ask(ends, tuple(job.run for job in found if job.run and job.state == State.DONE))
    told = ((None if job.state == State.DONE else job.metric, job.seconds) for job in found)
    return [known.get(job.run or "", so_far) for job, so_far in zip(found, told, strict=True)]


def steps(found: Sequence[Job]) -> list[str]:
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


def _do(action: str, job: int | None) -> None:
    settings = server.settings()
    with boundary.attempt("the job"):
        if action == "Cancel" and job is not None:
            boundary.say("Cancelled; what runs stops after its epoch." if queue().cancel_these([job]) else TOO_LATE)
        elif action == "Retry" and job is not None:
            if queue().job(job).state in ACTIVE:
                boundary.say(UNDER_WAY)
                return
            follow_again([control.retry(settings, job).id])
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
