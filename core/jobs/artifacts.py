"""The store of finished runs: `cache/runs/<run id>/`, complete or not there at all.

    meta.json            what it is, what made it, and the sha256 of every other file; written last
    factors.safetensors  the scorer's arrays
    metrics.parquet      split, metric ("ndcg@10"), value, epoch, reading ("epoch", or "per-metric": its own best epoch)
    per_user.parquet     split, user, one column for each metric that is defined per user
    top_k.parquet        split, user, item, rank (from 1), score
    history.parquet      epoch, seconds, loss, metric

Here: writing, publishing by one rename, checking, reading and deleting these folders.
Not here: how a result comes about (training.py), and questions over many runs (core/warehouse).
The same run gives the same bytes of factors, metrics, per_user and top_k; meta.json and history hold times.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.datasets.scratch import sync
from core.datasets.store import Dataset
from core.errors import DamagedArtifact, Unknown
from core.evaluation.measure import Evaluation
from core.evaluation.metrics import EXPOSURE_CUTOFF
from core.ids import ID_LENGTH, by_prefix
from core.models import RESULT_VERSION
from core.models.scorers import Scorer, from_tensors
from core.models.variant import Run
from core.settings import Settings

if TYPE_CHECKING:  # training.py compiles kernels on import, and readers of results need none
    from core.jobs.training import Result

FORMAT_VERSION = 1
FACTORS = "factors.safetensors"
TABLES = ("metrics", "per_user", "top_k", "history")
FILES = (FACTORS, *(f"{name}.parquet" for name in TABLES))
REQUIRED = {"format_version", "run", "variant", "fields", "label", "seed", "dataset", "protocol", "epoch", "files"}
VERSIONS = ("numpy", "scipy", "numba", "pyarrow", "safetensors")

MetricRow = tuple[str, str, float, int, str]
"""split, metric, value, epoch, reading"""

_RUN_ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
_TRASH = ".trash-"


# --- writing


def publish(
    settings: Settings,
    attempt: Path,
    result: Result,
    dataset: Dataset,
    peak_memory_mb: float = 0.0,
    overhead: float = 0.0,
) -> Path:
    """Write a result into the attempt's folder and make that the run's folder by one rename; returns it.

    A run that is there already stays, and ours is dropped: both hold the same. overhead: seconds spent around training.
    Raises FileNotFoundError if the attempt's folder is gone, which means that the attempt is no longer the current one.
    """
    out = attempt / "result"
    out.mkdir()
    _write_factors(out / FACTORS, result)
    for name, table in _tables(result, dataset).items():
        write_table(out / f"{name}.parquet", table)
    sync(out / FACTORS)
    meta = _meta(result, dataset, peak_memory_mb, overhead) | {"files": {name: checksum(out / name) for name in FILES}}
    write_meta(out, meta)
    return _appear(settings, out, result.run.id)


def write_table(path: Path, table: pa.Table) -> None:
    """Equal tables as equal bytes: their dictionaries are sorted, and the options fixed."""
    pq.write_table(table, path, compression="zstd", use_dictionary=True)
    sync(path)


def write_meta(folder: Path, meta: Mapping[str, Any]) -> None:
    """meta.json, the last file of a folder."""
    (folder / "meta.json").write_text(json.dumps(meta, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sync(folder / "meta.json")
    sync(folder)


def _appear(settings: Settings, out: Path, run_id: str) -> Path:
    settings.runs.mkdir(parents=True, exist_ok=True)
    target = settings.runs / run_id
    try:
        os.rename(out, target)  # noqa: PTH104 - Path.rename reads as if the name alone changed
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
    sync(settings.runs)
    return target


def _write_factors(path: Path, result: Result) -> None:
    from safetensors.numpy import save

    # written by us, since save_file gives the file to its owner only
    path.write_bytes(save({name: np.ascontiguousarray(array) for name, array in result.scorer.tensors().items()}))


def _tables(result: Result, dataset: Dataset) -> dict[str, pa.Table]:
    own = [("test", metric, float(r.value), int(r.epoch), "per-metric") for metric, r in result.readings.items()]
    return {
        "metrics": metrics_table([*metric_rows(result.evaluations, result.epoch), *own]),
        **user_tables(result.evaluations, dataset),
        "history": _history_table(result),
    }


def user_tables(evaluations: Mapping[str, Evaluation], dataset: Dataset) -> dict[str, pa.Table]:
    """The tables `per_user` and `top_k` of what was measured, by split."""
    return {
        "per_user": _stacked(_per_user_table(split, e, dataset) for split, e in evaluations.items()),
        "top_k": _stacked(_top_k_table(split, e, dataset) for split, e in evaluations.items()),
    }


def _stacked(tables: Iterator[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="default").unify_dictionaries().combine_chunks()


def metric_rows(evaluations: Mapping[str, Evaluation], epoch: int) -> list[MetricRow]:
    """What was measured, by split, as rows of `metrics`; exposure by decile is part of it."""
    return [
        (split, metric, float(value), epoch, "epoch")
        for split, evaluation in evaluations.items()
        for metric, value in {**evaluation.metrics, **_exposure(evaluation)}.items()
    ]


def metrics_table(rows: Sequence[MetricRow]) -> pa.Table:
    """The table `metrics`, of at least one row."""
    split, metric, value, epoch, reading = zip(*rows, strict=True)
    return pa.table(
        {
            "split": pa.array(split, pa.string()),
            "metric": pa.array(metric, pa.string()),
            "value": pa.array(value, pa.float64()),
            "epoch": pa.array(epoch, pa.int32()),
            "reading": pa.array(reading, pa.string()),
        }
    )


def _exposure(evaluation: Evaluation) -> dict[str, float]:
    """Share of the slots per popularity decile, under names of their own: d1 is the least popular."""
    return {f"exposure_d{d}@{EXPOSURE_CUTOFF}": float(share) for d, share in enumerate(evaluation.exposure, start=1)}


def _per_user_table(split: str, evaluation: Evaluation, dataset: Dataset) -> pa.Table:
    columns = {"split": _constant(split, len(evaluation.users)), "user": _named(evaluation.users, dataset.user_ids)}
    # float32 halves the largest file; means over users come from metrics.parquet
    return pa.table(columns | {name: pa.array(v.astype(np.float32)) for name, v in evaluation.per_user.items()})


def _top_k_table(split: str, evaluation: Evaluation, dataset: Dataset) -> pa.Table:
    ranking = evaluation.ranking
    row, place = np.nonzero(ranking.items >= 0)
    return pa.table(
        {
            "split": _constant(split, len(row)),
            "user": _named(ranking.users[row], dataset.user_ids),
            "item": _named(ranking.items[row, place], dataset.item_ids),
            "rank": pa.array((place + 1).astype(np.int32)),
            "score": pa.array(ranking.scores[row, place]),
        }
    )


def _history_table(result: Result) -> pa.Table:
    epoch, seconds, loss, metric = zip(*result.history, strict=True) if result.history else ((), (), (), ())
    return pa.table(
        {
            "epoch": pa.array(epoch, pa.int32()),
            "seconds": pa.array(seconds, pa.float64()),
            "loss": pa.array(loss, pa.float64()),
            "metric": pa.array(metric, pa.float64()),
        }
    )


def _constant(text: str, length: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(length, np.int32)), pa.array([text], pa.string()))


def _named(numbers: NDArray[np.int32], ids: NDArray[np.object_]) -> pa.DictionaryArray:
    """Numbers as text ids, without making a text of each."""
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), pa.array(ids, pa.string()))


def _meta(result: Result, dataset: Dataset, peak_memory_mb: float, overhead: float) -> dict[str, Any]:
    run, variant = result.run, result.run.variant
    return {
        "format_version": FORMAT_VERSION,
        "run": run.id,
        "variant": variant.id,
        "fields": variant.used(),
        "label": variant.label,
        "method": variant.method,
        "path": variant.path(),
        "seed": run.seed,
        "bootstrap": run.bootstrap,
        "dataset": variant.dataset,
        "protocol": variant.protocol,
        "epoch": result.epoch,
        "epochs_run": result.epochs_run,
        "seconds": result.seconds,
        "overhead": overhead,
        "interactions": len(dataset.fitted(variant.protocol)),
        "engine": variant.engine,
        "result_version": RESULT_VERSION,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in VERSIONS},
        "peak_memory_mb": round(peak_memory_mb, 1),
        "created": time.time(),
    }


# --- reading


def finished_runs(settings: Settings) -> list[str]:
    """Ids of the finished runs, sorted."""
    if not settings.runs.is_dir():
        return []
    with os.scandir(settings.runs) as entries:
        return sorted(e.name for e in entries if _RUN_ID.fullmatch(e.name) and e.is_dir())


def is_finished(settings: Settings, run_id: str) -> bool:
    """Is this run's result in the store?"""
    return (settings.runs / run_id / "meta.json").is_file()


def find_run(settings: Settings, asked: str) -> Path:
    """The folder of the finished run whose id is or begins so. Raises Unknown."""
    return settings.runs / by_prefix("run", asked, finished_runs(settings))


def read_meta(settings: Settings, run_id: str) -> dict[str, Any]:
    """What meta.json says. Raises Unknown for a run that is not there, DamagedArtifact if it cannot be read."""
    return read_meta_of(_folder(settings, run_id))


def read_meta_of(folder: Path) -> dict[str, Any]:
    """What the meta.json of a run's folder says. Raises DamagedArtifact."""
    path = folder / "meta.json"
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedArtifact(str(path), f"it cannot be read ({error})") from error
    if not isinstance(meta, dict) or not meta.keys() >= REQUIRED or not isinstance(meta["files"], dict):
        raise DamagedArtifact(str(path), "it does not describe a run")
    if meta["format_version"] != FORMAT_VERSION:
        raise DamagedArtifact(
            str(path), f"its format {meta['format_version']} belongs to another version of the program"
        )
    return meta


def read_scorer(settings: Settings, run_id: str) -> Scorer:
    """What scores items for this run's users. Raises Unknown, and DamagedArtifact if its bytes changed."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    folder = _folder(settings, run_id)
    if problem := file_problem(folder, FACTORS, read_meta_of(folder)["files"]):
        raise DamagedArtifact(str(folder / FACTORS), problem)
    try:
        return from_tensors(load_file(folder / FACTORS))
    except (SafetensorError, KeyError, ValueError) as error:
        raise DamagedArtifact(str(folder / FACTORS), f"it holds no scorer ({error})") from error


def finished_scorer(settings: Settings, run: Run) -> tuple[Scorer, int] | None:
    """What scores items for a run and the epoch it kept; None if it is not finished. Raises DamagedArtifact."""
    if not is_finished(settings, run.id):
        return None
    return read_scorer(settings, run.id), int(read_meta(settings, run.id)["epoch"])


def read_table(settings: Settings, run_id: str, name: str) -> pa.Table:
    """One of TABLES, whole. Raises Unknown and DamagedArtifact."""
    folder = _folder(settings, run_id)
    if name not in TABLES:
        raise Unknown("table", name, TABLES)
    try:
        return pq.read_table(folder / f"{name}.parquet")
    except (OSError, pa.ArrowInvalid) as error:
        raise DamagedArtifact(str(folder / f"{name}.parquet"), f"it cannot be read ({error})") from error


def listing(folder: Path) -> list[tuple[str, int, str]]:
    """A finished run's files: name, bytes, and the sha256 that was noted when it was written; meta.json has none ("").

    Raises DamagedArtifact if there is no reading meta.json; a file that is missing has 0 bytes.
    """
    sums = read_meta_of(folder)["files"]
    return [(name, _size(folder / name), str(sums.get(name, ""))) for name in ("meta.json", *FILES)]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def verify(folder: Path) -> list[str]:
    """What is wrong with a finished run's folder, a sentence each; nothing if every file is what was written."""
    try:
        meta = read_meta_of(folder)
    except DamagedArtifact as error:
        return [str(error)]
    wrong = [f"{folder.name}/{name}: {p}." for name in FILES if (p := file_problem(folder, name, meta["files"]))]
    if meta["run"] != folder.name:
        wrong.append(f"{folder.name}/meta.json: it describes run {meta['run']}.")
    return wrong


def _folder(settings: Settings, run_id: str) -> Path:
    folder = settings.runs / run_id
    if not _RUN_ID.fullmatch(run_id) or not folder.is_dir():
        raise Unknown("run", run_id, finished_runs(settings))
    return folder


def file_problem(folder: Path, name: str, checksums: Mapping[str, str]) -> str | None:
    """What is wrong with one file of a folder, by the checksums of its meta.json; None if it is what was written."""
    try:
        found = checksum(folder / name)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None if found == checksums.get(name) else "its bytes are not those that were written"


def checksum(path: Path) -> str:
    """The sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- removing


def delete_run(settings: Settings, run_id: str) -> None:
    """Remove a finished run; it can be trained again. Raises Unknown."""
    discard(settings, _folder(settings, run_id))


def discard(settings: Settings, folder: Path) -> None:
    """Remove a folder below the cache, so that nobody ever sees half of it and no orphan can publish half of it.

    It is renamed first: whoever still writes there by its old name fails, instead of losing some files unnoticed.
    """
    trash = settings.attempts / f"{_TRASH}{uuid.uuid4().hex}"
    settings.attempts.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        os.rename(folder, trash)  # noqa: PTH104 - as above
    shutil.rmtree(trash, ignore_errors=True)
