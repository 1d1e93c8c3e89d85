"""A against B: every metric with its paired difference, and which items each of the two shows.

Here: the frames that the page Compare draws, of two variants. Not here: groups of users and deciles of items
(who_pays.py), settings (core/models/differences.py), how differences are judged (core/uncertainty), words and charts
(core/charts/compare*.py).
Numbers are of the runs' chosen epoch. The metrics' are those of `python -m core compare A B`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import Refused, Unknown
from core.evaluation.metrics import CUTOFFS, METRICS, metric_key, parse_key
from core.evaluation.popularity import gini
from core.uncertainty.verdict import NO_INTERVAL, holm
from core.warehouse.database import Warehouse
from core.warehouse.per_user import FILES, Asked, asked, evaluated, from_files, study
from core.warehouse.queries import POPULARITY, TOP_K, Split, counted_on

METRIC_COLUMNS = (
    "metric", "kind", "better", "first", "second", "difference", "low", "high", "relative", "relative_low",
    "relative_high", "p", "p_all", "verdict",
)  # fmt: skip
ITEM_COLUMNS = (
    "item_id", "title", "year", "count", "popularity", "percentile", "decile", "hot", "first", "second", "change",
    "in_all_seeds",
)  # fmt: skip
DATA = "data"
POINTS = 120  # of a Lorenz curve, from either end: drawn, no more can be told apart

STORED = """
    SELECT DISTINCT m.metric FROM metrics m JOIN runs r USING (run)
    WHERE r.variant IN (SELECT unnest($variants::VARCHAR[])) AND r.bootstrap IS NULL
      AND m.split = $split AND m.reading = 'epoch'"""

SHOWN = f"""
    SELECT f.run::INTEGER AS run, i.item, count(*) AS lists
    FROM read_parquet($paths, filename = true) l
    JOIN {FILES} f USING (filename)
    JOIN items i ON i.dataset = $dataset AND i.item_id = l.item
    WHERE l.split = $split AND l.rank <= $k GROUP BY ALL"""  # noqa: S608 - our own text

ITEMS = f"""
    SELECT i.item_id, i.title, i.year, p.count, p.share AS popularity, p.percentile, p.decile, p.hot
    FROM items i JOIN {POPULARITY} p USING (item) WHERE i.dataset = $dataset ORDER BY i.item"""  # noqa: S608 - ours


# ---------------------------------------------------------------- metrics


def metrics(w: Warehouse, first: str, second: str, k: int, split: Split = "test") -> pd.DataFrame:
    """Every metric at k that either variant was measured with, the second against the first: a row a metric, in the
    order of METRICS.

    metric (key), kind, better, first, second (means over seeds), difference (second minus first), low, high (its 95 %
    interval over users and seeds), relative, relative_low, relative_high (the same as shares of the first's mean; none
    where that is not above 0), p (the pair's, on this metric alone), p_all (after Holm's correction for all metrics
    here), verdict (one of verdict.VERDICTS, by p: `python -m core compare` gives the same). Missing where there is no
    answer. Raises Unknown, Refused, and DamagedArtifact for a run's file.
    """
    _check(first, second, k)
    which = asked(w, (first, second))  # refuses what cannot be compared
    stored = set(w.frame(STORED, variants=list(which.variants), split=split)["metric"])
    keys = [metric_key(name, k if row.at_k else None) for name, row in METRICS.items()]
    found = study(w, which.variants, [key for key in keys if key in stored], split)
    found = replace(found, per_user={})  # the tests over users alone, which nobody sees here, are left out
    rows = pd.DataFrame([found.compare(key, first)[0] for key in keys if key in stored])
    rows = rows.rename(columns={"value": "second", "baseline_value": "first"})
    numbers = ["first", "second", "difference", "low", "high", "p"]
    rows[numbers] = rows[numbers].astype(np.float64)
    rows["verdict"] = rows["verdict"].where(rows["difference"].notna(), NO_INTERVAL)  # one of them lacks the metric
    about = [METRICS[parse_key(key)[0]] for key in rows["metric"]]
    base = rows["first"].where(rows["first"] > 0)
    rows = rows.assign(
        kind=[row.kind for row in about],
        better=[row.better for row in about],
        relative=rows["difference"] / base,
        relative_low=rows["low"] / base,
        relative_high=rows["high"] / base,
        p_all=holm(rows["p"].to_numpy()),
    )
    return rows[list(METRIC_COLUMNS)]


def _check(first: str, second: str, k: int) -> None:
    if k not in CUTOFFS:
        raise Unknown("cutoff", str(k), map(str, CUTOFFS))
    if first == second:
        raise Refused(f"{first} cannot be compared with itself. Choose two settings.")


# ---------------------------------------------------------------- items


class Shown(NamedTuple):
    """Which items two variants show."""

    items: pd.DataFrame
    """A row an item of the catalogue: `ITEM_COLUMNS`."""
    lorenz: pd.DataFrame
    """Curves of three series: series ("data", "first", "second"), item_share, share, gini."""


def shown(w: Warehouse, first: str, second: str, k: int, split: Split = "test") -> Shown:
    """How often each item is shown by two variants of one data set and protocol, in lists of k.

    items, in the order of their numbers: item_id, title, year (may be missing), count, popularity (users who took it in
    what was trained on, and their share of all), percentile (share of the catalogue's items that fewer users took),
    decile (10 is the most popular), hot, first, second (share of the evaluated users whose list has it, mean over
    seeds), change (second minus first), in_all_seeds (do all seeds of the one show it to more users than all of the
    other? missing where either has one seed).

    lorenz: the share of the slots, or for "data" of the interactions trained on, that the least shown items have
    together. A run's items are ordered by how often it shows them; the curve is the mean over runs, so that its Gini is
    the metric's mean over seeds. Raises Unknown, Refused, and DamagedArtifact for a run's file.
    """
    _check(first, second, k)
    which = asked(w, (first, second))
    items = w.frame(ITEMS, dataset=which.dataset, counted_on=counted_on(which.protocol))
    lists = _lists_with_item(w, which, split, k, len(items))
    users = max(len(evaluated(w, which, split)), 1)
    shares = [of_runs / users for of_runs in lists]
    items = items.assign(
        first=shares[0].mean(axis=0),
        second=shares[1].mean(axis=0),
        change=shares[1].mean(axis=0) - shares[0].mean(axis=0),
        in_all_seeds=pd.array(_apart(*lists), dtype="boolean"),
    )
    series = {DATA: items["count"].to_numpy()[None], "first": lists[0], "second": lists[1]}
    curves = [_lorenz(counts).assign(series=name) for name, counts in series.items()]
    columns = ["series", "item_share", "share", "gini"]
    return Shown(items[list(ITEM_COLUMNS)], pd.concat(curves, ignore_index=True)[columns])


def _lists_with_item(w: Warehouse, which: Asked, split: Split, k: int, n_items: int) -> list[NDArray[np.int64]]:
    """Of each variant (S, I): how many of a run's lists have each item."""
    places = which.places
    found = from_files(w, SHOWN, which, TOP_K, split, places, k=k)
    counts = np.zeros((len(places), n_items), np.int64)
    counts[found["run"].to_numpy(), found["item"].to_numpy()] = found["lists"].to_numpy()
    variant = np.array([v for v, _, _ in places])
    return [counts[variant == v] for v in range(len(which.variants))]


def _apart(first: NDArray[np.int64], second: NDArray[np.int64]) -> Sequence[bool | None]:
    """Of each item: is every count of the one above every count of the other? (S, I) each."""
    if min(len(first), len(second)) < 2:
        return [None] * first.shape[1]
    apart = (first.max(axis=0) < second.min(axis=0)) | (second.max(axis=0) < first.min(axis=0))
    return [bool(one) for one in apart]


def _lorenz(counts: NDArray[np.integer]) -> pd.DataFrame:
    """The mean Lorenz curve of some runs, and their mean Gini. counts (S, I); nothing shown: the diagonal, and 0."""
    n = counts.shape[1]
    at = _points(n)
    total = np.concatenate([np.zeros((len(counts), 1)), np.cumsum(np.sort(counts, axis=1), axis=1)], axis=1)
    equal = np.arange(n + 1) / max(n, 1)
    curves = [of_run / of_run[-1] if of_run[-1] else equal for of_run in total]
    found = {"item_share": equal[at], "share": np.mean(curves, axis=0)[at]}
    return pd.DataFrame(found).assign(gini=float(np.mean([gini(of_run) for of_run in counts])))


def _points(n: int) -> NDArray[np.int64]:
    """Where a curve over n items is drawn: evenly, and closer and closer towards the most popular ones, where it
    bends."""
    even = np.linspace(0, n, min(POINTS, n + 1))
    from_the_top = n - np.geomspace(1, max(n, 1), min(POINTS, max(n, 1)))
    return np.unique(np.concatenate([even, from_the_top]).round().astype(np.int64))
