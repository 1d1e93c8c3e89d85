"""`serve`: two processes under one roof, and how each of them ends."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from core.jobs.control import worker_running
from core.settings import PROJECT

WAIT = """
import signal, sys, time
def end(*_):
    open({mark!r}, "a").write("ended\\n")
    sys.exit({code})
signal.signal(signal.SIGTERM, end)
open({mark!r}, "a").write("begun\\n")
while True: time.sleep(0.05)
"""


@pytest.fixture
def pair():
    """Start a Pair of two scripts in a process of its own; whatever is left of it is killed."""
    started = []

    def start(app: str, worker: str) -> subprocess.Popen:
        commands = [[sys.executable, "-c", script] for script in (app, worker)]
        script = f"import os, sys; from core.cli.serve import Pair; sys.exit(Pair(*{commands}, dict(os.environ)).run())"
        started.append(subprocess.Popen([sys.executable, "-c", script], cwd=PROJECT, start_new_session=True))
        return started[-1]

    yield start
    for process in started:
        for left in [*_children(process), process]:
            left.kill()
        process.wait()


def _children(process: subprocess.Popen) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _until(condition, what: str):
    for _ in range(600):
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"never: {what}")


def _said(mark: Path, words: list[str]):
    return lambda: mark.exists() and mark.read_text().split() == words


def test_the_end_of_the_app_ends_the_worker_and_gives_its_code(pair, tmp_path):
    mark = tmp_path / "worker"
    app = f"import os, sys, time\nwhile not os.path.exists({str(mark)!r}): time.sleep(0.05)\nsys.exit(7)"
    served = pair(app, WAIT.format(mark=str(mark), code=0))
    assert served.wait(timeout=30) == 7
    assert mark.read_text().split() == ["begun", "ended"]


def test_sigterm_reaches_both(pair, tmp_path):
    app, worker = tmp_path / "app", tmp_path / "worker"
    served = pair(WAIT.format(mark=str(app), code=5), WAIT.format(mark=str(worker), code=0))
    _until(lambda: app.exists() and worker.exists(), "both are up")
    _until(lambda: _said(app, ["begun"])() and _said(worker, ["begun"])(), "both listen")
    served.terminate()
    assert served.wait(timeout=30) == 5
    assert app.read_text().split() == worker.read_text().split() == ["begun", "ended"]


def test_a_worker_that_dies_is_started_again(pair, tmp_path):
    mark = tmp_path / "worker"
    mark.touch()
    app = f"import time\nwhile open({str(mark)!r}).read() != 'xx': time.sleep(0.05)"
    served = pair(app, f"open({str(mark)!r}, 'a').write('x')")
    assert served.wait(timeout=30) == 0


def test_an_app_that_is_killed_gives_the_code_of_a_shell(pair, tmp_path):
    served = pair("import os; os.kill(os.getpid(), 9)", WAIT.format(mark=str(tmp_path / "worker"), code=0))
    assert served.wait(timeout=30) == 128 + signal.SIGKILL


def test_app_and_worker_for_real(settings):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "core", "serve", "--port", str(port), "--address", "127.0.0.1"]
    served = subprocess.Popen(
        command, cwd=PROJECT, env=os.environ | settings.environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        _until(lambda: _healthy(port), "the app answers")
        _until(lambda: worker_running(settings), "the worker serves")
        children = _children(served)
        assert len(children) >= 2
        assert {os.getpgid(child.pid) for child in children} == {os.getpgid(served.pid)}
        served.terminate()
        assert served.wait(timeout=30) in {0, 128 + signal.SIGTERM}
        assert not any(child.is_running() for child in children)
        assert not worker_running(settings)
    finally:
        for left in [*_children(served), served]:
            left.kill()
        served.communicate()


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1) as answer:
            return answer.read() == b"ok"
    except OSError:
        return False


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_a_port_that_is_none(command, port):
    answer = command("serve", "--port", port)
    assert (answer.code, answer.out) == (2, "")
    assert "from 1 to 65535" in answer.err
