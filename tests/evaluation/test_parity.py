import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from core.evaluation import parity

# Items 0 and 1 are hot, 2 to 4 cold. User 0 is shown 0, 1, 2 and took 0, 2, 3; user 1 is shown 3, 0 and took 1 and 3.
TOP_K = np.array([[0, 1, 2], [3, 0, -1]])
IS_HIT = np.array([[True, False, True], [True, False, False]])
IS_HOT = np.array([True, True, False, False, False])


def test_popreo_by_hand():
    sums = parity.reo_sums(TOP_K, IS_HIT, IS_HOT, np.array([1, 1]), np.array([2, 1]))
    assert sums.tolist() == [[1, 1, 1, 2], [0, 1, 1, 1]]
    hot, cold = 1 / 2, 2 / 3
    assert parity.relative_spread(sums.sum(axis=0)) == pytest.approx(np.std([hot, cold]) / np.mean([hot, cold]))


def test_poprsp_by_hand():
    sums = parity.rsp_sums(TOP_K, IS_HOT, np.array([[2, 3], [1, 3]]))  # user 1 has taken a hot item before
    assert sums.tolist() == [[2, 1, 2, 3], [1, 1, 1, 3]]
    hot, cold = 3 / 3, 2 / 6
    assert parity.relative_spread(sums.sum(axis=0)) == pytest.approx(np.std([hot, cold]) / np.mean([hot, cold]))


def test_a_mean_over_users_of_ratios_is_another_number():
    """Some code divides per user, then averages; Elliot and we sum first."""
    sums = parity.reo_sums(TOP_K, IS_HIT, IS_HOT, np.array([1, 1]), np.array([2, 1]))
    per_user = (sums[:, :2] / sums[:, 2:]).mean(axis=0)  # 1/2 and 3/4
    assert np.std(per_user) / np.mean(per_user) == pytest.approx((1 / 8) / (5 / 8))
    assert parity.relative_spread(sums.sum(axis=0)) == pytest.approx((1 / 12) / (7 / 12))


@pytest.mark.parametrize("sums", [[0, 1, 0, 4], [1, 0, 4, 0], [0, 0, 4, 4], [0, 0, 0, 0]])
def test_a_group_without_items_or_nothing_found_has_no_spread(sums):
    assert np.isnan(parity.relative_spread(np.array(sums)))


def test_one_group_only_is_the_worst_and_equal_chances_the_best():
    found = parity.relative_spread(np.array([[3, 0, 5, 5], [2, 4, 5, 10]]))
    assert found == pytest.approx([1, 0])


parts = arrays(np.float64, (4,), elements=st.floats(0, 100))


@given(parts, st.floats(0.1, 9))
def test_spread_is_bounded_and_knows_no_scale(sums, scale):
    sums = np.concatenate([sums[:2], sums[:2] + sums[2:]])
    found = parity.relative_spread(sums)
    assert np.isnan(found) or 0 <= found <= 1
    if sums.min() > 1e-6:
        assert parity.relative_spread(sums * scale) == pytest.approx(found, abs=1e-9)
        chances = [sums[0] / sums[2], sums[1] / sums[3]]
        assert found == pytest.approx(np.std(chances) / np.mean(chances), abs=1e-9)


@pytest.mark.parametrize(
    ("popularity", "ranks", "expected"),
    [
        ([9, 5, 1], [1.0, 2.0, 3.0], 1),
        ([9, 5, 1], [3.0, 2.0, 1.0], -1),
        ([1, 2, 3, 4], [1.0, 2.0, 3.0, np.nan], -1),  # nobody holds the last item out
        ([1, 2, 3, 4], [2.0, 4.0, 1.0, 3.0], -(1 - 6 * (1 + 4 + 4 + 1) / (4 * 15))),  # differences 1, 2, -2, -1
        ([5, 5, 0], [1.0, 2.0, 3.0], (0.5 * 1 + 0.5 * 0 + 1 * 1) / np.sqrt(1.5 * 2)),  # places 2.5, 2.5, 1 and 1, 2, 3
    ],
)
def test_pri_by_hand(popularity, ranks, expected):
    assert parity.pri(np.array(popularity), np.array(ranks)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("popularity", "ranks"), [([], []), ([1], [2.0]), ([3, 3], [1.0, 2.0]), ([1, 2], [4.0, 4.0]), ([1, 2], [1, np.nan])]
)
def test_no_correlation_of_what_does_not_vary(popularity, ranks):
    assert np.isnan(parity.pri(np.array(popularity, int), np.array(ranks, float)))


@given(st.integers(2, 30).flatmap(lambda n: st.tuples(*[arrays(np.int64, n, elements=st.integers(0, 6))] * 2)))
def test_pri_is_minus_scipys_spearman(pair):
    popularity, ranks = pair
    if len(set(popularity.tolist())) > 1 and len(set(ranks.tolist())) > 1:
        assert parity.pri(popularity, ranks.astype(float)) == pytest.approx(-spearmanr(popularity, ranks).statistic)
