import os
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from core.datasets.store import DatasetInfo
from core.errors import BadVariant, Unknown
from core.jobs import artifacts, control
from core.jobs.attempt import log_path
from core.jobs.queue import Queue, Report, State
from core.models.sweep import DEFAULT_SWEEP, Sweep
from core.settings import PROJECT, Settings, read_settings
from tests.jobs import standins
from tests.jobs.processes import PATIENCE, nobody_is_left, processes_of, start_worker, wait_for
from tests.tiny import tiny_dataset


@pytest.fixture
def tiny(settings: Settings) -> DatasetInfo:
    return tiny_dataset(settings)


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Who asked for a worker; none is started."""
    asked: list[Settings] = []
    monkeypatch.setattr(control, "ensure_worker", asked.append)
    return asked


def trained(settings: Settings, info: DatasetInfo, sweep: Sweep) -> None:
    control.request_sweep(settings, info.id, sweep, start=False)
    assert start_worker(settings).wait(PATIENCE) == 0


def test_a_plan_counts_what_is_there_and_what_is_under_way(settings, tiny):
    assert control.plan(settings, "tiny", DEFAULT_SWEEP) == control.Plan(40, 0, 0, 40, None, 14)
    trained(settings, tiny, standins.sweep(0, 1))
    control.request_sweep(settings, tiny.id, standins.sweep(2), start=False)
    plan = control.plan(settings, tiny.id[:6], standins.sweep(0, 1, 2, 3))
    assert (plan.runs, plan.cached, plan.waiting, plan.to_train, plan.variants) == (4, 2, 1, 1, 1)
    assert plan.seconds > 0
    assert control.plan(settings, "tiny", standins.sweep(0)).seconds == 0
    assert control.plan(settings, "tiny", standins.sweep(0, sampler="dns")).seconds is None


def test_a_request_queues_the_rest_and_asks_for_a_worker_when_there_is_any(settings, tiny, no_worker):
    asked = control.request_sweep(settings, "tiny", standins.sweep(0, 1))
    assert (asked.runs, asked.cached, asked.queued) == (2, 0, 2)
    assert no_worker == [settings]
    assert start_worker(settings).wait(PATIENCE) == 0
    again = control.request_sweep(settings, "tiny", standins.sweep(0, 1))
    assert (again.runs, again.cached, again.queued) == (2, 2, 0)
    assert no_worker == [settings]
    assert [j.state for j in Queue(settings).jobs(sweep=again.sweep)] == [State.DONE] * 2


def test_a_bad_request_queues_nothing(settings, tiny, no_worker):
    with pytest.raises(Unknown, match=r"no data set .tinny.\. Did you mean tiny"):
        control.request_sweep(settings, "tinny", DEFAULT_SWEEP)
    with pytest.raises(BadVariant, match="out of range"):
        control.request_sweep(settings, "tiny", Sweep(grids=({"lr": [-1.0]},)))
    assert Queue(settings).sweeps() == []
    assert no_worker == []


def test_refit_takes_the_epochs_that_validation_chose(settings, tiny, no_worker):
    refit = replace(standins.sweep(7), protocol="refit")
    with pytest.raises(BadVariant, match="RNS has no finished run under that protocol"):
        control.plan(settings, "tiny", refit)
    trained(settings, tiny, standins.sweep(0, 1, 2))
    [run] = control.runs_of(settings, tiny.id, refit)
    assert (run.variant.protocol, run.variant.epochs, run.seed) == ("refit", standins.EPOCHS, 7)
    with_baseline = replace(refit, baselines=("most_popular",))
    assert {r.variant.method for r in control.runs_of(settings, "tiny", with_baseline)} == {"rns", "most_popular"}


def test_refit_with_a_baselines_setting_and_a_penalty(settings, tiny, no_worker):
    trained(settings, tiny, standins.sweep(0))
    grid = {"sampler": ["rns"], "ease_lambda": [100.0], "penalty_strength": [0.1, 0.2]}
    asked = Sweep(grids=(grid,), baselines=("ease", "pop_penalty"), seeds=(7,), protocol="refit")
    runs = control.runs_of(settings, tiny.id, asked)
    assert [(r.variant.method, r.variant.ease_lambda, r.variant.penalty_strength) for r in runs] == [
        ("ease", 100, None),
        ("rns", None, None),
        ("pop_penalty", None, 0.1),
        ("pop_penalty", None, 0.2),
    ]
    assert {r.variant.epochs for r in runs[1:]} == {standins.EPOCHS}
    assert [r.reranked for r in runs[2:]] == [runs[1]] * 2
    alone = Sweep(baselines=("pop_penalty",), seeds=(7,), protocol="refit")  # of the default setting, which is RNS
    assert control.runs_of(settings, tiny.id, alone)[0] == runs[1]
    missing = replace(alone, grids=({"sampler": ["dns"]},))
    with pytest.raises(BadVariant, match=r"DNS.* has no finished run under that protocol"):
        control.runs_of(settings, tiny.id, missing)


@pytest.mark.parametrize("protocol", ["validation", "refit", "paper"])
def test_a_catalogue_too_large_for_ease_is_refused_before_anything_is_queued(settings, tiny, monkeypatch, protocol):
    monkeypatch.setattr(control.memory, "total", lambda: 1000)
    with pytest.raises(BadVariant, match=r"80 x 80 items.* that this machine has"):
        control.request_sweep(settings, "tiny", Sweep(baselines=("ease",), protocol=protocol))
    assert Queue(settings).sweeps() == []
    assert control.plan(settings, "tiny", Sweep(baselines=("item_knn",), protocol=protocol)).runs == 1


def test_more_references_than_there_are_items_are_refused_before_anything_is_queued(settings, tiny, no_worker):
    asked = Sweep(grids=({"sampler": ["auc_ns"], "references": [10, tiny.items]},))
    with pytest.raises(BadVariant, match=f"references {tiny.items} cannot.* Give {tiny.items - 1} at most"):
        control.request_sweep(settings, "tiny", asked)
    assert Queue(settings).sweeps() == []
    assert no_worker == []


def test_autostart_asks_once_however_often_it_is_called(settings, no_worker):
    ready = replace(settings, autostart=True)
    control.autostart(settings)
    assert Queue(settings).jobs() == []
    threads = [threading.Thread(target=control.autostart, args=(ready,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [job] = Queue(settings).jobs()
    assert (job.dataset, job.payload["fallback"]) == ("ml-100k", "simulated")
    assert Sweep.from_json(job.payload["then"]).to_json() == DEFAULT_SWEEP.to_json()
    assert no_worker
    Queue(settings).cancel(job.id)
    no_worker.clear()
    control.autostart(ready)
    assert len(Queue(settings).jobs()) == 1
    assert no_worker == []


def test_autostart_leaves_an_analysts_own_data_alone(settings, tiny, no_worker):
    control.autostart(replace(settings, autostart=True))
    assert Queue(settings).jobs() == []


def test_autostart_goes_on_with_what_a_dead_worker_left(settings, tiny, no_worker):
    control.request_sweep(settings, "tiny", standins.sweep(0), start=False)
    Queue(settings).claim()
    control.autostart(replace(settings, autostart=True))
    assert len(no_worker) == 1


def test_a_data_set_is_asked_for_by_a_known_name_with_a_sweep_that_makes_sense(settings, no_worker):
    with pytest.raises(Unknown, match="ml-100k"):
        control.request_dataset(settings, "ml-100")
    with pytest.raises(BadVariant):
        control.request_dataset(settings, "ml-100k", then=Sweep(grids=({"lr": [-1.0]},)))
    with pytest.raises(BadVariant, match="not yet prepared"):
        control.request_dataset(settings, "ml-100k", then=replace(DEFAULT_SWEEP, protocol="refit"))
    assert Queue(settings).jobs() == []
    job = control.request_dataset(settings, "ml-100k")
    assert control.request_dataset(settings, "ml-100k") == job
    assert len(no_worker) == 2


def test_retry_and_resume_see_to_a_worker(settings, tiny, no_worker):
    control.request_sweep(settings, "tiny", standins.sweep(0), start=False)
    queue = Queue(settings)
    [job] = queue.jobs()
    queue.cancel(job.id)
    control.resume(settings)
    assert no_worker == []
    assert control.retry(settings, job.id).state == State.QUEUED
    queue.pause()
    control.resume(settings)
    assert not queue.paused
    assert len(no_worker) == 2


def test_the_overview_tells_the_time_left(settings, tiny):
    assert control.overview(settings) == control.Activity(0, 0, 0, 0.0, paused=False)
    control.request_sweep(settings, "tiny", standins.sweep(0, 1, 2), start=False)
    assert control.overview(settings).left is None  # measuring
    queue = Queue(settings)
    running = queue.claim()
    queue.relay([(running, Report(share=0.25, seconds=10.0, left=30.0))])
    now = control.overview(settings)
    # two more like the one that runs, on two processes
    assert (now.running, now.queued, now.left) == (1, 2, (30 + 40 + 40) / 2)


def test_the_time_of_one_job_is_not_divided_by_idle_processes(settings, tiny):
    control.request_sweep(settings, "tiny", standins.sweep(0), start=False)
    queue = Queue(settings)
    queue.relay([(queue.claim(), Report(share=0.25, seconds=10.0, left=30.0))])
    assert control.overview(settings).left == 30


def test_the_end_of_a_log(settings):
    assert control.log_tail(settings, 1) == ""
    path = log_path(settings, 1)
    path.parent.mkdir()
    path.write_text("".join(f"line {n}\n" for n in range(10_000)), "utf-8")
    assert control.log_tail(settings, 1, lines=2) == "line 9998\nline 9999"


def test_settings_reach_the_worker_unchanged(settings):
    odd = replace(
        settings, dataset_mirror="/a b/ü", idle_seconds=0.1, fetch_timeout=1 / 3, duckdb_memory="512MB", debug=True
    )
    assert read_settings(odd.environment()) == odd
    assert read_settings(settings.environment()) == settings


def test_whoever_asks_is_not_taken_for_a_worker(settings):
    assert not control.worker_running(settings)
    settings.worker_lock.touch()
    asked = [control.worker_running(settings) for _ in range(3)]
    assert asked == [False] * 3


def test_a_worker_is_expected_from_its_start_until_it_serves_or_has_ended(settings, monkeypatch):
    """It takes seconds until it holds the lock, in which it must not be said that nobody serves."""
    asleep = [sys.executable, "-c", "input()"]
    real, started = subprocess.Popen, []

    def start(command, **options):
        assert command[1:] == ["-m", "core.jobs.worker"]
        started.append(real(asleep, stdin=subprocess.PIPE))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    assert not control.worker_expected(settings)
    assert control.ensure_worker(settings)
    assert control.worker_expected(settings)
    assert not control.worker_running(settings)
    started[0].stdin.close()
    wait_for(lambda: not control.worker_expected(settings), "its end")


SWEEPER = """
from core.jobs import control
from core.settings import read_settings
from tests.jobs.standins import sweep
control.request_sweep(read_settings(), "tiny", sweep(0, 1))
"""


def test_app_and_command_line_at_once_are_served_by_one_worker_that_outlives_them(settings, tiny):
    """For real: two programs ask for the same at the same moment, each starts a worker, one stays and trains."""
    settings = replace(settings, idle_seconds=0.2)
    environment = {**os.environ, **settings.environment()}
    asking = [subprocess.Popen([sys.executable, "-c", SWEEPER], cwd=PROJECT, env=environment) for _ in range(2)]
    control.request_sweep(settings, "tiny", standins.sweep(0, 1))
    assert [process.wait(PATIENCE) for process in asking] == [0, 0]
    queue = Queue(settings)
    wait_for(lambda: not queue.active_runs(), "the runs")
    assert [(j.state, j.tries, j.reason) for j in queue.jobs()] == [(State.DONE, 0, None)] * 2
    assert sorted(j.run for j in queue.jobs()) == artifacts.finished_runs(settings)
    for run in artifacts.finished_runs(settings):
        assert artifacts.verify(settings.runs / run) == []
        assert artifacts.read_meta(settings, run)["method"] == "rns"
    nobody_is_left(settings)  # idle, it ends
    assert not control.worker_running(settings)
    again = control.request_sweep(settings, "tiny", standins.sweep(2))
    wait_for(lambda: queue.jobs(sweep=again.sweep)[0].state == State.DONE, "a run of a new worker")
    nobody_is_left(settings)
    assert not processes_of(settings)


def test_a_job_queued_while_a_worker_gives_up_its_lock_is_not_left_behind(settings, tiny, monkeypatch):
    """The worst moment: after its last look at the queue, before the lock is free. Nobody is started then."""
    from core.jobs import worker
    from core.jobs.runner import LocalRunner

    served: list[int] = []

    class LastLook(worker.Worker):
        def run(self) -> None:
            super().run()
            served.append(len(artifacts.finished_runs(settings)))
            if len(served) == 1:
                control.request_sweep(settings, "tiny", standins.sweep(0), start=False)
                assert not control.ensure_worker(settings)  # the lock looks taken

    monkeypatch.setattr(worker, "Worker", LastLook)
    monkeypatch.setattr(worker, "_stop_on_signals", lambda _: None)
    runner = LocalRunner(settings, standins.stand_in_work, warm=str)
    assert worker.serve(settings, once=True, make_runner=lambda _: runner)
    assert served == [0, 1]
