"""`compare`: what changes between two variants, and whether that could be chance."""

import numpy as np
import pytest

from core.models.variant import make_variant
from tests.tiny import USERS, tiny_dataset
from tests.warehouse.fake_runs import write_run

KEYS = {"difference", "low", "high", "p", "p_holm", "verdict"}
NAMES = [f"u{n:02d}" for n in range(USERS)]


def run(settings, variant, seed, ndcg, aplt):
    """A finished run whose users have about those values."""
    noise = np.random.default_rng([seed, round(1000 * ndcg)]).normal(0, 0.02, (2, USERS))
    values = {name: {"ndcg@10": ndcg + a, "aplt@10": aplt + b} for name, (a, b) in zip(NAMES, noise.T, strict=True)}
    means = {key: float(np.mean([v[key] for v in values.values()])) for key in ("ndcg@10", "aplt@10")}
    metrics = {"test": {**means, "coverage@10": 1 / 40}, "validation": means}
    lists = {"test": {name: ["i01", "i02"] for name in NAMES}}
    return write_run(settings, variant, seed, metrics, lists, {"test": values, "validation": values})


@pytest.fixture
def variants(settings):
    """RNS, better and worse ones with three seeds, and one with a single seed: names to ids."""
    dataset = tiny_dataset(settings).id
    made = {
        "rns": (make_variant(dataset, sampler="rns"), 3, 0.30, 0.10),
        "both": (make_variant(dataset, sampler="auc_ns", beta=0.1), 3, 0.35, 0.15),
        "traded": (make_variant(dataset, sampler="auc_ns", beta=0.2), 3, 0.25, 0.20),
        "one": (make_variant(dataset, sampler="pns"), 1, 0.40, 0.10),
    }
    for variant, seeds, ndcg, aplt in made.values():
        for seed in range(seeds):
            run(settings, variant, seed, ndcg, aplt)
    run(settings, make_variant(dataset, "paper", sampler="rns"), 0, 0.5, 0.5)
    other = make_variant(tiny_dataset(settings, 1, "other").id, sampler="dns")
    run(settings, other, 0, 0.3, 0.1)
    return {name: variant.id for name, (variant, *_) in made.items()} | {"other": other.id}


def test_each_metric_has_its_answer(command, variants):
    document = command("compare", variants["rns"], variants["both"], "--json").json
    assert list(document) == ["ndcg@10", "aplt@10", "coverage@10"]
    for metric in ("ndcg@10", "aplt@10"):
        row = document[metric]
        assert row.keys() >= KEYS
        assert row["difference"] == pytest.approx(0.05, abs=0.01)
        assert row["low"] < row["difference"] < row["high"]
        assert row["p"] == row["p_holm"] < 0.001
        assert row["verdict"] == "better"
        assert row["first"]["variant"] == variants["rns"]
        assert row["second"]["mean"] - row["first"]["mean"] == pytest.approx(row["difference"])
        assert max(row["wilcoxon_over_users"], row["t_over_users"]) < 0.001
        assert (row["split"], row["protocol"], row["first"]["seeds"]) == ("test", "validation", 3)
    same = document["coverage@10"]
    assert (same["difference"], same["p"], same["verdict"]) == (0, 1, "not distinguishable")
    assert same["wilcoxon_over_users"] is None


def test_the_other_way_round_is_worse(command, variants):
    row = command("compare", variants["both"], variants["rns"], "--metric", "ndcg@10", "--json").json["ndcg@10"]
    assert row["verdict"] == "worse"
    assert row["high"] < 0


def test_the_table_says_it_in_words(command, variants):
    answer = command("compare", "RNS", "AUC-NS β 0.1", "--metric", "ndcg@10", "--split", "validation")
    assert "From RNS (3 seeds) to AUC-NS β 0.1 (3 seeds):" in answer.out
    assert "better" in answer.out
    assert "<0.0001" in answer.out
    assert "On validation of tiny, protocol validation." in answer.out


def test_against_a_baseline_everybody_counts(command, variants):
    metrics = ("--metric", "ndcg@10", "--metric", "aplt@10")
    alone = command("compare", variants["rns"], variants["traded"], *metrics, "--json").json["ndcg@10"]
    among = command("compare", variants["rns"], variants["traded"], *metrics, "--baseline", "--json").json["ndcg@10"]
    assert among["p"] == alone["p"]
    assert alone["compared"] == 1
    assert among["compared"] == 3
    assert among["p"] <= among["p_holm"] <= 2 * among["p"]  # the one with a single seed has no p-value
    assert "labels" not in alone
    assert among["labels"] == {"aplt@10": "trade-off"}
    won = command("compare", variants["rns"], variants["both"], *metrics, "--baseline").out
    assert "ndcg@10 with aplt@10: win-win." in won


def test_too_few_seeds_are_an_answer(command, variants):
    answer = command("compare", variants["rns"], variants["one"], "--metric", "ndcg@10", "--json")
    assert answer.code == 0
    row = answer.json["ndcg@10"]
    assert (row["verdict"], row["p"], row["low"]) == ("not enough seeds", None, None)
    assert row["difference"] == pytest.approx(0.1, abs=0.01)
    assert "A verdict needs 3 seeds of each variant" in answer.err
    assert "too few of: PNS" in answer.err


@pytest.mark.parametrize(
    ("first", "second", "more", "why"),
    [
        ("rns", "rns", [], "are one variant"),
        ("rns", "other", [], "is on tiny (protocol validation), "),
        ("RNS", "other", [], "'RNS' is on tiny (protocol validation) and tiny (protocol paper)"),
        ("RNS", "both", ["--protocol", "paper"], "There is no variant with finished runs under protocol paper"),
        ("rns", "both", ["--dataset", "other"], "There is no variant with finished runs on that data set"),
        ("rns", "both", ["--dataset", "nowhere"], "There is no data set 'nowhere'"),
        ("rns", "nobody", [], "There is no variant with finished runs 'nobody'"),
        ("rns", "both", ["--metric", "ndgc@10"], "There is no metric 'ndgc@10'"),
        ("rns", "both", ["--metric", "ndcg@5"], "There is no stored metric 'ndcg@5'"),
        ("rns", "both", ["--split", "train"], "invalid choice"),
    ],
)
def test_what_cannot_be_compared_is_refused(command, variants, first, second, more, why):
    answer = command("compare", variants.get(first, first), variants.get(second, second), *more)
    assert answer.code == 2
    assert why in answer.err
    assert answer.out == ""


def test_labels_mean_the_pair_that_can_be_compared(command, settings, variants):
    """Two protocols have an RNS, and one of them has what it is compared with."""
    asked = ("compare", "RNS", "AUC-NS β 0.1", "--metric", "ndcg@10")
    row = command(*asked, "--json").json["ndcg@10"]
    assert [row[side]["variant"] for side in ("first", "second")] == [variants["rns"], variants["both"]]
    other, better = tiny_dataset(settings, 1, "other").id, {"sampler": "auc_ns", "beta": 0.1}
    elsewhere = [make_variant(other, sampler="rns"), make_variant(other, **better)]
    for variant in elsewhere:
        run(settings, variant, 0, 0.3, 0.1)
    answer = command(*asked)
    assert answer.code == 2
    places = "tiny (protocol validation) and other (protocol validation)"
    assert f"'RNS' and 'AUC-NS β 0.1' are both on {places}. Choose one of them with --dataset." in answer.err
    row = command(*asked, "--dataset", "other", "--json").json["ndcg@10"]
    assert [row[side]["variant"] for side in ("first", "second")] == [variant.id for variant in elsewhere]
    for fields in ({"sampler": "rns"}, better):
        run(settings, make_variant(other, "paper", **fields), 0, 0.3, 0.1)
    answer = command(*asked, "--dataset", "other")
    assert answer.code == 2
    assert "Choose one of them with --protocol." in answer.err
    row = command(*asked, "--dataset", "other", "--protocol", "paper", "--json").json["ndcg@10"]
    assert row["protocol"] == "paper"


def test_of_trained_runs(reading):
    labels = {record["label"] for record in reading("results", "tiny", "--json").json}
    rns = next(label for label in labels if label.startswith("RNS"))
    answer = reading("compare", rns, "Most popular", "--metric", "ndcg@10", "gini@10", "--json")
    assert {row["verdict"] for row in answer.json.values()} == {"not enough seeds"}  # two seeds of RNS
    assert f"too few of: {rns}." in answer.err
