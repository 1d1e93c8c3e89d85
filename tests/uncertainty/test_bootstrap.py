"""Means on resampled users: against a loop, against scipy, and by hand."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.uncertainty import bootstrap
from core.uncertainty.bootstrap import Resampled, interval, resample_means, sd_of
from core.uncertainty.weights import user_weights

UNIT = st.floats(0, 1, width=32)


def by_loop(values, weights):
    """Second definition: each resample drawn out user by user."""
    draws = np.full((len(weights), *values.shape[:2]), np.nan)
    for r, times in enumerate(weights):
        drawn = np.repeat(values, times, axis=2)
        for v, s in np.ndindex(*values.shape[:2]):
            defined = drawn[v, s][~np.isnan(drawn[v, s])]
            draws[r, v, s] = defined.mean() if len(defined) else np.nan
    return draws


@given(arrays(np.float64, (2, 3, 7), elements=st.one_of(UNIT, st.just(np.nan))))
def test_resampled_means_are_those_of_the_users_drawn(values):
    weights = user_weights(7, "any", 20)
    found = resample_means(values, weights)
    np.testing.assert_allclose(found.draws, by_loop(values, weights), atol=1e-6)
    np.testing.assert_allclose(found.values, by_loop(values, np.ones((1, 7), np.uint8))[0], atol=1e-12)


def test_blocks_of_runs_change_nothing(monkeypatch):
    values = np.random.default_rng(0).random((5, 3, 40))
    values[1, 2], values[4, 0, :5] = np.nan, np.nan
    weights = user_weights(40, "any", 30)
    whole = resample_means(values, weights).draws
    monkeypatch.setattr(bootstrap, "COLUMN_BYTES", 40 * 4 * 4)  # four runs at a time
    np.testing.assert_allclose(resample_means(values, weights).draws, whole, rtol=1e-6)


def test_large_means_with_a_small_spread_lose_no_digits():
    values = 1e4 + np.random.default_rng(0).random((1, 1, 500))
    weights = user_weights(500, "any", 200)
    assert resample_means(values, weights).draws.std() == pytest.approx(by_loop(values, weights).std(), rel=0.02)


def test_the_interval_is_scipys_percentile_bootstrap():
    values = np.random.default_rng(1).beta(0.7, 1.5, (1, 1, 300))
    low, high = interval(resample_means(values, user_weights(300, "any", 20_000)))
    for method in ("percentile", "BCa"):
        theirs = scipy.stats.bootstrap(
            (values[0, 0],), np.mean, n_resamples=20_000, method=method, rng=np.random.default_rng(2)
        ).confidence_interval
        width = theirs.high - theirs.low
        assert [low[0], high[0]] == pytest.approx([theirs.low, theirs.high], abs=0.04 * width)


def test_the_interval_is_of_the_mean_over_seeds():
    values = np.random.default_rng(1).random((2, 3, 200))
    weights = user_weights(200, "any")
    both = interval(resample_means(values, weights))
    of_means = interval(resample_means(values.mean(axis=1, keepdims=True), weights))
    np.testing.assert_allclose(both, of_means, atol=1e-5)


def test_the_ends_are_percentiles():
    draws = np.array([3.0, 2, 5, 4, 1], np.float32)[:, None, None]
    low, high = interval(Resampled(np.array([[3.0]]), draws, 5), level=0.5)
    assert (low[0], high[0]) == (2, 4)


def test_without_values_or_with_one_user_there_is_no_interval():
    some = np.array([[[0.1, 0.4]], [[np.nan, np.nan]]])
    low, high = interval(resample_means(some, user_weights(2, "any", 50)))
    assert np.isnan([low[1], high[1]]).all()
    assert 0.1 - 1e-6 <= low[0] <= high[0] <= 0.4 + 1e-6
    alone = interval(resample_means(some[:, :, :1], user_weights(1, "any", 50)))
    assert np.isnan(alone).all()


def test_the_spread_over_seeds():
    values = np.array([[0.1, 0.2, 0.6], [0.3, np.nan, np.nan], [0.1, 0.3, np.nan]])
    expected = [np.sqrt((0.2**2 + 0.1**2 + 0.3**2) / 2), np.nan, np.sqrt((0.1**2 + 0.1**2) / 1)]
    np.testing.assert_allclose(sd_of(values), expected)
