"""`decompose`: replicates planned, trained and compared."""

import pytest

from core.jobs.queue import Queue, State
from tests.tiny import tiny_dataset

ASKED = ("--sampler", "auc_ns", "--beta", "0", "0.1", "--dim", "4", "--epochs", "3", "--replicates", "3")


@pytest.fixture
def tiny(settings):
    """The tiny data set, nothing trained."""
    return tiny_dataset(settings)


def test_a_dry_run_plans_and_queues_nothing(command, tiny, settings):
    planned = command("decompose", "tiny", *ASKED, "--dry-run", "--json").json
    assert (planned["runs"], planned["to_train"]) == (6, 6)
    assert Queue(settings).jobs() == []


def test_it_trains_what_is_missing_and_shows_the_terms(command, tiny, settings):
    waiting = command("decompose", "tiny", *ASKED, "--no-worker", "--json")
    assert (waiting.json["rows"], waiting.json["waiting"]) == ([], 6)
    assert Queue(settings).counts()[State.QUEUED] == 6
    assert command("worker", "--once").code == 0
    answer = command("decompose", "tiny", *ASKED, "--no-worker", "--json").json
    assert answer["waiting"] == 0
    rows = {(row["label"], row["group"]): row for row in answer["rows"]}
    assert {group for _, group in rows} == {"all", "cold", "hot"}
    for row in rows.values():
        assert row["noise"] is None
        assert abs(row["bias"] + row["variance"] - row["loss"]) < 1e-9
        assert row["replicates"] == 3
    labels = list(dict.fromkeys(label for label, _ in rows))
    assert rows[labels[0], "all"]["d_loss"] is None
    other = rows[labels[1], "all"]
    assert other["d_loss_low"] < other["d_loss"] < other["d_loss_high"]
    text = command("decompose", "tiny", *ASKED, "--no-worker", "--score", "logistic").out
    assert " to +" in text or " to -" in text
    assert len(command("decompose", "tiny", *ASKED, "--no-worker", "--all-groups", "--json").json["rows"]) > 6


def test_replicates_do_not_count_as_seeds(command, tiny):
    command("decompose", "tiny", *ASKED, "--no-worker")
    command("worker", "--once")
    assert command("results", "tiny", "--by", "variant", "--json").json == []


def test_what_makes_no_sense_is_refused(command, tiny):
    for asked, words in (
        (("--replicates", "2"), "show no variance"),
        (("--seed", "1"), "--seed means nothing here"),
        (("--baseline", "ease"), "--baseline means nothing here"),
        (("--split", "validation", "--by", "nothing"), "invalid choice"),
    ):
        answer = command("decompose", "tiny", *asked)
        assert answer.code == 2
        assert words in answer.err
