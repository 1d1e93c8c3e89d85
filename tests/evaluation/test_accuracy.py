from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from core.evaluation import accuracy


def flags(*hits: int) -> np.ndarray:
    return np.array([hits], bool)


def n(count: int) -> np.ndarray:
    return np.array([count])


@pytest.mark.parametrize(
    ("hits", "n_test", "precision", "recall", "f1"),
    [
        ((1, 0, 1, 0), 5, 2 / 4, 2 / 5, 2 * 2 / (4 + 5)),
        ((0, 0, 0, 0), 5, 0, 0, 0),  # nothing found
        ((1, 1, 1, 1), 9, 4 / 4, 4 / 9, 2 * 4 / (4 + 9)),  # more taken than shown: recall cannot reach 1
        ((0, 0, 0, 0), 0, 0, 0, 0),  # nothing held out
    ],
)
def test_hits_over_shown_and_over_taken(hits, n_test, precision, recall, f1):
    assert accuracy.precision(flags(*hits)) == pytest.approx([precision])
    assert accuracy.recall(flags(*hits), n(n_test)) == pytest.approx([recall])
    assert accuracy.f1(flags(*hits), n(n_test)) == pytest.approx([f1])


@pytest.mark.parametrize(
    ("hits", "hit_rate", "reciprocal"),
    [((1, 0, 0), 1, 1 / 1), ((0, 1, 1), 1, 1 / 2), ((0, 0, 1), 1, 1 / 3), ((0, 0, 0), 0, 0)],
)
def test_first_hit(hits, hit_rate, reciprocal):
    assert accuracy.hit_rate(flags(*hits)) == pytest.approx([hit_rate])
    assert accuracy.reciprocal_rank(flags(*hits)) == pytest.approx([reciprocal])


@pytest.mark.parametrize(
    ("hits", "n_test", "expected"),
    [
        ((0, 1, 1), 2, (1 / log2(3) + 1 / log2(4)) / (1 / log2(2) + 1 / log2(3))),
        ((0, 0, 0), 2, 0),  # nothing found
        ((1, 0, 0), 9, 1 / (1 / log2(2) + 1 / log2(3) + 1 / log2(4))),  # the ideal is cut at k
        ((1, 0, 0), 1, 1),  # the best list possible
        ((0, 0, 0), 0, 0),  # nothing held out
    ],
)
def test_ndcg_at_3(hits, n_test, expected):
    assert accuracy.ndcg(flags(*hits), n(n_test)) == pytest.approx([expected])


@pytest.mark.parametrize(
    ("hits", "n_test", "expected"),
    [
        ((0, 1, 1), 2, (1 / 2 + 2 / 3) / 2),
        ((1, 1, 1), 9, (1 / 1 + 2 / 2 + 3 / 3) / 3),  # divided by min(k, |T|): a perfect list reaches 1
        ((1, 0, 0), 2, (1 / 1) / 2),
        ((0, 0, 0), 0, 0),
    ],
)
def test_average_precision_at_3(hits, n_test, expected):
    assert accuracy.average_precision(flags(*hits), n(n_test)) == pytest.approx([expected])


def test_auc_counts_ties_half():
    assert accuracy.auc(np.array([3.0, 1.0]), np.array([2.0, 1.0])) == pytest.approx((1 + 1 + 0 + 1 / 2) / 4)


@pytest.mark.parametrize(("positives", "others"), [([], [1.0]), ([1.0], [])])
def test_auc_of_one_side_only_is_not_defined(positives, others):
    assert np.isnan(accuracy.auc(np.array(positives), np.array(others)))


hit_lists = arrays(bool, st.tuples(st.integers(1, 4), st.integers(1, 8)))


@given(hit_lists, st.integers(0, 12))
def test_f1_is_the_harmonic_mean(is_hit, more):
    n_test = is_hit.sum(axis=1) + more
    p, r = accuracy.precision(is_hit), accuracy.recall(is_hit, n_test)
    harmonic = np.divide(2 * p * r, p + r, out=np.zeros_like(p), where=p + r > 0)
    np.testing.assert_allclose(accuracy.f1(is_hit, n_test), harmonic, atol=1e-12)


@given(hit_lists, st.integers(0, 12))
def test_in_bounds_and_best_when_every_hit_leads(is_hit, more):
    n_test = is_hit.sum(axis=1) + more
    for metric in (accuracy.ndcg, accuracy.average_precision):
        values = metric(is_hit, n_test)
        best = metric(np.sort(is_hit, axis=1)[:, ::-1], n_test)
        assert (values >= 0).all() and (values <= best + 1e-12).all() and (best <= 1 + 1e-12).all()


@given(st.integers(2, 30), st.integers(1, 30), st.randoms(use_true_random=False))
def test_ndcg_is_scikit_learns_where_scores_are_distinct(n_items, k, random):
    truth = np.array([random.random() < 0.3 for _ in range(n_items)])
    scores = np.array(random.sample(range(1000), n_items))
    ranked = truth[np.argsort(-scores)][:k]
    expected = ndcg_score([truth.astype(int)], [scores], k=k) if truth.any() else 0.0
    assert accuracy.ndcg(ranked[None], n(int(truth.sum()))) == pytest.approx([expected])


@given(st.integers(2, 30), st.randoms(use_true_random=False))
def test_average_precision_of_the_whole_catalogue_is_scikit_learns(n_items, random):
    truth = np.array([True] + [random.random() < 0.3 for _ in range(n_items - 1)])
    scores = np.array(random.sample(range(1000), n_items))
    ranked = truth[np.argsort(-scores)]
    expected = average_precision_score(truth, scores)
    assert accuracy.average_precision(ranked[None], n(int(truth.sum()))) == pytest.approx([expected])


@given(
    arrays(np.float64, st.integers(1, 10), elements=st.integers(-3, 3)),
    arrays(np.float64, st.integers(1, 10), elements=st.integers(-3, 3)),
)
def test_auc_is_scikit_learns(positives, others):
    truth = np.repeat([1, 0], [len(positives), len(others)])
    assert accuracy.auc(positives, others) == pytest.approx(roc_auc_score(truth, np.concatenate([positives, others])))


@pytest.mark.parametrize(
    ("positives", "others", "expected"),
    [
        ([5], list(range(20)), (0 + 0) / 2),  # a tenth of 20: the positive is below 19 to 6, tied with 5
        ([18], list(range(20)), (0 + 1 / 2) / 2),  # below 19, tied with 18
        ([18.5], list(range(20)), (0 + 1) / 2),
        ([99, 18.5], list(range(20)), (1 + 1 + 0 + 1) / (2 * 2)),
        ([1], [0] * 5, 1),  # half an item is a tenth of them, and the positive is above it
        ([0], [0] * 5, (0.5 / 5) / 2),  # all tied: ROC is the diagonal, .1 high at .1
        ([0], [0] * 4 + [1], 0),  # the best half item is above it
    ],
)
def test_partial_auc(positives, others, expected):
    found = accuracy.partial_auc(np.array(positives, float), np.array(others, float))
    assert found == pytest.approx(expected, abs=1e-12)


scored = arrays(np.float64, st.integers(1, 30), elements=st.integers(-3, 3))


@given(scored, scored)
def test_partial_auc_is_scikit_learns_before_it_is_standardised(positives, others):
    """Theirs is (1 + (area - least) / (most - least)) / 2 (McClish): another number, and this is how it is got."""
    truth = np.repeat([1, 0], [len(positives), len(others)])
    standardised = roc_auc_score(truth, np.concatenate([positives, others]), max_fpr=0.1)
    least, most = 0.1**2 / 2, 0.1
    area = least + (2 * standardised - 1) * (most - least)
    assert accuracy.partial_auc(positives, others) == pytest.approx(area / 0.1, abs=1e-9)


@given(scored, scored)
def test_the_whole_of_partial_auc_is_auc(positives, others):
    assert accuracy.partial_auc(positives, others, 1.0) == pytest.approx(accuracy.auc(positives, others))


@given(scored, scored)
def test_partial_auc_does_not_see_who_ranks_below_the_tenth(positives, others):
    cut = np.sort(others)[-(len(others) // 10 + 1)]  # the last one that the budget reaches
    lowered = np.where(others < cut, -99.0, others)
    same = accuracy.partial_auc(np.where(positives < cut, -9.0, positives), lowered)
    assert same == pytest.approx(accuracy.partial_auc(positives, others))


@pytest.mark.parametrize(("positives", "others"), [([], [1.0]), ([1.0], [])])
def test_partial_auc_of_one_side_only_is_not_defined(positives, others):
    assert np.isnan(accuracy.partial_auc(np.array(positives), np.array(others)))
