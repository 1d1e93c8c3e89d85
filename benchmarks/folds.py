"""The training pairs in ten parts, each held out once: one set of held-out pairs cannot tell apart what is close."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.datasets.interactions import Interactions
from core.datasets.store import Dataset

FOLDS = 10


def hold_out(dataset: Dataset, fold: int) -> Dataset:
    """The data set with that tenth of each user's training pairs as validation set, at random. Test is left.

    Train and validation of the data set are the training pairs; a pair is in one fold.
    """
    whole, chance = dataset.fitted("refit"), np.random.default_rng(2403)
    users = whole.users()
    order = np.lexsort((chance.random(len(whole)), users))
    place = np.empty(len(whole), np.int64)
    place[order] = np.arange(len(whole)) - whole.indptr[users[order]]
    held = (place + users) % FOLDS == fold  # + users: the folds are of a size, whatever a user's number of pairs
    parts = (
        Interactions.from_pairs(users[part], whole.indices[part], whole.n_users, whole.n_items)
        for part in (~held, held)
    )
    train, validation = parts
    return replace(dataset, train=train, validation=validation)
