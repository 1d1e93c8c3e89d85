"""Popularity of items, from counts alone: which are hot, their order, their deciles.

Here: the rules, which models (a sampler draws by group), evaluation and charts share.
Not here: what is measured by them (core/evaluation/groups.py, popularity.py).
"Popularity" is always the number of users per item among the interactions that the caller counts on
(docs/metrics.md, ground rules: what the model was trained on).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Head = Literal["items", "interactions"]
HEADS: tuple[Head, ...] = ("items", "interactions")
N_DECILES = 10
COLD_PERCENT = 85
HEAD_INTERACTIONS_PERCENT = 80


def hot_items(popularity: NDArray[np.integer], head: Head = "items") -> NDArray[np.bool_]:
    """The hot items; all others are cold.

    head="items": popularity >= the sorted ascending popularity at position floor(.85 I), never-taken items included,
    so that ties with the cut are hot (code of arXiv 2306.01348). head="interactions": the fewest items that cover 80 %
    of the interactions, ties by lower number (Elliot's short head).
    popularity (I,) counts. Returns (I,) bool. Without interactions all are hot by "items", none by "interactions".

    >>> hot_items(np.array([5, 1, 1, 1, 1, 3, 1, 1, 1, 1]))  # position 8 of 1 1 1 1 1 1 1 1 3 5
    array([ True, False, False, False, False,  True, False, False, False,
           False])
    >>> hot_items(np.array([5, 1, 2, 2]), head="interactions")  # 5 + 2 < 8 <= 5 + 2 + 2
    array([ True, False,  True,  True])
    """
    if head not in HEADS:
        raise ValueError(f"head is one of {', '.join(HEADS)}, not {head!r}")
    if len(popularity) == 0:
        return np.zeros(0, np.bool_)
    if head == "items":
        return np.asarray(popularity >= np.sort(popularity)[COLD_PERCENT * len(popularity) // 100])
    order = by_popularity(popularity)
    before = np.cumsum(popularity[order]) - popularity[order]
    hot = np.zeros(len(popularity), np.bool_)
    hot[order] = 100 * before < HEAD_INTERACTIONS_PERCENT * popularity.sum()
    return hot


def by_popularity(popularity: NDArray[np.integer]) -> NDArray[np.int64]:
    """Item numbers, most popular first, ties by lower number. popularity (I,); returns (I,) int64.

    >>> by_popularity(np.array([1, 4, 1]))
    array([1, 0, 2])
    """
    return np.argsort(-popularity.astype(np.int64), kind="stable")


def deciles(popularity: NDArray[np.integer]) -> NDArray[np.int64]:
    """Ten groups of equally many items: 1 (least popular) to 10 (most popular), ties by lower number first.

    popularity (I,); returns (I,) int64. Group sizes differ by one at most; fewer than ten items leave groups empty.

    >>> deciles(np.array([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]))
    array([10,  9,  8,  7,  6,  5,  4,  3,  2,  1])
    """
    n_items = len(popularity)
    rank = np.empty(n_items, np.int64)
    rank[by_popularity(popularity)] = np.arange(n_items)
    return N_DECILES - rank * N_DECILES // max(n_items, 1)
