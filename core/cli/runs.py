"""`runs`: the list of all runs and jobs, and what is done to finished ones."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import Commands, add_command, add_group
from core.cli.output import Output, table
from core.errors import Refused, Unknown
from core.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from core.jobs.control import Deleted
    from core.warehouse.run_list import Wanted

STATES = ("running", "waiting", "failed", "done", "cancelled", "unreadable", "deleted")
ORDERS = ("newest", "asked", "oldest", "setting", "metric", "epoch", "slowest", "memory")
SHOWN = 100


def add(commands: Commands) -> None:
    """Declare the commands."""
    runs = add_group(commands, "runs", "list, delete and export runs")
    _add_list(runs)
    gone = add_command(runs, "delete", delete, "delete finished runs; it is said how to get them back")
    gone.add_argument("runs", metavar="RUN", nargs="+", help="id of a finished run")
    parser = add_command(
        runs,
        "export",
        export,
        "write a finished run as a folder that loads without this program",
        "README.txt in it explains each file.",
    )
    parser.add_argument("run", metavar="RUN", help="id of a finished run")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder that is not there yet")


def _add_list(runs: Commands) -> None:
    parser = add_command(
        runs, "list", list_, "finished runs and jobs in one list", "Deleted runs are left out unless asked for."
    )
    parser.add_argument("--search", default="", metavar="WORDS", help='words that all occur, such as "auc-ns seed 2"')
    parser.add_argument("--state", nargs="+", action="extend", default=[], choices=STATES, help="one or more states")
    parser.add_argument("--method", nargs="+", action="extend", default=[], help="one or more methods, such as auc_ns")
    parser.add_argument("--data", metavar="DATASET", help="name or id of a data set")
    parser.add_argument("--protocol", help="what chose the epoch")
    parser.add_argument("--sweep", type=int, metavar="N", help="number of a sweep")
    parser.add_argument("--order", choices=ORDERS, default="newest", help="what comes first (default newest)")
    parser.add_argument("--limit", type=int, metavar="N", help=f"rows at most (default {SHOWN}; with --json all)")
    parser.add_argument("--offset", type=int, default=0, metavar="N", help="rows to leave out at the beginning")


def list_(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """The rows asked for, and how many there are."""
    from core.jobs.queue import Queue
    from core.warehouse.database import Warehouse
    from core.warehouse.run_list import LISTED, RunList

    wanted, queue = _wanted(args, settings), Queue(settings)
    if args.sweep is not None:
        queue.sweep(args.sweep)  # refuses an unknown one
    latest = queue.latest(args.sweep)
    warehouse = Warehouse.open(settings, own=False)
    try:
        found = RunList(warehouse, latest, args.sweep is not None)
        counts = found.counts(wanted)
        n = sum(counts[state] for state in wanted.states or LISTED)
        limit = args.limit if args.limit is not None else n if output.as_json else SHOWN
        rows = _records(found.page(wanted, args.order, limit, args.offset))
    finally:
        warehouse.close()
    output.answer(rows, _told(rows, n, args.offset))
    if not wanted.states and counts["deleted"]:
        output.say(f"Deleted and not listed: {counts['deleted']}. `--state deleted` has them.")
    return 0


def _wanted(args: argparse.Namespace, settings: Settings) -> Wanted:
    from core.cli.datasets import prepared
    from core.models.choices import PROTOCOLS
    from core.warehouse.run_list import Wanted

    if args.protocol is not None and args.protocol not in PROTOCOLS:
        raise Unknown("protocol", args.protocol, PROTOCOLS)
    for name in ("limit", "offset"):
        if (getattr(args, name) or 0) < 0:
            raise Refused(f"--{name} {getattr(args, name)} is below 0. Give how many rows.")
    dataset = prepared(settings, args.data).id if args.data else None
    return Wanted(args.search, tuple(args.state), tuple(args.method), dataset, args.protocol)


def _records(page: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as JSON objects, with Python's own types; what is missing is None."""
    import pandas as pd

    names = {
        "run": "run", "job": "job", "kind": "kind", "state": "state", "setting": "label", "variant": "variant",
        "method": "method", "dataset": "dataset", "protocol": "protocol", "seed": "seed", "bootstrap": "bootstrap",
        "epoch": "epoch", "metric": "ndcg@10", "seconds": "seconds", "memory": "memory_mb", "moment": "when",
        "reason": "reason",
    }  # fmt: skip
    rows = page[list(names)].rename(columns=names).to_dict("records")
    return [{str(k): None if pd.isna(v) else v for k, v in row.items()} for row in rows]


def _told(rows: list[dict[str, Any]], n: int, offset: int) -> str:
    if not rows:
        return f"No run from place {offset + 1} on: {n} match." if n else "No run matches."
    columns = ["run", "label", "seed", "bootstrap", "state", "epoch", "ndcg@10", "seconds", "reason"]
    used = [name for name in columns if any(row[name] is not None for row in rows)]
    return f"{table(map(_short, rows), used)}\n\n{offset + 1} to {offset + len(rows)} of {n}. NDCG@10 is on validation."


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    """A preparation has no run, and is named by its job."""
    return {**row, "run": row["run"] or f"job {row['job']}"}


def delete(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Delete the runs, all or, where one is not there, none."""
    from core.jobs import control
    from core.jobs.artifacts import find_run

    found = [find_run(settings, asked).name for asked in args.runs]
    gone = control.delete_runs(settings, found)
    rows: list[dict[str, Any]] = [{"run": d.run, "label": d.label, "job": d.job, "back": _way_back(d)} for d in gone]
    told = [f"Deleted {row['label']} ({row['run']}). {_sentence(row['back'])}" for row in rows]
    output.answer({"deleted": rows}, "\n".join(told))
    return 0


def _way_back(deleted: Deleted) -> str | None:
    return None if deleted.job is None else f"python -m core jobs retry {deleted.run}"


def _sentence(command: str | None) -> str:
    if command is None:
        return "What it was cannot be read, so that only a sweep that asks for it brings it back."
    return f"`{command}` trains it again, to the same numbers."


def export(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Write the folder."""
    from core.jobs.artifacts import find_run
    from core.jobs.exporting import run_folder

    run = find_run(settings, args.run).name
    folder = run_folder(settings, run, args.folder)
    files = sorted(path.name for path in folder.iterdir())
    size = sum((folder / name).stat().st_size for name in files)
    document = {"run": run, "folder": str(folder), "files": files, "bytes": size}
    output.answer(document, f"{folder}: {len(files)} files, {size / 1e6:.2f} MB. README.txt explains them.")
    return 0
