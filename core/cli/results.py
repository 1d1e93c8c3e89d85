"""`results`: every finished run's metrics, by run or over the seeds of a variant, in four forms."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from core.cli.command import Commands, add_command
from core.cli.datasets import prepared
from core.cli.output import Output, Progress, as_json, one_line, table
from core.errors import Refused
from core.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from core.warehouse.database import Warehouse

Record = dict[str, Any]

SHOWN = ("ndcg@10", "recall@10", "aplt@10", "arp@10", "coverage@10", "gini@10")
"""The metrics of the table; the other forms have all."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "results", results, "metrics of the finished runs of a data set")
    parser.add_argument("dataset", metavar="DATASET", help="name or id")
    parser.add_argument("--split", choices=("test", "validation"), default="test", help="measured where (default test)")
    parser.add_argument(
        "--by", choices=("run", "variant"), default="run", help="one row a run, or over seeds (default run)"
    )
    forms = ("table", "csv", "json", "parquet")
    parser.add_argument("--format", choices=forms, default="table", help="form of the answer (default table)")


def results(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """The finished runs' metrics on standard output."""
    from core.warehouse.database import Warehouse

    form = "json" if args.json else args.format
    if form == "parquet" and output.out.isatty():
        raise Refused(
            "Parquet is no text for a terminal. Send it to a file: results ... --format parquet > results.parquet."
        )
    dataset = prepared(settings, args.dataset).id
    warehouse = Warehouse.open(settings, own=False)
    try:
        if args.by == "run":
            records = list(_by_run(warehouse, dataset, args.split))
        else:
            with output.progress() as progress:
                records = list(_by_variant(warehouse, dataset, args.split, None if form == "table" else progress))
    finally:
        warehouse.close()
    for problem in warehouse.problems:
        output.say(problem.text)
    _print(records, form, args, output)
    return 0


def _print(records: list[Record], form: str, args: argparse.Namespace, output: Output) -> None:
    if form == "json":
        print(as_json(records), file=output.out)
    elif form == "table":
        print(_as_table(records, args) if records else _nothing(args), file=output.out)
    else:
        from core.export import csv_text, parquet_bytes

        frame = _as_frame(records, args.by)
        if form == "csv":
            output.out.write(csv_text(frame))
        else:
            sys.stdout.buffer.write(parquet_bytes(frame))


def _nothing(args: argparse.Namespace) -> str:
    return f"No finished run on {args.dataset} yet. Train some: `python -m core sweep {args.dataset} --sampler auc_ns`."


def _by_run(w: Warehouse, dataset: str, split: str) -> Iterable[Record]:
    """One object a run, as docs/cli.md gives it."""
    from core.warehouse import queries

    values = queries.metrics_of_runs(w, dataset, split)  # type: ignore[arg-type]  # argparse checked the split
    values = values[values["reading"] == "epoch"]
    metrics = {
        run: _ordered(dict(zip(rows["metric"], rows["value"], strict=True))) for run, rows in values.groupby("run")
    }
    for row in _rows(queries.runs(w, dataset)):
        if row["bootstrap"] is None:
            yield {
                **_about(row, dataset, split, ("run", "variant", "label"), ("seed",)),
                "epoch": row["epoch"],
                "seconds": row["seconds"],
                "engine": row["engine"],
                "metrics": metrics.get(row["run"], {}),
            }


def _by_variant(w: Warehouse, dataset: str, split: str, progress: Progress | None) -> Iterable[Record]:
    """One object a variant: of each metric the mean over its seeds, the 95 % bootstrap interval of that over users, and
    the standard deviation over seeds. Without progress, for the table, which shows means only, without intervals."""
    from core.models.choices import PROTOCOLS
    from core.warehouse import queries

    for protocol in PROTOCOLS:
        values = queries.variant_metrics(w, dataset, split, protocol)  # type: ignore[arg-type]  # argparse checked it
        ends = {} if progress is None or values.empty else _intervals(w, values, split, progress)
        metrics: dict[str, Record] = {}
        for row in _rows(values):
            low, high = ends.get((row["variant"], row["metric"]), (None, None))
            spread = {"mean": row["mean"], "low": low, "high": high, "seed_sd": row["seed_sd"]}
            metrics.setdefault(row["variant"], {})[row["metric"]] = spread
        for row in _rows(queries.variants(w, dataset, protocol)):
            about = _about(row, dataset, split, ("variant", "label"), ("seeds",))
            yield {**about, "metrics": _ordered(metrics.get(row["variant"], {}))}


Ends = dict[tuple[str, str], tuple[float | None, float | None]]


def _intervals(w: Warehouse, values: pd.DataFrame, split: str, progress: Progress) -> Ends:
    """(variant, metric) to the ends of the interval over users."""
    from core.warehouse.per_user import intervals

    variants, metrics = (list(dict.fromkeys(values[column])) for column in ("variant", "metric"))
    rows = intervals(w, variants, metrics, split, progress)  # type: ignore[arg-type]  # argparse checked the split
    return {(row["variant"], row["metric"]): (row["low"], row["high"]) for row in rows}


def _ordered(metrics: Record) -> Record:
    """By the order of the registry; exposure by decile follows."""
    from core.evaluation.metrics import all_keys

    first = [key for key in all_keys() if key in metrics]
    return {key: metrics[key] for key in dict.fromkeys([*first, *metrics])}


def _about(row: Record, dataset: str, split: str, first: tuple[str, ...], then: tuple[str, ...]) -> Record:
    names = {name: row[name] for name in first}
    counts = {name: row[name] for name in then}
    return {
        **names,
        "fields": json.loads(row["fields"]),
        **counts,
        "dataset": dataset,
        "split": split,
        "protocol": row["protocol"],
    }


def _rows(frame: pd.DataFrame) -> list[Record]:
    """The rows with Python's own types; what is missing is None."""
    import pandas as pd

    return [{str(k): None if _missing(v, pd) else v for k, v in row.items()} for row in frame.to_dict("records")]


def _missing(value: Any, pd: Any) -> bool:
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _as_table(records: list[Record], args: argparse.Namespace) -> str:
    rows = []
    for record in records:
        metrics = {k: v["mean"] if isinstance(v, Mapping) else v for k, v in record["metrics"].items()}
        rows.append({**record, **metrics})
    counts = ["seed"] if args.by == "run" else ["seeds"]
    first = ["run"] if args.by == "run" else ["variant"]
    protocols = {record["protocol"] for record in records}
    shown = table(rows, [*first, "label", *counts, *(["protocol"] if len(protocols) > 1 else []), *SHOWN])
    epoch = " The epoch was chosen on test: optimistic." if "paper" in protocols else ""
    means = ", means over seeds" if args.by == "variant" else ""
    about = f"On {args.split}{means}. Protocol {', '.join(sorted(protocols))}.{epoch}"
    added = dict.fromkeys(one_line(record["label"]) for record in records if "lists" in record["fields"])
    marked = f" Lists added, not trained here: {', '.join(added)}." if added else ""
    return f"{shown}\n\n{about}{marked} --format csv has every metric."


def _as_frame(records: list[Record], by: str) -> pd.DataFrame:
    """One column a field or metric; without records, those that there always are.

    Whole numbers stay whole in a column that baselines leave empty.
    """
    import pandas as pd

    from core.models.fields import FIELDS

    frame = pd.DataFrame([_flat(record) for record in records], columns=None if records else [by, "label"])
    return frame.astype({name: "Int64" for name in frame if name in FIELDS and FIELDS[str(name)].kind is int})


def _flat(record: Record) -> Record:
    flat: Record = {}
    for key, value in record.items():
        if key == "fields":
            flat.update({k: v for k, v in value.items() if k not in record})
        elif key == "metrics":
            flat.update(_flat_metrics(value))
        else:
            flat[key] = value
    return flat


def _flat_metrics(metrics: Record) -> Record:
    flat: Record = {}
    for name, value in metrics.items():
        flat.update({f"{name} {k}": v for k, v in value.items()} if isinstance(value, Mapping) else {name: value})
    return flat
