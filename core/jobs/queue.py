"""The queue: jobs, the sweeps that asked for them, and the states they go through.

    queued -> running -> done | failed | cancelled        failed, cancelled -> queued (retry)
       ^         |
       +---------+  the worker died or was stopped (no try charged), or the run's own process died (one try charged)

Here: every statement of SQL about jobs, by name, and the types its rows become.
Not here: who works on a job (worker.py), what a page asks (control.py), finished results (artifacts.py).

The app, the command line and the worker write this file at the same time, training processes never. Each transition is
one immediate transaction that names the state it leaves. Times are recorded for people; no decision compares them.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from core.errors import BadInput, Failed, Refused, Unknown
from core.models.sweep import Sweep
from core.models.variant import Run
from core.settings import Settings

MAX_TRIES = 3
"""A job fails when its own process has died so often."""

BUSY_SECONDS = 30.0
"""How long a statement waits for another process's transaction."""


class Kind(StrEnum):
    """What a job does."""

    PREPARE = "prepare"
    TRAIN = "train"


class State(StrEnum):
    """Where a job is. A member equals its text."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = (State.QUEUED, State.RUNNING)


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the queue, made in `_job` only."""

    id: int
    kind: Kind
    run: str | None
    """The run it trains; None for a preparation."""
    sweep: int | None
    """The sweep that first asked for it."""
    dataset: str
    """The data set's id; for a preparation its name, and its id once done."""
    label: str
    state: State
    waits_on: int | None
    """A job that must have ended first: a preparation, or the training of what this one re-ranks."""
    tries: int
    """How often its own process died."""
    attempt: int
    """How often it was started: names the folder it works in, so that no two attempts ever share one."""
    cancelling: bool
    """Running, and asked to stop."""
    cached: bool
    """Done without work: the result was there."""
    doing: str | None
    """What it is doing, in words."""
    share: float | None
    """The part that is done, 0 to 1."""
    epoch: int | None
    epochs: int | None
    loss: float | None
    metric: float | None
    """The latest validation metric, NDCG@10."""
    seconds: float | None
    """Working time of the current or last attempt."""
    left: float | None
    """Seconds to go, as the training process expects them."""
    reason: str | None
    """Why it failed; for a preparation that is done, why another data set took its place."""
    created: float
    started: float | None
    ended: float | None
    payload: Mapping[str, Any]
    """For a run its `Run.to_json`; for a preparation `name`, `then` (a sweep or None) and `fallback`."""


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """A sweep as it was asked for."""

    id: int
    name: str
    dataset: str
    spec: Sweep
    runs: int
    created: float


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a sweep's runs: found finished, already queued or running, newly queued."""

    sweep: int
    runs: int
    cached: int
    waiting: int
    queued: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a running job says of itself; None leaves what was known."""

    doing: str | None = None
    share: float | None = None
    epoch: int | None = None
    epochs: int | None = None
    loss: float | None = None
    metric: float | None = None
    seconds: float | None = None
    left: float | None = None
    curve: Sequence[Sequence[float | None]] = ()
    """Rows (epoch, seconds, loss, metric) of the learning curve so far, thinned when long."""


MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE sweep (
             id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, dataset TEXT NOT NULL,
             spec TEXT NOT NULL, created REAL NOT NULL) STRICT""",
        """CREATE TABLE job (
             id INTEGER PRIMARY KEY AUTOINCREMENT,
             kind TEXT NOT NULL CHECK (kind IN ('prepare', 'train')),
             target TEXT NOT NULL,
             run TEXT, sweep INTEGER REFERENCES sweep (id), dataset TEXT NOT NULL, label TEXT NOT NULL,
             state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
             waits_on INTEGER REFERENCES job (id),
             tries INTEGER NOT NULL DEFAULT 0, attempt INTEGER NOT NULL DEFAULT 0,
             cancelling INTEGER NOT NULL DEFAULT 0, cached INTEGER NOT NULL DEFAULT 0,
             doing TEXT, share REAL, epoch INTEGER, epochs INTEGER, loss REAL, metric REAL, seconds REAL, left REAL,
             reason TEXT, created REAL NOT NULL, started REAL, ended REAL, payload TEXT NOT NULL,
             CHECK ((kind = 'train') = (run IS NOT NULL))) STRICT""",
        # the rule "two equal requests do the work once" is kept by the database itself
        "CREATE UNIQUE INDEX job_active ON job (kind, target) WHERE state IN ('queued', 'running')",
        "CREATE INDEX job_state ON job (state, id)",
        "CREATE INDEX job_target ON job (target, id)",
        """CREATE TABLE sweep_job (
             sweep INTEGER NOT NULL REFERENCES sweep (id), position INTEGER NOT NULL,
             job INTEGER NOT NULL REFERENCES job (id),
             PRIMARY KEY (sweep, position)) STRICT, WITHOUT ROWID""",
        "CREATE TABLE curve (job INTEGER PRIMARY KEY REFERENCES job (id), points TEXT NOT NULL) STRICT",
        "CREATE TABLE flag (name TEXT PRIMARY KEY) STRICT",
    ),
)
"""The statements that lead from schema version n to n + 1. Append only."""

INSERT_SWEEP = "INSERT INTO sweep (name, dataset, spec, created) VALUES (:name, :dataset, :spec, :now) RETURNING id"
INSERT_JOB = """INSERT INTO job
        (kind, target, run, sweep, dataset, label, state, cached, waits_on, payload, created, ended)
    VALUES (:kind, :target, :run, :sweep, :dataset, :label, :state, :cached, :waits_on, :payload, :now, :ended)
    RETURNING id"""
INSERT_MEMBER = "INSERT INTO sweep_job (sweep, position, job) VALUES (:sweep, :position, :job)"
FIND_ACTIVE = "SELECT id FROM job WHERE kind = :kind AND target = :target AND state IN ('queued', 'running')"
FIND_DONE = "SELECT id FROM job WHERE kind = 'train' AND target = :target AND state = 'done' ORDER BY id DESC LIMIT 1"
FIND_PREPARE = "SELECT id FROM job WHERE kind = 'prepare' ORDER BY id LIMIT 1"

CLAIM = """UPDATE job SET state = 'running', attempt = attempt + 1, started = :now, ended = NULL, reason = NULL,
        doing = NULL, share = NULL, epoch = NULL, epochs = NULL, loss = NULL, metric = NULL, seconds = NULL, left = NULL
    WHERE id = (
        SELECT id FROM job WHERE state = 'queued' AND NOT EXISTS (SELECT 1 FROM flag WHERE name = 'paused')
            AND (waits_on IS NULL OR waits_on NOT IN (SELECT id FROM job WHERE state IN ('queued', 'running')))
        ORDER BY kind = 'prepare' DESC, id LIMIT 1)
    RETURNING *"""
"""The next job: preparations first, since sweeps wait for them, then the oldest that waits for nothing under way."""

FINISH = """UPDATE job SET state = 'done', dataset = coalesce(:dataset, dataset), reason = :reason, cached = :cached,
        ended = :now, left = NULL, share = 1, cancelling = 0
    WHERE id = :id AND state = 'running' AND attempt = :attempt"""
FAIL = """UPDATE job SET state = 'failed', reason = :reason, ended = :now, left = NULL, cancelling = 0
    WHERE id = :id AND state = 'running' AND attempt = :attempt"""
DIED = """UPDATE job SET tries = tries + 1, left = NULL, reason = :reason, cancelling = 0,
        state = CASE WHEN cancelling THEN 'cancelled' WHEN tries + 1 >= :limit THEN 'failed' ELSE 'queued' END,
        ended = CASE WHEN cancelling OR tries + 1 >= :limit THEN :now END
    WHERE id = :id AND state = 'running' AND attempt = :attempt"""
RELEASE = """UPDATE job SET state = CASE WHEN cancelling THEN 'cancelled' ELSE 'queued' END,
        ended = CASE WHEN cancelling THEN :now END, left = NULL, cancelling = 0
    WHERE id = :id AND state = 'running' AND attempt = :attempt"""
RELEASE_ALL = """UPDATE job SET state = CASE WHEN cancelling THEN 'cancelled' ELSE 'queued' END,
        ended = CASE WHEN cancelling THEN :now END, left = NULL, cancelling = 0 WHERE state = 'running'"""
RELAY = """UPDATE job SET doing = coalesce(:doing, doing), share = coalesce(:share, share),
        epoch = coalesce(:epoch, epoch), epochs = coalesce(:epochs, epochs), loss = coalesce(:loss, loss),
        metric = coalesce(:metric, metric), seconds = coalesce(:seconds, seconds), left = :left
    WHERE id = :id AND state = 'running' AND attempt = :attempt"""
KEEP_CURVE = """INSERT INTO curve (job, points) VALUES (:id, :points)
    ON CONFLICT (job) DO UPDATE SET points = excluded.points"""
DROP_DEPENDENTS = """UPDATE job SET state = (SELECT state FROM job AS first WHERE first.id = :id), ended = :now,
        reason = (SELECT CASE kind WHEN 'prepare' THEN 'The preparation of its data set came to nothing.'
            ELSE 'The run that it re-ranks came to nothing.' END FROM job AS first WHERE first.id = :id)
    WHERE state = 'queued' AND waits_on IN (SELECT id FROM job WHERE id = :id AND state IN ('failed', 'cancelled'))"""
"""What waits for a job that came to nothing shares its end; asked for again, it no longer waits for that one."""

CANCEL = """UPDATE job SET state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
        cancelling = state = 'running', ended = CASE state WHEN 'queued' THEN :now ELSE ended END
    WHERE state IN ('queued', 'running') AND (:id IS NULL OR id = :id)"""
RETRY = """UPDATE job SET state = 'queued', tries = 0, cancelling = 0, reason = NULL, ended = NULL, left = NULL,
        dataset = coalesce(:dataset, dataset) WHERE id = :id AND state = :leaves"""

SELECT_JOB = "SELECT * FROM job WHERE id = :id"
SELECT_JOBS = """SELECT * FROM job WHERE (:state IS NULL OR state = :state) AND (:kind IS NULL OR kind = :kind)
    ORDER BY id DESC LIMIT :limit"""
SELECT_SWEEP_JOBS = """SELECT job.* FROM sweep_job JOIN job ON job.id = sweep_job.job
    WHERE sweep_job.sweep = :sweep AND (:state IS NULL OR state = :state) AND (:kind IS NULL OR kind = :kind)
    ORDER BY position LIMIT :limit"""
SELECT_CANCELLING = "SELECT id FROM job WHERE state = 'running' AND cancelling"
SELECT_ACTIVE_RUNS = "SELECT run FROM job WHERE kind = 'train' AND state IN ('queued', 'running')"
SELECT_SWEEPS = """SELECT sweep.*, (SELECT count(*) FROM sweep_job WHERE sweep = sweep.id) AS runs FROM sweep
    WHERE :id IS NULL OR id = :id ORDER BY id DESC LIMIT :limit"""
SELECT_CURVE = "SELECT points FROM curve WHERE job = :id"
COUNT = "SELECT state, count(*) FROM job GROUP BY state"
COUNT_CLAIMABLE = """SELECT count(*) FROM job
    WHERE state = 'queued' AND NOT EXISTS (SELECT 1 FROM flag WHERE name = 'paused')
    AND (waits_on IS NULL OR waits_on NOT IN (SELECT id FROM job WHERE state IN ('queued', 'running')))"""
PAUSE = "INSERT OR IGNORE INTO flag (name) VALUES ('paused')"
RESUME = "DELETE FROM flag WHERE name = 'paused'"
PAUSED = "SELECT count(*) FROM flag WHERE name = 'paused'"


class Queue:
    """The queue of one cache folder. Holds no connection, so it may be shared by threads and thrown away."""

    def __init__(self, settings: Settings):
        """Opens the file, creates it or brings it to this version.

        Raises BadInput if it is no queue, or too new; Failed if the system does not let us write it.
        """
        self._path = settings.state
        settings.cache.mkdir(parents=True, exist_ok=True)
        try:
            self._migrate()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # our statements are wrong, not the system unwilling
                raise
            mend = "See that it can be written, or choose another cache folder by LONGTAIL_CACHE"
            raise Failed(f"The queue {self._path} cannot be used: {error}. {mend}.") from error
        except sqlite3.DatabaseError as error:
            mend = "Move the file away to begin with an empty queue; finished runs stay"
            raise BadInput(str(self._path), f"it is not a readable queue ({error})", f"{mend}.") from error

    # --- asking for work

    def add_sweep(
        self,
        dataset: str,
        sweep: Sweep,
        runs: Sequence[Run],
        finished: Container[str] = (),
        waits_on: int | None = None,
    ) -> Added:
        """Record a sweep and queue those of its runs that are neither finished nor under way. dataset: an id.

        runs: what the sweep means on that data set, in order of training; finished: ids of runs that need no training.
        """
        with self._writing() as db:
            return _add_sweep(db, dataset, sweep, runs, finished, waits_on)

    def add_prepare(
        self,
        name: str,
        then: Sweep | None = None,
        fallback: str | None = None,
        label: str | None = None,
        first: bool = False,
    ) -> int:
        """Queue the preparation of a known data set; the id of its job, an active one's if there is one already.

        then: trained on it once it is there; fallback: prepared instead when no source can be reached;
        first: only if no preparation was ever asked for, otherwise the id of the oldest.
        """
        payload = {"name": name, "then": then.to_json() if then else None, "fallback": fallback}
        with self._writing() as db:
            known = db.execute(FIND_PREPARE).fetchone() if first else None
            known = known or db.execute(FIND_ACTIVE, {"kind": Kind.PREPARE, "target": name}).fetchone()
            if known:
                return int(known["id"])
            return _insert_job(db, Kind.PREPARE, name, dataset=name, label=label or f"Prepare {name}", payload=payload)

    # --- what a person does with a job

    def cancel(self, job: int) -> State:
        """Queued: cancelled at once. Running: asked to stop, which it does between epochs. Ended: left as it is."""
        with self._writing() as db:
            db.execute(CANCEL, {"id": job, "now": time.time()})
            db.execute(DROP_DEPENDENTS, {"id": job, "now": time.time()})
            return _find(db, job).state

    def cancel_all(self) -> int:
        """Cancel everything that is queued or running; how many jobs that were."""
        with self._writing() as db:
            return db.execute(CANCEL, {"id": None, "now": time.time()}).rowcount

    def retry(self, job: int) -> Job:
        """Queue a failed or cancelled job again, its tries forgotten; or a preparation that ended with its fallback.

        An active job of the same target takes its place. Raises Refused for a job in another state.
        """
        with self._writing() as db:
            old = _find(db, job)
            if old.state in ACTIVE:
                return old
            fell_back = old.kind == Kind.PREPARE and old.state == State.DONE and old.reason is not None
            if old.state == State.DONE and not fell_back:
                raise Refused(f"Job {job} is done: there is nothing to retry. Ask for a sweep to train something else.")
            target = old.run or str(old.payload["name"])
            other = db.execute(FIND_ACTIVE, {"kind": old.kind, "target": target}).fetchone()
            if other:
                return _find(db, int(other["id"]))
            dataset = None if old.kind == Kind.TRAIN else target
            db.execute(RETRY, {"id": job, "leaves": old.state, "dataset": dataset})
            return _find(db, job)

    def pause(self) -> None:
        """Start no further job; what runs goes on."""
        with self._writing() as db:
            db.execute(PAUSE)

    def resume(self) -> None:
        """Start jobs again."""
        with self._writing() as db:
            db.execute(RESUME)

    @property
    def paused(self) -> bool:
        """Is starting jobs suspended?"""
        with self._reading() as db:
            return bool(db.execute(PAUSED).fetchone()[0])

    # --- what the worker does with a job

    def recover(self) -> int:
        """Return running jobs to the queue, no try charged; those asked to stop are cancelled.

        Only for the holder of the worker's lock, who knows that nobody works on them. Returns how many.
        """
        with self._writing() as db:
            return db.execute(RELEASE_ALL, {"now": time.time()}).rowcount

    def release(self, job: Job) -> None:
        """Return one running job to the queue, no try charged; cancelled if it was asked to stop."""
        self._end(job, RELEASE)

    def claim(self) -> Job | None:
        """The next job, now running; None if there is none to start or the queue is paused."""
        with self._writing() as db:
            rows = db.execute(CLAIM, {"now": time.time()}).fetchall()
            return _job(rows[0]) if rows else None

    def finish(self, job: Job, cached: bool = False) -> None:
        """A run's result is in the store."""
        self._end(job, FINISH, dataset=None, reason=None, cached=cached)

    def finish_prepare(self, job: Job, dataset: str, finished: Container[str] = (), reason: str | None = None) -> None:
        """A data set is there: done, and the sweep that waited for it is queued, in one transaction.

        dataset: its id; reason: why it is another than the one asked for.
        """
        then = job.payload.get("then")
        with self._writing() as db:
            values = {"dataset": dataset, "reason": reason, "cached": False, "now": time.time()}
            ours = db.execute(FINISH, {"id": job.id, "attempt": job.attempt, **values}).rowcount
            if ours and then:
                sweep = Sweep.from_json(then)
                _add_sweep(db, dataset, sweep, sweep.runs(dataset), finished, None)

    def fail(self, job: Job, reason: str) -> None:
        """The work could not be done, and trying again would not help."""
        self._end(job, FAIL, reason=reason)

    def died(self, job: Job, reason: str) -> None:
        """Its own process died: one try charged; queued again, or failed after MAX_TRIES."""
        self._end(job, DIED, reason=reason, limit=MAX_TRIES)

    def relay(self, reports: Iterable[tuple[Job, Report]]) -> None:
        """Write down what running jobs say of themselves."""
        with self._writing() as db:
            for job, report in reports:
                values = {f.name: getattr(report, f.name) for f in fields(report) if f.name != "curve"}
                db.execute(RELAY, {"id": job.id, "attempt": job.attempt, **values})
                if report.curve:
                    db.execute(KEEP_CURVE, {"id": job.id, "points": json.dumps(report.curve)})

    def cancelling(self) -> set[int]:
        """Running jobs that were asked to stop."""
        with self._reading() as db:
            return {int(row["id"]) for row in db.execute(SELECT_CANCELLING)}

    def claimable(self) -> int:
        """Jobs that `claim` would start."""
        with self._reading() as db:
            return int(db.execute(COUNT_CLAIMABLE).fetchone()[0])

    # --- looking

    def job(self, job: int) -> Job:
        """One job. Raises Unknown."""
        with self._reading() as db:
            return _find(db, job)

    def jobs(
        self, sweep: int | None = None, state: str | None = None, kind: str | None = None, limit: int = 10_000
    ) -> list[Job]:
        """A sweep's jobs in its order, those of runs trained before included; or all jobs, the newest first."""
        statement = SELECT_JOBS if sweep is None else SELECT_SWEEP_JOBS
        with self._reading() as db:
            rows = db.execute(statement, {"sweep": sweep, "state": state, "kind": kind, "limit": limit})
            return [_job(row) for row in rows]

    def counts(self) -> dict[State, int]:
        """Jobs in each state, zeros included."""
        with self._reading() as db:
            found = {State(row[0]): int(row[1]) for row in db.execute(COUNT)}
        return {state: found.get(state, 0) for state in State}

    def active_runs(self) -> set[str]:
        """Ids of the runs that are queued or running."""
        with self._reading() as db:
            return {str(row["run"]) for row in db.execute(SELECT_ACTIVE_RUNS)}

    def sweeps(self, limit: int = 100) -> list[SweepRecord]:
        """The latest sweeps, the newest first."""
        with self._reading() as db:
            return [_sweep(row) for row in db.execute(SELECT_SWEEPS, {"id": None, "limit": limit})]

    def sweep(self, sweep: int) -> SweepRecord:
        """One sweep. Raises Unknown."""
        with self._reading() as db:
            row = db.execute(SELECT_SWEEPS, {"id": sweep, "limit": 1}).fetchone()
        if row is None:
            raise Unknown("sweep", str(sweep))
        return _sweep(row)

    def curve(self, job: int) -> list[tuple[int, float, float | None, float | None]]:
        """The learning curve that a job has reported: (epoch, seconds, loss, metric), ascending."""
        with self._reading() as db:
            row = db.execute(SELECT_CURVE, {"id": job}).fetchone()
        return [(int(p[0]), float(p[1]), p[2], p[3]) for p in json.loads(row["points"])] if row else []

    # --- the file

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        # a connection costs a tenth of a millisecond, and one that is not kept needs no care about threads and forks
        with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA foreign_keys = ON")
            yield db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def _end(self, job: Job, statement: str, **values: Any) -> None:
        with self._writing() as db:
            db.execute(statement, {"id": job.id, "attempt": job.attempt, "now": time.time(), **values})
            db.execute(DROP_DEPENDENTS, {"id": job.id, "now": time.time()})

    def _migrate(self) -> None:
        """Bring the file to this version: all statements and the new number in one transaction."""
        with self._reading() as db:
            if _version(db) == len(MIGRATIONS):
                return
            _patiently(lambda: db.execute("PRAGMA journal_mode = WAL"))
        with self._writing() as db:
            version = _version(db)  # again: another process may have been faster
            if version > len(MIGRATIONS):
                mend = "Use that version, or choose another cache folder by LONGTAIL_CACHE."
                raise BadInput(str(self._path), "it was written by a newer version of this program", mend)
            for statements in MIGRATIONS[version:]:
                for statement in statements:
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def problem(settings: Settings) -> str | None:
    """What is wrong with the queue's file, in words; None if it is sound, or not there yet. Changes nothing."""
    if not settings.state.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{settings.state.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)) as db:
            found = [str(row[0]) for row in db.execute("PRAGMA integrity_check(1)")]
            _version(db)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY}:
            return None  # in use, or not ours to write: no damage, and no reason to move it away
        return f"it is not a readable queue ({error})"
    return None if found == ["ok"] else f"it is damaged ({'; '.join(found)})"


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _patiently(action: Callable[[], object]) -> None:
    """Changing the journal mode does not wait for the lock as other statements do, so it is tried again for as long."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            action()
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _job(row: sqlite3.Row) -> Job:
    values = {f.name: row[f.name] for f in fields(Job)}
    values |= {"kind": Kind(row["kind"]), "state": State(row["state"]), "payload": json.loads(row["payload"])}
    return Job(**(values | {"cancelling": bool(row["cancelling"]), "cached": bool(row["cached"])}))


def _sweep(row: sqlite3.Row) -> SweepRecord:
    spec = Sweep.from_json(json.loads(row["spec"]))
    return SweepRecord(row["id"], row["name"], row["dataset"], spec, row["runs"], row["created"])


def _find(db: sqlite3.Connection, job: int) -> Job:
    row = db.execute(SELECT_JOB, {"id": job}).fetchone()
    if row is None:
        raise Unknown("job", str(job))
    return _job(row)


def _insert_job(
    db: sqlite3.Connection,
    kind: Kind,
    target: str,
    *,
    dataset: str,
    label: str,
    payload: Mapping[str, Any],
    sweep: int | None = None,
    waits_on: int | None = None,
    cached: bool = False,
) -> int:
    now = time.time()
    values = {
        "kind": kind,
        "target": target,
        "run": target if kind == Kind.TRAIN else None,
        "sweep": sweep,
        "dataset": dataset,
        "label": label,
        "state": State.DONE if cached else State.QUEUED,
        "cached": cached,
        "waits_on": waits_on,
        "payload": json.dumps(payload),
        "now": now,
        "ended": now if cached else None,
    }
    return int(db.execute(INSERT_JOB, values).fetchone()["id"])


def _active_run(db: sqlite3.Connection, run: Run) -> sqlite3.Row | None:
    found: sqlite3.Row | None = db.execute(FIND_ACTIVE, {"kind": Kind.TRAIN, "target": run.id}).fetchone()
    return found


def _before(db: sqlite3.Connection, run: Run) -> int | None:
    """The job that trains what this run re-ranks, if that is under way: two processes would train it at once else."""
    base = _active_run(db, run.reranked) if run.reranked else None
    return int(base["id"]) if base else None


def _add_sweep(
    db: sqlite3.Connection,
    dataset: str,
    sweep: Sweep,
    runs: Sequence[Run],
    finished: Container[str],
    waits_on: int | None,
) -> Added:
    values = {"name": sweep.name, "dataset": dataset, "spec": json.dumps(sweep.to_json()), "now": time.time()}
    number = int(db.execute(INSERT_SWEEP, values).fetchone()["id"])
    cached = waiting = 0
    for position, run in enumerate(runs):
        is_finished = run.id in finished
        active = _active_run(db, run)
        known = active or (db.execute(FIND_DONE, {"target": run.id}).fetchone() if is_finished else None)
        job = known["id"] if known else _insert_job(
            db, Kind.TRAIN, run.id, dataset=dataset, label=run.label, payload=run.to_json(),
            sweep=number, waits_on=waits_on or _before(db, run), cached=is_finished,
        )  # fmt: skip
        db.execute(INSERT_MEMBER, {"sweep": number, "position": position, "job": job})
        waiting += bool(active)
        cached += is_finished and not active
    return Added(number, len(runs), cached, waiting, len(runs) - cached - waiting)
