import numpy as np
import pytest
from hypothesis import given

from core.evaluation import _kernels, accuracy, ranking
from core.evaluation.ranking import top_k
from tests.evaluation.worlds import HELD_OUT, NOTHING, TRAINED, Table, World, rows, where, worlds


def best(world: World, user: int, k: int) -> list[int]:
    """The definition: candidates by falling score, then by number."""
    candidates = np.flatnonzero(world.kind[user] != TRAINED)
    order = np.lexsort((candidates, -world.scores[user, candidates]))[:k]
    return [*candidates[order].tolist(), *[-1] * (k - len(order))]


def everybody(world: World) -> np.ndarray:
    return np.arange(len(world.kind))


@given(worlds())
def test_lists_are_the_best_candidates_in_order(world):
    lists = top_k(world.scorer, everybody(world), world.train, 7)
    assert lists.items.tolist() == [best(world, user, 7) for user in everybody(world)]
    listed = np.where(lists.items >= 0, np.take_along_axis(world.scores, np.maximum(lists.items, 0), axis=1), np.nan)
    np.testing.assert_array_equal(lists.scores, listed.astype(np.float32))


@given(worlds())
def test_auc_and_partial_auc_are_their_definitions(world):
    lists = top_k(world.scorer, everybody(world), world.train, 1, world.held_out)
    sides = [(s[kind == HELD_OUT], s[kind == NOTHING]) for kind, s in zip(world.kind, world.scores, strict=True)]
    np.testing.assert_allclose(lists.auc, [accuracy.auc(*side) for side in sides])
    np.testing.assert_allclose(lists.partial_auc, [accuracy.partial_auc(*side) for side in sides], atol=1e-12)


@given(worlds())
def test_mean_ranks_are_places_among_the_candidates_by_loops(world):
    """Second definition: count who stands above, user by user; equal scores share the mean of their places."""
    places: dict[int, list[float]] = {item: [] for item in range(world.scorer.n_items)}
    for kind, scores in zip(world.kind, world.scores, strict=True):
        candidates = [float(score) for k, score in zip(kind, scores, strict=True) if k != TRAINED]
        for item in np.flatnonzero(kind == HELD_OUT):
            above = sum(score > scores[item] for score in candidates)
            tied = sum(score == scores[item] for score in candidates)  # the item itself among them
            places[item].append(sum(above + place for place in range(1, tied + 1)) / tied)
    expected = [np.mean(found) if found else np.nan for found in places.values()]
    found = top_k(world.scorer, everybody(world), world.train, 1, world.held_out).mean_ranks
    np.testing.assert_allclose(found, expected)


@given(worlds())
def test_blocks_do_not_matter(world):
    one = top_k(world.scorer, everybody(world), world.train, 3, world.held_out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "BLOCK_SCORES", 2 * world.scorer.n_items)  # two users at a time
        several = top_k(world.scorer, everybody(world), world.train, 3, world.held_out)
    np.testing.assert_array_equal(one.items, several.items)
    np.testing.assert_array_equal(one.auc, several.auc)
    np.testing.assert_array_equal(one.partial_auc, several.partial_auc)
    np.testing.assert_array_equal(one.mean_ranks, several.mean_ranks)


@given(worlds(max_users=2, max_items=6))
def test_plain_python_of_the_kernels_says_the_same(world):
    lists = top_k(world.scorer, everybody(world), world.train, 2, world.held_out)
    mask, held = world.train, world.held_out
    items, scores = np.full_like(lists.items, -1), np.full_like(lists.scores, np.nan)
    auc, partial = np.zeros(len(lists.users)), np.zeros(len(lists.users))
    rank_sums, n_ranked = np.zeros(held.n_items), np.zeros(held.n_items, np.int64)
    _kernels.top_k_block.py_func(world.scores, lists.users, mask.indptr, mask.indices, items, scores)
    _kernels.held_out_block.py_func(
        *(world.scores, lists.users, mask.indptr, mask.indices, held.indptr, held.indices, accuracy.MAX_FPR),
        *(auc, partial, rank_sums, n_ranked),
    )
    np.testing.assert_array_equal(items, lists.items)
    np.testing.assert_array_equal(scores, lists.scores)
    np.testing.assert_array_equal(auc, lists.auc)
    np.testing.assert_allclose(partial, lists.partial_auc, rtol=1e-12)
    np.testing.assert_array_equal(rank_sums[n_ranked > 0] / n_ranked[n_ranked > 0], found_ranks(lists))


def found_ranks(lists) -> np.ndarray:
    return lists.mean_ranks[~np.isnan(lists.mean_ranks)]


def test_users_are_taken_in_the_order_asked():
    scorer = Table(np.array([[1, 2], [2, 1]], np.float32))
    assert top_k(scorer, np.array([1, 0, 1]), rows([], [], n_items=2), 1).items.tolist() == [[0], [1], [0]]


def test_an_item_that_scores_minus_infinity_is_still_a_candidate_and_nan_is_none():
    scorer = Table(np.array([[-np.inf, np.nan, 0.0, -np.inf]], np.float32))
    assert top_k(scorer, np.array([0]), rows([], n_items=4), 4).items.tolist() == [[2, 0, 3, -1]]


def test_a_held_out_item_that_is_masked_counts_for_nothing():
    scorer = Table(np.array([[3, 2, 1]], np.float32))
    lists = top_k(scorer, np.array([0]), rows([0], n_items=3), 1, rows([0, 1], n_items=3))
    assert lists.auc == pytest.approx([1 / 1])  # item 1 against item 2; item 0 takes no part
    assert lists.mean_ranks == pytest.approx([np.nan, 1, np.nan], nan_ok=True)


def test_other_dtypes_strides_and_read_only_arrays_are_taken():
    values = np.asfortranarray([[1.0, 2.0, 3.0]])
    values.flags.writeable = False
    mask = where(np.array([[False, False, True]]))
    mask.indices.flags.writeable = False
    assert top_k(Table(values), np.array([0], np.uint8), mask, 2, mask).items.tolist() == [[1, 0]]


def test_no_users_no_lists():
    lists = top_k(Table(np.zeros((1, 3), np.float32)), np.zeros(0, int), rows([], n_items=3), 2)
    assert lists.items.shape == (0, 2)
    assert (lists.auc, lists.partial_auc, lists.mean_ranks) == (None, None, None)


def test_a_list_has_at_least_one_place():
    with pytest.raises(ValueError, match="at least 1"):
        top_k(Table(np.zeros((1, 3), np.float32)), np.array([0]), rows([], n_items=3), 0)


@pytest.mark.parametrize(
    ("users", "mask", "held_out"),
    [
        ([0], rows([3], n_items=4), None),
        ([0], rows([], n_items=3), rows([3], n_items=4)),
        ([1], rows([], n_items=3), None),
        ([-1], rows([], n_items=3), None),
    ],
)
def test_interactions_of_another_data_set_are_refused(users, mask, held_out):
    with pytest.raises(ValueError, match=r"items|users"):
        top_k(Table(np.zeros((2, 3), np.float32)), np.array(users), mask, 1, held_out)
