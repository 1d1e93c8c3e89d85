import json
import multiprocessing
import sqlite3
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from core.errors import BadInput, Failed, Refused, Unknown
from core.jobs.queue import ACTIVE, MAX_TRIES, MIGRATIONS, Job, Kind, Queue, Report, State, problem
from core.models.sweep import DEFAULT_SWEEP, Sweep
from core.settings import Settings

DATASET = "0" * 16
SWEEP = Sweep(
    grids=({"sampler": ["rns"]}, {"sampler": ["auc_ns"], "beta": [0.0, 0.1]}), seeds=(0, 1), name="two methods"
)


@pytest.fixture
def queue(settings: Settings) -> Queue:
    return Queue(settings)


def add(queue: Queue, sweep: Sweep = SWEEP, finished: tuple[str, ...] = (), **options) -> int:
    return queue.add_sweep(DATASET, sweep, sweep.runs(DATASET), finished, **options).sweep


def claim(queue: Queue) -> Job:
    job = queue.claim()
    assert job is not None
    return job


def test_first_seeds_of_all_variants_come_first(queue):
    add(queue)
    order = [claim(queue) for _ in range(6)]
    assert [job.payload["seed"] for job in order] == [0, 0, 0, 1, 1, 1]
    assert len({job.label.split(", seed")[0] for job in order[:3]}) == 3
    assert queue.claim() is None


def test_two_equal_requests_train_once(queue):
    first = queue.add_sweep(DATASET, SWEEP, SWEEP.runs(DATASET))
    second = queue.add_sweep(DATASET, SWEEP, SWEEP.runs(DATASET))
    assert (first.queued, first.waiting, second.queued, second.waiting) == (6, 0, 0, 6)
    assert [j.id for j in queue.jobs(sweep=first.sweep)] == [j.id for j in queue.jobs(sweep=second.sweep)]


def test_equal_requests_at_the_same_time_train_once(settings):
    """Threads of one app and processes of others differ in nothing: every call has a connection of its own."""
    start = threading.Barrier(8)

    def request() -> None:
        queue = Queue(settings)
        start.wait()
        queue.add_sweep(DATASET, SWEEP, SWEEP.runs(DATASET))

    threads = [threading.Thread(target=request) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Queue(settings).counts()[State.QUEUED] == 6
    assert len(Queue(settings).sweeps()) == 8


def _claim_all(settings: Settings, start, claimed) -> None:
    queue = Queue(settings)  # also creates the file, at the same time as others
    start.wait()
    while job := queue.claim():
        claimed.put(job.id)
    claimed.put(None)


def test_no_job_is_claimed_twice_by_processes_that_create_the_file_together(settings):
    context = multiprocessing.get_context("spawn")
    start, claimed = context.Barrier(4), context.Queue()
    others = [context.Process(target=_claim_all, args=(settings, start, claimed)) for _ in range(3)]
    for process in others:
        process.start()
    add(Queue(settings))
    start.wait()
    found, ended = [], 0
    while ended < len(others):
        got = claimed.get(timeout=60)
        ended += got is None
        found += [] if got is None else [got]
    for process in others:
        process.join()
    assert sorted(found) == list(range(1, 7))


def test_runs_trained_before_are_shown_as_done_and_not_queued(queue):
    runs = SWEEP.runs(DATASET)
    added = queue.add_sweep(DATASET, SWEEP, runs, {runs[0].id, runs[4].id})
    assert (added.runs, added.cached, added.waiting, added.queued) == (6, 2, 0, 4)
    jobs = queue.jobs(sweep=added.sweep)
    assert [j.run for j in jobs] == [r.id for r in runs]
    assert [(j.state == State.DONE, j.cached) for j in jobs] == [(n in {0, 4}, n in {0, 4}) for n in range(6)]


def test_a_run_done_in_an_earlier_sweep_keeps_its_one_row(queue):
    sweep = Sweep(grids=({"sampler": ["rns"]},), seeds=(0,))
    add(queue, sweep)
    job = claim(queue)
    queue.finish(job)
    again = queue.add_sweep(DATASET, sweep, sweep.runs(DATASET), {job.run})
    assert again.cached == 1
    assert [j.id for j in queue.jobs(sweep=again.sweep)] == [job.id]


def test_a_run_whose_result_was_deleted_is_queued_again(queue):
    sweep = Sweep(grids=({"sampler": ["rns"]},), seeds=(0,))
    add(queue, sweep)
    queue.finish(claim(queue))
    assert queue.add_sweep(DATASET, sweep, sweep.runs(DATASET), finished=()).queued == 1


def test_sweeps_remember_what_was_asked(queue):
    number = add(queue)
    record = queue.sweep(number)
    assert (record.name, record.dataset, record.spec.to_json(), record.runs) == (
        "two methods",
        DATASET,
        SWEEP.to_json(),
        6,
    )
    assert [s.id for s in queue.sweeps()] == [number]
    with pytest.raises(Unknown):
        queue.sweep(99)


def test_preparations_go_first_and_expand_their_sweep(queue):
    add(queue)
    job = queue.add_prepare("ml-100k", then=DEFAULT_SWEEP, fallback="simulated")
    assert queue.add_prepare("ml-100k") == job
    prepare = claim(queue)
    assert (prepare.id, prepare.kind, prepare.dataset, prepare.run) == (job, Kind.PREPARE, "ml-100k", None)
    other = "1" * 16
    cached = DEFAULT_SWEEP.runs(other)[3].id
    queue.finish_prepare(prepare, other, {cached})
    assert queue.job(job).dataset == other
    jobs = queue.jobs(sweep=2)
    assert {j.dataset for j in jobs} == {other}
    assert [j.state for j in jobs].count(State.DONE) == 1
    assert len(jobs) == 40  # 39 trained runs and most popular


def test_a_preparation_released_meanwhile_expands_nothing(queue):
    queue.add_prepare("ml-100k", then=DEFAULT_SWEEP)
    stale = claim(queue)
    queue.recover()
    queue.finish_prepare(stale, DATASET)
    assert queue.sweeps() == []
    assert queue.job(stale.id).state == State.QUEUED


def test_the_first_preparation_is_asked_for_once_for_all(queue):
    job = queue.add_prepare("ml-100k", first=True)
    queue.fail(claim(queue), "no network")
    assert queue.add_prepare("ml-100k", first=True) == job
    assert queue.job(job).state == State.FAILED
    assert queue.add_prepare("ml-100k") != job


def test_jobs_wait_for_a_preparation_and_share_its_end(queue):
    first = queue.add_prepare("ml-100k")
    add(queue, waits_on=first)
    prepare = claim(queue)
    assert queue.claim() is None
    assert queue.claimable() == 0
    queue.finish_prepare(prepare, DATASET)
    assert claim(queue).waits_on == first
    second = queue.add_prepare("ml-1m")
    other = Sweep(grids=({"sampler": ["pns"]},), seeds=(0,))
    sweep = add(queue, other, waits_on=second)
    queue.fail(claim(queue), "no network")
    [waiting] = queue.jobs(sweep=sweep)
    assert waiting.state == State.FAILED
    assert waiting.reason


RERANKED = Sweep(
    grids=({"sampler": ["rns"]}, {"penalty_strength": [0.1, 0.2]}), baselines=("pop_penalty",), seeds=(0, 1)
)


def test_what_re_ranks_a_run_waits_for_it_while_others_start(queue):
    add(queue, RERANKED)
    bases = [claim(queue), claim(queue)]  # of both seeds, though the first seed's penalties were asked for before
    assert [(job.payload["variant"].get("baseline"), job.payload["seed"]) for job in bases] == [(None, 0), (None, 1)]
    assert queue.claim() is None
    assert queue.claimable() == 0
    queue.finish(bases[1])
    waited = [claim(queue), claim(queue)]
    assert [job.payload["variant"]["penalty_strength"] for job in waited] == [0.1, 0.2]
    assert {(job.payload["seed"], job.waits_on) for job in waited} == {(1, bases[1].id)}
    assert queue.claim() is None


def test_a_run_under_way_for_another_sweep_is_waited_for_too(queue):
    add(queue, Sweep(grids=({"sampler": ["rns"]},), seeds=(0,)))
    base = claim(queue)
    penalty = Sweep(grids=({"penalty_strength": [0.1]},), baselines=("pop_penalty",), seeds=(0,))
    add(queue, penalty)
    assert queue.claim() is None
    queue.finish(base)
    assert claim(queue).waits_on == base.id


def test_nothing_is_waited_for_where_the_run_is_finished(queue):
    runs = RERANKED.runs(DATASET)
    finished = tuple(run.id for run in runs if not run.reranked)
    sweep = add(queue, RERANKED, finished)
    assert [job.waits_on for job in queue.jobs(sweep=sweep)] == [None] * 6
    assert queue.claimable() == 4


def test_a_run_that_fails_takes_along_what_re_ranks_it_and_each_can_be_retried(queue):
    sweep = add(queue, RERANKED)
    base = claim(queue)
    queue.fail(base, "diverged")
    first, *waiting = [job for job in queue.jobs(sweep=sweep) if job.payload["seed"] == 0]
    assert first.id == base.id
    assert {job.state for job in waiting} == {State.FAILED}
    assert {job.reason for job in waiting} == {"The run that it re-ranks came to nothing."}
    queue.claim()  # the other seed's
    queue.retry(waiting[0].id)
    assert claim(queue).id == waiting[0].id  # it will train what it re-ranks itself
    queue.retry(base.id)
    queue.retry(waiting[1].id)
    assert claim(queue).id == base.id
    assert queue.claim() is None  # under way again, so waited for again


def test_a_death_is_charged_and_the_third_fails(queue):
    add(queue)
    for tries in range(1, MAX_TRIES + 1):
        job = claim(queue)
        assert job.attempt == tries
        queue.died(job, "killed by the system")
        assert queue.job(job.id).tries == tries
    assert (queue.job(job.id).state, queue.job(job.id).reason) == (State.FAILED, "killed by the system")
    again = queue.retry(job.id)
    assert (again.state, again.tries, again.reason) == (State.QUEUED, 0, None)
    assert claim(queue).attempt == MAX_TRIES + 1  # never a folder's name twice


def test_a_worker_that_died_costs_no_try(queue):
    add(queue)
    ids = [claim(queue).id for _ in range(2)]
    queue.cancel(ids[1])
    assert queue.recover() == 2
    assert (queue.job(ids[0]).state, queue.job(ids[0]).tries) == (State.QUEUED, 0)
    assert queue.job(ids[1]).state == State.CANCELLED  # asked to stop: it did


def test_what_a_stale_attempt_says_changes_nothing(queue):
    add(queue)
    stale = claim(queue)
    queue.release(stale)
    current = claim(queue)
    assert current.id == stale.id
    queue.finish(stale)
    queue.fail(stale, "too late")
    queue.died(stale, "too late")
    queue.release(stale)
    queue.relay([(stale, Report(epoch=7))])
    assert queue.job(current.id) == current


def test_progress_is_kept_and_nothing_known_is_forgotten(queue):
    add(queue)
    job = claim(queue)
    queue.relay(
        [
            (
                job,
                Report(
                    share=0.1,
                    epoch=5,
                    epochs=50,
                    loss=0.6,
                    metric=0.2,
                    seconds=1.0,
                    left=9.0,
                    curve=[(5, 1.0, 0.6, 0.2)],
                ),
            )
        ]
    )
    queue.relay([(job, Report(share=0.2, epoch=10, loss=0.5, seconds=2.0, left=8.0))])
    now = queue.job(job.id)
    assert (now.share, now.epoch, now.epochs, now.loss, now.metric, now.seconds, now.left) == (
        0.2,
        10,
        50,
        0.5,
        0.2,
        2.0,
        8.0,
    )
    assert queue.curve(job.id) == [(5, 1.0, 0.6, 0.2)]
    assert queue.curve(99) == []
    queue.release(job)
    claim(queue)
    assert queue.curve(job.id) == []  # it begins anew


def test_cancel_is_immediate_for_what_waits_and_a_mark_for_what_runs(queue):
    add(queue)
    running = claim(queue)
    waiting = queue.jobs(state=State.QUEUED)[0]
    assert queue.cancel(waiting.id) == State.CANCELLED
    assert queue.cancel(running.id) == State.RUNNING
    assert queue.cancelling() == {running.id}
    queue.finish(running)  # it was faster
    assert queue.job(running.id).state == State.DONE
    assert queue.cancel(running.id) == State.DONE
    assert queue.cancel_all() == 4
    with pytest.raises(Unknown):
        queue.cancel(99)


def test_retry_is_for_what_failed(queue):
    add(queue)
    job = claim(queue)
    assert queue.retry(job.id).state == State.RUNNING
    queue.finish(job)
    with pytest.raises(Refused, match="nothing to retry"):
        queue.retry(job.id)


def test_retry_of_a_run_that_was_asked_for_again_is_that_request(queue):
    add(queue)
    job = claim(queue)
    queue.fail(job, "diverged")
    add(queue)
    assert queue.retry(job.id).id != job.id
    assert queue.counts()[State.QUEUED] == 6


def test_pause_outlives_the_process(settings, queue):
    add(queue)
    queue.pause()
    assert Queue(settings).paused
    assert queue.claim() is None
    queue.resume()
    assert not Queue(settings).paused
    assert claim(queue)


def test_a_file_that_is_no_queue_is_refused_and_left_alone(settings):
    settings.state.write_bytes(b"these are not the bytes of a database" * 100)
    before = settings.state.read_bytes()
    with pytest.raises(BadInput, match=r"not a readable queue.*Move the file away"):
        Queue(settings)
    assert settings.state.read_bytes() == before


def test_a_newer_queue_is_refused(settings):
    Queue(settings)
    with sqlite3.connect(settings.state) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(BadInput, match="newer version"):
        Queue(settings)


def test_a_file_that_cannot_be_opened_is_told_in_a_sentence(settings):
    settings.state.mkdir(parents=True)
    with pytest.raises(Failed, match=r"state\.sqlite cannot be used: unable to open .*LONGTAIL_CACHE\."):
        Queue(settings)


def test_a_queue_in_use_is_not_damaged(settings, queue, monkeypatch):
    monkeypatch.setattr("core.jobs.queue.BUSY_SECONDS", 0.05)
    other = sqlite3.connect(settings.state, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    assert problem(settings) is None
    other.execute("ROLLBACK")
    other.close()


def test_a_migration_that_fails_leaves_no_trace(settings, monkeypatch):
    Queue(settings)
    broken = (*MIGRATIONS, ("CREATE TABLE extra (id INTEGER)", "this is not SQL"))
    monkeypatch.setattr("core.jobs.queue.MIGRATIONS", broken)
    with pytest.raises(sqlite3.OperationalError):
        Queue(settings)
    db = sqlite3.connect(settings.state)
    assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone()[0] == 0
    db.close()


def test_another_process_that_writes_is_waited_for(settings, queue):
    other = sqlite3.connect(settings.state, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    timer.start()
    queue.pause()
    timer.join()
    other.close()
    assert queue.paused


class QueueLife(RuleBasedStateMachine):
    """Whatever happens in whatever order: a run is never active twice, and only deaths are charged as tries."""

    attempts = Bundle("attempts")

    @initialize()
    def begin(self):
        # an example that is tried again must find an empty queue too
        self.queue = Queue(Settings(cache=Path(tempfile.mkdtemp(dir=self.root))))
        self.deaths: dict[int, int] = {}
        self.done: set[str] = set()

    @rule(seeds=st.sets(st.integers(0, 3), min_size=1))
    def request(self, seeds):
        sweep = Sweep(grids=({"sampler": ["rns"]},), seeds=tuple(sorted(seeds)))
        added = self.queue.add_sweep(DATASET, sweep, sweep.runs(DATASET), self.done)
        assert added.runs == added.cached + added.waiting + added.queued == len(seeds)
        assert len(self.queue.jobs(sweep=added.sweep)) == len(seeds)

    @rule(target=attempts)
    def start(self):
        job = self.queue.claim()
        return job if job else multiple()

    @rule(job=consumes(attempts))
    def finish(self, job):
        if self.is_current(job):
            self.done.add(job.run)
        self.queue.finish(job)

    @rule(job=consumes(attempts))
    def die(self, job):
        if self.is_current(job) and not self.queue.job(job.id).cancelling:
            self.deaths[job.id] = self.deaths.get(job.id, 0) + 1
        self.queue.died(job, "died")

    @rule(job=consumes(attempts))
    def fail(self, job):
        self.queue.fail(job, "failed")

    @rule(job=attempts)
    def report(self, job):
        self.queue.relay([(job, Report(epoch=1, curve=[(1, 0.1, 0.5, None)]))])

    @rule(number=st.integers(1, 12))
    def cancel(self, number):
        if any(j.id == number for j in self.queue.jobs()):
            self.queue.cancel(number)

    @rule(number=st.integers(1, 12))
    def retry(self, number):
        for job in self.queue.jobs(state=State.FAILED) + self.queue.jobs(state=State.CANCELLED):
            if job.id == number and self.queue.retry(number).id == number:
                self.deaths.pop(number, None)

    @rule()
    def worker_dies(self):
        self.queue.recover()
        assert self.queue.counts()[State.RUNNING] == 0

    def is_current(self, job: Job) -> bool:
        now = self.queue.job(job.id)
        return now.state == State.RUNNING and now.attempt == job.attempt

    @invariant()
    def no_run_is_active_twice(self):
        active = [j.run for j in self.queue.jobs() if j.state in ACTIVE]
        assert len(active) == len(set(active))

    @invariant()
    def only_deaths_are_charged(self):
        for job in self.queue.jobs():
            assert job.tries == self.deaths.get(job.id, 0) <= MAX_TRIES
            assert job.ended is None or job.state not in ACTIVE


def test_the_life_of_a_queue(tmp_path):
    QueueLife.root = tmp_path
    case = QueueLife.TestCase
    case.settings = hypothesis_settings(
        max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
    )
    case().runTest()


# ---------------------------------------------------------------- what lists of jobs ask


def test_what_a_job_is_searched_by_is_kept_beside_it(queue):
    add(queue)
    found = queue.latest()
    runs = {run.id: run for run in SWEEP.runs(DATASET)}
    assert set(found["run"]) == set(runs)
    for n, run in enumerate(found["run"]):
        v = runs[run].variant
        about = tuple(found[name][n] for name in ("setting", "method", "protocol", "seed", "bootstrap", "dataset"))
        assert about == (v.label, v.method, "validation", runs[run].seed, None, DATASET)
    assert queue.latest(sweep=99)["job"] == []


def test_of_several_jobs_for_a_run_the_one_under_way_counts_else_the_latest(queue):
    sweep = Sweep(grids=({"sampler": ["rns"]},), seeds=(0,))
    first = add(queue, sweep)
    queue.fail(claim(queue), "diverged")
    second = add(queue, sweep)
    assert [queue.latest(n)["job"] for n in (None, first, second)] == [[2]] * 3
    queue.cancel(2)
    assert queue.latest()["state"] == ["cancelled"]
    queue.retry(1)
    assert queue.latest()["job"] == [1]
    run = sweep.runs(DATASET)[0].id
    assert queue.latest_of(run).id == 1
    assert queue.latest_of("f" * 16) is None


def test_a_sweeps_members_in_numbers(queue):
    runs = SWEEP.runs(DATASET)
    sweep = add(queue, finished=(runs[0].id,))
    queue.finish(claim(queue))
    queue.fail(claim(queue), "diverged")
    running = claim(queue)
    queue.cancel(queue.jobs(sweep=sweep, state=State.QUEUED)[0].id)
    [found] = queue.members([sweep, 99]).values()
    assert (found.runs, found.done, found.running, found.queued) == (6, 2, 1, 1)
    assert (found.failed, found.cancelled, found.active) == (1, 1, 2)
    assert found.last == max(job.id for job in queue.jobs(sweep=sweep) if job.state in ACTIVE)
    assert queue.active_sweeps() == [sweep]
    queue.finish(running)
    queue.finish(claim(queue))
    assert queue.active_sweeps() == []
    assert queue.members([sweep])[sweep].last is None


def test_several_are_cancelled_or_retried_together_or_not_at_all(queue):
    add(queue)
    ids = [job.id for job in queue.jobs()]
    with pytest.raises(Unknown):
        queue.cancel_these([ids[0], 99])
    assert queue.counts()[State.QUEUED] == 6
    assert queue.cancel_these(ids[:4]) == 4
    assert queue.cancel_these(ids[:4]) == 0
    with pytest.raises(Unknown):
        queue.retry_these([ids[0], 99])
    assert queue.counts()[State.CANCELLED] == 4
    assert queue.retry_these(ids[:2]) == 2
    assert queue.counts() == {**dict.fromkeys(State, 0), State.QUEUED: 4, State.CANCELLED: 2}


def test_a_done_run_is_retried_only_where_its_result_is_gone(queue):
    add(queue)
    job = claim(queue)
    queue.relay([(job, Report(share=0.9, seconds=3.0, metric=0.3))])
    queue.finish(job, cached=True)
    with pytest.raises(Refused):
        queue.retry(job.id, finished={job.run})
    again = queue.retry(job.id, finished=set())
    assert (again.state, again.cached, again.share) == (State.QUEUED, False, None)
    assert (again.seconds, again.metric) == (None, None)  # those of the result that is gone


def test_a_finished_run_without_a_job_is_remembered_once(queue):
    run = SWEEP.runs(DATASET)[3]
    queue.remember([run, run])
    [job] = queue.jobs()
    assert (job.state, job.cached, job.run, job.sweep) == (State.DONE, True, run.id, None)
    queue.remember([run])
    assert len(queue.jobs()) == 1
    assert queue.retry(job.id, finished=()).payload == run.to_json()


def test_sweeps_that_are_done_tell_what_was_expected_and_what_each_run_took(queue, monkeypatch):
    clock = iter(range(1000, 10_000, 10))  # every look at the clock is 10 s later
    monkeypatch.setattr("core.jobs.queue.time.time", lambda: float(next(clock)))
    sweep = Sweep(grids=({"sampler": ["rns", "dns"]},), seeds=(0,))
    number = add(queue, sweep, estimate=15.0, workers=2)
    assert (queue.sweep(number).estimate, queue.sweep(number).workers) == (15.0, 2)
    one, two = claim(queue), claim(queue)
    queue.finish(one)
    assert queue.timed() == []
    queue.finish(two)
    [found] = queue.timed()
    took = tuple(job.ended - job.started for job in queue.jobs(sweep=number))
    assert (found.sweep, found.estimate, found.workers, found.seconds) == (number, 15.0, 2, took)
    assert min(took) >= 10
    add(queue, Sweep(grids=({"sampler": ["pns"]},), seeds=(0,)), estimate=1.0, workers=2)
    queue.fail(claim(queue), "diverged")
    add(queue, Sweep(grids=({"sampler": ["bns"]},), seeds=(0,)))  # nobody knew
    queue.finish(claim(queue))
    add(queue, sweep, finished=tuple(r.id for r in sweep.runs(DATASET)), estimate=0.0, workers=2)
    assert queue.timed() == [found]


# ---------------------------------------------------------------- files of older versions


def old_file(settings: Settings) -> list[tuple]:
    """A queue as version 1 wrote it: a preparation, and a sweep of a done, a failed and a waiting run; its jobs."""
    runs = SWEEP.runs(DATASET)
    broken = {"variant": {"dataset": DATASET, "sampler": "long forgotten"}, "seed": 7, "bootstrap": 3}
    settings.state.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(settings.state)
    for statement in MIGRATIONS[0]:
        db.execute(statement)
    db.execute("PRAGMA user_version = 1")
    db.execute("INSERT INTO sweep VALUES (1, 'kept', ?, ?, 5.5)", (DATASET, json.dumps(SWEEP.to_json())))
    prepare = {"name": "ml-100k", "then": None, "fallback": None}
    insert = """INSERT INTO job (kind, target, run, sweep, dataset, label, state, payload, created)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, 6.5)"""
    db.execute(insert, ("prepare", "ml-100k", None, None, DATASET, "Prepare ML", "done", json.dumps(prepare)))
    for place, (run, state) in enumerate(zip(runs, ("done", "failed", "queued"), strict=False)):
        payload = json.dumps(run.to_json())
        db.execute(insert, ("train", run.id, run.id, 1, DATASET, run.label, state, payload))
        db.execute("INSERT INTO sweep_job VALUES (1, ?, ?)", (place, place + 2))
    label = "Gone β 1, seed 7, replicate 3"
    db.execute(insert, ("train", "e" * 16, "e" * 16, 1, DATASET, label, "failed", json.dumps(broken)))
    db.execute("INSERT INTO curve VALUES (2, '[[5, 1.0, 0.6, 0.2]]')")
    db.execute("INSERT INTO flag VALUES ('paused')")
    db.commit()
    kept = db.execute("SELECT id, kind, run, sweep, label, state, payload, created FROM job ORDER BY id").fetchall()
    db.close()
    return kept


def test_a_queue_of_version_1_opens_without_loss_and_is_searched_like_a_new_one(settings):
    before = old_file(settings)
    queue = Queue(settings)
    with sqlite3.connect(settings.state) as db:
        after = db.execute(
            "SELECT id, kind, run, sweep, label, state, payload, created FROM job ORDER BY id"
        ).fetchall()
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    db.close()
    assert after == before
    record = queue.sweep(1)
    assert (record.name, record.created, record.estimate, record.workers) == ("kept", 5.5, None, None)
    assert record.spec.to_json() == SWEEP.to_json()
    assert queue.paused
    assert queue.curve(2) == [(5, 1.0, 0.6, 0.2)]
    assert [job.id for job in queue.jobs(sweep=1)] == [2, 3, 4]
    found = queue.latest()
    rows = {row[0]: row[1:] for row in zip(*(found[n] for n in COLUMNS), strict=True)}
    runs = SWEEP.runs(DATASET)
    for number, run in zip((2, 3, 4), runs, strict=False):
        assert rows[number] == (run.variant.label, run.variant.method, "validation", run.seed, None)
    assert rows[1] == ("Prepare ML", None, None, None, None)
    assert rows[5] == ("Gone β 1", None, None, 7, 3)  # its payload makes no run any more, and it is kept all the same
    queue.retry(3)
    queue.resume()
    assert claim(queue).id == 3


COLUMNS = ("job", "setting", "method", "protocol", "seed", "bootstrap")
