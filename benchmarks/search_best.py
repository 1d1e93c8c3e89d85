"""The best that a dim allows, settings chosen on validation only; then trained on all of train, and test read once.

    python -m benchmarks.search_best search DATASET --dim 32 --minutes 30 --out best-32.jsonl
    python -m benchmarks.search_best again  DATASET --dim 32 --out best-32.jsonl
    python -m benchmarks.search_best refit  DATASET --dim 32 --out best-32.jsonl --seeds 5

`search`: OneBP with DNS or AUC-NS on MF, BPR or InfoNCE; random settings first, then some near the leaders, which get
more seeds. `again`: the leaders once more, on other validation sets of the same size drawn from the same training
pairs, since one set of held-out pairs cannot tell apart what is this close. `refit`: the leader of each sampler on
train and validation together, for the epochs that validation chose. Only `refit` reads test. Every training is a line
of the file; a later call goes on from it.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.datasets.interactions import Interactions
from core.datasets.store import Dataset, find_dataset, read_dataset
from core.errors import RunFailed
from core.kernels import use_kernel_cache
from core.models.variant import Run, make_variant
from core.settings import read_settings

RANGES = {
    "lr": (0.006, 0.08),
    "l2": (0.0003, 0.02),
    "init_sigma": (0.03, 0.2),
    "kept": (0.002, 0.04),  # 1 - aggregation
    "tau": (0.4, 4.0),
}
CANDIDATES = (3, 5, 8, 12, 16, 24)
NEGATIVES = (1, 2, 3)  # of a pair; one is BPR, more are InfoNCE
BETAS = {"dns": (0.0,), "auc_ns": (0.0025, 0.005, 0.01, 0.025, 0.05)}
SCHEDULE = {"epochs": 600, "eval_every": 10, "early_stopping": 6}
SEEDS = 4  # of a leader
LEADERS = 6
SPLITS = 4  # validation sets of a leader, the data set's own counted
LUCK = 0.002  # what a single training may be ahead by chance: taken off, less for more of them
SHARE = 0.1  # of a user's pairs in a validation set
METRICS = ("ndcg@10", "recall@10", "precision@10", "ndcg@20", "recall@20", "aplt@10", "aplt@20", "arp@10")
Settings = dict[str, Any]
Trial = dict[str, Any]


class Leader(NamedTuple):
    """Settings with all their trainings. score: mean validation NDCG@10 less an allowance for luck."""

    score: float
    settings: Settings
    trials: list[Trial]


def draw(chance: np.random.Generator, sampler: str) -> Settings:
    """Settings from the whole ranges, log-uniform."""
    drawn = {name: math.exp(chance.uniform(*np.log(ends))) for name, ends in RANGES.items()}
    chosen = {name: table[int(chance.integers(len(table)))] for name, table in _choices(sampler).items()}
    return _rounded({**drawn, **chosen})


def _choices(sampler: str) -> dict[str, tuple[Any, ...]]:
    return {"candidates": CANDIDATES, "negatives": NEGATIVES, "beta": BETAS[sampler]}


def near(chance: np.random.Generator, leader: Settings, sampler: str) -> Settings:
    """Settings close to a leader's: each number moved by a factor, now and then another choice."""
    moved = {k: float(np.clip(leader[k] * math.exp(chance.normal(0, 0.25)), *RANGES[k])) for k in RANGES}
    for name, table in _choices(sampler).items():
        moved[name] = leader.get(name, 1) if chance.random() < 0.6 else table[int(chance.integers(len(table)))]
    return _rounded(moved)


def _rounded(settings: Mapping[str, Any]) -> Settings:
    return {k: v if isinstance(v, int) else float(f"{v:.3g}") for k, v in settings.items()}


def fields(settings: Mapping[str, Any]) -> Settings:
    """What `make_variant` is given."""
    given = {k: v for k, v in settings.items() if k not in {"kept", "negatives"}}
    n = settings.get("negatives", 1)
    several = {"loss": "infonce", "negatives": n} if n > 1 else {}
    return {"sampler": "auc_ns", "updater": "one_bp", **several, **given, "aggregation": round(1 - settings["kept"], 6)}


def train_once(dataset: Dataset, settings: Settings, dim: int, seed: int, split: int = 0) -> Trial:
    """One training, judged on validation. split: 0 for the data set's own validation set, else another one."""
    from core.jobs.training import train

    variant = make_variant(dataset.id, dim=dim, **SCHEDULE, **fields(settings))
    started = time.perf_counter()
    try:
        result = train(resplit(dataset, split) if split else dataset, Run(variant, seed), lambda _: None)
    except RunFailed:
        return {
            "settings": settings,
            "seed": seed,
            "split": split,
            "ndcg": 0.0,
            "aplt": 0.0,
            "epoch": 0,
            "seconds": 0.0,
        }
    found, seconds = result.evaluations["validation"].metrics, round(time.perf_counter() - started, 2)
    measured = {"ndcg": found["ndcg@10"], "aplt": found["aplt@10"], "epoch": result.epoch, "seconds": seconds}
    return {"settings": settings, "seed": seed, "split": split, **measured}


def resplit(dataset: Dataset, split: int) -> Dataset:
    """The data set with another validation set of the training pairs: SHARE of each user's, at random. Test is left."""
    whole, chance = dataset.fitted("refit"), np.random.default_rng([split, 2403])
    users = whole.users()
    order = np.lexsort((chance.random(len(whole)), users))
    place = np.empty(len(whole), np.int64)
    place[order] = np.arange(len(whole)) - whole.indptr[users[order]]
    held = place < np.round(SHARE * whole.lengths()[users])
    parts = (
        Interactions.from_pairs(users[part], whole.indices[part], whole.n_users, whole.n_items)
        for part in (~held, held)
    )
    train, validation = parts
    return replace(dataset, train=train, validation=validation)


def leaders(trials: Sequence[Trial], sampler: str, splits: bool) -> list[Leader]:
    """Settings by their score, best first. splits: whether those on all validation sets come before all others.

    With several validation sets, the mean of each set's mean, so that none counts more for its seeds.
    """
    groups: dict[str, list[Trial]] = defaultdict(list)
    for t in trials:
        if (t["settings"]["beta"] > 0) == (sampler == "auc_ns"):
            groups[json.dumps(t["settings"], sort_keys=True)].append(t)
    found = [Leader(_score(ts, splits), json.loads(key), ts) for key, ts in groups.items()]
    return sorted(found, key=lambda leader: (splits and -len(_sets(leader.trials)), -leader.score))


def _sets(trials: Sequence[Trial]) -> set[int]:
    return {t.get("split", 0) for t in trials}


def _score(trials: Sequence[Trial], splits: bool) -> float:
    counted = list(trials) if splits else [t for t in trials if not t.get("split", 0)] or list(trials)
    means = [np.mean([t["ndcg"] for t in counted if t.get("split", 0) == s]) for s in _sets(counted)]
    return float(np.mean(means)) - LUCK / math.sqrt(len(counted))


def search(dataset: Dataset, asked: argparse.Namespace, trials: list[Trial]) -> None:
    chance = np.random.default_rng([asked.seed, len(trials)])
    until, turn = time.monotonic() + 60 * asked.minutes, 0
    while time.monotonic() < until:
        sampler = ("dns", "auc_ns")[turn % 2]
        turn += 1
        rows = leaders(trials, sampler, splits=False)
        behind = [row for row in rows[:LEADERS] if len(row.trials) < SEEDS]
        if len(rows) < asked.random:
            chosen, seed = draw(chance, sampler), 0
        elif behind and chance.random() < 0.45:
            chosen, seed = behind[0].settings, len(behind[0].trials)
        else:
            chosen, seed = near(chance, rows[int(chance.integers(min(LEADERS, len(rows))))].settings, sampler), 0
        _note(asked.out, trials, train_once(dataset, chosen, asked.dim, seed))


def again(dataset: Dataset, asked: argparse.Namespace, trials: list[Trial]) -> None:
    for sampler in asked.samplers:
        for leader in leaders(trials, sampler, splits=False)[: asked.leaders]:
            done = {(t.get("split", 0), t["seed"]) for t in leader.trials}
            for split in range(1, SPLITS):
                for seed in range(2):
                    if (split, seed) not in done:
                        _note(asked.out, trials, train_once(dataset, leader.settings, asked.dim, seed, split))


def refit(dataset: Dataset, asked: argparse.Namespace, trials: list[Trial]) -> None:
    from core.jobs.training import train

    for sampler in asked.samplers:
        leader = leaders(trials, sampler, splits=True)[0]
        epochs = round(float(np.median([t["epoch"] for t in leader.trials])))
        variant = make_variant(dataset.id, "refit", dim=asked.dim, epochs=epochs, **fields(leader.settings))
        runs = [train(dataset, Run(variant, seed), lambda _: None) for seed in range(asked.seeds)]
        print(f"{sampler}, dim {asked.dim}: validation {leader.score:.4f}, {epochs} epochs, {leader.settings}")
        for name in METRICS:
            values = [run.evaluations["test"].metrics[name] for run in runs]
            print(f"  {name:13}{np.mean(values):8.4f} +- {np.std(values, ddof=1):.4f}", flush=True)


def _note(out: Path, trials: list[Trial], trial: Trial) -> None:
    trials.append(trial)
    with out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(trial) + "\n")


def show(trials: Sequence[Trial], splits: bool) -> None:
    for sampler in BETAS:
        for leader in leaders(trials, sampler, splits)[:LEADERS]:
            means = {
                k: round(float(np.mean([t[k] for t in leader.trials])), 4) for k in ("ndcg", "aplt", "epoch", "seconds")
            }
            print(f"{sampler} {leader.score:.4f} of {len(leader.trials)} {means} {leader.settings}", flush=True)


STEPS = {"search": search, "again": again, "refit": refit}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("dataset")
    parser.add_argument("--dim", type=int, default=32)
    parser.add_argument("--out", type=Path, required=True, help="the trainings, one a line")
    parser.add_argument("--samplers", nargs="*", default=list(BETAS), choices=list(BETAS))
    parser.add_argument("--minutes", type=float, default=15, help="of search")
    parser.add_argument("--random", type=int, default=30, help="settings of each sampler before the local search")
    parser.add_argument("--seed", type=int, default=0, help="of search")
    parser.add_argument("--leaders", type=int, default=LEADERS, help="how many again looks at")
    parser.add_argument("--seeds", type=int, default=5, help="of refit")
    asked = parser.parse_args()
    settings = read_settings()
    use_kernel_cache(settings)
    dataset = read_dataset(find_dataset(settings, asked.dataset).folder)
    trials = [json.loads(line) for line in asked.out.read_text().splitlines()] if asked.out.exists() else []
    STEPS[asked.step](dataset, asked, trials)
    if asked.step != "refit":
        show(trials, splits=asked.step == "again")


if __name__ == "__main__":
    main()
