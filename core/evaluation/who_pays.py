"""Who pays for less popularity bias: metrics by user group, hits and exposure by popularity decile of the items.

Here: pure functions on per-user values, groups and lists, and the group that is worst off against a baseline.
Not here: who is in which group (groups.py), per-user values (measure.py), where they are stored.
numpy only: pages ask this of stored runs. Values may be means over seeds, user by user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.evaluation import calibration, popularity
from core.evaluation.groups import N_DECILES, USER_GROUPS
from core.evaluation.ratios import ratio

PerUser = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ByGroup:
    """Means over the users of each group."""

    groups: tuple[str, ...]
    """G names."""
    users: NDArray[np.int64]
    """(G,) users in the group, whether a metric is defined for them or not."""
    metrics: dict[str, NDArray[np.float64]]
    """Metric key to (G,) values, NaN where it is defined for nobody of the group."""


@dataclass(frozen=True, slots=True, eq=False)
class ByDecile:
    """Facts of the ten groups of items by popularity, (10,) each, least popular first."""

    items: NDArray[np.int64]
    """Items of the decile."""
    held_out: NDArray[np.int64]
    """Held-out pairs of user and item."""
    hits: NDArray[np.int64]
    """How many of these pairs the lists hold."""
    recall: NDArray[np.float64]
    """hits / held_out; NaN where nothing is held out."""
    exposure: NDArray[np.float64]
    """Share of the recommendation slots; sums to 1, or all 0 where nothing is shown."""
    train_share: NDArray[np.float64]
    """Share of the interactions that popularity is counted on."""
    test_share: NDArray[np.float64]
    """Share of the held-out interactions."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What a group loses against a baseline."""

    group: str
    value: float
    baseline: float
    relative: float
    """The loss over the baseline's value: 0.1 is a tenth worse, below 0 is a gain."""


def by_user_group(
    values: Mapping[str, PerUser], groups: NDArray[np.str_], names: Sequence[str] = USER_GROUPS
) -> ByGroup:
    """The mean of each metric over the users of each group for whom it is defined.

    values: metric key to (n,), NaN where not defined for the user; groups (n,): each user's group, one of names.

    >>> found = by_user_group({"ndcg@10": np.array([0.5, 0.3, np.nan])}, np.array(["niche", "niche", "diverse"]))
    >>> found.users, found.metrics["ndcg@10"]
    (array([2, 1, 0]), array([0.4, nan, nan]))
    """
    belongs = (groups == np.array(names)[:, None]).astype(np.float64)
    return ByGroup(
        tuple(names),
        belongs.sum(axis=1).astype(np.int64),
        {
            key: ratio(belongs @ np.where(np.isnan(of_user), 0.0, of_user), belongs @ ~np.isnan(of_user))
            for key, of_user in values.items()
        },
    )


def lift_by_user_group(
    of_lists: PerUser, of_profiles: PerUser, groups: NDArray[np.str_], names: Sequence[str] = USER_GROUPS
) -> NDArray[np.float64]:
    """Popularity lift of each group, (G,): `calibration.popularity_lift` of its users; NaN for a group without any.

    of_lists, of_profiles (n,): mean popularity of each user's list and profile, NaN where empty; groups (n,).
    """
    sums = [calibration.lift_sums(of_lists, of_profiles, groups == name).sum(axis=0) for name in names]
    return calibration.popularity_lift(np.array(sums))


def by_decile(
    top_k: NDArray[np.integer],
    is_hit: NDArray[np.bool_],
    decile: NDArray[np.integer],
    train_popularity: NDArray[np.integer],
    test_popularity: NDArray[np.integer],
) -> ByDecile:
    """What each popularity decile of the items gets, against what it had and what was taken of it.

    top_k (n, k) item numbers, -1 behind the end; is_hit (n, k); decile (I,) 1..10 (groups.deciles); train_popularity
    and test_popularity (I,): interactions of each item in what was trained on, and held out of the n users.
    """
    hits = popularity.recommendation_counts(np.where(is_hit, top_k, -1), len(decile))
    held_out, found = _per_decile(test_popularity, decile), _per_decile(hits, decile)
    shown = popularity.recommendation_counts(top_k, len(decile))
    return ByDecile(
        items=np.bincount(decile, minlength=N_DECILES + 1)[1:],
        held_out=held_out,
        hits=found,
        recall=ratio(found, held_out),
        exposure=popularity.exposure(shown, decile),
        train_share=popularity.exposure(train_popularity, decile),
        test_share=popularity.exposure(test_popularity, decile),
    )


def losses(
    values: NDArray[np.float64],
    baseline: NDArray[np.float64],
    names: Sequence[str],
    better: Literal["higher", "lower"] = "higher",
) -> list[Loss]:
    """What each group loses against the baseline, largest relative loss first; ties in the order of names.

    values, baseline (G,). A group is left out where either is not defined, or the baseline is not above 0: there is
    nothing to lose a share of.

    >>> [(loss.group, round(loss.relative, 2)) for loss in losses(np.array([0.3, 0.2]), np.array([0.4, 0.2]), "ab")]
    [('a', 0.25), ('b', 0.0)]
    """
    worse = baseline - values if better == "higher" else values - baseline
    relative = ratio(worse, baseline)
    order = [g for g in np.argsort(-relative, kind="stable") if not np.isnan(relative[g])]
    return [Loss(names[g], float(values[g]), float(baseline[g]), float(relative[g])) for g in order]


def worst_off(
    values: NDArray[np.float64],
    baseline: NDArray[np.float64],
    names: Sequence[str],
    better: Literal["higher", "lower"] = "higher",
) -> Loss | None:
    """The group with the largest relative loss against the baseline; None where no group loses. See `losses`."""
    found = losses(values, baseline, names, better)
    return found[0] if found and found[0].relative > 0 else None


def _per_decile(of_items: popularity.Amounts, decile: NDArray[np.integer]) -> NDArray[np.int64]:
    sums = np.bincount(decile, of_items, N_DECILES + 1)[1:]
    return np.asarray(sums.astype(np.int64))  # whole numbers, far below where float64 has gaps
