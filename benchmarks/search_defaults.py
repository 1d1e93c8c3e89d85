"""The search behind core/models/defaults.py: random settings of each row, judged on validation, never on test.

    python -m benchmarks.search_defaults DATASET [--rows mf-rns-bpr-two_bp-sgd ...] [--trials 24] [--out search.jsonl]

The data set must be in the cache (`python -m core datasets fetch ml-100k-papers`). For each row (encoder, sampler,
loss, updater, optimizer) settings are drawn from the ranges below with a fixed seed and trained with run seed 0; the
best are trained with more seeds, and the best mean validation NDCG@10 wins. Samplers that are one method at one end of
a path share a row (`auc_ns` begins at `dns`; `pns` and `fair_static` at `rns`), and its settings are judged by the mean
over those in JUDGED. Every training is a line of the file, which a later call goes on from; the same command on the
same machine prints the same table.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.datasets.store import Dataset, find_dataset, read_dataset
from core.errors import RunFailed
from core.kernels import use_kernel_cache
from core.models.defaults import ROWS, Key
from core.models.variant import Run, make_variant
from core.settings import read_settings

JUDGED = {"auc_ns": ("dns", "auc_ns")}
SGD = {"lr": (0.005, 0.06), "l2": (0.01, 0.15), "init_sigma": (0.05, 0.2)}
ONE_BP = {"lr": (0.005, 0.06), "l2": (0.0005, 0.03), "init_sigma": (0.05, 0.2), "kept": (0.002, 0.05)}
ADAM = {"lr": (0.002, 0.03), "l2": (1e-6, 1e-3), "init_sigma": (0.02, 0.2)}
RANGES: dict[tuple[str, str], Mapping[str, tuple[float, float]]] = {
    ("two_bp", "sgd"): SGD,
    ("one_bp", "sgd"): ONE_BP,
    ("two_bp", "adam"): ADAM,
    ("one_bp", "adam"): {**ADAM, "kept": (0.005, 0.2)},
}
OF_LOSS: dict[str, Mapping[str, tuple[float, float]]] = {
    "infonce": {"tau": (0.3, 2.0)},
    "bc": {"tau": (0.05, 0.3)},
    "macr": {"macr_c": (0.3, 40.0)},
    "ips_cn": {"lr": (0.01, 0.3)},
}
"""Ranges that a loss has of its own, or that its scale moves."""
EPOCHS = {("two_bp", "sgd"): 200, ("one_bp", "sgd"): 250, ("two_bp", "adam"): 60, ("one_bp", "adam"): 120}
"""The most that a default may cost."""


def ranges(row: Key) -> dict[str, tuple[float, float]]:
    """What is searched for a row."""
    _, _, loss, updater, optimizer = row
    of_loss = {k: v for k, v in OF_LOSS.get(loss, {}).items() if k != "lr" or optimizer == "sgd"}
    return {**RANGES[updater, optimizer], **of_loss}


def draw(row: Key, chance: np.random.Generator) -> dict[str, float]:
    """Settings, each log-uniform in its range, to two significant digits. kept: 1 - aggregation."""
    drawn = {name: math.exp(chance.uniform(*np.log(ends))) for name, ends in ranges(row).items()}
    settings = {name: float(f"{value:.2g}") for name, value in drawn.items()}
    if "kept" in settings:
        settings["aggregation"] = round(1 - settings.pop("kept"), 5)
    return settings


def judge(dataset: Dataset, row: Key, settings: Mapping[str, float], seed: int) -> dict[str, Any]:
    """Validation NDCG@10, APLT@10 and epoch, averaged over what the row is judged by; seconds of all of it."""
    from core.jobs.training import train

    encoder, sampler, loss, updater, optimizer = row
    looks = []
    started = time.perf_counter()
    for name in JUDGED.get(sampler, (sampler,)):
        modules = {"encoder": encoder, "sampler": name, "loss": loss, "updater": updater, "optimizer": optimizer}
        schedule = {
            "epochs": EPOCHS[updater, optimizer],
            "eval_every": 5,
            "early_stopping": 3 if optimizer == "adam" else 10,
        }
        variant = make_variant(dataset.id, **modules, **schedule, **settings)
        try:
            result = train(dataset, Run(variant, seed), lambda _: None)
        except RunFailed:
            return {"score": 0.0, "aplt": 0.0, "epoch": 0.0, "seconds": time.perf_counter() - started}
        found = result.evaluations["validation"].metrics
        looks.append((found["ndcg@10"], found["aplt@10"], result.epoch))
    score, aplt, epoch = (float(np.mean(column)) for column in zip(*looks, strict=True))
    return {"score": score, "aplt": aplt, "epoch": epoch, "seconds": time.perf_counter() - started}


def search(dataset: Dataset, row: Key, trials: int, finalists: int, out: Path | None) -> list[dict[str, Any]]:
    """The finalists of one row of the table, best first."""
    chance = np.random.default_rng(zlib.crc32("-".join(row).encode()))
    known = _read(out)
    tried: list[dict[str, Any]] = []
    for _ in range(trials):
        settings = draw(row, chance)
        tried.append({"settings": settings, "looks": [_look(dataset, row, settings, 0, known, out)]})
    tried.sort(key=lambda t: -t["looks"][0]["score"])
    for trial in tried[:finalists]:
        trial["looks"] += [_look(dataset, row, trial["settings"], seed, known, out) for seed in (1, 2)]
    for trial in tried:
        trial["score"] = float(np.mean([look["score"] for look in trial["looks"]]))
    return sorted(tried[:finalists], key=lambda t: -t["score"])


def _look(
    dataset: Dataset, row: Key, settings: Mapping[str, float], seed: int, known: dict[str, Any], out: Path | None
) -> dict[str, Any]:
    key = json.dumps([dataset.id, row, dict(settings), seed], sort_keys=True)
    if key not in known:
        known[key] = judge(dataset, row, settings, seed)
        if out:
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, "look": known[key]}) + "\n")
    found: dict[str, Any] = known[key]
    return found


def _read(out: Path | None) -> dict[str, Any]:
    if out is None or not out.exists():
        return {}
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    return {line["key"]: line["look"] for line in lines}


def main() -> None:
    names = {"-".join(row): row for row in ROWS}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--finalists", type=int, default=4)
    parser.add_argument(
        "--rows", nargs="*", default=list(names), metavar="ROW", help="rows of the table, modules joined by -"
    )
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    settings = read_settings()
    use_kernel_cache(settings)
    dataset = read_dataset(find_dataset(settings, asked.dataset).folder)
    for name in asked.rows:
        started = time.perf_counter()
        row: Any = tuple(name.split("-"))
        finalists = search(dataset, row, asked.trials, asked.finalists, asked.out)
        print(f"{name}, {time.perf_counter() - started:.0f} s", flush=True)
        for trial in finalists:
            looks = {k: [round(look[k], 4) for look in trial["looks"]] for k in ("epoch", "aplt")}
            print(f"  {trial['score']:.4f}  {looks}  {trial['settings']}", flush=True)


if __name__ == "__main__":
    main()
