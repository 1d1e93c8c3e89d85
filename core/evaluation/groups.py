"""Groups of items and of users by popularity: hot and cold, deciles, head to tail, niche to blockbuster.

Here: users' groups, from counts. Which items are hot, and their deciles, is told by core/datasets/popularity.py, since
models ask too; evaluation finds it here.
Not here: what is measured per group (popularity.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.datasets.popularity import HEADS, N_DECILES, Head, by_popularity, deciles, hot_items

__all__ = [
    "CLASS_PERCENT", "GROUP_PERCENT", "HEADS", "ITEM_CLASSES", "N_DECILES", "USER_GROUPS", "Head", "by_popularity",
    "deciles", "hot_items", "hot_shares", "item_classes", "user_groups",
]  # fmt: skip

GROUP_PERCENT = 20

USER_GROUPS = ("niche", "diverse", "blockbuster")
"""Lowest, middle and highest hot share of the profile."""
ITEM_CLASSES = ("head", "middle", "tail")
CLASS_PERCENT = 20


def hot_shares(interactions: Interactions, hot: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The hot share of each user's profile, (U,) in [0, 1]; NaN for a user without interactions. hot (I,) bool."""
    lengths = interactions.lengths()
    n_hot = np.bincount(interactions.users()[hot[interactions.indices]], minlength=interactions.n_users)
    return np.where(lengths > 0, n_hot / np.maximum(lengths, 1), np.nan)


def user_groups(interactions: Interactions, hot: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Each user's group by the hot share of the profile: "niche" (lowest 20 %), "blockbuster" (highest), "diverse".

    interactions: the profiles, hot (I,) bool. Returns (U,) str. The outer groups have floor(U/5) users each, ties by
    lower number (the groups of Abdollahpouri et al., 2019, arXiv 1907.13286, who cut at the same 20 %).
    A user without interactions is "diverse" and takes no part in the cut.
    """
    shares = hot_shares(interactions, hot)
    order = np.argsort(shares, kind="stable")[: int(np.isfinite(shares).sum())]  # NaN sorts last
    cut = GROUP_PERCENT * len(order) // 100
    groups = np.full(interactions.n_users, "diverse", dtype="<U11")
    groups[order[:cut]] = "niche"
    groups[order[len(order) - cut :]] = "blockbuster"
    return groups


def item_classes(popularity: NDArray[np.integer]) -> NDArray[np.int64]:
    """Head, middle or tail of the items: their place in ITEM_CLASSES, (I,) int64.

    popularity (I,) counts. The head are the fewest items that hold 20 % of the interactions, the tail the fewest of the
    least popular that hold 20 % (never-taken items among them), ties by lower number first in the head. Abdollahpouri
    et al., UMAP 2021 (arXiv 2103.06364). An item that alone would be both is head; without interactions all are middle.

    >>> item_classes(np.array([4, 0, 3, 1, 2]))  # 2 of 10 interactions: the first alone, and the last three
    array([0, 2, 1, 2, 2])
    """
    order, total = by_popularity(popularity), int(popularity.sum())
    before = np.cumsum(popularity[order]) - popularity[order]
    behind = total - before - popularity[order]
    classes = np.ones(len(popularity), np.int64)
    classes[order[100 * behind < CLASS_PERCENT * total]] = 2
    classes[order[100 * before < CLASS_PERCENT * total]] = 0
    return classes
