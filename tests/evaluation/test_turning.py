"""Where a path over strength turns: by hand, and what must hold for any path."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation.turning import FALL, MOST, SAME, find_turn, first_reaching

BETAS = np.array([0, 0.1, 0.2, 0.4, 0.8, 1.6])
EFFECTS = np.array([10, 12, 20, 16, 9, 10.0])
AGREEMENT = np.array([1, 0.9, 0.6, 0.5, 0.992, 1.0])


def test_by_hand():
    turn = find_turn(BETAS, EFFECTS, AGREEMENT)
    assert (turn.at, turn.effect, turn.start) == (0.2, 20, 10)
    # .95 of the rise of 10 above 10 is 19.5, which lies between .1 (12) and .2 (20)
    assert turn.most_at == pytest.approx(0.1 + (19.5 - 12) / (20 - 12) * 0.1)
    assert turn.back_at == 0.8
    assert (turn.least, turn.least_at) == (9, 0.8)
    assert turn.again is turn.again_at is None  # from 9 to 10 is no rise
    assert (turn.agreement, turn.agreement_at) == (0.5, 0.4)


def test_a_path_with_two_tops_turns_at_the_first():
    turn = find_turn(BETAS, np.array([10, 14, 8, 20, 12, 10.0]), AGREEMENT)
    assert (turn.at, turn.effect) == (0.1, 14)
    assert (turn.least, turn.least_at) == (8, 0.2)
    assert (turn.again, turn.again_at) == (20, 0.4)
    lower = find_turn(BETAS, np.array([10, 20, 11, 15, 12, 10.0]), AGREEMENT)
    assert (lower.at, lower.again, lower.again_at) == (0.1, 15, 0.4)
    assert (lower.least, lower.least_at) == (10, 1.6)


def test_a_ripple_is_no_top():
    # of a rise by 10 in all, a fall by 2 is less than FALL
    assert find_turn(BETAS, np.array([10, 14, 12, 20, 12, 10.0]), AGREEMENT).at == 0.4
    # and what lies below strength 0 before anything rose is none either
    assert find_turn(BETAS, np.array([10, 5, 12, 20, 12, 10.0]), AGREEMENT).at == 0.4


def test_choices_that_part_again_are_not_back():
    turn = find_turn(BETAS, EFFECTS, np.array([1, 0.9, 0.6, 1.0, 0.98, 1.0]))
    assert turn.back_at == 1.6


def test_a_path_that_never_comes_back():
    assert find_turn(BETAS, EFFECTS, np.array([1, 0.9, 0.6, 0.5, 0.5, 0.98])).back_at is None


def test_a_path_that_still_rises_at_its_end():
    turn = find_turn(BETAS, np.arange(6.0), np.linspace(1, 0.5, 6))
    assert turn.at == 1.6
    assert turn.back_at is None
    assert turn.least == turn.effect


def test_a_strength_that_raises_nothing_has_no_turning_point():
    assert find_turn(BETAS, np.ones(6), np.ones(6)) is None
    assert find_turn(BETAS, -np.arange(6.0), np.ones(6)) is None


def test_first_reaching():
    assert first_reaching(BETAS, EFFECTS, 10) == 0
    assert first_reaching(BETAS, EFFECTS, 11) == pytest.approx(0.05)
    assert math.isnan(first_reaching(BETAS, EFFECTS, 21))


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1)), min_size=2, max_size=20))
def test_of_any_path(points):
    effects, agreements = (np.array(column) for column in zip(*points, strict=True))
    agreements[0] = 1
    betas = np.arange(len(points), dtype=float)
    turn = find_turn(betas, effects, agreements)
    if turn is None:
        assert (effects <= effects[0]).all()
        return
    place = int(turn.at)
    assert turn.start < turn.effect == effects[place]
    assert effects[:place].max() < turn.effect
    later = np.flatnonzero(effects[place:] > turn.effect)
    if len(later):  # something higher comes only after a fall
        fallen = effects[place : place + later[0]].min()
        assert turn.effect - fallen >= FALL * (effects.max() - effects[0]) * (1 - 1e-12)
    assert turn.least == effects[place:].min()
    if turn.again is not None:
        assert turn.again == effects[int(turn.again_at)]
        between = effects[place : int(turn.again_at)].min()
        assert turn.again - between >= FALL * (effects.max() - effects[0]) * (1 - 1e-12)
        assert turn.effect - between >= FALL * (effects.max() - effects[0]) * (1 - 1e-12)
    elif len(later):
        pytest.fail("what is higher than the first top is a second one")
    assert 0 <= turn.most_at <= turn.at
    wanted = turn.start + MOST * (turn.effect - turn.start)
    assert np.interp(turn.most_at, betas, effects) == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    if turn.back_at is not None:
        assert turn.back_at > turn.at
        assert (agreements[betas >= turn.back_at] >= SAME).all()
