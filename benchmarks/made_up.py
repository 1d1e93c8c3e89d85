"""A cache of as many finished runs as one likes, made in seconds: for measuring what reads results.

The data set has the size of ML-100K: 943 users, 1,682 items, some 100,000 pairs with ratings, times and titles. A few
models know its users' tastes, each with more or less weight on popularity, and are measured as any run is; every other
run is a copy of one of them under settings and a seed of its own, with metrics of its own and links to the files that
are large. The index, the queue and the pages read them as they read trained ones. What they say is made up.
"""

from __future__ import annotations

import itertools
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.datasets import store
from core.datasets.preparation import Options, prepare
from core.datasets.prepared import Description, Prepared
from core.datasets.raw import Raw
from core.datasets.readers.columns import Ids
from core.datasets.store import Dataset, DatasetInfo
from core.errors import BadVariant
from core.evaluation.evaluate import evaluate
from core.jobs import artifacts
from core.jobs.queue import Queue
from core.jobs.training import HistoryRow, Result
from core.models.scorers import Factors
from core.models.sweep import DEFAULT_SWEEP, Sweep
from core.models.variant import Run, Variant, make_variant
from core.settings import Settings

USERS, ITEMS, SEEDS = 943, 1682, 3
LENGTHS = 4.0, 0.95, 737
"""Of users' profiles, as in ML-100K: mean and standard deviation of the logarithm of what exceeds 20, the longest."""
TASTES = 8
MODELS = 12
REPLICATES = 10
SPREAD = {"seed": 0.01, "setting": 0.06}
"""Standard deviations of what a seed and a setting multiply all metrics of a run with."""
LINKED = (artifacts.FACTORS, "per_user.parquet", "top_k.parquet", "history.parquet")
IN_A_SWEEP = 300


class Tastes:
    """What users like, and what they took: long-tailed items, profiles of very different lengths."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)
        self.users = self._rng.normal(0, 1, (USERS, TASTES))
        self.items = self._rng.normal(0, 0.6, (ITEMS, TASTES))
        self._common = 2.2 * np.log(1 / (40 + self._rng.permutation(ITEMS)))

    def prepared(self) -> Prepared:
        """The data set, its users and items numbered as here."""
        users, items = self._taken()
        rng = self._rng
        ids = [pa.array([f"{letter}{n:04d}" for n in range(size)]) for letter, size in (("u", USERS), ("i", ITEMS))]
        ratings = rng.integers(1, 6, len(users)).astype(np.float64)
        times = rng.integers(874_700_000, 893_300_000, len(users))
        raw = Raw("made up", Ids(users, ids[0]), Ids(items, ids[1]), ratings, times)
        about = Description("made-up", "Made up, of the size of ML-100K", "python -m benchmarks.pages")
        return prepare(raw, Options(), about, self._titles(ids[1]))

    def _taken(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Each user takes, without repeating, as many items as the profile is long; each item is taken by somebody."""
        mean, spread, longest = LENGTHS
        lengths = np.minimum(20 + self._rng.lognormal(mean, spread, USERS), longest).astype(int)
        likes = self.users @ self.items.T + self._common + self._rng.gumbel(size=(USERS, ITEMS))
        order = np.argsort(-likes, axis=1)
        took = np.zeros((USERS, ITEMS), bool)
        for user, length in enumerate(lengths):
            took[user, order[user, :length]] = True
        untaken = np.flatnonzero(~took.any(axis=0))
        took[untaken % USERS, untaken] = True
        users, items = np.nonzero(took)
        return users.astype(np.int32), items.astype(np.int32)

    def _titles(self, ids: pa.Array) -> pa.Table:
        years = self._rng.integers(1930, 1999, ITEMS)
        genres = self._rng.choice(["Drama", "Comedy", "Action|Thriller", "Documentary", "Film-Noir"], ITEMS)
        titles = [f"The film of the made-up number {n} ({year})" for n, year in enumerate(years)]
        return pa.table(
            {"id": ids, "title": titles, "year": pa.array(years.astype(np.int32)), "genres": genres.tolist()}
        )


@dataclass(frozen=True, slots=True)
class Model:
    """A finished run that others copy."""

    folder: Path
    meta: Mapping[str, Any]
    metrics: pa.Table


def make(settings: Settings, runs: int) -> DatasetInfo:
    """The data set with that many finished runs, in an empty cache: settings with three seeds each, and a tenth of the
    runs as replicates. Equal arguments give runs of equal ids and metrics."""
    tastes = Tastes()
    info = store.publish(settings, tastes.prepared())
    dataset = store.read_dataset(info.folder)
    planned = plan(info.id, runs)
    models = [model(settings, dataset, tastes, weight) for weight in np.linspace(1.5, -0.75, MODELS)]
    places = {method: n for n, method in enumerate(dict.fromkeys(run.variant.method for run in planned))}
    for run in planned:
        copy(settings, run, models[_model_of(run, places)])
    for one in models:
        artifacts.discard(settings, one.folder)
    note(settings, info.id, planned)
    return info


def plan(dataset: str, runs: int) -> list[Run]:
    """The runs: those of the default comparison first, then other settings, and a tenth as replicates of the first."""
    replicates = runs // 10 // REPLICATES
    every = variants(dataset)
    of_seeds = (runs - replicates * REPLICATES + SEEDS - 1) // SEEDS
    chosen = list(itertools.islice(every, of_seeds))
    again = [v for v in chosen if not v.baseline][:replicates]
    found = [Run(v, seed) for v in chosen for seed in range(SEEDS)]
    copies = [Run(v, r, bootstrap=r) for v in again for r in range(REPLICATES)]
    return found[: runs - len(copies)] + copies


GRIDS: tuple[Mapping[str, Sequence[Any]], ...] = (
    {"sampler": ["auc_ns"], "beta": [0, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4]},
    {"sampler": ["auc_ns"], "updater": ["one_bp"], "beta": [0, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4]},
    {"sampler": ["rns"]},
    {"sampler": ["rns"], "updater": ["one_bp"]},
    {"sampler": ["pns"], "exponent": [0, 0.25, 0.5, 0.75, 1]},
    {"loss": ["macr"], "macr_c": [0, 5, 10, 20, 30, 40]},
    {"loss": ["infonce"], "tau": [0.1, 0.2, 0.5]},
    {"encoder": ["lightgcn"], "sampler": ["auc_ns"], "beta": [0, 0.01, 0.025, 0.05, 0.1, 0.2]},
)
KNOBS: Mapping[str, Sequence[Any]] = {
    "dim": [32, 64, 16, 128],
    "lr": [None, 0.001, 0.005, 0.02, 0.05],
    "l2": [None, 0.0001, 0.001, 0.01, 0.1],
    "epochs": [None, 100],
}
"""What a person who has trained thousands of settings has varied; none: the default."""


def variants(dataset: str) -> Iterator[Variant]:
    """The default comparison, then every method and strength under more and more knobs, each setting once."""
    seen = set()
    default = replace(DEFAULT_SWEEP, baselines=("most_popular",)).variants(dataset)
    for one in itertools.chain(default, _turned(dataset)):
        if one.id not in seen:
            seen.add(one.id)
            yield one


def _turned(dataset: str) -> Iterator[Variant]:
    for knobs in itertools.product(*KNOBS.values()):
        turned = {name: value for name, value in zip(KNOBS, knobs, strict=True) if value is not None}
        for grid in GRIDS:
            for values in itertools.product(*grid.values()):
                try:
                    yield make_variant(dataset, **turned, **dict(zip(grid, values, strict=True)))
                except BadVariant:  # a knob that this method lacks
                    continue


def model(settings: Settings, dataset: Dataset, tastes: Tastes, weight: float) -> Model:
    """A model that knows tastes and adds so much weight to popularity, measured and written as a run."""
    run = Run(make_variant(dataset.id, dim=TASTES + 1, lr=0.001 * (1 + abs(weight))), 10_000 + round(100 * weight))
    result = Result(run, scorer(dataset, tastes, weight), 45, 60, 4.2, {}, {}, _history())
    fitted = dataset.fitted("validation")
    result.evaluations["validation"] = evaluate(result.scorer, dataset.train, dataset.validation, fitted)
    mask = dataset.train.merged(dataset.validation)
    result.evaluations["test"] = evaluate(result.scorer, mask, dataset.test, fitted)
    settings.attempts.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.attempts) as attempt:
        folder = artifacts.publish(settings, Path(attempt), result, dataset, 412.0)
    return Model(folder, artifacts.read_meta_of(folder), pq.read_table(folder / "metrics.parquet"))


def scorer(dataset: Dataset, tastes: Tastes, weight: float) -> Factors:
    """Users' tastes, blurred, and a column of popularity."""
    rng = np.random.default_rng(round(1000 * (weight + 2)))
    popularity = np.log1p(dataset.train.popularity())
    users = np.hstack([tastes.users + rng.normal(0, 0.3, tastes.users.shape), np.ones((USERS, 1))])
    items = np.hstack([tastes.items, weight * (popularity - popularity.mean())[:, None]])
    return Factors(users.astype(np.float32), items.astype(np.float32))


def _history() -> list[HistoryRow]:
    return [
        HistoryRow(e, 0.07, 0.7 * np.exp(-e / 25), 0.3 * (1 - np.exp(-e / 12)) if e % 5 == 0 else None)
        for e in range(1, 61)
    ]


def _model_of(run: Run, places: Mapping[str, int]) -> int:
    """Stronger settings show less that is popular; methods begin at other places."""
    strength = run.variant.strength
    share = 0.0
    if strength:
        share = min(1.0, abs(strength[1] - strength[0].off) / (40 if abs(strength[1]) > 1 else 0.4))
    return min(MODELS - 1, places[run.variant.method] % 3 + round(share * (MODELS - 3)))


def copy(settings: Settings, run: Run, of: Model) -> None:
    """A run under its own settings, with the model's lists: metrics are moved a little, the large files are linked."""
    folder = settings.runs / run.id
    folder.mkdir()
    for name in LINKED:
        os.link(of.folder / name, folder / name)
    moved = _moved(of.metrics, run)
    pq.write_table(moved, folder / "metrics.parquet", compression="zstd")
    v = run.variant
    about = {
        "run": run.id, "variant": v.id, "fields": v.used(), "label": v.label, "method": v.method, "path": v.path(),
        "seed": run.seed, "bootstrap": run.bootstrap, "protocol": v.protocol, "engine": v.engine,
        "files": {**of.meta["files"], "metrics.parquet": artifacts.checksum(folder / "metrics.parquet")},
    }  # fmt: skip
    text = json.dumps({**of.meta, **about}, indent=1, ensure_ascii=False)
    (folder / "meta.json").write_text(text, encoding="utf-8")


def _moved(metrics: pa.Table, run: Run) -> pa.Table:
    """All values times one factor, of the setting and the seed, within what shares and metrics can be."""
    factor = 1 + _normal(run.variant.id) * SPREAD["setting"] + _normal(run.id) * SPREAD["seed"]
    values = metrics["value"].to_numpy() * factor
    below_one = (metrics["value"].to_numpy() <= 1) & (metrics["value"].to_numpy() >= 0)
    values = np.where(below_one, np.clip(values, 0, 1), values)
    return metrics.set_column(metrics.column_names.index("value"), "value", pa.array(values))


def _normal(name: str) -> float:
    return float(np.random.default_rng(int(name, 16)).normal())


def note(settings: Settings, dataset: str, planned: Sequence[Run]) -> None:
    """Tell the queue of the runs, as jobs that are done, in sweeps of some hundred."""
    queue, finished = Queue(settings), {run.id for run in planned}
    for n, start in enumerate(range(0, len(planned), IN_A_SWEEP), start=1):
        some = planned[start : start + IN_A_SWEEP]
        queue.add_sweep(dataset, Sweep(name=f"Sweep {n}"), some, finished)
    queue.remember(planned)
