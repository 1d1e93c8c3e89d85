"""Waiting for work in the background: what `--wait` does, the same for every command that queues.

Here: following preparations and sweeps to their end, with progress. Not here: asking for them (jobs/control.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.cli.output import Output, duration
from core.errors import Failed
from core.settings import Settings

if TYPE_CHECKING:
    from core.jobs.queue import Job

LOOK_SECONDS = 0.5  # between two looks at the queue


def wait_for_dataset(settings: Settings, output: Output, job: int, worker: bool = True) -> str:
    """Return once the preparation has ended: the data set's id. worker: see to it that one serves the queue.

    Raises Failed if it came to nothing.
    """
    from core.jobs.queue import Queue

    queue = Queue(settings)
    with output.progress() as show:
        while (found := queue.job(job)).state in {"queued", "running"}:
            show(found.share or 0.0, found.doing or found.label)
            _rest(settings, worker)
    if found.state != "done":
        raise Failed(f"{found.label}: {found.reason or found.state}")
    return found.dataset


def wait_for_runs(settings: Settings, output: Output, sweeps: Sequence[int], worker: bool = True) -> list[Job]:
    """Return once every run of those sweeps has ended: the ones that failed or were cancelled."""
    from core.jobs.queue import Queue

    queue = Queue(settings)
    if queue.paused:
        output.say("The queue is paused: the runs begin after `python -m core jobs resume`.")
    with output.progress() as show:
        while True:
            jobs = [job for sweep in sweeps for job in queue.jobs(sweep=sweep)]
            ended = [job for job in jobs if job.state not in {"queued", "running"}]
            show(sum(map(_share, jobs)) / max(len(jobs), 1), _status(settings, len(ended), len(jobs)))
            if len(ended) == len(jobs):
                return [job for job in ended if job.state != "done"]
            _rest(settings, worker)


def failure(job: Job) -> dict[str, Any]:
    """A run that came to nothing, as a JSON object."""
    return {"job": job.id, "run": job.run, "label": job.label, "state": str(job.state), "reason": job.reason}


def _share(job: Job) -> float:
    if job.state not in {"queued", "running"}:
        return 1.0
    return job.epoch / job.epochs if job.epoch and job.epochs else 0.0


def _status(settings: Settings, ended: int, runs: int) -> str:
    from core.jobs import control

    left = control.overview(settings).left
    return f"{ended} of {runs} runs" + (f", about {duration(left)} left" if left and ended < runs else "")


def _rest(settings: Settings, worker: bool) -> None:
    """Between two looks. The worker may have died, or have been idle too long while another held the work."""
    from core.jobs import control

    if worker:
        control.ensure_worker(settings)
    time.sleep(LOOK_SECONDS)
