"""Metrics of all lists as values of single users: against leaving each user out, and against resampled lists."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.interactions import Interactions
from core.evaluation import popularity
from core.evaluation.measure import OF_COUNTS, OF_SUMS, Cut, cut, facts, hits, over_the_set
from core.uncertainty import set_metrics
from core.uncertainty.bootstrap import resample_means
from core.uncertainty.set_metrics import REACHED, per_user
from core.uncertainty.weights import user_weights

N_ITEMS = 8
LISTS = st.lists(
    st.tuples(st.permutations(range(N_ITEMS)), st.integers(0, 4)).map(lambda x: [*x[0][: x[1]], *[-1] * (4 - x[1])]),
    min_size=2,
    max_size=9,
).map(lambda rows: np.array(rows, np.int32))


def world(n_users=300, n_items=60, k=5, seed=0):
    """Lists, with held-out and trained items, of users with different tastes for the popular."""
    rng = np.random.default_rng(seed)
    taste = rng.gamma(4, 1 / 4, (n_users, 1))
    order = np.argsort(-(rng.gumbel(size=(n_users, n_items)) - taste * np.log(np.arange(1, n_items + 1))), axis=1)
    rows = np.repeat(np.arange(n_users), 6)
    train = Interactions.from_pairs(rows, order[:, :6].ravel(), n_users, n_items)
    held_out = Interactions.from_pairs(rows, order[:, 6:12].ravel(), n_users, n_items)
    items = np.argsort(order[:, 6:16] + rng.normal(0, 10, (n_users, 10)), axis=1)[:, :k]  # popular ones rather
    top_k = np.take_along_axis(order[:, 6:16], items, axis=1).astype(np.int32)
    known = facts(np.arange(n_users, dtype=np.int32), held_out, train)
    return cut(known, top_k, hits(top_k, known.users, held_out), k)


def some_users(lists, kept):
    """The lists of some users only."""
    fields = {name: getattr(lists.facts, name) for name in lists.facts.__slots__}
    rows = ("users", "n_test", "n_test_hot", "n_candidates", "groups", "profile_popularity", "profile_classes")
    known = type(lists.facts)(**{name: value[kept] if name in rows else value for name, value in fields.items()})
    return Cut(known, lists.top_k[kept], lists.is_hit[kept])


def test_every_metric_of_lists_is_reached():
    assert {*OF_COUNTS, *OF_SUMS} == REACHED


@pytest.mark.parametrize("name", OF_COUNTS)
@given(LISTS)
def test_without_each_user_is_as_evaluation_has_it_without_that_user(name, top_k):
    whole, without = set_metrics.OF_COUNTS[name](top_k, N_ITEMS)
    expected = [
        OF_COUNTS[name](popularity.recommendation_counts(np.delete(top_k, u, axis=0), N_ITEMS))
        for u in range(len(top_k))
    ]
    np.testing.assert_allclose(without, expected, atol=1e-12)
    assert whole == pytest.approx(OF_COUNTS[name](popularity.recommendation_counts(top_k, N_ITEMS)), abs=1e-12)


@pytest.mark.parametrize("name", sorted(REACHED))
def test_values_have_the_metric_as_their_mean_and_the_jackknifes_variance(name):
    lists = world()
    values = per_user(name, lists)
    n = len(values)
    assert values.mean() == pytest.approx(over_the_set(lists)[name], rel=1e-9)
    without = np.array([over_the_set(some_users(lists, np.arange(n) != u))[name] for u in range(n)])
    jackknife = (n - 1) / n * ((without - without.mean()) ** 2).sum()
    assert values.var(ddof=1) / n == pytest.approx(jackknife, rel=1e-9)


@pytest.mark.parametrize("name", sorted({*OF_SUMS, "entropy"}))
def test_smooth_metrics_spread_as_on_resampled_lists(name):
    lists = world(n_users=600)
    weights = user_weights(600, "any", 600)
    drawn = [over_the_set(lists, times.astype(float))[name] for times in weights]
    means = resample_means(per_user(name, lists)[None, None], weights).draws
    assert means.std() == pytest.approx(np.std(drawn), rel=0.1)


def test_gini_spreads_as_over_fresh_users():
    drawn = [world(n_users=150, n_items=120, seed=seed) for seed in range(150)]
    ginis = np.array([over_the_set(lists)["gini"] for lists in drawn])
    errors = [per_user("gini", lists).std(ddof=1) / np.sqrt(150) for lists in drawn]
    assert np.mean(errors) == pytest.approx(ginis.std(ddof=1), rel=0.2)  # the sd of 150 is known to 6 %


def test_a_metric_that_is_not_defined_has_no_values():
    lists = world(n_users=4)
    nobody = Cut(lists.facts, lists.top_k, np.zeros_like(lists.is_hit))  # no hit: PopREO is 0 / 0
    assert np.isnan(per_user("popreo", nobody)).all()
