"""The options of a variant, one for each of its fields, and the sweep that they ask for."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.cli.command import Parser
from core.errors import Refused
from core.models.choices import BASELINES, PROTOCOLS
from core.models.fields import FIELDS, MODULES, OWN_FIELDS, Field
from core.models.plan import Plan, is_seed, read_plan
from core.models.sweep import Grid, Sweep


def add_sweep_options(parser: Parser) -> None:
    """The options that describe a sweep: fields, seeds, baselines, protocol, or a plan file."""
    parser.add_argument(
        "--seed",
        nargs="+",
        action="extend",
        type=seed,
        metavar="N",
        help="seeds, each a run of every variant (default 0)",
    )
    known = f"reference methods: {', '.join(BASELINES)}"
    parser.add_argument("--baseline", nargs="+", action="extend", metavar="NAME", help=known)
    parser.add_argument("--protocol", metavar="NAME", help=f"what chooses the epoch: {', '.join(PROTOCOLS)}")
    parser.add_argument(
        "--file", type=Path, metavar="PLAN", help="a plan.toml that describes the sweep, instead of fields"
    )
    group = parser.add_argument_group(
        "fields of the variant",
        "Several values make a grid. What is not given has its tested default; a field that a variant does not use "
        "makes no copies of it.",
    )
    for name, field in FIELDS.items():
        metavar = "NAME" if field.choices else "N" if field.kind is int else "X"
        help_ = explained(field)
        group.add_argument(option(name), dest=name, nargs="+", action="extend", metavar=metavar, help=help_)


def option(field: str) -> str:
    """The option of a field."""
    return "--" + field.replace("_", "-")


def explained(field: Field) -> str:
    """The help of a field's option: what it is, and what may be chosen."""
    choices = f": {', '.join(field.choices)}" if field.choices else ""
    return f"{field.help}{choices}".replace("%", "%%")


def seed(text: str) -> int:
    """A seed from the command line: a whole number from 0."""
    if not text.isdecimal() or not is_seed(int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no seed, which is a whole number from 0")
    return int(text)


def asked_plan(args: argparse.Namespace) -> Plan:
    """What the options ask for; seed and protocol count above a plan file's. Raises Refused for both at once.

    Without fields, baseline and file it is the default variant; with baselines only, just those.
    """
    grid = {name: values for name in FIELDS if (values := getattr(args, name)) is not None}
    if "lr_decay" in grid:  # the steps of one schedule; a plan file can hold several
        grid["lr_decay"] = [" ".join(grid["lr_decay"])]
    if args.file:
        if grid or args.baseline:
            given = option(next(iter(grid))) if grid else "--baseline"
            raise Refused(
                f"{given} and --file both say what to train. Put all of it into the file, or leave --file out."
            )
        plan = read_plan(args.file)
    else:
        grids = () if args.baseline and not grid else (grid,)
        plan = Plan(Sweep(grids, tuple(args.baseline or ()), seeds=(0,)))
    asked = plan.sweep
    seeds, protocol = tuple(args.seed or asked.seeds), args.protocol or asked.protocol
    return replace(plan, sweep=replace(asked, seeds=seeds, protocol=protocol))


def unused_fields(asked: Sweep) -> list[str]:
    """The fields whose values change nothing, since no variant asked for uses them."""
    modules = [[*_modules(grid, asked.protocol), *({"baseline": b} for b in asked.baselines)] for grid in asked.grids]
    given = {name: None for grid in asked.grids for name in grid}
    return [
        name
        for name in given
        if not any(
            name in grid and any(map(FIELDS[name].used, found))
            for grid, found in zip(asked.grids, modules, strict=True)
        )
    ]


def _modules(grid: Grid, protocol: str) -> Iterator[dict[str, Any]]:
    """Every combination of building modules in the grid: which fields are used follows from these."""
    if grid and not grid.keys() - set(OWN_FIELDS.values()):  # settings of baselines only: nothing is trained
        return
    named = {name: grid.get(name, [None]) for name in MODULES}
    for values in itertools.product(*named.values()):
        chosen: dict[str, Any] = {"protocol": protocol}
        for (name, field), value in zip(MODULES.items(), values, strict=True):
            chosen[name] = field.default(chosen) if value is None else value
        yield chosen
