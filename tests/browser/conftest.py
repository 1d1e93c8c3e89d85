"""Real results in a real browser: one cache, trained once, served by one server for all tests of this folder.

The data are MovieLens 100K, fetched from a folder and trained by the real queue and worker; where it is not at hand, a
tiny data set takes its place, except in CI.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.jobs import control
from core.jobs.queue import Queue, State
from core.models.sweep import Sweep
from core.settings import Settings
from tests import realdata
from tests.browser.harness import Visit, chromium, find_browser, new_visit, serving
from tests.conftest import KERNELS
from tests.pages import results

REAL = Sweep(
    grids=(
        {"sampler": ["rns"], "epochs": [25]},
        {"sampler": ["auc_ns"], "beta": [0.0, 0.05, 0.2], "epochs": [25]},
    ),
    baselines=("most_popular",),
    seeds=(0, 1),
    name="Walk",
)
"""The same settings as `results.SHORT` has, on real data: RNS, DNS, two strengths of AUC-NS, most popular."""


@pytest.fixture(scope="session", autouse=True)
def browser_at_hand() -> None:
    """Skips where no browser is installed; CI must not."""
    if find_browser() is None:
        reason = "no Chromium on this machine: install Debian's chromium or chromium-headless-shell"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"{reason}; CI must not skip it")
        pytest.skip(reason)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory, browser_at_hand: None) -> Path:
    """A cache with finished results."""
    folder = tmp_path_factory.mktemp("cache")
    KERNELS.mkdir(parents=True, exist_ok=True)
    (folder / "numba").symlink_to(KERNELS)
    settings = Settings(cache=folder, autostart=False, offline=True, workers=2, idle_seconds=1.0)
    try:
        mirror = realdata.ml_100k().parent
    except pytest.skip.Exception:
        results.trained(settings)
    else:
        train_real(replace(settings, dataset_mirror=str(mirror)))
    return folder


def train_real(settings: Settings) -> None:
    """MovieLens 100K from the mirror and the sweep on it, all by the queue and its worker, as a first start does it."""
    control.request_dataset(settings, "ml-100k", then=REAL)
    queue = Queue(settings)
    while queue.counts()[State.QUEUED] or queue.counts()[State.RUNNING] or control.worker_running(settings):
        time.sleep(0.2)
    wrong = [f"{job.label}: {job.reason}" for job in queue.jobs() if job.state != State.DONE or job.reason]
    assert not wrong, wrong


@pytest.fixture(scope="session")
def address(cache: Path) -> Iterator[str]:
    """The app over that cache."""
    with serving(cache) as found:
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One browser for all tests; each visit has a context of its own."""
    with chromium() as running:
        yield running


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Visit]:
    """A fresh visit. At the end: no console errors, and nothing asked for outside the server."""
    one = new_visit(browser, address)
    yield one
    one.clean()
