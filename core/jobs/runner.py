"""Where attempts run: here on this machine, each core with a training process of its own.

Here: processes, how they start, and how one that died is told. Not here: what they do (attempt.py), and which job is
next (worker.py). A runner elsewhere, such as a cluster's, is another class with the methods that `Runner` names.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Protocol

from joblib.externals.loky.process_executor import BrokenProcessPool, ProcessPoolExecutor

from core.errors import Failed
from core.jobs.attempt import Attempt, Outcome, work
from core.kernels import THREADS, use_kernel_cache, warm_up
from core.settings import Settings

TAKING_SECONDS = 2.0
"""How long an executor may need to take what it was sent; it needs milliseconds."""

WATCH_SECONDS = 0.5
"""How often a training process looks for the worker where the kernel does not do that."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class ProcessDied(Failed):
    """The process that made an attempt ended by itself: killed, crashed, or out of memory."""

    def __init__(self, how: str):
        super().__init__(how)
        self.how = how

    def __str__(self) -> str:
        hint = "memory may have run out" if "SIGKILL" in self.how else "its log may tell more"
        return f"The process that worked on it died ({self.how}); {hint}."


class Runner(Protocol):
    """Where attempts run."""

    @property
    def slots(self) -> int:
        """How many attempts it makes at a time."""

    def submit(self, attempt: Attempt) -> Future[Outcome]:
        """Make the attempt; not more than `slots` at a time. The future raises ProcessDied if its process did."""

    def warm_up(self) -> None:
        """Make processes that have nothing to do ready for runs."""

    def stop(self) -> None:
        """End everything at once. Attempts under way are lost, which harms nothing."""


class LocalRunner:
    """One single-process executor for each slot, so that a crash hits one run and no neighbour.

    Processes stay warm between runs: libraries loaded, kernels compiled, the data set read.
    """

    def __init__(
        self,
        settings: Settings,
        work: Callable[[Attempt], Outcome] = work,
        warm: Callable[[Settings], object] = warm_up,
    ):
        self._settings, self._work, self._warm = settings, work, warm
        self._slots = [_Slot(settings) for _ in range(settings.workers)]

    @property
    def slots(self) -> int:
        """How many attempts it makes at a time."""
        return len(self._slots)

    def submit(self, attempt: Attempt) -> Future[Outcome]:
        """Make the attempt in a process that is free. The future raises ProcessDied if that process did."""
        slot = next(s for s in self._slots if not s.busy)
        return slot.submit(self._work, attempt)

    def warm_up(self) -> None:
        """Compile kernels, or load them, in one process that is free: the others then find them compiled."""
        for slot in [s for s in self._slots if not s.busy][:1]:
            slot.prepare(self._warm, self._settings)

    def stop(self) -> None:
        """Kill every training process."""
        for slot in self._slots:
            slot.stop()


class _Slot:
    """One process, replaced when it dies."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._executor: ProcessPoolExecutor | None = None
        self._current: Future[Outcome] | None = None
        self._sent: Future[Any] | None = None

    @property
    def busy(self) -> bool:
        return self._current is not None and not self._current.done()

    def submit(self, work: Callable[[Attempt], Outcome], attempt: Attempt) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        self._current = future
        try:
            self._send(work, attempt).add_done_callback(lambda done: _pass_on(done, future))
        except BrokenProcessPool as error:
            future.set_exception(_died(error))
        return future

    def prepare(self, action: Callable[[Settings], object], settings: Settings) -> None:
        """Do something before the next attempt; whether it works shows when that one starts."""
        self._send(action, settings)

    def stop(self) -> None:
        if self._executor:
            self._let_it_take_what_was_sent()
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None

    def _send(self, function: Callable[..., Any], argument: object) -> Future[Any]:
        try:
            self._sent = self._process().submit(function, argument)
        except BrokenProcessPool:  # it died since the last attempt, or with it
            self.stop()
            self._sent = self._process().submit(function, argument)
        return self._sent

    def _let_it_take_what_was_sent(self) -> None:
        """Shut down in the moment between the two, loky's thread dies of a KeyError (joblib 1.6.0)."""
        deadline = time.monotonic() + TAKING_SECONDS
        while self._sent and not (self._sent.running() or self._sent.done()) and time.monotonic() < deadline:
            time.sleep(0.001)

    def _process(self) -> ProcessPoolExecutor:
        if self._executor is None:
            self._executor = _new_executor(self._settings)
        return self._executor


def _new_executor(settings: Settings) -> ProcessPoolExecutor:
    # started with these variables, since numpy and numba read them when they are loaded, before any code of ours runs
    threads = dict.fromkeys((*THREADS, "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1")
    return ProcessPoolExecutor(1, initializer=_begin, initargs=(settings, os.getpid()), env=threads)


def _begin(settings: Settings, parent: int) -> None:
    """What a training process does first."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # sent to a whole group, these are the worker's to handle: it ends us
    _end_with_parent(parent)
    sys.meta_path.insert(0, _WithoutPandas())
    use_kernel_cache(settings)


class _WithoutPandas(MetaPathFinder, Loader):
    """pyarrow imports pandas, half a second of work, to convert any array, and does without where there is none.

    It is found and not loaded: torch asks where pandas is, without loading it, and does not expect to be refused.
    """

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        """Finds pandas here; others find the rest."""
        return ModuleSpec(name, self) if name == "pandas" else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Refuses to load it."""
        raise ModuleNotFoundError("training processes do without pandas", name=spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Is never reached."""


def _end_with_parent(parent: int) -> None:
    """Never outlive the worker, however it dies: an orphan would hold a core, or wait for work for ever."""
    if not _kernel_ends_us_with_parent():
        threading.Thread(target=_watch, args=(parent,), name="watch the worker", daemon=True).start()
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def _kernel_ends_us_with_parent() -> bool:
    """Ask the kernel to; only Linux can."""
    try:
        return bool(ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) == 0)
    except (OSError, AttributeError):
        return False


def _watch(parent: int) -> None:
    """End this process within a second of its parent's end."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)


def _pass_on(done: Future[Outcome], future: Future[Outcome]) -> None:
    """The executor's answer in this module's words."""
    error = done.exception()
    if error is None:
        future.set_result(done.result())
    else:
        future.set_exception(_died(error) if isinstance(error, BrokenProcessPool) else error)


def _died(error: BaseException) -> ProcessDied:
    codes = re.search(r"exit codes of the workers are \{(.*?)\}", str(error))
    return ProcessDied(codes.group(1) if codes else type(error).__name__)
