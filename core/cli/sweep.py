"""`sweep`: train a grid of variants, and wait for it if asked to."""

from __future__ import annotations

import argparse
from typing import Any

from core.cli.command import Commands, add_command
from core.cli.datasets import prepared
from core.cli.fields import add_sweep_options, asked_plan, option, unused_fields
from core.cli.output import Output, duration, one_line, table
from core.cli.waiting import failure, wait_for_dataset, wait_for_runs
from core.errors import Refused
from core.models.fields import OWN_FIELDS
from core.models.plan import Plan
from core.models.sweep import Sweep
from core.settings import Settings


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "sweep",
        sweep,
        "train a grid of variants; what was trained before is not trained again",
        "A known data set that is not here yet is fetched first.",
    )
    parser.add_argument("dataset", metavar="DATASET", nargs="?", help="name or id; may be left to a plan that says it")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be trained, and how long it takes")
    parser.add_argument("--no-worker", action="store_true", help="only queue; `worker` or the app trains")
    parser.add_argument("--wait", action="store_true", help="return when all runs have ended, with 1 if any failed")
    add_sweep_options(parser)


def sweep(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Queue the runs asked for, and start the worker unless one runs."""
    from core.datasets.catalogue import CATALOGUE
    from core.datasets.store import list_datasets

    plan = asked_plan(args)
    asked = plan.sweep
    args.dataset = _dataset_of(args, settings, plan, output)
    if not asked.variants(args.dataset):
        raise Refused(
            "This asks for no run: a setting of a baseline names no method. Add the baseline, say `--baseline ease`, "
            "or a field of a method."
        )
    here = {name for info in list_datasets(settings) for name in (info.name, *info.aliases)}
    if args.dataset in CATALOGUE and args.dataset not in here and not args.dry_run:
        return _fetch_then_sweep(args, settings, output, asked)
    dataset = prepared(settings, args.dataset).id
    code = _plan(settings, output, dataset, asked) if args.dry_run else _start(args, settings, output, dataset, asked)
    if "pop_penalty" in asked.baselines and not any(grid.keys() - OWN_FIELDS.values() for grid in asked.grids):
        output.say("pop_penalty re-ranks what is trained: the default setting, since no field of a method is given.")
    for name in unused_fields(asked):
        output.say(f"{option(name)} changed nothing: no method asked for uses it.")
    return code


def _dataset_of(args: argparse.Namespace, settings: Settings, plan: Plan, output: Output) -> str:
    """The data set asked for, else the plan's: by its id where that is here, else by its name. Says what differs."""
    from core.datasets.store import list_datasets

    if plan.warning:
        output.say(one_line(plan.warning))
    here = {info.id: info for info in list_datasets(settings)}
    asked = args.dataset or (plan.dataset_id if plan.dataset_id in here else plan.dataset)
    if not asked:
        missing = "The plan does not say which data set it is for." if args.file else "Which data set?"
        raise Refused(f"{missing} Name one: `python -m core sweep DATASET ...`.")
    named = [info for info in here.values() if asked in {info.id, info.name, *info.aliases}]
    if plan.dataset_id and named and plan.dataset_id not in {info.id for info in named}:
        made_for = one_line(f"{plan.dataset or 'a data set'} with id {plan.dataset_id}")
        output.say(
            f"This plan was made for {made_for}; {asked} here is {named[0].id}, other interactions or another split: "
            "numbers will differ."
        )
    return asked


def _plan(settings: Settings, output: Output, dataset: str, asked: Sweep) -> int:
    from core.jobs import control

    plan = control.plan(settings, dataset, asked)
    variants = {run.variant.id: run.variant for run in control.runs_of(settings, dataset, asked)}
    document: dict[str, Any] = {
        "dataset": dataset,
        "runs": plan.runs,
        "cached": plan.cached,
        "waiting": plan.waiting,
        "to_train": plan.to_train,
        "seconds": plan.seconds,
        "variants": [{"variant": v.id, "label": v.label, "fields": v.used()} for v in variants.values()],
    }
    counts = f"{plan.runs} runs: {plan.cached} cached, {plan.waiting} under way, {plan.to_train} to train"
    time_needed = f", about {duration(plan.seconds)}" if plan.to_train and plan.seconds is not None else ""
    listed = table(document["variants"], {"variant": "variant", "label": "label"})
    output.answer(document, f"{listed}\n\n{counts}{time_needed}.")
    return 0


def _start(args: argparse.Namespace, settings: Settings, output: Output, dataset: str, asked: Sweep) -> int:
    from core.jobs import control
    from core.jobs.queue import Queue

    requested = control.request_sweep(settings, dataset, asked, start=not args.no_worker)
    failed = wait_for_runs(settings, output, [requested.sweep], not args.no_worker) if args.wait else []
    document: dict[str, Any] = {
        "sweep": requested.sweep,
        "dataset": dataset,
        "runs": [run.id for run in control.runs_of(settings, dataset, asked)],
        "cached": requested.cached,
        "queued": requested.queued,
    }
    text = f"Sweep {requested.sweep}: {requested.runs} runs, {requested.cached} cached, {requested.queued} queued."
    if args.wait:
        document["failed"] = [failure(job) for job in failed]
        done = requested.runs - len(failed)
        text = f"Sweep {requested.sweep}: {done} of {requested.runs} runs are done."
    elif Queue(settings).paused:
        output.say("The queue is paused: `python -m core jobs resume` starts it again.")
    output.answer(document, text)
    for job in failed:
        output.say(f"{job.label}: {job.reason or job.state}")
    return 1 if failed else 0


def _fetch_then_sweep(args: argparse.Namespace, settings: Settings, output: Output, asked: Sweep) -> int:
    """The sweep of a known data set that is not prepared yet: its preparation is a job that the runs wait for."""
    from core.jobs import control

    runs = len(asked.runs(args.dataset))  # refuses what cannot be trained before anything is fetched
    start = not args.no_worker
    if args.wait:
        job = control.request_dataset(settings, args.dataset, start=start)
        return _start(args, settings, output, wait_for_dataset(settings, output, job, start), asked)
    job = control.request_dataset(settings, args.dataset, then=asked, start=start)
    text = f"{args.dataset} is fetched first (job {job}); {runs} runs follow."
    output.answer({"prepare": job, "dataset": args.dataset, "runs": runs}, text)
    return 0
