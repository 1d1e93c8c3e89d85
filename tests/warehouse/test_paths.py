"""Paths through a setting, and one user's lists along them: by hand, and against the questions about a single list."""

import numpy as np
import pandas as pd
import pytest

from core.errors import DamagedArtifact, Refused, Unknown
from core.models.variant import make_variant
from core.warehouse import finding_users, paths, queries
from core.warehouse.database import Warehouse
from tests.warehouse.fake_runs import curve, write_run
from tests.warehouse.hand import hand_dataset

LISTS = [
    {"test": {"a": ["i3", "i4"], "b": ["i2", "i4"]}, "validation": {"b": ["i4"]}},
    {"test": {"a": ["i4", "i3"], "b": ["i2"]}},
    {"test": {"a": ["i4"], "b": ["i3", "i2"]}},
]


@pytest.fixture
def three(settings):
    """The warehouse, the data set's id, and the variants of a path of three with a run each: DNS, β .05, β .2."""
    dataset = hand_dataset(settings).id
    variants = curve(dataset)
    for variant, lists, ndcg in zip(variants, LISTS, (1.0, float("nan"), 0.25), strict=True):
        write_run(settings, variant, lists=lists, per_user={"test": {"a": {"ndcg@5": ndcg}, "b": {"ndcg@5": 0.5}}})
    return Warehouse.open(settings, own=False), dataset, variants


def runs_of(found):
    return [runs[0] for runs in found["runs"]]


def test_a_path_has_the_off_end_of_another_method(three):
    w, _, variants = three
    for variant in variants:  # from each of its settings the same
        found = paths.paths_through(w, variant.id)
        assert found["variant"].tolist() == [v.id for v in variants]
        assert found["strength"].tolist() == [0, 0.05, 0.2]
        assert found["off"].tolist() == [True, False, False]
        assert set(found["method_label"]) == {"AUC-NS"}
        assert set(found["symbol"]) == {"β"}
        assert found["points"].tolist() == [3, 3, 3]
        assert [list(s) for s in found["seeds"]] == [[0], [0], [0]]


def test_a_setting_without_a_strength_has_no_path(three, settings):
    w, dataset, _ = three
    rns = make_variant(dataset, sampler="rns")
    write_run(settings, rns)
    w.refresh()
    assert paths.paths_through(w, rns.id).empty
    assert paths.paths_through(w, "f" * 16).empty


def test_other_settings_replicates_and_protocols_are_no_points(three, settings):
    w, dataset, variants = three
    [other] = curve(dataset, (0.1,), alpha=0.75)  # another path: more than the strength differs
    [replicate] = curve(dataset, (0.3,))
    [refit] = curve(dataset, (0.05,), protocol="refit")
    write_run(settings, other)
    write_run(settings, replicate, bootstrap=1)
    write_run(settings, refit)
    write_run(settings, variants[1], seed=4)
    w.refresh()
    found = paths.paths_through(w, variants[1].id)
    assert found["variant"].tolist() == [v.id for v in variants]
    assert [list(s) for s in found["seeds"]] == [[0], [0, 4], [0]]
    # the off end lies on both, on its longer path first
    both = paths.paths_through(w, variants[0].id)
    assert both["variant"].tolist() == [*(v.id for v in variants), variants[0].id, other.id]
    assert paths.paths_through(w, refit.id)["variant"].tolist() == [refit.id]


def test_seeds(three, settings):
    w, _, variants = three
    run = write_run(settings, variants[1], seed=4)
    write_run(settings, variants[1], seed=4, bootstrap=1)
    w.refresh()
    found = paths.seeds_of(w, (variants[1].id,))
    assert found["seed"].tolist() == [0, 4]
    assert found["run"].tolist()[1] == run
    assert paths.seeds_of(w, ()).empty


def test_lists_along_a_path_are_those_of_its_runs(three):
    w, _, variants = three
    runs = runs_of(paths.paths_through(w, variants[0].id))
    for user, split, k in (("a", "test", 5), ("b", "test", 1), ("b", "validation", 5)):
        found = paths.lists_along(w, runs, user, split, k)
        for run in runs:
            own = found[found["run"] == run].drop(columns="run").reset_index(drop=True)
            expected = queries.user_list(w, run, user, split, k).drop(columns="other_rank")
            pd.testing.assert_frame_equal(own.fillna({"title": ""}), expected.fillna({"title": ""}), check_dtype=False)
    found = paths.lists_along(w, runs, "a")
    assert found["run"].tolist() == [runs[0]] * 2 + [runs[1]] * 2 + [runs[2]]
    assert found["item_id"].tolist() == ["i3", "i4", "i4", "i3", "i4"]
    assert found["hit"].tolist() == [True, False, False, True, False]  # a took i3 in test
    assert paths.lists_along(w, [runs[2], runs[2], runs[0]], "a")["run"].tolist() == [runs[2], runs[0], runs[0]]
    assert paths.lists_along(w, runs, "e").empty


def test_percentile_is_the_share_of_items_that_fewer_users_took(three):
    w, _, variants = three
    found = paths.lists_along(w, runs_of(paths.paths_through(w, variants[0].id)), "a").set_index("item_id")
    # counts in train: i0 4, i1 3, i2 1, i3 1, i4 0; i2 and i3 are more popular than i4 alone
    assert found.loc["i4", "percentile"].tolist() == [0, 0, 0]
    assert found.loc["i3", "percentile"].tolist() == [1 / 5, 1 / 5]
    history = queries.user_history(w, three[1], "a").set_index("item_id")["percentile"]
    assert history.to_dict() == {"i0": 4 / 5, "i1": 3 / 5, "i2": 1 / 5}


def test_values_along_a_path(three):
    w, _, variants = three
    runs = runs_of(paths.paths_through(w, variants[0].id))
    found = paths.values_along(w, [*runs, runs[0]], "a", "ndcg@5")
    assert found["run"].tolist() == runs  # each once
    np.testing.assert_array_equal(found["value"].to_numpy(float, na_value=np.nan), [1, np.nan, 0.25])
    assert paths.values_along(w, runs, "e", "ndcg@5").empty
    with pytest.raises(Refused, match="single user"):
        paths.values_along(w, runs, "a", "gini@5")
    with pytest.raises(Unknown):
        paths.values_along(w, runs, "a", 'ndcg@5" FROM x; --')


def test_a_damaged_file_on_the_path_is_named(three, settings):
    w, _, variants = three
    runs = runs_of(paths.paths_through(w, variants[0].id))
    (settings.runs / runs[1] / "top_k.parquet").write_bytes(b"no parquet")
    with pytest.raises(DamagedArtifact, match=runs[1]):
        paths.lists_along(w, runs, "a")
    with pytest.raises(Unknown):
        paths.lists_along(w, ["f" * 16], "a")


def test_users_without_a_value_come_last_in_every_order_of_accuracy(three):
    w, _, variants = three
    runs = runs_of(paths.paths_through(w, variants[0].id))
    for order in ("change", "gain", "loss"):
        found = finding_users.users_by_change(w, runs[0], runs[1], k=5, order=order)
        assert found["user_id"].tolist() == ["b", "a"], order  # a has none in the second run
        assert found["change"].isna().tolist() == [False, True]


def test_users_by_another_metric(settings):
    dataset = hand_dataset(settings).id
    values = [{"a": {"recall@5": 1.0, "ndcg@5": 0.5}, "b": {"recall@5": 0.0, "ndcg@5": 0.5}},
              {"a": {"recall@5": 0.5, "ndcg@5": 0.5}, "b": {"recall@5": 0.25, "ndcg@5": 0.5}}]  # fmt: skip
    runs = [
        write_run(settings, make_variant(dataset, sampler=s), lists={"test": {"a": ["i3"], "b": ["i2"]}},
                  per_user={"test": of})
        for s, of in zip(("rns", "dns"), values, strict=True)
    ]  # fmt: skip
    w = Warehouse.open(settings, own=False)
    found = finding_users.users_by_change(w, *runs, k=5, order="gain", metric="recall@5")
    assert found["user_id"].tolist() == ["b", "a"]
    assert found["change"].tolist() == [0.25, -0.5]
    assert finding_users.ids_by_change(w, *runs, "test", "loss", 5, None, "recall@5") == ["a", "b"]
    with pytest.raises(Refused, match="single user"):
        finding_users.users_by_change(w, *runs, metric="coverage@5")
    with pytest.raises(Refused, match="single user"):
        finding_users.users_by_change(w, *runs, metric="exposure_d1@10")
    with pytest.raises(Unknown, match="group"):
        finding_users.users_by_change(w, *runs, user_group="everybody")
    assert finding_users.metric_for(w, runs, "recall@5", 5) == "recall@5"
    assert finding_users.metric_for(w, runs, "auc", 5) == "auc"
    assert finding_users.metric_for(w, runs, "gini@5", 5) == "ndcg@5"


def test_everybody_who_is_found_with_the_title_that_matched(three):
    w, dataset, _ = three
    assert finding_users.ids_found(w, dataset, "star") == dict.fromkeys("abcde", "Star Wars")
    assert finding_users.find_users(w, dataset, "star")["titles"].tolist() == [2, 2, 1, 2, 1]  # and Star Trek
    assert list(finding_users.ids_found(w, dataset, "").values()) == [None] * 5
    assert next(iter(finding_users.ids_found(w, dataset, "e").items())) == ("e", None)  # before who took Star Trek
    groups = queries.user_profiles(w, dataset).set_index("user_id")["user_group"]
    for group in ("niche", "diverse", "blockbuster"):
        assert set(finding_users.ids_found(w, dataset, "", group)) == set(groups.index[groups == group])
    with pytest.raises(Unknown, match="group"):
        finding_users.ids_found(w, dataset, "", "'; DROP TABLE users")
