"""`reproduce`: the published tables beside our own runs, trained where they are missing."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import Commands, add_command
from core.cli.output import Output, duration, table
from core.cli.waiting import failure, wait_for_dataset, wait_for_runs
from core.errors import BadInput, Failed
from core.reproduction.plan import PARTS
from core.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from core.jobs.queue import Job
    from core.reproduction.plan import Plan
    from core.reproduction.request import Outlook


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "reproduce",
        reproduce,
        "published tables beside ours",
        "Queues what is missing, and shows what is there. Data sets that are not here yet are fetched first.",
    )
    parser.add_argument(
        "--only", nargs="+", action="extend", choices=tuple(PARTS), metavar="PART", help=", ".join(PARTS)
    )
    parser.add_argument("--quick", action="store_true", help="few rows, one seed, few epochs: minutes, to see it work")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be trained, and how long it takes")
    parser.add_argument("--no-worker", action="store_true", help="only queue; `worker` or the app trains")
    parser.add_argument("--wait", action="store_true", help="return when all runs have ended, with 1 if any failed")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the comparison as a page in Markdown")


def reproduce(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Queue what is missing, wait for it if asked to, and show the comparison."""
    from core.reproduction.plan import make_plan
    from core.reproduction.request import request

    _refuse_bad_target(args.out)
    plan = make_plan(args.only or (), args.quick)
    failed: list[str] = []
    if args.wait and not args.dry_run:
        failed = _train(settings, output, plan, worker=not args.no_worker)
    elif not args.dry_run:
        asked = request(settings, plan, start=not args.no_worker)
        for name in asked.fetching:
            output.say(f"{name} is fetched first; its runs follow.")
    _answer(args, settings, output, plan, failed)
    for problem in failed:
        output.say(problem)
    return 1 if failed else 0


def _refuse_bad_target(path: Path | None) -> None:
    """Now rather than after hours of training."""
    if path and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise BadInput(str(path), "no file can be written there", "Give --out a file in a folder that exists.")


def _train(settings: Settings, output: Output, plan: Plan, worker: bool) -> list[str]:
    """Return once everything has ended: what came to nothing, a line each. A data set that fails stops no other."""
    from core.jobs import control
    from core.reproduction.plan import DATASETS
    from core.reproduction.request import dataset_of

    failed: list[str] = []
    sweeps = []
    for name in plan.datasets:
        try:
            if dataset_of(settings, name) is None:
                job = control.request_dataset(settings, name, start=worker)
                wait_for_dataset(settings, output, job, worker)
            asked = control.request_sweep(settings, DATASETS[name], plan.sweep(name), start=worker)
            sweeps.append(asked.sweep)
        except Failed as error:
            failed.append(str(error))
    return [*failed, *map(_told, wait_for_runs(settings, output, sweeps, worker))]


def _told(job: Job) -> str:
    return f"{job.label}: {failure(job)['reason'] or job.state}"


def _answer(args: argparse.Namespace, settings: Settings, output: Output, plan: Plan, failed: list[str]) -> None:
    """What is there by now, and what is still to come."""
    from core.reproduction import comparison, cost, report
    from core.reproduction.request import outlook
    from core.warehouse.database import Warehouse

    asked, ahead = (tuple(args.only or ()), args.quick), outlook(settings, plan)
    warehouse = Warehouse.open(settings, own=False)
    try:
        found = comparison.figures(warehouse, *asked)
        costs = cost.cost(warehouse, args.quick) if "one_bp" in plan.parts else None
        if args.out:
            _write(args.out, report.report(warehouse, *asked))
            _say_what_is_unexplained(output, found)
    finally:
        warehouse.close()
    document = {**_planned(ahead), "failed": failed, "rows": _records(found), "cost": _records(costs)}
    output.answer(document, _in_words(found, costs, ahead, args.quick))


def _write(path: Path, page: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_text(page, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error.strerror}. Give --out a file that can be.") from error


def _say_what_is_unexplained(output: Output, found: pd.DataFrame) -> None:
    from core.reproduction.report import unexplained

    for part, method in unexplained(found):
        output.say(f"{part} {method} is below, and core/reproduction/deviations.py does not say what was tried.")


def _planned(ahead: Outlook) -> dict[str, Any]:
    return {
        "runs": ahead.runs,
        "cached": ahead.cached,
        "waiting": ahead.waiting,
        "to_train": ahead.to_train,
        "seconds": ahead.seconds,
        "to_fetch": list(ahead.absent),
    }


def _records(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The rows with Python's own types; what is missing is None."""
    if frame is None:
        return []
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def _in_words(found: pd.DataFrame, costs: pd.DataFrame | None, ahead: Outlook, quick: bool) -> str:
    """Accuracy of every row in both readings, verdicts, OneBP's cost, and what is still to come."""
    from core.reproduction import cost
    from core.reproduction.comparison import SHORT_READINGS, VERDICTS, verdicts
    from core.reproduction.plan import SETTINGS

    judged = verdicts(found).set_index(["part", "method"])["verdict"]
    rows = []
    for (part, method), own in found.groupby(["part", "method"], sort=False):
        first = own.iloc[0]["metric"] if part == "gowalla" else "ndcg@10"
        shown = own[own["metric"] == first]
        row = {"part": part, "method": method, "metric": first, "published": _share(shown.iloc[0]["published"])}
        for each in shown.to_dict("records"):
            row[f"{each['settings']}, {SHORT_READINGS[each['reading']]}"] = _share(each["mean"])
        rows.append({**row, "verdict": VERDICTS.get(judged.get((part, method), ""), "")})
    columns = [f"{s}, {name}" for name in SHORT_READINGS.values() for s in SETTINGS]
    lines = [table(rows, ["part", "method", "metric", "published", *columns, "verdict"])]
    if costs is not None:
        lines += [f"OneBP, {SETTINGS[s]}: {said}" for s in SETTINGS if (said := cost.in_words(costs, s))]
    counts = f"{ahead.runs} runs: {ahead.cached} cached, {ahead.waiting} under way, {ahead.to_train} to train"
    time_needed = f", about {duration(ahead.seconds)}" if ahead.to_train and ahead.seconds is not None else ""
    fetch = f"; {', '.join(ahead.absent)} to be fetched first" if ahead.absent else ""
    if quick:
        lines.append("Quick: few rows, one seed and few epochs. It shows that everything works; verdicts mean nothing.")
    lines.append(f"{counts}{time_needed}{fetch}. Every figure is chosen on test: optimistic. --json has every metric.")
    return "\n\n".join(lines)


def _share(value: float) -> str:
    """With four digits, as the papers print them; empty where there is none."""
    return "" if math.isnan(value) else f"{value:.4f}"
