"""Real results for tests of pages: the tiny data set, and runs trained on it in this process. No pytest in here."""

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from core.datasets import store
from core.datasets.store import Dataset, DatasetInfo
from core.jobs import artifacts, training
from core.jobs.attempt import log_path
from core.jobs.queue import Job, Queue
from core.models.sweep import Sweep
from core.settings import Settings
from tests.tiny import tiny_dataset, tiny_prepared

SHORT = Sweep(
    grids=(
        {"sampler": ["rns"], "epochs": [6], "dim": [8]},
        {"sampler": ["auc_ns"], "beta": [0.0, 0.05, 0.2], "epochs": [6], "dim": [8]},
    ),
    baselines=("most_popular",),
    seeds=(0, 1),
    name="Short",
)

_LISTED = [f"u{u:02d},i{40 + (u + n) % 40:02d},{n + 1}" for u in range(59) for n in range(10)]  # u59 has no list
SHOP = "\n".join(["user,item,rank", *_LISTED, "nobody,i00,1"]).encode()
"""Lists of ten items for test, made elsewhere."""


def train(settings: Settings, info: DatasetInfo, sweep: Sweep = SHORT) -> list[str]:
    """Train and publish a sweep's runs; their ids."""
    dataset = store.read_dataset(info.folder)
    runs = sweep.runs(info.id)
    for run in runs:
        found = partial(artifacts.finished_scorer, settings)
        publish(settings, dataset, training.train(dataset, run, lambda _: None, finished=found))
    return [run.id for run in runs]


def publish(settings: Settings, dataset: Dataset, result: training.Result) -> None:
    """Put a result into the store."""
    with tempfile.TemporaryDirectory(dir=settings.cache) as attempt:
        artifacts.publish(settings, Path(attempt), result, dataset)


def trained(settings: Settings) -> DatasetInfo:
    """The tiny data set with the short sweep trained on it."""
    info = tiny_dataset(settings)
    train(settings, info)
    return info


def simulated(settings: Settings) -> DatasetInfo:
    """The tiny data set, published as a simulated one."""
    prepared = tiny_prepared()
    return store.publish(settings, replace(prepared, about=replace(prepared.about, simulated=True, title="Simulated")))


def failed(settings: Settings, info: DatasetInfo, reason: str, log: str) -> Job:
    """A job of the short sweep that failed for that reason, with that log; the others stay queued."""
    queue = Queue(settings)
    queue.add_sweep(info.id, SHORT, SHORT.runs(info.id)[:2])
    job = queue.claim()
    assert job is not None
    path = log_path(settings, job.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(log, encoding="utf-8")
    queue.fail(job, reason)
    return queue.job(job.id)
