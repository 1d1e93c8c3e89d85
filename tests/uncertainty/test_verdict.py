"""The verdict: its parts by hand and against other definitions, and whether it keeps what it promises.

The calibration at full scale is `python -m benchmarks.calibration`; here it is small, with tolerances of four standard
errors of the share that is counted.
"""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmarks.calibration import World, made_up
from core.uncertainty.bootstrap import Resampled, resample_means
from core.uncertainty.verdict import (
    ALPHA,
    BETTER,
    FEW_SEEDS,
    NO_INTERVAL,
    SAME,
    WORSE,
    differences,
    holm,
    over_users,
    seed_variance,
    verdicts,
)
from core.uncertainty.weights import user_weights

SMALL = World(users=12, seeds=4, seed=0, variant=0.05, run=0.2)
P_VALUES = arrays(np.float64, st.integers(1, 12), elements=st.one_of(st.floats(0, 1), st.just(np.nan)))


def resampled(values, resamples=2000):
    return resample_means(values, user_weights(values.shape[2], "any", resamples))


def by_analysis_of_variance(values, baseline=0):
    """Second definition of the error: sums of squares instead of resamples. values (2, S, U), nothing missing."""
    _, seeds, users = values.shape
    of_users = np.var(values[1].mean(0) - values[baseline].mean(0), ddof=1) / users
    excess, uncertain = [], []
    for runs in values:
        of_mean = np.var(runs.mean(axis=1), ddof=1) / seeds
        rest = runs - runs.mean(axis=1, keepdims=True) - runs.mean(axis=0) + runs.mean()
        own = (rest**2).sum() / ((users - 1) * (seeds - 1)) / users / seeds
        excess.append(max(0, of_mean - own))
        uncertain.append(of_mean**2 / (seeds - 1))
    variance = of_users + sum(excess)
    return np.sqrt(variance), variance**2 / (of_users**2 / (users - 1) + sum(uncertain))


@pytest.mark.parametrize("seed_sd", [0.0, 0.02, 0.2])
def test_error_and_freedom_are_those_of_the_analysis_of_variance(seed_sd):
    values = np.array(next(made_up(World(users=300, seeds=4, seed=seed_sd, difference=0.01), 1)))
    found = differences(resampled(values, 40_000), 0)
    error, freedom = by_analysis_of_variance(values)
    assert found.error[1] == pytest.approx(error, rel=0.02)
    assert found.freedom[1] == pytest.approx(freedom, rel=0.1)
    assert found.difference[1] == pytest.approx(values[1].mean() - values[0].mean())
    t = found.difference[1] / found.error[1]
    assert found.p[1] == pytest.approx(2 * scipy.stats.t.sf(abs(t), found.freedom[1]))


def test_seeds_alone_make_welchs_test():
    # users that are all alike: what is left is Welch's t-test of the runs
    runs = np.array([[0.30, 0.32, 0.37], [0.41, 0.40, 0.45]])
    found = differences(resampled(np.repeat(runs[:, :, None], 20, axis=2)), 0)
    theirs = scipy.stats.ttest_ind(runs[1], runs[0], equal_var=False)
    assert (found.p[1], found.freedom[1]) == pytest.approx((theirs.pvalue, theirs.df), rel=1e-4)


def test_a_dozen_users_have_no_fewer_degrees_of_freedom_than_the_seeds():
    # the users' part of the seeds' variance is left out of the error, and alone would leave no freedom at all
    found = [differences(resampled(np.array(values), 300), 0) for values in made_up(SMALL, 100)]
    freedom = np.array([d.freedom[1] for d in found])
    assert freedom.min() == 3
    assert (freedom == 3).mean() < 0.5
    assert max(d.high[1] - d.low[1] for d in found) < 2


def test_users_alone_make_the_paired_test():
    rng = np.random.default_rng(0)
    values = rng.random((2, 1, 400))
    values[1] += 0.03
    found = differences(resampled(values, 40_000), 0, np.array([True, True]))
    theirs = scipy.stats.ttest_rel(values[1, 0], values[0, 0])
    assert found.freedom[1] == pytest.approx(399)
    assert found.difference[1] / found.error[1] == pytest.approx(theirs.statistic, rel=0.02)


def test_the_users_part_of_the_runs_spread_is_known():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (1, 5, 2000))  # no seed effect at all: s^2 / S is all users' part
    _, own = seed_variance(resampled(values))
    assert own[0] == pytest.approx(1 / 2000 / 5, rel=0.05)


@given(arrays(np.float64, (3, 3, 15), elements=st.floats(0, 1, width=16)))
def test_swapping_sides_swaps_the_sign(values):
    found = resampled(values, 200)
    there, back = differences(found, 0), differences(found, 2)
    np.testing.assert_allclose(there.difference[2], -back.difference[0])
    np.testing.assert_allclose([there.p[2], there.error[2]], [back.p[0], back.error[0]], rtol=1e-6)
    np.testing.assert_allclose([there.low[2], there.high[2]], [-back.high[0], -back.low[0]], atol=1e-12)


@given(arrays(np.float64, (4, 3, 15), elements=st.floats(0, 1, width=16)))
def test_the_interval_holds_zero_exactly_where_p_is_above_five_percent(values):
    found = differences(resampled(values, 200), 0)
    some = found.error > 0
    away = np.abs(found.p - ALPHA) > 1e-6
    assert ((found.low <= 0) & (found.high >= 0))[some & away].tolist() == (found.p > ALPHA)[some & away].tolist()


def test_the_baseline_is_not_compared_with_itself():
    found = differences(resampled(np.random.default_rng(0).random((3, 3, 30))), 1)
    assert found.difference[1] == 0
    assert np.isnan([found.error[1], found.freedom[1], found.low[1], found.high[1], found.p[1]]).all()


def test_two_that_are_equal_for_everybody_are_not_distinguishable():
    values = np.repeat(np.random.default_rng(0).random((1, 1, 30)), 3, axis=1)
    found = differences(resampled(np.concatenate([values, values])), 0)
    assert (found.p[1], found.low[1], found.high[1]) == (1, 0, 0)
    assert verdicts(found, holm(found.p), 1)[1] == SAME


def test_words_follow_p_sign_and_direction():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.01, (4, 3, 100)) + np.array([0, 0.1, -0.1, 0])[:, None, None]
    found = differences(resampled(values), 0)
    assert verdicts(found, holm(found.p), 1)[1:3] == [BETTER, WORSE]
    assert verdicts(found, holm(found.p), -1)[1:3] == [WORSE, BETTER]
    assert verdicts(found, np.array([np.nan, 0.051, 0.049, np.nan]), 1) == [NO_INTERVAL, SAME, WORSE, NO_INTERVAL]


def test_fewer_than_three_seeds_are_not_enough_unless_there_is_no_chance():
    values = np.random.default_rng(0).random((4, 3, 50))
    values[1, 2], values[2, 1:], values[3, 1:] = np.nan, np.nan, np.nan
    fixed = np.array([False, False, False, True])
    found = differences(resampled(values), 0, fixed)
    assert found.enough_seeds.tolist() == [True, False, False, True]
    assert np.isnan(found.p).tolist() == [True, True, True, False]
    assert verdicts(found, holm(found.p), 1)[1:] == [FEW_SEEDS, FEW_SEEDS, SAME]
    against_few = differences(resampled(values), 1, fixed)
    assert verdicts(against_few, holm(against_few.p), 1) == [FEW_SEEDS] * 4


def test_without_a_value_on_one_side_more_seeds_would_not_help():
    values = np.random.default_rng(0).random((3, 3, 50))
    values[1] = np.nan  # as a metric has it at a length that added lists do not reach
    for fixed in (np.array([False, True, False]), None):
        found = differences(resampled(values), 0, fixed)
        assert verdicts(found, holm(found.p), 1)[1] == NO_INTERVAL
        against_nothing = differences(resampled(values), 1, fixed)
        words = verdicts(against_nothing, holm(against_nothing.p), 1)
        assert [words[0], words[2]] == [NO_INTERVAL] * 2


def test_a_single_user_tells_nothing():
    found = differences(resampled(np.random.default_rng(0).random((2, 3, 1))), 0)
    assert verdicts(found, holm(found.p), 1)[1] == NO_INTERVAL


def test_a_variant_adds_the_seeds_it_has():
    rng = np.random.default_rng(0)
    values = np.full((2, 5, 100), np.nan)
    values[0], values[1, :3] = rng.random((5, 100)), rng.random((3, 100))
    alone = differences(Resampled(*_first(resampled(values))), 0)
    assert np.isfinite(alone.p[1])
    of_mean, _ = seed_variance(resampled(values))
    assert of_mean[1] == pytest.approx(np.var(values[1, :3].mean(axis=1), ddof=1) / 3)


def _first(found):
    return found.values, found.draws, found.n_users


# ---------------------------------------------------------------- Holm


def by_closed_testing(p):
    """Second definition: the largest of n times the smallest p over all sets that hold the hypothesis."""
    n = len(p)
    sets = [[i for i in range(n) if mask >> i & 1] for mask in range(1, 1 << n)]
    return [min(1, max(len(s) * min(p[i] for i in s) for s in sets if j in s)) for j in range(n)]


@given(arrays(np.float64, st.integers(1, 7), elements=st.floats(0, 1)))
def test_holm_is_the_closed_test_of_bonferroni(p):
    np.testing.assert_allclose(holm(p), by_closed_testing(p))


@given(P_VALUES)
def test_holm_keeps_the_order_and_corrects_upwards(p):
    found = holm(p)
    known = np.isfinite(p)
    assert (np.isnan(found) == ~known).all()
    assert (found[known] >= p[known]).all()
    assert (found[known] <= np.minimum(1, p[known] * known.sum()) + 1e-12).all()
    order = np.argsort(p[known])
    assert (np.diff(found[known][order]) >= 0).all()


@given(arrays(np.float64, st.integers(2, 7), elements=st.floats(0, 1)), st.data())
def test_holm_with_others_unknown_is_never_bolder_than_with_all_known(p, data):
    known = data.draw(arrays(np.bool_, len(p)))
    assert (holm(p[known], others=int((~known).sum())) >= holm(p)[known]).all()


def test_holm_by_hand():
    np.testing.assert_allclose(
        holm(np.array([0.01, 0.04, np.nan, 0.03, 0.9])), [0.01 * 4, 0.03 * 3, np.nan, 0.03 * 3, 0.9]
    )


# ---------------------------------------------------------------- beside it


def test_tests_over_users_are_scipys_of_seed_means():
    values = np.random.default_rng(0).random((2, 3, 60))
    values[0, :, 5] = np.nan  # a user for whom one side is not defined
    kept = np.delete(values, 5, axis=2).mean(axis=1)
    found = over_users(values[1], values[0])
    assert found.wilcoxon == pytest.approx(scipy.stats.wilcoxon(kept[1] - kept[0]).pvalue)
    assert found.t == pytest.approx(scipy.stats.ttest_rel(kept[1], kept[0]).pvalue)


def test_tests_over_users_of_equals_say_nothing():
    values = np.random.default_rng(0).random((3, 60))
    assert np.isnan(over_users(values, values)).all()


# ---------------------------------------------------------------- what it promises


def shares(world, repetitions=400, resamples=400):
    """Share of "significant" of the verdict, and of both tests over users alone."""
    weights = user_weights(world.users, "any", resamples)
    found = []
    for pair in made_up(world, repetitions):
        beside = over_users(pair[1], pair[0])
        found.append([differences(resample_means(pair, weights), 0).p[1], beside.t, beside.wilcoxon])
    return (np.array(found) < ALPHA).mean(axis=0)


@pytest.mark.parametrize("seed_sd", [0.002, 0.006, 0.015])
def test_where_there_is_no_difference_five_percent_are_called_one(seed_sd):
    verdict, *_ = shares(World(users=200, seed=seed_sd))
    assert 0.005 <= verdict <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)  # 0.0936


def test_tests_over_users_alone_take_the_seed_for_the_method():
    verdict, t, wilcoxon = shares(World(users=200, seed=0.015))
    assert verdict < 0.0936
    assert min(t, wilcoxon) > 0.2


def test_a_planted_difference_is_found_with_the_power_of_the_t_test():
    # error^2 = 2 (0.07^2 + 0.06^2 / 3) / 943 + 2 (0.003^2) / 3 = (0.00436)^2; 0.02 is 4.6 of them
    verdict, *_ = shares(World(difference=0.02), repetitions=150)
    assert verdict > 0.9
