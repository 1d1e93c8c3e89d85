"""Milliseconds an epoch, ours beside other libraries', from one run on this machine.

    python -m benchmarks [DATASET] [--rounds 9] [--json FILE]

Install requirements-bench.txt first. In each round every contender trains a short and a long time, one after the other;
an epoch's time is the difference, so that preparations do not count. The least of each over the rounds is taken, for
whatever else the machine does only ever adds. The default data set is ML-100K, train and validation together (80,000
pairs); it is fetched if the cache lacks it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.contenders import CONTENDERS, DIM
from core.datasets.acquire import acquire
from core.datasets.interactions import Interactions
from core.datasets.store import find_dataset, read_dataset
from core.errors import LabError, Unknown
from core.kernels import use_kernel_cache
from core.settings import Settings, read_settings

RAW = argparse.RawDescriptionHelpFormatter
SHORT, LONG = 5, 25  # epochs

RATIOS = (
    ("rns", "faster peer", 0.7),
    ("auc_ns", "rns", 4.5),
    ("one_bp rns", "rns", None),
    ("one_bp auc_ns", "auc_ns", None),
)
"""What is compared, and the most it should be where there is an aim."""


def pairs(settings: Settings, name: str) -> Interactions:
    """All that a model may train on."""
    try:
        info = find_dataset(settings, name)
    except Unknown:
        info = acquire(settings, name)
    return read_dataset(info.folder).fitted("refit")


def measure(fitted: Interactions, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds an epoch by contender, from the least and from the median times of the two lengths."""
    fits = {c.name: c.prepare(fitted) for c in CONTENDERS}
    seconds: dict[str, dict[int, list[float]]] = {name: {SHORT: [], LONG: []} for name in fits}
    for fit in fits.values():
        fit(1)
    for _ in range(rounds):
        for name, fit in fits.items():
            for epochs in (SHORT, LONG):
                started = perf_counter()
                fit(epochs)
                seconds[name][epochs].append(perf_counter() - started)
    return {name: {"least": _epoch(min, s), "median": _epoch(median, s)} for name, s in seconds.items()}


def _epoch(of: Callable[[list[float]], float], seconds: Mapping[int, list[float]]) -> float:
    return (of(seconds[LONG]) - of(seconds[SHORT])) / (LONG - SHORT) * 1e3


def ratios(least: Mapping[str, float]) -> list[dict[str, Any]]:
    """The rows of RATIOS, measured."""
    known = {**least, "faster peer": min(least[c.name] for c in CONTENDERS if c.library != "ours")}
    return [{"of": of, "to": to, "ratio": known[of] / known[to], "aim": aim} for of, to, aim in RATIOS]


def machine() -> dict[str, Any]:
    """Where it was measured, and with what."""
    info = Path("/proc/cpuinfo")
    models = (
        [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "load": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        **{name: version(name) for name in ("numba", "numpy", "implicit", "cornac")},
    }


def report(found: Mapping[str, dict[str, float]], fitted: Interactions, asked: argparse.Namespace) -> dict[str, Any]:
    """Everything that is shown or written."""
    return {
        "dataset": asked.dataset,
        "users": fitted.n_users,
        "items": fitted.n_items,
        "pairs": len(fitted),
        "dim": DIM,
        "threads": 1,
        "rounds": asked.rounds,
        "milliseconds": found,
        "ratios": ratios({name: ms["least"] for name, ms in found.items()}),
        "machine": machine(),
    }


def show(told: Mapping[str, Any]) -> None:
    print(f"{told['dataset']}: {told['users']} users, {told['items']} items, {told['pairs']} pairs, dim {told['dim']}")
    print(f"\n{'one epoch, one thread':<22}{'least':>10}{'median':>10}  of {told['rounds']} rounds")
    for name, ms in told["milliseconds"].items():
        print(f"{name:<22}{ms['least']:>7.1f} ms{ms['median']:>7.1f} ms")
    print()
    for row in told["ratios"]:
        aim = f"   (aim: at most {row['aim']:g})" if row["aim"] else ""
        print(f"{row['of'] + ' / ' + row['to']:<26}{row['ratio']:>5.2f}{aim}")
    print("\n" + ", ".join(f"{name} {value}" for name, value in told["machine"].items()))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", nargs="?", default="ml-100k", help="name or id of a data set")
    parser.add_argument("--rounds", type=int, default=9, help="how often every contender is timed")
    parser.add_argument("--json", type=Path, help="write the same numbers to this file")
    asked = parser.parse_args()
    settings = read_settings()
    use_kernel_cache(settings)
    try:
        fitted = pairs(settings, asked.dataset)
        told = report(measure(fitted, asked.rounds), fitted, asked)
    except ModuleNotFoundError as error:
        print(f"{error.name} is not installed. Install requirements-bench.txt first.", file=sys.stderr)
        return 2
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    show(told)
    if asked.json:
        asked.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
