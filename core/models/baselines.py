"""Baselines outside the grid: reference points that learn nothing, or in closed form.

Here: one function a baseline, its table. Not here: their names and explanations (choices.py).
A new baseline is one function, one row in FITS, one row in BASELINES of choices.py, one row in docs/methods.md.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.datasets.interactions import Interactions
from core.models.scorers import Factors, RandomScores, Scorer
from core.models.variant import Variant


def most_popular(fitted: Interactions, _: int) -> Factors:
    """The score of an item is the number of users who took it, for every user: embeddings of length 1."""
    return Factors(np.ones((fitted.n_users, 1), np.float32), fitted.popularity().astype(np.float32)[:, None])


def random(fitted: Interactions, seed: int) -> RandomScores:
    """Uniform scores, another order for each user and seed."""
    return RandomScores(seed, fitted.n_users, fitted.n_items)


FITS: dict[str, Callable[[Interactions, int], Scorer]] = {"most_popular": most_popular, "random": random}


def fit_baseline(variant: Variant, fitted: Interactions, seed: int) -> Scorer:
    """The scorer of a baseline variant. fitted: the pairs it may look at."""
    return FITS[str(variant.baseline)](fitted, seed)
