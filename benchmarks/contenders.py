"""Who is timed: our variants, other libraries' BPR, and other libraries' LightGCN, each a function that trains epochs.

One thread, embeddings of 32 numbers, the same interactions; in batches of 1,024 pairs where there are batches.
Not here: how they are timed (__main__.py), and what a LightGCN that lives in another environment runs (peers/).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.clock import Fit
from core.datasets.interactions import Interactions
from core.models.engines import make_engine
from core.models.variant import Variant, make_variant

DIM, BATCH = 32, 1024

LENGTHS = {"compiled": (5, 25), "autograd": (1, 3)}
"""Epochs of the short and of the long training. An epoch of batches takes long enough to be seen in two."""


@dataclass(frozen=True)
class Contender:
    """A row of the table: `prepare` takes the interactions and returns what is timed."""

    name: str
    prepare: Callable[[Interactions], Fit]
    lengths: tuple[int, int] = LENGTHS["compiled"]
    variant: Variant | None = None
    """What is trained, where it is ours."""


def ours(name: str, **choices: Any) -> Contender:
    """A variant on the engine that serves it, without evaluation."""
    variant = make_variant("benchmark", dim=DIM, **choices)

    def prepare(fitted: Interactions) -> Fit:
        engine = make_engine(variant, fitted, 0)

        def fit(epochs: int) -> None:
            for _ in range(epochs):
                engine.epoch()

        return fit

    return Contender(name, prepare, LENGTHS[variant.engine], variant)


def batches(name: str, **choices: Any) -> Contender:
    """The same on the autograd engine, by Adam."""
    return ours(name, optimizer="adam", batch=BATCH, **choices)


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
    Contender("implicit BPR", implicit_bpr),
    Contender("cornac BPR", cornac_bpr),
    ours("rns"),
    ours("pns", sampler="pns"),
    ours("dns", sampler="dns"),
    ours("bns", sampler="bns"),
    ours("auc_ns", sampler="auc_ns", beta=0.025),
    ours("fair_static", sampler="fair_static"),
    ours("infonce", loss="infonce"),
    ours("ips_cn", loss="ips_cn"),
    ours("var_bpr", loss="var_bpr"),
    ours("one_bp rns", updater="one_bp"),
    ours("one_bp dns", updater="one_bp", sampler="dns"),
    ours("one_bp auc_ns", updater="one_bp", sampler="auc_ns", beta=0.025),
    ours("one_bp infonce", updater="one_bp", loss="infonce"),
    batches("adam bpr"),
    batches("adam infonce", loss="infonce"),
    batches("adam ips_cn", loss="ips_cn"),
    batches("adam var_bpr", loss="var_bpr"),
    batches("adam sam_reg", loss="sam_reg"),
    batches("adam cause", loss="cause"),
    batches("adam macr", loss="macr"),
    batches("adam bc", loss="bc", warm_up=1),  # the epoch before the clock is its warm-up
    batches("lightgcn rns", encoder="lightgcn", layers=2),
    batches("lightgcn auc_ns", encoder="lightgcn", layers=2, sampler="auc_ns", beta=0.025),
)

PEERS = {"recbole": "RecBole LightGCN", "lenskit": "LensKit LightGCN"}
"""The rows of LightGCNs in environments of their own, by what names these."""

PEER_LENGTHS = LENGTHS["autograd"]
