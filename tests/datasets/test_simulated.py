"""The simulated data set: long-tailed, reproducible, and biased in the way its truth says."""

from __future__ import annotations

import numpy as np
import pytest

from core.datasets import store
from core.datasets.acquire import acquire
from core.datasets.interactions import Interactions
from core.datasets.prepared import Prepared
from core.datasets.simulated import (
    OFFSET,
    TASTES,
    liked_if_negative,
    liked_if_not_taken,
    preferences,
    prefers,
    simulate,
)
from core.settings import Settings


@pytest.fixture(scope="module")
def simulated() -> Prepared:
    return simulate()


def like_probability(data: Prepared) -> np.ndarray:
    preference = data.truth["users"] @ data.truth["items"].T + data.truth["quality"] + OFFSET
    return 1 / (1 + np.exp(-preference))


def test_its_size_and_tail(simulated: Prepared) -> None:
    popularity = np.sort(np.bincount(simulated.items))[::-1]
    assert 25_000 < len(simulated.users) < 35_000
    assert 0.5 < popularity[:120].sum() / popularity.sum() < 0.75  # a fifth of the items has most of the interactions
    assert popularity[0] > 20 * popularity[-60]


def test_equal_seeds_give_equal_data(simulated: Prepared) -> None:
    assert simulate().id == simulated.id != simulate(seed=1).id


def test_the_truth_explains_the_data(simulated: Prepared) -> None:
    """Taken = shown and liked: expected and found counts agree for each tenth of liking, and of exposure."""
    probability = like_probability(simulated) * simulated.truth["exposure"]
    took = np.zeros_like(probability)
    took[simulated.users, simulated.items] = 1
    for by in (like_probability(simulated), np.broadcast_to(simulated.truth["exposure"], took.shape)):
        groups = np.minimum((np.argsort(np.argsort(by, axis=None)) * 10) // by.size, 9)
        found, expected = np.bincount(groups, took.ravel()), np.bincount(groups, probability.ravel())
        error = np.sqrt(np.bincount(groups, (probability * (1 - probability)).ravel()))
        assert (np.abs(found - expected) < 5 * error).all()


def test_popularity_is_more_exposure_than_quality(simulated: Prepared) -> None:
    """The bias that debiasing is about: what is popular says little of what is liked."""
    popularity = np.bincount(simulated.items)
    liked = like_probability(simulated).mean(axis=0)
    by_exposure = np.corrcoef(np.argsort(np.argsort(popularity)), np.argsort(np.argsort(simulated.truth["exposure"])))
    by_liking = np.corrcoef(np.argsort(np.argsort(popularity)), np.argsort(np.argsort(liked)))
    assert by_exposure[0, 1] > 0.8
    assert by_liking[0, 1] < 0.5


def test_it_is_marked_and_its_truth_is_stored(settings: Settings, simulated: Prepared) -> None:
    info = acquire(settings, "simulated")
    assert info.simulated and "generated" in info.source and info.id == simulated.id
    truth = store.read_truth(info.folder)
    assert truth["users"].shape == (info.users, TASTES) and truth["exposure"].shape == (info.items,)
    np.testing.assert_array_equal(truth["quality"], simulated.truth["quality"])
    assert store.read_items(info.folder).column("title")[0].as_py().startswith("Simulated item")


def test_preferring_one_item_is_being_the_liked_one_of_two(simulated: Prepared) -> None:
    """Against a draw of likes: of the pairs with exactly one liked item, how often it is the first."""
    truth, chance = simulated.truth, np.random.default_rng(0)
    users, first, second = np.zeros(1, int), np.array([5]), np.array([9])
    likes = [1 / (1 + np.exp(-preferences(truth, users, item))) for item in (first, second)]
    draws = [chance.random(200_000) < like for like in likes]
    one = draws[0] != draws[1]
    assert prefers(truth, users, first, second) == pytest.approx(draws[0][one].mean(), abs=0.01)


def test_a_false_negative_is_liked_and_was_not_shown(simulated: Prepared) -> None:
    truth, chance = simulated.truth, np.random.default_rng(0)
    item = np.array([int(truth["exposure"].argmax())])
    liked = chance.random(200_000) < 1 / (1 + np.exp(-preferences(truth, np.zeros(1, int), item)))
    taken = liked & (chance.random(200_000) < truth["exposure"][item])
    assert liked_if_not_taken(truth, np.zeros(1, int), item) == pytest.approx(liked[~taken].mean(), abs=0.01)


def test_a_held_out_negative_is_false_for_certain(simulated: Prepared) -> None:
    """Against many worlds of one user and one item: of those where the item is not trained on, how many like it."""
    worlds, chance = 100_000, np.random.default_rng(0)
    item = int(simulated.truth["exposure"].argmax())
    truth = {name: array[[item]] for name, array in simulated.truth.items() if name != "users"}
    truth["users"] = simulated.truth["users"][[0]].repeat(worlds, axis=0)
    users, items = np.arange(worlds), np.zeros(worlds, int)
    liked = chance.random(worlds) < 1 / (1 + np.exp(-preferences(truth, users, items)))
    taken = liked & (chance.random(worlds) < truth["exposure"][0])
    held_out = taken & (chance.random(worlds) < 0.3)
    negative = ~taken | held_out
    pairs = Interactions.from_pairs(users[held_out], items[held_out], worlds, 1)
    found = liked_if_negative(truth, pairs, users, items)
    assert (found[held_out] == 1).all()
    assert found[negative].mean() == pytest.approx(liked[negative].mean(), abs=0.005)
    assert liked_if_not_taken(truth, users, items)[negative].mean() < liked[negative].mean() - 0.05
