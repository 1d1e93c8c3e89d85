"""`datasets`: list, fetch, show, remove and import data sets."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import PROGRAM, Commands, add_command, add_group
from core.cli.output import Output, one_line, table
from core.errors import Refused, Unknown
from core.settings import Settings

if TYPE_CHECKING:
    from core.datasets.store import DatasetInfo


def add(commands: Commands) -> None:
    """Declare the commands."""
    inner = add_group(commands, "datasets", "list, fetch, show, remove and import data sets")
    add_command(inner, "list", list_, "what is prepared, and what can be fetched")
    fetch_ = add_command(inner, "fetch", fetch, "fetch and prepare a known data set")
    fetch_.add_argument("name", metavar="NAME", help="as `datasets list` shows it")
    show_ = add_command(inner, "show", show, "what is known of a data set")
    show_.add_argument("name", metavar="NAME", help="name or id")
    remove_ = add_command(inner, "remove", remove, "remove a prepared data set; its runs stay")
    remove_.add_argument("name", metavar="NAME", help="name or id")
    _add_import(inner)


def _add_import(inner: Commands) -> None:
    parser = add_command(
        inner,
        "import",
        import_,
        "make a data set of a file of interactions",
        "CSV, TSV or Parquet with a header, RecBole atomic files, MovieLens `::` files, LightGCN adjacency lists.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="one interaction a row")
    parser.add_argument("--name", required=True, metavar="NAME", help="what to call it")
    parser.add_argument("--test", type=Path, metavar="FILE", help="the held-out interactions, with --split given")
    parser.add_argument("--format", metavar="F", help="settles the format, which is told from the content otherwise")
    for kind in ("user", "item", "rating"):
        parser.add_argument(f"--{kind}-col", metavar="NAME", help=f"column of the {kind} (default {kind})")
    parser.add_argument("--time-col", metavar="NAME", help="column of the time (default timestamp)")
    parser.add_argument("--items", type=Path, metavar="FILE", help="titles and genres of the items")
    parser.add_argument("--title-col", metavar="NAME", help="column of the title there (default title)")
    parser.add_argument("--min-rating", type=float, metavar="X", help="keep only ratings from X")
    parser.add_argument(
        "--k-core", type=int, metavar="N", help="keep only users and items with at least N interactions"
    )
    splits = "random, temporal, leave-one-out or given (default random, or given with --test)"
    parser.add_argument("--split", metavar="NAME", help=f"how test is held out: {splits}")
    parser.add_argument("--test-share", type=float, metavar="X", help="share of a user's interactions (default 0.2)")
    parser.add_argument("--validation-share", type=float, metavar="X", help="share of what remains (default 0.1)")
    parser.add_argument("--seed", type=int, metavar="N", help="of the random split (default 0)")


def list_(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """The prepared data sets, and the names that can be fetched."""
    from core.datasets.catalogue import CATALOGUE
    from core.datasets.store import list_datasets

    infos = [described(info) for info in list_datasets(settings)]
    columns = {
        "name": "name",
        "id": "id",
        "users": "users",
        "items": "items",
        "interactions": "interactions",
        "title": "",
    }
    have = {info["name"] for info in infos}
    missing = [name for name in CATALOGUE if name not in have]
    text = table(infos, columns) if infos else "No data set is prepared yet."
    more = f"\n\nCan be fetched: {', '.join(missing)}." if missing else ""
    output.answer(infos, text + more)
    return 0


def fetch(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Fetch a known data set from the first source that answers, and prepare it."""
    from core.datasets.acquire import acquire

    with output.progress() as show_progress:
        info = acquire(settings, args.name, show_progress)
    output.answer(described(info), _in_words(info))
    return 0


def show(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Everything known of one data set."""
    info = prepared(settings, args.name)
    output.answer(described(info), _in_words(info))
    return 0


def remove(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Remove one data set."""
    from core.datasets.store import remove_dataset

    info = remove_dataset(settings, args.name)
    output.answer({"removed": info.id, "name": info.name}, f"Removed {info.name} ({info.id}). Its runs stay.")
    return 0


def import_(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Import a file as a data set of the user's own."""
    from core.datasets.imports import ImportRequest, import_file

    given = {key: value for key, value in _import_options(args).items() if value is not None}
    info = import_file(settings, ImportRequest(**given))
    output.answer(described(info), _in_words(info))
    return 0


def _import_options(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "path": args.file,
        "name": args.name,
        "test": args.test,
        "format": args.format,
        "user_column": args.user_col,
        "item_column": args.item_col,
        "rating_column": args.rating_col,
        "time_column": args.time_col,
        "items": args.items,
        "title_column": args.title_col,
        "min_rating": args.min_rating,
        "k_core": args.k_core,
        "split": args.split,
        "test_share": args.test_share,
        "validation_share": args.validation_share,
        "seed": args.seed,
    }


def prepared(settings: Settings, asked: str) -> DatasetInfo:
    """The data set of that name or id. Raises Unknown; for a known one that is not here yet, Refused with the mend."""
    from core.datasets.catalogue import CATALOGUE
    from core.datasets.store import find_dataset, list_datasets

    try:
        return find_dataset(settings, asked)
    except Unknown:
        if asked in CATALOGUE:
            mend = f"Fetch it first: `{PROGRAM} datasets fetch {asked}`."
            raise Refused(f"{asked} is not prepared here yet. {mend}") from None
        raise Unknown("data set", asked, {*(info.name for info in list_datasets(settings)), *CATALOGUE}) from None


def described(info: DatasetInfo) -> dict[str, Any]:
    """A data set as a JSON object."""
    from dataclasses import asdict

    return {**asdict(info), "notes": list(info.notes), "aliases": list(info.aliases), "folder": str(info.folder)}


def _in_words(info: DatasetInfo) -> str:
    splits = f"{info.train} train, {info.validation} validation, {info.test} test"
    facts = {
        "id": info.id,
        "also called": ", ".join(info.aliases),
        "users": info.users,
        "items": info.items,
        "interactions": f"{info.interactions} ({splits})",
        "prepared": info.prepared_how,
        "source": info.source,
        "licence": info.licence,
        "citation": info.citation,
    }
    lines = [f"{what:<12}  {one_line(str(fact))}" for what, fact in facts.items() if fact]
    notes = [f"{'note':<12}  {one_line(note)}" for note in info.notes]
    title = one_line(info.title) + (" (simulated)" if info.simulated else "")
    return "\n".join([f"{info.name}: {title}", *lines, *notes])
