"""Install the pinned torch into the Python that runs this: its CPU build on a machine without an NVIDIA GPU.

The CPU build is gigabytes smaller. It is looked for where pip is configured to look (a folder of wheels, a mirror),
then on PyTorch's own index; where neither has it, the plain package does, whatever it brings.
Run it before `pip install -r requirements.txt`, which then finds torch satisfied.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def pinned(requirements: str) -> str:
    """The version that the requirements pin torch to."""
    found = re.search(r"^torch==(\S+)", requirements, re.MULTILINE)
    if not found:
        raise SystemExit("requirements.txt pins no torch. Add a line such as torch==2.13.0.")
    return found[1]


def installed() -> str | None:
    """The version of torch this Python has, without its build ("+cpu"); None for none."""
    try:
        return metadata.version("torch").partition("+")[0]
    except metadata.PackageNotFoundError:
        return None


def attempts(version: str, platform: str, gpu: bool) -> list[list[str]]:
    """What to ask pip for, best first. Only on Linux does the plain package bring CUDA along."""
    plain = [f"torch=={version}"]
    if gpu or platform != "linux":
        return [plain]
    cpu = [f"torch=={version}+cpu"]
    return [cpu, [*cpu, "--extra-index-url", CPU_INDEX, "--timeout", "10", "--retries", "1"], plain]


def main() -> int:
    """Install torch unless it is there. Returns pip's exit code."""
    version = pinned(REQUIREMENTS.read_text(encoding="utf-8"))
    if installed() == version:
        return 0
    code = 1
    for wanted in attempts(version, sys.platform, shutil.which("nvidia-smi") is not None):
        print(f"Installing {wanted[0]}", flush=True)
        quiet = ["--quiet", "--disable-pip-version-check"]
        run = subprocess.run(
            [sys.executable, "-m", "pip", "install", *quiet, *wanted], check=False, capture_output=True
        )
        code = run.returncode
        if code == 0:
            return 0
    sys.stderr.write(run.stderr.decode(errors="replace"))
    return code


if __name__ == "__main__":
    sys.exit(main())
