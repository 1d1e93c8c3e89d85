"""Folders to work in, beside the data sets, that leave nothing behind.

Here: a scratch folder with a lock that shows its process is alive, and the removal of those whose process died.
Not here: what is written there (store.py, sources.py).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from core.settings import Settings

_PREFIX = ".work-"


def publishing_lock(settings: Settings) -> FileLock:
    """Held while data sets appear, change or vanish, and while scratch folders are made or swept: moments only."""
    settings.datasets.mkdir(parents=True, exist_ok=True)
    return FileLock(settings.datasets / ".lock")


@contextmanager
def scratch(settings: Settings) -> Iterator[Path]:
    """A folder of one's own on the data sets' file system, removed at the end.

    A killed process leaves it behind, unlocked by the kernel: `sweep_leftovers` then removes it.
    """
    with publishing_lock(settings):
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=settings.datasets))
        alive = FileLock(folder / "alive.lock")
        alive.acquire()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        alive.release()


def leftovers(settings: Settings) -> list[Path]:
    """The scratch folders of processes that died. Changes nothing."""
    if not any(settings.datasets.glob(f"{_PREFIX}*")):
        return []
    with publishing_lock(settings):
        return [folder for folder in sorted(settings.datasets.glob(f"{_PREFIX}*")) if _is_dead(folder)]


def sweep_leftovers(settings: Settings) -> list[Path]:
    """Remove the scratch folders of processes that died and return them; those of live ones are locked and stay."""
    if not any(settings.datasets.glob(f"{_PREFIX}*")):
        return []
    with publishing_lock(settings):  # nobody is between making a folder and locking it
        return [folder for folder in sorted(settings.datasets.glob(f"{_PREFIX}*")) if _removed_if_dead(folder)]


def _is_dead(folder: Path) -> bool:
    with suppress(Timeout, FileNotFoundError), FileLock(folder / "alive.lock", timeout=0):
        return True
    return False


def _removed_if_dead(folder: Path) -> bool:
    alive = FileLock(folder / "alive.lock", timeout=0)
    with suppress(Timeout, FileNotFoundError), alive:
        shutil.rmtree(folder, ignore_errors=True)
        return True
    return False


def sync(path: Path) -> None:
    """Make a file's or folder's content survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
