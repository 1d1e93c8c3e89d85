"""From lists to numbers: every metric of the registry, per user and over the set.

Here: `Ranking` and `Evaluation`, who is hit, and the tables that tie a metric's name to its function.
Not here: the functions (accuracy.py, popularity.py, calibration.py, parity.py), what metrics mean (metrics.py), how
lists are made (ranking.py).
numpy only, so that somebody else's lists are measured without a compiler.

Three tables, by what a metric is a function of, so that a bootstrap over users never ranks again:

- PER_USER: a value a user, (n,). The metric is their mean; with weights w, (w @ values) / w.sum() over the defined.
- OF_COUNTS: how many lists show each item, (I,). With weights: `recommendation_counts(top_k, I, w)`.
- OF_SUMS: a few sums over users, (c,), of each user's summands (n, c). With weights: w @ summands. Its functions take
  sums of any leading shape, so that w may be a matrix, a row a resample.

`over_the_set(cut, weights)` does the last two; without weights every user counts once. `facts` and `cut` make a cut of
stored lists as well. Groups, hot items and popularity are facts about the data: weights do not move them. PRI, whose
ranks need all scores, is measured once, with the lists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.evaluation import accuracy, calibration, groups, parity, popularity
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
    partial_auc: NDArray[np.float64] | None = None
    """(n,) partial AUC of the same scores; None as above."""
    mean_ranks: NDArray[np.float64] | None = None
    """(I,) mean rank of each item among all candidates of the users who hold it out, NaN for others; None as above."""


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
class Facts:
    """What the metrics need to know of users and items, whatever the lists: rows are the evaluated users."""

    users: NDArray[np.int32]
    """(n,) user numbers."""
    n_users: int
    """Users that popularity is counted over."""
    popularity: NDArray[np.int64]
    """(I,) users per item."""
    is_hot: NDArray[np.bool_]
    """(I,)."""
    classes: NDArray[np.int64]
    """(I,) head, middle or tail: `groups.item_classes`."""
    n_test: NDArray[np.int64]
    """(n,) held-out items, at least 1."""
    n_test_hot: NDArray[np.int64]
    """(n,) hot ones among them."""
    n_candidates: NDArray[np.int64]
    """(n, 2) hot and cold items that the user may be shown."""
    groups: NDArray[np.str_]
    """(n,) niche, diverse or blockbuster: `groups.user_groups` of all users' profiles."""
    profile_popularity: NDArray[np.float64]
    """(n,) mean popularity of the profile, NaN for an empty one."""
    profile_classes: NDArray[np.float64]
    """(n, 3) shares of head, middle and tail items in the profile, NaN for an empty one."""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Lists cut at one k, with the facts about their users and items."""

    facts: Facts
    top_k: NDArray[np.int32]
    """(n, k), -1 behind the end of a short list."""
    is_hit: NDArray[np.bool_]
    """(n, k)."""
    list_popularity: NDArray[np.float64] = field(init=False)
    """(n,) mean popularity of each list, NaN for an empty one: several metrics ask for it."""

    def __post_init__(self) -> None:
        means = popularity.mean_popularity(self.top_k, self.facts.popularity)
        object.__setattr__(self, "list_popularity", means)


class OfSums(NamedTuple):
    """A metric of sums over users."""

    summands: Callable[[Cut], popularity.Amounts]
    """(n, c), a row a user."""
    value: Callable[[NDArray[np.floating]], NDArray[np.float64]]
    """(..., c) sums of such rows, weighted or not -> (...) values, NaN where not defined."""


PER_USER: dict[str, Callable[[Cut], NDArray[np.float64]]] = {
    "precision": lambda c: accuracy.precision(c.is_hit),
    "recall": lambda c: accuracy.recall(c.is_hit, c.facts.n_test),
    "f1": lambda c: accuracy.f1(c.is_hit, c.facts.n_test),
    "hit_rate": lambda c: accuracy.hit_rate(c.is_hit),
    "ndcg": lambda c: accuracy.ndcg(c.is_hit, c.facts.n_test),
    "map": lambda c: accuracy.average_precision(c.is_hit, c.facts.n_test),
    "mrr": lambda c: accuracy.reciprocal_rank(c.is_hit),
    "ohr": lambda c: popularity.over_recommended(c.top_k, c.is_hit, c.facts.is_hot),
    "ocr": lambda c: popularity.over_recommended(c.top_k, c.is_hit, ~c.facts.is_hot),
    "uhr": lambda c: popularity.under_recommended(c.top_k, c.is_hit, c.facts.is_hot, c.facts.n_test_hot),
    "ucr": lambda c: popularity.under_recommended(
        c.top_k, c.is_hit, ~c.facts.is_hot, c.facts.n_test - c.facts.n_test_hot
    ),
    "fpr": lambda c: popularity.false_positive_rate(c.is_hit),
    "fnr": lambda c: popularity.false_negative_rate(c.is_hit, c.facts.n_test),
    "arp": lambda c: c.list_popularity,
    "aplt": lambda c: popularity.cold_share(c.top_k, c.facts.is_hot),
    "aclt": lambda c: popularity.cold_count(c.top_k, c.facts.is_hot),
    "novelty": lambda c: popularity.novelty(c.top_k, c.facts.popularity, c.facts.n_users),
}
"""Metrics of one user's list: name to function of a cut, (n,) float64."""

OF_COUNTS: dict[str, Callable[[popularity.Amounts], float]] = {
    "gini": popularity.gini,
    "coverage": popularity.coverage,
    "entropy": popularity.entropy,
    "entropy_norm": popularity.entropy_norm,
}
"""Metrics of all lists together: name to function of the lists per item, (I,)."""


def _lift_of(group: str | None) -> OfSums:
    def summands(c: Cut) -> NDArray[np.float64]:
        counted = np.full(len(c.top_k), True) if group is None else c.facts.groups == group
        return calibration.lift_sums(c.list_popularity, c.facts.profile_popularity, counted)

    return OfSums(summands, calibration.popularity_lift)


OF_SUMS: dict[str, OfSums] = {
    "popreo": OfSums(
        lambda c: parity.reo_sums(
            c.top_k, c.is_hit, c.facts.is_hot, c.facts.n_test_hot, c.facts.n_test - c.facts.n_test_hot
        ),
        parity.relative_spread,
    ),
    "poprsp": OfSums(lambda c: parity.rsp_sums(c.top_k, c.facts.is_hot, c.facts.n_candidates), parity.relative_spread),
    "lift": _lift_of(None),
    **{f"lift_{group}": _lift_of(group) for group in groups.USER_GROUPS},
    "upd": OfSums(
        lambda c: calibration.upd_sums(
            calibration.list_classes(c.top_k, c.facts.classes), c.facts.profile_classes, c.facts.groups
        ),
        calibration.upd,
    ),
}
"""Metrics of all lists together: name to function of sums over users."""


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


def facts(
    users: NDArray[np.int32],
    held_out: Interactions,
    counted_on: Interactions,
    head: groups.Head = "items",
    mask: Interactions | None = None,
    profiles: Interactions | None = None,
) -> Facts:
    """What metrics need to know of these users and of the items; arguments as in `measure`."""
    mask = counted_on if mask is None else mask
    profiles = counted_on if profiles is None else profiles
    popular = counted_on.popularity()
    is_hot = groups.hot_items(popular, head)
    classes = groups.item_classes(popular)
    n_masked_hot = _row_counts(mask, is_hot.astype(np.int64), 2)[users]
    in_catalogue = np.array([is_hot.sum(), (~is_hot).sum()])
    lengths = profiles.lengths()[users]
    profile_sums = np.bincount(profiles.users(), popular[profiles.indices], profiles.n_users)[users]
    return Facts(
        users=users,
        n_users=counted_on.n_users,
        popularity=popular,
        is_hot=is_hot,
        classes=classes,
        n_test=held_out.lengths()[users],
        n_test_hot=_row_counts(held_out, is_hot.astype(np.int64), 2)[users, 1],
        n_candidates=in_catalogue - n_masked_hot[:, ::-1],
        groups=groups.user_groups(profiles, is_hot)[users],
        profile_popularity=np.where(lengths > 0, profile_sums / np.maximum(lengths, 1), np.nan),
        profile_classes=calibration.class_shares(_row_counts(profiles, classes, len(groups.ITEM_CLASSES))[users]),
    )


def cut(known: Facts, items: NDArray[np.int32], is_hit: NDArray[np.bool_], k: int) -> Cut:
    """The first k ranks of lists of `known.users`. items (n, at least k), is_hit (n, at least k): see `hits`."""
    return Cut(known, items[:, :k], is_hit[:, :k])


def over_the_set(lists: Cut, weights: NDArray[np.floating] | None = None) -> dict[str, float]:
    """The metrics of all lists together, by name without cutoff; those that are not defined are absent.

    weights (n,): how often each user counts, as in a bootstrap's resample; all once without.
    """
    counts = popularity.recommendation_counts(lists.top_k, len(lists.facts.popularity), weights)
    values = {name: function(counts) for name, function in OF_COUNTS.items()}
    for name, metric in OF_SUMS.items():
        summands = metric.summands(lists)
        values[name] = float(metric.value(summands.sum(axis=0) if weights is None else weights @ summands))
    return {name: value for name, value in values.items() if not np.isnan(value)}


def measure(
    ranking: Ranking,
    held_out: Interactions,
    counted_on: Interactions,
    cutoffs: Sequence[int] = CUTOFFS,
    head: groups.Head = "items",
    mask: Interactions | None = None,
    profiles: Interactions | None = None,
) -> Evaluation:
    """All metrics of the lists, at each cutoff, per user and over the set.

    ranking: lists of `evaluated_users(held_out)`, at least as long as the largest cutoff or padded; held_out: what the
    users really took; counted_on: the interactions that popularity is counted on (docs/metrics.md, ground rules);
    mask: what users may not be shown; profiles: what they had taken, which lists are compared with. Both are
    counted_on unless given. No user with a held-out item: no metrics.
    """
    known = facts(ranking.users, held_out, counted_on, head, mask, profiles)
    is_hit = hits(ranking.items, ranking.users, held_out)
    metrics: dict[str, float] = {}
    per_user: dict[str, NDArray[np.float64]] = {}
    for k in cutoffs if len(ranking.users) else ():
        lists = cut(known, ranking.items, is_hit, k)
        per_user |= {metric_key(name, k): function(lists) for name, function in PER_USER.items()}
        metrics |= {metric_key(name, k): value for name, value in over_the_set(lists).items()}
    if len(ranking.users):
        of_scores = {"auc": ranking.auc, "pauc": ranking.partial_auc}
        per_user |= {name: values for name, values in of_scores.items() if values is not None}
    metrics |= {key: mean for key, values in per_user.items() if (mean := mean_over_users(values)) is not None}
    if ranking.mean_ranks is not None and not np.isnan(pri := parity.pri(known.popularity, ranking.mean_ranks)):
        metrics["pri"] = pri
    shown = popularity.recommendation_counts(ranking.items[:, : _exposure_cutoff(cutoffs)], held_out.n_items)
    return Evaluation(
        ranking.users,
        _in_registry_order(metrics),
        per_user,
        ranking,
        popularity.exposure(shown, groups.deciles(known.popularity)),
    )


def evaluate_lists(
    items: NDArray[np.integer],
    users: NDArray[np.integer],
    held_out: Interactions,
    counted_on: Interactions,
    cutoffs: Sequence[int] = CUTOFFS,
    head: groups.Head = "items",
    mask: Interactions | None = None,
    profiles: Interactions | None = None,
) -> Evaluation:
    """Anybody's lists, measured like a model's. Metrics that need scores (AUC, partial AUC, PRI) are absent.

    items (m, k) item numbers, best first, -1 behind the end; users (m,) distinct user numbers. Evaluated are all users
    with a held-out item: lists of others are left out, and a user without a list has an empty one. The other arguments
    are those of `measure`.
    """
    evaluated = evaluated_users(held_out)
    row_of = np.full(held_out.n_users, -1, np.int64)
    row_of[users] = np.arange(len(users))
    width = max([items.shape[1], *cutoffs])
    lists = np.full((len(evaluated), width), -1, np.int32)
    listed = row_of[evaluated] >= 0
    lists[listed, : items.shape[1]] = items[row_of[evaluated[listed]]]
    ranking = Ranking(evaluated, lists, np.full(lists.shape, np.nan, np.float32), None)
    return measure(ranking, held_out, counted_on, cutoffs, head, mask, profiles)


def mean_over_users(values: NDArray[np.float64]) -> float | None:
    """The mean over the users for whom the metric is defined (not NaN); None where it is defined for nobody."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else None


def _row_counts(rows: Interactions, classes: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """How many items of each class every user took: (U, n_classes). classes (I,) from 0."""
    cells = rows.users().astype(np.int64) * n_classes + classes[rows.indices]
    return np.bincount(cells, minlength=rows.n_users * n_classes).reshape(rows.n_users, n_classes)


def _exposure_cutoff(cutoffs: Sequence[int]) -> int:
    return max((k for k in cutoffs if k <= EXPOSURE_CUTOFF), default=min(cutoffs))


def _in_registry_order(metrics: dict[str, float]) -> dict[str, float]:
    place = {name: i for i, name in enumerate(METRICS)}
    return dict(sorted(metrics.items(), key=lambda pair: place[pair[0].partition("@")[0]]))
