"""Deleting runs and getting them back, retrying many, how far sweeps are, and how wrong their estimates were."""

import json

import pytest

from core.datasets.store import DatasetInfo
from core.errors import Refused
from core.jobs import artifacts, control
from core.jobs.queue import Queue, Report, State
from core.settings import Settings
from tests.jobs import standins
from tests.pages import results
from tests.tiny import tiny_dataset
from tests.warehouse import fake_runs


@pytest.fixture
def tiny(settings: Settings) -> DatasetInfo:
    return tiny_dataset(settings)


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Who asked for a worker; none is started."""
    asked: list[Settings] = []
    monkeypatch.setattr(control, "ensure_worker", asked.append)
    return asked


def bytes_of(settings: Settings, run: str) -> dict[str, str]:
    sums = artifacts.read_meta(settings, run)["files"]
    return {
        name: sums[name] for name in ("factors.safetensors", "metrics.parquet", "per_user.parquet", "top_k.parquet")
    }


def test_a_deleted_run_is_trained_again_to_the_same_bytes(settings, tiny, no_worker):
    from core.datasets import store
    from core.jobs import training
    from core.models.variant import Run

    runs = results.train(settings, tiny)
    run = runs[-1]
    before = bytes_of(settings, run)
    [gone] = control.delete_runs(settings, [run, run, "f" * 16])
    assert (gone.run, run in artifacts.finished_runs(settings)) == (run, False)
    assert len(artifacts.finished_runs(settings)) == len(runs) - 1
    assert control.retry_all(settings, [gone.job]) == 1
    job = Queue(settings).claim()
    assert (job.run, job.label, no_worker) == (run, gone.label, [settings])
    again = training.train(store.read_dataset(tiny.folder), Run.from_json(job.payload), lambda _: None)
    results.publish(settings, store.read_dataset(tiny.folder), again)
    assert bytes_of(settings, run) == before


def test_a_run_that_the_queue_trained_comes_back_by_its_own_job(settings, tiny):
    control.request_sweep(settings, "tiny", standins.sweep(0, 1), start=False)
    queue = Queue(settings)
    job = queue.claim()
    variant = standins.sweep(0).variants(tiny.id)[0]
    fake_runs.write_run(settings, variant, 0)
    queue.finish(job)
    with pytest.raises(Refused, match="nothing to retry"):
        control.retry(settings, job.id)
    [gone] = control.delete_runs(settings, [job.run])
    assert gone.job == job.id
    assert control.retry(settings, job.id).state == State.QUEUED


@pytest.mark.parametrize("damage", ["unreadable", "of another version"])
def test_what_cannot_be_read_is_deleted_and_nobody_promises_it_back(settings, tiny, damage):
    variant = standins.sweep(0).variants(tiny.id)[0]
    run = fake_runs.write_run(settings, variant)
    path = settings.runs / run / "meta.json"
    if damage == "unreadable":
        path.write_text("{")
    else:
        path.write_text(json.dumps({**json.loads(path.read_text()), "seed": 7}))
    [gone] = control.delete_runs(settings, [run])
    assert gone.job is None
    assert artifacts.finished_runs(settings) == []
    assert Queue(settings).jobs() == []


def test_failures_are_retried_together(settings, tiny, no_worker):
    control.request_sweep(settings, "tiny", standins.sweep(0, 1, 2), start=False)
    queue = Queue(settings)
    failed = [queue.claim() for _ in range(3)]
    for job in failed:
        queue.fail(job, "diverged")
    assert control.retry_all(settings, [job.id for job in failed[:2]]) == 2
    assert queue.counts()[State.QUEUED] == 2
    assert no_worker == [settings]
    assert control.retry_all(settings, []) == 0
    assert no_worker == [settings]


def test_a_sweeps_time_left_counts_what_is_trained_before_it_and_nothing_after(settings, tiny):
    asked = [control.request_sweep(settings, "tiny", standins.sweep(n), start=False).sweep for n in (0, 1, 2)]
    queue = Queue(settings)
    queue.relay([(queue.claim(), Report(share=0.25, seconds=10.0, left=30.0))])
    last, middle, first = control.progress(settings)
    assert [p.sweep for p in (first, middle, last)] == asked
    # each like the one that runs, on two processes
    assert [p.left for p in (first, middle, last)] == [30, max((30 + 40) / 2, 40), (30 + 40 + 40) / 2]
    assert first.name == f"stand-in (sweep {asked[0]})"
    queue.cancel_all()
    queue.recover()
    assert control.progress(settings) == []
    [ended] = control.progress(settings, asked[:1])
    assert (ended.members.active, ended.members.cancelled, ended.left) == (0, 1, 0.0)


def test_an_estimate_is_kept_and_judged_when_the_sweep_is_done(settings, tiny, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("core.jobs.queue.time.time", lambda: clock[0])
    variant = standins.sweep(0).variants(tiny.id)[0]
    # 1.5 s of training in 15 epochs of the 15 that were allowed, and half a second around it
    meta = {"overhead": 0.5, "interactions": tiny.train, "fields": {**variant.used(), "epochs": 15}}
    fake_runs.write_run(settings, variant, 9, meta=meta)
    expected = 0.5 + 1.5 / 15 * int(variant.used()["epochs"])
    sweep = control.request_sweep(settings, "tiny", standins.sweep(0, 1, 2), start=False).sweep
    queue = Queue(settings)
    assert queue.sweep(sweep).estimate == pytest.approx(3 * expected / settings.workers)
    for seconds in (4.0, 6.0, 20.0):
        job = queue.claim()
        clock[0] += seconds
        queue.finish(job)
        clock[0] += 1000  # paused
    [cost] = control.costs(settings)
    assert (cost.sweep, cost.took) == (sweep, max((4 + 6 + 20) / 2, 20))
    assert cost.expected == queue.sweep(sweep).estimate
