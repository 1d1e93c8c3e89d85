"""Interactions: the compressed matrix holds exactly the pairs it was given."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.interactions import Interactions

N_USERS, N_ITEMS = 7, 11
pairs = st.lists(st.tuples(st.integers(0, N_USERS - 1), st.integers(0, N_ITEMS - 1)), max_size=40)


def build(given_pairs):
    users, items = np.array(given_pairs, np.int64).reshape(-1, 2).T
    return Interactions.from_pairs(users, items, N_USERS, N_ITEMS)


def as_set(matrix):
    return set(zip(matrix.users().tolist(), matrix.indices.tolist(), strict=True))


@given(pairs)
def test_holds_the_pairs_once_and_sorted(given_pairs):
    matrix = build(given_pairs)
    assert as_set(matrix) == set(given_pairs)
    assert len(matrix) == len(set(given_pairs))
    assert all((np.diff(matrix.row(user)) > 0).all() for user in range(N_USERS))
    assert matrix.indices.dtype == np.int32
    assert matrix.indptr.dtype == np.int64


@given(pairs)
def test_counts(given_pairs):
    matrix, kept = build(given_pairs), set(given_pairs)
    assert matrix.n_users == N_USERS
    assert matrix.popularity().tolist() == [sum(i == item for _, i in kept) for item in range(N_ITEMS)]
    assert matrix.lengths().tolist() == [sum(u == user for u, _ in kept) for user in range(N_USERS)]


@given(pairs, pairs)
def test_merging_is_the_union(a, b):
    assert as_set(build(a).merged(build(b))) == set(a) | set(b)


@given(pairs, pairs)
def test_has_tells_which_pairs_are_there(given_pairs, asked):
    users, items = np.array(asked, np.int32).reshape(-1, 2).T
    assert build(given_pairs).has(users, items).tolist() == [pair in set(given_pairs) for pair in asked]
