"""Scorers: scores, and the way through their arrays and back."""

import numpy as np
import pytest

from core.datasets.interactions import Interactions
from core.models.scorers import (
    FORMS,
    Factors,
    GatedFactors,
    ItemNeighbours,
    ItemWeights,
    Penalised,
    RandomScores,
    from_tensors,
    penalised,
    scores_are_numbers,
)

FACTORS = Factors(np.arange(6, dtype=np.float32).reshape(3, 2), np.arange(8, dtype=np.float32).reshape(4, 2))

GATES = np.array([0.5, 0.25, 0.125], np.float32), np.array([0.5, 0.75, 0.25, 0.125], np.float32)
GATED = GatedFactors(FACTORS.users, FACTORS.items, *GATES, c=2.5)

TAKEN = Interactions.from_pairs(np.array([0, 0, 2]), np.array([1, 3, 0]), 3, 4)
"""User 0 took items 1 and 3, user 1 nothing, user 2 item 0."""
WEIGHTS = np.arange(16, dtype=np.float32).reshape(4, 4)
DENSE = ItemWeights(TAKEN, WEIGHTS)
# item 0 is near 2 (.5); item 1 near 0 (.25) and 2 (1); item 2 near none; item 3 near 2 (.125)
NEIGHBOURS = ItemNeighbours(
    TAKEN,
    np.array([0, 1, 3, 3, 4]),
    np.array([2, 0, 2, 2], np.int32),
    np.array([0.5, 0.25, 1.0, 0.125], np.float32),
)
POPULARITY = np.array([3, 0, 1, 7])
PENALISED = Penalised(FACTORS, POPULARITY, 0.5)
SCORERS = {
    "factors": FACTORS,
    "gated": GATED,
    "random": RandomScores(5, 3, 4),
    "weights": DENSE,
    "neighbours": NEIGHBOURS,
    "penalised factors": PENALISED,
    "penalised gated": Penalised(GATED, POPULARITY, 0.5),
    "penalised weights": Penalised(DENSE, POPULARITY, 2.0),
    "penalised neighbours": Penalised(NEIGHBOURS, POPULARITY, 2.0),
    "penalised random": Penalised(RandomScores(5, 3, 4), POPULARITY, 0.5),
}


def test_a_score_is_a_dot_product():
    np.testing.assert_array_equal(FACTORS.scores(np.array([2, 0])), [[5, 23, 41, 59], [1, 3, 5, 7]])
    assert FACTORS.scores(np.array([1])).dtype == np.float32


@pytest.mark.parametrize(
    ("user", "item", "sure"),
    [(1e18, 1e18, True), (1e20, 1e20, False), (np.inf, 0.0, False), (0.0, np.nan, False), (1e30, 1e-30, True)],
)
def test_scores_are_numbers_where_no_product_of_embeddings_overflows(user, item, sure):
    users, items = np.zeros((3, 4), np.float32), np.zeros((2, 4), np.float32)
    users[1, 2], items[1, 2] = user, item
    assert scores_are_numbers(users, items) is sure


def test_a_gated_score_is_what_exceeds_c_times_both_gates():
    expected = [
        [(5 - 2.5) * 0.125 * 0.5, (23 - 2.5) * 0.125 * 0.75, (41 - 2.5) * 0.125 * 0.25, (59 - 2.5) * 0.125 * 0.125],
        [(1 - 2.5) * 0.5 * 0.5, (3 - 2.5) * 0.5 * 0.75, (5 - 2.5) * 0.5 * 0.25, (7 - 2.5) * 0.5 * 0.125],
    ]
    np.testing.assert_array_equal(GATED.scores(np.array([2, 0])), expected)  # powers of two: exact
    assert GATED.scores(np.array([1])).dtype == np.float32


def test_random_scores_depend_on_seed_user_and_item_only():
    scorer = RandomScores(3, 50, 400)
    scores = scorer.scores(np.arange(50))
    np.testing.assert_array_equal(scorer.scores(np.array([7, 2])), scores[[7, 2]])
    assert scores.dtype == np.float32
    assert 0 <= scores.min() < scores.max() < 1
    assert scores.mean() == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / scores.size))
    assert not np.array_equal(scores[0], scores[1])
    assert not np.array_equal(RandomScores(4, 50, 400).scores(np.arange(50)), scores)


def test_item_weights_are_summed_over_what_the_user_took():
    expected = [[4 + 12, 5 + 13, 6 + 14, 7 + 15], [0, 0, 0, 0], [0, 1, 2, 3]]
    np.testing.assert_array_equal(DENSE.scores(np.array([0, 1, 2])), expected)
    np.testing.assert_array_equal(DENSE.scores(np.array([2, 0])), [expected[2], expected[0]])
    assert DENSE.scores(np.array([1])).dtype == np.float32


def test_neighbours_are_weights_of_which_most_are_0():
    expected = [[0.25, 0, 1 + 0.125, 0], [0, 0, 0, 0], [0, 0, 0.5, 0]]
    np.testing.assert_array_equal(NEIGHBOURS.scores(np.array([0, 1, 2])), expected)
    assert NEIGHBOURS.scores(np.array([1])).dtype == np.float32


def test_the_penalty_is_the_logarithm_of_popularity_in_units_of_the_users_spread():
    plain = [5, 23, 41, 59]  # of user 2: 18 apart, so the standard deviation is 18 times that of 0, 1, 2, 3
    spread = 18 * np.sqrt((1.5**2 + 0.5**2 + 0.5**2 + 1.5**2) / 4)
    expected = [score - 0.5 * spread * np.log(1 + pop) for score, pop in zip(plain, [3, 0, 1, 7], strict=True)]
    np.testing.assert_allclose(PENALISED.scores(np.array([2]))[0], expected, rtol=1e-6)
    assert PENALISED.scores(np.array([1])).dtype == np.float32


def test_a_penalty_changes_no_score_of_its_scorer_and_means_the_same_at_every_scale():
    users = np.arange(3)
    before = FACTORS.scores(users)
    lists = np.argsort(-PENALISED.scores(users), axis=1)
    np.testing.assert_array_equal(FACTORS.scores(users), before)
    huge = Factors(FACTORS.users * np.float32(1e19), FACTORS.items)  # its squares are beyond float32
    np.testing.assert_array_equal(np.argsort(-Penalised(huge, POPULARITY, 0.5).scores(users), axis=1), lists)


def test_a_penalty_replaces_the_one_before_and_none_is_the_scorer_itself():
    assert penalised(FACTORS, POPULARITY, 0.0) is FACTORS
    assert penalised(PENALISED, POPULARITY, 0.0) is FACTORS
    again = penalised(PENALISED, POPULARITY, 2.0)
    expected = Penalised(FACTORS, POPULARITY, 2.0).scores(np.arange(3))
    np.testing.assert_array_equal(again.scores(np.arange(3)), expected)


@pytest.mark.parametrize("scorer", SCORERS.values(), ids=SCORERS)
def test_back_from_its_arrays(scorer):
    tensors = scorer.tensors()
    back = from_tensors(tensors)
    assert type(back) is type(scorer)
    assert back.n_items == scorer.n_items == 4
    np.testing.assert_array_equal(back.scores(np.arange(3)), scorer.scores(np.arange(3)))
    assert {name: array.tobytes() for name, array in back.tensors().items()} == {
        name: array.tobytes() for name, array in tensors.items()
    }


def test_every_form_is_tried():
    assert {next(name for name in FORMS if name in scorer.tensors()) for scorer in SCORERS.values()} == set(FORMS)


def test_arrays_of_nobody():
    with pytest.raises(KeyError):
        from_tensors({"something": np.zeros(3)})
