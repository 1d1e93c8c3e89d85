"""Our side of the pipe: find a library's Python, start it on the pairs, ask it to train, and end it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from benchmarks.clock import Spent
from core.datasets.interactions import Interactions

ROOT = Path(__file__).resolve().parents[2]

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA", "RAYON", "LK")}


class PeerAbsent(Exception):
    """A library that cannot be timed; the message says why and what to do."""


@dataclass
class Peer:
    """A library's LightGCN in a process of its own. Call it with a number of epochs to have it train.

    library: names its environment, its requirements and its module. python: of its environment. folder: an empty one,
    where it may write. Raises PeerAbsent where it cannot be started.
    """

    library: str
    python: Path
    folder: Path
    versions: Mapping[str, str] = field(default_factory=dict)
    """What it stands on, as it says itself."""

    def start(self, fitted: Interactions) -> None:
        """Prepared to train when this returns."""
        pairs = self.folder / "pairs.npy"
        np.save(pairs, np.stack([fitted.users(), fitted.indices], axis=1).astype(np.int32))
        self._errors = self.folder / "errors.txt"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [self.python, "-m", f"benchmarks.peers.{self.library}_lightgcn", pairs],
                cwd=self.folder,
                env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.versions = self._answer()

    def __call__(self, epochs: int) -> Spent:
        """Seconds, by the library's own clocks: the pipe does not count."""
        given = _open(self._process.stdin)
        with suppress(BrokenPipeError):  # then it has ended, and the answer says why
            given.write(f"{epochs}\n")
            given.flush()
        return Spent(**self._answer())

    def stop(self) -> None:
        """It ends when its input does."""
        with suppress(BrokenPipeError):
            _open(self._process.stdin).close()
        self._process.wait()
        _open(self._process.stdout).close()

    def _answer(self) -> dict[str, Any]:
        line = _open(self._process.stdout).readline()
        if not line:
            self._process.wait()
            said = self._errors.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["nothing"]
            raise PeerAbsent(f"it stopped, saying: {said[-1]}. Install {requirements(self.library)} anew.")
        answer: dict[str, Any] = json.loads(line)
        return answer


def find_python(library: str, given: Path | None) -> Path:
    """The Python of a library's environment: the given one, else that in .venv-LIBRARY beside the project."""
    python = given or ROOT / f".venv-{library}" / "bin" / "python"
    if not python.exists():
        where = "nothing is at" if given else "not installed: no"
        raise PeerAbsent(f"{where} {given or python.relative_to(ROOT)}. See {requirements(library)}.")
    return python.absolute()  # not resolved: the link is what makes it that environment's


def requirements(library: str) -> str:
    return f"requirements-bench-{library}.txt"


def _open(end: IO[str] | None) -> IO[str]:
    assert end is not None, "both ends were asked for"
    return end
