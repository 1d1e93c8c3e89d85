"""`runs list` and `runs delete`."""

import pytest

from core.cli import runs as command_runs
from core.jobs import artifacts
from core.jobs.queue import Queue, State
from core.models.variant import make_variant
from core.warehouse import run_list
from tests.tiny import tiny_dataset
from tests.warehouse.fake_runs import write_run


@pytest.fixture
def few(settings) -> dict[int, str]:
    """Three finished runs by seed."""
    variant = make_variant(tiny_dataset(settings).id, sampler="rns")
    measured = {"validation": {"ndcg@10": 0.25}, "test": {"ndcg@10": 0.5}}
    return {seed: write_run(settings, variant, seed, measured) for seed in range(3)}


def test_what_can_be_asked_for_is_what_the_list_knows():
    assert command_runs.STATES == run_list.STATES
    assert set(command_runs.ORDERS) == set(run_list.ORDERS)


def test_finished_runs_and_jobs_in_one_list(reading):
    rows = reading("runs", "list", "--json").json
    assert len(rows) == 7
    assert {row["state"] for row in rows} == {"done"}
    metrics = {row["run"]: row["metrics"] for row in reading("results", "tiny", "--split", "validation", "--json").json}
    assert {row["run"]: row["ndcg@10"] for row in rows} == {run: m["ndcg@10"] for run, m in metrics.items()}
    assert all(isinstance(row["seed"], int) and row["bootstrap"] is None and row["job"] for row in rows)


@pytest.mark.parametrize(
    ("options", "n"),
    [
        (("--search", "AUC-NS seed 1"), 2),  # DNS says that it is AUC-NS at 0
        (("--method", "auc_ns", "most_popular"), 3),
        (("--state", "failed"), 0),
        (("--data", "tiny", "--protocol", "validation"), 7),
        (("--protocol", "paper"), 0),
        (("--sweep", "1"), 7),
        (("--limit", "3"), 3),
        (("--limit", "3", "--offset", "6"), 1),
    ],
)
def test_filters(reading, options, n):
    assert len(reading("runs", "list", *options, "--json").json) == n


def test_the_table_says_how_many_there_are(reading):
    assert "3 to 4 of 7. NDCG@10 is on validation." in reading("runs", "list", "--offset", "2", "--limit", "2").out
    assert reading("runs", "list", "--offset", "9").out == "No run from place 10 on: 7 match.\n"
    assert reading("runs", "list", "--search", "nowhere").out == "No run matches.\n"


def test_orders(reading):
    rows = reading("runs", "list", "--order", "slowest", "--json").json
    assert [row["seconds"] for row in rows] == sorted((row["seconds"] for row in rows), reverse=True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--state", "finished"), "invalid choice"),
        (("--data", "nothing"), "nothing"),
        (("--protocol", "best"), "protocol 'best'"),
        (("--sweep", "99"), "no sweep '99'"),
        (("--limit", "-1"), "--limit -1"),
    ],
)
def test_a_bad_request_is_refused(reading, options, says):
    answer = reading("runs", "list", *options)
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err


def test_a_deleted_run_comes_back_by_the_command_it_names(command, settings, few, monkeypatch):
    monkeypatch.setattr("core.jobs.control.ensure_worker", lambda _: False)
    answer = command("runs", "delete", few[1][:10], "--json")
    assert answer.code == 0
    [gone] = answer.json["deleted"]
    assert (gone["run"], gone["label"], gone["back"]) == (few[1], "RNS, seed 1", f"python -m core jobs retry {few[1]}")
    assert set(artifacts.finished_runs(settings)) == {few[0], few[2]}
    listed = command("runs", "list")
    assert "1 to 2 of 2" in listed.out
    assert "Deleted and not listed: 1." in listed.err
    assert command(*gone["back"].split()[3:]).code == 0
    [job] = Queue(settings).jobs(state=State.QUEUED)
    assert job.run == few[1]


def test_where_one_is_not_there_none_is_deleted(command, settings, few):
    answer = command("runs", "delete", few[0], "0" * 16)
    assert (answer.code, answer.out) == (2, "")
    assert len(artifacts.finished_runs(settings)) == 3
    assert command("runs", "delete").code == 2


def test_several_are_deleted_and_each_says_its_way_back(command, settings, few):
    answer = command("runs", "delete", few[0], few[1], few[0])
    assert answer.out.count("trains it again, to the same numbers.") == 2
    (settings.runs / few[2] / "meta.json").write_text("{")
    assert "only a sweep that asks for it brings it back" in command("runs", "delete", few[2]).out
    assert artifacts.finished_runs(settings) == []
