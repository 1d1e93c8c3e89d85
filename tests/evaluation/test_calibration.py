from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import jensenshannon

from core.evaluation import calibration

NAN = np.nan


def test_lift_by_hand():
    of_lists, of_profiles = np.array([30.0, 10.0, 99.0]), np.array([10.0, 10.0, 1.0])
    sums = calibration.lift_sums(of_lists, of_profiles, np.array([True, True, False]))
    assert sums.tolist() == [[30, 10], [10, 10], [0, 0]]
    assert calibration.popularity_lift(sums.sum(axis=0)) == pytest.approx((20 - 10) / 10)


def test_the_mean_of_the_users_own_lifts_is_another_number():
    """GAP averages in the group before it divides: (3 + 4) / (1 + 2) - 1, not the mean of 3/1 - 1 and 4/2 - 1."""
    sums = calibration.lift_sums(np.array([3.0, 4.0]), np.array([1.0, 2.0]), np.array([True, True]))
    assert calibration.popularity_lift(sums.sum(axis=0)) == pytest.approx(7 / 3 - 1)
    assert np.mean([3 / 1 - 1, 4 / 2 - 1]) == pytest.approx(3 / 2)


def test_a_user_with_an_empty_list_or_profile_is_on_neither_side():
    sums = calibration.lift_sums(np.array([NAN, 5.0, 4.0]), np.array([2.0, NAN, 2.0]), np.full(3, True))
    assert sums.tolist() == [[0, 0], [0, 0], [4, 2]]


def test_lift_of_a_group_without_users_is_not_defined():
    assert np.isnan(calibration.popularity_lift(np.zeros(2)))


def test_jensen_shannon_by_hand():
    p, q = np.array([[0.5, 0.5, 0]]), np.array([[0, 0.5, 0.5]])
    expected = (0.5 * log2(0.5 / 0.25) + 0.5 * log2(0.5 / 0.25)) / 2  # the middle class adds nothing
    assert calibration.jensen_shannon(p, q) == pytest.approx([expected])


shares = arrays(np.int64, (4, 3), elements=st.integers(0, 9)).filter(lambda counts: counts.sum(axis=1).all())


@given(shares, shares)
def test_jensen_shannon_is_the_square_of_scipys_and_bounded_and_symmetric(p, q):
    p, q = calibration.class_shares(p), calibration.class_shares(q)
    found = calibration.jensen_shannon(p, q)
    assert (found >= 0).all() and (found <= 1).all()
    np.testing.assert_allclose(found, calibration.jensen_shannon(q, p), atol=1e-12)
    expected = [np.nan_to_num(jensenshannon(a, b, base=2)) ** 2 for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_list_classes_skip_empty_ranks():
    classes = np.array([0, 1, 2, 2])
    top_k = np.array([[0, 2, 3], [1, -1, -1], [-1, -1, -1]])
    assert calibration.list_classes(top_k, classes).tolist() == [[1, 0, 2], [0, 1, 0], [0, 0, 0]]


def test_upd_weighs_groups_the_same_and_leaves_out_who_has_nothing():
    counts = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]])
    profiles = np.array([[0, 0, 1.0], [1, 0, 0], [1, 0, 0], [1, 0, 0]])
    groups = np.array(["niche", "niche", "blockbuster", "diverse"])
    sums = calibration.upd_sums(counts, profiles, groups)
    assert sums.tolist() == [[1, 0, 0, 1, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 1], [0, 0, 0, 0, 0, 0]]
    assert calibration.upd(sums.sum(axis=0)) == pytest.approx(((1 + 0) / 2 + 1 / 1) / 2)  # nobody of diverse


def test_upd_of_nobody_is_not_defined():
    assert np.isnan(calibration.upd(np.zeros(6)))


def test_sums_of_many_resamples_at_once():
    sums = np.array([[1.0, 0, 0, 2, 0, 0], [0, 0, 0, 0, 0, 0], [1, 1, 0, 2, 4, 0]])
    assert calibration.upd(sums) == pytest.approx([1 / 2, NAN, (1 / 2 + 1 / 4) / 2], nan_ok=True)
    assert calibration.popularity_lift(sums[:, [3, 0]]) == pytest.approx([1, NAN, 1], nan_ok=True)
