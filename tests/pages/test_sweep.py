"""The Sweep page: the plan in words, starting, watching, cancelling, and a failed run with its log."""

import pytest

from core.datasets.store import DatasetInfo
from core.jobs import control
from core.jobs.queue import Queue, State
from core.settings import Settings
from tests.pages import results
from tests.pages.test_every_page import text
from tests.tiny import tiny_dataset


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Queues without starting a process; the calls that would have."""
    calls: list[str] = []
    monkeypatch.setattr(control, "ensure_worker", lambda _: calls.append("started") or True)
    return calls


def test_the_plan_counts_before_anything_starts(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    at = visit("sweep")
    assert "**22 runs**: 0 cached, 0 under way, **22 to train**" in text(at)
    assert Queue(settings).counts()[State.QUEUED] == 0


def test_what_is_trained_is_not_trained_again(visit, settings: Settings, tiny: DatasetInfo) -> None:
    at = visit("sweep", set_epochs="6", set_dim="8", strength_auc_ns=["0", "0.05", "0.2"], seeds="2")
    assert "**9 runs**: 9 cached, 0 under way, **0 to train**" in text(at)


def test_start_queues_the_plan_and_the_board_shows_it(visit, settings: Settings, no_worker: list[str]) -> None:
    tiny_dataset(settings)
    at = visit("sweep", strength_auc_ns=["0.05"], seeds="1")
    next(b for b in at.button if b.label.startswith("Train 3 runs")).click().run()
    assert not at.exception
    assert not at.error
    assert no_worker == ["started"]
    assert len(Queue(settings).jobs(state=State.QUEUED)) == 3
    assert list(at.dataframe[0].value["State"]) == ["waiting"] * 3
    assert at.selectbox(key="sweep").value == "#1 sweep · 3 runs"
    at.button(key="cancel_all").click().run()
    assert list(at.dataframe[0].value["State"]) == ["cancelled"] * 3


def test_a_failed_run_shows_its_error_and_the_end_of_its_log(visit, settings: Settings) -> None:
    results.failed(settings, tiny_dataset(settings), "The loss is not a number.", "epoch 1\nepoch 2: loss nan")
    for page in ("sweep", "overview"):
        at = visit(page)
        assert "The loss is not a number" in at.error[0].value.replace("\\", "")
        assert "epoch 2: loss nan" in at.code[0].value


def test_one_job_can_be_retried_and_cancelled_without_the_table(
    visit, settings: Settings, no_worker: list[str]
) -> None:
    job = results.failed(settings, tiny_dataset(settings), "It broke.", "")
    at = visit("sweep")
    at.selectbox(key="one_job").select(job.id)
    at.button(key="one_Retry").click().run()
    assert Queue(settings).job(job.id).state == State.QUEUED
    at.button(key="one_Cancel").click().run()
    assert Queue(settings).job(job.id).state == State.CANCELLED


def test_pause_and_resume(visit, settings: Settings, no_worker: list[str]) -> None:
    info = tiny_dataset(settings)
    Queue(settings).add_sweep(info.id, results.SHORT, results.SHORT.runs(info.id))
    at = visit("sweep")
    at.button(key="pause").click().run()
    assert Queue(settings).paused
    assert "paused" in "\n".join(str(c.value) for c in at.sidebar.caption)
    assert "**9 waiting**, paused" in text(at)
    at.button(key="resume").click().run()
    assert not Queue(settings).paused


@pytest.mark.parametrize(("field", "value"), [("set_lr", "fast"), ("set_dim", "0"), ("strength_auc_ns", "-3")])
def test_a_setting_out_of_range_is_refused_in_words_and_cannot_be_started(
    visit, settings: Settings, field: str, value: str
) -> None:
    tiny_dataset(settings)
    at = visit("sweep", **{field: value})
    assert len(at.warning) == 1
    assert value in at.warning[0].value
    assert not [b for b in at.button if b.label.startswith("Train ")]


def test_the_board_turns_to_the_sweep_that_was_just_started(visit, settings: Settings, no_worker: list[str]) -> None:
    """Said in so many words: a browser goes on showing the sweep that it showed before."""
    info = tiny_dataset(settings)
    Queue(settings).add_sweep(info.id, results.SHORT, results.SHORT.runs(info.id))
    at = visit("sweep", strength_auc_ns=["0.1"], seeds="1")
    assert at.selectbox(key="sweep").value == "#1 Short · 9 runs"
    next(b for b in at.button if b.label.startswith("Train 2 runs")).click().run()
    assert at.session_state["sweep"] == "#2 sweep · 3 runs"
    assert len(at.dataframe[0].value) == 3


def test_what_cannot_be_done_to_a_job_is_greyed(visit, settings: Settings, no_worker: list[str]) -> None:
    results.failed(settings, tiny_dataset(settings), "It broke.", "")
    at = visit("sweep")
    assert {a: at.button(key=f"one_{a}").disabled for a in ("Cancel", "Retry", "Log")} == {
        "Cancel": True,
        "Retry": False,
        "Log": False,
    }


def test_without_methods_and_references_there_is_nothing_to_start(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    at = visit("sweep")
    at.multiselect(key="methods").set_value([]).run()
    at.multiselect(key="references").set_value([]).run()
    assert not at.exception
    assert [b.disabled for b in at.button if b.label.startswith("Choose at least one")] == [True]


def test_a_preset_fills_the_form(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    at = visit("sweep")
    next(b for b in at.button if b.label == "Quick look").click().run()
    assert "**4 runs**" in text(at)


def test_time_left_is_measuring_until_it_is_known(visit, settings: Settings, no_worker: list[str]) -> None:
    info = tiny_dataset(settings)
    Queue(settings).add_sweep(info.id, results.SHORT, results.SHORT.runs(info.id))
    at = visit("sweep")
    assert "measuring time left" in text(at)
