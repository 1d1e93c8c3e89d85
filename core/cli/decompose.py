"""`decompose`: bias and variance of variants over replicates, trained where they are missing."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

from core.cli.command import Commands, add_command
from core.cli.datasets import prepared
from core.cli.fields import add_sweep_options, asked_plan
from core.cli.output import Output, duration, table
from core.cli.waiting import failure, wait_for_runs
from core.errors import Refused
from core.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from core.models.sweep import Sweep

REPLICATES = 20
SHOWN = ("all", "cold", "hot")


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "decompose",
        decompose,
        "bias-variance decomposition of variants over replicates",
        "Trains the missing replicates like any sweep, and shows what is finished. The others are compared with the "
        "first variant.",
    )
    parser.add_argument("dataset", metavar="DATASET", help="name or id")
    parser.add_argument(
        "--replicates", type=int, default=REPLICATES, metavar="N", help=f"of each variant (default {REPLICATES})"
    )
    parser.add_argument(
        "--by",
        choices=("bootstrap", "seeds"),
        default="bootstrap",
        help="what differs between replicates: the sample of training pairs, or only the seed (default bootstrap)",
    )
    parser.add_argument(
        "--score", choices=("brier", "logistic"), default="brier", help="the loss that is taken apart (default brier)"
    )
    parser.add_argument("--split", choices=("test", "validation"), default="test", help="whose held-out items")
    parser.add_argument("--all-groups", action="store_true", help="deciles of popularity too")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be trained, and how long it takes")
    parser.add_argument("--no-worker", action="store_true", help="only queue; `worker` or the app trains")
    parser.add_argument("--wait", action="store_true", help="return when all runs have ended, with 1 if any failed")
    add_sweep_options(parser)


def decompose(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Queue the missing replicates, wait for them if asked to, and show the decomposition of the finished ones."""
    from core.jobs import control
    from core.jobs.decomposing import replicated

    if args.seed or args.baseline:
        given = "--seed" if args.seed else "--baseline"
        raise Refused(
            f"{given} means nothing here: replicates number their own seeds, and only what is trained has any."
        )
    asked = asked_plan(args).sweep
    dataset = prepared(settings, args.dataset).id
    sweep = replicated(asked, args.by, args.replicates)
    if not sweep.runs(dataset):
        raise Refused("This asks for no trained setting. Name a field of a method, say `--sampler auc_ns`.")
    if args.dry_run:
        plan = control.plan(settings, dataset, sweep)
        left = f", about {duration(plan.seconds)}" if plan.to_train and plan.seconds is not None else ""
        text = f"{plan.runs} runs: {plan.cached} cached, {plan.waiting} under way, {plan.to_train} to train{left}."
        output.answer(
            {"runs": plan.runs, "cached": plan.cached, "to_train": plan.to_train, "seconds": plan.seconds}, text
        )
        return 0
    requested = control.request_sweep(settings, dataset, sweep, start=not args.no_worker)
    failed = wait_for_runs(settings, output, [requested.sweep], not args.no_worker) if args.wait else []
    code = _answer(args, settings, output, dataset, sweep)
    for job in failed:
        output.say(f"{job.label}: {failure(job)['reason'] or job.state}")
    return 1 if failed else code


def _answer(args: argparse.Namespace, settings: Settings, output: Output, dataset: str, sweep: Sweep) -> int:
    from core.jobs.decomposing import FEWEST, Question, decomposition, finished_replicates

    variants = [v for v in sweep.variants(dataset) if not v.baseline]
    found = finished_replicates(settings, variants, args.by, args.replicates)
    ready = [one for one in found if len(one.runs) >= FEWEST]
    waiting = len(variants) * args.replicates - sum(len(one.runs) for one in found)
    if waiting:
        output.say(f"{waiting} of {len(variants) * args.replicates} replicates are not trained yet.")
    if not ready:
        output.answer(
            {"rows": [], "waiting": waiting}, f"Fewer than {FEWEST} replicates are finished: nothing to show yet."
        )
        return 0
    frame = decomposition(settings, ready, Question(args.score, args.by, args.split))
    kept = frame if args.all_groups else frame[frame["group"].isin(SHOWN)]
    document: dict[str, Any] = {
        "dataset": dataset,
        "score": args.score,
        "by": args.by,
        "split": args.split,
        "waiting": waiting,
        "rows": [{k: _plain(v) for k, v in row.items()} for row in kept.to_dict("records")],
    }
    output.answer(document, _text(kept))
    return 0


def _plain(value: Any) -> Any:
    """NaN has no place in JSON: what is not known is null."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _text(frame: pd.DataFrame) -> str:
    rows = []
    for row in frame.to_dict("records"):
        shown = {"setting": row["label"], "group": row["group"], "n": row["replicates"]}
        shown |= {name: f"{row[name]:.4f}" for name in ("loss", "bias", "variance")}
        if not math.isnan(row["noise"]):  # else it is part of bias
            shown["noise"] = f"{row['noise']:.4f}"
        for name in ("loss", "bias", "variance"):
            value = row.get(f"d_{name}", float("nan"))
            low, high = (row.get(f"d_{name}_{end}", float("nan")) for end in ("low", "high"))
            shown[f"d {name}"] = f"{value:+.4f} ({low:+.4f} to {high:+.4f})" if not math.isnan(value) else ""
        rows.append(shown)
    return table(rows, {name: name for name in rows[0]})
