import json
import os
from dataclasses import replace

import pytest

from core.datasets.store import DatasetInfo
from core.errors import Cancelled, RunFailed
from core.jobs import artifacts, attempt
from core.jobs.attempt import CURVE_POINTS, Attempt, Outcome, log_path, rotate, work
from core.jobs.queue import Queue, Report, State
from core.jobs.training import Progress
from core.models.sweep import Sweep
from core.settings import Settings
from tests.jobs import standins
from tests.tiny import tiny_dataset


@pytest.fixture
def tiny(settings: Settings) -> DatasetInfo:
    return tiny_dataset(settings)


def begun(settings: Settings, dataset: str, seed: int = 0) -> Attempt:
    sweep = standins.sweep(seed)
    queue = Queue(settings)
    queue.add_sweep(dataset, sweep, sweep.runs(dataset))
    return made(settings, queue)


def made(settings: Settings, queue: Queue) -> Attempt:
    found = Attempt(settings, queue.claim())
    found.folder.mkdir(parents=True)
    return found


def test_a_run_is_published_and_says_how_far_it_is(settings, tiny):
    mine = begun(settings, tiny.id)
    assert standins.stand_in_work(mine) == Outcome(State.DONE)
    assert artifacts.finished_runs(settings) == [mine.job.run]
    report = mine.last_report()
    assert (report.epoch, report.epochs, report.share, report.metric) == (standins.EPOCHS, standins.EPOCHS, 1.0, 0.1)
    assert [point[0] for point in report.curve] == [1, 2, 3, 4]


def test_a_penalty_trains_what_it_re_ranks_once_and_publishes_both(settings, tiny, monkeypatch):
    from core.jobs import training

    settings_of = {"dim": [4], "epochs": [2], "penalty_strength": [0.1, 0.2]}
    base, first, second = Sweep((settings_of,), ("pop_penalty",), (0,)).runs(tiny.id)
    queue = Queue(settings)
    queue.add_sweep(tiny.id, Sweep(), [first, second])  # whoever deleted the other run meanwhile
    assert work(made(settings, queue)) == Outcome(State.DONE)
    assert artifacts.finished_runs(settings) == sorted([base.id, first.id])
    assert [artifacts.verify(settings.runs / run.id) for run in (base, first)] == [[], []]
    assert artifacts.read_meta(settings, first.id)["epoch"] == artifacts.read_meta(settings, base.id)["epoch"]

    def unexpected(*_):
        raise AssertionError("it was trained again")

    monkeypatch.setattr(training, "make_engine", unexpected)
    assert work(made(settings, queue)) == Outcome(State.DONE)
    assert artifacts.finished_runs(settings) == sorted([base.id, first.id, second.id])


def test_asked_to_stop_it_stops_between_epochs(settings, tiny):
    mine = begun(settings, tiny.id)

    def train(dataset, run, observe):
        observe(Progress(1, 10, 0.5, None, None, 0.1, 0.9))
        mine.cancel_mark.touch()
        observe(Progress(2, 10, 0.5, None, None, 0.2, 0.8))
        raise AssertionError("it went on")

    assert work(mine, train).state == State.CANCELLED
    assert artifacts.finished_runs(settings) == []


def test_an_orphan_stops_between_epochs(settings, tiny, monkeypatch):
    mine = begun(settings, tiny.id)

    def train(dataset, run, observe):
        observe(Progress(1, 10, 0.5, None, None, 0.1, 0.9))
        monkeypatch.setattr(os, "getppid", lambda: 0)  # 1 may be the tests' own parent already
        observe(Progress(2, 10, 0.5, None, None, 0.2, 0.8))
        raise AssertionError("it went on")

    assert work(mine, train).state == State.CANCELLED


@pytest.mark.parametrize("moment", ["between epochs", "after the last epoch"])
def test_a_stale_attempt_ends_without_a_result(settings, tiny, moment):
    """A new worker has taken its folder away; a new attempt works under another number."""
    mine = begun(settings, tiny.id)

    def train(dataset, run, observe):
        artifacts.discard(settings, mine.folder)
        if moment == "between epochs":
            observe(Progress(1, 10, 0.5, None, None, 0.1, 0.9))
        return standins.make_result(dataset, run, [])

    assert work(mine, train).state == State.CANCELLED
    assert artifacts.finished_runs(settings) == []
    assert not mine.folder.exists()


def test_an_error_nobody_foresaw_is_a_reason_with_a_traceback_in_the_log(settings, tiny, capfd):
    mine = begun(settings, tiny.id, standins.BREAKS)
    assert standins.stand_in_work(mine) == Outcome(State.FAILED, "ZeroDivisionError: by nobody's intention")
    log = log_path(settings, mine.job.id).read_text("utf-8")
    assert log.startswith(f"--- {mine.job.label}: attempt 1\nTraceback")
    print("afterwards the terminal is ours again", flush=True)
    assert capfd.readouterr().out == "afterwards the terminal is ours again\n"


def test_what_a_person_can_mend_is_its_sentence_in_the_log(settings, tiny):
    mine, diverged = begun(settings, tiny.id), RunFailed("Training diverged", "Lower lr")

    def train(dataset, run, observe):
        raise diverged

    assert work(mine, train) == Outcome(State.FAILED, str(diverged))
    log = log_path(settings, mine.job.id).read_text("utf-8")
    assert log == f"--- {mine.job.label}: attempt 1\n{diverged}\n"


def test_memory_that_ran_out_has_a_sentence(settings, tiny):
    def train(dataset, run, observe):
        raise MemoryError

    assert "Lower dim" in work(begun(settings, tiny.id), train).reason


def test_a_data_set_that_is_gone_has_a_sentence(settings):
    outcome = standins.stand_in_work(begun(settings, "0" * 16))
    said = "Its data set 0000000000000000 is not there any more. Fetch or import it again, then retry."
    assert outcome == Outcome(State.FAILED, said)


def test_what_compiled_code_prints_is_in_the_log(settings, tiny):
    def train(dataset, run, observe):
        os.write(2, b"free(): invalid pointer\n")
        return standins.make_result(dataset, run, [])

    mine = begun(settings, tiny.id)
    assert work(mine, train).state == State.DONE
    assert "invalid pointer" in log_path(settings, mine.job.id).read_text("utf-8")


def test_a_preparation_says_what_it_does_and_names_its_data_set(settings):
    queue = Queue(settings)
    queue.add_prepare("ml-100k")
    mine = made(settings, queue)
    outcome = standins.stand_in_work(mine)
    assert outcome == Outcome(State.DONE, None, tiny_dataset(settings).id)
    assert mine.last_report() == Report(doing="fetching ml-100k", share=0.5, curve=[])


def test_a_preparation_can_be_cancelled(settings):
    queue = Queue(settings)
    queue.add_prepare("ml-100k")
    mine = made(settings, queue)

    def acquire(settings, name, progress):
        mine.cancel_mark.touch()
        progress(0.5, "half of it")
        raise AssertionError("it went on")

    assert work(mine, acquire=acquire).state == State.CANCELLED


def test_a_long_curve_is_thinned_and_keeps_its_ends(settings, tiny):
    mine = begun(settings, tiny.id)
    observer = attempt._Observer(mine)
    for epoch in range(1, 2001):
        observer(Progress(epoch, 2000, 0.5, 0.1 if epoch % 5 == 0 else None, None, epoch / 100, 0.0))
    observer.flush()
    curve = mine.last_report().curve
    epochs = [point[0] for point in curve]
    assert epochs == sorted(set(epochs))
    assert CURVE_POINTS / 2 <= len(epochs) <= CURVE_POINTS
    assert epochs[0] <= 50
    assert epochs[-1] == 2000
    assert sum(point[3] is not None for point in curve) >= CURVE_POINTS / 4


def test_half_a_report_is_no_report(settings, tiny):
    mine = begun(settings, tiny.id)
    assert mine.last_report() is None
    mine.progress.write_text('{"epoch": 3', "utf-8")
    assert mine.last_report() is None
    mine.progress.write_text(json.dumps({"epoch": 3, "something": "else"}), "utf-8")
    assert mine.last_report() is None


def test_a_report_from_a_folder_that_is_gone_is_a_cancel(settings, tiny):
    mine = begun(settings, tiny.id)
    artifacts.discard(settings, mine.folder)
    with pytest.raises(Cancelled):
        mine.report(Report(epoch=1))


def test_attempts_at_one_run_never_share_a_folder(settings, tiny):
    mine = begun(settings, tiny.id)
    again = Attempt(settings, replace(mine.job, attempt=2))
    assert mine.folder.name == f"{mine.job.run}.1"
    assert again.folder.name == f"{mine.job.run}.2"


def test_a_long_log_is_put_aside(tmp_path):
    path = tmp_path / "1.log"
    rotate(path)
    path.write_bytes(b"x" * attempt.LOG_BYTES)
    rotate(path)
    assert path.exists()
    path.write_bytes(b"x" * (attempt.LOG_BYTES + 1))
    rotate(path)
    assert [p.name for p in tmp_path.iterdir()] == ["1.old.log"]
