"""The worker: the one process of a cache folder that hands queued jobs to the runner and keeps the queue true.

It holds a file lock that the kernel frees on death, so whoever gets the lock knows that nobody else works: it returns
"running" jobs to the queue and removes their attempts. It ends when idle, and on SIGTERM or Ctrl-C: jobs go back then.
Here: the loop. Not here: states (queue.py), processes (runner.py), what an attempt does (attempt.py), and starting a
worker (control.py).
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from types import FrameType

from filelock import FileLock, Timeout

from core.datasets.store import sweep_leftovers
from core.errors import LabError
from core.jobs import artifacts
from core.jobs.attempt import Attempt, Outcome
from core.jobs.queue import Job, Kind, Queue, State
from core.jobs.runner import LocalRunner, ProcessDied, Runner
from core.settings import Settings, read_settings

TICK_SECONDS = 0.1
"""How soon a new job, a cancel mark or a signal is noticed."""
RELAY_SECONDS = 1.0
"""How often progress is written to the queue."""
LOCK_PATIENCE = 2.0
"""How long to try for the lock: whoever asks whether a worker runs holds it for a moment."""

log = logging.getLogger("worker")


class Worker:
    """Serves the queue of one cache folder; only for the holder of its lock."""

    def __init__(self, settings: Settings, runner: Runner, stopping: threading.Event, once: bool = False):
        self._settings, self._runner, self._stopping, self._once = settings, runner, stopping, once
        self._queue = Queue(settings)
        self._running: dict[Future[Outcome], Attempt] = {}
        self._relay_due = 0.0

    def run(self) -> None:
        """Serve until idle for `idle_seconds` (`once`: until there is nothing to do) or until `stopping` is set."""
        self._begin()
        try:
            idle_since = time.monotonic()
            while not self._stopping.is_set():
                self._fill()
                if self._running:
                    idle_since = time.monotonic()
                    self._attend()
                elif self._once or time.monotonic() - idle_since >= self._settings.idle_seconds:
                    return
                else:
                    self._stopping.wait(TICK_SECONDS)
        finally:
            self._end()

    def _begin(self) -> None:
        """Nobody else works on this cache: what is marked as running is not, and attempts are left over."""
        if returned := self._queue.recover():
            log.info("%d jobs of a worker that died are queued again", returned)
        if self._settings.attempts.is_dir():
            for folder in self._settings.attempts.iterdir():
                artifacts.discard(self._settings, folder)
        sweep_leftovers(self._settings)

    def _end(self) -> None:
        self._runner.stop()
        for attempt in self._running.values():
            log.info("job %d, %s: back to the queue", attempt.job.id, attempt.job.label)
            artifacts.discard(self._settings, attempt.folder)
            self._queue.release(attempt.job)

    def _fill(self) -> None:
        """Start jobs while processes are free."""
        while len(self._running) < self._runner.slots and self._queue.claimable():
            job = self._queue.claim()
            if job is None:
                return
            if job.run and artifacts.is_finished(self._settings, job.run):
                self._queue.finish(job, cached=True)  # trained since it was asked for
            else:
                self._start(job)

    def _start(self, job: Job) -> None:
        log.info("job %d, %s: attempt %d", job.id, job.label, job.attempt)
        attempt = Attempt(self._settings, job)
        artifacts.discard(self._settings, attempt.folder)  # the numbers began anew if the queue's file was deleted
        attempt.folder.mkdir(parents=True)
        self._running[self._runner.submit(attempt)] = attempt
        if job.kind == Kind.PREPARE:
            self._runner.warm_up()  # runs will follow, and compiling takes about as long as fetching

    def _attend(self) -> None:
        """Wait a moment for an attempt to end; relay progress and cancel marks."""
        done, _ = wait(self._running, timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            self._settle(self._running.pop(future), future)
        cancelling = self._queue.cancelling()
        for attempt in self._running.values():
            if attempt.job.id in cancelling:
                attempt.cancel_mark.touch()
        if time.monotonic() >= self._relay_due:
            self._relay_due = time.monotonic() + RELAY_SECONDS
            self._relay(list(self._running.values()))

    def _relay(self, attempts: list[Attempt]) -> None:
        reports = [(attempt.job, report) for attempt in attempts if (report := attempt.last_report())]
        if reports:
            self._queue.relay(reports)

    def _settle(self, attempt: Attempt, future: Future[Outcome]) -> None:
        """Write down how an attempt ended, and remove its folder."""
        job = attempt.job
        self._relay([attempt])
        try:
            outcome = future.result()
        except ProcessDied as error:
            log.warning("job %d, %s: %s", job.id, job.label, error)
            if job.run and artifacts.is_finished(self._settings, job.run):
                self._queue.finish(job)  # it died after publishing
            else:
                self._queue.died(job, str(error))
        except Exception as error:
            log.exception("job %d, %s", job.id, job.label)
            self._queue.fail(job, f"The attempt could not be made: {type(error).__name__}: {error}")
        else:
            log.info("job %d, %s: %s %s", job.id, job.label, outcome.state, outcome.reason or "")
            self._record(job, outcome)
        artifacts.discard(self._settings, attempt.folder)

    def _record(self, job: Job, outcome: Outcome) -> None:
        if outcome.state == State.FAILED:
            self._queue.fail(job, outcome.reason or "no reason was given")
        elif outcome.state == State.CANCELLED:
            self._queue.release(job)  # cancelled if asked for; made again if it lost its folder
        elif job.kind == Kind.PREPARE and outcome.dataset:
            finished = set(artifacts.finished_runs(self._settings))
            self._queue.finish_prepare(job, outcome.dataset, finished, outcome.reason)
        else:
            self._queue.finish(job)


def serve(
    settings: Settings,
    once: bool = False,
    make_runner: Callable[[Settings], Runner] = LocalRunner,
    stopping: threading.Event | None = None,
) -> bool:
    """Be the worker of this cache folder until there is nothing to do. False if another one is.

    stopping: set it to end early, and jobs under way go back to the queue; on the main thread signals to end do so too.
    """
    stopping = stopping or threading.Event()
    _stop_on_signals(stopping)
    settings.cache.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.worker_lock, timeout=LOCK_PATIENCE)
    while True:
        try:
            lock.acquire()
        except Timeout:
            return False
        try:
            Worker(settings, make_runner(settings), stopping, once).run()
        finally:
            lock.release()
        # whoever queued a job after our last look and before the release saw the lock and started nobody
        if stopping.is_set() or not Queue(settings).claimable():
            return True


def _stop_on_signals(stopping: threading.Event) -> None:
    def stop(number: int, _: FrameType | None) -> None:
        log.info("%s: ending", signal.Signals(number).name)
        stopping.set()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, stop)


def main() -> int:
    """The detached worker that control.ensure_worker starts."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s", stream=sys.stderr)
    try:
        served = serve(read_settings())
    except LabError as error:
        log.error("%s", error)
        return error.exit_code
    log.info("idle, ending" if served else "another worker serves this cache")
    return 0


if __name__ == "__main__":
    sys.exit(main())
