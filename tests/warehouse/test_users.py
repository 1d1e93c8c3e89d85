"""Questions about one user, and about whose lists change: by hand, and against pandas."""

import itertools

import numpy as np
import pandas as pd
import pytest

from core.errors import DamagedArtifact, Unknown
from core.models.sweep import Sweep
from core.models.variant import make_variant
from core.warehouse import finding_users, queries
from core.warehouse.database import Warehouse
from tests.pages import results
from tests.tiny import tiny_dataset
from tests.warehouse.fake_runs import write_run
from tests.warehouse.hand import hand_dataset

LISTS_A = {"test": {"a": ["i3", "i4"], "b": ["i2", "i4"], "c": ["i2", "i3"]}, "validation": {"b": ["i4", "i3"]}}
LISTS_B = {"test": {"a": ["i4", "i3"], "b": ["i2", "i3"], "c": ["i4", "i3"]}}
NDCG_A = {"test": {"a": {"ndcg@5": 1.0}, "b": {"ndcg@5": 0.0}, "c": {"ndcg@5": 0.5}}}
NDCG_B = {"test": {"a": {"ndcg@5": 0.6}, "b": {"ndcg@5": 0.0}, "c": {"ndcg@5": 0.75}}}


@pytest.fixture
def two(settings):
    """The warehouse, the data set, and two runs on it."""
    dataset = hand_dataset(settings).id
    a = write_run(settings, make_variant(dataset, sampler="rns"), lists=LISTS_A, per_user=NDCG_A)
    b = write_run(settings, make_variant(dataset, sampler="dns"), lists=LISTS_B, per_user=NDCG_B)
    return Warehouse.open(settings, own=False), dataset, a, b


def test_user(two):
    w, dataset, *_ = two
    row = queries.user(w, dataset, "a").iloc[0]
    assert (row["user_id"], row["length"], row["held_out"]) == ("a", 3, 1)
    assert queries.user(w, dataset, "b", "validation")["held_out"].tolist() == [1]
    assert queries.user(w, dataset, "nobody").empty


def test_user_list(two):
    w, _, a, b = two
    shown = queries.user_list(w, a, "a", against=b)
    assert shown["rank"].tolist() == [1, 2]
    assert shown["item_id"].tolist() == ["i3", "i4"]
    assert shown["title"].tolist() == ["Star Trek", "Alien"]
    assert shown["score"].tolist() == [1, 0.5]
    assert shown["count"].tolist() == [1, 0]
    assert shown["popularity"].tolist() == [1 / 5, 0]
    assert shown["hot"].tolist() == [False, False]
    assert shown["hit"].tolist() == [True, False]  # a took i3 in test
    assert shown["other_rank"].tolist() == [2, 1]


def test_a_re_ranked_list_has_the_facts_of_a_stored_one(settings):
    info = tiny_dataset(settings)
    sweep = Sweep(({"dim": [8], "epochs": [3]}, {"penalty_strength": [0.3]}), ("pop_penalty",), (0,))
    plain, penalty = results.train(settings, info, sweep)
    w = Warehouse.open(settings, own=False)
    hits = 0
    for user, split in itertools.product(("u07", "u11", "u30"), ("validation", "test")):
        stored = queries.user_list(w, penalty, user, split, k=12).drop(columns="other_rank")
        again = queries.reranked_list(w, plain, user, split, 12, 0.3)
        pd.testing.assert_frame_equal(again, stored, rtol=1e-4, atol=1e-6)
        hits += stored["hit"].sum()
    assert hits
    stored = queries.user_list(w, penalty, "u07", k=12)
    assert len(stored) == 12
    trained = queries.user_list(w, plain, "u07", k=12)["count"].mean()
    assert queries.reranked_list(w, plain, "u07", k=12, penalty=1.0)["count"].mean() < stored["count"].mean() < trained
    with pytest.raises(Unknown):
        queries.reranked_list(w, plain, "nobody")
    with pytest.raises(Unknown):
        queries.reranked_list(w, "0" * 16, "u07")


def test_what_the_other_list_lacks_has_no_rank_there(two):
    w, _, a, b = two
    assert queries.user_list(w, a, "c", against=b)["other_rank"].isna().tolist() == [True, False]
    assert queries.user_list(w, a, "c")["other_rank"].isna().all()


def test_a_list_is_cut_at_k_and_of_its_split(two):
    w, _, a, _ = two
    assert queries.user_list(w, a, "a", k=1)["item_id"].tolist() == ["i3"]
    assert queries.user_list(w, a, "b", "validation")["hit"].tolist() == [False, True]  # b took i3 in validation
    assert queries.user_list(w, a, "e").empty


def test_popularity_of_a_list_is_counted_on_what_the_run_was_trained_on(settings):
    dataset = hand_dataset(settings).id
    run = write_run(settings, make_variant(dataset, "paper", sampler="rns"), lists={"test": {"a": ["i3"]}})
    assert queries.user_list(Warehouse.open(settings, own=False), run, "a")["count"].tolist() == [
        2
    ]  # train 1, validation 1


def test_history_and_what_is_held_out(two):
    w, dataset, *_ = two
    assert queries.user_history(w, dataset, "a")["item_id"].tolist() == ["i2", "i1", "i0"]  # latest first
    assert queries.user_history(w, dataset, "b")["item_id"].tolist() == [
        "i3",
        "i1",
        "i0",
    ]  # validation lies before test
    assert queries.user_history(w, dataset, "b", "validation")["item_id"].tolist() == ["i1", "i0"]
    assert queries.user_held_out(w, dataset, "b")["item_id"].tolist() == ["i4"]
    assert queries.user_held_out(w, dataset, "b", "validation")["split"].tolist() == ["validation"]
    assert queries.user_history(w, dataset, "a")["rating"].tolist() == [4, 4, 4]


def test_users_by_change(two):
    w, _, a, b = two
    found = finding_users.users_by_change(w, a, b, k=5).set_index("user_id")
    assert found["overlap"].to_dict() == {"a": 2 / 5, "b": 1 / 5, "c": 1 / 5}
    assert found["change"].to_dict() == pytest.approx({"a": -0.4, "b": 0, "c": 0.25})
    # mean share of users of the two items: i2 1/5, i3 1/5, i4 0
    assert found["popularity_change"].to_dict() == pytest.approx(
        {"a": 0, "b": (1 / 5 + 1 / 5) / 2 - 1 / 10, "c": -1 / 10}
    )
    assert found.loc["a", ["value_a", "value_b"]].tolist() == [1.0, 0.6]


@pytest.mark.parametrize(
    ("order", "users"), [("change", "acb"), ("gain", "cba"), ("loss", "abc"), ("lists", "cba"), ("popularity", "cab")]
)
def test_orders_of_users_by_change(two, order, users):
    w, _, a, b = two
    assert finding_users.users_by_change(w, a, b, k=5, order=order)["user_id"].tolist() == list(users)


def test_users_by_change_refuses_what_it_does_not_know(two, settings):
    w, _, a, b = two
    assert len(finding_users.users_by_change(w, a, b, k=5, limit=1)) == 1
    group = finding_users.users_by_change(w, a, b, k=5)["user_group"].iloc[0]
    assert set(finding_users.users_by_change(w, a, b, k=5, user_group=group)["user_group"]) == {group}
    with pytest.raises(Unknown, match="order"):
        finding_users.users_by_change(w, a, b, order="1; DROP TABLE runs")
    with pytest.raises(Unknown, match="run"):
        finding_users.users_by_change(w, a, "f" * 16)
    with pytest.raises(Unknown, match="run"):
        queries.user_list(w, "../../etc", "a")


def test_a_run_whose_lists_are_gone_or_damaged_is_named(two, settings):
    w, _, a, b = two
    (settings.runs / a / "top_k.parquet").write_bytes(b"no parquet")
    with pytest.raises(DamagedArtifact, match="top_k"):
        queries.user_list(w, a, "a")
    (settings.runs / b / "per_user.parquet").unlink()
    with pytest.raises(DamagedArtifact):
        finding_users.users_by_change(w, a, b, k=5)
    assert len(queries.user_list(w, b, "a")) == 2  # the other one is none the worse


def test_find_users(two):
    w, dataset, *_ = two
    assert finding_users.find_users(w, dataset, "A")["user_id"].tolist()[0] == "a"
    stars = finding_users.find_users(w, dataset, "star t")
    assert stars["user_id"].tolist() == ["a", "b", "d"]  # who took Star Trek in any split
    assert set(stars["matched"]) == {"Star Trek"}
    assert finding_users.find_users(w, dataset, "", limit=2)["user_id"].tolist() == ["a", "b"]
    assert finding_users.find_users(w, dataset, "100%").empty
    assert finding_users.find_users(w, dataset, "'; DROP TABLE users; --").empty


def test_users_by_change_equals_pandas(settings):
    """On generated lists with ties and gaps."""
    dataset = hand_dataset(settings).id
    rng = np.random.default_rng(0)
    lists, scores = [], []
    for _ in range(2):
        lists.append({u: [f"i{i}" for i in rng.permutation(5)[: rng.integers(1, 5)]] for u in "abcd"})
        scores.append({u: {"ndcg@5": float(rng.integers(0, 3)) / 2} for u in "abcd"})
    runs = [
        write_run(settings, make_variant(dataset, sampler=s), lists={"test": lists[n]}, per_user={"test": scores[n]})
        for n, s in enumerate(("rns", "dns"))
    ]
    w = Warehouse.open(settings, own=False)
    share = queries.item_popularity(w, dataset).set_index("item_id")["share"]
    expected = pd.DataFrame(
        {
            "overlap": {u: len(set(lists[0][u]) & set(lists[1][u])) / 5 for u in "abcd"},
            "change": {u: scores[1][u]["ndcg@5"] - scores[0][u]["ndcg@5"] for u in "abcd"},
            "popularity_change": {u: share[lists[1][u]].mean() - share[lists[0][u]].mean() for u in "abcd"},
        }
    )
    found = finding_users.users_by_change(w, *runs, k=5).set_index("user_id").sort_index()
    np.testing.assert_allclose(found[expected.columns].astype(float), expected)
