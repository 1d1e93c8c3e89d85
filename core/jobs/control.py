"""What pages and commands ask of jobs: plan, request, follow, and see to it that a worker serves.

Here: one call for each thing a person wants.
Not here: states (queue.py), the work (worker.py), results (core/warehouse).
"""

from __future__ import annotations

import fcntl
import os
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.datasets import store
from core.datasets.catalogue import CATALOGUE
from core.datasets.store import DatasetInfo
from core.errors import BadVariant, DamagedArtifact, LabError, Unknown
from core.jobs import artifacts
from core.jobs.attempt import log_path, rotate
from core.jobs.estimates import Estimator, read_estimator
from core.jobs.queue import Job, Kind, Members, Queue, State, SweepRecord
from core.models import memory
from core.models.protocols import refusal
from core.models.sweep import BASELINE_OF, DEFAULT_SWEEP, Sweep
from core.models.variant import Run, Variant, variant_from_fields
from core.settings import PROJECT, Settings

DEFAULT_DATASET = "ml-100k"
DEFAULT_FALLBACK = "simulated"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep would mean, before anything is queued."""

    runs: int
    cached: int
    """Trained before: nothing to do."""
    waiting: int
    """Queued or running already."""
    to_train: int
    seconds: float | None
    """Expected time of `to_train` on all training processes; None ("measuring") until each method was timed once."""
    variants: int


@dataclass(frozen=True, slots=True)
class Requested:
    """What became of a request."""

    sweep: int
    """Its number: `Queue.jobs(sweep=...)` follows it."""
    runs: int
    cached: int
    queued: int
    """Newly queued; the rest is cached, or was under way already."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep is."""

    sweep: int
    name: str
    """What it was called, else "Sweep" and its number."""
    dataset: str
    members: Members
    left: float | None
    """Seconds until its last run ends, with all that is trained before; None while it cannot be told ("measuring")."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a sweep was expected to take and what it took: seconds of training on all its processes, pauses left out."""

    sweep: int
    expected: float
    took: float


@dataclass(frozen=True, slots=True)
class Deleted:
    """A run that was deleted."""

    run: str
    label: str
    job: int | None
    """`retry` of this job trains it again, to the same bytes; None if its description could not be read."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What is going on, in numbers."""

    running: int
    queued: int
    failed: int
    left: float | None
    """Seconds until all is done; None while it cannot be told ("measuring")."""
    paused: bool


# --- asking for work


def plan(settings: Settings, dataset_id: str, sweep: Sweep) -> Plan:
    """What the sweep would cost on that data set. Raises Unknown, and BadVariant with every reason."""
    info = store.find_dataset(settings, dataset_id)
    return _plan(settings, info, runs_of(settings, info.id, sweep), set(artifacts.finished_runs(settings)))


def _plan(settings: Settings, info: DatasetInfo, runs: Sequence[Run], finished: set[str]) -> Plan:
    active = Queue(settings).active_runs()
    cached = [r for r in runs if r.id in finished]
    waiting = [r for r in runs if r.id in active and r.id not in finished]
    rest = [r for r in runs if r.id not in finished | active]
    seconds = _spread(settings.workers, _durations(read_estimator(settings), info, rest))
    return Plan(len(runs), len(cached), len(waiting), len(rest), seconds, len({r.variant.id for r in runs}))


def request_sweep(settings: Settings, dataset_id: str, sweep: Sweep, start: bool = True) -> Requested:
    """Queue what of the sweep is neither trained nor under way, and see to a worker unless `start` is False.

    What it is expected to cost is kept beside it (`costs`). Raises Unknown, and BadVariant with every reason; then
    nothing was queued.
    """
    info = store.find_dataset(settings, dataset_id)
    runs, finished = runs_of(settings, info.id, sweep), set(artifacts.finished_runs(settings))
    seconds = _plan(settings, info, runs, finished).seconds
    queue = Queue(settings)
    added = queue.add_sweep(info.id, sweep, runs, finished, estimate=seconds, workers=settings.workers)
    if start and added.queued + added.waiting:
        ensure_worker(settings)
    return Requested(added.sweep, added.runs, added.cached, added.queued)


def request_dataset(
    settings: Settings, name: str, then: Sweep | None = None, fallback: str | None = None, start: bool = True
) -> int:
    """Queue fetching and preparing a known data set; returns its job's number, an active one's if asked for before.

    then: the sweep to train on it; fallback: the data set that takes its place if no source can be reached.
    Raises Unknown for a name that the catalogue lacks, and BadVariant if the sweep makes no sense.
    """
    for known in (name, fallback or name):
        if known not in CATALOGUE:
            raise Unknown("data set", known, CATALOGUE)
    if then:
        _refuse_refit_ahead(then)
        then.variants(name)  # raises now rather than in the background
    job = Queue(settings).add_prepare(name, then, fallback, label=f"Prepare {CATALOGUE[name].title}")
    if start:
        ensure_worker(settings)
    return job


def autostart(settings: Settings) -> None:
    """With an empty cache, queue the default data set and sweep; with work left over, see to a worker.

    May be called at every start, by everybody, at once: it is done once. Does nothing where settings.autostart is off.
    """
    if not settings.autostart:
        return
    queue = Queue(settings)
    if not store.list_datasets(settings):
        label = f"Prepare {CATALOGUE[DEFAULT_DATASET].title}"
        queue.add_prepare(DEFAULT_DATASET, DEFAULT_SWEEP, DEFAULT_FALLBACK, label, first=True)
    if queue.claimable() or queue.counts()[State.RUNNING]:
        ensure_worker(settings)


def retry(settings: Settings, job: int) -> Job:
    """Queue a failed or cancelled job again, or a done one whose run was deleted, and see to a worker.

    Raises Unknown and Refused.
    """
    queued = Queue(settings).retry(job, set(artifacts.finished_runs(settings)))
    ensure_worker(settings)
    return queued


def retry_all(settings: Settings, jobs: Iterable[int]) -> int:
    """The same for several jobs; how many are under way by it. Raises Unknown and Refused, and then queues none."""
    count = Queue(settings).retry_these(jobs, set(artifacts.finished_runs(settings)))
    if count:
        ensure_worker(settings)
    return count


def delete_runs(settings: Settings, runs: Iterable[str]) -> list[Deleted]:
    """Delete finished runs; retrying the jobs named trains exactly those again. What is not there is passed over.

    What re-ranks a deleted run stays: its result is its own.
    """
    here = set(artifacts.finished_runs(settings))
    deleted = []
    for run in dict.fromkeys(runs):
        if run in here:
            deleted.append(_remembered(settings, run))
            artifacts.delete_run(settings, run)
    return deleted


def _remembered(settings: Settings, run: str) -> Deleted:
    """What can be said of a run before it goes, its job noted where none was known."""
    queue = Queue(settings)
    try:
        meta = artifacts.read_meta(settings, run)
        found = Run(variant_from_fields(meta["fields"]), int(meta["seed"]), meta.get("bootstrap"))
    except (LabError, KeyError, TypeError, ValueError):  # damaged, or of fields that are no more
        return Deleted(run, f"run {run}", None)
    if found.id != run:  # another version's result: what would be trained is another run
        return Deleted(run, found.label, None)
    queue.remember([found])
    job = queue.latest_of(run)
    return Deleted(run, found.label, job.id if job else None)


def resume(settings: Settings) -> None:
    """Start jobs again, and see to a worker if there are any."""
    queue = Queue(settings)
    queue.resume()
    if queue.claimable():
        ensure_worker(settings)


def runs_of(settings: Settings, dataset_id: str, sweep: Sweep) -> list[Run]:
    """The runs a sweep means on that data set, in order of training.

    Under `refit` each variant takes the number of epochs that its finished `validation` runs chose: their median.
    Raises Unknown, and BadVariant with every reason, a missing validation run being one.
    """
    info = store.find_dataset(settings, dataset_id)
    if sweep.protocol != "refit":
        runs = sweep.runs(info.id)
        _refuse(info, runs)
        return runs
    # what is re-ranked is trained: its epochs are those that its own runs chose
    asked = [v for v in replace(sweep, protocol="validation").variants(info.id) if not v.baseline]
    chosen = _chosen_epochs(settings, info.id)
    if missing := [v.label for v in asked if v.id not in chosen]:
        raise BadVariant(
            f"Refit trains for the epochs that validation chose, and {label} has no finished run under that protocol. "
            "Train it with protocol validation first."
            for label in missing
        )
    grids = tuple(_refit_grid(v, chosen[v.id]) for v in asked)
    own = tuple(kept for grid in sweep.grids if (kept := {k: v for k, v in grid.items() if k in BASELINE_OF}))
    runs = replace(sweep, grids=grids + own).runs(info.id)
    _refuse(info, runs)
    return runs


def _refuse(info: DatasetInfo, runs: Sequence[Run]) -> None:
    """Raises BadVariant with every reason why this data set, or this machine, cannot serve some of the runs."""
    variants = {run.variant.id: run.variant for run in runs}.values()
    has = memory.total()
    most = info.items - 1  # negatives of a user, at most: everybody took something
    why = [refusal(v, info.validation, most) or memory.refusal(v, info.items, has) for v in variants]
    if reasons := dict.fromkeys(reason for reason in why if reason):
        raise BadVariant(reasons)


def _refit_grid(variant: Variant, epochs: Sequence[int]) -> dict[str, list[object]]:
    dropped = {"dataset", "protocol", "early_stopping"}
    settings = {k: v for k, v in variant.used().items() if k not in dropped}
    return {k: [v] for k, v in (settings | {"epochs": max(1, round(statistics.median(epochs)))}).items()}


def _chosen_epochs(settings: Settings, dataset_id: str) -> dict[str, list[int]]:
    """Variant id to the epochs that its finished validation runs chose."""
    found: dict[str, list[int]] = {}
    for run in artifacts.finished_runs(settings):
        try:
            meta = artifacts.read_meta(settings, run)
        except (DamagedArtifact, Unknown):  # damaged, or deleted meanwhile
            continue
        if meta["dataset"] == dataset_id and meta["protocol"] == "validation" and meta.get("bootstrap") is None:
            found.setdefault(meta["variant"], []).append(int(meta["epoch"]))
    return found


def _refuse_refit_ahead(sweep: Sweep) -> None:
    if sweep.protocol == "refit":
        raise BadVariant("Refit follows runs under protocol validation, and a data set not yet prepared has none.")


# --- following it


def overview(settings: Settings) -> Activity:
    """Jobs under way and the time they will take."""
    queue = Queue(settings)
    counts = queue.counts()
    active = queue.jobs(state=State.RUNNING) + queue.jobs(state=State.QUEUED)
    left = _time_left(settings, active) if active else 0.0
    return Activity(counts[State.RUNNING], counts[State.QUEUED], counts[State.FAILED], left, queue.paused)


def progress(settings: Settings, sweeps: Iterable[int] | None = None) -> list[Progress]:
    """How far those sweeps are, or all that have runs under way, the newest first. Raises Unknown."""
    queue = Queue(settings)
    asked = queue.active_sweeps() if sweeps is None else sorted(set(sweeps), reverse=True)
    members = queue.members(asked)
    busy = any(m.active for m in members.values())
    active = queue.jobs(state=State.RUNNING) + queue.jobs(state=State.QUEUED) if busy else []
    found = []
    for record in (queue.sweep(number) for number in asked if number in members):
        last = members[record.id].last
        ahead = [job for job in active if last is not None and job.id <= last]
        left = _time_left(settings, ahead) if ahead else 0.0
        found.append(Progress(record.id, sweep_name(record), record.dataset, members[record.id], left))
    return found


def sweep_name(record: SweepRecord) -> str:
    """What a sweep was called, with its number; several may share a name."""
    return f"{record.name} (sweep {record.id})" if record.name else f"Sweep {record.id}"


def costs(settings: Settings, limit: int = 3) -> list[Cost]:
    """What the latest sweeps that are done were expected to take, and what they took, the newest first."""
    return [Cost(t.sweep, t.estimate, _spread(t.workers, t.seconds) or 0.0) for t in Queue(settings).timed(limit)]


def log_tail(settings: Settings, job: int | Job, lines: int = 40) -> str:
    """The end of a job's log; empty if it never ran."""
    path = log_path(settings, job.id if isinstance(job, Job) else job)
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 400 * lines))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _time_left(settings: Settings, active: Sequence[Job]) -> float | None:
    estimator = read_estimator(settings)
    infos = {info.id: info for info in store.list_datasets(settings)}
    known, unknown = [], 0
    for job in active:
        seconds = job.left if job.left is not None else _job_seconds(estimator, infos, job)
        known += [] if seconds is None else [seconds]
        unknown += seconds is None
    totals = [job.seconds + job.left for job in active if job.seconds is not None and job.left is not None]
    if unknown and not totals:
        return None
    # a method never timed before is taken to last as long as what runs now
    return _spread(settings.workers, known + [statistics.mean(totals or [0.0])] * unknown)


def _job_seconds(estimator: Estimator, infos: dict[str, DatasetInfo], job: Job) -> float | None:
    if job.kind == Kind.PREPARE or job.dataset not in infos:
        return None
    variant = _variant_of(tuple(job.payload["variant"].items()))
    seconds = estimator.seconds(variant, _trained_on(infos[job.dataset], variant))
    return None if seconds is None else seconds * (1 - (job.share or 0.0))


@lru_cache(maxsize=20_000)
def _variant_of(content: tuple[tuple[str, Any], ...]) -> Variant:
    """Kept, since the time left is asked for every few seconds, and thousands may wait."""
    return variant_from_fields(dict(content))


def _durations(estimator: Estimator, info: DatasetInfo, runs: Sequence[Run]) -> list[float | None]:
    variants = {run.variant.id: run.variant for run in runs}
    seconds = {key: estimator.seconds(v, _trained_on(info, v)) for key, v in variants.items()}
    return [seconds[run.variant.id] for run in runs]


def _trained_on(info: DatasetInfo, variant: Variant) -> int:
    return info.train + (info.validation if variant.protocol in {"refit", "paper"} else 0)


def _spread(workers: int, seconds: Sequence[float | None]) -> float | None:
    """The time that these take on all training processes: their share, but never less than the longest."""
    known = [s for s in seconds if s is not None]
    if len(known) < len(seconds):
        return None
    return max(sum(known) / workers, max(known, default=0.0))


# --- the worker

_started: dict[Path, subprocess.Popen[bytes]] = {}
"""By its lock, the worker that this process started last. It takes seconds until it holds the lock."""


def worker_running(settings: Settings) -> bool:
    """Does a worker serve this cache folder? Asks its lock, which the kernel frees when that process dies."""
    try:
        handle = os.open(settings.worker_lock, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # shared, so that two who ask never take each other for a worker
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def worker_expected(settings: Settings) -> bool:
    """Does a worker serve this cache folder, or is one that this process started still on its way to do so?"""
    started = _started.get(settings.worker_lock)
    return worker_running(settings) or (started is not None and started.poll() is None)


def ensure_worker(settings: Settings) -> bool:
    """Start a worker unless one serves; True if one was started. It outlives this process, and ends when idle.

    Call it after queueing: a worker that gives up its lock looks at the queue once more, so a job queued before is seen
    either by it or by the one started here. Of several started at once, the one that gets the lock stays.
    """
    if worker_running(settings):
        return False
    settings.logs.mkdir(parents=True, exist_ok=True)
    path = settings.logs / "worker.log"
    rotate(path)
    with path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.jobs.worker"],
            cwd=PROJECT,
            env={**os.environ, **settings.environment()},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a signal to the terminal's or the app's group does not reach it
        )
    _started[settings.worker_lock] = process
    # whoever starts a process must wait for it, or its entry stays in the process table; a daemon never delays our exit
    threading.Thread(target=process.wait, name="wait for worker", daemon=True).start()
    return True
