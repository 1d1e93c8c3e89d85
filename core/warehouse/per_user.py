"""Per-user values and lists of many runs, on one list of users: what uncertainty is computed from.

Here: reading them from the runs' Parquet files, and the resamples made of them. Not here: what is computed
(core/uncertainty), questions about single users (queries.py).
A run of a bootstrap replicate is no seed, and is never read here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.datasets.store import find_dataset, read_dataset
from core.errors import DamagedArtifact, Refused, Unknown
from core.evaluation.measure import Facts, cut, facts, hits
from core.evaluation.metrics import METRICS, parse_key
from core.ids import by_prefix
from core.models.sweep import WITHOUT_CHANCE
from core.uncertainty import set_metrics
from core.uncertainty.bootstrap import Resampled, resample_means
from core.uncertainty.study import Study
from core.uncertainty.weights import RESAMPLES, user_weights
from core.warehouse.database import Warehouse
from core.warehouse.queries import PRESENT, Split

CELLS_AT_A_TIME = 8_000_000  # of one answer of the database: 100 MB of memory
Progress = Callable[[float, str], None]
Place = tuple[int, int, str]
"""Variant and seed by position, and the run's id."""

VARIANTS_ASKED = f"""
    SELECT v.variant, v.label, v.method, v.dataset, coalesce(d.name, v.dataset) AS name,
           v.protocol::VARCHAR AS protocol, list(r.run ORDER BY r.seed) AS runs
    FROM variants v JOIN runs r USING (variant) LEFT JOIN datasets d USING (dataset)
    WHERE r.bootstrap IS NULL AND {PRESENT}
      AND ($variants IS NULL OR v.variant IN (SELECT unnest($variants::VARCHAR[])))
    GROUP BY ALL ORDER BY v.variant"""  # noqa: S608 - our own text

EVALUATED = """
    SELECT DISTINCT "user" FROM interactions
    WHERE dataset = $dataset AND split = $split::split_name ORDER BY "user" """

STORED = """
    SELECT r.variant, m.run, m.metric, m.value FROM metrics m JOIN runs r USING (run)
    WHERE m.run IN (SELECT unnest($runs::VARCHAR[])) AND m.split = $split AND m.reading = 'epoch'"""

FILES = "(SELECT unnest($paths::VARCHAR[]) AS filename, unnest(range(len($paths))) AS run)"

VALUES = f"""
    SELECT f.run::INTEGER AS run, u."user", {{columns}}
    FROM read_parquet($paths, filename = true, union_by_name = true) v
    JOIN {FILES} f USING (filename)
    JOIN users u ON u.dataset = $dataset AND u.user_id = v."user"
    WHERE v.split = $split"""  # noqa: S608 - our own text

LISTS = f"""
    SELECT f.run::INTEGER AS run, u."user", l.rank, i.item
    FROM read_parquet($paths, filename = true) l
    JOIN {FILES} f USING (filename)
    JOIN users u ON u.dataset = $dataset AND u.user_id = l."user"
    JOIN items i ON i.dataset = $dataset AND i.item_id = l.item
    WHERE l.split = $split AND l.rank <= $k"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class Asked:
    """Variants that can be compared: of one data set and protocol."""

    dataset: str
    name: str
    """The data set's; its id if it was removed."""
    protocol: str
    variants: tuple[str, ...]
    labels: tuple[str, ...]
    methods: tuple[str, ...]
    runs: tuple[tuple[str, ...], ...]
    """Of each variant, by seed."""

    @property
    def places(self) -> list[Place]:
        """Variant, seed and id of every run, by position."""
        return [(v, s, run) for v, runs in enumerate(self.runs) for s, run in enumerate(runs)]

    @property
    def without_chance(self) -> NDArray[np.bool_]:
        """(V,): is there no chance in it, so that one run is as good as many?"""
        return np.array([method in WITHOUT_CHANCE for method in self.methods])

    @property
    def shape(self) -> tuple[int, int]:
        """(variants, most seeds)."""
        return len(self.variants), max(map(len, self.runs), default=0)


def asked(w: Warehouse, variants: Sequence[str]) -> Asked:
    """Those variants, in that order. Raises Unknown, and Refused where they cannot be compared."""
    found = w.frame(VARIANTS_ASKED, variants=list(variants)).set_index("variant")
    missing = [variant for variant in variants if variant not in found.index]
    if missing:
        raise Unknown("variant", missing[0], found.index)
    rows = found.loc[list(variants)]
    for what, column, shown in (("data set", "dataset", "name"), ("protocol", "protocol", "protocol")):
        other = next((n for n, value in enumerate(rows[column]) if value != rows[column].iloc[0]), None)
        if other is not None:
            raise Refused(
                f"{_named(rows, 0)} and {_named(rows, other)} cannot be compared: their {what}s are "
                f"{rows[shown].iloc[0]} and {rows[shown].iloc[other]}, so their numbers are not about the same. "
                f"Choose two of one {what}."
            )
    runs = tuple(tuple(r) for r in rows["runs"])
    return Asked(
        str(rows["dataset"].iloc[0]),
        str(rows["name"].iloc[0]),
        str(rows["protocol"].iloc[0]),
        tuple(variants),
        tuple(rows["label"]),
        tuple(rows["method"]),
        runs,
    )


def evaluated(w: Warehouse, which: Asked, split: Split) -> NDArray[np.integer[Any]]:
    """The users with something held out, by number, ascending."""
    return w.frame(EVALUATED, dataset=which.dataset, split=split)["user"].to_numpy()


def _per_user(metric: str) -> bool:
    """Has each user a value? Exposure by decile, which the registry leaves out, describes the whole set."""
    name = parse_key(metric)[0]
    return name in METRICS and METRICS[name].per_user


def _reached(metric: str) -> bool:
    return parse_key(metric)[0] in set_metrics.REACHED


def _named(rows: pd.DataFrame, at: int) -> str:
    return f"{rows['label'].iloc[at]} ({rows.index[at]})"


def find_variant(w: Warehouse, name: str) -> str:
    """The id of the one variant with finished runs whose label that is, or whose id is or begins so.

    Raises Unknown, and Refused for a label that several have (on another data set, or under another protocol).
    """
    found = _called(w.frame(VARIANTS_ASKED, variants=None), name)
    if len(found) == 1:
        return str(found["variant"].iloc[0])
    which = ", ".join(f"{one.variant} ({one.name}, protocol {one.protocol})" for one in found.itertuples(index=False))
    raise Refused(f"{len(found)} variants are called {name!r}: {which}. Give one of these ids.")


def find_pair(
    w: Warehouse, first: str, second: str, dataset: str | None = None, protocol: str | None = None
) -> tuple[str, str]:
    """The two variants of one data set and protocol whose ids are or begin so, or whose labels those are.

    Several variants may have a label: the pair that can be compared is meant, where there is just one. dataset (an id),
    protocol: the only ones to look in. Raises Unknown, and Refused where no pair can be compared, or several can.
    """
    every = w.frame(VARIANTS_ASKED, variants=None)
    for column, only in (("dataset", dataset), ("protocol", protocol)):
        every = every if only is None else every[every[column] == only]
    where = " on that data set" * (dataset is not None) + (f" under protocol {protocol}" if protocol else "")
    left, right = (_called(every, name, where) for name in (first, second))
    pairs = left.merge(right, on=["dataset", "protocol", "name"], suffixes=("", "_other"))
    others = pairs[pairs["variant"] != pairs["variant_other"]]
    if len(pairs) > len(others) == 0:
        raise Refused(f"{first!r} and {second!r} are one variant, {pairs['variant'].iloc[0]}. Give two.")
    if len(others) > 1:
        raise Refused(_several(others, first, second))
    if len(others) == 0:
        raise Refused(
            f"{first!r} and {second!r} cannot be compared: {first!r} is on {_places(left)}, {second!r} on "
            f"{_places(right)}, so their numbers are not about the same. Choose two of one data set and protocol."
        )
    return str(others["variant"].iloc[0]), str(others["variant_other"].iloc[0])


def _called(every: pd.DataFrame, name: str, where: str = "") -> pd.DataFrame:
    """The variants of that label, else the one whose id is or begins so. where: said of them. Raises Unknown."""
    labelled = every[every["label"] == name]
    if len(labelled):
        return labelled
    try:
        return every[every["variant"] == by_prefix("variant", name, every["variant"].tolist())]
    except Unknown as unknown:
        known = dict.fromkeys([*unknown.known, *every["label"]])
        raise Unknown(f"variant with finished runs{where}", name, known) from unknown


def _places(rows: pd.DataFrame) -> str:
    """Where variants are: "ml-100k (protocol validation) and simulated (protocol refit)"."""
    return " and ".join(
        dict.fromkeys(
            f"{name} (protocol {protocol})" for name, protocol in zip(rows["name"], rows["protocol"], strict=True)
        )
    )


def _several(pairs: pd.DataFrame, first: str, second: str) -> str:
    """Which pairs there are, and what tells them apart."""
    for column, option in (("name", "--dataset"), ("protocol", "--protocol")):
        if len(set(pairs[column])) > 1:
            return f"{first!r} and {second!r} are both on {_places(pairs)}. Choose one of them with {option}."
    ids = ", ".join(dict.fromkeys([*pairs["variant"], *pairs["variant_other"]]))
    return f"Several variants on {_places(pairs)} are called {first!r} or {second!r}: {ids}. Give two of these ids."


def beside(w: Warehouse, variant: str) -> list[str]:
    """All variants that can be compared with that one, itself among them: same data set, same protocol. By id."""
    every = w.frame(VARIANTS_ASKED, variants=None).set_index("variant")
    if variant not in every.index:
        raise Unknown("variant", variant, every.index)
    own = every.loc[variant]
    alike = (every["dataset"] == own["dataset"]) & (every["protocol"] == own["protocol"])
    return [str(v) for v in every.index[alike]]


def intervals(
    w: Warehouse,
    variants: Sequence[str],
    metrics: Sequence[str],
    split: Split = "test",
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """`Study.intervals` of many metrics, a cutoff at a time: memory is that of one. Raises what `study` raises."""
    of_cutoff: dict[int | None, list[str]] = {}
    for metric in metrics:
        of_cutoff.setdefault(parse_key(metric)[1], []).append(metric)
    rows = []
    for n, some in enumerate(of_cutoff.values()):
        part = None if progress is None else _part(progress, n, len(of_cutoff))
        found = study(w, variants, some, split, progress=part)
        rows += [row for metric in some for row in found.intervals(metric)]
    return rows


def _part(progress: Progress, n: int, of: int) -> Progress:
    return lambda share, text: progress((n + share) / of, text)


def study(
    w: Warehouse,
    variants: Sequence[str],
    metrics: Sequence[str],
    split: Split = "test",
    resamples: int = RESAMPLES,
    progress: Progress | None = None,
) -> Study:
    """Those variants' metrics on common resamples of the users: what intervals, verdicts, labels and fronts are from.

    variants: ids, of one data set and protocol; metrics: keys, such as "ndcg@10". Values are of the runs' chosen epoch.
    Raises Unknown, Refused, and DamagedArtifact for a run's file.
    """
    which = asked(w, variants)
    values = stored_values(w, which, metrics, split)
    users = evaluated(w, which, split)
    weights = user_weights(len(users), which.dataset, resamples)
    per_user = per_user_values(w, which, [m for m in metrics if _per_user(m)], split, users)
    of_set = set_values(w, which, [m for m in metrics if _reached(m)], split, users, progress)
    resampled = {m: _around(values[m], resample_means(v, weights)) for m, v in (per_user | of_set).items()}
    return Study(which.variants, which.without_chance, values, resampled, per_user)


def _around(values: NDArray[np.float64], resampled: Resampled) -> Resampled:
    """The same resamples with the values as they are stored: the per-user ones are rounded to float32."""
    stored = np.where(np.isfinite(resampled.values), values, np.nan)
    return Resampled(stored, resampled.draws, resampled.n_users)


def stored_values(w: Warehouse, which: Asked, metrics: Sequence[str], split: Split) -> dict[str, NDArray[np.float64]]:
    """Metric key to (V, S) stored values. Raises Unknown for a metric that no run has."""
    places = {run: (v, s) for v, s, run in which.places}
    found = w.frame(STORED, runs=list(places), split=split)
    if found.empty:
        raise Refused(
            f"These variants have no results on {split}: protocol {which.protocol!r} does not measure it. "
            "Choose the other split."
        )
    values = {}
    for metric in metrics:
        parse_key(metric)
        rows = found[found["metric"] == metric]
        if rows.empty:
            raise Unknown("stored metric", metric, sorted(set(found["metric"])))
        at = [places[run] for run in rows["run"]]
        values[metric] = np.full(which.shape, np.nan)
        values[metric][tuple(zip(*at, strict=True))] = rows["value"]
    return values


def per_user_values(
    w: Warehouse, which: Asked, metrics: Sequence[str], split: Split, users: NDArray[np.integer]
) -> dict[str, NDArray[np.float32]]:
    """Metric key to (V, S, U) values, of `users` (their numbers, ascending); NaN where not defined and for seeds that a
    variant lacks."""
    if not metrics:
        return {}
    columns = ", ".join(f'v."{metric}"' for metric in metrics)  # keys that the registry knows: nothing else gets there
    values = {metric: np.full((*which.shape, len(users)), np.nan, np.float32) for metric in metrics}
    for some in _blocks(which, len(users) * len(metrics)):
        found = from_files(w, VALUES.format(columns=columns), which, "per_user.parquet", split, some)
        places = np.array([(v, s) for v, s, _ in some])[found["run"].to_numpy()]
        at = places[:, 0], places[:, 1], _rows_of(found, users, some)
        for metric, filled in values.items():
            filled[at] = found[metric].to_numpy(np.float32, na_value=np.nan)
    return values


def lists(
    w: Warehouse, which: Asked, split: Split, k: int, users: NDArray[np.integer]
) -> Iterator[tuple[int, int, NDArray[np.int32]]]:
    """Each run's lists: variant and seed by position, (U, k) int32 item numbers, -1 behind the end of a short list."""
    for some in _blocks(which, 4 * k * len(users)):
        found = from_files(w, LISTS, which, "top_k.parquet", split, some, k=k)
        items = np.full((len(some), len(users), k), -1, np.int32)
        at = found["run"].to_numpy(), _rows_of(found, users, some), found["rank"].to_numpy() - 1
        items[at] = found["item"].to_numpy()
        for (variant, seed, _), of_run in zip(some, items, strict=True):
            yield variant, seed, of_run


def set_values(
    w: Warehouse,
    which: Asked,
    metrics: Sequence[str],
    split: Split,
    users: NDArray[np.integer],
    progress: Progress | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Metric key to (V, S, U) values as in `per_user_values`, of metrics over the set: what each user adds to them.

    One pass over the lists of all runs, as long as the largest cutoff.
    """
    keys = {metric: parse_key(metric) for metric in metrics}
    longest = max((k for _, k in keys.values() if k is not None), default=0)
    values = {metric: np.full((*which.shape, len(users)), np.nan, np.float32) for metric in metrics}
    if not values:
        return {}
    held_out, known = facts_of(w, which, split, users)
    total = len(which.places)
    for done, (variant, seed, items) in enumerate(lists(w, which, split, longest, users), start=1):
        is_hit = hits(items, known.users, held_out)
        for metric, (name, k) in keys.items():
            values[metric][variant, seed] = set_metrics.per_user(name, cut(known, items, is_hit, k or longest))
        if progress:
            progress(done / total, f"reading the lists of {total} runs")
    return values


def facts_of(w: Warehouse, which: Asked, split: Split, users: NDArray[np.integer]) -> tuple[Interactions, Facts]:
    """What the split holds out, and what metrics need to know of users and items: as when the runs were measured.

    For reading only: the last few are kept.
    """
    folder = find_dataset(w.settings, which.dataset).folder
    return _facts(folder, which.protocol, split, users.astype(np.int32).tobytes())


@lru_cache(maxsize=4)
def _facts(folder: Path, protocol: str, split: Split, users: bytes) -> tuple[Interactions, Facts]:
    """The same of a data set's folder, which is named after the interactions in it: others lie elsewhere."""
    dataset = read_dataset(folder)
    held_out, mask = dataset.test, dataset.train
    if split == "validation":
        held_out = dataset.validation
    else:
        mask = mask.merged(dataset.validation)
    return held_out, facts(np.frombuffer(users, np.int32), held_out, dataset.fitted(protocol), mask=mask)


def _rows_of(found: pd.DataFrame, users: NDArray[np.integer], some: Sequence[Place]) -> NDArray[np.intp]:
    """Where each row's user is in `users`. Raises DamagedArtifact for a user who has nothing held out."""
    asked_for = found["user"].to_numpy()
    at = np.searchsorted(users, asked_for)
    strangers = users[np.minimum(at, len(users) - 1)] != asked_for
    if strangers.any():
        run = some[int(found["run"].to_numpy()[strangers][0])][2]
        raise DamagedArtifact(f"run {run}", "it has results of a user who has nothing held out in its data set")
    return at


def _blocks(which: Asked, cells: int) -> Iterator[list[Place]]:
    """All runs, some at a time. cells: of a run's answer."""
    size = max(1, CELLS_AT_A_TIME // max(cells, 1))
    for start in range(0, len(which.places), size):
        yield which.places[start : start + size]


def from_files(
    w: Warehouse, sql: str, which: Asked, file: str, split: Split, some: Sequence[Place], **values: Any
) -> pd.DataFrame:
    """A query over one file of each of some runs; `run` in its answer is the position among them."""
    paths = [str(w.file_of(run, file)) for *_, run in some]
    try:
        return w.frame(sql, paths=paths, dataset=which.dataset, split=split, **values)
    except duckdb.Error as error:
        guilty = next((path for path in paths if path in str(error)), f"{file} of one of {len(paths)} runs")
        raise DamagedArtifact(guilty, str(error)) from error
