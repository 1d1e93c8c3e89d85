"""What a finished run shows to one user, from its scorer: at once, and re-ranked with a penalty of any strength.

Here: reading what is needed, kept for the next question, and the list.
Not here: lists as they were evaluated (`top_k.parquet`, core/warehouse), titles, the penalty (models/scorers.py).
Imports no compiler: pages ask it while somebody moves a slider.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.datasets.store import Dataset, find_dataset, read_dataset
from core.errors import BadVariant, Unknown
from core.evaluation.single import best_items
from core.jobs import artifacts
from core.models.fields import FIELDS, judge
from core.models.scorers import Scorer, penalised
from core.settings import Settings


class Shown(NamedTuple):
    """One user's list, best first: item numbers (n,) int32 and their scores (n,) float32."""

    items: NDArray[np.int32]
    scores: NDArray[np.float32]


class Known(NamedTuple):
    """What a list is made from."""

    dataset: Dataset
    scorer: Scorer
    popularity: NDArray[np.int64]
    """Users who took each item, counted on what the run was trained on."""


def known(settings: Settings, run_id: str) -> Known:
    """A finished run's data set, scorer and popularity. Raises Unknown, DamagedArtifact."""
    meta = artifacts.read_meta(settings, run_id)
    folder = find_dataset(settings, meta["dataset"]).folder
    dataset = _dataset(folder)
    return Known(dataset, _scorer(settings, run_id), _popularity(folder, meta["protocol"]))


def show(known: Known, user_id: str, split: str = "test", k: int = 20, penalty: float | None = None) -> Shown:
    """The list of k that the user is shown, what was taken before that split left out.

    penalty: strength of a popularity penalty put on the scores; it replaces the one that the run itself has, and 0 is
    none at all. None: the run as it is. Raises Unknown for a user.
    """
    user = number_of(known.dataset, user_id)
    scorer = known.scorer if penalty is None else penalised(known.scorer, known.popularity, penalty)
    scores = scorer.scores(np.array([user], np.int32))[0]
    items = best_items(scores, taken_before(known.dataset, split).row(user), k)
    return Shown(items, scores[items])


def taken_before(dataset: Dataset, split: str) -> Interactions:
    """What a list for that split may not hold: train, and for test validation too."""
    return dataset.train if split == "validation" else _both(dataset)


def number_of(dataset: Dataset, user_id: str) -> int:
    """The number of a user's id; ids are sorted. Raises Unknown."""
    number = int(dataset.user_ids.searchsorted(user_id))
    if number >= dataset.n_users or dataset.user_ids[number] != user_id:
        raise Unknown("user", user_id, map(str, dataset.user_ids))
    return number


def strength(given: object) -> float:
    """A penalty's strength. Raises BadVariant for what is none, with the sentence that a sweep gives."""
    value, problem = judge("penalty_strength", FIELDS["penalty_strength"], given)
    if problem:
        raise BadVariant(problem)
    return float(value)


# kept, since neither a finished run nor a data set's interactions ever change under their id


@lru_cache(maxsize=2)
def _dataset(folder: Path) -> Dataset:
    return read_dataset(folder)


@lru_cache(maxsize=2)
def _both(dataset: Dataset) -> Interactions:
    return dataset.train.merged(dataset.validation)


@lru_cache(maxsize=4)
def _popularity(folder: Path, protocol: str) -> NDArray[np.int64]:
    return _dataset(folder).fitted(protocol).popularity()


@lru_cache(maxsize=2)  # the two lists side by side; EASE of a large catalogue takes gigabytes
def _scorer(settings: Settings, run_id: str) -> Scorer:
    return artifacts.read_scorer(settings, run_id)
