"""Finished runs that nobody trained, in the format of core/jobs/artifacts.py: for tests of readers. No pytest."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save_file

from core.models import RESULT_VERSION
from core.models.variant import Run, Variant, make_variant
from core.settings import Settings

Metrics = Mapping[str, Mapping[str, float]]  # split -> metric -> value
Lists = Mapping[str, Mapping[str, Sequence[str]]]  # split -> user -> items, best first
PerUser = Mapping[str, Mapping[str, Mapping[str, float]]]  # split -> user -> metric -> value

HISTORY = ((5, 0.1, 0.6, 0.2), (10, 0.2, 0.5, 0.3), (15, 0.3, 0.4, 0.25))


def write_run(
    settings: Settings,
    variant: Variant,
    seed: int = 0,
    metrics: Metrics | None = None,
    lists: Lists | None = None,
    per_user: PerUser | None = None,
    per_metric: Metrics | None = None,
    history: Sequence[tuple[int, float, float | None, float | None]] = HISTORY,
    epoch: int = 10,
    bootstrap: int | None = None,
    meta: Mapping[str, object] | None = None,
) -> str:
    """A run's folder below `settings.runs`; returns its id. meta: overrides of meta.json."""
    run = Run(variant, seed, bootstrap)
    folder = settings.runs / run.id
    folder.mkdir(parents=True)
    save_file(
        {"users": np.zeros((1, 2), np.float32), "items": np.zeros((1, 2), np.float32)}, folder / "factors.safetensors"
    )
    write_metrics(folder, metrics or {"test": {"ndcg@10": 0.4, "aplt@10": 0.1}}, per_metric or {}, epoch)
    _write_history(folder, history)
    _write_lists(folder, lists or {})
    _write_per_user(folder, per_user or {})
    _write_meta(folder, run, epoch, meta or {})
    return run.id


def write_metrics(folder: Path, metrics: Metrics, per_metric: Metrics, epoch: int) -> None:
    """metrics.parquet alone, which a test may damage."""
    rows = [
        (split, metric, value, epoch, reading)
        for reading, all_values in (("epoch", metrics), ("per-metric", per_metric))
        for split, values in all_values.items()
        for metric, value in values.items()
    ]
    names = ("split", "metric", "value", "epoch", "reading")
    types = (pa.string(), pa.string(), pa.float64(), pa.int32(), pa.string())
    _write(folder / "metrics.parquet", names, types, rows)


def note_checksums(folder: Path) -> None:
    """Makes meta.json agree with the files as they are now."""
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps({**meta, "files": _sums(folder)}))


def curve(dataset: str, betas: Sequence[float] = (0, 0.05, 0.2), **fields: object) -> list[Variant]:
    """AUC-NS over its strength, from DNS on."""
    return [make_variant(dataset, sampler="auc_ns", beta=beta, **fields) for beta in betas]


def _write_history(folder: Path, history: Sequence[tuple[int, float, float | None, float | None]]) -> None:
    types = (pa.int32(), pa.float64(), pa.float64(), pa.float64())
    _write(folder / "history.parquet", ("epoch", "seconds", "loss", "metric"), types, history)


def _write_lists(folder: Path, lists: Lists) -> None:
    rows = [
        (split, user, item, rank, 1 / rank)
        for split, users in lists.items()
        for user, items in users.items()
        for rank, item in enumerate(items, start=1)
    ]
    word = pa.dictionary(pa.int32(), pa.string())
    _write(
        folder / "top_k.parquet",
        ("split", "user", "item", "rank", "score"),
        (word, word, word, pa.int32(), pa.float32()),
        rows,
    )


def _write_per_user(folder: Path, per_user: PerUser) -> None:
    names = sorted({name for users in per_user.values() for values in users.values() for name in values})
    rows = [
        (split, user, *(values[n] for n in names))
        for split, users in per_user.items()
        for user, values in users.items()
    ]
    word = pa.dictionary(pa.int32(), pa.string())
    _write(folder / "per_user.parquet", ("split", "user", *names), (word, word, *[pa.float64()] * len(names)), rows)


def _write(path: Path, names: Sequence[str], types: Sequence[pa.DataType], rows: Sequence[tuple[object, ...]]) -> None:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    pq.write_table(pa.table({n: pa.array(c, t) for n, t, c in zip(names, types, columns, strict=True)}), path)


def _write_meta(folder: Path, run: Run, epoch: int, overrides: Mapping[str, object]) -> None:
    variant = run.variant
    meta = {
        "format_version": 1,
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
        "epoch": epoch,
        "epochs_run": 15,
        "seconds": 1.5,
        "engine": variant.engine,
        "result_version": RESULT_VERSION,
        "versions": {},
        "files": _sums(folder),
        "peak_memory_mb": 150.0,
        "created": 1_700_000_000.0,
    }
    (folder / "meta.json").write_text(json.dumps({**meta, **overrides}))


def _sums(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.iterdir() if p.name != "meta.json")
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
