"""A library in another environment: a made-up one trains in a process of its own, by the code that real ones run by."""

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.clock import Spent
from benchmarks.peers import process
from benchmarks.peers.process import Peer, PeerAbsent, find_python
from core.datasets.interactions import Interactions
from core.settings import PROJECT

HONEST = """
from pathlib import Path
from benchmarks.peers.serve import serve

def prepare(pairs):
    print("chatter that is no answer")
    Path("pairs.txt").write_text(str(pairs.tolist()))
    def fit(epochs):
        print("more chatter")
        with open("epochs.txt", "a") as file:
            file.write(f"{epochs} ")
    return fit

serve(prepare, "numpy")
"""

DIES = """
from benchmarks.peers.serve import serve

def prepare(pairs):
    def fit(epochs):
        raise SystemExit("out of luck")
    return fit

serve(prepare)
"""


@pytest.fixture
def fitted() -> Interactions:
    return Interactions.from_pairs(np.array([0, 0, 2]), np.array([1, 3, 0]), 3, 4)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a library's module into a project that has nothing but what a library's own process runs."""

    def write(module: str) -> Peer:
        peers = tmp_path / "project" / "benchmarks" / "peers"
        peers.mkdir(parents=True)
        for name in ("__init__.py", "clock.py", "peers/__init__.py", "peers/serve.py"):
            (peers.parent / name).symlink_to(PROJECT / "benchmarks" / name)
        (peers / "made_up_lightgcn.py").write_text(module, encoding="utf-8")
        monkeypatch.setattr(process, "ROOT", tmp_path / "project")
        folder = tmp_path / "folder"
        folder.mkdir()
        return Peer("made_up", Path(sys.executable), folder)

    return write


def test_it_gets_the_pairs_and_the_epochs_and_answers_with_its_own_clocks(library, fitted):
    peer = library(HONEST)
    peer.start(fitted)
    spent = [peer(5), peer(25)]
    peer.stop()
    assert (peer.folder / "pairs.txt").read_text() == "[[0, 1], [0, 3], [2, 0]]"
    assert (peer.folder / "epochs.txt").read_text() == "5 25 "
    assert all(isinstance(s, Spent) and s.wall >= 0 and s.cpu >= 0 for s in spent)
    assert peer.versions["numpy"] == np.__version__


def test_one_that_cannot_start_says_why_and_what_to_install(library, fitted):
    peer = library("import a_library_that_nobody_has")
    with pytest.raises(PeerAbsent, match=r"a_library_that_nobody_has.*requirements-bench-made_up\.txt"):
        peer.start(fitted)
    peer.stop()


def test_one_that_dies_in_training_says_why_each_time_it_is_asked(library, fitted):
    peer = library(DIES)
    peer.start(fitted)
    for _ in range(2):
        with pytest.raises(PeerAbsent, match="out of luck"):
            peer(1)
    peer.stop()


def test_its_python_is_the_given_one_or_that_beside_the_project(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "ROOT", tmp_path)
    beside = tmp_path / ".venv-recbole" / "bin" / "python"
    with pytest.raises(PeerAbsent, match=r"no \.venv-recbole/bin/python. See requirements-bench-recbole\.txt"):
        find_python("recbole", None)
    beside.parent.mkdir(parents=True)
    beside.symlink_to(sys.executable)
    assert find_python("recbole", None) == beside
    assert find_python("recbole", Path(sys.executable)) == Path(sys.executable)
    with pytest.raises(PeerAbsent, match="nothing is at"):
        find_python("recbole", tmp_path / "nowhere")
