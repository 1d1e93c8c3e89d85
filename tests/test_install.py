"""What a clean clone is set up with: torch's CPU build first, pins that agree, a Python that is recent enough."""

import os
import re
import subprocess

import pytest

from core.settings import PROJECT
from tools import install_torch


def pins(name: str) -> dict[str, str]:
    """Package and version of each line of a requirements file."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (PROJECT / name).read_text(encoding="utf-8"), re.MULTILINE))


def test_without_a_gpu_the_cpu_build_is_tried_first_and_the_plain_one_last():
    first, second, last = install_torch.attempts("2.13.0", "linux", gpu=False)
    assert first == ["torch==2.13.0+cpu"]
    assert second[0] == "torch==2.13.0+cpu"
    assert install_torch.CPU_INDEX in second
    assert last == ["torch==2.13.0"]


@pytest.mark.parametrize(("platform", "gpu"), [("linux", True), ("darwin", False), ("win32", False)])
def test_elsewhere_the_plain_package_is_right(platform, gpu):
    assert install_torch.attempts("2.13.0", platform, gpu) == [["torch==2.13.0"]]


def test_what_is_installed_is_not_installed_again(monkeypatch):
    monkeypatch.setattr(install_torch.subprocess, "run", lambda *_, **__: pytest.fail("pip was asked"))
    assert install_torch.main() == 0


def test_the_next_source_is_asked_when_one_fails(monkeypatch, capsys):
    asked = []

    def pip(command, **_):
        asked.append(next(word for word in command if word.startswith("torch==")))
        return subprocess.CompletedProcess(command, returncode=1, stderr=b"no such version")

    monkeypatch.setattr(install_torch, "installed", lambda: None)
    monkeypatch.setattr(install_torch.shutil, "which", lambda _: None)
    monkeypatch.setattr(install_torch.sys, "platform", "linux")
    monkeypatch.setattr(install_torch.subprocess, "run", pip)
    assert install_torch.main() == 1
    version = pins("requirements.txt")["torch"]
    assert asked == [f"torch=={version}+cpu", f"torch=={version}+cpu", f"torch=={version}"]
    assert "no such version" in capsys.readouterr().err


def test_requirements_pin_each_package_once_and_exactly():
    names = []
    for file in ("requirements.txt", "requirements-dev.txt"):
        lines = (PROJECT / file).read_text(encoding="utf-8").splitlines()
        packages = [line for line in lines if line and not line.startswith(("#", "-r"))]
        assert all(re.match(r"[\w.-]+==[\w.]+(\s+#.*)?$", line) for line in packages)
        names += [line.partition("==")[0].lower() for line in packages]
    assert len(names) == len(set(names))


def test_a_machine_without_python_is_told_so(tmp_path):
    tools = {name: f"/usr/bin/{name}" for name in ("env", "bash")}
    for name, path in tools.items():
        (tmp_path / name).symlink_to(path)
    script = PROJECT / "tools" / "make_venv.sh"
    answer = subprocess.run(
        ["/usr/bin/bash", script, tmp_path / "venv", "requirements.txt"],
        cwd=PROJECT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 1
    assert "needs Python 3.11 or later" in answer.stderr


def test_make_help_lists_what_the_readme_names():
    listed = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True, env=os.environ)
    named = set(re.findall(r"^ +make ([a-z-]+)", (PROJECT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= set(re.findall(r"^make ([a-z-]+)", listed.stdout, re.MULTILINE))
    assert {"run", "test"} <= named
