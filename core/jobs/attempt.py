"""One attempt at a job, seen from inside its process: it trains or prepares, reports, and stops when asked.

    <attempts>/<run id>.<n>/   progress.json   how far it is, replaced as a whole
                               cancel          put there by the worker: stop between epochs
                               result/         what is renamed to the store at the end
                               reranked/       the same for a run that had to be trained so that this one re-ranks it
    <logs>/<job>.log           all it prints, errors and crashes included; outlives failure

Here: the folder's protocol and the I/O around the pure `train`. Not here: when an attempt is made and what its end
means for the job (worker.py), and in which process (runner.py). Nothing here touches the queue, so the same job can run
on another machine that sees the cache folder. Orphans are expected: an attempt whose folder is gone is stale.
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets.store import Dataset, DatasetInfo, read_dataset
from core.errors import Cancelled, LabError, RunFailed, SourceUnreachable
from core.jobs import artifacts
from core.jobs.queue import Job, Kind, Report, State
from core.models.variant import Run, Variant
from core.settings import Settings

if TYPE_CHECKING:  # compiles kernels on import, which waits until a run needs them
    from core.jobs.training import Progress, Result

Train = Callable[[Dataset, Run, Callable[["Progress"], None]], "Result"]
Acquire = Callable[[Settings, str, Callable[[float, str], None]], DatasetInfo]

Point = tuple[int, float, float, float | None]
"""One epoch of a learning curve: epoch, seconds, loss, metric."""

REPORT_SECONDS = 0.25
"""The least time between two reports: epochs may take milliseconds."""
CURVE_POINTS = 400
"""A learning curve that is longer is thinned."""
LOG_BYTES = 1_000_000
"""A log that is longer when an attempt begins is put aside, and the one put aside before is dropped."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A job, and where this attempt at it works."""

    settings: Settings
    job: Job

    @property
    def folder(self) -> Path:
        """Its own folder, never used by another attempt."""
        return self.settings.attempts / f"{self.job.run or f'prepare-{self.job.id}'}.{self.job.attempt}"

    @property
    def progress(self) -> Path:
        """What it last said of itself."""
        return self.folder / "progress.json"

    @property
    def cancel_mark(self) -> Path:
        """There when it should stop."""
        return self.folder / "cancel"

    def check(self) -> None:
        """Raises Cancelled if it was asked to stop, or its folder is gone: then it is no longer the current attempt."""
        if self.cancel_mark.exists() or not self.folder.exists():
            raise Cancelled

    def report(self, report: Report) -> None:
        """Replace what it last said. Raises Cancelled if its folder is gone."""
        fresh = self.folder / "progress.new"
        try:
            fresh.write_text(json.dumps(asdict(report)), encoding="utf-8")
            fresh.replace(self.progress)
        except FileNotFoundError:
            raise Cancelled from None

    def last_report(self) -> Report | None:
        """What it last said; None if it said nothing yet."""
        try:
            return Report(**json.loads(self.progress.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: done, failed or cancelled. (That its process died is no outcome: runner.ProcessDied.)"""

    state: State
    reason: str | None = None
    """Why it failed; for a preparation that is done, why another data set took its place."""
    dataset: str | None = None
    """The id of the data set that a preparation made."""


def train_run(settings: Settings, dataset: Dataset, run: Run, observe: Callable[[Progress], None]) -> Result:
    """training.train, imported only by processes that train."""
    # libraries and kernels are loaded here, so that the seconds of the first run are those of its epochs
    import core.evaluation.evaluate  # noqa: F401, as above
    from core.jobs.training import train
    from core.models.engines import load_engine, usable_device

    trained = _to_train(settings, run)
    load_engine(trained)
    device = usable_device(settings.device) if trained.engine == "autograd" else "cpu"
    return train(dataset, run, observe, device, partial(artifacts.finished_scorer, settings))


def _to_train(settings: Settings, run: Run) -> Variant:
    """What needs its engine: the run's variant, or what it re-ranks where that is not finished yet."""
    base = run.reranked
    return base.variant if base and not artifacts.is_finished(settings, base.id) else run.variant


def acquire_dataset(settings: Settings, name: str, progress: Callable[[float, str], None]) -> DatasetInfo:
    """acquire.acquire, imported only by processes that fetch."""
    from core.datasets.acquire import acquire

    return acquire(settings, name, progress)


def work(attempt: Attempt, train: Train | None = None, acquire: Acquire = acquire_dataset) -> Outcome:
    """Make the attempt. Never raises: whatever goes wrong is an outcome, and told in the log.

    What a person can mend is logged as its sentence. Pages show the log, so only a surprise leaves a traceback there.

    train, acquire: what trains a run (`train_run` by default) and what fetches a data set.
    """
    with _logged(attempt):
        try:
            attempt.check()
            return (
                _prepare(attempt, acquire)
                if attempt.job.kind == Kind.PREPARE
                else _train(attempt, train or partial(train_run, attempt.settings))
            )
        except Cancelled:
            return Outcome(State.CANCELLED)
        except LabError as error:
            sys.stderr.write(f"{error}\n")
            return Outcome(State.FAILED, str(error))
        except MemoryError:
            traceback.print_exc()
            return Outcome(State.FAILED, str(RunFailed("Memory ran out", "Lower dim, or train fewer runs at a time.")))
        except Exception as error:  # noqa: BLE001, the job fails with the reason, and the worker goes on
            traceback.print_exc()
            if not attempt.folder.exists():  # another attempt is the current one, and this one's errors mean nothing
                return Outcome(State.CANCELLED)
            return Outcome(State.FAILED, f"{type(error).__name__}: {error}")


def log_path(settings: Settings, job: int) -> Path:
    """Where a job's attempts log."""
    return settings.logs / f"{job}.log"


def rotate(path: Path) -> None:
    """Put a log aside when it has grown long."""
    with suppress(FileNotFoundError):
        if path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".old.log"))


# --- training


def _train(attempt: Attempt, train: Train) -> Outcome:
    run, started = Run.from_json(attempt.job.payload), time.perf_counter()
    attempt.report(Report(doing="Getting ready (on first use also compiling)"))
    _reset_peak_memory()
    dataset = _read_dataset(attempt.settings.datasets / run.variant.dataset)
    observer = _Observer(attempt)
    trained = train(dataset, run, observer)
    observer.flush()
    first = trained.reranked
    overhead = time.perf_counter() - started - trained.seconds - (first.seconds if first else 0)
    attempt.check()
    if first:  # a run of its own: whoever re-ranks it next finds it
        (attempt.folder / "reranked").mkdir()
        artifacts.publish(attempt.settings, attempt.folder / "reranked", first, dataset, _peak_memory_mb(), overhead)
    artifacts.publish(attempt.settings, attempt.folder, trained, dataset, _peak_memory_mb(), overhead)
    return Outcome(State.DONE)


@lru_cache(maxsize=1)
def _read_dataset(folder: Path) -> Dataset:
    """Kept for the next run of this process: interactions never change under an id. Raises RunFailed if it is gone."""
    if not folder.exists():
        raise RunFailed(f"Its data set {folder.name} is not there any more", "Fetch or import it again, then retry.")
    return read_dataset(folder)


class _Observer:
    """Told after every epoch: stops when asked, and reports from time to time."""

    def __init__(self, attempt: Attempt):
        self._attempt, self._parent = attempt, os.getppid()
        self._due = 0.0
        self._latest: Report | None = None
        self._metric: float | None = None
        self._curve: list[Point] = []

    def __call__(self, progress: Progress) -> None:
        if os.getppid() != self._parent:
            raise Cancelled  # the worker died, and a new one begins anew
        self._attempt.check()
        self._metric = self._metric if progress.metric is None else progress.metric
        self._curve.append((progress.epoch, progress.seconds, progress.loss, progress.metric))
        if len(self._curve) > CURVE_POINTS:
            self._curve = _thinned(self._curve)
        self._latest = Report(
            doing="Training",
            share=progress.epoch / max(progress.epochs, 1),
            epoch=progress.epoch,
            epochs=progress.epochs,
            loss=progress.loss,
            metric=self._metric,
            seconds=progress.seconds,
            left=progress.left,
        )
        if time.perf_counter() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Write the latest state, whenever the last time was."""
        self._due = time.perf_counter() + REPORT_SECONDS
        if self._latest:
            self._attempt.report(Report(**{**asdict(self._latest), "curve": self._curve}))


def _thinned(curve: list[Point]) -> list[Point]:
    """Every second point less, of those with a metric or of those without, whichever are more."""
    looked, plain = [p for p in curve if p[3] is not None], [p for p in curve if p[3] is None]
    if len(looked) > len(plain):
        looked = looked[::-2]
    else:
        plain = plain[::-2]
    return sorted(looked + plain)


def _reset_peak_memory() -> None:
    """Begin the peak anew where the system can (Linux): this process has trained other runs before."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_memory_mb() -> float:
    with suppress(OSError, StopIteration):
        status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


# --- preparing


def _prepare(attempt: Attempt, acquire: Acquire) -> Outcome:
    name, fallback = str(attempt.job.payload["name"]), attempt.job.payload.get("fallback")
    said, due = "", 0.0

    def observe(share: float, doing: str) -> None:
        nonlocal said, due
        attempt.check()
        if doing != said or time.perf_counter() >= due:
            said, due = doing, time.perf_counter() + REPORT_SECONDS
            attempt.report(Report(share=share, doing=doing))

    try:
        return Outcome(State.DONE, dataset=acquire(attempt.settings, name, observe).id)
    except SourceUnreachable as error:
        if not fallback:
            raise
        sys.stderr.write(f"{error}\n")
        return Outcome(State.DONE, str(error), acquire(attempt.settings, str(fallback), observe).id)


# --- the log


@contextmanager
def _logged(attempt: Attempt) -> Iterator[None]:
    """Everything this process prints, the last words of a crash included, goes to the job's log."""
    path = log_path(attempt.settings, attempt.job.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    rotate(path)
    with path.open("a", encoding="utf-8", buffering=1) as log:
        print(f"--- {attempt.job.label}: attempt {attempt.job.attempt}", file=log, flush=True)
        before = [os.dup(1), os.dup(2)]
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        faulthandler.enable(2)  # a crash in compiled code leaves the Python lines that led there
        try:
            with redirect_stdout(log), redirect_stderr(log):
                yield
        finally:
            log.flush()
            for number, old in enumerate(before, start=1):
                os.dup2(old, number)
                os.close(old)
