"""`report`: a decision and all that is needed to check it, as one file of HTML."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from core.cli.command import Commands, add_command
from core.cli.datasets import prepared
from core.cli.output import Output
from core.cli.rules import add_rule, asked_rule
from core.errors import Failed, Refused
from core.settings import Settings


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "report",
        report,
        "write a report: decision, charts, tables and what made them, in one file that needs nothing else",
        "The same results and the same options give the same bytes.",
    )
    parser.add_argument("dataset", metavar="DATASET", help="name or id")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file, such as report.html")
    parser.add_argument("--a", metavar="VARIANT", help="a setting to look at closely (id, label or method)")
    parser.add_argument("--b", metavar="VARIANT", help="a second one")
    parser.add_argument("--baseline", metavar="VARIANT", help="what others are compared with (default rns)")
    add_rule(parser)
    parser.add_argument(
        "--split", choices=("validation", "test"),
        help="figures of (default validation, which chooses; a saved decision brings its test figures)",
    )  # fmt: skip
    parser.add_argument("--protocol", default="validation", metavar="NAME", help="whose runs (default validation)")


def report(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Write the file."""
    from core.report import make_request
    from core.report import report as made
    from core.warehouse.database import Warehouse

    rule = asked_rule(args)
    if args.sure and rule is None:
        raise Refused("--sure belongs to a rule. Give --budget or --reach, too.")
    dataset = prepared(settings, args.dataset)
    warehouse = Warehouse.open(settings, own=False)
    try:
        asked = make_request(
            warehouse, dataset.id, args.accuracy, args.bias, args.split, args.protocol, args.baseline, args.a, args.b,
            rule,
        )  # fmt: skip
        content = made(warehouse, asked)
    finally:
        warehouse.close()
    for problem in warehouse.problems:
        output.say(problem.text)
    _write(args.out, content)
    document = {
        "file": str(args.out), "bytes": len(content), "dataset": dataset.id, "split": asked.split,
        "protocol": asked.protocol, "baseline": asked.baseline, "a": asked.a, "b": asked.b,
        "rule": rule.to_json() if rule else None,
    }  # fmt: skip
    output.answer(document, f"{args.out}: {max(1, len(content) // 1000):,} kB.")
    return 0


def _write(path: Path, content: bytes) -> None:
    """The file whole, or not at all."""
    if not path.parent.is_dir():
        raise Refused(f"There is no folder {path.parent}. Make it, or name another file.")
    if path.is_dir():
        raise Refused(f"{path} is a folder. Name a file in it.")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Failed(f"{path} cannot be written ({error.strerror}). Name another file.") from error
