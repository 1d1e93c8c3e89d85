"""`datasets`: what is there, what is known of it, and a file becoming one."""

import pytest

from core.datasets.catalogue import CATALOGUE
from tests.tiny import tiny_dataset


@pytest.fixture
def ratings(tmp_path):
    """A file of 20 users by 30 items, every user with the same 25, and a row that repeats another."""
    rows = [f"u{u},i{i:02d},{1 + (u + i) % 5},{i * 100 + u}" for u in range(20) for i in range(30) if (u + i) % 6]
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(["user,item,rating,timestamp", *rows, rows[0]]) + "\n", encoding="utf-8")
    return path


def test_an_empty_cache_says_what_can_be_fetched(command):
    answer = command("datasets", "list")
    assert answer.code == 0
    assert all(name in answer.out for name in CATALOGUE)
    assert command("datasets", "list", "--json").json == []


def test_list_and_show_agree(command, settings):
    info = tiny_dataset(settings)
    [listed] = command("datasets", "list", "--json").json
    assert listed == command("datasets", "show", "tiny", "--json").json
    assert listed == command("datasets", "show", info.id[:6], "--json").json
    assert (listed["id"], listed["name"], listed["users"], listed["items"]) == (info.id, "tiny", 60, 80)
    assert listed["train"] + listed["validation"] + listed["test"] == listed["interactions"]
    assert info.id in command("datasets", "list").out
    assert "made up for tests" in command("datasets", "show", "tiny").out


def test_remove(command, settings):
    info = tiny_dataset(settings)
    assert command("datasets", "remove", "tiny", "--json").json == {"removed": info.id, "name": "tiny"}
    assert command("datasets", "list", "--json").json == []


def test_an_unknown_data_set_gets_a_suggestion(command, settings):
    tiny_dataset(settings)
    answer = command("datasets", "show", "tinny")
    assert answer.code == 2
    assert "Did you mean tiny?" in answer.err


def test_fetching_what_is_not_in_the_catalogue_is_refused(command):
    answer = command("datasets", "fetch", "ml-100m")
    assert answer.code == 2
    assert "ml-100k" in answer.err


def test_no_source_is_a_failure(command, monkeypatch):
    monkeypatch.setenv("LONGTAIL_OFFLINE", "1")
    answer = command("datasets", "fetch", "ml-100k", "--json")
    assert (answer.code, answer.out) == (1, "")
    assert "LONGTAIL_DATASET_MIRROR" in answer.err


def test_the_simulated_data_set_needs_no_source(command, monkeypatch):
    monkeypatch.setenv("LONGTAIL_OFFLINE", "1")
    assert command("datasets", "fetch", "simulated", "--json").json["simulated"] is True


def test_import(command, ratings):
    imported = command("datasets", "import", ratings, "--name", "mine", "--json").json
    assert (imported["name"], imported["imported"], imported["users"], imported["items"]) == ("mine", True, 20, 30)
    assert imported["interactions"] == 20 * 25
    assert any("duplicate" in note.lower() for note in imported["notes"])


def test_import_options_reach_the_preparation(command, ratings):
    filtered = command(
        "datasets", "import", ratings, "--name", "high", "--min-rating", "3", "--k-core", "5", "--json"
    ).json
    assert filtered["interactions"] < 20 * 25
    cut = command(
        "datasets", "import", ratings, "--name", "cut", "--split", "temporal", "--test-share", "0.5", "--json"
    )
    assert cut.json["test"] == pytest.approx(250, abs=60)


def test_import_of_given_splits(command, ratings, tmp_path):
    test = tmp_path / "test.csv"
    test.write_text("user,item\n" + "".join(f"u{u},i{(6 - u) % 6:02d}\n" for u in range(20)), encoding="utf-8")
    imported = command("datasets", "import", ratings, "--name", "given", "--test", test, "--json").json
    assert imported["test"] == 20


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("--user-col", "customer"), "customer"),
        (("--name", "../mine"), "../mine"),
        (("--test-share", "2"), "2"),
    ],
    ids=["missing column", "odd name", "share"],
)
def test_a_bad_import_is_refused_and_leaves_nothing(command, settings, ratings, argv, says):
    name = () if "--name" in argv else ("--name", "mine")
    answer = command("datasets", "import", ratings, *name, *argv, "--json")
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err
    assert command("datasets", "list", "--json").json == []


@pytest.mark.parametrize(
    "argv", [("results", "ml-100k"), ("datasets", "show", "ml-100k"), ("sweep", "ml-100k", "--dry-run")], ids=" ".join
)
def test_a_known_data_set_that_is_not_here_says_how_to_get_it(command, argv):
    answer = command(*argv, "--json")
    assert (answer.code, answer.out) == (2, "")
    assert "`python -m core datasets fetch ml-100k`" in answer.err
