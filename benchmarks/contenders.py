"""Who is timed: our variants and other libraries' BPR, each a function that trains a number of epochs.

One thread, embeddings of 32 numbers, the same interactions. Not here: how they are timed (__main__.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.datasets.interactions import Interactions
from core.models.variant import make_variant

DIM = 32

Fit = Callable[[int], None]
"""Trains so many epochs, from the beginning or on from where it was."""


@dataclass(frozen=True)
class Contender:
    """A row of the table: `prepare` takes the interactions and returns what is timed."""

    name: str
    library: str
    prepare: Callable[[Interactions], Fit]


def ours(**choices: Any) -> Callable[[Interactions], Fit]:
    """A variant of the compiled engine, without evaluation."""

    def prepare(fitted: Interactions) -> Fit:
        from core.models.engines.compiled import CompiledEngine

        engine = CompiledEngine(make_variant("benchmark", dim=DIM, **choices), fitted, 0)

        def fit(epochs: int) -> None:
            for _ in range(epochs):
                engine.epoch()

        return fit

    return prepare


def implicit_bpr(fitted: Interactions) -> Fit:
    """implicit counts its item bias as one of the numbers: 31 and the bias are 32."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking
    from scipy.sparse import csr_matrix

    ones = np.ones(len(fitted), np.float32)
    matrix = csr_matrix((ones, fitted.indices, fitted.indptr), (fitted.n_users, fitted.n_items))

    def fit(epochs: int) -> None:
        model = BayesianPersonalizedRanking(factors=DIM - 1, iterations=epochs, num_threads=1, random_state=1)
        model.fit(matrix, show_progress=False)

    return fit


def cornac_bpr(fitted: Interactions) -> Fit:
    from cornac.data import Dataset
    from cornac.models import BPR

    pairs = zip(fitted.users().tolist(), fitted.indices.tolist(), strict=True)
    dataset = Dataset.from_uir([(str(u), str(i), 1.0) for u, i in pairs], seed=1)

    def fit(epochs: int) -> None:
        BPR(k=DIM, max_iter=epochs, num_threads=1, seed=1).fit(dataset)

    return fit


CONTENDERS = (
    Contender("implicit BPR", "implicit", implicit_bpr),
    Contender("cornac BPR", "cornac", cornac_bpr),
    Contender("rns", "ours", ours(sampler="rns")),
    Contender("pns", "ours", ours(sampler="pns")),
    Contender("dns", "ours", ours(sampler="dns")),
    Contender("bns", "ours", ours(sampler="bns")),
    Contender("auc_ns", "ours", ours(sampler="auc_ns", beta=0.025)),
    Contender("one_bp rns", "ours", ours(sampler="rns", updater="one_bp")),
    Contender("one_bp dns", "ours", ours(sampler="dns", updater="one_bp")),
    Contender("one_bp auc_ns", "ours", ours(sampler="auc_ns", beta=0.025, updater="one_bp")),
)
