"""`evaluate`: metrics of anybody's top-k lists on a prepared data set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core.cli.command import Commands, add_command
from core.cli.datasets import prepared
from core.cli.output import Output, table
from core.settings import Settings


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "evaluate",
        evaluate,
        "metrics of anybody's top-k lists",
        "LISTS is CSV or Parquet with user,item,rank, ids as in the imported files, and optionally split and score.",
    )
    parser.add_argument("dataset", metavar="DATASET", help="name or id")
    parser.add_argument("lists", type=Path, metavar="LISTS", help="CSV or Parquet: user,item,rank (rank from 1)")
    parser.add_argument("-k", type=int, default=10, metavar="N", help="length of the lists (default 10)")
    parser.add_argument(
        "--count-on", choices=("train", "all"), default="train", help="what popularity is counted on (default train)"
    )
    parser.add_argument(
        "--head",
        choices=("items", "interactions"),
        default="items",
        help="hot: the most popular 15%% of items, or the fewest that hold 80%% of the interactions (default items)",
    )


def evaluate(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """The lists' metrics, and what was dropped or repaired to compute them."""
    from core.datasets.store import read_dataset
    from core.evaluation.lists import evaluate_lists_file

    dataset = read_dataset(prepared(settings, args.dataset).folder)
    answer = evaluate_lists_file(args.lists, dataset, k=args.k, count_on=args.count_on, head=args.head)
    output.answer(answer, _in_words(answer))
    return 0


def _in_words(answer: dict[str, Any]) -> str:
    rows = [{"metric": name, "value": value} for name, value in answer["metrics"].items()]
    notes = "".join(f"\n{note}" for note in answer["notes"])
    return f"{table(rows, ['metric', 'value'])}\n\nOver {answer['users']} users, lists of {answer['k']}.{notes}"
