"""Bias, variance and noise of the pairwise losses, and the triples they are measured on."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.datasets.interactions import Interactions
from core.evaluation.decomposition import decompose, per_user, summarise
from core.evaluation.triples import fixed_triples, margins

MARGINS = hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.floats(-30, 30))
LOSSES = ("brier", "logistic")


def total(terms):
    return terms.bias + terms.variance + (0 if terms.noise is None else terms.noise)


@given(MARGINS, st.sampled_from(LOSSES))
def test_terms_add_up_to_the_measured_loss(found, loss):
    terms = decompose(found, loss)
    np.testing.assert_allclose(total(terms), terms.loss, rtol=1e-9, atol=1e-9)
    assert (terms.variance >= -1e-12).all()


@given(MARGINS, st.sampled_from(LOSSES), st.floats(0.01, 0.99))
def test_with_a_known_truth_there_are_three_terms_and_they_add_up(found, loss, q):
    terms = decompose(found, loss, np.full(found.shape[1], q))
    np.testing.assert_allclose(total(terms), terms.loss, rtol=1e-9, atol=1e-9)
    assert (terms.bias >= -1e-12).all()
    assert (terms.variance >= -1e-12).all()


def test_brier_by_hand():
    """p is 1/2 and 3/4: mean 5/8, variance 1/64; losses 1/4 and 1/16."""
    terms = decompose(np.array([[0.0], [math.log(3)]]), "brier")
    assert (terms.loss[0], terms.bias[0], terms.variance[0]) == pytest.approx((5 / 32, 9 / 64, 1 / 64))
    known = decompose(np.array([[0.0], [math.log(3)]]), "brier", np.array([0.75]))
    assert (known.noise[0], known.bias[0], known.variance[0]) == pytest.approx((3 / 16, 1 / 64, 1 / 64))


def test_logistic_by_hand():
    """Mean logit log(sqrt 3): p = sqrt 3 / (1 + sqrt 3); the loss is the mean of log 2 and log 4/3."""
    terms = decompose(np.array([[0.0], [math.log(3)]]), "logistic")
    loss, root = (math.log(2) + math.log(4 / 3)) / 2, math.sqrt(3)
    bias = -math.log(root / (1 + root))
    assert (terms.loss[0], terms.bias[0], terms.variance[0]) == pytest.approx((loss, bias, loss - bias))


def test_equal_replicates_have_no_variance_and_the_true_model_no_bias():
    q = np.array([0.2, 0.9])
    for loss in LOSSES:
        terms = decompose(np.tile(np.log(q / (1 - q)), (3, 1)), loss, q)
        assert terms.variance == pytest.approx([0, 0])
        assert terms.bias == pytest.approx([0, 0], abs=1e-15)
        assert terms.loss == pytest.approx(terms.noise)


def test_differences_between_models_are_differences_of_bias():
    """Noise is a matter of the triple: what is taken off one term on simulated data is the same for both models."""
    chance = np.random.default_rng(4)
    q, one, two = chance.uniform(0.1, 0.9, 50), chance.normal(size=(5, 50)), chance.normal(size=(5, 50))
    for loss in LOSSES:
        a, b = decompose(one, loss, q), decompose(two, loss, q)
        assert (a.loss - b.loss) == pytest.approx((a.bias - b.bias) + (a.variance - b.variance))


def test_means_over_a_group_and_sums_over_users():
    terms = decompose(np.array([[0.0, 1.0, 2.0]]), "brier")
    assert summarise(terms, np.zeros(3, bool)) is None
    part = summarise(terms, np.array([True, False, True]))
    assert (part.loss, part.triples) == (pytest.approx((terms.loss[0] + terms.loss[2]) / 2), 2)
    sums, numbers = per_user(terms.loss, np.array([0, 0, 2]), 4)
    assert sums == pytest.approx([terms.loss[0] + terms.loss[1], 0, terms.loss[2], 0])
    assert numbers.tolist() == [2, 0, 1, 0]


def pairs(*rows, items):
    users = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    return Interactions.from_pairs(users, np.array([i for row in rows for i in row], int), len(rows), items)


def test_triples_are_of_items_never_touched_each_as_likely_as_the_others():
    touched, held = pairs([0, 3, 5], [1], list(range(7)), items=7), pairs([3], [1], [2], items=7)
    made = fixed_triples(held, touched, each=4000, seed=0)
    assert set(made.users.tolist()) == {0, 1}  # the third user touched everything
    for user, free in ((0, [1, 2, 4, 6]), (1, [0, 2, 3, 4, 5, 6])):
        found, counts = np.unique(made.negatives[made.users == user], return_counts=True)
        assert found.tolist() == free
        assert (np.abs(counts / 4000 - 1 / len(free)) < 0.03).all()
    again = fixed_triples(held, touched, each=4000, seed=0)
    assert np.array_equal(made.negatives, again.negatives)
    assert not np.array_equal(made.negatives, fixed_triples(held, touched, each=4000, seed=1).negatives)


@given(st.integers(0, 10_000))
def test_untouched_items_against_a_plain_loop(seed):
    chance = np.random.default_rng(seed)
    n_items = int(chance.integers(2, 9))
    rows = [np.flatnonzero(chance.random(n_items) < 0.5).tolist() or [0] for _ in range(4)]
    touched = pairs(*rows, items=n_items)
    made = fixed_triples(touched, touched, each=3, seed=seed)
    for user, positive, negative in zip(made.users, made.positives, made.negatives, strict=True):
        free = [i for i in range(n_items) if i not in rows[user]]
        assert positive in rows[user]
        assert negative in free


def test_margins_are_differences_of_scores_whatever_the_blocks(monkeypatch):
    chance = np.random.default_rng(1)
    table = chance.normal(size=(5, 6)).astype(np.float32)

    class Table:
        def scores(self, users):
            return table[users]

    touched = pairs([0, 1], [2], [3, 4], [5], [1], items=6)
    made = fixed_triples(touched, touched, each=3, seed=0)
    expected = table[made.users, made.positives] - table[made.users, made.negatives]
    assert np.array_equal(margins(Table(), 6, made), expected)
    monkeypatch.setattr("core.evaluation.triples.BLOCK_SCORES", 12)
    assert np.array_equal(margins(Table(), 6, made), expected)
