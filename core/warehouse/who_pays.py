"""Who pays for less popularity bias: accuracy and popularity lift by user group, recall and exposure by item decile.

Here: the frames that the charts draw, of a few variants, from their runs' per-user values and lists.
Not here: reading them (per_user.py), groups and deciles (core/evaluation), errors over users and seeds
(core/uncertainty), words (core/charts/who_pays.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import Refused, Unknown
from core.evaluation import who_pays
from core.evaluation.groups import N_DECILES, USER_GROUPS, deciles
from core.evaluation.measure import Facts, hits
from core.evaluation.metrics import CUTOFFS, METRICS, metric_key, parse_key
from core.uncertainty.bootstrap import Resampled, interval, mean_of, resample_means
from core.uncertainty.relative import over_users_alone, relative_changes
from core.uncertainty.verdict import Differences, holm, verdicts
from core.uncertainty.weights import RESAMPLES, user_weights
from core.warehouse.database import Warehouse
from core.warehouse.per_user import Asked, asked, evaluated, facts_of, lists, per_user_values, stored_values
from core.warehouse.queries import Split

Values = NDArray[np.floating]
Floating = TypeVar("Floating", np.float32, np.float64)
OVER_BOTH, OVER_USERS = "users and seeds", "users"

BY_GROUP = (
    "variant", "label", "method", "seeds", "baseline", "user_group", "users", "value", "relative", "low", "high",
    "over", "p", "p_holm", "verdict", "lift", "lift_low", "lift_high",
)  # fmt: skip
BY_DECILE = (
    "variant", "label", "method", "seeds", "baseline", "decile", "items", "held_out", "hits", "recall", "share",
    "train_share", "test_share",
)  # fmt: skip


def by_user_group(
    w: Warehouse, variants: Sequence[str], metric: str, k: int, split: Split = "test", resamples: int = RESAMPLES
) -> pd.DataFrame:
    """What each group of users gets from each variant, against the first one, the baseline: a row a variant and group.

    variants: ids, of one data set and protocol; metric: the key of an accuracy metric; k: the cutoff of the lift.

    variant, label, method, seeds, baseline (is it the first one?), user_group, users (evaluated ones in the group),
    value (mean over the group's users, then over seeds), relative (value over the baseline's, minus 1), low, high (its
    95 % interval, not below -1), over ("users and seeds"; "users" alone where a side has too few seeds), p, p_holm
    (corrected for all groups and variants here), verdict (one of verdict.VERDICTS, by p_holm), lift (popularity lift of
    the group, mean over seeds), lift_low, lift_high (its 95 % interval over users). Missing for the baseline: relative
    to verdict; missing anywhere: what is not defined for a group. Variants in the order given, groups as in
    USER_GROUPS.

    Groups are those of the metrics `lift_niche` and so on: by the hot share of the profile, of all users of the data
    set. Raises Unknown, Refused, and DamagedArtifact for a run's file.
    """
    _check(variants, k)
    if METRICS[parse_key(metric)[0]].kind != "accuracy":
        raise Refused(f"{metric} is no accuracy metric: who pays is told in one. Choose another, such as ndcg@{k}.")
    which = asked(w, variants)
    stored_values(w, which, [metric], split)  # refuses a metric or a split that no run was measured on
    users = evaluated(w, which, split)
    _, known = facts_of(w, which, split, users)
    popularity = metric_key("arp", k)
    values = per_user_values(w, which, [metric, popularity], split, users)
    weights = user_weights(len(users), which.dataset, resamples)
    groups = _resampled_groups(values[metric], values[popularity], known, weights)
    changes = [relative_changes(g.metric, 0, which.without_chance) for g in groups]
    p_holm = holm(np.concatenate([c.p for c in changes])).reshape(len(groups), -1)
    means = _means(which, values[metric], known, metric)
    lifts = _lifts(values[popularity], known)
    rows = []
    for n, (name, group, change) in enumerate(zip(USER_GROUPS, groups, changes, strict=True)):
        columns = {
            "user_group": name,
            "users": int((known.groups == name).sum()),
            "value": means[n],
            **_change_columns(change, group.metric, p_holm[n]),
            "lift": lifts[n],
            **dict(zip(("lift_low", "lift_high"), interval(group.lift), strict=True)),
        }
        rows.append(pd.DataFrame({**_about(which), **columns}))
    return _in_order(pd.concat(rows), BY_GROUP)


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """One group's users, resampled with all others."""

    metric: Resampled
    lift: Resampled


def _resampled_groups(metric: Values, of_lists: Values, known: Facts, weights: NDArray[np.uint8]) -> list[_Group]:
    """Accuracy and lift of each group on every resample. metric, of_lists (V, S, U).

    All groups at once, since what costs is to go through the weights: a group's values are NaN for everybody else. A
    resample holds as many of a group as it happens to draw.
    """
    compared = np.isfinite(of_lists) & np.isfinite(known.profile_popularity)
    lists_and_profiles = (
        np.where(compared, side, np.nan) for side in (of_lists, np.broadcast_to(known.profile_popularity, metric.shape))
    )
    parts = np.stack([metric, *lists_and_profiles])  # (3, V, S, U)
    belongs = known.groups == np.array(USER_GROUPS)[:, None]
    apart = np.where(belongs[:, None, None, None], parts, np.nan)  # (G, 3, V, S, U)
    n_variants, n_seeds, n_users = metric.shape
    found = resample_means(apart.reshape(-1, n_seeds, n_users), weights)
    values = np.reshape(found.values, (len(USER_GROUPS), 3, n_variants, n_seeds))
    draws = found.draws.reshape(-1, *values.shape)
    return [
        _Group(
            Resampled(values[g, 0], draws[:, g, 0], int(belongs[g].sum())),
            Resampled(_over(values[g, 1], values[g, 2]), _over(draws[:, g, 1], draws[:, g, 2]), int(belongs[g].sum())),
        )
        for g in range(len(USER_GROUPS))
    ]


def _over(of_lists: NDArray[Floating], of_profiles: NDArray[Floating]) -> NDArray[Floating]:
    """Popularity lift of two means, of the same users; NaN where the profile has no popularity."""
    return np.divide(of_lists, of_profiles, out=np.full_like(of_lists, np.nan), where=of_profiles > 0) - 1


def _means(which: Asked, values: Values, known: Facts, metric: str) -> NDArray[np.float64]:
    """The metric of each group and variant, (G, V): mean over the group's users, then over seeds."""
    found = np.full((len(USER_GROUPS), *which.shape), np.nan)
    for v, s, _ in which.places:
        of_run = {metric: values[v, s].astype(np.float64)}
        found[:, v, s] = who_pays.by_user_group(of_run, known.groups).metrics[metric]
    return mean_of(found)


def _lifts(of_lists: Values, known: Facts) -> NDArray[np.float64]:
    """Popularity lift of each group and variant, (G, V): mean over seeds."""
    found = [
        [who_pays.lift_by_user_group(of_run, known.profile_popularity, known.groups) for of_run in seeds]
        for seeds in of_lists.astype(np.float64)
    ]
    return mean_of(np.moveaxis(np.array(found), -1, 0))


def _change_columns(change: Differences, group: Resampled, p_holm: NDArray[np.float64]) -> dict[str, object]:
    """What a group's changes are called in the answer: (V,) each."""
    low, high = over_users_alone(group, 0)
    others = range(1, len(change.p))
    words = verdicts(change, p_holm, sign=1)
    return {
        "relative": [np.nan, *change.difference[1:]],
        # nothing loses more than it has; the ends of a small group's difference may
        "low": np.maximum(np.where(change.enough_seeds, change.low, low), -1),
        "high": np.where(change.enough_seeds, change.high, high),
        "over": [None, *(OVER_BOTH if change.enough_seeds[v] else OVER_USERS for v in others)],
        "p": change.p,
        "p_holm": p_holm,
        "verdict": [None, *(words[v] for v in others)],
    }


def by_decile(w: Warehouse, variants: Sequence[str], k: int, split: Split = "test") -> pd.DataFrame:
    """What each popularity decile of the items gets from each variant: a row a variant and decile, least popular first.

    variants: ids, of one data set and protocol, the first of them the baseline; k: length of the lists.

    variant, label, method, seeds, baseline, decile (10 is the most popular), items, held_out (pairs of user and item),
    hits (of these, how many the lists hold; mean over seeds), recall (hits over held_out, missing where nothing is held
    out), share (of the recommendation slots, mean over seeds), train_share (of the interactions trained on), test_share
    (of those held out in `split`). Raises as `by_user_group`.
    """
    _check(variants, k)
    which = asked(w, variants)
    stored_values(w, which, [], split)
    users = evaluated(w, which, split)
    held_out, known = facts_of(w, which, split, users)
    decile = deciles(known.popularity)
    found: list[list[who_pays.ByDecile]] = [[] for _ in which.variants]
    for variant, _, items in lists(w, which, split, k, users):
        is_hit = hits(items, known.users, held_out)
        of_run = who_pays.by_decile(items, is_hit, decile, known.popularity, held_out.popularity())
        found[variant].append(of_run)
    rows = [_decile_rows(of_variant) for of_variant in found]
    about = pd.DataFrame(_about(which))
    repeated = about.loc[about.index.repeat(N_DECILES)].reset_index(drop=True)
    return _in_order(pd.concat([repeated, pd.concat(rows, ignore_index=True)], axis=1), BY_DECILE)


def _decile_rows(seeds: Sequence[who_pays.ByDecile]) -> pd.DataFrame:
    """One variant's deciles, means over its seeds."""
    first = seeds[0]
    return pd.DataFrame(
        {
            "decile": range(1, N_DECILES + 1),
            "items": first.items,
            "held_out": first.held_out,
            "hits": np.mean([seed.hits for seed in seeds], axis=0),
            "recall": np.mean([seed.recall for seed in seeds], axis=0),
            "share": np.mean([seed.exposure for seed in seeds], axis=0),
            "train_share": first.train_share,
            "test_share": first.test_share,
        }
    )


def _check(variants: Sequence[str], k: int) -> None:
    if k not in CUTOFFS:
        raise Unknown("cutoff", str(k), map(str, CUTOFFS))
    if not variants or len(set(variants)) < len(variants):
        raise Refused("Who pays is told of a baseline and others. Give at least one variant, and each once.")


def _about(which: Asked) -> dict[str, object]:
    return {
        "variant": which.variants,
        "label": which.labels,
        "method": which.methods,
        "seeds": [len(runs) for runs in which.runs],
        "baseline": np.arange(len(which.variants)) == 0,
    }


def _in_order(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """By variant as asked, each in the order of its rows."""
    place = {variant: n for n, variant in enumerate(dict.fromkeys(rows["variant"]))}
    order = rows["variant"].map(place).argsort(kind="stable")
    return rows.iloc[order][list(columns)].reset_index(drop=True)
