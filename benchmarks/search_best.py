"""The best that a dim allows, settings chosen on validation only; then trained on all of train, and test read once.

    python -m benchmarks.search_best search DATASET --dim 32 --minutes 30 --out best-32.jsonl
    python -m benchmarks.search_best refit  DATASET --dim 32 --out best-32.jsonl --seeds 5

`search`: OneBP with DNS or AUC-NS on MF, BPR or InfoNCE; random settings first, then some near the leaders. The
training pairs are parted into FOLDS, each of which is held out once, so that every one of them is judged: one set of
held-out pairs cannot tell apart what is this close. Settings begin on one fold, and the best third of a rung goes on to
the next (successive halving: Li et al., arXiv 1810.05934), so most of the time goes to those that may lead. `refit`:
the leader of each sampler on train and validation together, for the epochs that the folds chose. Only `refit` reads
test. Every training is a line of the file; a later call goes on from it. --cold sets a least share of cold items: what
is short of it counts as that much less NDCG.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.folds import FOLDS, hold_out
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
CANDIDATES = (3, 5, 6, 7, 8, 10, 12, 16, 24)
NEGATIVES = (1, 2, 3)  # of a pair; one is BPR, more are InfoNCE
BETAS = {"dns": (0.0,), "auc_ns": (0.0025, 0.005, 0.01, 0.025, 0.05)}
SCHEDULE = {"epochs": 600, "eval_every": 10, "early_stopping": 6}
RUNGS = (1, 3, FOLDS)  # folds a setting is judged on before the best of those are judged on more
PROMOTED = 3  # one of how many goes on
LEADERS = 6
METRICS = ("ndcg@10", "recall@10", "precision@10", "ndcg@20", "recall@20", "aplt@10", "aplt@20", "arp@10")
Settings = dict[str, Any]
Trial = dict[str, Any]


class Leader(NamedTuple):
    """Settings with their trainings, one a fold, of fold 0 and on. score: see `_score`."""

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


def train_once(dataset: Dataset, settings: Settings, dim: int, fold: int) -> Trial:
    """One training, judged on the fold that it does not see. The seed is the fold's number, too."""
    from core.jobs.training import train

    variant = make_variant(dataset.id, dim=dim, **SCHEDULE, **fields(settings))
    started = time.perf_counter()
    try:
        result = train(hold_out(dataset, fold), Run(variant, fold), lambda _: None)
    except RunFailed:
        measured = {"ndcg": 0.0, "aplt": 0.0, "epoch": 0}
    else:
        found = result.evaluations["validation"].metrics
        measured = {"ndcg": found["ndcg@10"], "aplt": found["aplt@10"], "epoch": result.epoch}
    seconds = round(time.perf_counter() - started, 2)
    return {"settings": settings, "dim": dim, "fold": fold, **measured, "seconds": seconds}


def leaders(trials: Sequence[Trial], sampler: str, cold: float = 0.0) -> list[Leader]:
    """Settings by the highest rung they were judged on, then by their score there, best first. cold: see `_score`."""
    groups: dict[str, list[Trial]] = defaultdict(list)
    for t in trials:
        if (t["settings"]["beta"] > 0) == (sampler == "auc_ns"):
            groups[json.dumps(t["settings"], sort_keys=True)].append(t)
    found = [Leader(_score(ts, _rung(ts), cold), json.loads(key), ts) for key, ts in groups.items()]
    return sorted(found, key=lambda leader: (-_rung(leader.trials), -leader.score))


def _rung(trials: Sequence[Trial]) -> int:
    """Folds of the highest rung that is complete; 0 for none."""
    return max((rung for rung in RUNGS if rung <= len(trials)), default=0)


def _score(trials: Sequence[Trial], folds: int, cold: float) -> float:
    """Mean NDCG@10 on the held-out pairs of those folds, less what the mean cold share (APLT@10) is short of `cold`."""
    if not folds:
        return 0.0
    accuracy, share = (float(np.mean([t[k] for t in trials if t["fold"] < folds])) for k in ("ndcg", "aplt"))
    return accuracy - max(0.0, cold - share)


def waiting(rows: Sequence[Leader], cold: float = 0.0) -> Leader | None:
    """The settings to go on with: among the best of a rung, and not on the next one yet; the highest rung first."""
    for lower in reversed(RUNGS[:-1]):
        reached = [row for row in rows if _rung(row.trials) >= lower]
        reached.sort(key=lambda row: -_score(row.trials, lower, cold))
        for row in reached[: len(reached) // PROMOTED]:
            if _rung(row.trials) == lower:
                return row
    return None


def search(dataset: Dataset, asked: argparse.Namespace, trials: list[Trial]) -> None:
    chance = np.random.default_rng([asked.seed, len(trials)])
    until, turn = time.monotonic() + 60 * asked.minutes, 0
    while time.monotonic() < until:
        sampler = asked.samplers[turn % len(asked.samplers)]
        turn += 1
        rows = leaders(trials, sampler, asked.cold)
        if row := waiting(rows, asked.cold):
            chosen, fold = row.settings, len(row.trials)
        elif len(rows) < asked.random:
            chosen, fold = draw(chance, sampler), 0
        else:
            chosen, fold = near(chance, rows[int(chance.integers(min(LEADERS, len(rows))))].settings, sampler), 0
        _note(asked.out, trials, train_once(dataset, chosen, asked.dim, fold))


def refit(dataset: Dataset, asked: argparse.Namespace, trials: list[Trial]) -> None:
    from core.jobs.training import train

    for sampler in asked.samplers:
        leader = leaders(trials, sampler, asked.cold)[0]
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


def show(trials: Sequence[Trial], samplers: Sequence[str], cold: float) -> None:
    """The leaders of each sampler, with means over their folds."""
    for sampler in samplers:
        for leader in leaders(trials, sampler, cold)[:LEADERS]:
            columns = ("ndcg", "aplt", "epoch", "seconds")
            means = {k: round(float(np.mean([t[k] for t in leader.trials])), 4) for k in columns}
            print(f"{sampler} of {len(leader.trials)} {means} {leader.settings}", flush=True)


STEPS = {"search": search, "refit": refit}


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
    parser.add_argument("--cold", type=float, default=0.0, help="the least cold share (APLT@10) on the held-out pairs")
    parser.add_argument("--seeds", type=int, default=5, help="of refit")
    asked = parser.parse_args()
    settings = read_settings()
    use_kernel_cache(settings)
    dataset = read_dataset(find_dataset(settings, asked.dataset).folder)
    trials = [json.loads(line) for line in asked.out.read_text().splitlines()] if asked.out.exists() else []
    STEPS[asked.step](dataset, asked, trials)
    if asked.step != "refit":
        show(trials, asked.samplers, asked.cold)


if __name__ == "__main__":
    main()
