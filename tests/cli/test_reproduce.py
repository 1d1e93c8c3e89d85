"""`reproduce`: what is missing is queued, what is there is shown beside the published figures."""

from __future__ import annotations

import pytest

from core.cli import reproduce
from core.datasets.store import DatasetInfo
from core.jobs import artifacts
from core.jobs.queue import Queue, State
from core.reproduction import plan
from core.reproduction.plan import Line, Plan
from tests.reproduction import worlds


@pytest.fixture
def info(settings, monkeypatch: pytest.MonkeyPatch) -> DatasetInfo:
    """The tiny data set in the place of the papers' split."""
    info, ids = worlds.stand_in(settings)
    for name, value in ids.items():
        monkeypatch.setitem(plan.DATASETS, name, value)
    return info


def test_a_dry_run_plans_and_queues_nothing(command, info, settings) -> None:
    planned = command("reproduce", "--dry-run", "--json").json
    assert (planned["runs"], planned["cached"], planned["to_train"]) == ((40 + 4 + 6) * 3, 0, 150)
    assert planned["to_fetch"] == ["gowalla"]
    assert Queue(settings).jobs() == []
    assert len({(row["part"], row["method"]) for row in planned["rows"]}) == 10 + 10 + 2 + 6


def test_only_and_quick_choose(command, info) -> None:
    only = command("reproduce", "--only", "mf", "--only", "one_bp", "--dry-run", "--json").json
    assert (only["runs"], only["to_fetch"]) == ((20 + 4) * 3, [])
    assert command("reproduce", "--quick", "--dry-run", "--json").json["runs"] == 6 + 4 + 4
    assert "verdicts mean nothing" in command("reproduce", "--quick", "--dry-run").out
    assert "verdicts mean nothing" not in command("reproduce", "--dry-run").out


def test_what_is_missing_is_queued_once(command, info, settings) -> None:
    worlds.write_plan(settings, info, plan.make_plan(("mf",)), leave_out={"PNS"})
    answer = command("reproduce", "--only", "mf", "--no-worker", "--json")
    assert (answer.json["cached"], answer.json["waiting"], answer.json["to_train"]) == (54, 6, 0)
    assert Queue(settings).counts()[State.QUEUED] == 6
    command("reproduce", "--only", "mf", "--no-worker")
    assert Queue(settings).counts()[State.QUEUED] == 6


def test_the_table_has_both_settings_readings_and_verdicts(command, info, settings) -> None:
    worlds.write_plan(settings, info, plan.make_plan(("mf",)), leave_out={"PNS"})
    text = command("reproduce", "--only", "mf", "--dry-run").out
    auc_ns = next(line for line in text.splitlines() if " AUC-NS " in line)
    assert auc_ns.split()[3:8] == ["0.4295", "0.4305", "0.4305", "0.4255", "0.4255"]
    assert "reached at the authors' settings" in auc_ns
    assert "still to be trained" in next(line for line in text.splitlines() if " PNS " in line)
    assert "60 runs: 54 cached, 0 under way, 6 to train" in text
    assert "chosen on test: optimistic" in text


def test_the_page_is_written_from_what_is_there(command, info, settings, tmp_path) -> None:
    worlds.write_plan(settings, info, plan.make_plan(("mf",)), lambda line, *_: 0.2 if line.method == "DNS" else 0.5)
    page = tmp_path / "page.md"
    answer = command("reproduce", "--only", "mf", "--dry-run", "--out", page)
    assert "| AUC-NS | 0.4295 | 0.5000 ± 0.0000 (+0.0705) |" in page.read_text(encoding="utf-8")
    assert "mf DNS is below, and core/reproduction/deviations.py does not say what was tried." in answer.err
    assert [path.name for path in tmp_path.iterdir() if "page" in path.name] == ["page.md"]


@pytest.mark.parametrize("target", [".", "no/such/folder/page.md"])
def test_a_page_that_cannot_be_written_is_refused_before_anything(command, info, settings, tmp_path, target) -> None:
    answer = command("reproduce", "--out", tmp_path / target)
    assert (answer.code, answer.out) == (2, "")
    assert "no file can be written there" in answer.err
    assert Queue(settings).jobs() == []


def test_an_unknown_part_is_refused(command) -> None:
    answer = command("reproduce", "--only", "mff")
    assert answer.code == 2
    assert "invalid choice: 'mff'" in answer.err


def test_wait_trains_and_shows(command, info, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two short rows of the compiled engine, for real: queued, trained by the worker, compared."""
    rns = next(line.published for line in plan.make_plan(("mf",)).lines if line.method == "RNS")
    short = {"epochs": 2, "dim": 4}
    lines = (
        Line("mf", "mf", "RNS", plan.AUTHORS, {**short, "lr": 0.02}, rns),
        Line("mf", "mf", "RNS", plan.TUNED, short, rns),
    )
    monkeypatch.setattr(plan, "make_plan", lambda *_, **__: Plan(("mf",), True, lines))
    monkeypatch.setattr("core.reproduction.comparison.make_plan", plan.make_plan)
    answer = command("reproduce", "--wait", "--json")
    assert (answer.code, answer.json["cached"], answer.json["failed"]) == (0, 2, [])
    assert len(artifacts.finished_runs(settings)) == 2
    measured = [row["mean"] for row in answer.json["rows"] if row["metric"] == "ndcg@10"]
    assert len(measured) == 4 and all(0 < value < 1 for value in measured)


def test_what_failed_is_told(command, info, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data set that cannot be fetched stops no other; the exit code says that something is missing."""
    worlds.write_plan(settings, info, plan.make_plan(("mf",)))
    answer = command("reproduce", "--only", "mf", "gowalla", "--wait", "--json")
    assert answer.code == 1
    assert answer.json["cached"] == 60
    assert any("No source of gowalla could be reached" in problem for problem in answer.json["failed"])
    assert "No source of gowalla could be reached" in answer.err
    assert reproduce.PARTS is plan.PARTS
