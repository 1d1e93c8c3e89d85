"""Randomness: one stream a purpose, all from a run's seed: one draw more in one place moves nothing elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PURPOSES = ("init", "order", "negatives", "bootstrap")  # append only: the position is part of the result


def streams(seed: int) -> dict[str, np.random.Generator]:
    """A generator for each of PURPOSES. seed: a whole number >= 0."""
    children = np.random.SeedSequence(seed).spawn(len(PURPOSES))
    return {purpose: np.random.default_rng(child) for purpose, child in zip(PURPOSES, children, strict=True)}


def kernel_state(stream: np.random.Generator) -> NDArray[np.uint64]:
    """The state of a compiled kernel's own generator (samplers.bits), started from a stream. Shape (1,)."""
    return stream.integers(0, 2**64, 1, np.uint64)
