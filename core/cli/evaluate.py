"""`evaluate` and `add-lists`: anybody's top-k lists, measured on a prepared data set, and kept beside its runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import Commands, add_command
from core.cli.datasets import prepared
from core.cli.output import Output, one_line, table
from core.cli.results import SHOWN
from core.errors import Refused
from core.settings import Settings

if TYPE_CHECKING:
    from core.jobs.added_lists import AddedLists

LISTS_HELP = (
    "LISTS is CSV or Parquet with user,item,rank, ids as in the imported files, and optionally split and score."
)


def add(commands: Commands) -> None:
    """Declare the commands."""
    _add_adding(commands)
    parser = add_command(commands, "evaluate", evaluate, "metrics of anybody's top-k lists", LISTS_HELP)
    parser.add_argument("dataset", metavar="DATASET", help="name or id")
    parser.add_argument("lists", type=Path, metavar="LISTS", help="CSV or Parquet: user,item,rank (rank from 1)")
    parser.add_argument("-k", type=int, default=10, metavar="N", help="length of the lists (default 10)")
    parser.add_argument(
        "--split", choices=("test", "validation"), default="test", help="whose held-out items count (default test)"
    )
    parser.add_argument(
        "--count-on", choices=("train", "all"), default="train", help="what popularity is counted on (default train)"
    )
    parser.add_argument(
        "--head",
        choices=("items", "interactions"),
        default="items",
        help="hot: the most popular 15%% of items, or the fewest that hold 80%% of the interactions (default items)",
    )


def _add_adding(commands: Commands) -> None:
    parser = add_command(
        commands, "add-lists", add_lists, "anybody's top-k lists as a reference on every chart", LISTS_HELP
    )
    parser.add_argument("dataset", metavar="DATASET", help="name or id")
    parser.add_argument("lists", type=Path, nargs="?", metavar="LISTS", help="CSV or Parquet: user,item,rank")
    parser.add_argument("--name", metavar="NAME", help="what to call them; lists of that name are replaced")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--list", action="store_true", help="show what was added to the data set")
    other.add_argument("--remove", metavar="NAME", help="remove the lists of that name")


def add_lists(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Keep lists beside a data set's runs; or show, or remove, what was added."""
    from core.jobs import added_lists

    info = prepared(settings, args.dataset)
    if args.list or args.remove is not None:
        if args.lists or args.name:
            raise Refused("--list and --remove stand alone, without LISTS and --name.")
        if args.list:
            return _show_added(added_lists.added_lists(settings, info.id), info.name, output)
        gone = added_lists.remove_lists(settings, info.id, args.remove.strip())
        output.answer({"removed": gone.id, "name": gone.name}, f"Removed {one_line(gone.name)} ({gone.id}).")
        return 0
    if not args.lists or args.name is None:
        raise Refused("What to add? Give LISTS and --name NAME, or --list, or --remove NAME.")
    added = added_lists.add_lists(settings, info, args.lists, args.name)
    metrics = added_lists.metrics(added.lists)
    document = {
        **_described(added.lists),
        "replaced": added.replaced.id if added.replaced else None,
        "known": added.known,
        "metrics": metrics,
    }
    output.answer(document, _added_in_words(added.sentence, added.lists, metrics))
    return 0


def _described(one: AddedLists) -> dict[str, Any]:
    """Added lists as a JSON object."""
    return {
        "lists": one.id,
        "name": one.name,
        "dataset": one.dataset,
        "file": one.file,
        "created": one.created,
        "cutoffs": one.cutoffs,
        "users": {split: {"with_lists": have, "evaluated": of} for split, (have, of) in one.users.items()},
        "notes": list(one.notes),
    }


def _show_added(found: list[AddedLists], dataset: str, output: Output) -> int:
    rows = [{"name": one.name, "id": one.id, "file": one.file, "measured": one.described} for one in found]
    nothing = f"No lists were added to {dataset} yet: `add-lists {dataset} LISTS --name NAME`."
    text = table(rows, ["name", "id", "file", "measured"]) if rows else nothing
    output.answer([_described(one) for one in found], text)
    return 0


def _added_in_words(sentence: str, one: AddedLists, metrics: dict[str, dict[str, float]]) -> str:
    splits = [split for split in ("test", "validation") if split in metrics]
    rows = [
        {"metric": m, **{s: metrics[s].get(m) for s in splits}} for m in SHOWN if any(m in metrics[s] for s in splits)
    ]
    shown = f"\n\n{table(rows, ['metric', *splits])}" if rows else ""
    told = "\n".join(one_line(text) for text in (f"Measured: {one.described}.", *one.notes))
    where = (
        "They stand on every chart of this data set as lists added, not trained here. Popularity is counted on train."
    )
    return f"{one_line(sentence)}{shown}\n\n{told}\n{where}"


def evaluate(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """The lists' metrics, and what was dropped or repaired to compute them."""
    from core.datasets.store import read_dataset
    from core.evaluation.lists import evaluate_lists_file

    dataset = read_dataset(prepared(settings, args.dataset).folder)
    how = {"k": args.k, "count_on": args.count_on, "head": args.head, "split": args.split}
    answer = evaluate_lists_file(args.lists, dataset, **how)
    output.answer(answer, _in_words(answer))
    return 0


def _in_words(answer: dict[str, Any]) -> str:
    rows = [{"metric": name, "value": value} for name, value in answer["metrics"].items()]
    notes = "".join(f"\n{note}" for note in answer["notes"])
    about = f"Over {answer['users']} users with {answer['split']} items, lists of {answer['k']}."
    return f"{table(rows, ['metric', 'value'])}\n\n{about}{notes}"
