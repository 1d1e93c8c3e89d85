"""`recommend`: what a finished run would show to one user."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from core.cli.command import Commands, add_command
from core.cli.output import Output, one_line, table
from core.errors import Refused, Unknown
from core.settings import Settings

if TYPE_CHECKING:
    from core.datasets.store import Dataset
    from core.evaluation.measure import Ranking


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "recommend", recommend, "what a finished run would show to one user")
    parser.add_argument("run", metavar="RUN", help="id of a finished run")
    parser.add_argument("--user", required=True, metavar="USER", help="the user's id, as in the imported file")
    parser.add_argument("-k", type=int, default=10, metavar="N", help="length of the list (default 10)")


def recommend(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """The user's history and list, items of the history left out."""
    import numpy as np

    from core.datasets.store import find_dataset, read_dataset, read_items
    from core.jobs.artifacts import find_run, read_meta, read_scorer

    if args.k < 1:
        raise Refused(f"-k {args.k} is no length of a list. Give a whole number from 1.")
    run = find_run(settings, args.run).name
    meta = read_meta(settings, run)
    info = find_dataset(settings, meta["dataset"])
    dataset = read_dataset(info.folder)
    user = _number_of(dataset, args.user)
    mask = dataset.train.merged(dataset.validation)

    from core.kernels import use_kernel_cache

    use_kernel_cache(settings)
    from core.evaluation.ranking import top_k  # compiles on import: into this cache

    ranking = top_k(read_scorer(settings, run), np.array([user], np.int32), mask, min(args.k, dataset.n_items))
    titles = read_items(info.folder).column("title").to_pylist()
    popularity = dataset.fitted(meta["protocol"]).popularity() / dataset.n_users
    document = {
        "run": run,
        "user": args.user,
        "history": [_item(dataset, titles, item) for item in mask.row(user)],
        "lists": _shown(dataset, titles, ranking, user, popularity),
    }
    output.answer(document, _in_words(document, meta["label"]))
    return 0


def _number_of(dataset: Dataset, user: str) -> int:
    """The number of a user's id; ids are sorted."""
    number = int(dataset.user_ids.searchsorted(user))
    if number >= dataset.n_users or dataset.user_ids[number] != user:
        raise Unknown("user", user, map(str, dataset.user_ids))
    return number


def _item(dataset: Dataset, titles: list[str | None], item: int) -> dict[str, Any]:
    return {"item": str(dataset.item_ids[item]), "title": titles[item]}


def _shown(
    dataset: Dataset, titles: list[str | None], ranking: Ranking, user: int, popularity: Any
) -> list[dict[str, Any]]:
    held_out = set(dataset.test.row(user).tolist())
    return [
        {
            "rank": rank,
            **_item(dataset, titles, int(item)),
            "score": float(score),
            "popularity": float(popularity[item]),
            "hit": int(item) in held_out,
        }
        for rank, (item, score) in enumerate(zip(ranking.items[0], ranking.scores[0], strict=True), start=1)
        if item >= 0
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
    heading = f"{one_line(label)} for user {one_line(document['user'])}, who took {len(document['history'])} items:"
    return f"{heading}\n\n{table(rows, ['rank', 'title', 'score', 'taken by', ''])}"
