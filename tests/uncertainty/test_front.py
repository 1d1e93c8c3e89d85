"""The Pareto front against its definition, and its probability where that is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.uncertainty.bootstrap import Resampled, resample_means
from core.uncertainty.front import crossed, front_probability, on_front
from core.uncertainty.verdict import differences
from core.uncertainty.weights import seed_weights, user_weights

FEW = st.one_of(st.integers(0, 4).map(float), st.just(np.nan))  # many ties, some missing


def by_definition(x, y):
    points = list(zip(x, y, strict=True))
    there = [point for point in points if not np.isnan(point).any()]
    return [(a, b) in there and not any(c >= a and d >= b and (c > a or d > b) for c, d in there) for a, b in points]


@given(arrays(np.float64, (3, 2, 9), elements=FEW), st.sampled_from([1, -1]), st.sampled_from([1, -1]))
def test_on_front_is_the_definition(points, x_sign, y_sign):
    found = on_front(points[:, 0], points[:, 1], x_sign, y_sign)
    assert found.tolist() == [by_definition(x * x_sign, y * y_sign) for x, y in points]


def test_a_front_by_hand():
    x, y = np.array([1.0, 2, 3, 2, 1]), np.array([3.0, 2, 1, 1, 3])
    assert on_front(x, y, 1, 1).tolist() == [True, True, True, False, True]  # the last equals the first
    assert on_front(x, y, 1, -1).tolist() == [False, False, True, False, False]


def test_a_coin_decides_between_two():
    rng = np.random.default_rng(0)
    x = np.tile([0.0, 1.0, 0.5], (4000, 1))
    y = np.stack([np.ones(4000), np.zeros(4000), rng.choice([-1.0, 0.5], 4000)], axis=1)
    assert front_probability(x, y, 1, 1) == pytest.approx([1, 1, 0.5], abs=0.03)


def test_crossed_draws_have_the_variance_of_the_verdict():
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, (2, 1, 300)) + rng.normal(0, 0.2, (2, 4, 1)) + rng.normal(0, 0.5, (2, 4, 300))
    resampled = resample_means(values, user_weights(300, "any", 20_000))
    draws = crossed(resampled, seed_weights([4, 4], ["a", "b"], 20_000))
    assert (draws[:, 1] - draws[:, 0]).std() == pytest.approx(differences(resampled, 0).error[1], rel=0.02)
    np.testing.assert_allclose(draws.mean(axis=0), resampled.means, atol=0.005)


def test_without_chance_only_users_move():
    values = np.array([[0.4, np.nan, np.nan], [0.1, 0.5, 0.9]])
    draws = np.broadcast_to(values.astype(np.float32), (50, 2, 3))  # users that are all alike
    shares = seed_weights([1, 3], ["a", "b"], 50)
    moved = crossed(Resampled(values, draws, 10), shares)
    assert moved[:, 0] == pytest.approx(np.full(50, 0.4))
    assert moved[:, 1].std() > 0.1
    still = crossed(Resampled(values, draws, 10), shares, np.array([True, True]))
    np.testing.assert_allclose(still[:, 1], 0.5, atol=1e-6)
