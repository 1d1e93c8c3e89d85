"""The samplers' rules: each piece by hand, the rules against the formulas written out, and beta 0 against DNS."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.datasets.popularity import hot_items
from core.models import samplers

SCORES = arrays(np.float32, st.integers(1, 8), elements=st.floats(-8, 8, width=32))


def sigma(x):
    return 1 / (1 + np.exp(-x))


def distribution(scores):
    """(lowest, scale, shares) of the compiled F."""
    exps, places = np.empty_like(scores), np.empty(len(scores), np.int32)
    counts, shares = np.empty(samplers.BINS, np.int32), np.empty(samplers.BINS, np.float32)
    samplers.exponentials(scores, exps)
    lowest, scale = samplers.distribution(scores, exps, places, counts, shares)
    return np.float32(lowest), np.float32(scale), shares


def argbest(worths, scores):
    """The place that the engine takes: asked candidate by candidate."""
    best = 0
    for c in range(1, len(worths)):
        if samplers.better(float(worths[c]), float(scores[c]), float(worths[best]), float(scores[best])):
            best = c
    return best


def auc_ns_worths(candidates, F, P, ups, downs, n_positives, n_negatives, alpha=0.6, gamma=0.006):
    """Of each candidate, by the compiled rule. candidates, ups, downs: scores."""
    e, up, down = (np.exp(x.astype(np.float64)).astype(np.float32) for x in (candidates, ups, downs))
    counts = (n_positives, n_negatives, alpha, gamma)
    return [
        samplers.worth_auc_ns(e[c], F[c], P[c], up, len(up), down.copy(), len(down), *counts)
        for c in range(len(candidates))
    ]


def auc_ns_reference(candidates, F, P, ups, downs, n_positives, n_negatives, alpha=0.6, gamma=0.006):
    """The paper's rule, written from the formulas alone, on scores in float64."""
    x = candidates.astype(np.float64)[:, None]
    f_neg, f_pos = 2 * ((1 - F) * alpha + F * (1 - alpha)), 2 * ((1 - F) * (1 - alpha) + F * alpha)
    w = f_neg * P / (f_neg * P + f_pos * (1 - P))
    rise = (1 - sigma(ups - x)).mean(axis=1)
    fall = (1 - sigma(x - downs)).mean(axis=1)
    return w * n_positives * rise - (1 - w) * gamma * n_negatives * fall


# --- the pieces, by hand


def test_likelihoods():
    """Step 2 of AUC-NS at F = .25, alpha = .6."""
    assert samplers.likelihood_negative(0.25, 0.6) == pytest.approx(2 * (0.75 * 0.6 + 0.25 * 0.4))
    assert samplers.likelihood_positive(0.25, 0.6) == pytest.approx(2 * (0.75 * 0.4 + 0.25 * 0.6))


@given(st.floats(0.51, 0.99))
def test_likelihoods_are_densities(alpha):
    middles = (np.arange(1000) + 0.5) / 1000
    for density in (samplers.likelihood_negative, samplers.likelihood_positive):
        assert np.mean([density(F, alpha) for F in middles]) == pytest.approx(1)


def test_prior():
    """Step 1: the share of 10 interactions, to the power."""
    popularity = np.array([6, 3, 1, 0])
    np.testing.assert_allclose(samplers.prior(popularity, 0.5), [0.6**0.5, 0.3**0.5, 0.1**0.5, 0])
    assert samplers.prior(popularity, 0.0).tolist() == [1, 1, 1, 1]  # 0^0 = 1: without a prior nobody is excluded
    assert samplers.prior(popularity, 1e6).tolist() == [0, 0, 0, 0]


def test_posterior():
    """Step 3."""
    assert samplers.posterior(0.2, 1.2, 0.8) == pytest.approx(1.2 * 0.2 / (1.2 * 0.2 + 0.8 * 0.8))
    assert samplers.posterior(1.0, 0.9, 1.1) == 1.0  # exactly: beta 0 hangs on it
    assert samplers.posterior(0.0, 0.9, 1.1) == 0.0


def test_gain():
    """Step 4: |I+| = 20, |I-| = 500."""
    assert samplers.gain(0.7, 20, 0.4, 0.01, 500, 0.3) == pytest.approx(0.7 * 20 * 0.4 - 0.3 * 0.01 * 500 * 0.3)


def test_unbias_and_risk():
    unbiased = 0.3 * 0.9 / (1 - 0.7 - 0.1 + 2 * 0.7 * 0.1)
    assert samplers.unbias(0.7, 0.1) == pytest.approx(unbiased)
    assert samplers.risk(0.4, unbiased, 5.0) == pytest.approx(0.4 * ((1 - unbiased) - 5 * unbiased))


def test_worth_bns_is_minus_the_risk():
    info = 1 - sigma(1.5 - 0.5)  # the positive's score is 1.5, the candidate's .5
    worth = samplers.worth_bns(math.exp(0.5), 0.7, 0.1, math.exp(1.5), 5.0)
    assert worth == pytest.approx(-samplers.risk(info, samplers.unbias(0.7, 0.1), 5.0))


# --- F and e^x


def test_the_share_of_scores_up_to_one_by_hand():
    """F(x) = #{l : x_l <= x} / (|I| + 1): of two equal scores each counts both; the highest is below 1."""
    lowest, scale, shares = distribution(np.array([3.0, -1.0, 3.0, 0.5, 9.0], np.float32))
    found = [samplers.share_below(np.float32(x), shares, lowest, scale) for x in (-1.0, 0.5, 3.0, 9.0)]
    np.testing.assert_allclose(found, [1 / 6, 2 / 6, 4 / 6, 5 / 6])


@given(arrays(np.float32, st.integers(1, 300), elements=st.floats(-10, 10, width=32)))
def test_scores_are_counted_up_to_a_bin(scores):
    lowest, scale, shares = distribution(scores)
    for x in scores[:20]:
        found = float(samplers.share_below(x, shares, lowest, scale)) * (len(scores) + 1)
        width = 1 / float(scale) if len(set(scores.tolist())) > 1 else 1
        assert (scores <= x - 1.01 * width).sum() <= round(found) <= (scores <= x + 1.01 * width).sum()


def test_the_share_of_what_is_no_number_is_a_share_all_the_same():
    lowest, scale, shares = distribution(np.array([np.nan, np.inf, -np.inf, 0.5], np.float32))
    for x in (np.nan, np.inf, -np.inf):
        assert 0 <= samplers.share_below(np.float32(x), shares, lowest, scale) < 1


@given(arrays(np.float32, st.integers(1, 100), elements=st.floats(-59, 59, width=32)))
def test_exponentials(scores):
    exps = np.empty_like(scores)
    samplers.exponentials(scores, exps)
    np.testing.assert_allclose(exps, np.exp(scores.astype(np.float64)), rtol=3e-7)


def test_exponentials_are_clipped():
    exps = np.empty(4, np.float32)
    samplers.exponentials(np.array([1e9, -1e9, np.inf, np.nan], np.float32), exps)
    np.testing.assert_allclose(exps, np.exp([60.0, -60.0, 60.0, -60.0]), rtol=3e-7)
    assert samplers.exponential(np.float32(1e9)) == pytest.approx(math.exp(60), rel=1e-6)


# --- the rules


@given(SCORES, st.integers(0, 2**32 - 1))
def test_auc_ns_takes_what_the_formulas_take(candidates, seed):
    chance = np.random.default_rng(seed)
    F, P = chance.random(len(candidates)), chance.random(len(candidates))
    rest = (chance.normal(size=chance.integers(1, 12)), chance.normal(size=chance.integers(1, 12)), 40, 900)
    worths = auc_ns_worths(candidates, F, P, *rest)
    reference = auc_ns_reference(candidates, F, P, *rest)
    np.testing.assert_allclose(worths, reference, rtol=1e-5, atol=1e-5)
    taken = argbest(worths, candidates)
    assert reference[taken] == pytest.approx(reference.max(), rel=1e-5, abs=1e-5)


@given(SCORES, st.integers(0, 2**32 - 1))
def test_without_a_prior_auc_ns_takes_what_dns_takes(candidates, seed):
    """beta 0: every P is 1. The same scores, the same candidates, the same choice."""
    chance = np.random.default_rng(seed)
    F, ones = chance.random(len(candidates)), np.ones(len(candidates))
    worths = auc_ns_worths(candidates, F, ones, chance.normal(size=10), chance.normal(size=10), 40, 900)
    assert argbest(worths, candidates) == argbest(candidates, candidates) == int(np.argmax(candidates))


@given(SCORES, st.integers(0, 2**32 - 1))
def test_with_a_huge_beta_auc_ns_takes_what_dns_takes(candidates, seed):
    """Every P is 0: the second term alone decides, and it too picks the highest score."""
    chance = np.random.default_rng(seed)
    F, P = chance.random(len(candidates)), samplers.prior(chance.integers(0, 99, len(candidates)), 1e6) * 0
    worths = auc_ns_worths(candidates, F, P, chance.normal(size=10), chance.normal(size=10), 40, 900)
    assert argbest(worths, candidates) == int(np.argmax(candidates))


def test_of_equally_worthy_candidates_the_higher_score_then_the_first():
    assert argbest([1.0, 1.0, 1.0], [0.1, 0.3, 0.3]) == 1
    assert argbest([1.0, 2.0, 2.0], [0.9, 0.1, 0.1]) == 1


# --- weights of items


def test_power_weights():
    np.testing.assert_allclose(samplers.power_weights(np.array([16, 4, 0]), 0.5), [4 / (4 + 2 + 0), 2 / (4 + 2 + 0), 0])
    np.testing.assert_allclose(samplers.power_weights(np.array([16, 4, 0]), 0.0), [1 / 3] * 3)  # rns


POPULARITY, HOT = np.array([10, 6, 2, 1, 1, 0]), np.array([True, True, False, False, False, False])


@pytest.mark.parametrize(
    ("shift", "cold"),
    [
        (0.0, 4 / 6),
        (0.5, 0.5 * 4 / 6 + 0.5 * 4 / 20),
        (1.0, 4 / 20),
        (1.5, 0.0),  # -.5 * 4/6 + 1.5 * 4/20 < 0: clipped
    ],
)
def test_fair_static_weighs_groups_by_the_shift(shift, cold):
    assert samplers.cold_probability(POPULARITY, HOT, shift) == pytest.approx(cold, abs=1e-15)
    weights = samplers.group_weights(POPULARITY, HOT, shift)
    np.testing.assert_allclose(weights, [(1 - cold) / 2] * 2 + [cold / 4] * 4, atol=1e-15)


@given(arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 50)).filter(np.any), st.floats(0, 2))
def test_fair_static_weights_are_shares_and_those_of_rns_at_0(popularity, shift):
    hot = hot_items(popularity)
    weights = samplers.group_weights(popularity, hot, shift)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(samplers.group_weights(popularity, hot, 0.0), 1 / len(popularity))


# --- chance


def test_below_is_uniform_and_in_range():
    state = np.array([7], np.uint64)
    drawn = np.array([samplers.below(state, 10) for _ in range(20_000)])
    counts = np.bincount(drawn, minlength=10)
    assert len(counts) == 10
    assert ((counts - 2000) ** 2 / 2000).sum() < 27.9  # chi-square, 9 degrees of freedom, p = .001


@given(arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 100)).filter(lambda w: w.sum() > 1e-6))
def test_an_alias_table_holds_its_weights(weights):
    accept, alias = samplers.alias_table(weights)
    share = accept.copy()
    np.add.at(share, alias, 1 - accept)
    np.testing.assert_allclose(share / len(weights), weights / weights.sum(), atol=1e-12)


def test_search_by_weight():
    rest, running = np.array([3, 5, 8], np.int32), np.cumsum([1.0, 0.0, 3.0])
    state = np.array([1], np.uint64)
    counts = np.bincount([samplers.heavy_negative(state, rest, running, 3) for _ in range(4000)], minlength=9)
    assert counts[5] == 0
    assert counts[3] + counts[8] == 4000
    assert abs(counts[3] - 1000) < 4 * math.sqrt(4000 * 0.25 * 0.75)


def test_weights_that_are_all_zero_leave_a_uniform_choice():
    rest, running = np.array([3, 5], np.int32), np.zeros(2)
    state = np.array([1], np.uint64)
    assert {samplers.heavy_negative(state, rest, running, 2) for _ in range(100)} == {3, 5}
