"""`worker` trains what is queued; `jobs` shows and steers it."""

from __future__ import annotations

import argparse
import logging
from typing import TYPE_CHECKING, Any

from core.cli.command import Commands, add_command, add_group
from core.cli.output import Output, duration, table
from core.errors import Unknown
from core.settings import Settings

if TYPE_CHECKING:
    from core.jobs.queue import Job, Queue


def add(commands: Commands) -> None:
    """Declare the commands."""
    worker_ = add_command(commands, "worker", worker, "train what is queued, until idle for a while")
    worker_.add_argument("--once", action="store_true", help="empty the queue and exit")

    inner = add_group(commands, "jobs", "show and steer the queue; alone, list it", alone=list_)
    add_command(inner, "list", list_, "all jobs, the newest first")
    for name, run, line in (
        ("cancel", cancel, "cancel a job; a running one stops between epochs"),
        ("retry", retry, "queue a failed or cancelled job again"),
    ):
        one = add_command(inner, name, run, line)
        one.add_argument(
            "id", metavar="ID", help="a job's number or its run's id" + (", or all" if name == "cancel" else "")
        )
    add_command(inner, "pause", pause, "start no further job; what runs goes on")
    add_command(inner, "resume", resume, "start jobs again")


def worker(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Train until there is nothing to do."""
    from core.jobs.worker import serve

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=output.err)
    served = serve(settings, once=args.once)
    if not served:
        output.say("Another worker serves this cache, and trains what is queued.")
    output.answer({"served": served}, "Nothing is left to do." if served else "Nothing was done.")
    return 0


def list_(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """The jobs, the newest first."""
    from core.jobs.queue import Queue

    queue = Queue(settings)
    rows = [described(job) for job in queue.jobs()]
    columns = ["job", "label", "state", "epoch", "epochs", "seconds", "left", "tries", "reason"]
    shown = [{**row, "left": row["left"] and duration(row["left"])} for row in rows]
    output.answer(rows, table(shown, columns) if rows else "The queue is empty.")
    if queue.paused:
        output.say("The queue is paused: `python -m core jobs resume` starts it again.")
    return 0


def cancel(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Cancel one job, or all."""
    from core.jobs.queue import Queue

    queue = Queue(settings)
    if args.id == "all":
        count = queue.cancel_all()
        output.answer({"cancelled": count}, f"Cancelled {count} jobs; running ones stop between epochs.")
        return 0
    job = find_job(queue, args.id)
    queue.cancel(job.id)
    return _answer(output, queue.job(job.id))


def retry(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Queue a failed or cancelled job again, and start the worker unless one runs."""
    from core.jobs import control
    from core.jobs.queue import Queue

    return _answer(output, control.retry(settings, find_job(Queue(settings), args.id).id))


def pause(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Start no further job."""
    from core.jobs.queue import Queue

    Queue(settings).pause()
    output.answer({"paused": True}, "The queue is paused; what runs goes on.")
    return 0


def resume(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Start jobs again, and the worker if there is work."""
    from core.jobs import control

    control.resume(settings)
    output.answer({"paused": False}, "The queue goes on.")
    return 0


def find_job(queue: Queue, asked: str) -> Job:
    """The job of that number, or the latest of the run whose id begins so. Raises Unknown."""
    jobs = queue.jobs()
    if asked.isdecimal() and (found := [job for job in jobs if job.id == int(asked)]):
        return found[0]
    runs = {job.run for job in jobs if job.run and asked and job.run.startswith(asked)}
    if len(runs) != 1:
        raise Unknown("job", asked, sorted(runs) or [str(job.id) for job in jobs])
    return next(job for job in jobs if job.run in runs)


def described(job: Job) -> dict[str, Any]:
    """A job as a JSON object."""
    return {
        "job": job.id,
        "kind": str(job.kind),
        "run": job.run,
        "label": job.label,
        "state": str(job.state),
        "epoch": job.epoch,
        "epochs": job.epochs,
        "seconds": job.seconds,
        "left": job.left,
        "tries": job.tries,
        "reason": job.reason,
    }


def _answer(output: Output, job: Job) -> int:
    stopping = " (it stops between epochs)" if job.cancelling else ""
    output.answer(described(job), f"Job {job.id}, {job.label}: {job.state}{stopping}.")
    return 0
