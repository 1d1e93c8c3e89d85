"""Resampling weights: what bootstrap draws must be, and what they follow from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.uncertainty import weights
from core.uncertainty.weights import blocks, seed_weights, user_weights


@given(st.integers(1, 400), st.integers(1, 30))
def test_every_resample_draws_as_many_users_as_there_are(n_users, resamples):
    drawn = user_weights(n_users, "any", resamples)
    assert drawn.shape == (resamples, n_users)
    assert (drawn.sum(axis=1) == n_users).all()


def test_how_often_a_user_is_drawn_is_binomial():
    n, r = 50, 20_000
    drawn = user_weights(n, "any", r).astype(float)
    assert drawn.mean(axis=0) == pytest.approx(np.ones(n), abs=5 * np.sqrt((1 - 1 / n) / r))
    assert drawn.var() == pytest.approx(1 - 1 / n, rel=0.02)
    assert np.cov(drawn[:, 0], drawn[:, 1])[0, 1] == pytest.approx(-1 / n, abs=0.03)  # one's draw is not another's


def test_the_draws_follow_from_the_name_alone(monkeypatch):
    first = user_weights(943, "ml-100k", 50)
    monkeypatch.setattr(weights, "BLOCK_BYTES", 943 * 8 * 7)  # 7 rows at a time
    assert (user_weights(943, "ml-100k", 50) == first).all()
    assert (user_weights(943, "another", 50) != first).any()


def test_blocks_are_the_weights(monkeypatch):
    drawn = user_weights(30, "any", 25)
    monkeypatch.setattr(weights, "BLOCK_BYTES", 30 * 4 * 10)
    parts = list(blocks(drawn))
    assert [rows.stop - rows.start for rows, _ in parts] == [10, 10, 5]
    assert (np.concatenate([part for _, part in parts]) == drawn).all()


def test_seeds_are_drawn_for_each_variant_by_itself():
    shares = seed_weights([3, 1, 0, 5], ["a", "b", "c", "d"], 4000)
    assert shares.shape == (4000, 4, 5)
    assert shares.sum(axis=2) == pytest.approx(np.tile([1, 1, 0, 1], (4000, 1)))
    assert (shares[:, 0, 3:] == 0).all()
    assert (shares[:, 1, 0] == 1).all()
    assert shares[:, 0, :3].var(axis=0) == pytest.approx(np.full(3, 1 / 3 * 2 / 3 / 3), rel=0.1)
    assert abs(np.corrcoef(shares[:, 0, 0], shares[:, 3, 0])[0, 1]) < 0.06
    alone = seed_weights([5], ["d"], 4000)
    assert (alone[:, 0] == shares[:, 3]).all()  # whoever else is compared
