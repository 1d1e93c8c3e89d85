"""Relative changes: their parts by hand and against Fieller's idea of a ratio, and whether they keep their promise."""

import numpy as np
import pytest
import scipy.stats

from benchmarks.calibration import World, made_up
from core.uncertainty.bootstrap import resample_means
from core.uncertainty.relative import over_users_alone, relative_changes
from core.uncertainty.verdict import FEW_SEEDS, NO_INTERVAL, WORSE, verdicts
from core.uncertainty.weights import user_weights


def resampled(values, resamples=2000):
    return resample_means(values, user_weights(values.shape[2], "any", resamples))


def worlds(n, **of_world):
    return [np.array(values) for values in made_up(World(**of_world), n)]


def test_users_alone_make_the_error_of_a_ratio():
    rng = np.random.default_rng(0)
    values = rng.random((2, 1, 400))
    values[1] = 0.3 * values[0] + 0.6 * values[1]
    found = relative_changes(resampled(values, 40_000), 0, np.array([True, True]))
    base, other = values[:, 0]
    ratio = other.mean() / base.mean()
    error = (
        np.std(other - ratio * base, ddof=1) / np.sqrt(400) / other.mean()
    )  # of a ratio estimate (Cochran 1977, 6.3)
    assert found.difference[1] == pytest.approx(ratio - 1)
    assert found.error[1] == pytest.approx(error, rel=0.02)
    half = scipy.stats.t.ppf(0.975, 399) * found.error[1]
    assert (found.low[1], found.high[1]) == pytest.approx((ratio * np.exp(-half) - 1, ratio * np.exp(half) - 1))
    low, high = over_users_alone(resampled(values, 40_000), 0)
    assert (low[1], high[1]) == pytest.approx((found.low[1], found.high[1]), rel=0.03)
    assert np.isnan([low[0], high[0], found.low[0], found.p[0]]).all()


def test_seeds_alone_make_welchs_test_of_runs_over_their_mean():
    runs = np.array([[0.30, 0.32, 0.37], [0.41, 0.40, 0.45]])
    found = relative_changes(resampled(np.repeat(runs[:, :, None], 20, axis=2)), 0)
    over = runs / runs.mean(axis=1, keepdims=True)
    error = np.sqrt((over.var(axis=1, ddof=1) / 3).sum())
    assert found.error[1] == pytest.approx(error, rel=1e-4)
    t = np.log(1.26 / 0.99) / error
    assert found.p[1] == pytest.approx(2 * scipy.stats.t.sf(t, found.freedom[1]), rel=1e-3)


def test_the_interval_holds_0_exactly_where_p_is_above_5_percent():
    for values in worlds(40, users=200, seeds=3, seed=0.01, difference=0.02):
        found = relative_changes(resampled(values, 400), 0)
        assert (found.low[1] <= 0 <= found.high[1]) == (found.p[1] >= 0.05)


def test_shares_of_nothing_are_not_told():
    values = np.array([[[0.0, 0.0]] * 3, [[0.5, 0.1]] * 3])
    of_nothing = relative_changes(resampled(values, 50), 0)
    assert np.isnan([of_nothing.difference[1], of_nothing.low[1], of_nothing.p[1]]).all()
    to_nothing = relative_changes(resampled(values, 50), 1)
    assert to_nothing.difference[0] == -1
    assert np.isnan([to_nothing.low[0], to_nothing.p[0]]).all()
    assert verdicts(to_nothing, to_nothing.p, 1)[0] == NO_INTERVAL


def test_few_seeds_have_an_interval_over_users_only():
    values = worlds(1, users=200, seeds=2, difference=-0.1)[0]
    found = relative_changes(resampled(values), 0)
    assert verdicts(found, found.p, 1)[1] == FEW_SEEDS
    assert np.isnan(found.low[1])
    low, high = over_users_alone(resampled(values), 0)
    assert low[1] < found.difference[1] < high[1] < 0


@pytest.mark.parametrize("seed_sd", [0.0, 0.01])
def test_significant_is_5_percent_where_nothing_differs(seed_sd):
    found = [relative_changes(resampled(v, 300), 0).p[1] < 0.05 for v in worlds(300, users=189, seeds=3, seed=seed_sd)]
    assert np.mean(found) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 300)


def test_a_planted_loss_is_found():
    found = []
    for values in worlds(60, users=189, seeds=3, seed=0.003, difference=-0.04):
        changes = relative_changes(resampled(values, 300), 0)
        found.append(verdicts(changes, changes.p, 1)[1] == WORSE)
    assert np.mean(found) > 0.8
