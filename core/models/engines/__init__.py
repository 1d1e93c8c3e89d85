"""The engines: what runs an epoch. A variant's modules say which one serves it (`fields.engine_of`)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol

from core.datasets.interactions import Interactions
from core.models.scorers import Scorer
from core.models.variant import Variant

if TYPE_CHECKING:
    from core.models.engines.report import EpochReport


class Engine(Protocol):
    """Trains one run, an epoch a call."""

    def epoch(self) -> EpochReport:
        """One pass over the training pairs. Raises RunFailed as soon as a number is no longer finite."""

    def scorer(self) -> Scorer:
        """What ranks at this moment, a copy."""


def load_engine(variant: Variant) -> None:
    """Import what trains the variant, kernels included: seconds, once a process."""
    if variant.engine == "compiled":
        importlib.import_module("core.models.engines.compiled")
    elif variant.engine == "autograd":
        importlib.import_module("core.models.engines.autograd")


def make_engine(variant: Variant, fitted: Interactions, seed: int, device: str = "cpu") -> Engine:
    """The engine that serves the variant, at its beginning. device: "cpu" or "cuda", for the autograd engine.

    Imports only that engine: a process that trains compiled runs never waits for torch.
    """
    if variant.engine == "compiled":
        from core.models.engines.compiled import CompiledEngine

        return CompiledEngine(variant, fitted, seed)
    from core.models.engines.autograd import AutogradEngine

    return AutogradEngine(variant, fitted, seed, device)


def usable_device(asked: str) -> str:
    """Where autograd runs: "cuda" or "cpu" as asked, for "auto" CUDA where there is one. Imports torch for "auto"."""
    if asked != "auto":
        return asked
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
