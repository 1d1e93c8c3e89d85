import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from core.evaluation import accuracy, groups, measure
from core.evaluation.evaluate import evaluate, ndcg_only
from core.evaluation.metrics import CUTOFFS, METRICS, all_keys, parse_key
from tests.evaluation.worlds import HELD_OUT, NOTHING, TRAINED, World, rows, worlds


def evaluated(world: World, **how):
    return evaluate(world.scorer, world.train, world.held_out, world.train, **how)


def with_somebody(world: World) -> World:
    assume(len(world.held_out) > 0)
    return world


# Two users, four items. User 0 trained on 3 and took 0 and 1; user 1 trained on 3 and 0 and took 2. Shown: 1 and 2.
# Train popularity 1, 0, 0, 2: of 4 items position 3 is the cut, so item 3 alone is hot, and nobody may be shown it.
HAND = World(
    np.array([[HELD_OUT, HELD_OUT, NOTHING, TRAINED], [TRAINED, NOTHING, HELD_OUT, TRAINED]]),
    np.array([[1, 3, 2, 9], [9, 3, 2, 9]], np.float32),
)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("precision@2", (1 / 2 + 1 / 2) / 2),
        ("recall@2", (1 / 2 + 1 / 1) / 2),
        ("f1@2", (2 * 1 / (2 + 2) + 2 * 1 / (2 + 1)) / 2),
        ("hit_rate@2", (1 + 1) / 2),
        ("hit_rate@1", (1 + 0) / 2),
        ("ndcg@2", (1 / (1 + 1 / math.log2(3)) + (1 / math.log2(3)) / 1) / 2),
        ("map@2", ((1 / 1) / 2 + (1 / 2) / 1) / 2),
        ("mrr@2", (1 / 1 + 1 / 2) / 2),
        ("auc", ((1 + 0) / 2 + 0 / 1) / 2),  # 0: 1 and 3 against 2; 1: 2 against 3
        ("ohr@2", 0),
        ("uhr@2", 0),
        ("ocr@2", (1 / 2 + 1 / 2) / 2),
        ("ucr@2", (1 / 2 + 0 / 1) / 2),
        ("fpr@2", (1 / 2 + 1 / 2) / 2),
        ("fnr@2", (1 / 2 + 0 / 1) / 2),
        ("arp@2", (0 + 0) / 2),
        ("aplt@2", 1),
        ("aclt@2", 2),
        ("novelty@2", -math.log2(1 / 2)),  # never seen counts as seen once, by one of two users
        ("gini@2", ((2 * 3 - 4 - 1) * 2 + (2 * 4 - 4 - 1) * 2) / (4 * 4)),  # lists per item 0, 2, 2, 0
        ("coverage@2", 2 / 4),
        ("gini@1", 1 - 1 / 4),
        ("coverage@1", 1 / 4),
        ("pauc", ((1 + 0) / 2 + 0 / 1) / 2),  # one other candidate each: its first tenth is as good as all of it
        ("entropy@2", 1),  # two items, each in two lists
        ("entropy@1", 0),
        ("entropy_norm@2", 1 / 2),
        ("lift@2", -1),  # shown: popularity 0; profiles: 2, and (1 + 2) / 2
        # shown: tail only; taken: 3, the head, with 2 of 3 interactions; and 3 with 0, of the tail
        ("upd@2", (1 + (math.log2(4 / 3) + (1 / 2) * math.log2(2) + (1 / 2) * math.log2(2 / 3)) / 2) / 2),
        # popularity 1, 0, 0 and ranks 3, 1, 2: places 3, 1.5, 1.5 and 3, 1, 2
        ("pri", -(1 * 1 + 0.5 * 1 + 0.5 * 0) / math.sqrt((1 + 0.25 + 0.25) * (1 + 1 + 0))),
    ],
)
def test_by_hand(key, expected):
    assert evaluated(HAND, cutoffs=(1, 2)).metrics[key] == pytest.approx(expected)


def test_exposure_by_hand():
    found = evaluated(HAND, cutoffs=(2,))  # ranks by popularity: 3, 0, 1, 2, so items 1 and 2 are in deciles 5 and 3
    assert found.exposure == pytest.approx([0, 0, 2 / 4, 0, 2 / 4, 0, 0, 0, 0, 0])


def test_popularity_is_counted_where_the_caller_says():
    counted_on = HAND.train.merged(HAND.held_out)  # 2, 1, 1, 2: now 0 and 3 are hot
    found = evaluate(HAND.scorer, HAND.train, HAND.held_out, counted_on, (2,))
    assert found.metrics["arp@2"] == pytest.approx(1)
    assert found.metrics["uhr@2"] == pytest.approx((1 / 1 + 0) / 2)


def test_the_other_head_is_passed_on():
    found = evaluated(HAND, cutoffs=(2,), head="interactions")  # 2 + 1 of 3: items 3 and 0 are hot, user 0 took 0
    assert found.metrics["uhr@2"] == pytest.approx((1 / 1 + 0) / 2)


def test_tables_and_registry_name_the_same_metrics():
    of_lists = {name for name, row in METRICS.items() if row.needs == "lists"}
    tables = [*measure.PER_USER, *measure.OF_COUNTS, *measure.OF_SUMS]
    assert sorted(tables) == sorted(of_lists)
    assert {name for name in of_lists if METRICS[name].per_user} == set(measure.PER_USER)


@given(worlds())
def test_within_the_ranges_of_the_registry(world):
    found = evaluated(with_somebody(world), cutoffs=(1, 3))
    n_users, n_items = world.kind.shape
    largest = {"arp": n_users, "aclt": 3, "novelty": math.log2(n_users), "entropy": math.log2(n_items)}
    largest |= dict.fromkeys([name for name in METRICS if name.startswith("lift")], n_users - 1)  # of a profile of ones
    for key, value in [*found.metrics.items(), *((k, v) for k, vs in found.per_user.items() for v in vs)]:
        low, high = METRICS[parse_key(key)[0]].range
        high = largest[parse_key(key)[0]] if high is None else high
        assert math.isnan(value) or low - 1e-12 <= value <= high + 1e-12, key
    assert not any(math.isnan(value) for value in found.metrics.values())


@given(worlds())
def test_all_keys_in_order_and_means_of_the_users_with_a_value(world):
    found = evaluated(with_somebody(world))
    assert list(found.metrics) == [key for key in all_keys() if key in found.metrics]
    absent = set(all_keys()) - set(found.metrics)
    undefined = {"popreo", "poprsp", "pri", "upd", *(name for name in METRICS if name.startswith("lift"))}
    assert all(np.isnan(found.per_user[key]).all() for key in absent if parse_key(key)[0] not in undefined)
    for key, values in found.per_user.items():
        if key in found.metrics:
            assert found.metrics[key] == pytest.approx(np.nanmean(values))


@given(worlds(), st.randoms(use_true_random=False))
def test_order_of_users_does_not_matter(world, random):
    order = list(range(len(world.kind)))
    random.shuffle(order)
    one, other = evaluated(with_somebody(world)), evaluated(world.of_users(np.array(order)))
    # users who are alike in their profile fall into groups by their number, so what is averaged by group may differ
    by_group = ("lift", "upd")
    first, second = (
        {key: value for key, value in found.metrics.items() if not key.startswith(by_group)} for found in (one, other)
    )
    assert second == pytest.approx(first)
    np.testing.assert_allclose(other.exposure, one.exposure)


@given(worlds())
def test_a_user_without_interactions_changes_nothing_but_the_number_of_users(world):
    more = World(np.vstack([world.kind, 0 * world.kind[:1]]), np.vstack([world.scores, world.scores[:1]]))
    one, other = evaluated(with_somebody(world)).metrics, evaluated(more).metrics
    novelties = {key: math.log2(len(more.kind) / len(world.kind)) for key in one if key.startswith("novelty")}
    assert other == pytest.approx({key: value + novelties.get(key, 0) for key, value in one.items()})


@given(worlds())
def test_the_fast_path_says_the_same(world):
    for k in (1, 10):
        fast = ndcg_only(world.scorer, world.train, with_somebody(world).held_out, k)
        assert fast == pytest.approx(evaluated(world, cutoffs=(k,)).metrics[f"ndcg@{k}"], abs=1e-12)


@given(worlds(max_items=12))
def test_metrics_by_sets(world):
    """Second definition: sets and loops, a user at a time."""
    k, found = 3, evaluated(with_somebody(world), cutoffs=(3,))
    hot = set(np.flatnonzero(groups.hot_items(world.train.popularity())).tolist())
    for row, user in enumerate(found.users):
        shown = [i for i in found.ranking.items[row].tolist() if i >= 0]
        took = set(world.held_out.row(user).tolist())
        right = [i for i in shown if i in took]
        expected = {
            "precision": len(right) / k,
            "recall": len(right) / len(took),
            "hit_rate": float(bool(right)),
            "mrr": max([1 / (shown.index(i) + 1) for i in right], default=0),
            "map": sum((right.index(i) + 1) / (shown.index(i) + 1) for i in right) / min(k, len(took)),
            "ohr": share(hot & set(shown) - took, hot & set(shown)),
            "ocr": share(set(shown) - hot - took, set(shown) - hot),
            "uhr": share(hot & took - set(shown), hot & took),
            "ucr": share(took - hot - set(shown), took - hot),
            "fnr": share(took - set(shown), took),
            "fpr": 1 - len(right) / k,
            "aclt": len(set(shown) - hot),
        }
        assert {name: found.per_user[f"{name}@{k}"][row] for name in expected} == pytest.approx(expected)


@given(worlds(max_users=12, max_items=12), st.integers(0, 3))
def test_metrics_of_all_lists_by_sets(world, seed):
    """Second definition of those of sums over users: sets and loops; weights are users counted several times."""
    found = evaluated(with_somebody(world), cutoffs=(3,))
    known = measure.facts(found.users, world.held_out, world.train)
    lists = measure.cut(known, found.ranking.items, measure.hits(found.ranking.items, found.users, world.held_out), 3)
    assert measure.over_the_set(lists) == {
        name: found.metrics[f"{name}@3"]
        for name in (*measure.OF_COUNTS, *measure.OF_SUMS)
        if f"{name}@3" in found.metrics
    }
    weights = np.random.default_rng(seed).integers(0, 3, len(found.users))
    for often in (np.ones(len(weights), int), weights):
        expected = by_sets(world, np.repeat(np.arange(len(often)), often), found)
        weighted = measure.over_the_set(lists, often.astype(float))
        named = {name: weighted.get(name, math.nan) for name in expected}
        assert named == pytest.approx(expected, nan_ok=True, abs=1e-12)


def by_sets(world: World, rows: np.ndarray, found: measure.Evaluation) -> dict[str, float]:
    """PopREO, PopRSP, lifts and UPD of the evaluated users in these rows, from sets."""
    popularity = world.train.popularity().tolist()
    hot = set(np.flatnonzero(groups.hot_items(world.train.popularity())).tolist())
    cold = set(range(len(popularity))) - hot
    group_of = groups.user_groups(world.train, groups.hot_items(world.train.popularity()))
    classes = groups.item_classes(world.train.popularity()).tolist()
    users = [(int(found.users[row]), [i for i in found.ranking.items[row].tolist() if i >= 0]) for row in rows]
    took = {user: set(world.held_out.row(user).tolist()) for user, _ in users}
    had = {user: set(world.train.row(user).tolist()) for user, _ in users}

    def gap(part, whole):
        chances = [
            sum(len(part(u, shown) & g) for u, shown in users) / n if (n := sum(len(whole(u) & g) for u, _ in users))
            else math.nan
            for g in (hot, cold)
        ]  # fmt: skip
        return np.std(chances) / np.mean(chances) if np.mean(chances) != 0 else math.nan

    def mean(items):
        return sum(popularity[i] for i in items) / len(items)

    def lift(names):
        both = [(mean(shown), mean(had[u])) for u, shown in users if shown and had[u] and group_of[u] in names]
        return sum(a for a, _ in both) / sum(b for _, b in both) - 1 if both else math.nan

    def shares(items):
        return [sum(classes[i] == c for i in items) / len(items) for c in range(3)]

    def deviation(name):
        values = []
        for u, shown in users:
            if shown and had[u] and group_of[u] == name:
                p, q = shares(had[u]), shares(shown)
                kl = [x * math.log2(2 * x / (a + b)) for a, b in zip(p, q, strict=True) for x in (a, b) if x]
                values.append(sum(kl) / 2)
        return [sum(values) / len(values)] if values else []

    deviations = [value for name in groups.USER_GROUPS for value in deviation(name)]
    return {
        "popreo": gap(lambda u, shown: set(shown) & took[u], lambda u: took[u]),
        "poprsp": gap(lambda _, shown: set(shown), lambda u: (hot | cold) - had[u]),
        "lift": lift(groups.USER_GROUPS),
        **{f"lift_{name}": lift([name]) for name in groups.USER_GROUPS},
        "upd": sum(deviations) / len(deviations) if deviations else math.nan,
    }


@given(worlds(), st.integers(0, 3))
def test_whole_weights_are_users_counted_several_times(world, seed):
    """Of counts: the lists of a user who counts twice are there twice; who counts 0 is not there."""
    found = evaluated(with_somebody(world), cutoffs=(4,))
    weights = np.random.default_rng(seed).integers(0, 3, len(found.users))
    known = measure.facts(found.users, world.held_out, world.train)
    is_hit = measure.hits(found.ranking.items, found.users, world.held_out)
    weighted = measure.over_the_set(measure.cut(known, found.ranking.items, is_hit, 4), weights.astype(float))
    again = np.repeat(np.arange(len(weights)), weights)
    users = found.users[again]
    lists = measure.cut(measure.facts(users, world.held_out, world.train), found.ranking.items[again], is_hit[again], 4)
    assert measure.over_the_set(lists) == pytest.approx(weighted, abs=1e-12)


def test_candidates_are_what_is_not_masked_and_profiles_what_the_caller_says():
    held_out, train = rows([0], [], n_items=4), rows([3], [3], n_items=4)  # only 3 is hot
    lists, users, counted_on = np.array([[0, 1]]), np.array([0]), train.merged(held_out)
    found = measure.evaluate_lists(lists, users, held_out, counted_on, (2,), mask=train, profiles=train).metrics
    assert found["arp@2"] == pytest.approx((1 + 0) / 2)
    assert found["lift@2"] == pytest.approx((1 / 2 - 2) / 2)  # the profile is 3, taken by two
    own = measure.evaluate_lists(lists, users, held_out, counted_on, (2,)).metrics
    assert own["lift@2"] == pytest.approx((1 / 2 - 3 / 2) / (3 / 2))  # 3 and 0


def share(part: set[int], whole: set[int]) -> float:
    return len(part) / max(len(whole), 1)


def test_ndcg_of_random_scores_is_scikit_learns():
    rng = np.random.default_rng(0)
    kind = rng.choice([NOTHING, HELD_OUT], (20, 50), p=[0.8, 0.2])
    world = World(kind, rng.normal(size=kind.shape).astype(np.float32))
    for k in CUTOFFS:
        expected = ndcg_score(kind == HELD_OUT, world.scores, k=k)
        assert evaluated(world).metrics[f"ndcg@{k}"] == pytest.approx(expected)


def test_hits_by_search_are_hits_by_table():
    rng = np.random.default_rng(0)
    held_out = rows([0, 4], [], [1, 2, 3], n_items=5)
    users, items = np.array([2, 0]), rng.permutation(5)[None].repeat(2, axis=0)
    items[0, 2] = -1
    expected = [[i in held_out.row(u) for i in row] for u, row in zip(users, items.tolist(), strict=True)]
    assert measure.hits(items, users, held_out).tolist() == expected
    assert not measure.hits(items, users, rows([], [], [], n_items=5)).any()


def test_nobody_has_held_out_items():
    nothing = rows([], [], n_items=4)
    found = evaluate(HAND.scorer, HAND.train, nothing, HAND.train)
    assert (found.metrics, found.per_user, found.users.tolist()) == ({}, {}, [])
    with pytest.raises(ValueError, match="held-out"):
        ndcg_only(HAND.scorer, HAND.train, nothing)


@given(worlds())
def test_a_models_lists_measured_as_anybodys_lists_give_the_same(world):
    ours = evaluated(with_somebody(world), cutoffs=(1, 4))
    order = np.random.default_rng(0).permutation(len(ours.users))
    lists, users = ours.ranking.items[order], ours.users[order]
    theirs = measure.evaluate_lists(lists, users, world.held_out, world.train, (1, 4))
    of_lists = {key: value for key, value in ours.metrics.items() if METRICS[parse_key(key)[0]].needs == "lists"}
    assert theirs.metrics == pytest.approx(of_lists)
    np.testing.assert_array_equal(theirs.ranking.items, ours.ranking.items)


def test_a_missing_list_is_empty_and_a_list_of_nobody_asked_for_is_left_out():
    held_out = rows([0], [1], [], n_items=3)
    found = measure.evaluate_lists(np.array([[0], [2]]), np.array([0, 2]), held_out, held_out, (2,))
    assert found.users.tolist() == [0, 1]
    assert found.ranking.items.tolist() == [[0, -1], [-1, -1]]
    assert found.metrics["recall@2"] == pytest.approx((1 + 0) / 2)
    assert found.metrics["precision@2"] == pytest.approx((1 / 2 + 0) / 2)
    assert found.metrics["arp@2"] == pytest.approx(1)  # the empty list has no popularity
    assert "auc" not in found.metrics


def test_accuracy_of_nobody_is_no_number():
    assert measure.mean_over_users(np.array([np.nan])) is None
    assert measure.mean_over_users(np.array([np.nan, 1.0, 0.0])) == pytest.approx(1 / 2)


def test_exposure_is_measured_at_ten_or_next_to_it():
    scores = np.arange(40, dtype=np.float32)[None]
    world = World(np.array([[HELD_OUT] + [NOTHING] * 39]), scores)
    items = np.argsort(-scores[0], kind="stable")
    decile = groups.deciles(world.train.popularity())
    for cutoffs, length in [((5, 10, 20), 10), ((7,), 7), ((15, 20), 15), ((20, 5), 5)]:
        expected = np.bincount(decile[items[:length]], minlength=11)[1:] / length
        assert evaluated(world, cutoffs=cutoffs).exposure == pytest.approx(expected)


def test_one_definition_of_auc_for_a_user():
    found = evaluated(HAND)
    assert found.per_user["pauc"] == pytest.approx(
        [
            accuracy.partial_auc(np.array([1.0, 3.0]), np.array([2.0])),
            accuracy.partial_auc(np.array([2.0]), np.array([3.0])),
        ]
    )
    assert found.per_user["auc"] == pytest.approx(
        [accuracy.auc(np.array([1.0, 3.0]), np.array([2.0])), accuracy.auc(np.array([2.0]), np.array([3.0]))]
    )
