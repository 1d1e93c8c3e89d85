"""Encoders: what a user's and an item's vector are made of.

Here: the tables an encoder begins with. Not here: how they learn (updaters.py, engines/), LightGCN's propagation of
them (engines/propagation.py), and the score of two vectors, which is their dot product for every encoder (scorers.py).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.models.variant import Variant

Table = NDArray[np.float32]


def mf_tables(variant: Variant, n_users: int, n_items: int, stream: np.random.Generator) -> tuple[Table, Table]:
    """An embedding of each user, (U, dim), and of each item, (I, dim), float32: all of MF, layer 0 of LightGCN.

    They begin normal with mean 0 and standard deviation `init_sigma`, users drawn first. Koren, Bell, Volinsky 2009;
    He et al. 2020. "xavier": sqrt(2 / (rows + dim)) for each table, Glorot and Bengio, AISTATS 2010.
    """
    return mf_table(variant, n_users, stream), mf_table(variant, n_items, stream)


def mf_table(variant: Variant, rows: int, stream: np.random.Generator) -> Table:
    """One table as it begins, (rows, dim) float32."""
    dim = int(variant.dim or 0)
    sigma = math.sqrt(2 / (rows + dim)) if variant.init_sigma == "xavier" else float(variant.init_sigma or 0)
    return (stream.standard_normal((rows, dim)) * sigma).astype(np.float32)
