"""Losses: how much a pair of a positive and a negative is wrong, and how hard the step pushes them apart.

Here: one compiled function a loss, and what a loss makes of items' popularity, which both engines ask for.
Not here: which parameters the push moves (updaters.py), names (choices.py), the losses of the autograd engine
(engines/objectives.py).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.kernels import Scalar, kernel


@kernel()
def bpr(margin: Scalar, tau: Scalar) -> tuple[Scalar, Scalar]:
    """BPR, -log sigma(margin / tau), and its slope. Rendle et al., UAI 2009.

    margin: x_ui - x_uj. Returns (sigma(margin / tau), minus the derivative by the margin: (1 - sigma) / tau).
    """
    right = 1.0 / (1.0 + math.exp(-margin / tau))
    return right, (1.0 - right) / tau


def ips_weights(popularity: NDArray[np.integer], power: float) -> NDArray[np.float64]:
    """IPS-CN's weight of a pair by its positive: clipped and normalised inverse propensity.

    (max(pop) / (pop_i + 1))^power, clipped to [1, median of all items'], divided by the largest: the power first, then
    the clip, so that power 0 weighs all alike. Bottou et al., JMLR 2013; Gruson et al., WSDM 2019. popularity (I,)
    interactions per item; power >= 0. Returns (I,) float64 in (0, 1].

    >>> ips_weights(np.array([9, 4, 4, 1, 1]), 1.0).tolist()  # 9/10, 9/5, 9/5, 9/2, 9/2; the median is 9/5
    [0.5555555555555556, 1.0, 1.0, 1.0, 1.0]
    """
    if len(popularity) == 0:
        return np.zeros(0)
    raw = (popularity.max() / (popularity + 1.0)) ** power
    clipped = np.clip(raw, 1.0, max(float(np.median(raw)), 1.0))
    weights: NDArray[np.float64] = clipped / clipped.max()
    return weights


def var_bpr_popularity(popularity: NDArray[np.integer]) -> NDArray[np.float64]:
    """VarBPR's popularity, log(2 + pop_l) / log(2 + max(pop)). Liu et al., arXiv 2503.11067.

    popularity (I,) interactions per item. Returns (I,) float64 in (0, 1]: 1 for the most popular, above 0 for those
    that nobody took.

    >>> var_bpr_popularity(np.array([14, 2, 0])).tolist()  # logarithms of 16, 4, 2
    [1.0, 0.5, 0.25]
    """
    share: NDArray[np.float64] = np.log(2.0 + popularity) / np.log(2.0 + popularity.max(initial=0))
    return share


def var_bpr_rarity(popularity: NDArray[np.integer]) -> NDArray[np.float64]:
    """VarBPR's rarity, 1 - popularity (`var_bpr_popularity`). Returns (I,) float64 in [0, 1)."""
    return 1 - var_bpr_popularity(popularity)
