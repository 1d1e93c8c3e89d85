"""Negative samplers: which item, not taken by the user, stands against a positive.

Here: each sampler's rule, compiled, and the pieces of the rules, one function an equation.
Not here: when a negative is drawn and what a visit knows (engines/compiled.py), names and strengths (choices.py).
A new sampler is one `choose_...` here, one row in SAMPLERS of choices.py, one branch in the engine, one row in docs/methods.md.

Symbols: u user, i positive, l candidate, x score, F_u(x) the share of the user's scores up to x, pi_l the item's share of
the train interactions, I+_u the items u took, I-_u all others, sigma the logistic function.
Scores come as e^x: sigma(a - b) = e^a / (e^a + e^b), so a term costs one division.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.kernels import kernel

Array = NDArray[Any]

STEP, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
R30, R27, R31, R32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)


# --- chance ---------------------------------------------------------------------------------------------------------


@kernel()
def bits(state: Array) -> np.uint64:
    """64 random bits: splitmix64 (Steele, Lea, Flood, OOPSLA 2014). state (1,) uint64, any start value, advanced."""
    state[0] += STEP
    z = state[0]
    z = (z ^ (z >> R30)) * FIRST
    z = (z ^ (z >> R27)) * SECOND
    return z ^ (z >> R31)


@kernel()
def below(state: Array, n: int) -> int:
    """A uniform whole number from 0 to n - 1, 1 <= n < 2^31. Off by n / 2^32 at most: the price of no division."""
    return np.int64(((bits(state) >> R32) * np.uint64(n)) >> R32)  # type: ignore[return-value]


@kernel()
def uniform_negative(state: Array, taken: Array, rest: Array, n_rest: int) -> int:
    """RNS: an item of I-_u, uniform. Rendle et al., UAI 2009.

    taken (I,) uint8: not zero for what may not be drawn; rest (n_rest,): I-_u written out for a user with few items left,
    so that no user's draw is a long search; n_rest 0 where it is not written out.
    """
    if n_rest > 0:
        return rest[below(state, n_rest)]  # type: ignore[no-any-return]
    item = below(state, len(taken))
    while taken[item]:
        item = below(state, len(taken))
    return item


@kernel()
def popular_negative(state: Array, taken: Array, accept: Array, alias: Array) -> int:
    """PNS: an item of I-_u, proportional to its weight. Mikolov et al. 2013; alias method of Walker 1977.

    accept (I,) float64, alias (I,) int32: see `alias_table`. For users whose items leave enough weight to hit.
    """
    while True:
        item = below(state, len(accept))
        if np.float64(bits(state) >> R32) * 2.0**-32 >= accept[item]:
            item = alias[item]
        if not taken[item]:
            return item


@kernel()
def heavy_negative(state: Array, rest: Array, running: Array, n_rest: int) -> int:
    """PNS by search: an item of `rest`, proportional to the weights whose running sum is `running`, both (n_rest,) and more.

    For users who took nearly all the weight there is. Weights that are all 0 leave nothing to prefer: uniform.
    """
    total = running[n_rest - 1]
    if total <= 0.0:
        return rest[below(state, n_rest)]  # type: ignore[no-any-return]
    mark = np.float64(bits(state) >> R32) * 2.0**-32 * total
    return rest[np.searchsorted(running[:n_rest], mark, side="right")]  # type: ignore[no-any-return]


def alias_table(weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Walker's alias table of weights (n,) >= 0, not all 0: item k keeps its draw with probability accept[k], else alias[k].

    Returns accept (n,) float64, alias (n,) int32. Two loads a draw whatever the weights are.
    """
    share = weights / weights.sum() * len(weights)
    accept, alias = np.ones(len(weights)), np.arange(len(weights), dtype=np.int32)
    small = [int(k) for k in np.flatnonzero(share < 1)]
    large = [int(k) for k in np.flatnonzero(share >= 1)]
    while small and large:
        low, high = small.pop(), large[-1]
        accept[low], alias[low] = share[low], high
        share[high] -= 1 - share[low]
        if share[high] < 1:
            small.append(large.pop())
    return accept, alias


# --- pieces of the rules --------------------------------------------------------------------------------------------

BINS = 256


@kernel()
def distribution(scores: Array, n: int, cumulative: Array) -> tuple[float, float]:
    """F_u(x) = #{l : x_ul <= x} / (|I| + 1), from the first n scores. AUC-NS, arXiv 2306.01348; BNS.

    Scores are counted into equal-width bins; cumulative (BINS,) is filled with the running sum over n + 1.
    Returns (lowest score, bins a unit of score): what `share_below` reads it with.
    """
    lowest, highest = scores[0], scores[0]
    for l in range(n):
        lowest, highest = min(lowest, scores[l]), max(highest, scores[l])
    span = highest - lowest
    scale = (BINS - 1) / span if span > 0.0 else 0.0 * span
    cumulative[:] = 0
    for l in range(n):
        cumulative[np.int64((scores[l] - lowest) * scale)] += 1
    total = 0.0
    for b in range(BINS):
        total += cumulative[b]
        cumulative[b] = total / (n + 1)
    return lowest, scale


@kernel()
def share_below(x: float, cumulative: Array, lowest: float, scale: float) -> float:
    """F_u(x) read from its bins, to one bin's width."""
    return cumulative[min(max(np.int64((x - lowest) * scale), 0), BINS - 1)]  # type: ignore[no-any-return]


@kernel()
def likelihood_negative(F: float, alpha: float) -> float:
    """f-(x): density of the sample information of a true negative, 2[(1 - F) alpha + F (1 - alpha)]. AUC-NS."""
    return 2 * ((1 - F) * alpha + F * (1 - alpha))


@kernel()
def likelihood_positive(F: float, alpha: float) -> float:
    """f+(x): the same of a false negative, 2[(1 - F)(1 - alpha) + F alpha]. AUC-NS. alpha: the encoder's macro-AUC."""
    return 2 * ((1 - F) * (1 - alpha) + F * alpha)


def prior(popularity: NDArray[np.integer], beta: float) -> NDArray[np.float64]:
    """P_l = pi_l^beta, the prior of a true negative. AUC-NS. Items without a train interaction: 0, and 1 at beta 0 (0^0 = 1).

    popularity (I,): interactions per item.
    >>> prior(np.array([3, 1, 0]), 1.0).tolist(), prior(np.array([3, 1, 0]), 0.0).tolist()
    ([0.75, 0.25, 0.0], [1.0, 1.0, 1.0])
    """
    return np.power(popularity / max(popularity.sum(), 1), beta)


@kernel()
def posterior(P: float, f_negative: float, f_positive: float) -> float:
    """w = f- P / (f- P + f+ (1 - P)): the probability that a candidate is a true negative. AUC-NS."""
    return f_negative * P / (f_negative * P + f_positive * (1 - P))


@kernel()
def gain(w: float, n_positives: int, rise: float, gamma: float, n_negatives: int, fall: float) -> float:
    """What training on the candidate adds to the user's partial AUC: w |I+| rise - (1 - w) gamma |I-| fall. AUC-NS.

    rise: mean over drawn positives p of 1 - sigma(x_p - x_l); fall: mean over drawn negatives n of 1 - sigma(x_l - x_n).
    """
    return w * n_positives * rise - (1 - w) * gamma * n_negatives * fall


@kernel()
def unbias(F: float, P: float) -> float:
    """The probability of a true negative in BNS: (1 - F)(1 - P) / (1 - F - P + 2 F P). P: prior of a *false* negative, pi_l."""
    return (1 - F) * (1 - P) / (1 - F - P + 2 * F * P)


@kernel()
def risk(info: float, unbiased: float, cost: float) -> float:
    """BNS's sampling risk: info [1 - (1 + cost) unbias]. info: 1 - sigma(x_ui - x_ul)."""
    return info * (1 - (1 + cost) * unbiased)


# --- the rules: which of the drawn candidates --------------------------------------------------------------------------


@kernel()
def choose_dns(scores: Array, m: int) -> int:
    """DNS: the highest-scored of the first m candidates, the first of equals. Zhang et al., SIGIR 2013. Returns its place."""
    best = 0
    for c in range(1, m):
        if scores[c] > scores[best]:
            best = c
    return best


@kernel()
def choose_bns(exps: Array, shares: Array, priors: Array, m: int, positive: float, cost: float) -> int:
    """BNS: the candidate of least risk. Liu and Wang, ICDE 2023. Returns its place.

    exps, shares, priors (m,): e^x, F and pi of the candidates; positive: e^x of the pair's positive.
    """
    best, least = 0, np.inf
    for c in range(m):
        info = exps[c] / (exps[c] + positive)  # 1 - sigma(x_ui - x_ul)
        value = risk(info, unbias(shares[c], priors[c]), cost)
        if value < least:
            best, least = c, value
    return best


@kernel()
def choose_auc_ns(
    scores: Array,
    exps: Array,
    shares: Array,
    priors: Array,
    m: int,
    ups: Array,
    n_ups: int,
    downs: Array,
    n_downs: int,
    n_positives: int,
    n_negatives: int,
    alpha: float,
    gamma: float,
) -> int:
    """AUC-NS: the candidate of largest gain; of equal gains the higher score, so that rounding cannot part it from DNS.

    scores, exps, shares, priors (m,): x, e^x, F and P of the candidates; ups (n_ups,), downs (n_downs,): e^x of the
    positives and negatives drawn for this pair; n_positives = |I+_u|, n_negatives = |I-_u|. Returns its place.
    """
    best, largest = 0, -np.inf
    for c in range(m):
        e = np.float64(exps[c])
        rise, fall = 0.0, 0.0
        for n in range(n_ups):
            rise += e / (e + ups[n])
        for n in range(n_downs):
            fall += downs[n] / (downs[n] + e)
        f_negative, f_positive = likelihood_negative(shares[c], alpha), likelihood_positive(shares[c], alpha)
        w = posterior(priors[c], f_negative, f_positive)
        value = gain(w, n_positives, rise / n_ups, gamma, n_negatives, fall / n_downs)
        if value > largest or (value == largest and scores[c] > scores[best]):
            best, largest = c, value
    return best
