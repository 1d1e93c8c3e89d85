"""The prepared data sets on disk: list, find, read, publish, remove.

A data set is a folder `cache/datasets/<id>/`: interactions.parquet, users.parquet, items.parquet, meta.json, and
truth.safetensors if it was simulated. It appears by one rename, and its interactions never change.
Here: these folders. Not here: where their content comes from (acquire.py, imports.py), and queries (core/warehouse).
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.datasets.prepared import SPLITS, Prepared, interactions_id
from core.datasets.scratch import publishing_lock, scratch, sweep_leftovers, sync
from core.errors import BadInput, DamagedArtifact, Unknown
from core.ids import ID_LENGTH, by_prefix
from core.settings import Settings

__all__ = [
    "Dataset", "DatasetInfo", "find_dataset", "list_datasets", "publish", "read_dataset", "read_info", "read_items",
    "read_truth", "read_users", "refuse_bad_name", "refuse_taken_name", "remove_dataset", "sweep_leftovers", "verify",
]  # fmt: skip

FORMAT_VERSION = 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
TRAINED_ON = {"validation": ("train",), "refit": ("train", "validation"), "paper": ("train", "validation")}

_FOLDER = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
_ROWS = 1 << 20  # rows of a Parquet row group: what a reader holds at a time


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What is known of a prepared data set without reading its interactions."""

    id: str
    name: str
    title: str
    simulated: bool
    users: int
    items: int
    interactions: int
    train: int
    validation: int
    test: int
    source: str
    licence: str
    citation: str
    prepared_how: str
    """How it was filtered and split, in a line."""
    notes: tuple[str, ...]
    """What was dropped or repaired, counted, a sentence each."""
    options: Mapping[str, Any]
    """What the preparation was asked for."""
    imported: bool
    """The user's own: never deleted by itself, and part of backups."""
    folder: Path
    created: float
    """Seconds since 1970."""
    aliases: tuple[str, ...] = ()
    """Other names that the same interactions were imported under."""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A prepared data set in memory. user_ids (U,) and item_ids (I,) are the text ids, by number."""

    id: str
    name: str
    simulated: bool
    user_ids: NDArray[np.object_]
    item_ids: NDArray[np.object_]
    train: Interactions
    validation: Interactions
    test: Interactions

    @property
    def n_users(self) -> int:
        """Users, each with at least one train interaction."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Items with an interaction in any split: the catalogue."""
        return len(self.item_ids)

    def fitted(self, protocol: str) -> Interactions:
        """What a model is trained on under that protocol: train, or train and validation. Raises Unknown."""
        if protocol not in TRAINED_ON:
            raise Unknown("protocol", protocol, TRAINED_ON)
        return self.train if TRAINED_ON[protocol] == ("train",) else self.train.merged(self.validation)


def list_datasets(settings: Settings) -> list[DatasetInfo]:
    """All prepared data sets, oldest first. Folders that cannot be read are left out; `verify` says what is wrong."""
    found = []
    for meta in settings.datasets.glob("*/meta.json"):
        if _FOLDER.fullmatch(meta.parent.name):
            try:
                found.append(read_info(meta.parent))
            except DamagedArtifact:
                continue
    return sorted(found, key=lambda info: (info.created, info.id))


def find_dataset(settings: Settings, asked: str) -> DatasetInfo:
    """The data set of that name or id, or whose id alone begins so. Raises Unknown with what there is."""
    infos = list_datasets(settings)
    for info in infos:
        if asked in {info.name, *info.aliases}:
            return info
    by_id = {info.id: info for info in infos}
    if not any(asked and i.startswith(asked) for i in by_id):
        raise Unknown("data set", asked, [info.name for info in infos])
    return by_id[by_prefix("data set", asked, list(by_id))]


def read_info(folder: Path) -> DatasetInfo:
    """What meta.json of that folder says. Raises DamagedArtifact."""
    path = folder / "meta.json"
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
        if meta.pop("format_version") != FORMAT_VERSION:
            raise DamagedArtifact(str(path), "it was written by another version of the program")
        meta.update({field: tuple(meta[field]) for field in ("notes", "aliases")})
        return DatasetInfo(**meta, id=folder.name, folder=folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedArtifact(str(path), f"it is no description of a data set ({error})") from error


def read_dataset(folder: Path) -> Dataset:
    """The interactions of every split, and the ids. Raises DamagedArtifact."""
    info = read_info(folder)
    table = _read(folder / "interactions.parquet", columns=["user", "item", "split"])
    users, items = (table.column(c).to_numpy() for c in ("user", "item"))
    splits = _split_codes(table.column("split"))

    def part(split: str) -> Interactions:
        chosen = splits == SPLITS.index(split)
        return _sorted_interactions(users[chosen], items[chosen], info.users, info.items)

    return Dataset(
        id=info.id,
        name=info.name,
        simulated=info.simulated,
        user_ids=read_users(folder).column("id").to_numpy(),
        item_ids=read_items(folder).column("id").to_numpy(),
        train=part("train"),
        validation=part("validation"),
        test=part("test"),
    )


def read_users(folder: Path) -> pa.Table:
    """user int32, id string: by number. Raises DamagedArtifact."""
    return _read(folder / "users.parquet")


def read_items(folder: Path) -> pa.Table:
    """item int32, id string, title string, year int32, genres string (the last three may be null): by number."""
    return _read(folder / "items.parquet")


def read_truth(folder: Path) -> dict[str, NDArray[np.float64]]:
    """What a simulation knows of its users and items (simulated.py tells what). Empty for a real data set."""
    from safetensors.numpy import load_file

    path = folder / "truth.safetensors"
    return dict(load_file(path)) if path.exists() else {}


def verify(folder: Path) -> list[str]:
    """What is wrong with that folder, a sentence each: every file is read, and the id computed anew."""
    try:
        info, dataset = read_info(folder), _read(folder / "interactions.parquet")
        users, items = read_users(folder).column("id"), read_items(folder).column("id")
        found = interactions_id(
            users.combine_chunks(),
            items.combine_chunks(),
            dataset.column("user").to_numpy(),
            dataset.column("item").to_numpy(),
            _split_codes(dataset.column("split")),
        )
    except (DamagedArtifact, KeyError) as error:
        return [str(error)]
    return [] if found == info.id else [str(DamagedArtifact(str(folder), f"its interactions have the id {found}"))]


def publish(settings: Settings, prepared: Prepared) -> DatasetInfo:
    """Make a data set appear, at once and whole. Where it exists already, new names and attributes are added to it.

    The answer has this preparation's notes: what it dropped is news even where the data set was there before.
    Raises BadInput for a name with odd characters, or one that another data set has.
    """
    refuse_bad_name(prepared.about.name)
    with scratch(settings) as work:
        new = work / prepared.id
        _write(new, prepared)
        target = settings.datasets / new.name
        with publishing_lock(settings):
            refuse_taken_name(settings, prepared.about.name, new.name)
            if verify(target):
                _replace(target, new, work)
            else:
                _enrich(target, new)
    return replace(read_info(target), notes=tuple(prepared.about.notes))


def remove_dataset(settings: Settings, asked: str) -> DatasetInfo:
    """Remove a data set by name, id or prefix of its id; its runs stay. Raises Unknown."""
    info = find_dataset(settings, asked)
    with scratch(settings) as work, publishing_lock(settings):
        info.folder.rename(work / info.id)
    return info


def refuse_bad_name(name: str) -> None:
    """Raises BadInput when a data set cannot be called that."""
    if not NAME.fullmatch(name):
        raise BadInput(
            f"data-set name {name[:80]!r}",
            "it may only hold up to 64 letters, digits, '.', '_' and '-', and begins with a letter or digit",
            "Choose another name, such as 'my-ratings'.",
        )


def refuse_taken_name(settings: Settings, name: str, dataset: str | None = None) -> None:
    """Raises BadInput when a data set other than `dataset` (an id) has that name."""
    for info in list_datasets(settings):
        if info.id != dataset and name in {info.name, *info.aliases}:
            raise BadInput(
                f"data-set name {name!r}",
                f"the data set {info.id} with other interactions or splits has it",
                f"Choose another name, or remove that data set first (`python -m core datasets remove {info.name}`).",
            )


def _sorted_interactions(
    users: NDArray[np.int32], items: NDArray[np.int32], n_users: int, n_items: int
) -> Interactions:
    """The stored order is that of the sparse rows: nothing needs sorting, which matters at 25 million rows."""
    indptr = np.zeros(n_users + 1, np.int64)
    np.cumsum(np.bincount(users, minlength=n_users), out=indptr[1:])
    return Interactions(indptr, np.ascontiguousarray(items, np.int32), n_items)


def _split_codes(column: pa.ChunkedArray) -> NDArray[np.int8]:
    """Positions in SPLITS, whatever the file's own dictionary; -1 for anything else."""
    positions = pc.index_in(column.cast(pa.string()), pa.array(SPLITS))
    return np.asarray(pc.fill_null(positions, -1).to_numpy(), np.int8)


def _read(path: Path, columns: list[str] | None = None) -> pa.Table:
    try:
        return pq.read_table(path, columns=columns)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise DamagedArtifact(str(path), str(error)) from error


def _write(folder: Path, prepared: Prepared) -> None:
    folder.mkdir()
    _write_table(folder / "interactions.parquet", _interactions_table(prepared))
    _write_table(folder / "users.parquet", _numbered("user", prepared.user_ids))
    _write_table(folder / "items.parquet", _items_table(prepared))
    if prepared.truth:
        from safetensors.numpy import save_file

        save_file(dict(prepared.truth), folder / "truth.safetensors")
        sync(folder / "truth.safetensors")
    _write_meta(folder, _meta(prepared))
    sync(folder)


def _interactions_table(prepared: Prepared) -> pa.Table:
    missing = len(prepared.users)
    return pa.table(
        {
            "user": pa.array(prepared.users, pa.int32()),
            "item": pa.array(prepared.items, pa.int32()),
            "split": pa.DictionaryArray.from_arrays(pa.array(prepared.splits, pa.int8()), pa.array(SPLITS)),
            "rating": pa.nulls(missing, pa.float64()) if prepared.ratings is None else pa.array(prepared.ratings),
            "timestamp": pa.nulls(missing, pa.int64())
            if prepared.timestamps is None
            else pa.array(prepared.timestamps),
        }
    )


def _numbered(name: str, ids: pa.Array) -> pa.Table:
    return pa.table({name: pa.array(np.arange(len(ids), dtype=np.int32)), "id": ids.cast(pa.string())})


def _items_table(prepared: Prepared) -> pa.Table:
    table = _numbered("item", prepared.item_ids)
    for column, kind in (("title", pa.string()), ("year", pa.int32()), ("genres", pa.string())):
        values = prepared.attributes.get(column)
        table = table.append_column(column, pa.nulls(len(table), kind) if values is None else values.cast(kind))
    return table


def _write_table(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path, compression="zstd", row_group_size=_ROWS)
    sync(path)


def _meta(prepared: Prepared) -> dict[str, Any]:
    return {
        **asdict(prepared.about),
        "users": len(prepared.user_ids),
        "items": len(prepared.item_ids),
        "interactions": len(prepared.users),
        **{split: prepared.count(split) for split in SPLITS},
        "created": time.time(),
        "aliases": [],
        "format_version": FORMAT_VERSION,
    }


def _write_meta(folder: Path, meta: Mapping[str, Any]) -> None:
    fresh = folder / "meta.json.new"
    fresh.write_text(json.dumps(meta, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    sync(fresh)
    fresh.replace(folder / "meta.json")


def _replace(target: Path, new: Path, work: Path) -> None:
    """Put `new` where there is nothing, or only a damaged folder."""
    if target.exists():
        target.rename(work / "damaged")
    os.rename(new, target)  # noqa: PTH104 - Path.rename reads as if the name alone changed
    sync(target.parent)


def _enrich(target: Path, new: Path) -> None:
    """Take over what `new` knows and `target` does not. File by file: each fits the others before and after."""
    for name in ("interactions.parquet", "items.parquet"):
        old = _read(target / name)
        richer = _with_columns_of(old, _read(new / name))
        if richer is not old:
            _write_table(new / name, richer)
            (new / name).replace(target / name)
    if (new / "truth.safetensors").exists():
        (new / "truth.safetensors").replace(target / "truth.safetensors")
    _join_names(target, new)
    sync(target)


def _with_columns_of(old: pa.Table, new: pa.Table) -> pa.Table:
    for position, column in enumerate(old.column_names):
        if old.column(column).null_count == len(old) > new.column(column).null_count:
            old = old.set_column(position, column, new.column(column))
    return old


def _join_names(target: Path, new: Path) -> None:
    """The newer name becomes an alias; a data set that was fetched and imported counts as imported, so it is kept."""
    old_meta, new_meta = (json.loads((folder / "meta.json").read_text(encoding="utf-8")) for folder in (target, new))
    names = {new_meta["name"], *old_meta["aliases"]} - {old_meta["name"]}
    joined = old_meta | {"aliases": sorted(names), "imported": old_meta["imported"] or new_meta["imported"]}
    if joined != old_meta:
        _write_meta(target, joined)
