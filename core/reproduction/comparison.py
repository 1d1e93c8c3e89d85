"""Our figures beside the published ones: means over seeds, their spread, the difference, in both readings.

Here: frames over finished runs, and the verdict on a row. Not here: published figures (published.py), what is trained
(plan.py), OneBP's cost (cost.py), how frames are shown (core/charts, report.py).

The two readings (docs/metrics.md, protocol paper), both chosen on test:
  per-metric   as the authors read their runs: each accuracy metric at its own best epoch, OHR, OCR, UCR and UHR at the
               epoch of best precision
  epoch        one honest epoch for all metrics, the best by NDCG@10

The authors count hot items on train and test together. The lists of the honest epoch are kept, so OHR, OCR, UCR and UHR
are counted anew from them in that way; the other reading's lists are not kept, and its four stay as each run counted
them, on what it was trained on. The column `counted_on` says which.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.datasets.store import Dataset, read_dataset
from core.evaluation.lists import match_lists, measure_lists
from core.evaluation.metrics import METRICS, parse_key
from core.jobs import artifacts
from core.reproduction.plan import DATASETS, PARTS, PROTOCOL, SETTINGS, Line, Plan, make_plan
from core.reproduction.request import dataset_of
from core.settings import Settings
from core.warehouse import queries
from core.warehouse.database import Warehouse

Reading = Literal["per-metric", "epoch"]
READINGS: dict[Reading, str] = {
    "per-metric": "each metric at its own best epoch, as the authors",
    "epoch": "one epoch for all metrics, the best by NDCG@10",
}
SHORT_READINGS: dict[Reading, str] = {"per-metric": "own epochs", "epoch": "one epoch"}
COUNTED_ON_ALL = ("ohr@10", "ocr@10", "ucr@10", "uhr@10")
JUDGED_BY = "ndcg@10"

STATES = {
    "reached": "within the tolerance of the published figure, or above it",
    "below": "further below the published figure than the tolerance",
    "near": "within the tolerance of the published figure",
    "apart": "further from the published figure than the tolerance",
    "sic": "the published figure looks like a misprint",
    "missing": "not trained yet",
    "": "nothing is published",
}
"""What a figure is beside the published one. Accuracy is reached or below; popularity bias is near or apart."""

VERDICTS = {
    "reached": "reached at the authors' settings",
    "tuned": "reached at our tuned settings only",
    "below": "below",
    "sic": "not judged: the published figure looks like a misprint",
    "missing": "still to be trained",
}
"""What becomes of a row, by NDCG@10 in both readings."""

COLUMNS = (
    "part", "encoder", "method", "settings", "variant", "reading", "metric", "published", "sic", "seeds", "mean",
    "seed_sd", "difference", "state", "counted_on",
)  # fmt: skip


def figures(w: Warehouse, only: tuple[str, ...] = (), quick: bool = False) -> pd.DataFrame:
    """Every figure of the plan: COLUMNS, one row for each row of a table, its settings, reading and metric.

    mean and seed_sd (missing for one seed) are over the finished seeds, `seeds` of them; difference is mean minus
    published; state a key of STATES. What is not trained yet has a row too. The order is the plan's. Raises Unknown.
    """
    plan = make_plan(only, quick)
    rows = [row for name in plan.datasets for row in _figures_on(w, plan, name)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def verdicts(found: pd.DataFrame) -> pd.DataFrame:
    """What becomes of each published row: part, encoder, method, verdict (a key of VERDICTS). found: from `figures`.

    A row is reached where its NDCG@10 is within the tolerance or above in both readings.
    """
    judged = found[(found["metric"] == JUDGED_BY) & (found["state"] != "")]
    keys = ["part", "encoder", "method"]
    rows = [(*key, _verdict(rows)) for key, rows in judged.groupby(keys, sort=False)]
    return pd.DataFrame(rows, columns=[*keys, "verdict"])


def side_by_side(found: pd.DataFrame, reading: Reading, metric: str) -> pd.DataFrame:
    """A row for each row of a table, one metric in one reading: part, encoder, method, published, sic; then, for each
    of SETTINGS, its mean under that name, and <settings>_sd, _difference, _state, _seeds. found: from `figures`.
    """
    asked = found[(found["reading"] == reading) & (found["metric"] == metric)]
    keys = ["part", "encoder", "method"]
    rows = asked.drop_duplicates(keys)[[*keys, "published", "sic"]]
    for settings in SETTINGS:
        own = asked[asked["settings"] == settings]
        renamed = {"mean": settings, "seed_sd": f"{settings}_sd"}
        renamed |= {name: f"{settings}_{name}" for name in ("difference", "state", "seeds")}
        rows = rows.merge(own[[*keys, *renamed]].rename(columns=renamed), "left", keys)
    return rows.reset_index(drop=True)


def hot_by_count(w: Warehouse, only: tuple[str, ...] = (), quick: bool = False) -> pd.DataFrame:
    """How much it matters what hot items are counted on: metric, difference (the largest over all rows, absolute).

    Compared are the means of the kept lists, counted on train and test together and on what was trained on.
    """
    found = figures(w, only, quick)
    counted = found[(found["counted_on"] == "all") & found["mean"].notna()]
    names = {PARTS[part].dataset for part in counted["part"]}
    stored = {name: _stored(w, name, "epoch") for name in names}
    rows = [
        (row["metric"], abs(row["mean"] - stored[PARTS[row["part"]].dataset][row["variant"], row["metric"]]["mean"]))
        for row in _records(counted)
    ]
    largest = pd.DataFrame(rows, columns=["metric", "difference"]).groupby("metric", sort=False)["difference"].max()
    return largest.reset_index()


def _figures_on(w: Warehouse, plan: Plan, name: str) -> list[dict[str, Any]]:
    """The rows of one data set."""
    stored = {reading: _stored(w, name, reading) for reading in READINGS}
    runs = _runs(w, name)
    rows = []
    for line in plan.lines_of(name):
        variant = line.variant(DATASETS[name]).id
        again = _counted_on_all(w, name, runs.get(variant, [])) if line.published else {}
        for reading in READINGS:
            for metric in PARTS[line.part].measures:
                counted = again.get(metric) if reading == "epoch" and metric in COUNTED_ON_ALL else None
                found = counted or stored[reading].get((variant, metric), {"seeds": 0, "mean": math.nan})
                rows.append(_figure(line, variant, reading, metric, found, "all" if counted else "train"))
    return rows


def _figure(
    line: Line, variant: str, reading: str, metric: str, found: dict[str, Any], counted_on: str
) -> dict[str, Any]:
    published = line.published.figures.get(metric, math.nan) if line.published else math.nan
    sic = bool(line.published and metric in line.published.sic)
    difference = found["mean"] - published
    return {
        "part": line.part,
        "encoder": line.encoder,
        "method": line.method,
        "settings": line.settings,
        "variant": variant,
        "reading": reading,
        "metric": metric,
        "published": published,
        "sic": sic,
        "seeds": int(found["seeds"]),
        "mean": found["mean"],
        "seed_sd": found.get("seed_sd", math.nan),
        "difference": difference,
        "state": state(metric, published, difference, sic, PARTS[line.part].tolerance),
        "counted_on": counted_on,
    }


def state(metric: str, published: float, difference: float, sic: bool, tolerance: float | None) -> str:
    """A key of STATES: what a figure is beside the published one.

    >>> state("ndcg@10", 0.43, -0.02, False, 0.015), state("ndcg@10", 0.43, 0.05, False, 0.015)
    ('below', 'reached')
    """
    if tolerance is None or math.isnan(published):
        return ""
    if sic:
        return "sic"
    if math.isnan(difference):
        return "missing"
    if METRICS[parse_key(metric)[0]].kind == "accuracy":
        return "reached" if difference >= -tolerance else "below"
    return "near" if abs(difference) <= tolerance else "apart"


def _verdict(rows: pd.DataFrame) -> str:
    """Of one published row: its NDCG@10 at both settings in both readings."""
    if (rows["state"] == "sic").any():
        return "sic"
    reached = {s: bool((found["state"] == "reached").all()) for s, found in rows.groupby("settings", sort=False)}
    if reached.get("authors"):
        return "reached"
    if (rows["state"] == "missing").any():
        return "missing"
    return "tuned" if reached.get("tuned") else "below"


# ---------------------------------------------------------------- where the numbers are from


def _stored(w: Warehouse, name: str, reading: Reading) -> dict[tuple[str, str], dict[str, Any]]:
    """(variant, metric) to mean, seed_sd and seeds, as the runs stored them."""
    found = queries.variant_metrics(w, DATASETS[name], "test", PROTOCOL, reading=reading)
    return {(row["variant"], row["metric"]): row for row in _records(found)}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _runs(w: Warehouse, name: str) -> dict[str, list[str]]:
    """Variant to its finished runs, by seed."""
    found = queries.variants(w, DATASETS[name], PROTOCOL)
    return {variant: list(runs) for variant, runs in zip(found["variant"], found["runs"], strict=True)}


def _counted_on_all(w: Warehouse, name: str, runs: list[str]) -> dict[str, dict[str, Any]]:
    """OHR, OCR, UCR and UHR of the kept lists, hot items counted on train and test together: metric to mean and spread.

    Empty without runs, or without the data set.
    """
    info = dataset_of(w.settings, name)
    if info is None or not runs:
        return {}
    values = pd.DataFrame([_of_run(w.settings, run, info.folder) for run in runs])
    return {
        metric: {"seeds": len(values), "mean": float(values[metric].mean()), "seed_sd": float(values[metric].std())}
        for metric in COUNTED_ON_ALL
    }


@lru_cache(maxsize=10_000)
def _of_run(settings: Settings, run: str, dataset: Path) -> dict[str, float]:
    """Of one run's test lists. Kept, since a finished run does not change."""
    table = artifacts.read_table(settings, run, "top_k")
    table = table.filter(pc.equal(table["split"].cast(pa.string()), "test")).select(["user", "item", "rank"])
    types = pa.schema({"user": pa.string(), "item": pa.string(), "rank": pa.float64()})
    known = _dataset(dataset)
    lists = match_lists((table.cast(types), ()), known, 10, "test", run)
    metrics = measure_lists(lists, known, 10, "all").metrics
    return {key: metrics[key] for key in COUNTED_ON_ALL}


@lru_cache(maxsize=2)
def _dataset(folder: Path) -> Dataset:
    return read_dataset(folder)
