"""From lists to numbers: every metric of the registry, per user and over the set.

Here: `Ranking` and `Evaluation`, who is hit, and the table that ties a metric's name to its function.
Not here: the functions (accuracy.py, popularity.py), what metrics mean (metrics.py), how lists are made (ranking.py).
numpy only, so that somebody else's lists are measured without a compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.evaluation import accuracy, groups, popularity
from core.evaluation.metrics import CUTOFFS, EXPOSURE_CUTOFF, METRICS, metric_key


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Lists of k items for n users."""

    users: NDArray[np.int32]
    """(n,) user numbers."""
    items: NDArray[np.int32]
    """(n, k) item numbers, best first; -1 behind the end of a short list."""
    scores: NDArray[np.float32]
    """(n, k), NaN where `items` is -1 and in lists without scores."""
    auc: NDArray[np.float64] | None
    """(n,) AUC of all candidates' scores; None where nothing was held out or there are no scores."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What lists are worth on one split."""

    users: NDArray[np.int32]
    """(n,) the users evaluated: all with at least one held-out item, ascending."""
    metrics: dict[str, float]
    """Metric key to value. A metric that is defined for nobody is absent: no value is NaN."""
    per_user: dict[str, NDArray[np.float64]]
    """Metric key to (n,) values, NaN where not defined for the user (docstring of the metric's function)."""
    ranking: Ranking
    """The lists measured, as long as the largest cutoff."""
    exposure: NDArray[np.float64]
    """(10,) share of the slots per popularity decile, least popular first, at cutoff 10 (or the largest below)."""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Lists cut at one k, with what the metrics need to know about their items."""

    top_k: NDArray[np.int32]
    is_hit: NDArray[np.bool_]
    n_test: NDArray[np.int64]
    n_test_hot: NDArray[np.int64]
    is_hot: NDArray[np.bool_]
    popularity: NDArray[np.int64]
    n_users: int

    @property
    def counts(self) -> NDArray[np.int64]:
        """Lists per item, (I,)."""
        return popularity.recommendation_counts(self.top_k, len(self.popularity))


PER_USER: dict[str, Callable[[Cut], NDArray[np.float64]]] = {
    "precision": lambda c: accuracy.precision(c.is_hit),
    "recall": lambda c: accuracy.recall(c.is_hit, c.n_test),
    "f1": lambda c: accuracy.f1(c.is_hit, c.n_test),
    "hit_rate": lambda c: accuracy.hit_rate(c.is_hit),
    "ndcg": lambda c: accuracy.ndcg(c.is_hit, c.n_test),
    "map": lambda c: accuracy.average_precision(c.is_hit, c.n_test),
    "mrr": lambda c: accuracy.reciprocal_rank(c.is_hit),
    "ohr": lambda c: popularity.over_recommended(c.top_k, c.is_hit, c.is_hot),
    "ocr": lambda c: popularity.over_recommended(c.top_k, c.is_hit, ~c.is_hot),
    "uhr": lambda c: popularity.under_recommended(c.top_k, c.is_hit, c.is_hot, c.n_test_hot),
    "ucr": lambda c: popularity.under_recommended(c.top_k, c.is_hit, ~c.is_hot, c.n_test - c.n_test_hot),
    "fpr": lambda c: popularity.false_positive_rate(c.is_hit),
    "fnr": lambda c: popularity.false_negative_rate(c.is_hit, c.n_test),
    "arp": lambda c: popularity.mean_popularity(c.top_k, c.popularity),
    "aplt": lambda c: popularity.cold_share(c.top_k, c.is_hot),
    "aclt": lambda c: popularity.cold_count(c.top_k, c.is_hot),
    "novelty": lambda c: popularity.novelty(c.top_k, c.popularity, c.n_users),
}
"""Metrics of one user's list: name to function of a cut, (n,) float64."""

OVER_THE_SET: dict[str, Callable[[Cut], float]] = {
    "gini": lambda c: popularity.gini(c.counts),
    "coverage": lambda c: popularity.coverage(c.counts),
}
"""Metrics of all lists together: name to function of a cut."""


def evaluated_users(held_out: Interactions) -> NDArray[np.int32]:
    """The users that count: those with at least one held-out item, ascending, (n,) int32."""
    return np.flatnonzero(held_out.lengths()).astype(np.int32)


def hits(items: NDArray[np.integer], users: NDArray[np.integer], held_out: Interactions) -> NDArray[np.bool_]:
    """Which listed items are among their user's held-out ones: (n, k) bool, False at -1.

    items (n, k), users (n,). By binary search in the sorted held-out pairs: memory linear in them and in n k.
    """
    pairs = held_out.users().astype(np.int64) * held_out.n_items + held_out.indices
    asked = users.astype(np.int64)[:, None] * held_out.n_items + items
    if len(pairs) == 0:
        return np.zeros(items.shape, np.bool_)
    at = np.minimum(np.searchsorted(pairs, asked), len(pairs) - 1)
    found: NDArray[np.bool_] = (pairs[at] == asked) & (items >= 0)
    return found


def measure(
    ranking: Ranking,
    held_out: Interactions,
    counted_on: Interactions,
    cutoffs: Sequence[int] = CUTOFFS,
    head: groups.Head = "items",
) -> Evaluation:
    """All metrics of the lists, at each cutoff, per user and over the set.

    ranking: lists of `evaluated_users(held_out)`, at least as long as the largest cutoff or padded; held_out: what the
    users really took; counted_on: the interactions that popularity is counted on (docs/metrics.md, ground rules).
    No user with a held-out item: no metrics.
    """
    popular = counted_on.popularity()
    is_hot = groups.hot_items(popular, head)
    is_hit = hits(ranking.items, ranking.users, held_out)
    n_test = held_out.lengths()[ranking.users]
    hot_pairs = held_out.users()[is_hot[held_out.indices]]
    n_test_hot = np.bincount(hot_pairs, minlength=held_out.n_users)[ranking.users]
    metrics: dict[str, float] = {}
    per_user: dict[str, NDArray[np.float64]] = {}
    for k in cutoffs if len(ranking.users) else ():
        cut = Cut(ranking.items[:, :k], is_hit[:, :k], n_test, n_test_hot, is_hot, popular, counted_on.n_users)
        per_user |= {metric_key(name, k): function(cut) for name, function in PER_USER.items()}
        metrics |= {metric_key(name, k): function(cut) for name, function in OVER_THE_SET.items()}
    if ranking.auc is not None and len(ranking.users):
        per_user["auc"] = ranking.auc
    metrics |= {key: mean for key, values in per_user.items() if (mean := mean_over_users(values)) is not None}
    shown = popularity.recommendation_counts(ranking.items[:, : _exposure_cutoff(cutoffs)], held_out.n_items)
    return Evaluation(
        ranking.users,
        _in_registry_order(metrics),
        per_user,
        ranking,
        popularity.exposure(shown, groups.deciles(popular)),
    )


def evaluate_lists(
    items: NDArray[np.integer],
    users: NDArray[np.integer],
    held_out: Interactions,
    counted_on: Interactions,
    cutoffs: Sequence[int] = CUTOFFS,
    head: groups.Head = "items",
) -> Evaluation:
    """Anybody's lists, measured like a model's. Metrics that need scores (AUC) are absent.

    items (m, k) item numbers, best first, -1 behind the end; users (m,) distinct user numbers. Evaluated are all users
    with a held-out item: lists of others are left out, and a user without a list has an empty one.
    """
    evaluated = evaluated_users(held_out)
    row_of = np.full(held_out.n_users, -1, np.int64)
    row_of[users] = np.arange(len(users))
    width = max([items.shape[1], *cutoffs])
    lists = np.full((len(evaluated), width), -1, np.int32)
    listed = row_of[evaluated] >= 0
    lists[listed, : items.shape[1]] = items[row_of[evaluated[listed]]]
    ranking = Ranking(evaluated, lists, np.full(lists.shape, np.nan, np.float32), None)
    return measure(ranking, held_out, counted_on, cutoffs, head)


def mean_over_users(values: NDArray[np.float64]) -> float | None:
    """The mean over the users for whom the metric is defined (not NaN); None where it is defined for nobody."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else None


def _exposure_cutoff(cutoffs: Sequence[int]) -> int:
    return max((k for k in cutoffs if k <= EXPOSURE_CUTOFF), default=min(cutoffs))


def _in_registry_order(metrics: dict[str, float]) -> dict[str, float]:
    place = {name: i for i, name in enumerate(METRICS)}
    return dict(sorted(metrics.items(), key=lambda pair: place[pair[0].partition("@")[0]]))
