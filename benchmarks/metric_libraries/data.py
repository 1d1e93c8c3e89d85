"""What is measured: three lists of MovieLens 100K, or list files of one's own, and our metrics of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.metric_libraries.folder import CUTOFFS
from core.datasets.interactions import Interactions
from core.datasets.store import Dataset
from core.errors import BadInput
from core.evaluation.evaluate import evaluate
from core.evaluation.lists import match_lists, read_lists
from core.evaluation.measure import Evaluation, Ranking, evaluate_lists
from core.models.baselines import fit_baseline
from core.models.variant import make_variant

BASELINES = ("most_popular", "item_knn", "random")
SEED = 0


@dataclass(frozen=True, eq=False)
class Seen:
    """A list file as we measure it."""

    dataset: Dataset
    evaluation: Evaluation
    scores: NDArray[np.float32] | None
    """(U, I), of the evaluated users' rows and all others'; None for lists that came without."""

    @property
    def trained_on(self) -> Interactions:
        return self.dataset.train.merged(self.dataset.validation)


def of_baselines(dataset: Dataset) -> dict[str, Seen]:
    """Lists of three baselines fitted on train and validation, as measured on test. The same ones every time."""
    trained_on, found = dataset.train.merged(dataset.validation), {}
    for name in BASELINES:
        scorer = fit_baseline(make_variant(dataset.id, baseline=name), trained_on, SEED)
        evaluation = evaluate(scorer, trained_on, dataset.test, trained_on, CUTOFFS)
        found[name] = Seen(dataset, evaluation, scorer.scores(np.arange(trained_on.n_users)))
    return found


def of_files(dataset: Dataset, files: Iterable[Path]) -> dict[str, Seen]:
    """Anybody's list files, repaired by the rules of docs/metrics.md. Raises BadInput; also for lists that are short.

    What a short list means is another thing in every library, and RecBole takes none.
    """
    trained_on, found = dataset.train.merged(dataset.validation), {}
    for file in files:
        lists = match_lists(read_lists(file), dataset, max(CUTOFFS), name=file.name)
        if (short := (lists.items < 0).any(axis=1)).any():
            raise BadInput(
                file.name,
                f"{short.sum()} of {len(short)} lists are shorter than {max(CUTOFFS)} once repaired, and every library "
                "counts the missing places in another way",
                "Give longer lists, without items of train and validation.",
            )
        how = {"mask": trained_on, "profiles": trained_on}
        evaluation = evaluate_lists(lists.items, lists.users, dataset.test, trained_on, CUTOFFS, **how)
        found[file.stem] = Seen(dataset, evaluation, None)
    return found


def write(folder: Path, dataset: Dataset, seen: Mapping[str, Seen]) -> None:
    """The files of folder.py."""
    rankings = {name: one.evaluation.ranking for name, one in seen.items()}
    trained_on = dataset.train.merged(dataset.validation)
    _write(folder, dataset.user_ids, dataset.item_ids, trained_on, dataset.test, rankings)
    (folder / "scores").mkdir()
    for name, one in seen.items():
        if one.scores is not None:
            np.save(folder / "scores" / f"{name}.npy", one.scores)


def write_numbers(
    folder: Path, trained_on: Interactions, held_out: Interactions, rankings: Mapping[str, Ranking]
) -> None:
    """The same without scores, and with numbers for ids."""
    _write(folder, np.arange(held_out.n_users), np.arange(held_out.n_items), trained_on, held_out, rankings)


def _write(
    folder: Path,
    users: NDArray[Any],
    items: NDArray[Any],
    trained_on: Interactions,
    held_out: Interactions,
    rankings: Mapping[str, Ranking],
) -> None:
    for name, ids in (("users", users), ("catalogue", items)):
        (folder / f"{name}.txt").write_text("\n".join(map(str, ids)), encoding="utf-8")
    for name, pairs in (("train", trained_on), ("test", held_out)):
        _rows(folder / f"{name}.csv", ("user", "item"), zip(users[pairs.users()], items[pairs.indices], strict=True))
    (folder / "lists").mkdir()
    for name, ranking in rankings.items():
        row, place = np.nonzero(ranking.items >= 0)
        shown = zip(users[ranking.users[row]], items[ranking.items[row, place]], place + 1, strict=True)
        _rows(folder / "lists" / f"{name}.csv", ("user", "item", "rank"), shown)


def _rows(path: Path, head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
