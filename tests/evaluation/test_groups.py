import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.evaluation import groups
from tests.evaluation.worlds import rows

popularities = arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 9))


@pytest.mark.parametrize(
    ("popularity", "n_hot"),
    [
        (range(20), 3),  # the cut is at position 17 of 0..19
        ([0] * 17 + [1, 2, 3], 3),
        ([0] * 16 + [1, 1, 2, 3], 4),  # position 17 holds 1: both ones are hot
        ([0] * 18 + [1, 2], 20),  # position 17 holds 0: everything ties with the cut
        ([7], 1),
    ],
)
def test_hot_items_of_the_catalogue(popularity, n_hot):
    assert groups.hot_items(np.array(popularity)).sum() == n_hot


@pytest.mark.parametrize(
    ("popularity", "hot"),
    [
        ([10, 50, 30, 10], [False, True, True, False]),  # 50 + 30 = 80 of 100
        ([11, 50, 29, 10], [True, True, True, False]),  # 79 is not enough
        ([5, 5, 5, 5], [True, True, True, True]),  # 15 < 16 <= 20
        ([0, 0], [False, False]),
    ],
)
def test_hot_items_that_cover_the_interactions(popularity, hot):
    assert groups.hot_items(np.array(popularity), head="interactions").tolist() == hot


def test_an_unknown_head_is_refused():
    with pytest.raises(ValueError, match="items, interactions"):
        groups.hot_items(np.array([1]), head="tail")  # type: ignore[arg-type]


@given(popularities)
def test_a_hot_item_is_never_less_popular_than_a_cold_one(popularity):
    for head in groups.HEADS:
        hot = groups.hot_items(popularity, head)
        assert popularity[hot].min(initial=99) >= popularity[~hot].max(initial=0)


@given(popularities.filter(np.any))
def test_short_head_is_the_fewest_items_that_cover_80_percent(popularity):
    n_hot = int(groups.hot_items(popularity, "interactions").sum())
    running = np.cumsum(np.sort(popularity)[::-1])
    needed = next(n for n, covered in enumerate(running, start=1) if 100 * covered >= 80 * running[-1])
    assert n_hot == needed


def test_deciles_of_ties_go_by_number():
    assert groups.deciles(np.zeros(20, int)).tolist() == [d for d in range(10, 0, -1) for _ in range(2)]


@given(popularities)
def test_deciles_are_of_equal_size_and_in_order(popularity):
    deciles = groups.deciles(popularity)
    assert deciles.min() >= 1 and deciles.max() == 10
    order = np.lexsort((np.arange(len(popularity)), -popularity))
    assert (np.diff(deciles[order]) <= 0).all()
    if len(popularity) >= 10:
        sizes = np.bincount(deciles, minlength=11)[1:]
        assert sizes.max() - sizes.min() <= 1


def test_user_groups_are_the_outer_fifths_by_hot_share():
    hot = np.array([True, False, False])
    profiles = rows([0], [0, 1], [1, 2], [0, 1, 2], [1, 0], n_items=3)  # shares 1, 1/2, 0, 1/3, 1/2
    assert groups.user_groups(profiles, hot).tolist() == ["blockbuster", "diverse", "niche", "diverse", "diverse"]


def test_equal_users_are_told_apart_by_number_and_empty_ones_take_no_part():
    profiles = rows([], [0], [0], [0], [0], [0], [], n_items=1)
    found = groups.user_groups(profiles, np.array([True])).tolist()
    assert found == ["diverse", "niche", "diverse", "diverse", "diverse", "blockbuster", "diverse"]


def test_hot_share_of_nobody_is_not_defined():
    shares = groups.hot_shares(rows([], [0, 1], n_items=2), np.array([True, False]))
    assert shares == pytest.approx([np.nan, 1 / 2], nan_ok=True)


@pytest.mark.parametrize(
    ("popularity", "expected"),
    [
        ([20, 50, 10, 10, 10], [1, 0, 1, 2, 2]),  # 50 covers 20 of 100; from below 10 + 10 do
        ([20, 40, 20, 19, 1, 0], [1, 0, 1, 2, 2, 2]),  # 1 + 19 cover 20
        ([20, 40, 20, 18, 2, 0], [1, 0, 1, 2, 2, 2]),
        ([21, 40, 20, 17, 2, 0], [1, 0, 2, 2, 2, 2]),  # 19 do not
        ([7], [0]),
        ([0, 0], [1, 1]),
    ],
)
def test_item_classes(popularity, expected):
    assert groups.item_classes(np.array(popularity)).tolist() == expected


@given(popularities)
def test_item_classes_by_loops(popularity):
    """Second definition: take items from the top, then from the bottom, until a fifth of the interactions is there."""
    total = popularity.sum()
    order = sorted(range(len(popularity)), key=lambda i: (-popularity[i], i))
    classes = [1] * len(popularity)
    for name, taken in ((2, order[::-1]), (0, order)):
        held = 0
        for item in taken:
            if 5 * held >= total:
                break
            classes[item] = name
            held += popularity[item]
    assert groups.item_classes(popularity).tolist() == classes
