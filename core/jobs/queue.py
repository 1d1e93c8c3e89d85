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

from core.errors import BadInput, Failed, LabError, Refused, Unknown
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
    estimate: float | None = None
    """Seconds that what it queued was expected to take on `workers` processes; None where that could not be told."""
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class Members:
    """How far a sweep's runs are, in numbers. Those that were found finished count as done."""

    runs: int
    done: int
    running: int
    queued: int
    failed: int
    cancelled: int
    last: int | None
    """Of its jobs under way, the one that begins last."""

    @property
    def active(self) -> int:
        """Runs that have not ended."""
        return self.running + self.queued


@dataclass(frozen=True, slots=True)
class Timed:
    """What a sweep was expected to cost, and what each of the runs that it queued cost, now that all are done."""

    sweep: int
    estimate: float
    workers: int
    seconds: tuple[float, ...]
    """From start to end of each, as the clock went; waiting in the queue is not part of it."""


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
    (
        # what a list of jobs is searched and sorted by, so that no payload has to be read for it
        "ALTER TABLE job ADD COLUMN setting TEXT",
        "ALTER TABLE job ADD COLUMN method TEXT",
        "ALTER TABLE job ADD COLUMN protocol TEXT",
        "ALTER TABLE job ADD COLUMN seed INTEGER",
        "ALTER TABLE job ADD COLUMN bootstrap INTEGER",
        """UPDATE job SET setting = substr(label, 1, instr(label, ', seed ') - 1), method = method_of(payload),
             protocol = json_extract(payload, '$.variant.protocol'), seed = json_extract(payload, '$.seed'),
             bootstrap = json_extract(payload, '$.bootstrap') WHERE kind = 'train'""",
        "ALTER TABLE sweep ADD COLUMN estimate REAL",
        "ALTER TABLE sweep ADD COLUMN workers INTEGER",
        "CREATE INDEX job_sweep ON job (sweep, id)",
        "CREATE INDEX member_job ON sweep_job (job)",
    ),
)
"""The statements that lead from schema version n to n + 1. Append only; `method_of` is a function of ours."""

INSERT_SWEEP = """INSERT INTO sweep (name, dataset, spec, created, estimate, workers)
    VALUES (:name, :dataset, :spec, :now, :estimate, :workers) RETURNING id"""
INSERT_JOB = """INSERT INTO job
        (kind, target, run, sweep, dataset, label, state, cached, waits_on, payload, created, ended,
         setting, method, protocol, seed, bootstrap)
    VALUES (:kind, :target, :run, :sweep, :dataset, :label, :state, :cached, :waits_on, :payload, :now, :ended,
         :setting, :method, :protocol, :seed, :bootstrap)
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
DROP_CURVE = "DELETE FROM curve WHERE job = :id"
DROP_DEPENDENTS = """UPDATE job SET state = (SELECT state FROM job AS first WHERE first.id = :id), ended = :now,
        reason = (SELECT CASE kind WHEN 'prepare' THEN 'The preparation of its data set came to nothing.'
            ELSE 'The run that it re-ranks came to nothing.' END FROM job AS first WHERE first.id = :id)
    WHERE state = 'queued' AND waits_on IN (SELECT id FROM job WHERE id = :id AND state IN ('failed', 'cancelled'))"""
"""What waits for a job that came to nothing shares its end; asked for again, it no longer waits for that one."""

CANCEL = """UPDATE job SET state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
        cancelling = state = 'running', ended = CASE state WHEN 'queued' THEN :now ELSE ended END
    WHERE state IN ('queued', 'running') AND (:id IS NULL OR id = :id)"""
RETRY = """UPDATE job SET state = 'queued', tries = 0, cancelling = 0, cached = 0, reason = NULL, ended = NULL,
        doing = NULL, share = NULL, epoch = NULL, epochs = NULL, loss = NULL, metric = NULL, seconds = NULL,
        left = NULL, dataset = coalesce(:dataset, dataset) WHERE id = :id AND state = :leaves"""

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
SELECT_THESE = "SELECT * FROM job WHERE id IN (SELECT value FROM json_each(:ids))"
SELECT_LATEST = """SELECT id AS job, kind, run, dataset, coalesce(setting, label) AS setting, method, protocol, seed,
        bootstrap, state, share, epoch, seconds, reason, coalesce(ended, started, created) AS moment,
        sweep, created
    FROM job WHERE id IN (
        SELECT coalesce(max(CASE WHEN state IN ('queued', 'running') THEN id END), max(id)) FROM job
        WHERE :sweep IS NULL OR target IN (
            SELECT target FROM sweep_job JOIN job ON job.id = sweep_job.job WHERE sweep_job.sweep = :sweep)
        GROUP BY target, kind)"""
"""Of several jobs for one run the one that counts: what is under way, else the latest."""
SELECT_LATEST_OF = """SELECT * FROM job WHERE kind = 'train' AND target = :run
    ORDER BY state IN ('queued', 'running') DESC, id DESC LIMIT 1"""
FIND_ANY = "SELECT id FROM job WHERE kind = 'train' AND target = :target LIMIT 1"
SELECT_ASKED = """SELECT DISTINCT method, dataset, protocol FROM job WHERE kind = 'train'
    ORDER BY method, dataset, protocol"""
SELECT_MEMBERS = """SELECT sweep_job.sweep, count(*) AS runs, sum(state = 'done') AS done,
        sum(state = 'running') AS running, sum(state = 'queued') AS queued, sum(state = 'failed') AS failed,
        sum(state = 'cancelled') AS cancelled, max(CASE WHEN state IN ('queued', 'running') THEN job.id END) AS last
    FROM sweep_job JOIN job ON job.id = sweep_job.job
    WHERE sweep_job.sweep IN (SELECT value FROM json_each(:sweeps)) GROUP BY sweep_job.sweep"""
SELECT_ACTIVE_SWEEPS = """SELECT DISTINCT sweep_job.sweep FROM job JOIN sweep_job ON sweep_job.job = job.id
    WHERE state IN ('queued', 'running') ORDER BY sweep_job.sweep DESC"""
SELECT_TIMED = """SELECT sweep.id, sweep.estimate, sweep.workers,
        json_group_array(max(job.ended - job.started, 0)) AS seconds
    FROM sweep JOIN job ON job.sweep = sweep.id WHERE sweep.estimate > 0
    GROUP BY sweep.id HAVING min(job.state = 'done' AND NOT job.cached AND job.started IS NOT NULL)
    ORDER BY sweep.id DESC LIMIT :limit"""
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
        estimate: float | None = None,
        workers: int | None = None,
    ) -> Added:
        """Record a sweep and queue those of its runs that are neither finished nor under way. dataset: an id.

        runs: what the sweep means on that data set, in order of training; finished: ids of runs that need no training;
        estimate: seconds that what is queued is expected to take on that many workers, kept to be judged afterwards.
        """
        with self._writing() as db:
            return _add_sweep(db, dataset, sweep, runs, finished, waits_on, estimate, workers)

    def remember(self, runs: Iterable[Run]) -> None:
        """Note finished runs that no job is known of, so that `retry` can bring them back once they are deleted."""
        with self._writing() as db:
            for run in runs:
                if not db.execute(FIND_ANY, {"target": run.id}).fetchone():
                    _insert_run(db, run, cached=True)

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
            return _cancel(db, job)

    def cancel_these(self, jobs: Iterable[int]) -> int:
        """Cancel those jobs; how many of them were queued or running. Raises Unknown, and then cancels none."""
        with self._writing() as db:
            active = [job for job in jobs if _find(db, job).state in ACTIVE]
            for job in active:
                _cancel(db, job)
            return len(active)

    def cancel_all(self) -> int:
        """Cancel everything that is queued or running; how many jobs that were."""
        with self._writing() as db:
            return db.execute(CANCEL, {"id": None, "now": time.time()}).rowcount

    def retry(self, job: int, finished: Container[str] | None = None) -> Job:
        """Queue a failed or cancelled job again, its tries forgotten; or a preparation that ended with its fallback.

        finished: ids of the runs that are in the store, if that is known: a done run that is not there any more is
        trained again. An active job of the same target takes its place. Raises Refused for a job in another state.
        """
        with self._writing() as db:
            return _retry(db, job, finished)

    def retry_these(self, jobs: Iterable[int], finished: Container[str] | None = None) -> int:
        """The same for several at once; how many are queued or running now. Raises Refused, and then queues none."""
        with self._writing() as db:
            return len({_retry(db, job, finished).id for job in jobs})

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
            job = _job(rows[0]) if rows else None
            if job:
                db.execute(DROP_CURVE, {"id": job.id})  # of an earlier attempt, which this one is not
            return job

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

    def jobs_of(self, jobs: Iterable[int]) -> dict[int, Job]:
        """Those jobs by number; unknown numbers are left out."""
        with self._reading() as db:
            found = map(_job, db.execute(SELECT_THESE, {"ids": json.dumps(list(jobs))}))
            return {job.id: job for job in found}

    def latest(self, sweep: int | None = None) -> dict[str, list[Any]]:
        """The job that counts for each run or preparation, as columns: job, kind, run, dataset, setting (the label
        without the seed), method, protocol, seed, bootstrap, state, share, epoch, seconds, reason, moment (when it
        ended, else began, else was asked for), sweep (the one that first asked for it), created (when it was
        asked for). sweep: only what that one asked for."""
        with self._reading() as db:
            db.row_factory = None
            rows = db.execute(SELECT_LATEST, {"sweep": sweep})
            names = [column[0] for column in rows.description]
            columns = list(zip(*rows, strict=True)) or [()] * len(names)
        return {name: list(column) for name, column in zip(names, columns, strict=True)}

    def asked(self) -> list[tuple[str | None, str, str | None]]:
        """Every method, data set and protocol that a run was ever asked for with."""
        with self._reading() as db:
            return [tuple(row) for row in db.execute(SELECT_ASKED)]

    def latest_of(self, run: str) -> Job | None:
        """The job that counts for a run; None if none is known."""
        with self._reading() as db:
            row = db.execute(SELECT_LATEST_OF, {"run": run}).fetchone()
        return _job(row) if row else None

    def members(self, sweeps: Iterable[int]) -> dict[int, Members]:
        """How far those sweeps are; one without runs is left out."""
        with self._reading() as db:
            rows = db.execute(SELECT_MEMBERS, {"sweeps": json.dumps(list(sweeps))}).fetchall()
        return {row["sweep"]: Members(*(row[f.name] for f in fields(Members))) for row in rows}

    def active_sweeps(self) -> list[int]:
        """Sweeps with runs that have not ended, the newest first."""
        with self._reading() as db:
            return [int(row[0]) for row in db.execute(SELECT_ACTIVE_SWEEPS)]

    def timed(self, limit: int = 3) -> list[Timed]:
        """The latest sweeps that had an estimate and trained all that they queued, the newest first."""
        with self._reading() as db:
            rows = db.execute(SELECT_TIMED, {"limit": limit}).fetchall()
        return [Timed(r["id"], r["estimate"], r["workers"], tuple(json.loads(r["seconds"]))) for r in rows]

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
            db.create_function("method_of", 1, _method_of)
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
    values = {f.name: row[f.name] for f in fields(SweepRecord)}
    return SweepRecord(**(values | {"spec": Sweep.from_json(json.loads(row["spec"]))}))


def _method_of(payload: str) -> str | None:
    """The method of a run's payload, for jobs written before it had a column; None if it makes no run any more."""
    try:
        return Run.from_json(json.loads(payload)).variant.method
    except (LabError, ValueError, KeyError, TypeError):
        return None


def _cancel(db: sqlite3.Connection, job: int) -> State:
    db.execute(CANCEL, {"id": job, "now": time.time()})
    db.execute(DROP_DEPENDENTS, {"id": job, "now": time.time()})
    return _find(db, job).state


def _retry(db: sqlite3.Connection, job: int, finished: Container[str] | None) -> Job:
    old = _find(db, job)
    if old.state in ACTIVE:
        return old
    fell_back = old.kind == Kind.PREPARE and old.state == State.DONE and old.reason is not None
    lost = old.kind == Kind.TRAIN and finished is not None and old.run not in finished
    if old.state == State.DONE and not fell_back and not lost:
        raise Refused(f"Job {job} is done: there is nothing to retry. Ask for a sweep to train something else.")
    target = old.run or str(old.payload["name"])
    other = db.execute(FIND_ACTIVE, {"kind": old.kind, "target": target}).fetchone()
    if other:
        return _find(db, int(other["id"]))
    dataset = None if old.kind == Kind.TRAIN else target
    db.execute(RETRY, {"id": job, "leaves": old.state, "dataset": dataset})
    return _find(db, job)


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
    about: Mapping[str, Any] | None = None,
) -> int:
    now = time.time()
    nothing = dict.fromkeys(("setting", "method", "protocol", "seed", "bootstrap"))
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
        **(about or nothing),
    }
    return int(db.execute(INSERT_JOB, values).fetchone()["id"])


def _insert_run(db: sqlite3.Connection, run: Run, **options: Any) -> int:
    v = run.variant
    about = {
        "setting": v.label,
        "method": v.method,
        "protocol": v.protocol,
        "seed": run.seed,
        "bootstrap": run.bootstrap,
    }
    payload = run.to_json()
    return _insert_job(
        db, Kind.TRAIN, run.id, dataset=v.dataset, label=run.label, payload=payload, about=about, **options
    )


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
    estimate: float | None = None,
    workers: int | None = None,
) -> Added:
    values = {"name": sweep.name, "dataset": dataset, "spec": json.dumps(sweep.to_json()), "now": time.time()}
    values |= {"estimate": estimate, "workers": workers}
    number = int(db.execute(INSERT_SWEEP, values).fetchone()["id"])
    cached = waiting = 0
    for position, run in enumerate(runs):
        is_finished = run.id in finished
        active = _active_run(db, run)
        known = active or (db.execute(FIND_DONE, {"target": run.id}).fetchone() if is_finished else None)
        job = known["id"] if known else _insert_run(
            db, run, sweep=number, waits_on=waits_on or _before(db, run), cached=is_finished
        )  # fmt: skip
        db.execute(INSERT_MEMBER, {"sweep": number, "position": position, "job": job})
        waiting += bool(active)
        cached += is_finished and not active
    return Added(number, len(runs), cached, waiting, len(runs) - cached - waiting)
