import os
import signal
import subprocess
import sys
import time
from concurrent.futures import wait
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from core.jobs.attempt import Outcome
from core.jobs.queue import State
from core.jobs.runner import LocalRunner, ProcessDied
from core.settings import PROJECT, Settings
from tests.jobs.processes import PATIENCE, nobody_is_left, wait_for


@dataclass(frozen=True)
class Task:
    """All that a runner needs to know of an attempt is that it can be handed over."""

    say: str


def answer(task: Task) -> Outcome:
    return Outcome(State.DONE, f"{task.say} {os.getpid()}")


def die_if_asked(task: Task) -> Outcome:
    if task.say == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return answer(task)


def describe(task: Task) -> Outcome:
    """What this process has loaded and set, after doing what training does with files."""
    import numpy as np
    import pyarrow as pa

    pa.array(np.arange(3)).to_numpy()
    loaded = [name for name in ("torch", "pandas", "duckdb", "streamlit", "numba") if name in sys.modules]
    threads = sorted(name for name, value in os.environ.items() if name.endswith("_NUM_THREADS") and value == "1")
    return Outcome(State.DONE, f"{loaded} {len(threads)} {Path(os.environ['NUMBA_CACHE_DIR']).parent.name}")


def optimise(task: Task) -> Outcome:
    """What the autograd engine needs of torch, in a process that refuses pandas."""
    import torch

    weights = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.Adam([weights], lr=0.5)
    weights.sum().backward()
    optimizer.step()
    try:
        import pandas
    except ModuleNotFoundError:
        return Outcome(State.DONE, str([round(weight, 6) for weight in weights.tolist()]))
    return Outcome(State.FAILED, pandas.__name__)


def sleep(task: Task) -> Outcome:
    Path(task.say).write_text(str(os.getpid()), "ascii")
    time.sleep(600)
    return answer(task)


def run(settings: Settings, work, *says: str, keep: LocalRunner | None = None):
    runner = keep or LocalRunner(settings, work)
    try:
        futures = [runner.submit(Task(say)) for say in says]
        wait(futures, timeout=PATIENCE)
        return futures
    finally:
        if keep is None:
            runner.stop()


def test_attempts_run_beside_each_other_in_processes_that_stay_warm(settings):
    runner = LocalRunner(settings, answer)
    assert runner.slots == 2
    rounds = [{f.result().reason.split()[1] for f in run(settings, answer, "a", "b", keep=runner)} for _ in range(3)]
    runner.stop()
    assert len(rounds[0]) == 2
    assert rounds[0] == rounds[0].union(*rounds)  # on a busy machine one process may do both, but none is new
    nobody_is_left(settings)


def test_a_crash_hits_one_attempt_and_its_process_is_replaced(settings):
    runner = LocalRunner(settings, die_if_asked)
    dead, alive = run(settings, die_if_asked, "die", "live", keep=runner)
    assert alive.result().reason.startswith("live")
    with pytest.raises(ProcessDied, match=r"SIGKILL.*memory may have run out"):
        dead.result()
    again = run(settings, die_if_asked, "a", "b", keep=runner)
    assert len({f.result().reason for f in again}) == 2
    runner.stop()


def test_a_process_that_died_while_idle_is_replaced(settings):
    runner = LocalRunner(settings, answer)
    [first] = run(settings, answer, "a", keep=runner)
    idle = psutil.Process(int(first.result().reason.split()[1]))
    idle.kill()
    wait_for(lambda: not idle.is_running(), "the end of the idle process")
    for _ in range(2):  # the executor may need a moment to notice; an attempt that it hits is told as a death
        [second] = run(settings, answer, "b", keep=runner)
        if second.exception() is None:
            break
    assert second.result().reason.startswith("b")
    runner.stop()


def test_training_processes_load_little_and_keep_to_one_thread(settings):
    [found] = run(settings, describe, "")
    assert found.result().reason == "[] 5 numba"


def test_torch_steps_in_a_training_process(settings):
    """Adam's first step is the learning rate. torch looks for pandas on the way, which these processes do without."""
    [found] = run(settings, optimise, "")
    assert (found.result().state, found.result().reason) == (State.DONE, "[0.5, 0.5]")


def test_stop_ends_what_runs(settings, tmp_path):
    runner = LocalRunner(settings, sleep)
    runner.submit(Task(str(tmp_path / "pid")))
    wait_for((tmp_path / "pid").exists, "the start")
    runner.stop()
    nobody_is_left(settings)


def test_signals_to_the_whole_group_are_the_workers_to_handle(settings, tmp_path):
    runner = LocalRunner(settings, sleep)
    future = runner.submit(Task(str(tmp_path / "pid")))
    wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "the start")
    pid = int((tmp_path / "pid").read_text())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pid, number)
    wait([future], timeout=0.3)
    assert not future.done()
    runner.stop()


def test_warming_up_is_no_attempt(settings):
    runner = LocalRunner(settings, answer, warm=str)
    runner.warm_up()
    assert [f.result().reason.split()[0] for f in run(settings, answer, "a", "b", keep=runner)] == ["a", "b"]
    runner.warm_up()
    runner.stop()


CHILD = "import sys; from core.jobs.runner import _watch; _watch(int(sys.argv[1]))"
PARENT = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())], stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
child.wait()
"""


def test_where_the_kernel_does_not_help_orphans_end_by_themselves():
    with subprocess.Popen([sys.executable, "-c", PARENT, CHILD], cwd=PROJECT, stdout=subprocess.PIPE) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, "the end of the orphan")
