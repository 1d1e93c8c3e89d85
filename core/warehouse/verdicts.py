"""What chance leaves of the trade-off chart's points: intervals, verdicts against a baseline, the chance of the front.

Here: one row a variant, for the chart, its table and its file; which variants, where there are more than can be
resampled while somebody waits; the last answers, since rules and the chart ask the same; and the resamples of single
variants, kept, so that a sweep that is under way costs the reading of its new runs and not of all. Not here: how any of
it is computed (core/uncertainty), how values are read (per_user.py), the points themselves (queries.py).
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.evaluation.metrics import sign_of
from core.models.sweep import WITHOUT_CHANCE
from core.uncertainty.bootstrap import Resampled
from core.uncertainty.front import on_front
from core.uncertainty.study import Study
from core.uncertainty.verdict import NO_INTERVAL
from core.uncertainty.weights import shares_of
from core.uncertainty.win_win import labels
from core.warehouse import per_user, queries
from core.warehouse.database import Warehouse
from core.warehouse.queries import Split

MOST = 300
"""As many variants are resampled for a question: those nearest the Pareto front, the baseline; more if asked."""
KEPT_ANSWERS = 16
KEPT_BYTES = 128 * 2**20  # of resamples: 24 kB a variant with three seeds and metric, so 5,000 of them

_COMPARED = ("difference", "difference_low", "difference_high", "p")
_OF_AXIS = ("from", "to", *_COMPARED)
_COLUMNS = ["variant", *(f"{axis}_{name}" for axis in "xy" for name in _OF_AXIS), "verdict", "front"]


def verdicts(
    w: Warehouse,
    dataset: str,
    split: Split,
    protocol: str,
    x: str,
    y: str,
    baseline: str | None = None,
    also: Collection[str] = (),
) -> pd.DataFrame:
    """What is known of the variants of `queries.trade_off`, on metric `y`, accuracy, and metric `x`, popularity bias.

    A row a variant; of more than MOST the nearest to the Pareto front (`nearest`), the baseline and `also` (what
    somebody looks at: pins, a recommendation), and no row of the others: what is said of the rows holds among all, p is
    corrected for all, and the front is that of the rows.

    variant; of each axis x_from, x_to (95 % interval over users of the mean over seeds), x_difference (variant minus
    baseline), x_difference_low, x_difference_high (its 95 % interval over users and seeds), x_p (its p-value,
    Holm-corrected for all variants, with a row or without); verdict (one of win_win.LABELS; None without a baseline),
    front (probability to be on the Pareto front of the variants here). NaN where there is no answer, as everywhere on
    an axis whose metric resampling does not reach (PRI).
    Values are of the runs' chosen epoch. A baseline that has no point counts as none. Raises DamagedArtifact for a
    run's file.
    """
    points = queries.trade_off_seeds(w, dataset, split, protocol, x, y)
    kept = _KEPT.setdefault(w, _Kept())
    asked = split, x, y, baseline, _digest(points)
    lacking: tuple[str, ...] = ()
    while True:  # at most twice: the same with what the first answer lacks
        if (found := kept.answer((*asked, lacking))) is None:
            found = _verdicts(w, points, split, x, y, baseline, lacking)
            kept.keep((*asked, lacking), found)
        if lacking or not (lacking := _lacking(points, found, also)):
            return found.copy()


def _lacking(points: pd.DataFrame, found: pd.DataFrame, also: Collection[str]) -> tuple[str, ...]:
    """What of `also` has a point and no row."""
    return tuple(sorted(set(also) & set(points["variant"]) - set(found["variant"])))


def _digest(points: pd.DataFrame) -> bytes:
    """What stands for the runs and their values: a run that was measured anew is another."""
    of = hashlib.sha256(",".join(points["run"]).encode())
    of.update(points[["x", "y"]].to_numpy(np.float64).tobytes())
    return of.digest()


def _verdicts(
    w: Warehouse, points: pd.DataFrame, split: Split, x: str, y: str, baseline: str | None, also: tuple[str, ...]
) -> pd.DataFrame:
    if points.empty:
        return _frame([])
    means = points.groupby("variant", sort=False)[["x", "y"]].mean()
    chosen = [*nearest(means, sign_of(x), sign_of(y), baseline), *also]
    found = _study(w, points[points["variant"].isin(chosen)], {"x": x, "y": y}, split)
    rows = {v: {"variant": v, "verdict": None, "front": p} for v, p in found.front(y, x).items()}
    for axis, metric in (("x", x), ("y", y)):
        for row in found.intervals(metric):
            rows[row["variant"]] |= {f"{axis}_from": row["low"], f"{axis}_to": row["high"]}
    if baseline in found.variants:
        _compare(rows, found, x, y, str(baseline), len(means) - len(chosen))
    return _frame(list(rows.values()))


def nearest(means: pd.DataFrame, x_sign: int, y_sign: int, baseline: str | None = None, most: int = MOST) -> list[str]:
    """The variants that are resampled: all, or of more than `most` the baseline and those nearest the Pareto front.

    means: x and y by variant; signs: 1 where higher is better, else -1. The front of all comes first, then the front of
    what is left without it, and so on; of the last one that fits in part, the best by y. In the order of `means`.
    """
    if len(means) <= most:
        return list(means.index)
    x, y = means["x"].to_numpy(np.float64), means["y"].to_numpy(np.float64)
    chosen = np.asarray(means.index == baseline)
    while chosen.sum() < most:
        left = np.flatnonzero(~chosen)
        front = left[on_front(x[left], y[left], x_sign, y_sign)]
        if not len(front):
            break
        chosen[front[np.argsort(-y_sign * y[front], kind="stable")][: most - chosen.sum()]] = True
    return list(means.index[chosen])


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    types: dict[str, Any] = {column: np.float64 for column in _COLUMNS if column not in {"variant", "verdict"}}
    return pd.DataFrame(rows).reindex(columns=_COLUMNS).astype(types | {"variant": "str"})  # without a row, too


def _compare(rows: Mapping[str, dict[str, Any]], found: Study, x: str, y: str, baseline: str, others: int) -> None:
    """Adds what each variant is against the baseline. others: variants that are corrected for and not resampled."""
    words: dict[str, list[str]] = {}
    for axis, metric in (("x", x), ("y", y)):
        compared = {row["variant"]: row for row in found.compare(metric, baseline, others)}
        words[axis] = [compared.get(v, {}).get("verdict", NO_INTERVAL) for v in found.variants]  # the baseline has none
        for variant, row in compared.items():
            values = (row["difference"], row["low"], row["high"], row["p_holm"])
            rows[variant] |= {f"{axis}_{name}": value for name, value in zip(_COMPARED, values, strict=True)}
    for variant, label in zip(found.variants, labels(words["y"], words["x"], found.position(baseline)), strict=True):
        rows[variant]["verdict"] = label


# ---------------------------------------------------------------- kept resamples


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """One metric of one variant."""

    of_runs: NDArray[np.float64]  # (S,) stored values
    draws: NDArray[np.float32] | None  # (R, S); None where resampling does not reach the metric
    n_users: int


Key = tuple[str, str, str, tuple[tuple[str, float], ...]]
"""Variant, metric, split, and the runs with their stored values: a run that was measured anew is another."""


class _Kept:
    """The answers and pieces that were asked for last. Threads may share it; what two need at once is made twice."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[Any, ...], pd.DataFrame] = OrderedDict()
        self._pieces: OrderedDict[Key, _Piece] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Key) -> _Piece | None:
        with self._lock:
            if key in self._pieces:
                self._pieces.move_to_end(key)
            return self._pieces.get(key)

    def answer(self, asked: tuple[Any, ...]) -> pd.DataFrame | None:
        with self._lock:
            return self._answers.get(asked)

    def keep(self, asked: tuple[Any, ...], found: pd.DataFrame) -> None:
        with self._lock:
            self._answers[asked] = found
            while len(self._answers) > KEPT_ANSWERS:
                self._answers.popitem(last=False)

    def drop_answers(self) -> None:
        with self._lock:
            self._answers.clear()

    def put(self, key: Key, piece: _Piece) -> None:
        with self._lock:
            if key not in self._pieces:
                self._bytes += _size(piece)
            self._pieces[key] = piece
            while self._bytes > KEPT_BYTES and len(self._pieces) > 1:
                self._bytes -= _size(self._pieces.popitem(last=False)[1])


def _size(piece: _Piece) -> int:
    return piece.of_runs.nbytes + (0 if piece.draws is None else piece.draws.nbytes)


_KEPT: WeakKeyDictionary[Warehouse, _Kept] = WeakKeyDictionary()


def _study(w: Warehouse, points: pd.DataFrame, axes: Mapping[str, str], split: Split) -> Study:
    """The study of all variants in `points`, of which only what is not kept is read and resampled.

    That is the same as all at once: a resample follows from the data set's name, and no variant's from the others. No
    values of users are kept: the tests over users alone, which nobody sees here, are left out.
    """
    kept = _KEPT.setdefault(w, _Kept())
    keys = {
        (str(variant), metric): (str(variant), metric, split, tuple(zip(runs["run"], runs[axis], strict=True)))
        for variant, runs in points.groupby("variant", sort=False)
        for axis, metric in axes.items()
    }
    pieces = {at: piece for at, key in keys.items() if (piece := kept.get(key))}
    for variants, metrics in _missing(keys.keys() - pieces.keys()).items():
        made = per_user.study(w, variants, metrics, split)
        for at in product(variants, metrics):
            pieces[at] = _piece(made, *at)
            kept.put(keys[at], pieces[at])
    methods = points.drop_duplicates("variant").set_index("variant")["method"]
    return _joined({metric: [pieces[v, metric] for v in methods.index] for metric in axes.values()}, methods)


def _missing(places: Iterable[tuple[str, str]]) -> dict[tuple[str, ...], list[str]]:
    """What has to be read: variants to their metrics, so that one reading has all metrics of the same variants."""
    by_metric: dict[str, list[str]] = {}
    for variant, metric in sorted(places):
        by_metric.setdefault(metric, []).append(variant)
    found: dict[tuple[str, ...], list[str]] = {}
    for metric, variants in by_metric.items():
        found.setdefault(tuple(variants), []).append(metric)
    return found


def _joined(pieces: Mapping[str, Sequence[_Piece]], methods: pd.Series) -> Study:
    """Pieces by metric, each list in the order of `methods`, as one study."""
    values = {metric: _beside([piece.of_runs[None] for piece in of])[0] for metric, of in pieces.items()}
    draws = {metric: [piece.draws for piece in of if piece.draws is not None] for metric, of in pieces.items()}
    resampled = {
        metric: Resampled(values[metric], _beside(of), pieces[metric][0].n_users)
        for metric, of in draws.items()
        if len(of) == len(methods)
    }
    without_chance = methods.isin(WITHOUT_CHANCE).to_numpy()
    return Study(tuple(methods.index), without_chance, values, resampled, {})


def _piece(made: Study, variant: str, metric: str) -> _Piece:
    at = made.position(variant)
    of_runs = made.values[metric][at]  # noqa: PD011 - no frame
    has = np.isfinite(of_runs)
    resampled = made.resampled.get(metric)
    if resampled is None:
        return _Piece(of_runs[has], None, 0)
    return _Piece(of_runs[has], np.ascontiguousarray(resampled.draws[:, at, has]), resampled.n_users)


def _beside(pieces: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """(R, S) of each variant as (R, V, most seeds), NaN where a variant has fewer."""
    most = max(piece.shape[1] for piece in pieces)
    joined = np.full((len(pieces[0]), len(pieces), most), np.nan, pieces[0].dtype)
    for place, piece in enumerate(pieces):
        joined[:, place, : piece.shape[1]] = piece
    return joined


def forget(resamples: bool = True) -> None:
    """Let go of the answers, and of all that is kept unless `resamples` is False: for measuring what a question costs
    on a fresh server, or after a run has finished."""
    for kept in list(_KEPT.values()):
        kept.drop_answers()
    if resamples:
        _KEPT.clear()
        shares_of.cache_clear()
