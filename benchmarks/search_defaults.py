"""The search behind core/models/defaults.py: random settings of each method, judged on validation, never on test.

    python -m benchmarks.search_defaults ml-100k [--trials 24] [--only rns auc_ns] [--out search.json]

The data set must be in the cache (`python -m core datasets fetch ml-100k`). For each (sampler, updater), `trials`
settings are drawn from the ranges below with a fixed seed and trained with run seed 0; the best four are trained with
seeds 1 and 2 too, and the best mean validation NDCG@10 wins. Samplers that are one method at one end share a row
(`auc_ns` begins at `dns`, `pns` at `rns`), and their settings are judged by the mean of both. The same command on the
same machine prints the same table.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.datasets.store import Dataset, find_dataset, read_dataset
from core.errors import RunFailed
from core.kernels import use_kernel_cache
from core.models.variant import Run, make_variant
from core.settings import read_settings

ROWS = {"rns": ["rns", "pns"], "bns": ["bns"], "auc_ns": ["dns", "auc_ns"]}
UPDATERS = ("two_bp", "one_bp")
EPOCHS = {"two_bp": 200, "one_bp": 250}  # the most that a default may cost
RANGES = {
    "two_bp": {"lr": (0.005, 0.06), "l2": (0.01, 0.15), "init_sigma": (0.05, 0.2)},
    "one_bp": {"lr": (0.005, 0.06), "l2": (0.0005, 0.03), "init_sigma": (0.05, 0.2), "kept": (0.002, 0.05)},
}
FINALISTS = 4


def draw(updater: str, chance: np.random.Generator) -> dict[str, float]:
    """Settings, each log-uniform in its range, to two significant digits. kept: 1 - aggregation."""
    drawn = {name: math.exp(chance.uniform(*np.log(ends))) for name, ends in RANGES[updater].items()}
    settings = {name: float(f"{value:.2g}") for name, value in drawn.items()}
    if "kept" in settings:
        settings["aggregation"] = round(1 - settings.pop("kept"), 5)
    return settings


def judge(
    dataset: Dataset, samplers: Sequence[str], updater: str, settings: dict[str, float], seed: int
) -> dict[str, Any]:
    """Validation NDCG@10 and its epoch, both averaged over `samplers`; seconds of all of them."""
    from core.jobs.training import train

    scores: list[float] = []
    epochs: list[int] = []
    seconds = 0.0
    for sampler in samplers:
        variant = make_variant(dataset.id, sampler=sampler, updater=updater, epochs=EPOCHS[updater], **settings)
        try:
            result = train(dataset, Run(variant, seed), lambda _: None)
        except RunFailed:
            return {"score": 0.0, "epoch": 0.0, "seconds": seconds}
        scores.append(result.evaluations["validation"].metrics["ndcg@10"])
        epochs.append(result.epoch)
        seconds += result.seconds
    return {"score": float(np.mean(scores)), "epoch": float(np.mean(epochs)), "seconds": seconds}


def search(dataset: Dataset, row: str, updater: str, trials: int) -> list[dict[str, Any]]:
    """The finalists of one row of the table, best first."""
    chance = np.random.default_rng([sorted(ROWS).index(row), UPDATERS.index(updater)])
    tried: list[dict[str, Any]] = []
    for _ in range(trials):
        settings = draw(updater, chance)
        tried.append({"settings": settings, "looks": [judge(dataset, ROWS[row], updater, settings, 0)]})
    tried.sort(key=lambda t: -t["looks"][0]["score"])
    for trial in tried[:FINALISTS]:
        trial["looks"] += [judge(dataset, ROWS[row], updater, trial["settings"], seed) for seed in (1, 2)]
        trial["score"] = float(np.mean([look["score"] for look in trial["looks"]]))
    return sorted(tried[:FINALISTS], key=lambda t: -t["score"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--only", nargs="*", default=list(ROWS))
    parser.add_argument("--updaters", nargs="*", default=list(UPDATERS))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    settings = read_settings()
    use_kernel_cache(settings)
    dataset = read_dataset(find_dataset(settings, asked.dataset).folder)
    found: dict[str, Any] = {}
    for updater in asked.updaters:
        for row in asked.only:
            started = time.perf_counter()
            found[f"{row} {updater}"] = finalists = search(dataset, row, updater, asked.trials)
            print(f"{row} {updater}, {time.perf_counter() - started:.0f} s", flush=True)
            for trial in finalists:
                epochs = [look["epoch"] for look in trial["looks"]]
                print(f"  {trial['score']:.4f}  best epochs {epochs}  {trial['settings']}", flush=True)
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
