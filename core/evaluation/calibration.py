"""Lists against profiles: is a user shown more popular items than those the user took?

Here: popularity lift (GAP) and user popularity deviation (UPD). Both are functions of sums over users, by user group;
their `_sums` give each user's summands, so that weights @ summands are the sums of weighted users.
Not here: groups of users and classes of items (groups.py).
A user with an empty list or an empty profile has nothing to compare and is in none of the sums.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.evaluation.groups import ITEM_CLASSES, USER_GROUPS
from core.evaluation.ratios import ratio

PerUser = NDArray[np.float64]
Sums = NDArray[np.floating] | NDArray[np.integer]


def lift_sums(of_lists: PerUser, of_profiles: PerUser, counted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Each user's part in popularity lift: mean popularity of the list, and of the profile. (U, 2) float64.

    of_lists and of_profiles (U,), NaN where empty; counted (U,) bool: whom the lift is of. Others' parts are 0.
    """
    parts = np.stack([of_lists, of_profiles], axis=1)
    return np.asarray(np.where((counted & ~np.isnan(parts).any(axis=1))[:, None], parts, 0.0))


def popularity_lift(sums: Sums) -> NDArray[np.float64]:
    """Lift = (GAP of lists - GAP of profiles) / GAP of profiles. At least -1, lower is less bias; 0 is calibrated.

    How much more popular the items shown to a group of users are than those they took: 0.5 means by half.
    sums (..., 2): those of `lift_sums` over users. GAP, group average popularity, is the mean over the group's users of
    the mean popularity of their items; the number of users is the same on both sides and cancels. Returns (...)
    float64; NaN where the group has no profile of any popularity.
    Abdollahpouri et al., 2019 ("The Unfairness of Popularity Bias in Recommendation", arXiv 1907.13286), delta GAP.

    >>> popularity_lift(np.array([[30.0, 20.0]]))
    array([0.5])
    """
    return ratio(sums[..., 0] - sums[..., 1], sums[..., 1])


def class_shares(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Counts of head, middle and tail items as shares. counts (U, 3); returns (U, 3), NaN for a user with none."""
    return ratio(counts, counts.sum(axis=1, keepdims=True))


def list_classes(top_k: NDArray[np.integer], classes: NDArray[np.integer]) -> NDArray[np.int64]:
    """How many head, middle and tail items each list holds. top_k (U, k), classes (I,); returns (U, 3) int64."""
    shown = np.where(top_k >= 0, classes[top_k], -1)
    return np.stack([(shown == c).sum(axis=1) for c in range(len(ITEM_CLASSES))], axis=1)


def jensen_shannon(p: NDArray[np.float64], q: NDArray[np.float64]) -> PerUser:
    """Jensen-Shannon divergence of rows in bits: (KL(p || m) + KL(q || m)) / 2, m = (p + q) / 2. In [0, 1].

    p, q (U, c), rows that sum to 1. Returns (U,) float64; NaN where a row is. Lin, IEEE Trans. Inf. Theory 37(1), 1991;
    scipy's function of this name gives its square root.

    >>> jensen_shannon(np.array([[1.0, 0], [0.5, 0.5]]), np.array([[0.0, 1], [0.5, 0.5]]))
    array([1., 0.])
    """
    mixed = (p + q) / 2
    bits = np.zeros(p.shape)
    for side in (p, q):
        some = side > 0
        bits[some] += side[some] * np.log2(side[some] / mixed[some])
    return np.where(np.isnan(mixed).any(axis=1), np.nan, np.clip(bits.sum(axis=1) / 2, 0, 1))


def upd_sums(
    list_counts: NDArray[np.integer], profile_shares: NDArray[np.float64], groups: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Each user's part in UPD: the divergence in the column of the user's group, and 1 in the group's count. (U, 6).

    list_counts (U, 3): `list_classes`; profile_shares (U, 3): `class_shares` of the profiles; groups (U,) str.
    """
    divergence = jensen_shannon(class_shares(list_counts), profile_shares)
    of_group = (groups[:, None] == np.array(USER_GROUPS)) & ~np.isnan(divergence)[:, None]
    return np.concatenate([np.where(of_group, divergence[:, None], 0.0), of_group], axis=1)


def upd(sums: Sums) -> NDArray[np.float64]:
    """UPD: Jensen-Shannon divergence between a user's profile and list, averaged in each user group, then over groups.

    How far the mix of head, middle and tail items shown to users is from the mix they took. In [0, 1], lower is better.
    sums (..., 6): those of `upd_sums` over users. Returns (...) float64; a group without users takes no part, and
    without any user it is NaN. Abdollahpouri et al., UMAP 2021 (arXiv 2103.06364): groups weigh the same, however many
    users they have.

    >>> upd(np.array([[0.4, 0.6, 0.0, 2, 3, 0]])).round(4)  # 0.4 / 2 and 0.6 / 3; no blockbuster user
    array([0.2])
    """
    means = ratio(sums[..., :3], sums[..., 3:])
    there = ~np.isnan(means)
    return ratio(np.where(there, means, 0.0).sum(axis=-1), there.sum(axis=-1))
