"""Scorers: scores, and the way through their arrays and back."""

import numpy as np
import pytest

from core.models.scorers import Factors, GatedFactors, RandomScores, from_tensors

FACTORS = Factors(np.arange(6, dtype=np.float32).reshape(3, 2), np.arange(8, dtype=np.float32).reshape(4, 2))

GATES = np.array([0.5, 0.25, 0.125], np.float32), np.array([0.5, 0.75, 0.25, 0.125], np.float32)
GATED = GatedFactors(FACTORS.users, FACTORS.items, *GATES, c=2.5)


def test_a_score_is_a_dot_product():
    np.testing.assert_array_equal(FACTORS.scores(np.array([2, 0])), [[5, 23, 41, 59], [1, 3, 5, 7]])
    assert FACTORS.scores(np.array([1])).dtype == np.float32


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


@pytest.mark.parametrize("scorer", [FACTORS, GATED, RandomScores(5, 3, 4)], ids=["factors", "gated", "random"])
def test_back_from_its_arrays(scorer):
    back = from_tensors(scorer.tensors())
    assert type(back) is type(scorer)
    assert back.n_items == scorer.n_items == 4
    np.testing.assert_array_equal(back.scores(np.arange(3)), scorer.scores(np.arange(3)))


def test_arrays_of_nobody():
    with pytest.raises(KeyError):
        from_tensors({"something": np.zeros(3)})
