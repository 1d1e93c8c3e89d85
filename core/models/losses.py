"""Losses: how much a pair of a positive and a negative is wrong, and how hard the step pushes them apart.

Here: one compiled function a loss, and what a loss makes of items' popularity, which both engines ask for.
Not here: which parameters the push moves (updaters.py), names (choices.py), the losses of the autograd engine
(engines/objectives.py).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.kernels import Array, Scalar, kernel

HARDNESS = 0.5  # temperature of VarBPR's hardness


@kernel()
def bpr(margin: Scalar, tau: Scalar) -> tuple[Scalar, Scalar]:
    """BPR, -log sigma(margin / tau), and its slope. Rendle et al., UAI 2009.

    margin: x_ui - x_uj. Returns (sigma(margin / tau), minus the derivative by the margin: (1 - sigma) / tau).
    """
    right = 1.0 / (1.0 + math.exp(-margin / tau))
    return right, (1.0 - right) / tau


@kernel()
def infonce(up: Scalar, down: Array, tau: Scalar, pushes: Array) -> tuple[Scalar, Scalar]:
    """InfoNCE, -log e^(up/tau) / (e^(up/tau) + sum over n negatives of e^(down/tau)), and its slopes.

    van den Oord et al., arXiv 1807.03748. up: x_ui; down (n,) the negatives' scores. Returns (the positive's share of
    the softmax, minus the derivative by x_ui); pushes (n,) is filled with the derivatives by the negatives' scores,
    which add up to the former.
    """
    top = up
    for k in range(len(down)):
        top = max(top, down[k])
    own = math.exp((up - top) / tau)
    total = own
    for k in range(len(down)):
        pushes[k] = math.exp((down[k] - top) / tau)
        total += pushes[k]
    for k in range(len(down)):
        pushes[k] /= total * tau
    right = own / total
    return right, (1.0 - right) / tau


@kernel()
def softmax(scores: Array, slope: Scalar, logs: Array, items: Array, shares: Array) -> None:
    """VarBPR's posteriors: fills shares (n,) with softmax(slope x_l + logs_l). scores (n,), items (n,), logs (I,)."""
    top = -np.inf
    for k in range(len(scores)):
        shares[k] = slope * scores[k] + logs[items[k]]
        top = max(top, shares[k])
    total = 0.0
    for k in range(len(scores)):
        shares[k] = math.exp(shares[k] - top)
        total += shares[k]
    for k in range(len(scores)):
        shares[k] /= total


@kernel()
def var_bpr_margin(up: Array, down: Array, alpha: Array, beta: Array) -> Scalar:
    """VarBPR, the logistic loss of the weighted margin: -log sigma(sum of alpha x+ - sum of beta x-).

    Liu et al., arXiv 2503.11067. up (M,), down (n,): scores of positives and negatives; alpha, beta: their posteriors,
    taken as constants, which are overwritten: with minus the derivatives by `up`, and the derivatives by `down`.
    Returns sigma of the margin.
    """
    margin = 0.0
    for k in range(len(up)):
        margin += alpha[k] * up[k]
    for k in range(len(down)):
        margin -= beta[k] * down[k]
    right, push = bpr(margin, 1.0)
    for k in range(len(up)):
        alpha[k] *= push
    for k in range(len(down)):
        beta[k] *= push
    return right


@kernel()
def var_bpr_exact(up: Array, down: Array, alpha: Array, beta: Array, pushes: Array) -> Scalar:
    """VarBPR, the weighted sum of the logistic losses: sum of alpha beta softplus(-(x+ - x-)). As `var_bpr_margin`.

    pushes (n,) is scratch. Returns e to the power of minus the loss, which is sigma of the margin where M = n = 1.
    """
    loss = 0.0
    pushes[:] = 0.0
    for m in range(len(up)):
        total = 0.0
        for k in range(len(down)):
            right, push = bpr(up[m] - down[k], 1.0)
            loss -= alpha[m] * beta[k] * math.log(max(right, 4e-18))
            total += beta[k] * push
            pushes[k] += alpha[m] * push
        alpha[m] *= total
    for k in range(len(down)):
        beta[k] *= pushes[k]
    return math.exp(-loss)


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


def var_bpr_log_priors(
    popularity: NDArray[np.integer], rarity: float, popular: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What popularity says of an item as a positive, rarity^a, and as a negative, popularity^e: their logarithms.

    rarity: a; popular: e. An item of rarity 0 has the smallest positive number instead. Returns two (I,) float64.
    """
    share, tiny = var_bpr_popularity(popularity), np.finfo(np.float64).tiny
    return rarity * np.log(np.maximum(1 - share, tiny)), popular * np.log(share)


def var_bpr_slopes(c: float, hardness_pos: float, hardness_neg: float) -> tuple[float, float]:
    """What a score counts for in VarBPR's posteriors of positives and of negatives, softmax(slope x + log of prior).

    Written out they are softmax(x / c + b log hardness+) and softmax(-x / c + d log hardness-), with hardness+ =
    softmax((mean - x) / .5) and hardness- = softmax((x - mean) / .5). The mean and hardness's own sum are the same for
    all that are compared, and cancel. c > 0; hardness_pos: b; hardness_neg: d.

    >>> var_bpr_slopes(4.0, 0.8, 1.0)
    (-1.35, 1.75)
    """
    return 1 / c - hardness_pos / HARDNESS, hardness_neg / HARDNESS - 1 / c
