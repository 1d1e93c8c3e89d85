"""The Runs page: what is listed, opened, done to runs, and said before and after; and sweeps that end."""

import subprocess
import sys

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.datasets.store import DatasetInfo
from core.jobs import artifacts, control
from core.jobs.queue import Queue, Report, State
from core.models.sweep import Sweep
from core.models.variant import Run, make_variant
from core.settings import Settings
from pages.shared import jobs, row_menu, run_rows
from tests.pages import results
from tests.pages.test_every_page import text
from tests.tiny import tiny_dataset
from tests.warehouse import fake_runs


def listed(at: AppTest) -> pd.DataFrame:
    return at.dataframe[0].value


def choose(at: AppTest, *keys: str) -> AppTest:
    """Select rows without the table, as a keyboard does."""
    at.multiselect(key="runs_pick").set_value(list(keys)).run()
    at.button(key="runs_pick_these").click().run()
    assert not at.exception
    return at


def press(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click().run()
    assert not at.exception
    assert not at.error
    return at


def keys(at: AppTest) -> list[str]:
    """What the page lists, by what names it."""
    return at.multiselect(key="runs_pick").options


def run_of(info: DatasetInfo, seed: int = 0, **choices) -> Run:
    return Run(make_variant(info.id, epochs=6, dim=8, **choices), seed)


def test_finished_runs_and_jobs_stand_in_one_table(visit, settings: Settings, tiny: DatasetInfo) -> None:
    results.failed(settings, tiny, "The loss is not a number.", "")
    queue = Queue(settings)
    queue.add_sweep(tiny.id, Sweep(), [Run(make_variant(tiny.id, sampler="pns"), n) for n in range(3)])
    at = visit("runs")
    assert "3 waiting" in text(at)
    assert "Showing 1–12 of 12." in text(at)  # nine are finished; what failed is one of those
    assert sorted(set(listed(at)["state"])) == ["done", "waiting"]
    done = listed(at)[listed(at)["setting"] == "RNS, dim 8, epochs 6"]
    assert sorted(done["seed"]) == [0, 1]
    assert done["metric"].between(0, 1).all()
    assert (done["epoch"] > 0).all()
    assert all(len(curve) for curve in done["curve"])


def test_filters_from_the_address_and_by_hand(visit, settings: Settings, tiny: DatasetInfo) -> None:
    at = visit("runs", run_text="seed 1", run_method=["AUC-NS"])
    assert list(listed(at)["setting"]) == ["AUC-NS β 0.2, dim 8, epochs 6", "AUC-NS β 0.05, dim 8, epochs 6"]
    assert "Showing 1–2 of 2." in text(at)
    at.text_input(key="run_text").set_value("nowhere to be found").run()
    assert "No run matches these filters" in at.info[0].value
    assert not at.dataframe
    at.text_input(key="run_text").set_value("").run()
    at.multiselect(key="run_method").set_value([]).run()
    at.selectbox(key="run_order").set_value("Slowest").run()
    assert list(listed(at)["seconds"]) == sorted(listed(at)["seconds"], reverse=True)
    at.button_group(key="run_state").set_value(["failed"]).run()
    assert "Showing" not in text(at)


def test_pages_of_a_hundred(visit, settings: Settings) -> None:
    info = tiny_dataset(settings)
    variant = make_variant(info.id, sampler="rns")
    Queue(settings).add_sweep(info.id, Sweep(), [Run(variant, n) for n in range(230)])
    at = visit("runs")
    assert "Showing 1–100 of 230." in text(at)
    assert list(listed(at)["seed"]) == list(range(100))
    at = visit("runs", run_page="3")
    assert "Showing 201–230 of 230." in text(at)
    assert list(listed(at)["seed"]) == list(range(200, 230))
    assert "Showing 1–100 of 230." in text(visit("runs", run_page="4"))  # there is none


def test_a_run_is_opened_by_the_address(visit, settings: Settings, tiny: DatasetInfo) -> None:
    run = run_of(tiny, sampler="auc_ns", beta=0.05)
    at = visit("runs", run=run.id[:6])
    assert at.header[0].value.replace("\\", "") == "AUC-NS β 0.05, dim 8, epochs 6, seed 0"
    frames = [frame.value for frame in at.dataframe]
    settings_of = next(frame for frame in frames if "Meaning" in frame)
    first = settings_of[settings_of["Changed"]]
    assert list(settings_of["Changed"]) == sorted(settings_of["Changed"], reverse=True)
    assert {"sampler", "beta", "epochs", "dim"} == set(first["Setting"])
    metrics = next(frame for frame in frames if "validation" in frame).set_index("metric")
    table = artifacts.read_table(settings, run.id, "metrics").to_pandas()
    of_split = table[(table["split"] == "validation") & (table["reading"] == "epoch")].set_index("metric")["value"]
    assert metrics.loc["ndcg@10", "validation"] == of_split["ndcg@10"]
    files = next(frame for frame in frames if "SHA-256" in frame).set_index("File")
    assert files.loc["top_k.parquet", "SHA-256"] == artifacts.checksum(settings.runs / run.id / "top_k.parquet")
    assert files.loc["meta.json", "Bytes"] == (settings.runs / run.id / "meta.json").stat().st_size
    assert at.get("vega_lite_chart")
    press(at, f"check_{run.id}")
    assert "Every file holds what was written" in text(at)
    (settings.runs / run.id / "top_k.parquet").write_bytes(b"")
    at.button(key=f"check_{run.id}").click().run()
    assert "its bytes are not those that were written" in at.error[0].value.replace("\\", "")


@pytest.mark.parametrize(("protocol", "split"), [("validation", "validation"), ("validation", "test"), ("paper", "")])
def test_test_figures_are_shown_where_test_is_asked_for_or_all_there_is(
    visit, settings: Settings, protocol: str, split: str
) -> None:
    info = tiny_dataset(settings)
    of = {"test": {"ndcg@10": 0.4}} | ({"validation": {"ndcg@10": 0.5}} if protocol == "validation" else {})
    run = fake_runs.write_run(settings, make_variant(info.id, sampler="rns", protocol=protocol), metrics=of)
    at = visit("runs", run=run, **({"split": split} if split else {}))
    [metrics] = [f.value for f in at.dataframe if "metric" in f.value and "setting" not in f.value]
    assert ("test" in metrics) == (protocol == "paper" or split == "test")
    assert ("validation" in metrics) == (protocol == "validation")
    assert ("with split *test* in the sidebar" in text(at)) == ("test" not in metrics)


@pytest.mark.parametrize("name", ["ffff", "#999", "#", "#²", "'; DROP TABLE runs; --", ""])
def test_what_names_no_run_is_told(visit, tiny: DatasetInfo, name: str) -> None:
    at = visit("runs", run=name)
    assert not at.error
    assert [("No run or job" in w.value) for w in at.warning] == ([True] if name else [])
    if name:
        press(at, "runs_close_unknown")
        assert not at.warning


def test_a_running_job_is_opened_with_its_curve_so_far_and_cancelled(visit, settings: Settings, no_worker) -> None:
    info = tiny_dataset(settings)
    queue = Queue(settings)
    queue.add_sweep(info.id, results.SHORT, [run_of(info, sampler="rns")])
    job = queue.claim()
    points = [(1, 0.1, 0.7, None), (2, 0.2, 0.6, 0.25), (3, 0.3, 0.5, 0.35)]
    queue.relay(
        [(job, Report(share=0.5, epoch=3, epochs=6, loss=0.5, metric=0.35, seconds=0.3, left=0.3, curve=points))]
    )
    at = visit("runs", run=job.run)
    assert "epoch 3 of 6" in at.get("progress")[-1].proto.text.replace("\\", "")
    assert list(listed(at)["curve"].iloc[0]) == [0.25, 0.35]
    assert listed(at)["metric"].iloc[0] == 0.35
    assert "reaches NDCG@10 on validation 0.350" in at.get("vega_lite_chart")[0].proto.alt
    press(at, "open_job")
    assert queue.job(job.id).cancelling
    assert f"#{job.id}" not in keys(at)
    assert visit("runs", run=f"#{job.id}").header


def test_deleting_asks_says_what_goes_and_is_undone_by_training(
    visit, settings: Settings, tiny: DatasetInfo, no_worker
) -> None:
    run = run_of(tiny, sampler="auc_ns", beta=0.2)
    at = visit("runs", a=run.variant.id[:8])
    choose(at, run.id)
    assert at.button(key="runs_Cancel").disabled
    press(at, "runs_Delete")
    said = text(at).replace("\\", "")
    assert "1 run of 2 of AUC-NS β 0.2, dim 8, epochs 6, which is pinned as A, goes." in said
    assert artifacts.is_finished(settings, run.id)  # asked, not done
    press(at, "runs_delete")
    assert not artifacts.is_finished(settings, run.id)
    at.run()
    assert "Showing 1–8 of 8. 1 deleted run not listed." in text(at)
    assert run.id not in keys(at)
    press(at, "runs_undo_button")
    [job] = Queue(settings).jobs(state=State.QUEUED)
    assert (job.run, job.payload) == (run.id, run.to_json())
    assert no_worker == ["started"]
    assert "Deleted:" not in text(at)
    assert "Showing 1–9 of 9." in text(at)


@pytest.mark.parametrize("opened", ["its id", "another"])
def test_what_is_deleted_is_closed_and_the_way_back_stays_in_view(
    visit, settings: Settings, tiny: DatasetInfo, opened: str
) -> None:
    run, other = run_of(tiny, sampler="auc_ns", beta=0.2), run_of(tiny, sampler="rns")
    at = visit("runs", run=(run if opened == "its id" else other).id[:8])
    if opened == "its id":
        press(at, "open_delete")
    else:
        choose(at, run.id)
        press(at, "runs_Delete")
    press(at, "runs_delete")
    at.run()
    assert not artifacts.is_finished(settings, run.id)
    assert bool(at.header) == (opened == "another")
    assert at.session_state["run"] == ("" if opened == "its id" else other.id[:8])
    assert not [w for w in at.warning if "No run or job" in w.value]
    assert "Deleted: **AUC-NS β 0.2" in text(at).replace("\\", "")


def test_what_is_trained_again_is_told_and_not_its_old_sweep(
    visit, settings: Settings, tiny: DatasetInfo, no_worker
) -> None:
    queue = Queue(settings)
    sweep = queue.add_sweep(tiny.id, Sweep(name="Mine"), [Run(make_variant(tiny.id, sampler="pns"), n) for n in (0, 1)])
    queue.finish(queue.claim())
    queue.finish(queue.claim())
    at = visit("runs", run_state=["deleted"])  # their results are not there
    choose(at, keys(at)[0])
    press(at, "runs_Train again")
    queue.finish(queue.claim())
    at.run()
    assert [t.value.replace("\\", "") for t in at.toast] == ["**PNS exponent 0.75, seed 0** is done."]
    at.run()
    assert not at.toast
    assert f"ended_{sweep.sweep}" not in [b.key for b in at.button]
    choose(at, keys(at)[0])
    press(at, "runs_Train again")
    queue.add_sweep(tiny.id, Sweep(name="New"), [Run(make_variant(tiny.id, sampler="bns"), 0)])
    at.run()
    while job := queue.claim():
        queue.finish(job)
    at.run()
    told = sorted(t.value.replace("\\", "") for t in at.toast)
    assert told == ["**New (sweep 2)** has ended: 1 of 1 run done.", "**PNS exponent 0.75, seed 0** is done."]


def test_a_worker_on_its_way_is_not_missed(visit, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tiny_dataset(settings)
    Queue(settings).add_sweep(info.id, Sweep(), [Run(make_variant(info.id, sampler="rns"), 0)])
    missed = "No worker is running, so nothing starts."
    assert missed in text(visit("runs"))
    on_its_way = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    monkeypatch.setitem(control._started, settings.worker_lock, on_its_way)
    at = visit("runs")
    assert missed not in text(at)
    on_its_way.communicate()
    assert missed in text(at.run())


def test_columns_that_the_whole_result_lacks_are_left_out(visit, settings: Settings) -> None:
    info = tiny_dataset(settings)
    rns = make_variant(info.id, sampler="rns")
    fake_runs.write_run(settings, rns, metrics={"validation": {"ndcg@10": 0.25, "aplt@10": 0.1, "recall@10": 0.5}})
    at = visit("runs")
    assert {"metric", "bias", "seconds", "seed"} <= set(listed(at))
    assert not {"bootstrap", "now", "title"} & set(listed(at))
    assert list(listed(at)[["metric", "bias"]].iloc[0]) == [0.25, 0.1]
    assert list(listed(visit("runs", y="Recall"))["metric"]) == [0.5]
    fake_runs.write_run(settings, rns, bootstrap=3)
    queue = Queue(settings)
    queue.add_sweep(info.id, Sweep(), [Run(rns, n) for n in range(120)])
    at = visit("runs")
    assert {"bootstrap", "now"} <= set(listed(at))  # the replicate is on the other page
    assert listed(at)["bootstrap"].isna().all()
    paper = make_variant(info.id, sampler="rns", protocol="paper")
    fake_runs.write_run(settings, paper)
    assert not {"metric", "bias", "now"} & set(listed(visit("runs", run_protocol="paper")))


def test_keeping_deletes_nothing(visit, settings: Settings, tiny: DatasetInfo) -> None:
    run = run_of(tiny, sampler="rns")
    at = choose(visit("runs"), run.id)
    press(at, "runs_Delete")
    press(at, "runs_keep")
    assert artifacts.is_finished(settings, run.id)
    assert not [b for b in at.run().button if b.key == "runs_delete"]


def test_replicates_are_said(visit, settings: Settings) -> None:
    info = tiny_dataset(settings)
    ids = [fake_runs.write_run(settings, make_variant(info.id, sampler="rns"), bootstrap=n) for n in (0, 1)]
    at = choose(visit("runs"), *ids)
    press(at, "runs_Delete")
    assert "2 replicates of these: Bias and variance counts on them." in text(at).replace("\\", "")


def test_a_deleted_run_is_found_and_trained_again_later(
    visit, settings: Settings, tiny: DatasetInfo, no_worker
) -> None:
    run = run_of(tiny, sampler="rns")
    control.delete_runs(settings, [run.id])
    at = choose(visit("runs", run_state=["deleted"]), run.id)
    assert list(listed(at)["state"]) == ["deleted"]
    press(at, "runs_Train again")
    assert [job.run for job in Queue(settings).jobs(state=State.QUEUED)] == [run.id]


def test_many_are_cancelled_and_retried_together(visit, settings: Settings, no_worker) -> None:
    info = tiny_dataset(settings)
    queue = Queue(settings)
    queue.add_sweep(info.id, Sweep(), [Run(make_variant(info.id, sampler="rns"), n) for n in range(5)])
    at = visit("runs")
    press(at, "runs_pick_all")
    press(at, "runs_Cancel")
    assert queue.counts()[State.CANCELLED] == 5
    press(at, "runs_Retry")
    assert queue.counts()[State.QUEUED] == 5
    assert no_worker == ["started"]


def test_failures_are_grouped_by_reason_with_one_button_each(visit, settings: Settings, no_worker) -> None:
    info = tiny_dataset(settings)
    queue = Queue(settings)
    queue.add_sweep(info.id, Sweep(), [Run(make_variant(info.id, sampler="rns"), n) for n in range(4)])
    for reason in ("diverged in epoch 3", "Memory ran out.", "diverged in epoch 14", "diverged in epoch 9"):
        queue.fail(queue.claim(), reason)
    at = visit("runs")
    assert [e.label for e in at.expander if "failed" in e.label] == ["4 failed, for 2 reasons"]
    assert [b.label for b in at.button if b.label.startswith("Retry ")] == ["Retry all 3"]
    press(at, "runs_retry_0")
    assert queue.counts() == {**dict.fromkeys(State, 0), State.QUEUED: 3, State.FAILED: 1}
    assert [e.label for e in at.expander if "failed" in e.label] == ["1 failed, for 1 reason"]


def test_pins_and_opening_from_a_row_of_the_table(visit, settings: Settings, tiny: DatasetInfo) -> None:
    run = run_of(tiny, sampler="rns")
    at = choose(visit("runs"), run.id)
    press(at, "runs_Pin B")
    assert at.session_state["b"] == run.variant.id[:8]
    press(at, "runs_Open")
    assert at.session_state["run"] == run.id
    assert at.header[0].value.replace("\\", "") == "RNS, dim 8, epochs 6, seed 0"
    press(at, "open_close")
    assert not at.header


def test_a_click_in_a_table_is_of_the_row_that_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser tells the name of the column it drew and a place, however the rows moved since."""
    state: dict[str, object] = {}
    monkeypatch.setattr("streamlit.session_state", state)
    done: list[tuple[str, str]] = []

    def draw(rows: str) -> tuple[str, dict]:
        return row_menu.columns("menu", list(rows), list(rows.upper()), lambda *what: done.append(what))

    def click(config, place: int) -> None:
        state[config.key] = {"row": place, "label": "Cancel"}
        config.on_click(*config.args or ())

    seen, before = draw("abc")
    again, _ = draw("abc")
    assert again == seen  # nothing moved: an open menu stays
    moved, now = draw("bca")
    assert moved != seen
    click(before[seen], 1)
    click(now[seen], 1)
    click(now[moved], 1)
    click(now[moved], 7)
    assert done == [("Cancel", "B"), ("Cancel", "B"), ("Cancel", "C")]
    for n in range(row_menu.KEPT):
        _, now = draw("abc"[: 1 + n % 3])
    assert moved not in now
    assert len(now) == row_menu.KEPT


@pytest.mark.parametrize("page", ["runs", "sweep"])
def test_rows_and_their_menus_stay_where_they_are_while_jobs_run(
    visit, settings: Settings, tiny: DatasetInfo, page: str
) -> None:
    queue = Queue(settings)
    pns = make_variant(tiny.id, sampler="pns")
    queue.add_sweep(tiny.id, Sweep(), [Run(pns, n) for n in range(4)])
    queue.claim()
    ways = []
    at = visit(page)
    for _ in range(3):
        table = at.dataframe[0]
        ways.append((list(table.value.iloc[:, 0]), list(table.value.get("seed", ())), table.proto.button_click_widgets))
        [running] = queue.jobs(state=State.RUNNING)
        fake_runs.write_run(settings, pns, running.payload["seed"])
        queue.finish(running)
        queue.claim()
        at.run()
    states = list(at.dataframe[0].value["state" if page == "runs" else "State"][:4])
    assert states == ["done", "done", "done", "running"]
    assert ways[0] == ways[1] == ways[2]
    assert len(ways[0][2]) == 1


def test_what_has_ended_meanwhile_is_not_cancelled_and_that_is_said(
    visit, settings: Settings, tiny: DatasetInfo
) -> None:
    queue = Queue(settings)
    queue.add_sweep(tiny.id, Sweep(), [Run(make_variant(tiny.id, sampler="pns"), 0)])
    at = visit("runs")
    press(at, "runs_pick_all")
    queue.finish(queue.claim())
    press(at, "runs_Cancel")
    assert jobs.TOO_LATE in [t.value for t in at.toast]
    assert queue.counts()[State.DONE] == 1


def test_what_is_selected_are_runs_and_not_places(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict = {}
    monkeypatch.setattr("streamlit.session_state", state)
    key = run_rows.selection_key(["a", "b", "c"])
    state[key] = {"selection": {"rows": [0, 2], "columns": [], "cells": []}}
    run_rows.selected(("a", "b", "c"))
    assert state[run_rows.SELECTED] == {"a", "c"}
    assert run_rows.selection_key(["a", "b", "c"]) == key  # nothing moved: the table stays as it is
    other = run_rows.selection_key(["new", "a", "b", "c"])
    assert other != key
    assert state[other]["selection"]["rows"] == [1, 3]
    run_rows.forget_selection()
    assert run_rows.selection_key(["new", "a", "b", "c"]) not in {key, other}
    assert state[run_rows.SELECTED] == frozenset()


def test_a_damaged_run_is_listed_with_its_reason_and_can_be_deleted(
    visit, settings: Settings, tiny: DatasetInfo
) -> None:
    run = run_of(tiny, sampler="rns")
    (settings.runs / run.id / "meta.json").write_text("{")
    at = visit("runs", run=run.id, run_state=["unreadable"])
    assert list(listed(at)["state"]) == ["unreadable"]
    assert listed(at)["now"].iloc[0]
    assert "Deleting it is safe" in at.error[0].value.replace("\\", "")
    at.button(key="open_delete").click().run()
    at.button(key="runs_delete").click().run()
    assert not (settings.runs / run.id).exists()
    assert "cannot be brought back from here" in text(at)


# ---------------------------------------------------------------- sweeps, on every page


@pytest.mark.parametrize("page", ["overview", "runs", "sweep", "trade_off"])
def test_a_sweep_that_ends_is_told_once_on_whatever_page(
    visit, settings: Settings, tiny: DatasetInfo, page: str
) -> None:
    queue = Queue(settings)
    sweep = queue.add_sweep(tiny.id, Sweep(name="Mine"), [Run(make_variant(tiny.id, sampler="pns"), n) for n in (0, 1)])
    at = visit(page)
    assert not at.toast
    queue.fail(queue.claim(), "diverged")
    at.run()
    assert not at.toast
    queue.finish(queue.claim())
    at.run()
    told = f"**Mine (sweep {sweep.sweep})** has ended: 1 of 2 runs done, 1 failed."
    assert [t.value.replace("\\", "") for t in at.toast] == [told]
    at.run()
    assert not at.toast
    assert told in "\n".join(c.value for c in at.sidebar.caption).replace("\\", "")  # with a link, until put away
    at.button(key=f"see_{sweep.sweep}").click().run()
    assert not at.exception
    at.button(key=f"ended_{sweep.sweep}").click().run()
    assert told not in "\n".join(c.value for c in at.sidebar.caption).replace("\\", "")


def test_a_sweep_that_ended_before_anybody_looked_is_not_told(visit, settings: Settings, tiny: DatasetInfo) -> None:
    queue = Queue(settings)
    queue.add_sweep(tiny.id, Sweep(), [Run(make_variant(tiny.id, sampler="pns"), 0)])
    queue.finish(queue.claim())
    assert not visit("runs").toast


@pytest.mark.parametrize("page", ["runs", "sweep"])
def test_a_sweep_shows_its_own_progress(visit, settings: Settings, tiny: DatasetInfo, page: str) -> None:
    queue = Queue(settings)
    queue.add_sweep(tiny.id, Sweep(name="Mine"), [Run(make_variant(tiny.id, sampler="pns"), n) for n in range(4)])
    queue.fail(queue.claim(), "diverged")
    queue.finish(queue.claim())
    at = visit(page)
    [bar] = [p for p in at.get("progress") if "Mine" in p.proto.text]
    assert "1 of 4 runs done, 1 failed, measuring time left" in bar.proto.text.replace("\\", "")
    assert bar.proto.value == 50


def test_how_wrong_the_last_estimates_were_is_said_beside_the_plan(
    visit, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_dataset(settings)
    assert "estimate" not in text(visit("sweep"))
    costs = [control.Cost(3, 10.0, 15.0), control.Cost(2, 20.0, 20.0), control.Cost(1, 10.0, 13.0)]
    monkeypatch.setattr(control, "costs", lambda _: costs)
    times = f"{(15 + 20 + 13) / (10 + 20 + 10):.2f}"
    told = f"The last three sweeps took {times} times their estimate (the latest first: 1.50, 1.00, 1.30)."
    assert told in text(visit("sweep"))
    monkeypatch.setattr(control, "costs", lambda _: costs[:1])
    assert "The last sweep took 1.50 times its estimate." in text(visit("sweep"))


def test_the_link_of_a_sweep_that_ended_leads_to_its_data_set(visit, settings: Settings, tiny: DatasetInfo) -> None:
    other = tiny_dataset(settings, seed=1, name="other")
    queue = Queue(settings)
    sweep = queue.add_sweep(other.id, Sweep(), [Run(make_variant(other.id, sampler="pns"), 0)]).sweep
    at = visit("runs", data="tiny", a="rns")
    queue.finish(queue.claim())
    at.run()
    at.button(key=f"see_{sweep}").click().run()
    assert not at.exception
    assert at.selectbox(key="data").value == "other"
