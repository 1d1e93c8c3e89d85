"""The store of lists that somebody added: `cache/lists/<id>/`, complete or not there at all, and the user's own.

    meta.json               what they are called, what was dropped or repaired, the sha256 of every other file; the last
    train/                  metrics.parquet, per_user.parquet, top_k.parquet, in the formats of a run (artifacts.py):
                            popularity counted on train, as under protocol `validation`; every split that the file has
    train+validation/       the same, counted as under the protocols `refit` and `paper`; test alone, as there

An id is the hash of data set, name and the file's content. Nothing here is deleted by itself: another file under the
same name replaces the lists once it is complete, and `remove_lists` takes them away.
The lists of `train/` are what was given; everything else follows from them and the data set, so that `remeasure` can
make it anew when it is damaged, or when what metrics mean has changed.
Here: these folders. Not here: the rules by which lists are repaired (core/evaluation/lists.py), the index
(core/warehouse).
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.datasets.scratch import publishing_lock, scratch, sync
from core.datasets.store import TRAINED_ON, Dataset, DatasetInfo, find_dataset, read_dataset
from core.errors import BadInput, DamagedArtifact, Unknown
from core.evaluation.lists import known_lists, match_lists_at_cutoffs, read_every_split
from core.evaluation.measure import PER_USER, Evaluation, evaluate_lists, evaluated_users
from core.evaluation.metrics import CUTOFFS, metric_key, parse_key
from core.ids import ID_LENGTH, content_id
from core.jobs.artifacts import (
    checksum,
    file_problem,
    finished_runs,
    metric_rows,
    metrics_table,
    read_meta,
    user_tables,
    write_meta,
    write_table,
)
from core.models import RESULT_VERSION
from core.models.choices import BASELINES, LISTS, LOSSES, PROTOCOLS, SAMPLERS
from core.settings import Settings

FORMAT_VERSION = 1
NAME_LENGTH = 40
TABLES = ("metrics.parquet", "per_user.parquet", "top_k.parquet")
GIVEN = "train/top_k.parquet"
"""What was given: the file that no other can be made of."""
FEW = 0.5
"""A smaller share of the users with a list is worth a warning: all others count as empty lists."""

_NAME = re.compile(r"[^\W_][\w .()+/-]*")
_ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
_ASIDE = ".before-"
_WHERE = {protocol: "+".join(splits) for protocol, splits in TRAINED_ON.items()}

Lists = tuple[NDArray[np.int32], NDArray[np.int32]]
"""users (m,) and items (m, k): see `core.evaluation.lists.Lists`."""


@dataclass(frozen=True, slots=True)
class AddedLists:
    """What is known of added lists without reading them."""

    id: str
    name: str
    dataset: str
    """The data set's id."""
    file: str
    """What the file was called."""
    created: float
    """Seconds since 1970."""
    cutoffs: Mapping[str, tuple[int, ...]]
    """Split to the list lengths measured, ascending."""
    users: Mapping[str, tuple[int, int]]
    """Split to how many users have a list, and of how many with held-out items."""
    notes: tuple[str, ...]
    """What was left out or repaired and what else to know, a sentence each, with its count."""
    folder: Path

    @property
    def described(self) -> str:
        """Where they reach, in words: "test at 5 and 10 (943 of 943 users)"."""
        return _described(self.cutoffs, self.users)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would be measured as, before anything is written. Fields as in AddedLists."""

    cutoffs: Mapping[str, tuple[int, ...]]
    users: Mapping[str, tuple[int, int]]
    notes: tuple[str, ...]

    @property
    def described(self) -> str:
        """Where the lists reach, in words."""
        return _described(self.cutoffs, self.users)


@dataclass(frozen=True, slots=True)
class Added:
    """How adding went."""

    lists: AddedLists
    replaced: AddedLists | None = None
    """Other lists that had the name, and have gone."""
    known: bool = False
    """Were these very lists there already?"""

    @property
    def sentence(self) -> str:
        """What happened."""
        name = self.lists.name
        if self.known:
            return f"These lists are there already as {name!r}; nothing changed."
        if self.replaced:
            return f"Added {name!r}, which replaces the lists of that name (from {self.replaced.file})."
        return f"Added {name!r}."


# --- adding and removing


def add_lists(settings: Settings, info: DatasetInfo, path: Path, name: str, file: str | None = None) -> Added:
    """Measure a file of lists and keep it under that name; the same name again replaces what it named.

    file: what the file is called in notes, where its path is a copy's. Raises BadInput, for a name that something else
    has as well.
    """
    name, file = good_name(name), file or path.name
    _refuse_taken(settings, info.id, name)
    try:
        content = checksum(path)
    except OSError as error:
        raise BadInput(file, f"it cannot be read ({error.strerror})", "Check the path.") from error
    lists_id = content_id([info.id, name, content])
    if (known := _known(settings, lists_id)) is not None:
        with scratch(settings) as work, publishing_lock(settings):
            _without_others(settings, work, known)  # what a process left that was killed before it could
        return Added(known, known=True)
    dataset = read_dataset(info.folder)
    about: dict[str, Any] = {"lists": lists_id, "name": name, "dataset": info.id, "file": file, "created": time.time()}
    lists, found = _read(path, dataset, file)
    about |= {"cutoffs": found.cutoffs, "users": found.users, "notes": found.notes}
    with scratch(settings) as work:
        _write(work / lists_id, about, lists, dataset)
        replaced = _appear(settings, work, lists_id)
    return Added(read_about(settings.lists / lists_id), replaced)


def preview(info: DatasetInfo, path: Path, file: str | None = None) -> Preview:
    """What `add_lists` would measure, and what it would leave out or repair. Writes nothing. Raises BadInput."""
    return _read(path, read_dataset(info.folder), file or path.name)[1]


def remove_lists(settings: Settings, dataset: str, name: str) -> AddedLists:
    """Remove the lists of that name from a data set (its id). Raises Unknown."""
    with scratch(settings) as work, publishing_lock(settings):
        found = [one for one in _all(settings) if one.dataset == dataset and one.name == name]
        if not found:
            raise Unknown("set of added lists", name, [one.name for one in added_lists(settings, dataset)])
        for one in found:
            one.folder.rename(work / one.id)
    return found[-1]


def good_name(name: str) -> str:
    """The name without blanks around it. Raises BadInput if lists cannot be called that."""
    name = name.strip()
    mend = "Choose another name, such as 'Production 2024'."
    if len(name) > NAME_LENGTH or not _NAME.fullmatch(name):
        raise BadInput(
            f"name {name[:80]!r}",
            f"it may only hold up to {NAME_LENGTH} letters, digits, blanks and . - _ ( ) + /, and begins with a letter "
            "or digit",
            mend,
        )
    methods = {**SAMPLERS, **LOSSES, **BASELINES}
    taken = {LISTS, *methods, *(choice.label.casefold() for choice in methods.values())}
    if name.casefold() in taken:
        raise BadInput(f"name {name!r}", "a method that is trained here is called that", mend)
    return name


def _refuse_taken(settings: Settings, dataset: str, name: str) -> None:
    """Whoever asks for a variant by that name, in whatever capitals, should get these lists. Raises BadInput.

    Lists of another data set may be called the same: what is compared is of one.
    """
    where, mend, folded = f"name {name!r}", "Choose another name.", name.casefold()
    others = [one for one in _all(settings) if (one.dataset, one.name) != (dataset, name)]
    for one in others:
        if one.dataset == dataset and one.name.casefold() == folded:
            problem = f"lists of this data set are called {one.name!r} already, which differs in capitals alone"
            raise BadInput(where, problem, f"Use {one.name!r} to replace them, or choose another name.")
    trained = _trained(settings)
    if same := next((label for label in trained.values() if label.casefold() == folded), None):
        raise BadInput(where, f"a setting that was trained here is called {same!r}", mend)
    ids = trained | {place.variant: one.name for one in others for place in places(one.id, one.folder)}
    if variant := next((v for v in ids if v.startswith(folded)), None):
        raise BadInput(where, f"the id of {ids[variant]!r} begins so ({variant})", mend)


def _trained(settings: Settings) -> dict[str, str]:
    """Id to label of every variant with a finished run that can be read."""
    found = {}
    for run in finished_runs(settings):
        with suppress(DamagedArtifact, Unknown):  # gone since it was listed
            meta = read_meta(settings, run)
            found[meta["variant"]] = meta["label"]
    return found


def _known(settings: Settings, lists_id: str) -> AddedLists | None:
    """Those lists, if they are there, whole, and measured as metrics are today."""
    folder = settings.lists / lists_id
    return None if not folder.is_dir() or verify(folder) or outdated(folder) else read_about(folder)


def _read(path: Path, dataset: Dataset, file: str) -> tuple[dict[str, Lists], Preview]:
    """Lists by split, and what is told of them; notes name the split where there are two."""
    try:
        parts, before = read_every_split(path)
    except BadInput as error:  # a copy has another name
        raise BadInput(error.where.replace(path.name, file, 1), error.problem, error.mend) from error
    lists: dict[str, Lists] = {}
    cutoffs: dict[str, tuple[int, ...]] = {}
    notes = list(before)
    for split in sorted(parts):
        matched, cutoffs[split] = match_lists_at_cutoffs((parts[split], ()), dataset, split, file)
        lists[split] = matched.users, matched.items
        notes += [f"{split.capitalize()}: {note}" if len(parts) > 1 else note for note in matched.notes]
    users = _coverage(lists, dataset)
    return lists, Preview(cutoffs, users, (*notes, *_warnings(users)))


def _coverage(lists: Mapping[str, Lists], dataset: Dataset) -> dict[str, tuple[int, int]]:
    asked = {"test": dataset.test, "validation": dataset.validation}
    return {split: (len(users), len(evaluated_users(asked[split]))) for split, (users, _) in lists.items()}


def _warnings(users: Mapping[str, tuple[int, int]]) -> list[str]:
    return [
        f"Only {have:,} of {of:,} users with {split} items have a list; all others count as empty ones, which pull "
        "every accuracy metric down."
        for split, (have, of) in users.items()
        if have < FEW * of
    ]


def _appear(settings: Settings, work: Path, lists_id: str) -> AddedLists | None:
    """Put the finished folder in its place by one rename, then take away what had its name before."""
    target = settings.lists / lists_id
    with publishing_lock(settings):
        settings.lists.mkdir(parents=True, exist_ok=True)
        aside = settings.lists / f"{_ASIDE}{lists_id}"
        if target.exists():  # damaged or outdated; not into the scratch folder, which is swept: it is the user's own
            target.rename(aside)
        os.rename(work / lists_id, target)  # noqa: PTH104 - Path.rename reads as if the name alone changed
        if aside.exists():
            aside.rename(work / "before")
        sync(settings.lists)
        return _without_others(settings, work, read_about(target))


def _without_others(settings: Settings, work: Path, one: AddedLists) -> AddedLists | None:
    """Take away whatever else has its name on its data set: the newest of those. The publishing lock is held."""
    others = [o for o in _all(settings) if (o.dataset, o.name) == (one.dataset, one.name) and o.id != one.id]
    for other in others:
        other.folder.rename(work / other.id)
    return others[-1] if others else None


# --- measuring and writing


def _write(folder: Path, about: Mapping[str, Any], lists: Mapping[str, Lists], dataset: Dataset) -> None:
    """A whole folder: what is measured, by what popularity is counted on, then meta.json."""
    folder.mkdir()
    for protocol in ("validation", "refit"):
        some = {s: pair for s, pair in lists.items() if s == "test" or protocol == "validation"}
        if some:
            _write_measured(folder / _WHERE[protocol], some, about["cutoffs"], dataset, protocol)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet"))
    sums = {name: checksum(folder / name) for name in files}
    write_meta(folder, {**about, "format_version": FORMAT_VERSION, "result_version": RESULT_VERSION, "files": sums})


def _write_measured(
    folder: Path, lists: Mapping[str, Lists], cutoffs: Mapping[str, Any], dataset: Dataset, protocol: str
) -> None:
    folder.mkdir()
    found = {split: _measured(pair, cutoffs[split], dataset, split, protocol) for split, pair in lists.items()}
    reached = {(split, k) for split in found for k in cutoffs[split]}
    rows = [row for row in metric_rows(found, epoch=0) if (row[0], parse_key(row[1])[1]) in reached]
    write_table(folder / "metrics.parquet", metrics_table(rows))
    for name, table in user_tables(found, dataset).items():
        write_table(folder / f"{name}.parquet", table)
    sync(folder)


def _measured(lists: Lists, cutoffs: tuple[int, ...], dataset: Dataset, split: str, protocol: str) -> Evaluation:
    """As a run of that protocol is measured. Per user, metrics of cutoffs that are not reached are NaN: every file of
    per-user values has the same columns."""
    users, items = lists
    fitted = dataset.fitted(protocol)
    mask, held_out = dataset.train, dataset.validation
    if split == "test":
        mask, held_out = fitted if protocol == "refit" else dataset.fitted("refit"), dataset.test
    found = evaluate_lists(items, users, held_out, fitted, cutoffs, mask=mask)
    nothing = np.full(len(found.users), np.nan)
    keys = [metric_key(name, k) for k in CUTOFFS for name in PER_USER]
    return replace(found, per_user={key: found.per_user.get(key, nothing) for key in keys})


def remeasure(settings: Settings, folder: Path) -> None:
    """Measure anew the lists that are kept there, and write everything else again.

    Raises DamagedArtifact where they are damaged themselves, Unknown without their data set.
    """
    meta = _meta(folder)
    if problem := file_problem(folder, GIVEN, meta["files"]):
        raise DamagedArtifact(str(folder / GIVEN), problem)
    dataset = read_dataset(find_dataset(settings, meta["dataset"]).folder)
    table, lists = pq.read_table(folder / GIVEN), {}
    for split in meta["cutoffs"]:
        rows = table.filter(pc.equal(table["split"].cast(pa.string()), split))
        try:
            lists[split] = known_lists(_as_text(rows), dataset, max(CUTOFFS))
        except ValueError as error:
            raise DamagedArtifact(str(folder / GIVEN), str(error)) from error
    with scratch(settings) as work:
        _write(work / folder.name, meta, lists, dataset)
        _appear(settings, work, folder.name)


def can_be_remeasured(settings: Settings, folder: Path) -> bool:
    """Are the lists themselves whole, and is their data set there?"""
    try:
        meta = _meta(folder)
        find_dataset(settings, meta["dataset"])
    except (DamagedArtifact, Unknown, KeyError):
        return False
    return not file_problem(folder, GIVEN, meta["files"])


def put_aside(settings: Settings) -> list[Path]:
    """Folders that stood aside for new ones when the process was killed."""
    return sorted(settings.lists.glob(f"{_ASIDE}*"))


def put_back(settings: Settings, aside: Path) -> None:
    """Put such a folder back in its place; it goes if that is taken, since the new one is whole then."""
    target = settings.lists / aside.name.removeprefix(_ASIDE)
    with scratch(settings) as work, publishing_lock(settings):
        aside.rename(work / "before" if target.exists() else target)


def _as_text(rows: pa.Table) -> pa.Table:
    return pa.table({**{c: rows[c].cast(pa.string()) for c in ("user", "item")}, "rank": rows["rank"]})


# --- reading


def added_lists(settings: Settings, dataset: str | None = None) -> list[AddedLists]:
    """What was added to that data set (its id), or to any: by name. Folders that cannot be read are left out."""
    newest = {(one.dataset, one.name): one for one in _all(settings) if dataset in {None, one.dataset}}
    return sorted(newest.values(), key=lambda one: (one.name.casefold(), one.dataset))


def superseded(settings: Settings) -> list[AddedLists]:
    """Lists that others of their name replaced, left behind by a process that was killed at that moment."""
    kept = {one.id for one in added_lists(settings)}
    return [one for one in _all(settings) if one.id not in kept]


def _all(settings: Settings) -> list[AddedLists]:
    """Everything that can be read, oldest first."""
    found = []
    for folder in folders(settings):
        with suppress(DamagedArtifact):
            found.append(read_about(folder))
    return sorted(found, key=lambda one: (one.created, one.id))


def folders(settings: Settings) -> list[Path]:
    """The folders of added lists, sorted."""
    if not settings.lists.is_dir():
        return []
    return sorted(f for f in settings.lists.iterdir() if _ID.fullmatch(f.name) and f.is_dir())


def read_about(folder: Path) -> AddedLists:
    """What meta.json of that folder says. Raises DamagedArtifact."""
    meta = _meta(folder)
    try:
        return AddedLists(
            id=meta["lists"],
            name=meta["name"],
            dataset=meta["dataset"],
            file=meta["file"],
            created=float(meta["created"]),
            cutoffs={split: tuple(map(int, ks)) for split, ks in meta["cutoffs"].items()},
            users={split: (int(have), int(of)) for split, (have, of) in meta["users"].items()},
            notes=tuple(map(str, meta["notes"])),
            folder=folder,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedArtifact(str(folder / "meta.json"), f"it does not describe lists ({error})") from error


def _meta(folder: Path) -> dict[str, Any]:
    path = folder / "meta.json"
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedArtifact(str(path), f"it cannot be read ({error})") from error
    if not isinstance(meta, dict) or not isinstance(meta.get("files"), dict) or meta.get("lists") != folder.name:
        raise DamagedArtifact(str(path), "it does not describe these lists")
    if meta.get("format_version") != FORMAT_VERSION:
        raise DamagedArtifact(str(path), "it was written by another version of the program")
    return meta


def metrics(lists: AddedLists) -> dict[str, dict[str, float]]:
    """Split to metric key to value, as under protocol `validation`. Raises DamagedArtifact."""
    path = lists.folder / "train" / "metrics.parquet"
    try:
        rows = pq.read_table(path, columns=["split", "metric", "value"]).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise DamagedArtifact(str(path), f"it cannot be read ({error})") from error
    return {s: {row["metric"]: row["value"] for row in rows if row["split"] == s} for s in lists.cutoffs}


def verify(folder: Path) -> list[str]:
    """What is wrong with a folder of added lists, a sentence each."""
    try:
        meta = _meta(folder)
        read_about(folder)
    except DamagedArtifact as error:
        return [str(error)]
    names = sorted({GIVEN, *meta["files"]})
    return [f"{folder.name}/{n}: {p}." for n in names if (p := file_problem(folder, n, meta["files"]))]


def outdated(folder: Path) -> bool:
    """Were they measured when metrics meant something else? Raises DamagedArtifact."""
    return bool(_meta(folder).get("result_version") != RESULT_VERSION)


# --- their places in the index: a variant and a run for each protocol, so that whatever shows runs shows them


@dataclass(frozen=True, slots=True)
class Place:
    """Added lists under one protocol."""

    variant: str
    run: str
    protocol: str
    folder: Path
    """Holds metrics.parquet, per_user.parquet and top_k.parquet, as a run's does."""


def places(lists_id: str, folder: Path) -> list[Place]:
    """One for each protocol that has a folder there; of lists that have gone too, by `run_ids`."""
    found = [(p, folder / where) for p, where in _WHERE.items()]
    return [
        Place(content_id([LISTS, lists_id, p]), _run_id(lists_id, p), p, where) for p, where in found if where.is_dir()
    ]


def run_ids(lists_id: str) -> list[str]:
    """The runs that the index has them under, whatever protocols those are."""
    return [_run_id(lists_id, protocol) for protocol in PROTOCOLS]


def _run_id(lists_id: str, protocol: str) -> str:
    return content_id([LISTS, lists_id, protocol, "run"])


def _described(cutoffs: Mapping[str, tuple[int, ...]], users: Mapping[str, tuple[int, int]]) -> str:
    return "; ".join(
        f"{split} at {_listed(ks)} ({users[split][0]:,} of {users[split][1]:,} users)" for split, ks in cutoffs.items()
    )


def _listed(values: tuple[int, ...]) -> str:
    words = [str(value) for value in values]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
