"""`add-lists`: adding, showing and removing; what refuses; and that results and compare have them."""

import pytest

from core.datasets.store import list_datasets
from core.jobs import artifacts
from tests.pages import results
from tests.tiny import tiny_dataset

ROWS = [f"u{u:02d},i{40 + (u + n) % 40:02d},{n + 1}" for u in range(60) for n in range(10)]


@pytest.fixture
def file(settings, tmp_path):
    """Lists of ten for everybody, one row of them of a user whom nobody knows; the tiny data set is prepared."""
    tiny_dataset(settings)
    path = tmp_path / "shop.csv"
    path.write_text("\n".join(["user,item,rank", *ROWS, "nobody,i00,1", ""]))
    return path


def test_the_answer_counts_what_was_repaired(command, file):
    found = command("add-lists", "tiny", file, "--name", "Shop", "--json").json
    assert {k: found[k] for k in ("name", "file", "replaced", "known")} == {
        "name": "Shop", "file": "shop.csv", "replaced": None, "known": False,
    }  # fmt: skip
    assert found["users"] == {"test": {"with_lists": 60, "evaluated": 60}}
    assert found["cutoffs"] == {"test": [5, 10]}
    assert found["notes"][0] == "Left out: 1 row of users that the data set lacks."
    evaluated = command("evaluate", "tiny", file, "-k", "10", "--json").json
    accuracy = ("ndcg@10", "recall@10", "mrr@10", "coverage@10", "gini@10")  # these do not hang on what is counted
    assert {m: found["metrics"]["test"][m] for m in accuracy} == {m: evaluated["metrics"][m] for m in accuracy}


def test_in_words(command, file):
    said = command("add-lists", "tiny", file, "--name", "Shop").out
    assert said.startswith("Added 'Shop'.\n\nmetric")
    for part in ("Measured: test at 5 and 10 (60 of 60 users).", "Left out: 1 row of users", "Not measured at 20",
                 "lists added, not trained here"):  # fmt: skip
        assert part in said
    assert "already" in command("add-lists", "tiny", file, "--name", "Shop").out
    file.write_text("\n".join(["user,item,rank", *ROWS[:300]]))
    assert "replaces the lists of that name (from shop.csv)" in command("add-lists", "tiny", file, "--name", "Shop").out


def test_shown_and_removed(command, file):
    assert "No lists were added to tiny yet" in command("add-lists", "tiny", "--list").out
    assert command("add-lists", "tiny", "--list", "--json").json == []
    added = command("add-lists", "tiny", file, "--name", "Shop", "--json").json
    [shown] = command("add-lists", "tiny", "--list", "--json").json
    assert shown == {key: added[key] for key in shown}
    assert "Shop" in command("add-lists", "tiny", "--list").out
    assert command("add-lists", "tiny", "--remove", "Shop", "--json").json == {
        "removed": added["lists"],
        "name": "Shop",
    }
    assert command("add-lists", "tiny", "--list", "--json").json == []
    answer = command("add-lists", "tiny", "--remove", "Shop")
    assert (answer.code, answer.out) == (2, "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "What to add?"),
        (("FILE",), "What to add?"),
        (("--name", "Shop"), "What to add?"),
        (("FILE", "--list"), "stand alone"),
        (("--remove", "Shop", "--name", "Shop"), "stand alone"),
        (("--remove", "Shop", "--list"), "not allowed with"),
        (("FILE", "--name", "EASE"), "a method that is trained here is called that"),
        (("FILE", "--name", ""), "begins with a letter or digit"),
        (("/no/such/file", "--name", "Shop"), "cannot be read"),
        (("/", "--name", "Shop"), "cannot be read"),
    ],
)
def test_refused(command, settings, file, words, says):
    answer = command("add-lists", "tiny", *(file if word == "FILE" else word for word in words))
    assert answer.code == 2
    assert says in answer.err
    assert not settings.lists.exists()


def test_a_data_set_that_is_not_there(command, settings, file):
    answer = command("add-lists", "no-such", file, "--name", "Shop")
    assert answer.code == 2
    assert "no data set 'no-such'" in answer.err


def test_results_and_compare_have_them(command, settings, file):
    [info] = list_datasets(settings)
    results.train(settings, info)
    run = artifacts.finished_runs(settings)[0]
    command("add-lists", "tiny", settings.runs / run / "top_k.parquet", "--name", "The run")
    rows = command("results", "tiny", "--format", "json").json
    by_label = {row["label"]: row for row in rows}
    own = next(row for row in rows if row["run"] == run)
    ours = by_label["The run"]["metrics"]
    assert ours == {metric: value for metric, value in own["metrics"].items() if metric in ours}
    assert (by_label["The run"]["engine"], by_label["The run"]["fields"]["file"]) == ("lists", "top_k.parquet")
    found = command("compare", "The run", "Most popular", "--metric", "ndcg@10", "--json").json["ndcg@10"]
    assert found["first"]["mean"] == ours["ndcg@10"]
    assert found["verdict"] in {"better", "worse", "not distinguishable"}  # no seeds are asked of either
    assert "The run" in command("results", "tiny", "--by", "variant").out
    assert "The run" in command("results", "tiny", "--format", "csv").out
    for asked in ((), ("--by", "variant")):
        assert "Lists added, not trained here: The run." in command("results", "tiny", *asked).out
    said = command("compare", "The run", "Most popular").out
    assert "From The run (lists added, not trained here) to Most popular (1 seed):" in said


def test_compare_asks_short_lists_what_they_have(command, settings, file):
    [info] = list_datasets(settings)
    results.train(settings, info)
    file.write_text("\n".join(["user,item,rank", *(row for row in ROWS if int(row.rsplit(",", 1)[1]) <= 5)]))
    command("add-lists", "tiny", file, "--name", "Short")
    found = command("compare", "Most popular", "Short", "--json").json
    assert {metric.partition("@")[2] for metric in found} == {"5"}
    assert {row["verdict"] for row in found.values()} <= {"better", "worse", "not distinguishable"}
    answer = command("compare", "Most popular", "Short", "--metric", "ndcg@10", "--json")
    assert answer.json["ndcg@10"]["verdict"] == "no interval"
    assert "too few of" not in answer.err  # no seed would help
    answer = command("compare", "Most popular", "Short", "--split", "validation")
    assert answer.code == 2
    assert "Short has no results on validation. Choose the other split." in answer.err
