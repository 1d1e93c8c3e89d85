"""`recommend`: what a finished run would show to one user."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from core.cli.command import Commands, add_command
from core.cli.output import Output, one_line, table
from core.errors import Refused
from core.settings import Settings

if TYPE_CHECKING:
    from core.datasets.store import Dataset
    from core.jobs.recommending import Known, Shown


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "recommend", recommend, "what a finished run would show to one user")
    parser.add_argument("run", metavar="RUN", help="id of a finished run")
    parser.add_argument("--user", required=True, metavar="USER", help="the user's id, as in the imported file")
    parser.add_argument(
        "--penalty-strength", metavar="X", help="re-rank with a popularity penalty of that strength, at once; 0 is none"
    )
    parser.add_argument("-k", type=int, default=10, metavar="N", help="length of the list (default 10)")


def recommend(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """The user's history and list, items of the history left out."""
    from core.datasets.store import find_dataset, read_items
    from core.jobs import recommending
    from core.jobs.artifacts import find_run, read_meta
    from core.models.variant import variant_from_fields

    if args.k < 1:
        raise Refused(f"-k {args.k} is no length of a list. Give a whole number from 1.")
    penalty = None if args.penalty_strength is None else recommending.strength(args.penalty_strength)
    run = find_run(settings, args.run).name
    meta = read_meta(settings, run)
    known = recommending.known(settings, run)
    user = recommending.number_of(known.dataset, args.user)
    titles = read_items(find_dataset(settings, meta["dataset"]).folder).column("title").to_pylist()
    shown = recommending.show(known, args.user, k=args.k, penalty=penalty)
    before = recommending.taken_before(known.dataset, "test").row(user)
    document = {
        "run": run,
        "user": args.user,
        **({} if penalty is None else {"penalty_strength": penalty}),
        "history": [_item(known.dataset, titles, item) for item in before],
        "lists": _listed(known, titles, shown, user),
    }
    replaced = (
        None if penalty is None else variant_from_fields(meta["fields"]).reranked
    )  # its own penalty counts no more
    output.answer(document, _in_words(document, replaced.label if replaced else meta["label"]))
    return 0


def _item(dataset: Dataset, titles: list[str | None], item: int) -> dict[str, Any]:
    return {"item": str(dataset.item_ids[item]), "title": titles[item]}


def _listed(known: Known, titles: list[str | None], shown: Shown, user: int) -> list[dict[str, Any]]:
    held_out = set(known.dataset.test.row(user).tolist())
    return [
        {
            "rank": rank,
            **_item(known.dataset, titles, int(item)),
            "score": float(score),
            "popularity": float(known.popularity[item] / known.dataset.n_users),
            "hit": int(item) in held_out,
        }
        for rank, (item, score) in enumerate(zip(*shown, strict=True), start=1)
    ]


def _in_words(document: dict[str, Any], label: str) -> str:
    rows = [
        {
            "rank": row["rank"],
            "title": row["title"] or row["item"],
            "score": row["score"],
            "taken by": f"{row['popularity']:.1%}",
            "": "hit" if row["hit"] else "",
        }
        for row in document["lists"]
    ]
    penalty = document.get("penalty_strength")
    made = "" if penalty is None else f", re-ranked with popularity penalty {penalty:g},"
    heading = (
        f"{one_line(label)}{made} for user {one_line(document['user'])}, who took {len(document['history'])} items:"
    )
    if not rows:
        return f"{heading}\n\nNothing is left to show: this user took every item of the data set."
    return f"{heading}\n\n{table(rows, ['rank', 'title', 'score', 'taken by', ''])}"
