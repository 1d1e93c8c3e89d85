"""Asking for what the published tables still lack: data sets that are fetched first, runs that are queued.

Here: what is missing, what it costs, and the request. Not here: what there is to train (plan.py), the queue (jobs/).
"""

from __future__ import annotations

from dataclasses import dataclass

from core.datasets.store import DatasetInfo, list_datasets
from core.jobs import control
from core.jobs.queue import ACTIVE, Kind, Queue
from core.reproduction.plan import DATASETS, Plan
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the plan would mean, before anything is queued."""

    runs: int
    cached: int
    """Trained before."""
    waiting: int
    """Queued or running, or waiting for their data set, which is being fetched."""
    to_train: int
    seconds: float | None
    """Expected time of `to_train` on all training processes; None until each method was timed once."""
    absent: tuple[str, ...]
    """Names of data sets that are not here yet and would be fetched first."""


@dataclass(frozen=True, slots=True)
class Requested:
    """What became of a request."""

    sweeps: tuple[int, ...]
    """Numbers of the sweeps queued."""
    fetching: tuple[str, ...]
    """Data sets that are fetched first; their runs are queued once they are here."""
    queued: int
    """Runs newly queued."""


def dataset_of(settings: Settings, name: str) -> DatasetInfo | None:
    """The prepared data set that the plan calls so, whatever it was imported as; None while it is not here."""
    return next((info for info in list_datasets(settings) if info.id == DATASETS[name]), None)


def outlook(settings: Settings, plan: Plan) -> Outlook:
    """What of the plan is there, under way, or to be trained, and how long that takes."""
    absent = tuple(name for name in plan.datasets if dataset_of(settings, name) is None)
    here = [control.plan(settings, DATASETS[name], plan.sweep(name)) for name in plan.datasets if name not in absent]
    seconds = [p.seconds for p in here if p.to_train]
    later = {name: len(plan.sweep(name).runs(DATASETS[name])) for name in absent}
    waiting = sum(runs for name, runs in later.items() if _follows(settings, plan, name))
    return Outlook(
        runs=sum(p.runs for p in here) + sum(later.values()),
        cached=sum(p.cached for p in here),
        waiting=sum(p.waiting for p in here) + waiting,
        to_train=sum(p.to_train for p in here) + sum(later.values()) - waiting,
        seconds=None if absent or None in seconds else sum(s for s in seconds if s is not None),
        absent=absent,
    )


def request(settings: Settings, plan: Plan, start: bool = True) -> Requested:
    """Queue what is neither trained nor under way, and see to a worker unless `start` is False.

    A data set that is not here is fetched first; its runs follow by themselves.
    """
    sweeps, fetching, queued = [], [], 0
    for name in plan.datasets:
        if dataset_of(settings, name) is None:
            fetching.append(name)
            control.request_dataset(settings, name, then=plan.sweep(name), start=start)
        else:
            asked = control.request_sweep(settings, DATASETS[name], plan.sweep(name), start=start)
            sweeps.append(asked.sweep)
            queued += asked.queued
    return Requested(tuple(sweeps), tuple(fetching), queued)


def _follows(settings: Settings, plan: Plan, name: str) -> bool:
    """Is the data set's preparation under way, with the plan's runs to follow it?"""
    jobs = (job for state in ACTIVE for job in Queue(settings).jobs(state=state, kind=Kind.PREPARE))
    return any(job.payload["name"] == name and job.payload["then"] == plan.sweep(name).to_json() for job in jobs)
