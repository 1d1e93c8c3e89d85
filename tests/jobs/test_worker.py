import random
import signal
import time

import pytest

from core.datasets.store import DatasetInfo
from core.jobs import artifacts, control
from core.jobs.queue import Queue, State
from core.settings import Settings
from tests.jobs import standins
from tests.jobs.processes import PATIENCE, nobody_is_left, start_worker, wait_for
from tests.jobs.standins import AFTER_PUBLISHING, MOMENTS, sweep
from tests.tiny import tiny_dataset


@pytest.fixture
def tiny(settings: Settings) -> DatasetInfo:
    return tiny_dataset(settings)


def queue_up(settings: Settings, info: DatasetInfo, *seeds: int) -> Queue:
    control.request_sweep(settings, info.id, sweep(*seeds), start=False)
    return Queue(settings)


def assert_store_is_whole(settings: Settings) -> None:
    for run in artifacts.finished_runs(settings):
        assert artifacts.verify(settings.runs / run) == []


def assert_nothing_is_left(settings: Settings) -> None:
    nobody_is_left(settings)
    assert list(settings.attempts.iterdir()) == []
    assert not control.worker_running(settings)


def test_a_sweep_is_trained_and_every_process_ends(settings, tiny):
    queue = queue_up(settings, tiny, *range(5))
    assert start_worker(settings).wait(PATIENCE) == 0
    jobs = queue.jobs(sweep=1)
    assert [(j.state, j.tries, j.share, j.epoch) for j in jobs] == [(State.DONE, 0, 1.0, standins.EPOCHS)] * 5
    assert sorted(j.run for j in jobs) == artifacts.finished_runs(settings)
    assert [p[0] for p in queue.curve(jobs[0].id)] == list(range(1, standins.EPOCHS + 1))
    assert_store_is_whole(settings)
    assert_nothing_is_left(settings)


def test_each_way_a_run_can_go_wrong_hits_that_run_only(settings, tiny):
    queue = queue_up(settings, tiny, standins.DIES, 0, standins.FAILS, standins.DIES_ONCE, 1, standins.BREAKS, 2)
    assert start_worker(settings).wait(PATIENCE) == 0
    by_seed = {job.payload["seed"]: job for job in queue.jobs(sweep=1)}
    assert {seed: (job.state, job.tries) for seed, job in by_seed.items()} == {
        0: (State.DONE, 0),
        1: (State.DONE, 0),
        2: (State.DONE, 0),
        standins.DIES: (State.FAILED, 3),
        standins.DIES_ONCE: (State.DONE, 1),
        standins.FAILS: (State.FAILED, 0),
        standins.BREAKS: (State.FAILED, 0),
    }
    assert "died (EXIT(7))" in by_seed[standins.DIES].reason
    assert by_seed[standins.DIES_ONCE].reason is None
    assert by_seed[standins.FAILS].reason == "The loss became NaN in epoch 1. Lower lr."
    assert by_seed[standins.BREAKS].reason == "ZeroDivisionError: by nobody's intention"
    assert "ZeroDivisionError" in control.log_tail(settings, by_seed[standins.BREAKS])
    assert control.log_tail(settings, by_seed[standins.DIES]).count("---") == 3
    assert_nothing_is_left(settings)


def test_a_cancelled_run_stops_between_epochs_and_can_be_retried(settings, tiny):
    queue = queue_up(settings, tiny, standins.IS_SLOW, 0)
    worker = start_worker(settings)
    slow = next(j for j in queue.jobs(sweep=1) if j.payload["seed"] == standins.IS_SLOW)
    wait_for(lambda: queue.job(slow.id).epoch, "the first report")
    assert queue.job(slow.id).left > 0
    assert queue.cancel(slow.id) == State.RUNNING
    assert worker.wait(PATIENCE) == 0
    assert queue.job(slow.id).state == State.CANCELLED
    assert queue.counts()[State.DONE] == 1
    assert queue.retry(slow.id).state == State.QUEUED
    assert_nothing_is_left(settings)


def test_cancel_all_empties_the_queue(settings, tiny):
    queue = queue_up(settings, tiny, standins.IS_SLOW, *range(20))
    worker = start_worker(settings)
    wait_for(lambda: queue.counts()[State.RUNNING], "a run")
    queue.cancel_all()
    assert worker.wait(PATIENCE) == 0
    counts = queue.counts()
    assert counts[State.QUEUED] == counts[State.RUNNING] == 0
    assert counts[State.CANCELLED] >= 1
    assert_nothing_is_left(settings)


def test_paused_nothing_starts_and_resumed_everything_is_done(settings, tiny):
    queue = queue_up(settings, tiny, *range(3))
    queue.pause()
    assert start_worker(settings).wait(PATIENCE) == 0  # sees nothing that it may start
    assert queue.counts()[State.QUEUED] == 3
    queue.resume()
    assert start_worker(settings).wait(PATIENCE) == 0
    assert queue.counts()[State.DONE] == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_the_worker_returns_its_jobs(settings, tiny, number):
    queue = queue_up(settings, tiny, standins.IS_SLOW, *range(3))
    worker = start_worker(settings)
    wait_for(lambda: any(j.epoch for j in queue.jobs(state=State.RUNNING)), "the first report")
    worker.send_signal(number)
    assert worker.wait(10) == 0
    assert queue.counts()[State.RUNNING] == 0
    slow = next(j for j in queue.jobs() if j.payload["seed"] == standins.IS_SLOW)
    assert (slow.state, slow.tries) == (State.QUEUED, 0)
    assert_nothing_is_left(settings)


def test_killed_at_ten_moments_every_run_is_finished_exactly_once(settings, tiny):
    """Nine named moments in the worker, and five random ones: -9 loses nothing, shows nothing half, costs no try."""
    queue = queue_up(settings, tiny, *range(48))
    delays = random.Random(0)
    for moment in [*MOMENTS, AFTER_PUBLISHING, *(None,) * 5]:
        worker = start_worker(settings, **({"KILL_AT": moment} if moment else {}))
        if moment is None:
            wait_for(lambda: control.worker_running(settings), "the lock")
            time.sleep(delays.uniform(0, 1.2))
            worker.kill()
        assert worker.wait(PATIENCE) in ([-signal.SIGKILL] if moment else [-signal.SIGKILL, 0]), moment
        assert_store_is_whole(settings)
    assert start_worker(settings).wait(PATIENCE) == 0
    jobs = queue.jobs(sweep=1)
    assert {(j.state, j.tries) for j in jobs} == {(State.DONE, 0)}
    assert sorted(j.run for j in jobs) == artifacts.finished_runs(settings)
    assert len({j.run for j in jobs}) == len(jobs) == 48
    assert_store_is_whole(settings)
    assert_nothing_is_left(settings)


def test_a_second_worker_leaves_at_once(settings, tiny):
    queue_up(settings, tiny, standins.IS_SLOW)
    first = start_worker(settings)
    wait_for(lambda: control.worker_running(settings), "the lock")
    assert start_worker(settings).wait(PATIENCE) == 3
    assert first.poll() is None
    first.terminate()
    assert first.wait(PATIENCE) == 0
    nobody_is_left(settings)


def test_a_run_that_appeared_meanwhile_is_not_trained_again(settings, tiny):
    queue = queue_up(settings, tiny, 0)
    assert start_worker(settings).wait(PATIENCE) == 0
    [run] = artifacts.finished_runs(settings)
    written = (settings.runs / run / "meta.json").stat().st_mtime_ns
    with queue._writing() as db:  # as if the worker had been killed between the rename and the record
        db.execute("UPDATE job SET state = 'running'")
    assert start_worker(settings).wait(PATIENCE) == 0
    assert [(j.state, j.cached) for j in queue.jobs()] == [(State.DONE, True)]
    assert (settings.runs / run / "meta.json").stat().st_mtime_ns == written


def test_a_preparation_expands_its_sweep_and_says_why_it_fell_back(settings):
    queue = Queue(settings)
    queue.add_prepare("ml-1m", then=sweep(0, 1), fallback="simulated")
    assert start_worker(settings).wait(PATIENCE) == 0
    prepare = queue.jobs(kind="prepare")[0]
    assert (prepare.state, prepare.doing) == (State.DONE, "fetching simulated")
    assert prepare.reason.startswith("No source of ml-1m could be reached (the mirror: nobody there).")
    assert [(j.state, j.dataset) for j in queue.jobs(sweep=1)] == [(State.DONE, prepare.dataset)] * 2
    assert queue.retry(prepare.id).state == State.QUEUED


def test_a_preparation_without_fallback_fails_with_the_mend(settings):
    queue = Queue(settings)
    job = queue.add_prepare("ml-1m", then=sweep(0))
    assert start_worker(settings).wait(PATIENCE) == 0
    assert queue.job(job).state == State.FAILED
    assert "LONGTAIL_DATASET_MIRROR" in queue.job(job).reason
    assert queue.counts()[State.QUEUED] == 0
