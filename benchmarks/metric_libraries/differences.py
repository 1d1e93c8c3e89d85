"""Where another library's definition is not ours: why, and its number recomputed from our side.

A difference that is explained but not recomputed could hide an error of ours behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.metric_libraries.data import Seen
from core.datasets.popularity import by_popularity
from core.evaluation import accuracy
from core.evaluation.measure import hits
from core.evaluation.popularity import recommendation_counts


@dataclass(frozen=True)
class Difference:
    """One row of DIFFERENCES."""

    why: str
    theirs: Callable[[Seen, int], float]
    """Their number of these lists at k (0 for a metric without)."""


def _hits(seen: Seen, k: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    ranking, test = seen.evaluation.ranking, seen.dataset.test
    return hits(ranking.items[:, :k], ranking.users, test), test.lengths()[ranking.users]


def map_over_taken(seen: Seen, k: int) -> float:
    is_hit, n_test = _hits(seen, k)
    ours = accuracy.average_precision(is_hit, n_test)
    return float((ours * np.minimum(n_test, k) / n_test).mean())


def recall_over_achievable(seen: Seen, k: int) -> float:
    is_hit, n_test = _hits(seen, k)
    return float((is_hit.sum(axis=1) / np.minimum(n_test, k)).mean())


def ndcg_of_plain_ranks(seen: Seen, k: int) -> float:
    is_hit, n_test = _hits(seen, k)
    weights = 1 / np.maximum(np.log2(np.arange(1, k + 1)), 1)
    best = np.cumsum(weights)[np.minimum(n_test, k) - 1]
    return float((is_hit @ weights / best).mean())


def entropy_over_shown(seen: Seen, k: int) -> float:
    counts = recommendation_counts(seen.evaluation.ranking.items[:, :k], seen.dataset.test.n_items)
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum() / len(shares))


def tail_of_seen(seen: Seen, k: int) -> float:
    popularity = seen.trained_on.popularity()
    ascending = by_popularity(popularity)[::-1]  # of equally popular ones the higher number first, theirs the lower
    ascending = ascending[np.lexsort((ascending, popularity[ascending]))]
    ascending = ascending[popularity[ascending] > 0]
    tail = np.zeros(len(popularity), np.bool_)
    tail[ascending[: int(len(ascending) * 0.85)]] = True
    return float(tail[seen.evaluation.ranking.items[:, :k]].mean())


def auc_by_taken(seen: Seen, _: int) -> float:
    _, n_test = _hits(seen, 1)
    return float(np.average(seen.evaluation.per_user["auc"], weights=n_test))


def standardised(seen: Seen, _: int) -> float:
    width = accuracy.MAX_FPR
    least = width**2 / 2
    return (1 + (width * seen.evaluation.metrics["pauc"] - least) / (width - least)) / 2


def pauc_of_ranks(seen: Seen, _: int) -> float:
    """Of scores that are places: equal ones in the order of the catalogue."""
    assert seen.scores is not None
    values = []
    for user in seen.evaluation.users:
        candidates = np.setdiff1d(np.arange(seen.scores.shape[1]), seen.trained_on.row(user))
        place = np.empty(len(candidates))
        place[np.argsort(-seen.scores[user, candidates], kind="stable")] = -np.arange(len(candidates))
        took = np.isin(candidates, seen.dataset.test.row(user))
        values.append(accuracy.partial_auc(place[took], place[~took]))
    return float(np.mean(values))


OVER_TAKEN = "divides by \\|T\\|, so that a perfect list of k does not reach 1 where a user took more"

DIFFERENCES: dict[tuple[str, str], Difference] = {
    ("ranx", "map"): Difference(OVER_TAKEN, map_over_taken),
    ("RecTools", "map"): Difference(OVER_TAKEN, map_over_taken),
    ("RecTools", "pauc"): Difference(
        "looks at ranks: equal scores are put in an order, where ours count 1/2; pAUC@k at the two whole k around a "
        "tenth of the negatives, mixed",
        pauc_of_ranks,
    ),
    ("RecBole", "entropy"): Difference(
        "natural logarithm, and divided by the number of items shown at all", entropy_over_shown
    ),
    ("RecBole", "aplt"): Difference(
        "the tail is 85 % of the items with an interaction, whole, ties by number: never-taken items are not in it, "
        "and items tied with the cut are",
        tail_of_seen,
    ),
    ("RecBole", "auc"): Difference("GAUC weighs users by their held-out items", auc_by_taken),
    ("LensKit", "ndcg"): Difference(
        "divides by max(log2 r, 1) at rank r, where ours and the others' divide by log2(r + 1): its first two ranks "
        "weigh the same",
        ndcg_of_plain_ranks,
    ),
    ("LensKit", "recall"): Difference("divides by min(k, \\|T\\|)", recall_over_achievable),
    ("scikit-learn", "pauc"): Difference(
        "`max_fpr` shifts and scales the area (McClish) so that guessing gives 0.5", standardised
    ),
}
"""By library and metric."""
