"""What is wrong with this installation or cache, and the mend.

Here: one check a part, each a function from the settings to findings; `mend` carries out what a finding offers.
Not here: how a part checks itself (datasets.store, jobs.artifacts, jobs.queue, warehouse), printing (cli/doctor.py).
Nothing of the user's own is deleted: a damaged queue is moved aside, a damaged import only reported, and added lists
measured anew where they are whole. What is deleted can be trained, fetched or built again.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from core.datasets import scratch, store
from core.errors import DamagedArtifact
from core.jobs import added_lists, artifacts, control, queue
from core.kernels import kernel_folder
from core.models import RESULT_VERSION
from core.settings import PROJECT, Settings
from core.warehouse import connection

OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    part: str
    problem: str
    """What is wrong, a sentence."""
    mend: str
    """What helps, a sentence."""
    apply: Callable[[], None] | None = None
    """Does it; None where only a person can."""


Check = Callable[[Settings], Iterator[Finding]]


def examine(settings: Settings, show: Callable[[float, str], None] = lambda *_: None) -> Iterator[Finding]:
    """Everything that is wrong, part by part. show: is told the share done and the part under way."""
    for number, (part, check) in enumerate(CHECKS.items()):
        show(number / len(CHECKS), f"looking at {part}")
        yield from check(settings)


def mend(finding: Finding) -> bool:
    """Carry out what the finding offers; False where only a person can."""
    if finding.apply is None:
        return False
    finding.apply()
    return True


def python(_: Settings) -> Iterator[Finding]:
    """Is Python recent enough, and is every package the version that was tested?"""
    if sys.version_info < OLDEST_PYTHON:
        yield Finding("installation", f"Python is {sys.version.split()[0]}.", "Install Python 3.11 or later.")
    for name, wanted in pinned(PROJECT / "requirements.txt"):
        found = _version(name)
        if found is None or found.partition("+")[0] != wanted:
            is_there = f"{name} {found} is installed" if found else f"{name} is not installed"
            mend = "Run `make run`, or `pip install -r requirements.txt`."
            yield Finding("installation", f"{is_there}, {wanted} is what was tested.", mend)


def pinned(requirements: Path) -> list[tuple[str, str]]:
    """Package and version of each `name==version` line; an installation without the file has none to compare with."""
    if not requirements.exists():
        return []
    return re.findall(r"^([\w.-]+)==([\w.]+)", requirements.read_text(encoding="utf-8"), re.MULTILINE)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def writable(settings: Settings) -> Iterator[Finding]:
    """Can the cache folder be written?"""
    nearest = next(path for path in (settings.cache, *settings.cache.parents) if path.exists())
    if not os.access(nearest, os.W_OK):
        mend = "Give yourself the right to write there, or choose another folder by LONGTAIL_CACHE."
        yield Finding("cache", f"{nearest} cannot be written.", mend)


def datasets(settings: Settings) -> Iterator[Finding]:
    """Does each data set hold the interactions that its id names?"""
    for folder in _folders(settings.datasets):
        for problem in map(_without_advice, store.verify(folder)):
            if _may_be_fetched_again(folder):
                mend = "Remove it; it can be fetched again."
                yield Finding("data sets", problem, mend, _discard(settings, folder))
            else:
                mend = "It is your own, so it is left alone: import it again, which replaces the damaged files."
                yield Finding("data sets", problem, mend)


def _may_be_fetched_again(folder: Path) -> bool:
    try:
        return not store.read_info(folder).imported
    except DamagedArtifact:
        return False


def runs(settings: Settings) -> Iterator[Finding]:
    """Is each finished run what was written, and by a program whose results count today?"""
    for run in artifacts.finished_runs(settings):
        folder = settings.runs / run
        discard = _discard(settings, folder)
        problems = artifacts.verify(folder)
        for problem in map(_without_advice, problems):
            yield Finding("runs", problem, "Remove the run; it can be trained again.", discard)
        if not problems and (was := artifacts.read_meta(settings, run)["result_version"]) != RESULT_VERSION:
            problem = f"Run {run} was made by result version {was}; this is {RESULT_VERSION}."
            yield Finding("runs", problem, "Remove it; no new request finds it.", discard)


def lists(settings: Settings) -> Iterator[Finding]:
    """Are added lists what was written, and measured as metrics are today? They are the user's own: none is deleted."""
    for aside in added_lists.put_aside(settings):
        problem = f"lists/{aside.name} stood aside for a new folder when the process was killed."
        yield Finding("lists", problem, "Put it back.", _put_back(settings, aside))
    for folder in added_lists.folders(settings):
        problems = [_without_advice(problem) for problem in added_lists.verify(folder)]
        if not problems and added_lists.outdated(folder):
            problems = [f"The lists {folder.name} were measured by another version of the program."]
        if problems and added_lists.can_be_remeasured(settings, folder):
            mend = "Measure them anew: the lists themselves are whole."
            yield Finding("lists", " ".join(problems), mend, _remeasure(settings, folder))
        elif problems:
            mend = "They are your own, so they are left alone: with their data set prepared, add the file again."
            yield Finding("lists", " ".join(problems), mend)
    for one in added_lists.superseded(settings):
        problem = f"Others of the name {one.name!r} replaced the lists {one.id}, which were left behind."
        yield Finding("lists", problem, "Remove them.", _discard(settings, one.folder))


def _put_back(settings: Settings, aside: Path) -> Callable[[], None]:
    return lambda: added_lists.put_back(settings, aside)


def _remeasure(settings: Settings, folder: Path) -> Callable[[], None]:
    return lambda: added_lists.remeasure(settings, folder)


def leftovers(settings: Settings) -> Iterator[Finding]:
    """What killed processes left behind. While a worker runs, its folders are its own affair."""
    found = scratch.leftovers(settings)
    if not control.worker_running(settings):
        found += sorted(settings.attempts.iterdir()) if settings.attempts.is_dir() else []
    for folder in found:
        problem = f"{folder.relative_to(settings.cache)} was left behind by a process that was killed."
        yield Finding("leftovers", problem, "Remove it.", _discard(settings, folder))


def kernels(settings: Settings) -> Iterator[Finding]:
    """Compiled kernels of sources that are gone."""
    current = kernel_folder(settings)
    for folder in _folders(settings.kernels):
        if folder.name != current.name:
            problem = f"Compiled kernels of another version lie in {folder.relative_to(settings.cache)}."
            yield Finding("leftovers", problem, "Remove them.", _discard(settings, folder))


def jobs(settings: Settings) -> Iterator[Finding]:
    """Is the queue's file sound?"""
    problem = queue.problem(settings)
    if problem:
        aside = _free_name(settings.state)
        mend = f"Move it aside as {aside.name} and begin an empty one; finished runs stay."
        yield Finding("queue", f"{settings.state.name}: {problem}.", mend, lambda: _move_aside(settings.state, aside))


def database(settings: Settings) -> Iterator[Finding]:
    """Is the DuckDB file sound, and of this version?"""
    problem = connection.problem(settings)
    if problem:
        mend = "Delete it; it is rebuilt from the files."
        yield Finding("database", f"{settings.database.name}: {problem}.", mend, lambda: _delete_database(settings))


CHECKS: dict[str, Check] = {
    "the installation": python,
    "the cache folder": writable,
    "the data sets": datasets,
    "the runs": runs,
    "added lists": lists,
    "what was left behind": leftovers,
    "compiled kernels": kernels,
    "the queue": jobs,
    "the database": database,
}
"""What is looked at, in this order."""


def _folders(place: Path) -> list[Path]:
    """The folders there, but those of unfinished work: their names begin with a dot."""
    found = place.iterdir() if place.is_dir() else ()
    return sorted(path for path in found if path.is_dir() and not path.name.startswith("."))


def _without_advice(problem: str) -> str:
    """What is wrong, without the advice to ask the doctor."""
    return problem.partition(" Run `python -m core doctor`")[0]


def _discard(settings: Settings, folder: Path) -> Callable[[], None]:
    return lambda: artifacts.discard(settings, folder)


def _delete_database(settings: Settings) -> None:
    connection.delete_file(settings)


def _free_name(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return aside


def _move_aside(path: Path, aside: Path) -> None:
    """With its log, which belongs to it: an empty queue must not be given the old one's."""
    for suffix in ("-wal", "-shm"):
        if (log := path.with_name(path.name + suffix)).exists():
            shutil.move(log, aside.with_name(aside.name + suffix))
    shutil.move(path, aside)
