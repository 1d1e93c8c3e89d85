"""OneBP's cost claim: how long an epoch takes, and when it is as good as two-sided updating ever gets.

Here: one frame, from the learning curves of finished runs. Not here: accuracy (comparison.py), the plan (plan.py).
Times are those of the runs as they were trained, two beside each other on two cores say, not of a quiet machine.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from core.reproduction.plan import DATASETS, PARTS, SETTINGS, Line, make_plan
from core.warehouse import queries
from core.warehouse.database import Warehouse

COLUMNS = (
    "settings", "method", "variant", "seeds", "best", "best_epoch", "epoch_seconds", "epochs_to_reach",
    "seconds_to_reach", "reached_by",
)  # fmt: skip
PART, REFERENCE = "one_bp", "two-sided"


def cost(w: Warehouse, quick: bool = False) -> pd.DataFrame:
    """OneBP beside two-sided updating: COLUMNS, a row a method and setting, means over its finished seeds.

    best: NDCG@10 on test at each seed's best epoch, best_epoch that epoch; epoch_seconds: of training alone, the median
    over the epochs that nothing was evaluated in; epochs_to_reach, seconds_to_reach: until NDCG@10 is as high as the
    mean best of two-sided updating at the same settings, over the seeds that get there, `reached_by` of them; for
    two-sided updating itself, its best epochs. Seconds are epochs times the seconds of one. What is not trained yet is
    missing.
    """
    lines = make_plan((PART,), quick).lines
    rows = []
    for settings in SETTINGS:
        curves = {line.method: _curves(w, line) for line in lines if line.settings == settings}
        target = _mean([c["metric"].max() for c in curves[REFERENCE]])
        rows += [_row(line, curves[line.method], target) for line in lines if line.settings == settings]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def in_words(costs: pd.DataFrame, settings: str) -> str:
    """The claim at those settings, in a sentence; empty until both updatings have runs. costs: from `cost`."""
    rows = {row["method"]: row for row in costs.to_dict("records") if row["settings"] == settings}
    one, two = rows["OneBP"], rows[REFERENCE]
    if not (one["seeds"] and two["seeds"]):
        return ""
    said = (
        f"an epoch takes {_seconds(one['epoch_seconds'])} against {_seconds(two['epoch_seconds'])} of two-sided "
        f"updating, whose best NDCG@10, {two['best']:.4f}, comes after {two['best_epoch']:,.0f} epochs "
        f"({_seconds(two['seconds_to_reach'])})"
    )
    if not one["reached_by"]:
        return f"{said}; OneBP does not get there, its best is {one['best']:.4f}."
    few = "" if one["reached_by"] == one["seeds"] else f" in {one['reached_by']} of {one['seeds']} seeds"
    return (
        f"{said}; OneBP is there{few} after {one['epochs_to_reach']:,.0f} epochs ({_seconds(one['seconds_to_reach'])}),"
        f" and gets to {one['best']:.4f}."
    )


def epoch_seconds(curve: pd.DataFrame) -> float:
    """Seconds of an epoch of training: the median over the epochs without an evaluation, or all if each has one.

    curve: epoch, seconds (from the beginning, at the end of the epoch), metric (missing where nothing was evaluated).
    """
    took = np.diff(curve["seconds"].to_numpy(), prepend=0.0)
    alone = curve["metric"].isna().to_numpy()
    return float(np.median(took[alone] if alone.any() else took))


def _curves(w: Warehouse, line: Line) -> list[pd.DataFrame]:
    """The learning curve of each finished seed."""
    name = PARTS[line.part].dataset
    variants = queries.variants(w, DATASETS[name], "paper")
    runs = variants.loc[variants["variant"] == line.variant(DATASETS[name]).id, "runs"]
    found = queries.history(w, list(runs.iloc[0])) if len(runs) else pd.DataFrame()
    return [] if found.empty else [curve for _, curve in found.groupby("run", sort=False)]


def _row(line: Line, curves: list[pd.DataFrame], target: float) -> dict[str, Any]:
    seconds = [epoch_seconds(curve) for curve in curves]
    best = [_best_epoch(curve) for curve in curves]
    arrivals = best if line.method == REFERENCE else [_first(curve, target) for curve in curves]
    reached = [(epoch, epoch * each) for epoch, each in zip(arrivals, seconds, strict=True) if epoch is not None]
    return {
        "settings": line.settings,
        "method": line.method,
        "variant": line.variant(DATASETS[PARTS[line.part].dataset]).id,
        "seeds": len(curves),
        "best": _mean([curve["metric"].max() for curve in curves]),
        "best_epoch": _mean([float(epoch) for epoch in best]),
        "epoch_seconds": _mean(seconds),
        "epochs_to_reach": _mean([float(epoch) for epoch, _ in reached]),
        "seconds_to_reach": _mean([total for _, total in reached]),
        "reached_by": len(reached),
    }


def _best_epoch(curve: pd.DataFrame) -> int:
    return int(curve["epoch"].iloc[int(curve["metric"].argmax())])


def _first(curve: pd.DataFrame, target: float) -> int | None:
    """The first epoch at which the metric is at least the target."""
    there = curve.loc[curve["metric"] >= target, "epoch"]
    return None if there.empty else int(there.iloc[0])


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _seconds(value: float) -> str:
    return f"{value:.3g} s" if value < 100 else f"{value:,.0f} s"
