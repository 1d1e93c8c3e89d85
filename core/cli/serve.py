"""`serve`: the app and an attached worker in one process group, for containers and services.

Here: starting both, passing signals on, reaping, restarting the worker. Not here: what either of them does.
The worker that the app would start by itself is not needed: one worker a cache folder holds its lock.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import FrameType

from core.cli.command import Commands, add_command
from core.cli.output import Output
from core.errors import Refused
from core.settings import PROJECT, Settings

FOREVER = 86_400.0  # seconds of idleness: an attached worker waits for work rather than for its end
PATIENCE = 10.0  # seconds between the request to stop and the end of patience
LONGEST_PAUSE = 30.0  # seconds before a worker that keeps ending is started again
LOOK_SECONDS = 0.2


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands, "serve", serve, "app and attached worker in one process group, for containers", "SIGTERM ends both."
    )
    parser.add_argument("--port", type=int, default=8501, metavar="N", help="port of the app (default 8501)")
    parser.add_argument("--address", default="localhost", help="where to listen (default localhost; 0.0.0.0 is all)")


def serve(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Run app and worker until the app ends. Returns the app's exit code."""
    if not 0 < args.port < 65536:
        raise Refused(f"--port {args.port} is no port. Give a number from 1 to 65535.")
    settings.cache.mkdir(parents=True, exist_ok=True)
    output.say(f"Serving on http://{args.address}:{args.port}; results are kept in {settings.cache}.")
    return Pair(app_command(args.port, args.address), worker_command(), worker_environment(settings)).run()


def app_command(port: int, address: str) -> list[str]:
    """How the app is started; .streamlit/config.toml says the rest."""
    where = [f"--server.port={port}", f"--server.address={address}"]
    return [sys.executable, "-m", "streamlit", "run", str(PROJECT / "app.py"), *where]


def worker_command() -> list[str]:
    """How the attached worker is started."""
    return [sys.executable, "-m", "core", "worker"]


def worker_environment(settings: Settings) -> dict[str, str]:
    """The attached worker's variables: those of this process, and endless patience."""
    return {**os.environ, **replace(settings, idle_seconds=FOREVER).environment()}


class Pair:
    """An app and its worker: the app's end ends both, the worker's end starts another.

    Children are waited for by hand, all of them: as the first process of a container this one also inherits orphans.
    """

    def __init__(self, app: Sequence[str], worker: Sequence[str], worker_env: dict[str, str]):
        self._app_command, self._worker_command, self._worker_env = app, worker, worker_env
        self._app: int | None = None
        self._worker: int | None = None
        self._code = 0  # the app's, once it has ended
        self._worker_due = 0.0
        self._pause = 1.0
        self._asked = False  # somebody wants both to end
        self._stop_at: float | None = None  # when patience ends

    def run(self) -> int:
        """Start both; returns the app's exit code once it has ended and the worker after it."""
        with self._signals():
            self._app = _spawn(self._app_command, dict(os.environ))
            while self._app or self._worker:
                if self._asked or not self._app:
                    self._stop()
                else:
                    self._keep_worker()
                time.sleep(LOOK_SECONDS)
                self._reap()
        return self._code

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        kept = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)

    def _note(self, _: int, __: FrameType | None) -> None:
        self._asked = True  # and no more: a child that is just being started must be signalled too

    def _stop(self) -> None:
        """Ask both to end, once; the worker then hands its jobs back to the queue. There is a limit to patience."""
        if self._stop_at is None:
            self._stop_at = time.monotonic() + PATIENCE
            number = signal.SIGTERM
        elif time.monotonic() > self._stop_at:
            number = signal.SIGKILL
        else:
            return
        _signal(self._app, number)
        _signal(self._worker, number)

    def _keep_worker(self) -> None:
        if not self._worker and time.monotonic() >= self._worker_due:
            self._worker = _spawn(self._worker_command, self._worker_env)

    def _reap(self) -> None:
        """Take note of every child that has ended."""
        for child, status in _ended():
            if child == self._app:
                self._app, self._code = None, _exit_code(status)
            elif child == self._worker:
                self._worker = None
                self._worker_due = time.monotonic() + self._pause
                self._pause = min(2 * self._pause, LONGEST_PAUSE)


def _spawn(command: Sequence[str], environment: dict[str, str]) -> int:
    return os.posix_spawn(command[0], list(command), environment)


def _signal(child: int | None, number: int) -> None:
    if child:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)


def _ended() -> list[tuple[int, int]]:
    """The children that have ended since the last call, with their status."""
    found = []
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            found.append(ended)
    return found


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code  # as a shell reports a signal
