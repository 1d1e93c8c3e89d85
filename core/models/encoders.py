"""Encoders: what a user's and an item's vector are made of.

Here: the tables an encoder begins with. Not here: how they learn (updaters.py, engines/), and the score of two vectors,
which is their dot product for every encoder (scorers.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.models.variant import Variant

Table = NDArray[np.float32]


def mf_tables(variant: Variant, n_users: int, n_items: int, stream: np.random.Generator) -> tuple[Table, Table]:
    """MF: an embedding of each user, (U, dim), and of each item, (I, dim), float32. Koren, Bell, Volinsky 2009.

    They begin normal with mean 0 and standard deviation `init_sigma`, users drawn first.
    """
    dim, sigma = int(variant.dim or 0), float(variant.init_sigma or 0)
    users, items = ((stream.standard_normal((n, dim)) * sigma).astype(np.float32) for n in (n_users, n_items))
    return users, items
