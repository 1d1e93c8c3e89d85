"""A finished run as a folder that loads without this program: Parquet, JSON, safetensors, and a text that explains.

Here: what is in the folder, as a folder or as a zip. Not here: the run's own files, which are copied as they are
(artifacts.py), and tables of results (core/export.py). docs/cli.md has an example that recommends from such a folder;
a test runs it.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core import __version__
from core.datasets.prepared import SPLITS
from core.datasets.store import Dataset, DatasetInfo, find_dataset, read_dataset, read_items
from core.errors import DamagedArtifact, Failed, Refused
from core.jobs import artifacts
from core.settings import Settings

OWN = ("README.txt", "users.parquet", "items.parquet", "interactions.parquet", "dataset.json")
"""What is written for the folder, beside the run's own files."""
CONTENT = (*OWN, "meta.json", *artifacts.FILES)
_OLDEST = (1980, 1, 1, 0, 0, 0)  # the same content is the same zip: a zip must have some time


def run_folder(settings: Settings, run_id: str, folder: Path) -> Path:
    """Write a finished run to a new folder, whole or not at all; returns it.

    Raises Unknown for a run or its data set, DamagedArtifact if the run's bytes changed, Refused for a folder that is
    there already, Failed where the system refuses.
    """
    if folder.exists():
        raise Refused(f"{folder} is there already. Name a folder that is not, or remove it.")
    if not folder.parent.is_dir():
        raise Refused(f"There is no folder {folder.parent}. Make it, or name another place.")
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        part.mkdir()
        for name, content in _content(settings, run_id).items():
            (part / name).write_bytes(content)
        part.rename(folder)
    except OSError as error:
        raise Failed(f"{folder} cannot be written ({error.strerror}). Name another place.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def run_zip(settings: Settings, run_id: str) -> bytes:
    """The same as a zip, in a folder named after the run: the same bytes for the same run. Raises as `run_folder`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in _content(settings, run_id).items():
            about = zipfile.ZipInfo(f"run-{run_id}/{name}", _OLDEST)
            about.external_attr = 0o644 << 16
            # only text gains: Parquet is compressed already, and weights do not compress
            kind = zipfile.ZIP_DEFLATED if name.endswith((".json", ".txt")) else zipfile.ZIP_STORED
            archive.writestr(about, content, kind)
    return buffer.getvalue()


def _content(settings: Settings, run_id: str) -> dict[str, bytes]:
    """Every file's name and bytes, the explanation first."""
    meta = artifacts.read_meta(settings, run_id)
    folder = settings.runs / run_id
    for name in artifacts.FILES:
        if problem := artifacts.file_problem(folder, name, meta["files"]):
            raise DamagedArtifact(str(folder / name), problem)
    info = find_dataset(settings, meta["dataset"])
    dataset = read_dataset(info.folder)
    copied = {name: (folder / name).read_bytes() for name in ("meta.json", *artifacts.FILES)}
    tensors = artifacts.read_scorer(settings, run_id).tensors()
    tables = {
        "users.parquet": pa.table({"user": _numbers(dataset.n_users), "id": pa.array(dataset.user_ids, pa.string())}),
        "items.parquet": _items(info, dataset, meta["protocol"]),
        "interactions.parquet": _interactions(dataset),
    }
    return {
        "README.txt": readme(meta, info, tensors).encode(),
        **{name: _parquet(table) for name, table in tables.items()},
        "dataset.json": _about(info),
        **copied,
    }


def _numbers(n: int) -> pa.Array:
    return pa.array(np.arange(n, dtype=np.int32))


def _items(info: DatasetInfo, dataset: Dataset, protocol: str) -> pa.Table:
    known = read_items(info.folder)
    told = {name: known[name] for name in ("title", "year", "genres") if name in known.column_names}
    popularity = dataset.fitted(protocol).popularity()
    ids = pa.array(dataset.item_ids, pa.string())
    return pa.table({"item": _numbers(dataset.n_items), "id": ids, **told, "popularity": pa.array(popularity)})


def _interactions(dataset: Dataset) -> pa.Table:
    parts = [getattr(dataset, split) for split in SPLITS]
    users = [np.repeat(np.arange(part.n_users, dtype=np.int32), np.diff(part.indptr)) for part in parts]
    names = np.repeat(np.arange(len(SPLITS), dtype=np.int32), [len(part) for part in parts])
    splits = pa.DictionaryArray.from_arrays(pa.array(names), pa.array(SPLITS, pa.string()))
    items = np.concatenate([part.indices for part in parts])
    return pa.table({"user": np.concatenate(users), "item": items, "split": splits})


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", use_dictionary=True)
    return buffer.getvalue()


def _about(info: DatasetInfo) -> bytes:
    names = ("id", "name", "title", "simulated", "users", "items", "interactions", "train", "validation", "test",
             "licence", "citation", "prepared_how")  # fmt: skip
    about = {name: getattr(info, name) for name in names} | {"notes": list(info.notes)}
    return (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode()


# ---------------------------------------------------------------- the explanation

_SCORES: Mapping[str, str] = {
    "users": """\
  users (users, d) float32, items (items, d) float32: embeddings, rows by number.
  score of user u for every item: users[u] @ items.T""",
    "item_gate": """\
  users (users, d), items (items, d) float32: embeddings; user_gate (users,), item_gate (items,) float32; c (1,).
  score of user u for every item: (users[u] @ items.T - c) * user_gate[u] * item_gate""",
    "weights": """\
  weights (items, items) float32; taken_indptr, taken_indices: what each user took, as rows of a sparse matrix (CSR).
  score of user u for every item: the sum of the rows of weights of the items that u took,
  weights[taken_indices[taken_indptr[u]:taken_indptr[u + 1]]].sum(axis=0)""",
    "similarities": """\
  starts (items + 1,), neighbours, similarities: a sparse matrix W (CSR) of items by items; taken_indptr, taken_indices:
  what each user took, in the same form. Score of user u for every item: the sum of the rows of W of what u took.""",
    "random": """\
  random: seed, users, items. The scores are numbers that follow from these and mean nothing.""",
}
_PENALTY = """\
  penalised_popularity (items,) int64, penalty_strength (1,) float64: from each user's scores s, as above, is taken
  penalty_strength * s.std() * log1p(penalised_popularity)"""


def readme(meta: Mapping[str, Any], info: DatasetInfo, tensors: Mapping[str, Any]) -> str:
    """What README.txt says. tensors: the scorer's arrays, of which it explains the form."""
    form = next(text for name, text in sorted(_SCORES.items(), key=_latest) if name in tensors)
    penalty = f"\n{_PENALTY}" if "penalty_strength" in tensors else ""
    arrays = "\n".join(f"  {name}: {array.dtype} {array.shape}" for name, array in sorted(tensors.items()))
    return f"""\
{meta["label"]}, seed {meta["seed"]}, on {info.title}
Run {meta["run"]} of Longtail Lab {__version__}. Nothing of that program is needed to read this folder.

README.txt             this text
meta.json              what was trained: settings, seed, chosen epoch, protocol, versions; sha256 of the run's files
factors.safetensors    what gives the scores, see below
metrics.parquet        split, metric, value, epoch, reading ("epoch": of the chosen epoch)
per_user.parquet       split, user (id), a column for each metric that a user has
top_k.parquet          split, user (id), item (id), rank from 1, score: the lists that were measured
history.parquet        epoch, seconds, loss, metric: what training went through
users.parquet          user (number), id
items.parquet          item (number), id, title, year, genres as far as known, popularity (users who took it in what was
                       trained on)
interactions.parquet   user (number), item (number), split: train, validation, test
dataset.json           what the data set is, its licence, and how it was prepared

Numbers count from 0 and are the rows of the arrays; ids are texts, as in the files that were imported.
This run was trained on {_trained_on(meta["protocol"])} and chosen under protocol "{meta["protocol"]}".

factors.safetensors holds
{arrays}
which are
{form}{penalty}

A list for the test split leaves out what the user took in train and validation; equal scores go by the item's number.
The data set's licence holds for interactions.parquet and items.parquet: {info.licence or "not stated"}.
"""


def _latest(row: tuple[str, str]) -> bool:
    return row[0] == "users"  # other forms have that array, too


def _trained_on(protocol: str) -> str:
    return "train" if protocol == "validation" else "train and validation"
