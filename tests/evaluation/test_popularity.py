from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy as scipy_entropy

from core.evaluation import popularity

# Items 0 and 1 are hot, 2 to 4 are cold, and nobody took 4 in train. User 0 is shown 0, 1, 2 and took 0, 2, 3 (hot: 0);
# user 1 is shown 3 and 0, then nothing, and took 1 and 3 (hot: 1); user 2 is shown nothing and took 4 (cold only).
TOP_K = np.array([[0, 1, 2], [3, 0, -1], [-1, -1, -1]])
IS_HIT = np.array([[True, False, True], [True, False, False], [False, False, False]])
IS_HOT = np.array([True, True, False, False, False])
POPULARITY = np.array([8, 4, 2, 1, 0])
N_TEST = np.array([3, 2, 1])
N_TEST_HOT = np.array([1, 1, 0])


def test_over_recommended_hot():
    assert popularity.over_recommended(TOP_K, IS_HIT, IS_HOT) == pytest.approx([1 / 2, 1 / 1, 0])


def test_over_recommended_cold():
    assert popularity.over_recommended(TOP_K, IS_HIT, ~IS_HOT) == pytest.approx([0 / 1, 0 / 1, 0])


def test_under_recommended_hot():
    assert popularity.under_recommended(TOP_K, IS_HIT, IS_HOT, N_TEST_HOT) == pytest.approx([0 / 1, 1 / 1, 0])


def test_under_recommended_cold():
    n_test_cold = N_TEST - N_TEST_HOT
    assert popularity.under_recommended(TOP_K, IS_HIT, ~IS_HOT, n_test_cold) == pytest.approx([1 / 2, 0 / 1, 1 / 1])


def test_wrong_share_counts_empty_ranks_as_wrong():
    assert popularity.false_positive_rate(IS_HIT) == pytest.approx([1 / 3, 2 / 3, 3 / 3])


def test_missed_share():
    assert popularity.false_negative_rate(IS_HIT, N_TEST) == pytest.approx([1 / 3, 1 / 2, 1 / 1])


def test_mean_popularity_divides_by_the_shown():
    values = popularity.mean_popularity(TOP_K, POPULARITY)
    assert values == pytest.approx([(8 + 4 + 2) / 3, (1 + 8) / 2, np.nan], nan_ok=True)


def test_cold_share_and_count():
    assert popularity.cold_share(TOP_K, IS_HOT) == pytest.approx([1 / 3, 1 / 2, np.nan], nan_ok=True)
    assert popularity.cold_count(TOP_K, IS_HOT) == pytest.approx([1, 1, 0])


def test_novelty_counts_a_never_seen_item_as_seen_once():
    values = popularity.novelty(np.array([[0, 2], [4, -1]]), POPULARITY, 16)
    assert values == pytest.approx([(-log2(8 / 16) - log2(2 / 16)) / 2, -log2(1 / 16)])


def test_counts_coverage_and_exposure_skip_empty_ranks():
    counts = popularity.recommendation_counts(TOP_K, 6)
    assert counts.tolist() == [2, 1, 1, 1, 0, 0]
    assert popularity.coverage(counts) == pytest.approx(4 / 6)
    shares = popularity.exposure(counts, np.array([10, 10, 9, 8, 7, 1]))
    assert shares == pytest.approx([0, 0, 0, 0, 0, 0, 0, 1 / 5, 1 / 5, 3 / 5])


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([3, 3, 3], 0), ([0, 0, 6], 1 - 1 / 3), ([1, 3], ((2 - 2 - 1) * 1 + (4 - 2 - 1) * 3) / (2 * 4)), ([0, 0], 0)],
)
def test_gini(counts, expected):
    assert popularity.gini(np.array(counts)) == pytest.approx(expected)


def test_nothing_shown_at_all():
    nothing = np.zeros(4, int)
    assert popularity.coverage(nothing) == 0
    assert popularity.exposure(nothing, np.array([1, 4, 7, 10])) == pytest.approx(np.zeros(10))
    assert (popularity.entropy(nothing), popularity.entropy_norm(nothing)) == (0, 0)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([3, 3, 3, 3], 2), ([0, 0, 6], 0), ([4, 2, 2, 0], 1 / 2 * 1 + 2 * 1 / 4 * 2), ([0.5, 0.5], 1)],
)
def test_entropy(counts, expected):
    counts = np.array(counts)
    assert popularity.entropy(counts) == pytest.approx(expected)
    assert popularity.entropy_norm(counts) == pytest.approx(expected / log2(len(counts)))


def test_a_catalogue_of_one_item_has_no_evenness():
    assert popularity.entropy_norm(np.array([7])) == 0


def test_weighted_counts_are_counts_of_repeated_lists():
    weights = np.array([2, 0, 3])
    repeated = popularity.recommendation_counts(np.repeat(TOP_K, weights, axis=0), 6)
    assert popularity.recommendation_counts(TOP_K, 6, weights).tolist() == repeated.tolist()


counted = arrays(np.int64, st.integers(2, 40), elements=st.integers(0, 999)).filter(np.any)


@given(counted)
def test_gini_is_half_the_relative_mean_difference(counts):
    second = np.abs(counts[:, None] - counts).mean() / (2 * counts.mean())
    assert popularity.gini(counts) == pytest.approx(second)


@given(counted, st.randoms(use_true_random=False))
def test_gini_does_not_depend_on_which_item_is_which(counts, random):
    shuffled = counts.copy()
    random.shuffle(shuffled)
    assert popularity.gini(shuffled) == pytest.approx(popularity.gini(counts), abs=1e-12)


@given(counted)
def test_entropy_is_that_of_loops_and_scipy(counts):
    shares = [count / counts.sum() for count in counts.tolist() if count]
    assert popularity.entropy(counts) == pytest.approx(-sum(p * log2(p) for p in shares), abs=1e-12)
    assert popularity.entropy(counts) == pytest.approx(scipy_entropy(counts, base=2), abs=1e-12)
    assert 0 <= popularity.entropy_norm(counts) <= 1


@given(counted)
def test_recboles_entropy_is_another_number(counts):
    """ShannonEntropy of RecBole 1.2.1: natural logarithm, over the items shown at all, divided by how many they are."""
    shown = counts[counts > 0] / counts.sum()
    theirs = float(-(shown * np.log(shown)).sum()) / len(shown)
    assert popularity.entropy(counts) == pytest.approx(theirs * len(shown) / np.log(2), abs=1e-12)


@given(counted)
def test_elliots_gini_is_another_number(counts):
    """Elliot's Gini is one minus a Gini divided by n - 1: both directions and divisors recomputed."""
    n = len(counts)
    shares = np.sort(counts) / counts.sum()
    theirs = 1 - sum((2 * (j + 1) - n - 1) * p for j, p in enumerate(shares.tolist())) / (n - 1)
    assert popularity.gini(counts) == pytest.approx((1 - theirs) * (n - 1) / n, abs=1e-12)


@given(counted)
def test_exposure_sums_to_one(counts):
    decile = np.arange(len(counts)) * 10 // len(counts) + 1
    assert popularity.exposure(counts, decile).sum() == pytest.approx(1)
