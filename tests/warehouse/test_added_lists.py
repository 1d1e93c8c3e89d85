"""Added lists in the index: a reference under each protocol, told apart, read like a run, gone when they are."""

import math

import pytest

from core.errors import DamagedArtifact, Refused, Unknown
from core.jobs import added_lists
from core.jobs.added_lists import add_lists, remove_lists
from core.models.choices import LISTS
from core.models.variant import make_variant
from core.warehouse import finding_users, queries
from core.warehouse.database import Warehouse
from core.warehouse.per_user import beside, find_pair, find_variant, study
from tests.jobs.test_added_lists import LISTS as FILE
from tests.jobs.test_added_lists import saved
from tests.warehouse.fake_runs import write_run
from tests.warehouse.hand import hand_dataset

VALUES = {
    "metrics": {"test": {"ndcg@5": 0.5, "arp@5": 1.0, "coverage@5": 0.4}},
    "per_user": {"test": {user: {"ndcg@5": 0.5, "arp@5": 1.0} for user in "abcd"}},
    "lists": {"test": {user: ["i2", "i4"] for user in "abcd"}},
}


@pytest.fixture
def hand(settings):
    return hand_dataset(settings)


@pytest.fixture
def shop(settings, hand, tmp_path):
    """Added lists, as they are stored."""
    return add_lists(settings, hand, saved(tmp_path), "Shop").lists


@pytest.fixture
def w(settings, hand, shop):
    write_run(settings, make_variant(hand.id, sampler="rns"), **VALUES)
    return Warehouse.open(settings, own=False)


def variant_of(w, dataset, label, protocol="validation"):
    found = queries.variants(w, dataset, protocol)
    return found[found["label"] == label].iloc[0]


def test_they_are_a_reference_that_says_what_it_is(w, hand, shop):
    found = variant_of(w, hand.id, "Shop")
    assert (found["method"], found["method_label"]) == (LISTS, "Lists added, not trained here")
    assert found["baseline"]
    assert math.isnan(found["strength"])
    assert found["seeds"] == 1
    points = queries.trade_off(w, hand.id, "test", "validation", "arp@5", "ndcg@5").set_index("label")
    assert points["y"].to_dict() == {"Shop": pytest.approx((1 / math.log2(3) + 0 + 1 + 0) / 4), "RNS": 0.5}
    assert points.loc["Shop", "x"] == pytest.approx((0.5 + 1 + 2 / 3) / 3)
    assert bool(points.loc["Shop", "baseline"])
    shares = queries.exposure(w, hand.id, "test", "validation", [found["variant"]])
    assert shares["share"].sum() == pytest.approx(1)


def test_under_another_protocol_they_stand_beside_its_runs_only(settings, w, hand):
    for protocol in ("refit", "paper"):
        assert queries.variants(w, hand.id, protocol).empty
        assert queries.trade_off(w, hand.id, "test", protocol, "arp@5", "ndcg@5").empty
    assert len(queries.runs(w, hand.id)) == 2
    write_run(settings, make_variant(hand.id, "refit", sampler="rns"), **VALUES)
    w.refresh()
    assert list(queries.variants(w, hand.id, "refit")["label"]) == ["Shop", "RNS"]
    assert queries.variants(w, hand.id, "paper").empty
    assert len(queries.runs(w, hand.id)) == 4
    # popularity as that protocol counts it: on train and validation
    points = queries.trade_off(w, hand.id, "test", "refit", "arp@5", "ndcg@5").set_index("label")
    assert points.loc["Shop", "x"] == pytest.approx((1 + 1 + 1) / 3)


def test_without_any_run_they_stand_alone(settings, hand, shop):
    w = Warehouse.open(settings, own=False)
    assert list(queries.variants(w, hand.id)["label"]) == ["Shop"]
    assert len(queries.trade_off(w, hand.id, "test", "validation", "arp@5", "ndcg@5")) == 1


def test_their_lists_and_changes_are_read_like_a_runs(w, hand):
    shop, rns = (variant_of(w, hand.id, label)["first_run"] for label in ("Shop", "RNS"))
    found = queries.user_list(w, shop, "c", against=rns)
    assert list(found["item_id"]) == ["i2", "i3", "i4"]
    assert list(found["hit"]) == [True, False, False]
    assert found["score"].isna().all()
    assert found["other_rank"].tolist()[0] == 1
    assert queries.user_list(w, shop, "d").empty
    changed = finding_users.users_by_change(w, shop, rns, k=5).set_index("user_id")
    assert sorted(changed.index) == ["a", "b", "c"]  # d has no list to differ from
    assert changed.loc["c", "overlap"] == 2 / 5
    with pytest.raises(Unknown):
        queries.reranked_list(w, shop, "c", penalty=0.5)  # no scores


def test_cutoffs_that_they_do_not_reach_are_missing_and_nothing_breaks(settings, hand, w, tmp_path):
    text = "user,item,rank\na,i4,1\n"
    add_lists(settings, hand, saved(tmp_path, text), "Short")
    w.refresh()
    short = variant_of(w, hand.id, "Short")
    metrics = set(queries.metrics_of(w, short["variant"])["metric"])
    assert "ndcg@5" in metrics
    assert "ndcg@10" not in metrics
    dns = make_variant(hand.id, sampler="dns")
    per_user = {"test": {user: {"ndcg@10": 0.5} for user in "abcd"}}
    write_run(settings, dns, metrics={"test": {"ndcg@10": 0.5}}, per_user=per_user, lists=VALUES["lists"])
    w.refresh()
    dns = variant_of(w, hand.id, dns.label)
    found = study(w, [short["variant"], dns["variant"]], ["ndcg@10"], resamples=20)
    assert [row["mean"] for row in found.intervals("ndcg@10")] == [None, 0.5]
    changed = finding_users.users_by_change(w, short["first_run"], dns["first_run"], k=10)
    assert changed["value_a"].isna().all()


def test_they_are_judged_as_they_are_without_more_seeds(w, hand):
    shop, rns = (variant_of(w, hand.id, label)["variant"] for label in ("Shop", "RNS"))
    found = study(w, [shop, rns], ["ndcg@5", "coverage@5"], resamples=50)
    assert found.without_chance.tolist() == [True, False]
    assert found.intervals("ndcg@5")[0]["low"] is not None
    assert found.intervals("coverage@5")[0]["low"] is not None


def test_a_name_means_the_lists_beside_the_other_variant(settings, w, hand):
    assert find_variant(w, "Shop") == variant_of(w, hand.id, "Shop")["variant"]
    refit = make_variant(hand.id, "refit", sampler="dns")
    write_run(settings, refit, **VALUES)
    w.refresh()
    here, there = (variant_of(w, hand.id, "Shop", protocol)["variant"] for protocol in ("validation", "refit"))
    assert find_pair(w, "Shop", refit.id) == (there, refit.id)
    assert find_pair(w, "RNS", "Shop")[1] == here
    assert beside(w, here) == sorted([here, variant_of(w, hand.id, "RNS")["variant"]])
    with pytest.raises(Refused, match="'Shop' and 'Shop' are one variant"):
        find_pair(w, "Shop", "Shop")
    with pytest.raises(Unknown):
        find_pair(w, "Shop", "nobody")


def test_a_label_that_lists_share_with_what_is_trained_is_ambiguous(settings, w, hand, tmp_path):
    """What was trained after lists were called so: the other order is refused."""
    dns = make_variant(hand.id, sampler="auc_ns", beta=0.5)
    add_lists(settings, hand, saved(tmp_path), dns.label)
    write_run(settings, dns, **VALUES)
    w.refresh()
    for names in ((dns.label, "RNS"), ("RNS", dns.label)):
        with pytest.raises(Refused, match=dns.id):
            find_pair(w, *names)


def test_an_open_index_follows_what_is_added_replaced_and_removed(settings, w, hand, tmp_path):
    before = w.version
    add_lists(settings, hand, saved(tmp_path, FILE.replace("b,i2", "b,i4")), "Shop")
    assert w.refresh() != before
    found = variant_of(w, hand.id, "Shop")
    assert queries.user_list(w, found["first_run"], "b")["item_id"].tolist() == ["i4"]
    remove_lists(settings, hand.id, "Shop")
    w.refresh()
    assert list(queries.variants(w, hand.id)["label"]) == ["RNS"]
    assert w.frame("SELECT count(*) AS n FROM variants")["n"][0] == 1
    assert w.frame("SELECT count(*) AS n FROM metrics")["n"][0] == 3
    assert w.problems == ()


def test_the_file_has_them_when_it_is_opened_again(settings, w, hand):
    Warehouse.open(settings, own=True).close()
    again = Warehouse.open(settings, own=True)
    try:
        assert not again.in_memory
        found = variant_of(again, hand.id, "Shop")
        assert len(queries.user_list(again, found["first_run"], "c")) == 3
    finally:
        again.close()


@pytest.mark.parametrize("name", ["train/metrics.parquet", "train/top_k.parquet", "meta.json"])
def test_damaged_lists_are_left_out_and_told_and_come_back_when_mended(settings, hand, shop, name):
    content = (shop.folder / name).read_bytes()
    (shop.folder / name).write_bytes(content[:-2])
    w = Warehouse.open(settings, own=False)
    assert queries.variants(w, hand.id).empty
    [problem] = w.problems
    assert f"The added lists {shop.id} were left out" in problem.text
    (shop.folder / name).write_bytes(content)
    w.refresh()
    assert w.problems == ()
    assert list(queries.variants(w, hand.id)["label"]) == ["Shop"]


def test_lists_of_another_result_version_are_left_out_until_they_are_measured_anew(settings, hand, shop, monkeypatch):
    monkeypatch.setattr(added_lists, "RESULT_VERSION", 10_000)
    w = Warehouse.open(settings, own=False)
    assert "another version" in w.problems[0].text
    added_lists.remeasure(settings, shop.folder)
    w.refresh()
    assert list(queries.variants(w, hand.id)["label"]) == ["Shop"]


def test_a_file_that_is_damaged_after_it_was_indexed_is_named(w, hand, shop):
    run = variant_of(w, hand.id, "Shop")["first_run"]
    (shop.folder / "train" / "top_k.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DamagedArtifact, match=shop.id):
        queries.user_list(w, run, "c")
