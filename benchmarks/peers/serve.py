"""A library's side of the pipe: prepare once, then train as often as asked. Imported by the library's own Python."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from benchmarks.clock import Fit, timed

DIM, LAYERS, BATCH = 32, 2, 1024
"""What every LightGCN of the benchmark has: numbers an embedding, layers of propagation, positives a step."""


def serve(prepare: Callable[[NDArray[np.int32]], Fit], *packages: str) -> None:
    """Answer standard input until it ends: each line a number of epochs, each answer what they cost.

    prepare: takes the pairs, (P, 2) user and item, and gives what is timed. The first line out tells the versions of
    the packages. The file of pairs is the program's argument. Whatever the library prints goes to standard error.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    fit = timed(prepare(np.load(sys.argv[1])))
    print(json.dumps({"python": platform.python_version(), **{name: version(name) for name in packages}}), file=answers)
    answers.flush()
    for line in sys.stdin:
        print(json.dumps(fit(int(line))._asdict()), file=answers)
        answers.flush()
