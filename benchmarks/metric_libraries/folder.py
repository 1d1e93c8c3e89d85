"""The folder that libraries read: pairs, catalogue, lists and scores, as plain files. Imports numpy only.

train.csv, test.csv    user,item: what popularity is counted on, and what is held out
catalogue.txt          an item a line
lists/NAME.csv         user,item,rank: repaired, at most 20 items, only users with held-out items
scores/NAME.npy        (users, items) float32, rows in the order of users.txt, columns in that of catalogue.txt
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np

CUTOFFS = (5, 10, 20)


@dataclass(frozen=True)
class Folder:
    """What the files say, by text id."""

    path: Path
    users: list[str] = field(default_factory=list)
    catalogue: list[str] = field(default_factory=list)
    train: dict[str, set[str]] = field(default_factory=dict)
    test: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Folder:
        return cls(
            path,
            (path / "users.txt").read_text(encoding="utf-8").split("\n"),
            (path / "catalogue.txt").read_text(encoding="utf-8").split("\n"),
            *({user: set(items) for user, items in _rows(path / f"{name}.csv").items()} for name in ("train", "test")),
        )

    def names(self) -> list[str]:
        return sorted(path.stem for path in (self.path / "lists").iterdir())

    def lists(self, name: str) -> dict[str, list[str]]:
        """Each user's list, best first."""
        return _rows(self.path / "lists" / f"{name}.csv")

    def scores(self, name: str) -> np.ndarray | None:
        """None for lists that came without."""
        path = self.path / "scores" / f"{name}.npy"
        return np.load(path) if path.exists() else None


def _rows(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["user"], []).append(row["item"])
    return found


def answer(values: Callable[[Folder, str], dict[str, float]], *packages: str) -> None:
    """Measure every list of the folder that is the argument, and print it as one line of JSON."""
    folder = Folder.read(Path(sys.argv[1]))
    measured = {name: {key: float(v) for key, v in values(folder, name).items()} for name in folder.names()}
    print("\n" + json.dumps({"versions": {p: version(p) for p in packages}, "values": measured}))
