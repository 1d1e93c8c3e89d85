"""Baselines: one fit for each row of the table that fits something, and what it ranks by."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.interactions import Interactions
from core.errors import BadVariant
from core.evaluation.evaluate import evaluate
from core.models import baselines, memory
from core.models.baselines import FITS, fit_baseline
from core.models.choices import BASELINES
from core.models.variant import make_variant
from tests import realdata

TAKEN = Interactions.from_pairs(np.array([0, 1, 2, 0, 1, 0]), np.array([2, 2, 2, 0, 0, 1]), 3, 4)


def some_interactions(seed: int, users: int = 30, items: int = 12) -> Interactions:
    """Random pairs, with a user and an item that have none."""
    rng = np.random.default_rng(seed)
    taken = rng.random((users, items)) < rng.uniform(0.1, 0.6, items)
    taken[-1], taken[:, -1] = False, False
    return Interactions.from_pairs(*np.nonzero(taken), users, items)


def dense(interactions: Interactions) -> np.ndarray:
    matrix = np.zeros((interactions.n_users, interactions.n_items))
    matrix[interactions.users(), interactions.indices] = 1
    return matrix


def fit(baseline: str, fitted: Interactions, seed: int = 0, **settings):
    return fit_baseline(make_variant("d", baseline=baseline, **settings), fitted, seed)


def test_every_baseline_has_its_fit_but_the_one_that_fits_nothing():
    assert set(FITS) == set(BASELINES) - {"pop_penalty"}


def test_most_popular_scores_by_users_who_took_the_item():
    np.testing.assert_array_equal(fit("most_popular", TAKEN).scores(np.array([1, 2])), [[2, 1, 3, 0], [2, 1, 3, 0]])


def test_random_is_another_order_for_each_seed():
    first, again, other = (fit("random", TAKEN, seed).scores(np.arange(3)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


# --- item_knn


def test_two_items_and_their_cosine_by_hand():
    # users 0: {0, 1}, 1: {0, 1}, 2: {0}, 3: {2}; rows of length 1 hold 1/sqrt(2), 1/sqrt(2), 1, 1
    taken = Interactions.from_pairs(np.array([0, 0, 1, 1, 2, 3]), np.array([0, 1, 0, 1, 0, 2]), 4, 3)
    scorer = fit("item_knn", taken, knn_neighbours=5)
    # each of 0 and 1 has the other as its only neighbour, whose part of all is 1; item 2 has none
    np.testing.assert_array_equal(scorer.starts, [0, 1, 2, 2])
    np.testing.assert_array_equal(scorer.neighbours, [1, 0])
    np.testing.assert_array_equal(scorer.scores(np.array([0, 2, 3])), [[1, 1, 0], [0, 1, 0], [0, 0, 0]])


def cosines(fitted: Interactions) -> np.ndarray:
    """Between the columns of the matrix whose rows have length 1; 0 with itself and with what nobody took."""
    matrix = dense(fitted)
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-300)
    columns = matrix / np.maximum(np.linalg.norm(matrix, axis=0), 1e-300)
    found = columns.T @ columns
    np.fill_diagonal(found, 0)
    return found


@given(st.integers(0, 10_000), st.integers(1, 14))
def test_item_knn_against_its_definition(seed, k):
    """Each item's row holds its k largest cosines, divided by their sum; scores are sums of rows."""
    fitted = some_interactions(seed)
    scorer = fit("item_knn", fitted, knn_neighbours=k)
    rows = np.zeros((fitted.n_items, fitted.n_items))
    for item, near in enumerate(cosines(fitted)):
        mine = slice(scorer.starts[item], scorer.starts[item + 1])
        kept, shares = scorer.neighbours[mine], scorer.similarities[mine]
        assert len(set(kept)) == len(kept) == min(k, np.count_nonzero(near > 1e-12))
        dropped = np.delete(near, kept)
        if len(kept):
            assert near[kept].min() >= dropped.max() - 1e-6
            np.testing.assert_allclose(shares, near[kept] / near[kept].sum(), rtol=1e-5)
        rows[item, kept] = shares
    users = np.arange(fitted.n_users)
    np.testing.assert_allclose(scorer.scores(users), dense(fitted) @ rows, rtol=1e-4, atol=1e-6)


def test_of_equally_near_items_the_lower_number_is_nearer():
    # items 1, 2 and 3 were taken by exactly the users of item 0
    taken = Interactions.from_pairs(np.repeat([0, 1], 4), np.tile([0, 1, 2, 3], 2), 2, 4)
    scorer = fit("item_knn", taken, knn_neighbours=2)
    np.testing.assert_array_equal(scorer.neighbours.reshape(4, 2), [[1, 2], [0, 2], [0, 1], [0, 1]])


def test_item_knn_is_the_same_block_by_block(monkeypatch):
    fitted = some_interactions(3)
    whole = fit("item_knn", fitted, knn_neighbours=4).tensors()
    monkeypatch.setattr(baselines, "BLOCK_CELLS", 2 * fitted.n_items)
    in_blocks = fit("item_knn", fitted, knn_neighbours=4).tensors()
    assert {name: array.tobytes() for name, array in whole.items()} == {n: a.tobytes() for n, a in in_blocks.items()}


def test_item_knn_where_nobody_took_anything():
    nothing = Interactions.from_pairs(np.array([], int), np.array([], int), 3, 4)
    np.testing.assert_array_equal(fit("item_knn", nothing).scores(np.arange(3)), np.zeros((3, 4)))


# --- ease


def ridge_without_itself(matrix: np.ndarray, penalty: float) -> np.ndarray:
    """The same model, item by item: a ridge regression of each column on all the others."""
    items = matrix.shape[1]
    weights = np.zeros((items, items))
    for item in range(items):
        others = np.delete(np.arange(items), item)
        rest = matrix[:, others]
        solved = np.linalg.solve(rest.T @ rest + penalty * np.eye(items - 1), rest.T @ matrix[:, item])
        weights[others, item] = solved
    return weights


@given(st.integers(0, 10_000), st.floats(0.1, 1000))
def test_ease_is_a_ridge_regression_of_each_item_on_the_others(seed, penalty):
    fitted = some_interactions(seed)
    scorer = fit("ease", fitted, ease_lambda=penalty)
    expected = ridge_without_itself(dense(fitted), penalty)
    np.testing.assert_allclose(scorer.weights, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(scorer.scores(np.array([4, 1])), dense(fitted)[[4, 1]] @ expected, rtol=1e-4, atol=1e-5)


def test_ease_meets_the_conditions_of_its_optimum():
    """Where B is best, the gradient X'(XB - X) + lambda B vanishes off the diagonal, which itself is held at 0."""
    fitted, penalty = some_interactions(7, users=200, items=40), 5.0
    matrix, weights = dense(fitted), fit("ease", fitted, ease_lambda=penalty).weights.astype(float)
    gradient = matrix.T @ (matrix @ weights - matrix) + penalty * weights
    np.fill_diagonal(gradient, 0)
    assert np.abs(gradient).max() < 1e-4  # beside entries of X'X as large as
    assert (matrix.T @ matrix).max() > 50
    np.testing.assert_array_equal(np.diag(weights), 0)


def test_ease_is_the_same_block_by_block(monkeypatch):
    fitted = some_interactions(3)
    whole = fit("ease", fitted).weights
    monkeypatch.setattr(baselines, "BLOCK_CELLS", 5 * fitted.n_items)
    assert fit("ease", fitted).weights.tobytes() == whole.tobytes()


def test_a_catalogue_too_large_for_memory_is_refused_before_anything_is_allocated(monkeypatch):
    def unexpected(*_):
        raise AssertionError("it was begun")

    monkeypatch.setattr(baselines, "_gram", unexpected)
    monkeypatch.setattr(memory, "free", lambda: 2 * memory.needed(make_variant("d", baseline="ease"), 4) - 1)
    with pytest.raises(BadVariant, match=r"4 x 4 items.* that are free now"):
        fit("ease", TAKEN)


def test_a_penalty_that_rounding_would_eat():
    twins = Interactions.from_pairs(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), 2, 2)
    with pytest.raises(BadVariant, match="Give at least 4e-10"):
        fit("ease", twins, ease_lambda=1e-12)
    # just above it is exact: of two equal columns each predicts the other by 2 / (2 + lambda)
    np.testing.assert_allclose(fit("ease", twins, ease_lambda=1e-9).weights, [[0, 1], [1, 0]], atol=1e-6)


@pytest.mark.realdata
@pytest.mark.parametrize(("penalty", "ndcg", "cold"), [(500, 0.4532, 0.0143), (200, 0.4447, 0.0331)])
def test_ease_on_the_papers_split(penalty, ndcg, cold):
    """Another implementation of the closed form gave .453 with .014, and .445 with .033."""
    train, test = (pq.read_table(realdata.ml_100k_paper_split() / f"{name}.parquet") for name in ("train", "test"))
    size = {
        name: 1 + max(t[name].to_numpy().astype(int).max() for t in (train, test)) for name in ("user_id", "item_id")
    }
    fitted, held_out = (
        Interactions.from_pairs(*(t[name].to_numpy().astype(int) for name in size), *size.values())
        for t in (train, test)
    )
    metrics = evaluate(fit("ease", fitted, ease_lambda=penalty), fitted, held_out, fitted).metrics
    assert metrics["ndcg@10"] == pytest.approx(ndcg, abs=0.002)
    assert metrics["aplt@10"] == pytest.approx(cold, abs=0.002)
