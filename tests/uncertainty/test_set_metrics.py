"""Metrics of all lists on resamples: against the lists drawn out and evaluation's own functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation import popularity
from core.uncertainty import set_metrics
from core.uncertainty.set_metrics import OF_COUNTS, resample_set, shown
from core.uncertainty.weights import user_weights

LISTS = st.lists(
    st.tuples(st.permutations(range(8)), st.integers(0, 3)).map(lambda x: [*x[0][: x[1]], *[-1] * (3 - x[1])]),
    min_size=2,
    max_size=9,
)


def drawn_out(top_k, weights, of_counts, n_items):
    """Second definition: the lists of the users drawn, counted as evaluation counts them."""
    resamples = (np.repeat(top_k, times, axis=0) for times in weights)
    return [of_counts(popularity.recommendation_counts(lists, n_items)) for lists in resamples]


def entropy(counts):
    share = counts[counts > 0] / max(counts.sum(), 1)
    return -(share * np.log2(share)).sum()


DEFINITIONS = {
    "gini": popularity.gini,
    "coverage": popularity.coverage,
    "entropy": entropy,
    "entropy_norm": lambda counts: entropy(counts) / np.log2(len(counts)),
}


@pytest.mark.parametrize("name", OF_COUNTS)
@given(LISTS)
def test_as_evaluation_has_it(name, lists):
    top_k = np.array(lists, np.int32)
    weights = user_weights(len(top_k), "any", 12)
    found = resample_set(shown(top_k), weights, OF_COUNTS[name](8))
    np.testing.assert_allclose(found, drawn_out(top_k, weights, DEFINITIONS[name], 8), atol=1e-6)


def test_by_hand():
    top_k = np.array([[0, 1], [0, 2]])
    weights = np.array([[1, 1], [2, 0]], np.uint8)
    # counts (2, 1, 1, 0) and (2, 2, 0, 0)
    gini = [(-3 * 0 - 1 * 1 + 1 * 1 + 3 * 2) / (4 * 4), (-3 * 0 - 1 * 0 + 1 * 2 + 3 * 2) / (4 * 4)]
    assert resample_set(shown(top_k), weights, OF_COUNTS["gini"](4)) == pytest.approx(gini)
    assert resample_set(shown(top_k), weights, OF_COUNTS["coverage"](4)) == pytest.approx([3 / 4, 2 / 4])
    assert resample_set(shown(top_k), weights, OF_COUNTS["entropy"](4)) == pytest.approx([2 / 4 + 2 * 2 / 4, 1])


def test_any_function_of_sums():
    parts = np.array([[1.0, 2.0], [3.0, 4.0]])
    weights = np.array([[2, 0], [0, 2], [1, 1]], np.uint8)
    found = resample_set(parts, weights, lambda sums: sums[..., 0] / sums[..., 1])
    assert found == pytest.approx([2 / 4, 6 / 8, 4 / 6])


def test_blocks_change_nothing(monkeypatch):
    top_k = np.random.default_rng(0).permuted(np.tile(np.arange(30), (40, 1)), axis=1)[:, :5]
    weights = user_weights(40, "any", 100)
    whole = resample_set(shown(top_k), weights, OF_COUNTS["gini"](50))
    monkeypatch.setattr(set_metrics, "SUMS_BYTES", 4 * 30 * 7)  # seven resamples at a time
    assert (resample_set(shown(top_k), weights, OF_COUNTS["gini"](50)) == whole).all()
