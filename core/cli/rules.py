"""The options of a rule, which `decide` and `report` share: two metrics, and what is given up or reached."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.cli.command import Parser

if TYPE_CHECKING:
    from core.decisions.rule import Rule


def add_rule(parser: Parser, without: str = "") -> None:
    """Declare them. without: what the budget is where none is given, as the help says it."""
    parser.add_argument("--accuracy", default="ndcg@10", metavar="M", help="accuracy metric (default ndcg@10)")
    parser.add_argument("--bias", default="aplt@10", metavar="M", help="popularity metric (default aplt@10)")
    rule = parser.add_mutually_exclusive_group()
    rule.add_argument(
        "--budget",
        type=float,
        metavar="PERCENT",
        help=f"give up at most so much of the baseline's accuracy{without}",
    )
    rule.add_argument("--reach", type=float, metavar="X", help="reach that value of the popularity metric")
    parser.add_argument("--sure", action="store_true", help="the whole 95 %% interval must keep to it, not the mean")


def asked_rule(args: argparse.Namespace) -> Rule | None:
    """The rule that was asked for; None without one. Raises BadInput, Unknown."""
    from core.decisions.rule import Rule

    if args.reach is not None:
        return Rule("reach", args.reach, args.accuracy, args.bias, args.sure)
    if args.budget is not None:
        return Rule("give_up", args.budget, args.accuracy, args.bias, args.sure)
    return None
