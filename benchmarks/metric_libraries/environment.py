"""The environment of the other libraries: made when it is not there, asked through one process a library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements-bench-metrics.txt"
HOME = ROOT / ".venv-metrics"
MODULES = {
    "ranx": "with_ranx",
    "RecTools": "with_rectools",
    "RecBole": "with_recbole",
    "LensKit": "with_lenskit",
    "scikit-learn": "with_scikit",
}
"""By the name that the table shows. scikit-learn's column holds SciPy's numbers too."""

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA", "RAYON", "LK")}


class LibraryFailed(Exception):
    """A library that gave no numbers; the message says what it said last."""


def ready(home: Path) -> Path:
    """The Python of the environment, which is made and filled if it is not there. Takes minutes then."""
    python = home / "bin" / "python"
    done = home / "complete"
    if not done.exists():
        print(f"Making {home} with what {REQUIREMENTS.name} pins", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([python, ROOT / "tools" / "install_torch.py"], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "-r", REQUIREMENTS], check=True)
        done.touch()
    return python


def ask(library: str, python: Path, folder: Path) -> dict[str, Any]:
    """A library's versions, and its values by list and metric key. Raises LibraryFailed."""
    done = subprocess.run(
        [python, "-m", f"benchmarks.metric_libraries.{MODULES[library]}", folder],
        cwd=folder,
        env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise LibraryFailed(f"{library} gave no numbers; it said: {said[-1]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
