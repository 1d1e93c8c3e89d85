"""Asking for what is missing: counted before, queued once, data sets that are not here fetched first."""

from __future__ import annotations

import pytest

from core.datasets.store import DatasetInfo
from core.jobs.queue import Kind, Queue, State
from core.models.sweep import Sweep
from core.reproduction import plan
from core.reproduction.request import dataset_of, outlook, request
from core.settings import Settings
from tests.reproduction.worlds import write_plan

TABLES = plan.make_plan(("mf", "one_bp"))


def test_what_is_missing_is_counted_and_queued_once(info: DatasetInfo, settings: Settings) -> None:
    write_plan(settings, info, plan.make_plan(("mf",)), leave_out={"PNS", "MACR"})
    before = outlook(settings, TABLES)
    assert (before.runs, before.cached, before.waiting, before.to_train) == ((20 + 4) * 3, 16 * 3, 0, 8 * 3)
    assert (before.absent, before.seconds) == ((), None)
    asked = request(settings, TABLES, start=False)
    assert (asked.queued, asked.fetching, len(asked.sweeps)) == (24, (), 1)
    after = outlook(settings, TABLES)
    assert (after.cached, after.waiting, after.to_train) == (48, 24, 0)
    assert request(settings, TABLES, start=False).queued == 0
    assert Queue(settings).sweep(asked.sweeps[0]).name == "Reproduction"


def test_a_data_set_that_is_not_here_is_fetched_first(info: DatasetInfo, settings: Settings) -> None:
    both = plan.make_plan(("mf", "gowalla"))
    before = outlook(settings, both)
    assert (before.absent, before.seconds, before.to_train) == (("gowalla",), None, (20 + 6) * 3)
    asked = request(settings, both, start=False)
    assert (asked.fetching, asked.queued) == (("gowalla",), 60)
    [job] = Queue(settings).jobs(kind=Kind.PREPARE)
    assert (job.state, job.payload["name"]) == (State.QUEUED, "gowalla")
    assert Sweep.from_json(job.payload["then"]) == Sweep.from_json(both.sweep("gowalla").to_json())
    after = outlook(settings, both)
    assert (after.waiting, after.to_train) == ((20 + 6) * 3, 0)


def test_a_fetch_that_others_asked_for_brings_no_runs(info: DatasetInfo, settings: Settings) -> None:
    """Then there is still something to ask for, once the data set is here."""
    Queue(settings).add_prepare("gowalla")
    assert outlook(settings, plan.make_plan(("gowalla",))).to_train == 18


def test_the_data_set_is_known_by_its_id_whatever_it_is_called(
    settings: Settings, info: DatasetInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = dataset_of(settings, "ml-100k-papers")
    assert found and found.name == "tiny"
    monkeypatch.setitem(plan.DATASETS, "ml-100k-papers", "0" * 16)
    assert dataset_of(settings, "ml-100k-papers") is None
