"""A generated data set whose true preferences are known: what stands in where no real one can be had.

Users like items by taste alone; what they were shown depends on popularity alone. An interaction is shown and liked:

    P(u likes i) = sigmoid(preference_ui),  preference_ui = users_u . items_i + quality_i + OFFSET
    P(u was shown i) = exposure_i, long-tailed, independent of taste and quality
    P(u took i) = P(u was shown i) P(u likes i)

So the data are biased to popular items beyond what users prefer, and a model that undoes some of it can be better.
The true parameters are stored with the data set: `store.read_truth`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.datasets.preparation import Options, prepare
from core.datasets.prepared import Description, Prepared
from core.datasets.raw import Raw
from core.datasets.readers.columns import Ids

USERS, ITEMS, TASTES = 600, 600, 5
OFFSET = 0.8
"""Users like somewhat more than half of what they are shown."""

# Chosen so that Gini (.58) and the hottest item's share of users (.57) are near MovieLens 100K's (.63 and .62)
_SHOWN = 0.95  # probability that a user was shown the most exposed item
_HEAD = 150.0  # ranks over which exposure stays within a factor of 2 ** _TAIL of that
_TAIL = 2.4  # power by which exposure falls with rank in the far tail
_STRENGTH = 4.0  # of the trait that stands out: with it, BPR reaches 1.6 times the NDCG@10 of the most popular items
_TASTE_NAMES = ("Amber", "Basalt", "Cedar", "Dune", "Ember")


def simulate(seed: int = 0, users: int = USERS, items: int = ITEMS) -> Prepared:
    """600 users x 600 items, about 30,000 interactions, split at random per user. Equal arguments, equal data.

    truth: users (U, 5), items (I, 5), quality (I,), exposure (I,), all float64.
    Works on dense users x items: it is meant for such sizes only.
    """
    taste, traits, truth_rng = _factors(seed, users, items)
    quality = truth_rng.normal(0, 0.5, items)
    exposure = _SHOWN * (_HEAD / (_HEAD + truth_rng.permutation(items))) ** _TAIL
    liked = 1 / (1 + np.exp(-(taste @ traits.T + quality + OFFSET)))
    took = truth_rng.random((users, items)) < exposure * liked
    prepared = prepare(_raw(took), Options(seed=seed), _about(seed), _titles(traits))
    return _with_truth(prepared, {"users": taste}, {"items": traits, "quality": quality, "exposure": exposure})


def preferences(
    truth: Mapping[str, NDArray[np.float64]], users: NDArray[Any], items: NDArray[Any]
) -> NDArray[np.float64]:
    """The true preference of pairs, a logit: sigmoid of it is the probability that the user likes the item."""
    taste, traits = truth["users"][users], truth["items"][items]
    found: NDArray[np.float64] = (taste * traits).sum(axis=-1) + truth["quality"][items] + OFFSET
    return found


def prefers(
    truth: Mapping[str, NDArray[np.float64]], users: NDArray[Any], first: NDArray[Any], second: NDArray[Any]
) -> NDArray[np.float64]:
    """The true probability that the user prefers the first item: that it is the liked one, if just one of both is.

    Likes are independent, so that is sigmoid of the difference of the preferences (Bradley and Terry, 1952).
    """
    return 1 / (1 + np.exp(preferences(truth, users, second) - preferences(truth, users, first)))


def liked_if_not_taken(
    truth: Mapping[str, NDArray[np.float64]], users: NDArray[Any], items: NDArray[Any]
) -> NDArray[np.float64]:
    """The true probability that a user likes an item that the user did not take, in any split.

    P(likes and was not shown) / P(did not take) = l (1 - e) / (1 - l e), by Bayes, with like l and exposure e.
    """
    likes = 1 / (1 + np.exp(-preferences(truth, users, items)))
    shown = truth["exposure"][items]
    found: NDArray[np.float64] = likes * (1 - shown) / (1 - likes * shown)
    return found


def liked_if_negative(
    truth: Mapping[str, NDArray[np.float64]], held_out: Interactions, users: NDArray[Any], items: NDArray[Any]
) -> NDArray[np.float64]:
    """The true probability that a user likes an item that was not trained on: that such a negative is false. (n,)

    Given all that is in the data set. A held-out item was taken, so it was liked: 1. Any other is in no split, so it
    was not taken: `liked_if_not_taken`. Pairs are independent, and splits, training and draws see of the likes only
    what was taken; so nothing else in the data, nor that a model's sampler drew the item, changes either.
    held_out: the pairs of the other splits.
    """
    return np.where(held_out.has(users, items), 1.0, liked_if_not_taken(truth, users, items))


def _factors(seed: int, users: int, items: int) -> tuple[NDArray[np.float64], NDArray[np.float64], np.random.Generator]:
    """Users' tastes, items' traits, of which each has one that stands out, and the generator for what comes next."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    taste = rng.normal(0, 1, (users, TASTES))
    traits = rng.normal(0, 0.3, (items, TASTES))
    traits[np.arange(items), rng.integers(0, TASTES, items)] += _STRENGTH
    return taste, traits, rng


def _raw(took: NDArray[np.bool_]) -> Raw:
    users, items = np.nonzero(took)
    return Raw(
        "the simulation",
        Ids(users.astype(np.int32), _names("u", took.shape[0])),
        Ids(items.astype(np.int32), _names("i", took.shape[1])),
    )


def _names(letter: str, n: int) -> pa.StringArray:
    return pa.array([f"{letter}{k:0{len(str(n))}d}" for k in range(n)])


def _titles(traits: NDArray[np.float64]) -> pa.Table:
    ids = _names("i", len(traits))
    genres = [_TASTE_NAMES[k] for k in traits.argmax(axis=1)]
    return pa.table(
        {
            "id": ids,
            "title": pa.array([f"Simulated item {text.as_py()[1:]}" for text in ids]),
            "year": pa.nulls(len(ids), pa.int32()),
            "genres": pa.array(genres),
        }
    )


def _about(seed: int) -> Description:
    return Description(
        name="simulated",
        title="Simulated, true preferences known",
        source=f"generated by this program, seed {seed}",
        licence="free to use",
        simulated=True,
    )


def _with_truth(prepared: Prepared, of_users: dict[str, Any], of_items: dict[str, Any]) -> Prepared:
    """The truth of the users and items that are in the data, by their numbers."""
    users = np.array([int(text.as_py()[1:]) for text in prepared.user_ids])
    items = np.array([int(text.as_py()[1:]) for text in prepared.item_ids])
    truth = {name: array[users] for name, array in of_users.items()}
    truth |= {name: array[items] for name, array in of_items.items()}
    return replace(prepared, truth=truth)
