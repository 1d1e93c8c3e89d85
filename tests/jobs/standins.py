"""Stand-ins for training and fetching, quick and misbehaving on request, and a worker process that uses them.

What a stand-in run does is decided by its seed (see MISBEHAVIOUR); any other seed trains well. Used as

    python -m tests.jobs.standins          a worker that empties the queue of LONGTAIL_CACHE and exits
    KILL_AT=moment python -m ...           the same, killed with -9 at one of MOMENTS
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.datasets.store import Dataset, DatasetInfo
from core.errors import RunFailed, SourceUnreachable
from core.evaluation.measure import Evaluation, Ranking
from core.jobs import artifacts
from core.jobs.attempt import Attempt, Outcome, work
from core.jobs.queue import Queue
from core.jobs.runner import LocalRunner
from core.jobs.training import HistoryRow, Progress, Result
from core.jobs.worker import Worker, serve
from core.models.scorers import Factors
from core.models.sweep import Sweep
from core.models.variant import Run
from core.settings import Settings, read_settings
from tests.tiny import tiny_dataset

EPOCHS, EPOCH_SECONDS = 4, 0.01
DIES, DIES_ONCE, FAILS, BREAKS, IS_SLOW = 100, 101, 102, 103, 104
"""Seeds of runs that do not just train."""


def sweep(*seeds: int, sampler: str = "rns") -> Sweep:
    """A sweep of one variant, whose seeds decide what its runs do."""
    return Sweep(grids=({"sampler": [sampler]},), seeds=seeds, name="stand-in")


def die(_: Path) -> None:
    os._exit(7)


def die_once(cache: Path) -> None:
    mark = cache / "died"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def fail(_: Path) -> None:
    raise RunFailed("The loss became NaN in epoch 1", "Lower lr.")


def break_down(_: Path) -> None:
    raise ZeroDivisionError("by nobody's intention")


MISBEHAVIOUR: dict[int, Callable[[Path], None]] = {DIES: die, DIES_ONCE: die_once, FAILS: fail, BREAKS: break_down}


def train(dataset: Dataset, run: Run, observe: Callable[[Progress], None]) -> Result:
    """What training.train promises, without training; the result depends on the run alone."""
    if run.seed in MISBEHAVIOUR:
        MISBEHAVIOUR[run.seed](Path(os.environ["LONGTAIL_CACHE"]))
    epochs = 100_000 if run.seed == IS_SLOW else EPOCHS
    history = []
    for epoch in range(1, epochs + 1):
        time.sleep(EPOCH_SECONDS)
        metric = 0.1 * epoch / epochs if epoch % 2 == 0 else None
        row = HistoryRow(epoch, EPOCH_SECONDS * epoch, 1 / epoch, metric)
        history.append(row)
        observe(Progress(epoch, epochs, row.loss, metric, None, row.seconds, EPOCH_SECONDS * (epochs - epoch)))
    return make_result(dataset, run, history)


def make_result(dataset: Dataset, run: Run, history: list[HistoryRow]) -> Result:
    """A whole result with made-up numbers."""
    rng = np.random.default_rng(run.seed)
    factors = Factors(
        rng.standard_normal((dataset.n_users, 2)).astype(np.float32),
        rng.standard_normal((dataset.n_items, 2)).astype(np.float32),
    )
    users = np.arange(dataset.n_users, dtype=np.int32)
    items = np.argsort(-factors.scores(users), axis=1)[:, :20].astype(np.int32)
    ranking = Ranking(users, items, np.take_along_axis(factors.scores(users), items, axis=1), None)
    per_user = {"ndcg@10": rng.random(len(users)), "aplt@10": rng.random(len(users))}
    metrics = {name: float(values.mean()) for name, values in per_user.items()}
    evaluation = Evaluation(users, metrics, per_user, ranking, np.full(10, 0.1))
    seconds = EPOCH_SECONDS * len(history)
    splits = {"validation": evaluation, "test": evaluation}
    return Result(run, factors, len(history), len(history), seconds, splits, {}, history)


def acquire(settings: Settings, name: str, progress: Callable[[float, str], None]) -> DatasetInfo:
    """What acquire.acquire promises: "ml-1m" is out of reach, everything else is the tiny data set."""
    progress(0.5, f"fetching {name}")
    if name == "ml-1m":
        raise SourceUnreachable(name, ["the mirror: nobody there"])
    return tiny_dataset(settings, name=name)


def stand_in_work(attempt: Attempt) -> Outcome:
    return work(attempt, train, acquire)


# --- a worker that is killed at a named moment


class Moment(NamedTuple):
    """When a worker is killed: at its n-th call of a function, before or after it does its work."""

    owner: object
    name: str
    nth: int
    before: bool = True


MOMENTS: dict[str, Moment] = {
    "after taking the lock": Moment(Worker, "_begin", 1),
    "after claiming": Moment(Queue, "claim", 3, before=False),
    "before handing over": Moment(LocalRunner, "submit", 2),
    "while relaying": Moment(Queue, "relay", 1),
    "after a run's end": Moment(Worker, "_settle", 2),
    "before recording the end": Moment(Queue, "finish", 2),
    "after recording the end": Moment(Queue, "finish", 2, before=False),
    "while tidying up": Moment(artifacts, "discard", 4, before=False),
}
AFTER_PUBLISHING = "after publishing"


def _kill_at(moment: Moment) -> None:
    original, calls = getattr(moment.owner, moment.name), 0

    def counted(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if moment.before and calls == moment.nth:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if calls == moment.nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(moment.owner, moment.name, counted)


def publish_then_kill_the_worker(attempt: Attempt) -> Outcome:
    """The run is published, and the worker dies before it hears of it."""
    outcome = stand_in_work(attempt)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
    return outcome


def main() -> int:
    moment, chosen = os.environ.get("KILL_AT"), stand_in_work
    if moment == AFTER_PUBLISHING:
        chosen = publish_then_kill_the_worker
    elif moment:
        _kill_at(MOMENTS[moment])
    served = serve(read_settings(), once=True, make_runner=lambda s: LocalRunner(s, chosen, warm=str))
    return 0 if served else 3


if __name__ == "__main__":
    # under its importable name, so that training processes find the functions
    from tests.jobs import standins  # noqa: PLW0406

    sys.exit(standins.main())
