"""Changes as shares of the baseline: by hand, beside the plain differences, and where there is nothing to share."""

import numpy as np
import pytest
import scipy.stats

from benchmarks.calibration import World, made_up
from core.uncertainty.bootstrap import resample_means
from core.uncertainty.relative import over_users_alone, relative_changes
from core.uncertainty.verdict import FEW_SEEDS, SAME, WORSE, differences, verdicts
from core.uncertainty.weights import user_weights


def resampled(values, resamples=2000):
    return resample_means(values, user_weights(values.shape[2], "any", resamples))


def worlds(n, **of_world):
    return [np.array(values) for values in made_up(World(**of_world), n)]


def test_users_alone_make_the_paired_test_over_the_baselines_mean():
    rng = np.random.default_rng(0)
    values = rng.random((2, 1, 400))
    values[1] = 0.3 * values[0] + 0.6 * values[1]
    found = relative_changes(resampled(values, 40_000), 0, np.array([True, True]))
    base, other = values[:, 0]
    half = scipy.stats.t.ppf(0.975, 399) * np.std(other - base, ddof=1) / 20 / base.mean()
    change = other.mean() / base.mean() - 1
    assert found.difference[1] == pytest.approx(change)
    assert (found.low[1], found.high[1]) == pytest.approx((change - half, change + half), rel=0.03)
    assert found.p[1] == pytest.approx(scipy.stats.ttest_rel(other, base).pvalue, rel=0.3)
    low, high = over_users_alone(resampled(values, 40_000), 0)
    assert (low[1], high[1]) == pytest.approx((found.low[1], found.high[1]), rel=0.05)
    assert np.isnan([low[0], high[0], found.low[0], found.p[0]]).all()


def test_verdicts_are_those_of_the_plain_differences():
    for values in worlds(20, users=200, seeds=3, seed=0.01, difference=0.02):
        plain, shares = differences(resampled(values, 400), 0), relative_changes(resampled(values, 400), 0)
        assert shares.p[1] == plain.p[1]
        assert (shares.low[1] <= 0 <= shares.high[1]) == (shares.p[1] >= 0.05)
        assert verdicts(shares, shares.p, 1) == verdicts(plain, plain.p, 1)
        assert shares.of_users[1] == pytest.approx(plain.of_users[1] / values[0].mean() ** 2)


def test_shares_of_nothing_are_not_told():
    values = np.array([[[0.0, 0.0]] * 3, [[0.5, 0.1]] * 3])
    of_nothing = relative_changes(resampled(values, 50), 0)
    assert np.isnan([of_nothing.difference[1], of_nothing.low[1], of_nothing.p[1]]).all()
    assert np.isnan(over_users_alone(resampled(values, 50), 0)).all()
    to_nothing = relative_changes(resampled(values, 50), 1)
    assert to_nothing.difference[0] == -1
    assert np.isfinite([to_nothing.low[0], to_nothing.p[0]]).all()


def test_few_seeds_have_an_interval_over_users_only():
    values = worlds(1, users=200, seeds=2, difference=-0.1)[0]
    found = relative_changes(resampled(values), 0)
    assert verdicts(found, found.p, 1)[1] == FEW_SEEDS
    assert np.isnan(found.low[1])
    low, high = over_users_alone(resampled(values), 0)
    assert low[1] < found.difference[1] < high[1] < 0


def test_small_groups_with_noisy_seeds_keep_ends_that_can_be_told():
    for values in worlds(20, users=12, seeds=4, seed=0.05, run=0.3):
        found = relative_changes(resampled(values, 300), 0)
        assert np.isfinite([found.low[1], found.high[1]]).all()


@pytest.mark.parametrize("seed_sd", [0.0, 0.01])
def test_a_fifth_of_the_users_is_enough_for_an_honest_verdict(seed_sd):
    said = []
    for values in worlds(300, users=189, seeds=3, seed=seed_sd):
        found = relative_changes(resampled(values, 300), 0)
        said.append(verdicts(found, found.p, 1)[1] != SAME)
    assert np.mean(said) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 300)


def test_a_planted_loss_is_found():
    found = []
    for values in worlds(60, users=189, seeds=3, seed=0.003, difference=-0.04):
        changes = relative_changes(resampled(values, 300), 0)
        found.append(verdicts(changes, changes.p, 1)[1] == WORSE)
    assert np.mean(found) > 0.8
