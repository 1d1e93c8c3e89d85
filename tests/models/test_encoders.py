"""Encoders: the tables they begin with."""

import numpy as np
import pytest

from core.models.encoders import mf_tables
from core.models.variant import make_variant


def test_mf_begins_normal_with_its_sigma():
    users, items = mf_tables(make_variant("d", dim=16, init_sigma=0.3), 400, 900, np.random.default_rng(0))
    assert users.shape == (400, 16)
    assert items.shape == (900, 16)
    assert users.dtype == items.dtype == np.float32
    for table in (users, items):
        n = table.size
        assert abs(table.mean()) < 5 * 0.3 / np.sqrt(n)
        assert table.std() == pytest.approx(0.3, rel=5 / np.sqrt(2 * n))  # the spread of a standard deviation


def test_the_stream_decides():
    variant = make_variant("d", dim=4)
    one, again, other = (mf_tables(variant, 3, 5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(one, again, strict=True))
    assert not any((a == b).any() for a, b in zip(one, other, strict=True))


def test_xavier_is_each_tables_own():
    users, items = mf_tables(make_variant("d", dim=16, init_sigma="xavier"), 400, 900, np.random.default_rng(0))
    assert users.std() == pytest.approx(np.sqrt(2 / 416), rel=0.05)
    assert items.std() == pytest.approx(np.sqrt(2 / 916), rel=0.05)
