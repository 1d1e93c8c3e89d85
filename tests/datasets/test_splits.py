"""Split rules: what each promises, for any rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.splits import SPLIT_RULES, TEST, TRAIN, VALIDATION, Rows, leave_one_out, random_per_user, temporal
from core.errors import BadInput

shares = st.floats(0.01, 0.99)
lengths = st.lists(st.integers(1, 30), min_size=1, max_size=20)
ANY = np.random.default_rng(0)


def rows_of(lengths: list[int], times: np.ndarray | None = None, held_out: np.ndarray | None = None) -> Rows:
    return Rows("f.csv", np.repeat(np.arange(len(lengths), dtype=np.int32), lengths), times, held_out)


@given(lengths, shares, shares, st.integers(0, 2**40))
def test_random_takes_the_rounded_share_of_each_user(n: list[int], test: float, validation: float, seed: int) -> None:
    rows = rows_of(n)
    codes = random_per_user(rows, test, validation, np.random.default_rng(seed))
    for user, length in enumerate(n):
        mine = codes[rows.users == user]
        n_test = min(int(length * test + 0.5), length - 1)
        n_validation = min(int((length - n_test) * validation + 0.5), length - n_test - 1)
        assert [(mine == code).sum() for code in (TEST, VALIDATION)] == [n_test, n_validation]
        assert (mine == TRAIN).any()


def test_random_test_items_do_not_depend_on_validation_but_on_the_seed() -> None:
    rows = rows_of([20] * 30)
    one, two, other = (
        random_per_user(rows, 0.2, share, np.random.default_rng(seed)) for share, seed in ((0.1, 0), (0.5, 0), (0.1, 1))
    )
    np.testing.assert_array_equal(one == TEST, two == TEST)
    assert not np.array_equal(one, other)


def test_random_is_random_over_places() -> None:
    """Of 10,000 users with five items each, every place is test for about a fifth: within 5 standard errors."""
    codes = random_per_user(rows_of([5] * 10_000), 0.2, 0, np.random.default_rng(0)).reshape(-1, 5)
    assert np.abs((codes == TEST).mean(axis=0) - 1 / 5).max() < 5 * np.sqrt(1 / 5 * 4 / 5 / 10_000)


def test_temporal_is_one_cut_for_everybody() -> None:
    times = np.array([5, 1, 9, 2, 8, 3, 7, 4, 6, 0])
    codes = temporal(rows_of([4, 6], times), 0.2, 0.25, ANY)
    np.testing.assert_array_equal(codes == TEST, times >= 8)  # 2 of 10
    np.testing.assert_array_equal(codes == VALIDATION, (times == 6) | (times == 7))  # a quarter of the 8 before


@given(st.lists(st.integers(0, 6), min_size=2, max_size=40).filter(lambda t: len(set(t)) > 1), shares)
def test_temporal_never_parts_equal_times_and_is_as_near_as_can_be(times: list[int], share: float) -> None:
    codes = temporal(rows_of([len(times)], np.array(times)), share, 0, ANY)
    tested = np.array(times)[codes == TEST]
    assert tested.size and tested.min() > np.array(times)[codes == TRAIN].max()
    possible = [sum(t >= cut for t in times) for cut in sorted(set(times))[1:]]
    assert abs(len(tested) - share * len(times)) == min(abs(n - share * len(times)) for n in possible)


def test_leave_one_out_takes_the_last_and_the_one_before() -> None:
    times = np.array([3, 9, 5, 1, 2, 7, 7, 4, 4.5])
    codes = leave_one_out(rows_of([3, 2, 1, 3], times), 0.2, 0.1, ANY)
    assert codes.tolist() == [TRAIN, TEST, VALIDATION, TRAIN, TEST, TRAIN, TEST, TRAIN, VALIDATION]
    assert VALIDATION not in leave_one_out(rows_of([3, 2, 1, 3], times), 0.2, 0, ANY)


def test_given_keeps_the_file_and_cuts_validation_from_train() -> None:
    held_out = np.tile([False] * 10 + [True] * 5, 8)
    codes = SPLIT_RULES["given"].split(rows_of([15] * 8, None, held_out), 0.2, 0.1, np.random.default_rng(0))
    np.testing.assert_array_equal(codes == TEST, held_out)
    assert np.bincount(np.repeat(np.arange(8), 15)[codes == VALIDATION]).tolist() == [1] * 8


@pytest.mark.parametrize("rule", ["temporal", "leave-one-out"])
def test_times_are_needed(rule: str) -> None:
    with pytest.raises(BadInput, match=r"f\.csv: the split .* needs a time.*--time-col"):
        SPLIT_RULES[rule].split(rows_of([3]), 0.2, 0.1, ANY)


def test_equal_times_cannot_be_cut() -> None:
    with pytest.raises(BadInput, match="the same time"):
        temporal(rows_of([3], np.array([1, 1, 1])), 0.2, 0, ANY)


def test_given_needs_a_test_file() -> None:
    with pytest.raises(BadInput, match=r"no test file.*--test"):
        SPLIT_RULES["given"].split(rows_of([3]), 0.2, 0.1, ANY)
