"""Commands in this process, and one cache with trained runs for all who only read it."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.cli.main import main
from core.jobs.queue import Queue
from core.settings import Settings
from tests.conftest import KERNELS
from tests.tiny import tiny_dataset

SWEEP = ("--sampler", "rns", "auc_ns", "--beta", "0", "0.05", "--seed", "0", "1", "--epochs", "2", "--eval-every", "1")


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Answer]


@pytest.fixture
def command(settings: Settings, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run a command on this test's own cache; messages end in a full stop and hold no traceback, or the test fails."""
    return _command(capfd)


@pytest.fixture
def reading(trained: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run a command that only reads, on the cache with trained runs."""
    monkeypatch.setenv("LONGTAIL_CACHE", str(trained))
    return _command(capfd)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache with the tiny data set and seven finished runs on it: most popular, RNS, DNS and AUC-NS by two seeds."""
    cache = tmp_path_factory.mktemp("trained") / "cache"
    cache.mkdir()
    (cache / "numba").symlink_to(KERNELS)
    settings = Settings(cache=cache, autostart=False, workers=2, idle_seconds=1.0, offline=True)
    tiny_dataset(settings)
    before = os.environ.copy()
    os.environ.update(settings.environment())
    try:
        assert main(["sweep", "tiny", *SWEEP, "--baseline", "most_popular", "--no-worker"]) == 0
        assert main(["worker", "--once"]) == 0
        assert {(job.state, job.reason) for job in Queue(settings).jobs()} == {("done", None)}
        yield cache
    finally:
        os.environ.clear()
        os.environ.update(before)


def _command(capfd: pytest.CaptureFixture[str]) -> Command:
    def run(*argv: str) -> Answer:
        capfd.readouterr()
        code = main([str(word) for word in argv])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        if code and not out:
            assert err.rstrip().endswith((".", "?")), "a refusal is a sentence"
        return Answer(code, out, err)

    return run
