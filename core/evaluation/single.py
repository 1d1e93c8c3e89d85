"""The list of one user, from scores: what `ranking` does for many, without a compiler.

Here: the one function. Not here: blocks of users (ranking.py), where the scores come from (core/models).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_items(scores: NDArray[np.float32], mask: NDArray[np.integer], k: int) -> NDArray[np.int32]:
    """The k items that score highest, best first, ties to the lower item number: the list that `ranking.top_k` gives.

    scores (I,); mask: item numbers that are not shown. Items that score NaN are never shown. Returns up to k numbers.
    >>> best_items(np.float32([0.5, 2, 2, 3]), np.array([3]), 2)
    array([1, 2], dtype=int32)
    """
    shown = ~np.isnan(scores)
    shown[mask] = False
    candidates = np.flatnonzero(shown).astype(np.int32)
    found: NDArray[np.int32] = candidates[np.argsort(-scores[candidates], kind="stable")[:k]]
    return found
