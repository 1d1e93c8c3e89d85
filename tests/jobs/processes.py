"""Starting stand-in workers, waiting for conditions, and seeing that nobody is left over."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

import psutil

from core.settings import PROJECT, Settings

PATIENCE = 60.0
"""Seconds before a test gives up; a condition is met far sooner, however busy the machine."""


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Return as soon as the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE:g} s for {what}"
        time.sleep(0.02)


def start_worker(settings: Settings, **variables: str) -> "subprocess.Popen[bytes]":
    """A worker with stand-ins, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.standins"],
        cwd=PROJECT,
        env={**os.environ, **settings.environment(), **variables},
        start_new_session=True,
    )


def processes_of(settings: Settings) -> list[psutil.Process]:
    """Every process that works on this cache; without this one and the helper that loky keeps beside it."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("LONGTAIL_CACHE") == str(settings.cache)
            helper = process.ppid() == os.getpid() and "resource_tracker" in " ".join(process.cmdline())
            if ours and not helper and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def nobody_is_left(settings: Settings) -> None:
    """Wait until no process works on this cache."""
    wait_for(lambda: not processes_of(settings), f"the end of every process on {settings.cache}")
