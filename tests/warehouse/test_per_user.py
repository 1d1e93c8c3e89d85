"""Per-user values and lists of many runs on one list of users: by hand, and against the runs' own files."""

import numpy as np
import pytest

from core.errors import DamagedArtifact, Refused, Unknown
from core.models.variant import make_variant
from core.uncertainty.weights import user_weights
from core.warehouse import per_user, queries
from core.warehouse.database import Warehouse
from core.warehouse.per_user import asked, beside, find_variant, intervals, lists, per_user_values, study
from tests.pages import results
from tests.tiny import tiny_dataset
from tests.warehouse.fake_runs import write_run
from tests.warehouse.hand import hand_dataset

EVALUATED = [0, 1, 2, 3]  # a, b, c, d have a test item


def values(**of_users):
    """Per-user NDCG@10 on test, and the run's metrics."""
    return {
        "per_user": {"test": {user: {"ndcg@10": value, "aplt@10": value} for user, value in of_users.items()}},
        "metrics": {"test": {"ndcg@10": sum(of_users.values()) / len(of_users), "aplt@10": 0.1, "coverage@10": 3 / 5}},
        "lists": {"test": {user: ["i2", "i3"] if user != "b" else ["i4"] for user in of_users}},
    }


@pytest.fixture
def here(settings):
    """The warehouse over two variants, three seeds and one seed, and a bootstrap replicate; the variants' ids."""
    dataset = hand_dataset(settings).id
    rns, dns = make_variant(dataset, sampler="rns"), make_variant(dataset, sampler="dns")
    write_run(settings, rns, 2, **values(d=0.2, c=0.4, b=0.6, a=0.8))  # users in another order
    write_run(settings, rns, 0, **values(a=0.5, b=0.25, c=1.0, d=0.0))
    write_run(settings, rns, 7, **values(a=0.5, c=1.0))  # not defined for b and d
    write_run(settings, rns, 0, bootstrap=1, **values(a=0.0, b=0.0, c=0.0, d=0.0))
    write_run(settings, dns, 0, **values(a=1.0, b=1.0, c=1.0, d=1.0))
    return Warehouse.open(settings, own=False), rns.id, dns.id


def test_values_lie_on_one_list_of_users_and_seeds_in_order(here):
    w, rns, dns = here
    found = per_user_values(w, asked(w, [dns, rns]), ["ndcg@10"], "test", np.array(EVALUATED))["ndcg@10"]
    nothing = [np.nan] * 4
    expected = [
        [[1, 1, 1, 1], nothing, nothing],
        [[0.5, 0.25, 1, 0], [0.8, 0.6, 0.4, 0.2], [0.5, np.nan, 1, np.nan]],
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_bootstrap_replicates_are_no_seeds(here):
    w, rns, _ = here
    assert len(asked(w, [rns]).runs[0]) == 3


def test_blocks_of_runs_change_nothing(here, monkeypatch):
    w, rns, dns = here
    which, users = asked(w, [rns, dns]), np.array(EVALUATED)
    whole = per_user_values(w, which, ["ndcg@10", "aplt@10"], "test", users)
    shown = list(lists(w, which, "test", 2, users))
    monkeypatch.setattr(per_user, "CELLS_AT_A_TIME", 1)  # a run at a time
    for metric, found in per_user_values(w, which, ["ndcg@10", "aplt@10"], "test", users).items():
        np.testing.assert_array_equal(found, whole[metric])
    for (*at, found), (*there, expected) in zip(lists(w, which, "test", 2, users), shown, strict=True):
        assert at == there
        np.testing.assert_array_equal(found, expected)


def test_lists_are_item_numbers_on_the_same_users(here):
    w, rns, _ = here
    found = {(v, s): items.tolist() for v, s, items in lists(w, asked(w, [rns]), "test", 2, np.array(EVALUATED))}
    assert found[0, 0] == [[2, 3], [4, -1], [2, 3], [2, 3]]
    assert found[0, 2] == [[2, 3], [-1, -1], [2, 3], [-1, -1]]
    first = {(v, s): items.tolist() for v, s, items in lists(w, asked(w, [rns]), "test", 1, np.array(EVALUATED))}
    assert first[0, 0] == [[2], [4], [2], [2]]


def test_a_study_has_means_over_users_and_metrics_of_the_set(here):
    w, rns, dns = here
    found = study(w, [rns, dns], ["ndcg@10", "coverage@10"], "test", resamples=50)
    weights = user_weights(4, asked(w, [rns]).dataset, 50)
    by_hand = [np.repeat([0.5, 0.25, 1, 0], times).mean() for times in weights]
    np.testing.assert_allclose(found.resampled["ndcg@10"].draws[:, 0, 0], by_hand, rtol=1e-6)
    # i2, i3 and i4 are shown, i4 to b alone: without b coverage is 2/5, without another 3/5
    without, mean = np.array([3, 2, 3, 3]) / 5, 2.75 / 5
    parts = 3 / 5 + 3 * (mean - without)
    by_hand = [np.repeat(parts, times).mean() for times in weights]
    np.testing.assert_allclose(found.resampled["coverage@10"].draws[:, 0, 0], by_hand, rtol=1e-6)
    assert found.per_user.keys() == {"ndcg@10"}


def test_the_answers_rows(here):
    w, rns, dns = here
    found = study(w, [rns, dns], ["ndcg@10", "aplt@10"], "test", resamples=50)
    of_rns, of_dns = found.intervals("ndcg@10")
    means = [1.75 / 4, 2 / 4, 1.5 / 2]
    assert of_rns["mean"] == pytest.approx(np.mean(means))
    assert of_rns["seed_sd"] == pytest.approx(np.std(means, ddof=1))
    assert (of_rns["seeds"], of_dns["seeds"], of_dns["seed_sd"]) == (3, 1, None)
    assert of_rns["low"] < of_rns["mean"] < of_rns["high"]
    assert (of_dns["low"], of_dns["high"]) == (1, 1)
    (row,) = found.compare("ndcg@10", rns)
    assert row["variant"] == dns
    assert row["difference"] == pytest.approx(1 - np.mean(means))
    assert (row["verdict"], row["p"], row["p_holm"]) == ("not enough seeds", None, None)
    labels = {row["variant"]: row["label"] for row in found.win_win("ndcg@10", "aplt@10", rns)}
    assert labels == {rns: "baseline", dns: "not enough seeds"}


def test_intervals_are_those_of_single_studies(here):
    w, rns, dns = here
    rows = intervals(w, [rns, dns], ["ndcg@10", "coverage@10"], "test")
    single = study(w, [rns, dns], ["coverage@10"]).intervals("coverage@10")
    assert [row for row in rows if row["metric"] == "coverage@10"] == single


def test_real_runs_have_the_values_of_their_files(settings):
    info = tiny_dataset(settings)
    results.train(settings, info)
    w = Warehouse.open(settings, own=False)
    every = queries.variants(w, info.id)
    found = study(w, every["variant"].tolist(), ["ndcg@10", "gini@5", "upd@10", "arp@20"], "validation", resamples=100)
    means = queries.variant_metrics(w, info.id, "validation", "validation").set_index(["variant", "metric"])
    for metric, resampled in found.resampled.items():
        stored = means.loc[[(variant, metric) for variant in found.variants], "mean"]
        np.testing.assert_allclose(resampled.means, stored, rtol=1e-12)
        drawn = resampled.draws.mean(axis=0)
        there = np.isfinite(resampled.values)
        np.testing.assert_allclose(drawn[there], resampled.values[there], rtol=0.1)  # around what was measured
    assert found.without_chance.tolist() == (every["method"] == "most_popular").tolist()


def test_what_cannot_be_compared_is_refused(settings, here):
    w, rns, _ = here
    paper = write_run(settings, make_variant(asked(w, [rns]).dataset, "paper", sampler="rns"), 0)
    other = write_run(settings, make_variant(tiny_dataset(settings).id, sampler="rns"), 0)
    w.refresh()
    runs = [queries.runs(w, dataset) for dataset in queries.datasets(w)["dataset"]]
    of_run = {run: variant for rows in runs for run, variant in zip(rows["run"], rows["variant"], strict=True)}
    with pytest.raises(Refused, match="their protocols are validation and paper"):
        asked(w, [rns, of_run[paper]])
    with pytest.raises(Refused, match=r"their data sets are \w+ and \w+, so"):
        asked(w, [rns, of_run[other]])
    with pytest.raises(Unknown, match="no variant 'nobody'"):
        asked(w, [rns, "nobody"])
    with pytest.raises(Unknown, match="no stored metric 'ndcg@5'"):
        study(w, [rns], ["ndcg@5"])
    with pytest.raises(Refused, match="no results on validation"):
        study(w, [rns], ["ndcg@10"], "validation")
    with pytest.raises(Refused, match=r"3 variants are called 'RNS': .*\(tiny, protocol validation\)"):
        find_variant(w, "RNS")
    assert find_variant(w, rns[:8]) == rns
    assert of_run[paper] not in beside(w, rns)
    assert of_run[other] not in beside(w, rns)


def test_a_damaged_file_is_named(settings, here):
    w, rns, _ = here
    run = asked(w, [rns]).runs[0][0]
    (settings.runs / run / "per_user.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DamagedArtifact, match=run):
        study(w, [rns], ["ndcg@10"])


def test_results_of_a_user_without_held_out_items_are_damage(settings, here):
    w, rns, _ = here
    bad = make_variant(asked(w, [rns]).dataset, sampler="pns")
    run = write_run(settings, bad, 0, **values(a=0.5, e=1.0))
    w.refresh()
    with pytest.raises(DamagedArtifact, match=run):
        study(w, [bad.id], ["ndcg@10"])
