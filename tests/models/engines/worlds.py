"""Small worlds for the engines' tests, and how far counts are from what is expected."""

import numpy as np

from core.datasets.interactions import Interactions

USERS, ITEMS = 40, 60


def interactions(seed=0, users=USERS, items=ITEMS, length=15):
    """Long-tailed: the weight of an item falls with its number."""
    chance = np.random.default_rng(seed)
    weights = 1 / np.arange(1, items + 1)
    taken = [chance.choice(items, length, replace=False, p=weights / weights.sum()) for _ in range(users)]
    return Interactions.from_pairs(np.repeat(np.arange(users), length), np.concatenate(taken), users, items)


def chi_square(counts, expected):
    return ((counts - expected) ** 2 / expected).sum()
