r"""Bias and variance of a pairwise loss over replicates of one model, on fixed triples of a user and two items.

Here: pure functions of `margins` (R, T) float: the score of the triple's first item less that of its second, in each of
R replicates. Not here: which triples (triples.py), where replicates come from (jobs/decomposing.py).

A model says that the user prefers the first item with probability p_r = sigma(margin_r). On real data a triple has one
label, 1: the first item was taken. Then

    Brier     mean_r (1 - p_r)^2  =  (1 - p)^2  +  mean_r (p_r - p)^2,    p = mean_r p_r
    logistic  mean_r -log p_r     =  -log p     +  mean_r KL(p || p_r),   p = sigma(mean_r margin_r)

the first term being bias and noise together: one label cannot tell them apart, but noise is the same for every model,
so what two models differ by on the same triples is bias. Where the true probability q is known (simulated data), the
loss is its expectation over the label, and its terms are three:

    Brier     q(1 - q) + (q - p)^2 + mean_r (p_r - p)^2
    logistic  H(q) + KL(q || p) + mean_r KL(p || p_r)

(Domingos, ICML 2000, for the Brier score; Heskes, Neural Computation 10(6), 1998, for log loss, whose mean model is the
normalised geometric mean.) Terms add up to the loss to rounding, for every triple. The variance is that of these R
replicates (divided by R): of infinitely many it is R / (R - 1) times that for Brier, and the bias term so much less.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

PerTriple = NDArray[np.float64]
Loss = Literal["brier", "logistic"]


class Terms(NamedTuple):
    """Of each triple, (T,) float64: loss = bias + noise + variance. Without a known truth, noise is part of bias."""

    loss: PerTriple
    bias: PerTriple
    """With noise, where `noise` is None."""
    noise: PerTriple | None
    variance: PerTriple


def decompose(margins: NDArray[np.floating], loss: Loss, truth: PerTriple | None = None) -> Terms:
    """The terms of each triple. margins (R, T), R >= 1; truth (T,) the true probability q in (0, 1), or None.

    The loss is computed by itself, from each replicate's prediction: that the terms add up to it is no tautology.

    >>> terms = decompose(np.array([[0.0], [0.0]]), "brier")
    >>> terms.loss, terms.bias, terms.variance
    (array([0.25]), array([0.25]), array([0.]))
    """
    wide = np.asarray(margins, np.float64)
    return _brier(wide, truth) if loss == "brier" else _logistic(wide, truth)


def _brier(margins: NDArray[np.float64], truth: PerTriple | None) -> Terms:
    p = sigmoid(margins)
    centre = p.mean(axis=0)
    variance = ((p - centre) ** 2).mean(axis=0)
    if truth is None:
        return Terms(((1 - p) ** 2).mean(axis=0), (1 - centre) ** 2, None, variance)
    loss = (truth * (1 - p) ** 2 + (1 - truth) * p**2).mean(axis=0)
    return Terms(loss, (truth - centre) ** 2, truth * (1 - truth), variance)


def _logistic(margins: NDArray[np.float64], truth: PerTriple | None) -> Terms:
    centre = margins.mean(axis=0)
    log_up, log_down = log_sigmoid(centre), log_sigmoid(-centre)
    p = sigmoid(centre)
    each_up, each_down = log_sigmoid(margins), log_sigmoid(-margins)
    variance = (p * (log_up - each_up) + (1 - p) * (log_down - each_down)).mean(axis=0)
    if truth is None:
        return Terms(-each_up.mean(axis=0), -log_up, None, variance)
    entropy = -(truth * np.log(truth) + (1 - truth) * np.log1p(-truth))
    loss = -(truth * each_up + (1 - truth) * each_down).mean(axis=0)
    return Terms(loss, -(truth * log_up + (1 - truth) * log_down) - entropy, entropy, variance)


class Summary(NamedTuple):
    """Means of the terms over triples: loss = bias + noise + variance; noise None where it is part of bias."""

    loss: float
    bias: float
    noise: float | None
    variance: float
    triples: int


def summarise(terms: Terms, chosen: NDArray[np.bool_] | None = None) -> Summary | None:
    """Means over all triples, or over the chosen ones (T,) bool; None where there is none."""
    kept = np.arange(len(terms.loss)) if chosen is None else np.flatnonzero(chosen)
    if not len(kept):
        return None
    noise = None if terms.noise is None else float(terms.noise[kept].mean())
    loss, bias, variance = (float(term[kept].mean()) for term in (terms.loss, terms.bias, terms.variance))
    return Summary(loss, bias, noise, variance, len(kept))


def per_user(values: PerTriple, users: NDArray[np.integer], n_users: int) -> tuple[PerTriple, PerTriple]:
    """Sums of a term over each user's triples, and their number: (U,), (U,). What a bootstrap over users resamples."""
    sums, numbers = np.bincount(users, values, n_users), np.bincount(users, minlength=n_users)
    return np.asarray(sums, np.float64), np.asarray(numbers, np.float64)


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + e^-x), without overflow.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def log_sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """log sigma(x), exact for large |x|.

    >>> log_sigmoid(np.array([-1000.0, 1000.0]))
    array([-1000.,     0.])
    """
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))
