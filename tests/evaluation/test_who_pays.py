import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation import groups, measure, popularity, who_pays
from tests.evaluation.worlds import World, worlds

NAN = np.nan


def test_means_of_the_users_of_a_group_with_a_value():
    of_users = {"ndcg@10": np.array([0.5, 0.3, 0.9, 0.1]), "arp@10": np.array([NAN, 3, 7, NAN])}
    found = who_pays.by_user_group(of_users, np.array(["niche", "niche", "diverse", "diverse"]))
    assert (found.groups, found.users.tolist()) == (("niche", "diverse", "blockbuster"), [2, 2, 0])
    assert found.metrics["ndcg@10"] == pytest.approx([(0.5 + 0.3) / 2, (0.9 + 0.1) / 2, NAN], nan_ok=True)
    assert found.metrics["arp@10"] == pytest.approx([3, 7, NAN], nan_ok=True)


def test_other_names_of_groups():
    found = who_pays.by_user_group({"auc": np.array([0.2, 0.4])}, np.array(["new", "old"]), ("old", "new"))
    assert found.metrics["auc"] == pytest.approx([0.4, 0.2])


def test_hits_and_exposure_by_decile_by_hand():
    # ten items, one a decile: item 9 is the most popular. User 0 is shown 9, 8 and took 9, 0; user 1 is shown 9 alone.
    found = who_pays.by_decile(
        np.array([[9, 8], [9, -1]]),
        np.array([[True, False], [False, False]]),
        np.arange(1, 11),
        np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 3]),
        np.array([1, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    )
    assert found.items.tolist() == [1] * 10
    assert found.held_out.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert found.hits.tolist() == [0] * 9 + [1]
    assert found.recall == pytest.approx([0 / 1, *[NAN] * 8, 1 / 1], nan_ok=True)
    assert found.exposure == pytest.approx([0] * 8 + [1 / 3, 2 / 3])
    assert found.train_share == pytest.approx([0] * 8 + [1 / 4, 3 / 4])
    assert found.test_share == pytest.approx([1 / 2] + [0] * 8 + [1 / 2])


@given(worlds(max_users=8))
def test_by_decile_by_loops(world: World):
    users = measure.evaluated_users(world.held_out)
    decile = groups.deciles(world.train.popularity())
    rng = np.random.default_rng(0)
    lists = np.stack([rng.permutation(world.scorer.n_items) for _ in range(len(world.kind))])[users, :3]
    is_hit = measure.hits(lists, users, world.held_out)
    found = who_pays.by_decile(lists, is_hit, decile, world.train.popularity(), world.held_out.popularity())
    for d in range(1, 11):
        of_decile = set(np.flatnonzero(decile == d).tolist())
        took = [(u, i) for u in users for i in world.held_out.row(u).tolist() if i in of_decile]
        shown = {(u, i) for u, row in zip(users, lists.tolist(), strict=True) for i in row}
        assert (found.items[d - 1], found.held_out[d - 1]) == (len(of_decile), len(took))
        assert found.hits[d - 1] == len([pair for pair in took if pair in shown])
    assert found.hits.sum() == is_hit.sum()
    np.testing.assert_allclose(found.recall[found.held_out > 0] * found.held_out[found.held_out > 0],
                               found.hits[found.held_out > 0])  # fmt: skip


@given(worlds(max_users=12), st.integers(0, 3))
def test_lift_by_group_is_the_metric_of_that_name(world: World, seed):
    users = measure.evaluated_users(world.held_out)
    known = measure.facts(users, world.held_out, world.train)
    lists = np.random.default_rng(seed).integers(-1, world.scorer.n_items, (len(users), 2)).astype(np.int32)
    cut = measure.cut(known, lists, measure.hits(lists, users, world.held_out), 2)
    of_lists = popularity.mean_popularity(lists, known.popularity)
    found = who_pays.lift_by_user_group(of_lists, known.profile_popularity, known.groups)
    expected = measure.over_the_set(cut)
    assert found.tolist() == pytest.approx([expected.get(f"lift_{g}", NAN) for g in groups.USER_GROUPS], nan_ok=True)


def test_the_worst_off_loses_the_largest_share_not_the_largest_amount():
    values, baseline = np.array([0.08, 0.30, 0.50]), np.array([0.10, 0.36, 0.49])
    worst = who_pays.worst_off(values, baseline, groups.USER_GROUPS)
    assert (worst.group, worst.value, worst.baseline) == ("niche", 0.08, 0.10)
    assert worst.relative == pytest.approx(0.02 / 0.10)  # diverse users lose 0.06, but of 0.36
    told = who_pays.losses(values, baseline, groups.USER_GROUPS)
    assert [loss.group for loss in told] == ["niche", "diverse", "blockbuster"]
    assert told[2].relative == pytest.approx(-0.01 / 0.49)


def test_of_a_metric_that_is_better_lower_a_rise_is_the_loss():
    worst = who_pays.worst_off(np.array([3.0, 2.0]), np.array([2.0, 2.0]), ["a", "b"], "lower")
    assert (worst.group, worst.relative) == ("a", pytest.approx(1 / 2))


@pytest.mark.parametrize(("value", "baseline"), [(0.5, 0.5), (0.6, 0.5), (NAN, 0.5), (0.5, NAN), (0.5, 0.0), (1, -1)])
def test_nobody_is_worst_off(value, baseline):
    assert who_pays.worst_off(np.array([value]), np.array([baseline]), ["a"]) is None
