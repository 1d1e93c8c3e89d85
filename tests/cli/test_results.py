"""`results`, `recommend` and `evaluate`: what finished runs say, in every form."""

import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from core.datasets import store
from core.datasets.store import find_dataset, read_dataset
from core.jobs import artifacts
from core.settings import PROJECT, Settings
from tests.tiny import ITEMS, USERS, tiny_dataset, with_a_full_user

RUN = {
    "run",
    "variant",
    "label",
    "fields",
    "seed",
    "dataset",
    "split",
    "protocol",
    "epoch",
    "seconds",
    "engine",
    "metrics",
}
VARIANT = {"variant", "label", "fields", "seeds", "dataset", "split", "protocol", "metrics"}


@pytest.fixture
def cached(trained):
    """Settings of the cache with trained runs."""
    return Settings(cache=trained)


def test_one_object_a_run(reading, cached):
    records = reading("results", "tiny", "--json").json
    assert {record["run"] for record in records} == set(artifacts.finished_runs(cached))
    assert all(set(record) == RUN for record in records)
    for record in records:
        meta = artifacts.read_meta(cached, record["run"])
        stored = artifacts.read_table(cached, record["run"], "metrics").to_pandas()
        test = stored[(stored["split"] == "test") & (stored["reading"] == "epoch")].set_index("metric")["value"]
        assert record["metrics"] == pytest.approx(test.dropna().to_dict())
        assert (record["fields"], record["seed"], record["epoch"]) == (meta["fields"], meta["seed"], meta["epoch"])
        assert record["split"] == "test"


def test_by_variant_is_the_spread_of_its_runs(reading):
    runs = reading("results", "tiny", "--split", "validation", "--format", "json").json
    variants = reading("results", "tiny", "--split", "validation", "--by", "variant", "--json").json
    assert {record["label"] for record in variants} == {record["label"] for record in runs}
    for record in variants:
        assert set(record) == VARIANT
        values = [run["metrics"]["ndcg@10"] for run in runs if run["variant"] == record["variant"]]
        spread = record["metrics"]["ndcg@10"]
        assert record["seeds"] == len(values)
        assert spread["mean"] == pytest.approx(np.mean(values))
        assert spread["seed_sd"] == (pytest.approx(np.std(values, ddof=1)) if len(values) > 1 else None)


def test_by_variant_has_the_interval_over_users(reading, cached):
    variants = reading("results", "tiny", "--by", "variant", "--json").json
    for record in variants:
        runs = [
            run
            for run in artifacts.finished_runs(cached)
            if artifacts.read_meta(cached, run)["variant"] == record["variant"]
        ]
        tables = [artifacts.read_table(cached, run, "per_user").to_pandas() for run in runs]
        users = np.mean([table[table["split"] == "test"]["ndcg@10"].to_numpy() for table in tables], axis=0)
        error = users.std() / np.sqrt(len(users))
        spread = record["metrics"]["ndcg@10"]
        assert (spread["low"], spread["high"]) == pytest.approx(
            (spread["mean"] - 1.96 * error, spread["mean"] + 1.96 * error), abs=0.3 * error
        )
        of_set = record["metrics"]["coverage@10"]
        assert of_set["low"] <= of_set["mean"] <= of_set["high"]
        assert record["metrics"]["exposure_d1@10"]["low"] is None  # not resampled


@pytest.mark.parametrize("by", ["run", "variant"])
def test_csv_and_parquet_hold_what_json_holds(reading, by):
    records = reading("results", "tiny", "--by", by, "--json").json
    from_csv = pd.read_csv(io.StringIO(reading("results", "tiny", "--by", by, "--format", "csv").out))
    assert len(from_csv) == len(records)
    column = "ndcg@10" if by == "run" else "ndcg@10 mean"
    asked = [record["metrics"]["ndcg@10"] for record in records]
    assert from_csv[column].tolist() == [value if by == "run" else value["mean"] for value in asked]
    assert from_csv["sampler"].fillna("").tolist() == [record["fields"].get("sampler", "") for record in records]


def test_parquet_goes_to_standard_output(reading):
    command = [sys.executable, "-m", "core", "results", "tiny", "--format", "parquet"]
    written = subprocess.run(command, cwd=PROJECT, capture_output=True, check=True).stdout
    frame = pd.read_parquet(io.BytesIO(written))
    from_csv = pd.read_csv(io.StringIO(reading("results", "tiny", "--format", "csv").out))
    pd.testing.assert_frame_equal(frame, from_csv, check_dtype=False)


def test_whole_numbers_stay_whole_where_baselines_have_none(reading):
    shown = pd.read_csv(io.StringIO(reading("results", "tiny", "--format", "csv").out), dtype=str)
    assert set(shown["epochs"].dropna()) == {"2"}
    assert shown["epochs"].isna().sum() == 1


def test_a_damaged_run_is_left_out_in_a_sentence(cached, command, settings):
    shutil.copytree(cached.cache, settings.cache, ignore=shutil.ignore_patterns("numba"), dirs_exist_ok=True)
    lost = artifacts.finished_runs(settings)[0]
    (settings.runs / lost / "metrics.parquet").write_bytes(b"")
    answer = command("results", "tiny", "--json")
    assert (answer.code, len(answer.json)) == (0, 6)
    assert answer.err.startswith(f"The run {lost} was left out: ")


def test_the_table_says_where_its_numbers_are_from(reading):
    answer = reading("results", "tiny", "--split", "validation")
    assert "On validation. Protocol validation." in answer.out
    assert "AUC-NS β 0.05" in answer.out


def test_no_results_yet(command, settings):
    tiny_dataset(settings)
    assert command("results", "tiny", "--json").json == []
    assert "python -m core sweep tiny" in command("results", "tiny").out


def test_recommend_shows_the_list_that_was_evaluated(reading, cached):
    run = next(r for r in artifacts.finished_runs(cached) if artifacts.read_meta(cached, r)["fields"].get("sampler"))
    stored = artifacts.read_table(cached, run, "top_k").to_pandas()
    listed = stored[(stored["split"] == "test") & (stored["user"] == "u03")].sort_values("rank")
    answer = reading("recommend", run[:10], "--user", "u03", "-k", "20", "--json").json
    assert (answer["run"], answer["user"]) == (run, "u03")
    assert [row["item"] for row in answer["lists"]] == listed["item"].tolist()
    assert [row["score"] for row in answer["lists"]] == pytest.approx(listed["score"].tolist())
    assert [row["rank"] for row in answer["lists"]] == list(range(1, 21))
    assert set(answer["lists"][0]) == {"rank", "item", "title", "score", "popularity", "hit"}


def test_recommend_re_ranks_at_once(reading, cached):
    run = next(r for r in artifacts.finished_runs(cached) if artifacts.read_meta(cached, r)["fields"].get("sampler"))
    asked = ("recommend", run, "--user", "u03")
    plain, none, some, much = (
        reading(*asked, *(("--penalty-strength", x) if x else ()), "--json").json for x in ("", "0", "0.5", "5")
    )
    assert none["lists"] == plain["lists"]
    assert (none["penalty_strength"], some["penalty_strength"]) == (0, 0.5)
    assert "penalty_strength" not in plain
    means = [np.mean([row["popularity"] for row in answer["lists"]]) for answer in (plain, some, much)]
    assert means[2] < means[1] < means[0]
    said = reading(*asked, "--penalty-strength", "0.2").out
    assert "re-ranked with popularity penalty 0.2, for user u03" in said


def test_a_penalty_of_its_own_is_not_named_where_another_takes_its_place(command, settings):
    tiny_dataset(settings)
    grid = ("--dim", "4", "--epochs", "1", "--penalty-strength", "0.3")
    assert command("sweep", "tiny", "--baseline", "pop_penalty", *grid, "--wait").code == 0
    metas = [artifacts.read_meta(settings, run) for run in artifacts.finished_runs(settings)]
    run = next(meta["run"] for meta in metas if meta["fields"].get("penalty_strength"))
    headings = [
        command("recommend", run, "--user", "u03", *asked).out.splitlines()[0].split(" for user")[0]
        for asked in ((), ("--penalty-strength", "0.7"))
    ]
    assert headings == [
        "RNS, dim 4, epochs 1, popularity penalty 0.3",
        "RNS, dim 4, epochs 1, re-ranked with popularity penalty 0.7,",
    ]


def test_recommend_tells_hits_history_and_popularity(reading, cached):
    dataset = read_dataset(find_dataset(cached, "tiny").folder)
    run = artifacts.finished_runs(cached)[0]
    answer = reading("recommend", run, "--user", "u05", "-k", str(ITEMS), "--json").json
    known = {*dataset.train.row(5), *dataset.validation.row(5)}
    assert {row["item"] for row in answer["history"]} == {f"i{item:02d}" for item in known}
    assert {row["item"] for row in answer["lists"] if row["hit"]} == {f"i{item:02d}" for item in dataset.test.row(5)}
    assert len(answer["lists"]) == ITEMS - len(known)
    popularity = dataset.train.popularity() / USERS
    assert all(row["popularity"] == popularity[int(row["item"][1:])] for row in answer["lists"])
    assert answer["lists"][0]["title"] == f"Title {int(answer['lists'][0]['item'][1:])}"


def test_recommend_to_a_user_who_took_everything(command, settings):
    store.publish(settings, with_a_full_user())
    assert command("sweep", "full", "--baseline", "most_popular", "--wait").code == 0
    (run,) = artifacts.finished_runs(settings)
    answer = command("recommend", run, "--user", "u00")
    assert answer.code == 0
    assert answer.out == (
        f"Most popular for user u00, who took {ITEMS} items:\n\n"
        "Nothing is left to show: this user took every item of the data set.\n"
    )
    assert command("recommend", run, "--user", "u00", "--json").json["lists"] == []


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("ffff", "--user", "u03"), "There is no run 'ffff'"),
        (("RUN", "--user", "u3"), "There is no user 'u3'"),
        (("RUN", "--user", "u03", "-k", "0"), "-k 0"),
        (("RUN", "--user", "u03", "--penalty-strength", "-1"), "penalty-strength='-1' is out of range"),
        (("RUN", "--user", "u03", "--penalty-strength", "much"), "penalty-strength='much' is not a number"),
    ],
    ids=["run", "user", "k", "negative penalty", "no penalty"],
)
def test_recommend_refuses(reading, cached, argv, says):
    run = artifacts.finished_runs(cached)[0]
    answer = reading("recommend", *(run if word == "RUN" else word for word in argv), "--json")
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err


def test_evaluate_agrees_with_the_run_that_made_the_lists(reading, cached):
    run = artifacts.finished_runs(cached)[0]
    lists = cached.runs / run / "top_k.parquet"
    measured = {record["run"]: record["metrics"] for record in reading("results", "tiny", "--json").json}[run]
    answer = reading("evaluate", "tiny", lists, "-k", "10", "--json").json
    assert set(answer) == {"dataset", "split", "users", "k", "notes", "metrics"}
    assert (answer["split"], answer["k"]) == ("test", 10)
    both = answer["metrics"].keys() & measured.keys()
    assert {"ndcg@10", "aplt@10", "arp@10", "coverage@10"} <= both
    # what popularity is counted on differs: the run's own training data, and all that is known at test
    accuracy = {"precision@10", "recall@10", "f1@10", "hit_rate@10", "ndcg@10", "map@10", "mrr@10"}
    assert {key: answer["metrics"][key] for key in accuracy} == pytest.approx({key: measured[key] for key in accuracy})


def test_evaluate_on_validation_agrees_with_the_run_in_every_metric(reading, cached):
    """There the run and the lists are counted on the same: train."""
    run = artifacts.finished_runs(cached)[0]
    records = reading("results", "tiny", "--split", "validation", "--json").json
    measured = {record["run"]: record["metrics"] for record in records}[run]
    asked = ("evaluate", "tiny", cached.runs / run / "top_k.parquet", "--split", "validation")
    answer = reading(*asked, "--json").json
    both = answer["metrics"].keys() & measured.keys()
    assert {"ndcg@10", "aplt@10", "arp@10", "coverage@10"} <= both
    assert {key: answer["metrics"][key] for key in both} == pytest.approx({key: measured[key] for key in both})
    assert answer["split"] == "validation"
    assert f"Over {answer['users']} users with validation items, lists of 10." in reading(*asked).out


@pytest.mark.parametrize(("column", "rank"), [("", ",1"), (",split", ",1,validation")])
def test_a_file_without_splits_is_of_the_split_asked_for(reading, tmp_path, column, rank):
    lists = tmp_path / "lists.csv"
    rows = [f"u00,i{item}{rank}" for item in range(50, 80)]  # some of which the user has not taken
    lists.write_text("\n".join([f"user,item,rank{column}", *rows]), encoding="utf-8")
    found = reading("evaluate", "tiny", lists, "--split", "validation", "--json").json
    assert f"Counted as empty lists: {found['users'] - 1} users with validation items and no list." in found["notes"]
    answer = reading("evaluate", "tiny", lists)
    assert answer.code == (2 if column else 0)
    assert not column or "no rows of split 'test'. Leave the column out to mean test." in answer.err


def test_evaluate_counts_what_it_repairs(reading, tmp_path):
    lists = tmp_path / "lists.csv"
    lists.write_text("user,item,rank\nu00,i00,1\nu00,i00,2\nu00,nothing,3\nnobody,i00,1\n", encoding="utf-8")
    answer = reading("evaluate", "tiny", lists, "-k", "5", "--count-on", "all", "--head", "interactions")
    assert answer.code in {0, 2}
    assert "Left out: 1 row" in answer.out + answer.err


def test_evaluate_refuses_a_file_without_columns(reading, tmp_path):
    lists = tmp_path / "lists.csv"
    lists.write_text(json.dumps({"no": "lists"}), encoding="utf-8")
    answer = reading("evaluate", "tiny", lists, "--json")
    assert (answer.code, answer.out) == (2, "")
    assert "user" in answer.err
