"""How folders of the cache become rows of the index, and go again.

Here: what is on disk, what is new, each batch in one transaction, what is wrong with a folder in words.
Not here: when that happens (database.py), the tables (schema.py). Rules about popularity are evaluation's
(core/evaluation/groups.py): they are called, never written again in SQL.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.datasets.store import Dataset, read_dataset, read_info
from core.errors import DamagedArtifact, LabError
from core.evaluation.groups import by_popularity, deciles, hot_items, hot_shares, user_groups
from core.evaluation.popularity import gini
from core.ids import ID_LENGTH
from core.jobs import added_lists
from core.jobs.added_lists import AddedLists, Place
from core.models import RESULT_VERSION
from core.models.choices import LISTS
from core.models.variant import Run, Variant, variant_from_fields
from core.settings import Settings

BATCH = 200  # runs in one transaction: few enough that a page sees a long first ingestion grow
_FOLDER = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
_INDEXED_FILES = ("metrics.parquet", "history.parquet")
Connection = duckdb.DuckDBPyConnection


class Source(NamedTuple):
    """A folder that rows come from."""

    kind: str
    """"dataset", "run" or "lists"."""
    name: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A folder that was left out, and why."""

    source: Source
    text: str
    """A sentence to show."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """What meta.json says of a run that can be shown."""

    run: str
    folder: Path
    meta: Mapping[str, Any]
    variant: Variant


def sources_on_disk(settings: Settings) -> dict[Source, str]:
    """The folders there are, each with a stamp that another folder of the same name does not share.

    Runs and added lists never change, so the number of their folder will do; titles can be added to a data set, file by
    file, so the time of its folder counts too.
    """
    found = {Source("run", entry.name): str(entry.inode()) for entry in _folders(settings.runs)}
    found |= {Source("lists", entry.name): str(entry.inode()) for entry in _folders(settings.lists)}
    for entry in _folders(settings.datasets):
        with suppress(FileNotFoundError):  # removed meanwhile
            found[Source("dataset", entry.name)] = f"{entry.inode()}:{entry.stat().st_mtime_ns}"
    return found


def stored_sources(connection: Connection) -> dict[Source, str]:
    """The folders whose rows the index holds."""
    with connection.cursor() as cursor:
        rows = cursor.execute("SELECT kind, name, stamp FROM sources").fetchall()
    return {Source(kind, name): stamp for kind, name, stamp in rows}


def stored_folders(connection: Connection) -> list[tuple[str, str]]:
    """Runs whose files lie elsewhere than below `runs`, each with its folder below the cache: added lists."""
    with connection.cursor() as cursor:
        return cursor.execute("SELECT run, folder FROM runs WHERE folder IS NOT NULL").fetchall()


def problem_stamp(settings: Settings, source: Source) -> object:
    """Changes when anything in a folder that could not be read does: then it is worth trying again."""
    try:
        files = [(str(path), path.stat()) for path in folder_of(settings, source).rglob("*")]
    except OSError:
        return None
    return sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in files)


def folder_of(settings: Settings, source: Source) -> Path:
    """Where that source lies."""
    return {"dataset": settings.datasets, "run": settings.runs, "lists": settings.lists}[source.kind] / source.name


def ingest(
    connection: Connection, settings: Settings, found: Mapping[Source, str], known: Mapping[Source, str]
) -> list[Problem]:
    """Makes the index hold what is found on disk, given what it holds already. Returns what could not be read."""
    _remove(connection, [source for source, stamp in known.items() if found.get(source) != stamp])
    new = {source: stamp for source, stamp in found.items() if known.get(source) != stamp}
    problems = []
    for source, stamp in new.items():
        if source.kind == "dataset":
            problems += _ingest_dataset(connection, folder_of(settings, source), source, stamp)
        elif source.kind == "lists":
            problems += _ingest_lists(connection, settings, source, stamp)
    names = sorted(source.name for source in new if source.kind == "run")
    for start in range(0, len(names), BATCH):
        problems += _ingest_runs(connection, settings, {n: new[Source("run", n)] for n in names[start : start + BATCH]})
    return problems


def _folders(parent: Path) -> list[os.DirEntry[str]]:
    try:
        return [entry for entry in os.scandir(parent) if _FOLDER.fullmatch(entry.name)]
    except FileNotFoundError:
        return []


@contextmanager
def _transaction(connection: Connection) -> Iterator[Connection]:
    with connection.cursor() as cursor:
        cursor.begin()
        try:
            yield cursor
        except BaseException:
            cursor.rollback()
            raise
        cursor.commit()


# ---------------------------------------------------------------- removal

_OF_DATASET = ("datasets", "users", "items", "interactions", "item_popularity", "user_profiles")
_OF_RUN = ("runs", "metrics", "histories")


def _remove(connection: Connection, sources: list[Source]) -> None:
    if not sources:
        return
    gone = {kind: [s.name for s in sources if s.kind == kind] for kind in ("dataset", "run", "lists")}
    runs = [*gone["run"], *(run for name in gone["lists"] for run in added_lists.run_ids(name))]
    with _transaction(connection) as cursor:
        for kind, tables, names in (("dataset", _OF_DATASET, gone["dataset"]), ("run", _OF_RUN, runs)):
            for table in tables:
                cursor.execute(f"DELETE FROM {table} WHERE {kind} IN (SELECT unnest($names))", {"names": names})  # noqa: S608
        for kind, names in gone.items():
            cursor.execute(
                "DELETE FROM sources WHERE kind = $kind AND name IN (SELECT unnest($names))",
                {"kind": kind, "names": names},
            )
        cursor.execute("DELETE FROM variants WHERE variant NOT IN (SELECT variant FROM runs)")


def _insert(cursor: Connection, table: str, rows: pa.Table) -> None:
    """Rows by column name; `table` is one of ours, the values travel as Arrow."""
    names = ", ".join(f'"{name}"' for name in rows.column_names)
    cursor.register("incoming", rows)
    cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming")  # noqa: S608
    cursor.unregister("incoming")


def _note_source(cursor: Connection, kind: str, stamps: Mapping[str, str]) -> None:
    names = list(stamps)
    _insert(cursor, "sources", pa.table({"kind": [kind] * len(names), "name": names, "stamp": list(stamps.values())}))


# ---------------------------------------------------------------- data sets


def _ingest_dataset(connection: Connection, folder: Path, source: Source, stamp: str) -> list[Problem]:
    try:
        dataset = read_dataset(folder)
        with _transaction(connection) as cursor:
            _insert_dataset(cursor, folder, dataset)
            _insert_aggregates(cursor, dataset)
            _note_source(cursor, "dataset", {source.name: stamp})
    except (LabError, duckdb.DataError, duckdb.IntegrityError, duckdb.ProgrammingError) as error:
        return [Problem(source, f"The data set {source.name} was left out: {error}")]
    return []


_SAME = (
    "name", "title", "simulated", "imported", "users", "items", "interactions", "train", "validation", "test",
    "source", "licence", "citation", "prepared_how", "created",
)  # fmt: skip
"""Columns of `datasets` that are fields of `DatasetInfo`."""

_INSERT_FACTS = (
    'INSERT INTO users SELECT $dataset, "user", id FROM read_parquet($users)',
    "INSERT INTO items SELECT $dataset, item, id, title, year, genres FROM read_parquet($items)",
    """INSERT INTO interactions
       SELECT $dataset, "user", item, split::split_name, rating, timestamp FROM read_parquet($interactions)""",
)


def _insert_dataset(cursor: Connection, folder: Path, dataset: Dataset) -> None:
    info = read_info(folder)
    row: dict[str, Any] = {name: getattr(info, name) for name in _SAME}
    row |= {"dataset": info.id, "notes": list(info.notes), "gini": gini(dataset.train.popularity())}
    types = {"notes": pa.list_(pa.string())}  # an empty list says nothing of its type
    columns = {name: pa.array([value], types.get(name)) for name, value in row.items()}
    _insert(cursor, "datasets", pa.table(columns))
    for statement, name in zip(_INSERT_FACTS, ("users", "items", "interactions"), strict=True):
        cursor.execute(statement, {"dataset": info.id, name: str(folder / f"{name}.parquet")})


def _insert_aggregates(cursor: Connection, dataset: Dataset) -> None:
    in_train = dataset.train.popularity()
    for counted_on, counts in (("train", in_train), ("train+validation", in_train + dataset.validation.popularity())):
        _insert(cursor, "item_popularity", _popularity_rows(dataset.id, counted_on, counts, dataset.n_users))
    _insert(cursor, "user_profiles", _profile_rows(dataset.id, dataset.train))


def _popularity_rows(dataset: str, counted_on: str, counts: NDArray[np.int64], n_users: int) -> pa.Table:
    rank = np.empty(len(counts), np.int32)
    rank[by_popularity(counts)] = np.arange(1, len(counts) + 1)
    return pa.table(
        {
            "dataset": [dataset] * len(counts),
            "counted_on": [counted_on] * len(counts),
            "item": np.arange(len(counts), dtype=np.int32),
            "count": counts,
            "share": counts / n_users,
            "rank": rank,
            "decile": deciles(counts),
            "hot": hot_items(counts),
        }
    )


def _profile_rows(dataset: str, train: Interactions) -> pa.Table:
    popularity, lengths = train.popularity(), train.lengths()
    hot = hot_items(popularity)
    total = np.bincount(train.users(), weights=popularity[train.indices] / train.n_users, minlength=train.n_users)
    mean = np.where(lengths > 0, total / np.maximum(lengths, 1), np.nan)
    return pa.table(
        {
            "dataset": [dataset] * train.n_users,
            "user": np.arange(train.n_users, dtype=np.int32),
            "length": lengths,
            "mean_popularity": pa.array(mean, from_pandas=True),  # NaN becomes null
            "hot_share": pa.array(hot_shares(train, hot), from_pandas=True),
            "user_group": user_groups(train, hot),
        }
    )


# ---------------------------------------------------------------- runs


def _ingest_runs(connection: Connection, settings: Settings, stamps: Mapping[str, str]) -> list[Problem]:
    """One transaction for all; where that fails, one for each, so that a bad folder costs no neighbour."""
    runs, problems = [], []
    for name in stamps:
        try:
            runs.append(read_run(settings.runs / name))
        except LabError as error:
            problems.append(Problem(Source("run", name), f"The run {name} was left out: {error}"))
    try:
        _insert_runs(connection, runs, stamps)
    except duckdb.Error as error:
        if len(runs) > 1:
            for run in runs:
                problems += _ingest_runs(connection, settings, {run.run: stamps[run.run]})
        elif _is_content(error):
            problems.append(Problem(Source("run", runs[0].run), f"The run {runs[0].run} was left out: {error}"))
        else:
            raise
    return problems


def _is_content(error: duckdb.Error) -> bool:
    """Is it the file's content that does not fit, rather than the index that fails?"""
    return isinstance(
        error, (duckdb.DataError, duckdb.IntegrityError, duckdb.ProgrammingError, duckdb.NotSupportedError)
    )


def read_run(folder: Path) -> FinishedRun:
    """What meta.json says, once the files that the index takes hold what was written. Raises DamagedArtifact."""
    path = folder / "meta.json"
    try:
        meta = json.loads(path.read_bytes())
        _check_files(folder, meta["files"])
        run = _run(folder, meta)
    except DamagedArtifact:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, LabError) as error:
        raise DamagedArtifact(str(path), f"it is no description of a run ({error})") from error
    return FinishedRun(folder.name, folder, meta, run.variant)


def _check_files(folder: Path, sums: Mapping[str, str]) -> None:
    """Those that are read into the index by their checksum; the others, read when asked for, by their presence."""
    for name in ("metrics.parquet", *sums):
        if not (folder / name).is_file():
            raise DamagedArtifact(str(folder / name), "it is missing")
    for name in _INDEXED_FILES:
        if name in sums and hashlib.sha256((folder / name).read_bytes()).hexdigest() != sums[name]:
            raise DamagedArtifact(str(folder / name), "its checksum is not the one noted when it was written")


def _run(folder: Path, meta: Mapping[str, Any]) -> Run:
    """The run that the folder holds, by what it says and by its name alike."""
    path = str(folder / "meta.json")
    if meta["result_version"] != RESULT_VERSION:
        raise DamagedArtifact(path, f"its results are of version {meta['result_version']}, not {RESULT_VERSION}")
    fields = {name: value for name, value in meta["fields"].items() if value is not None}
    variant = variant_from_fields({"dataset": meta["dataset"], "protocol": meta["protocol"], **fields})
    run = Run(variant, int(meta["seed"]), meta["bootstrap"])
    if run.id != folder.name:
        raise DamagedArtifact(path, f"its settings are those of the run {run.id}")
    return run


_INSERT_METRICS = """
    INSERT INTO metrics
    SELECT f.run, m.split::split_name, m.metric, m.reading::reading_name, m.value, m.epoch
    FROM read_parquet($paths, filename = true) m
    JOIN (SELECT unnest($paths) AS filename, unnest($runs) AS run) f USING (filename)
    WHERE isfinite(m.value)"""

# not nullif(loss, nan): Parquet's statistics leave NaN out, so DuckDB takes that comparison for always false
_INSERT_HISTORIES = """
    INSERT INTO histories
    SELECT f.run, h.epoch, h.seconds, CASE WHEN isfinite(h.loss) THEN h.loss END,
           CASE WHEN isfinite(h.metric) THEN h.metric END
    FROM read_parquet($paths, filename = true) h
    JOIN (SELECT unnest($paths) AS filename, unnest($runs) AS run) f USING (filename)
    ORDER BY f.run, h.epoch"""


def _insert_runs(connection: Connection, runs: list[FinishedRun], stamps: Mapping[str, str]) -> None:
    if not runs:
        return
    with _transaction(connection) as cursor:
        have = {row[0] for row in cursor.execute("SELECT variant FROM variants").fetchall()}
        variants = {run.variant.id: run.variant for run in runs if run.variant.id not in have}
        if variants:
            _insert(cursor, "variants", _table(_VARIANT_TYPES, map(_variant_row, variants.values())))
        _insert(cursor, "runs", _table(_RUN_TYPES, map(_run_row, runs)))
        for statement, name in ((_INSERT_METRICS, "metrics.parquet"), (_INSERT_HISTORIES, "history.parquet")):
            paths = {str(run.folder / name): run.run for run in runs if (run.folder / name).exists()}
            if paths:  # read_parquet refuses an empty list
                cursor.execute(statement, {"paths": list(paths), "runs": list(paths.values())})
        _note_source(cursor, "run", {run.run: stamps[run.run] for run in runs})


_VARIANT_TYPES = {
    "variant": pa.string(), "dataset": pa.string(), "protocol": pa.string(), "label": pa.string(),
    "method": pa.string(), "method_label": pa.string(), "baseline": pa.bool_(), "path": pa.string(),
    "strength": pa.float64(), "strength_symbol": pa.string(), "off_strength": pa.float64(),
    "off_variant": pa.string(), "fields": pa.string(),
}  # fmt: skip
_RUN_TYPES = {
    "run": pa.string(), "variant": pa.string(), "seed": pa.int64(), "bootstrap": pa.int64(), "epoch": pa.int32(),
    "epochs_run": pa.int32(), "seconds": pa.float64(), "engine": pa.string(), "peak_memory_mb": pa.float64(),
    "created": pa.float64(), "folder": pa.string(),
}  # fmt: skip


def _table(types: Mapping[str, pa.DataType], rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], schema=pa.schema(list(types.items())))


def _run_row(run: FinishedRun) -> dict[str, Any]:
    meta = run.meta
    same = ("seed", "bootstrap", "epoch", "epochs_run", "seconds", "engine", "peak_memory_mb", "created")
    return {"run": run.run, "variant": run.variant.id, **{name: meta.get(name) for name in same}}


def _variant_row(variant: Variant) -> dict[str, Any]:
    strength = variant.strength
    off = _off_end(variant)
    return {
        "variant": variant.id,
        "dataset": variant.dataset,
        "protocol": variant.protocol,
        "label": variant.label,
        "method": variant.method,
        "method_label": variant.method_label,
        "baseline": variant.baseline not in {None, "pop_penalty"},  # re-ranked settings have a path like trained ones
        "path": variant.path(),
        "strength": strength[1] if strength else None,
        "strength_symbol": strength[0].symbol if strength else None,
        "off_strength": strength[0].off if strength and off else None,
        "off_variant": off,
        "fields": json.dumps(variant.used()),
    }


def _off_end(variant: Variant) -> str | None:
    """The variant that this one would be at its strength's "off" (AUC-NS at beta 0 is DNS): its path begins there."""
    off = variant.at_off()
    return off.id if off and off.path() != variant.path() else None


# ---------------------------------------------------------------- added lists


def _ingest_lists(connection: Connection, settings: Settings, source: Source, stamp: str) -> list[Problem]:
    """Added lists as a reference under every protocol that they were measured for."""
    try:
        lists, places = read_lists(settings.lists / source.name)
        with _transaction(connection) as cursor:
            _insert(cursor, "variants", _table(_VARIANT_TYPES, (_lists_variant_row(lists, p) for p in places)))
            _insert(cursor, "runs", _table(_RUN_TYPES, (_lists_run_row(settings, lists, p) for p in places)))
            for place in places:  # one by one: two protocols share a file
                paths = [str(place.folder / "metrics.parquet")]
                cursor.execute(_INSERT_METRICS, {"paths": paths, "runs": [place.run]})
            _note_source(cursor, "lists", {source.name: stamp})
    except (LabError, duckdb.DataError, duckdb.IntegrityError, duckdb.ProgrammingError) as error:
        return [Problem(source, f"The added lists {source.name} were left out: {error}")]
    return []


def read_lists(folder: Path) -> tuple[AddedLists, list[Place]]:
    """Added lists, once all their files hold what was written. Raises DamagedArtifact."""
    lists = added_lists.read_about(folder)
    if wrong := added_lists.verify(folder):
        raise DamagedArtifact(str(folder), wrong[0].rstrip("."))
    if added_lists.outdated(folder):
        raise DamagedArtifact(str(folder), "its lists were measured by another version of the program")
    return lists, added_lists.places(folder.name, folder)


def _lists_variant_row(lists: AddedLists, place: Place) -> dict[str, Any]:
    fields = {"dataset": lists.dataset, "protocol": place.protocol, "lists": lists.id, "file": lists.file}
    return {
        "variant": place.variant,
        "dataset": lists.dataset,
        "protocol": place.protocol,
        "label": lists.name,
        "method": LISTS,
        "method_label": "Lists added, not trained here",
        "baseline": True,
        "path": place.variant,
        "fields": json.dumps(fields),
    }


def _lists_run_row(settings: Settings, lists: AddedLists, place: Place) -> dict[str, Any]:
    return {
        "run": place.run,
        "variant": place.variant,
        "seed": 0,
        "epoch": 0,
        "epochs_run": 0,
        "seconds": 0.0,
        "engine": LISTS,
        "created": lists.created,
        "folder": place.folder.relative_to(settings.cache).as_posix(),
    }
