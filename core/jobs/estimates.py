"""How long a run will take, from the runs that were timed on this machine.

Here: timings read from finished runs, and the guess for a run not yet trained.
Not here: adding up a sweep (control.py).
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.errors import DamagedArtifact
from core.jobs import artifacts
from core.models.variant import Variant
from core.settings import Settings

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """What one finished run cost."""

    dataset: str
    method: str
    dim: int | None
    interactions: int
    """Pairs it was trained on."""
    epoch_seconds: float
    """Seconds an epoch, its share of the evaluations included; for a closed form or a re-ranking, the whole of it."""
    epochs_share: float
    """Epochs run of those allowed: less than 1 where it stopped early."""
    overhead: float
    """Seconds around training: reading, evaluating, writing."""


class Estimator:
    """Medians of the timings, from the most alike to the least."""

    def __init__(self, timings: list[Timing]):
        self._groups: Mapping[Key, list[Timing]] = defaultdict(list)
        for t in timings:
            for key in _keys(t.dataset, t.method, t.dim):
                self._groups[key].append(t)
        self._overhead = statistics.median(t.overhead for t in timings) if timings else 0.0
        self._known: dict[tuple[Variant, int], float | None] = {}

    def seconds(self, variant: Variant, interactions: int) -> float | None:
        """Expected seconds of one run; None where no run of its method was timed (a baseline counts as nothing then).

        interactions: pairs it will be trained on. Times from another data set are scaled by them.
        """
        asked = (variant, interactions)
        if asked not in self._known:
            self._known[asked] = self._seconds(variant, interactions)
        return self._known[asked]

    def _seconds(self, variant: Variant, interactions: int) -> float | None:
        for key in _keys(variant.dataset, variant.method, variant.dim):
            if alike := self._groups.get(key):
                epoch = statistics.median(t.epoch_seconds * interactions / max(t.interactions, 1) for t in alike)
                share = statistics.median(t.epochs_share for t in alike)
                return statistics.median(t.overhead for t in alike) + epoch * share * _epochs(variant.used())
        return self._overhead if variant.baseline else None


def read_estimator(settings: Settings) -> Estimator:
    """An estimator over all finished runs of the cache; damaged ones are passed over."""
    return _estimator(settings.runs, tuple(artifacts.finished_runs(settings)))


@lru_cache(maxsize=4)
def _estimator(folder: Path, runs: tuple[str, ...]) -> Estimator:
    """Kept until a run is added or deleted: the time left is asked for every few seconds."""
    timings = (_timing(folder / run) for run in runs)
    return Estimator([t for t in timings if t])


def _epochs(fields: Mapping[str, Any]) -> int:
    """Epochs that a variant may run; 1 for a baseline: what re-ranks has the epochs of what was trained before."""
    return 1 if fields.get("baseline") else int(fields.get("epochs", 1))


def _keys(dataset: str, method: str, dim: int | None) -> list[Key]:
    """From alike to less alike; another dimension matters less than another data set does."""
    return [(dataset, method, dim), (dataset, method), ("any", method, dim), ("any", method, "any")]


@lru_cache(maxsize=20_000)
def _timing(folder: Path) -> Timing | None:
    """Kept, since a finished run does not change and a plan is made anew at each change on the page."""
    try:
        meta = artifacts.read_meta_of(folder)
        fields = meta["fields"]
        epochs = max(int(meta["epochs_run"]), 1)
        return Timing(
            dataset=meta["dataset"],
            method=meta["method"],
            dim=fields.get("dim"),
            interactions=int(meta["interactions"]),
            epoch_seconds=float(meta["seconds"]) / epochs,
            epochs_share=min(1.0, epochs / _epochs(fields)),
            overhead=float(meta["overhead"]),
        )
    except (DamagedArtifact, KeyError, TypeError, ValueError):
        return None
