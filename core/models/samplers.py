"""Negative samplers: which item, not taken by the user, stands against a positive.

Here: each sampler's rule, compiled, and the pieces of the rules, one function an equation.
Not here: when a negative is drawn and what a visit knows (engines/drawing.py), names and strengths (choices.py).
A new sampler is its rule here, one row in SAMPLERS of choices.py, one branch in drawing.py, one row in docs/methods.md.

Symbols: u user, i positive, l candidate, x score, F_u(x) the share of the user's scores up to x, pi_l the item's share
of the train interactions, I+_u the items u took, I-_u all others, sigma the logistic function. Steps of AUC-NS are
numbered as in docs/methods.md.
Scores come as e^x: sigma(a - b) = e^a / (e^a + e^b), so a term costs one division.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.kernels import Array, Scalar, kernel

STEP, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
R30, R27, R31, R32, LOW = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32), np.uint64(2**32 - 1)


# --- chance ---------------------------------------------------------------------------------------------------------


@kernel()
def bits(state: Array) -> Scalar:
    """64 random bits: splitmix64 (Steele, Lea, Flood, OOPSLA 2014). state (1,) uint64, any start value, advanced."""
    state[0] += STEP
    z = state[0]
    z = (z ^ (z >> R30)) * FIRST
    z = (z ^ (z >> R27)) * SECOND
    return z ^ (z >> R31)


@kernel()
def below(state: Array, n: int) -> Scalar:
    """A uniform whole number from 0 to n - 1, 1 <= n < 2^31. Off by n / 2^32 at most: the price of no division."""
    return np.int64(((bits(state) >> R32) * np.uint64(n)) >> R32)


@kernel()
def split_bits(state: Array) -> tuple[Scalar, Scalar]:
    """Two times 32 random bits, for two draws at the price of one: (half * n) >> 32 is below n."""
    word = bits(state)
    return np.int64(word >> R32), np.int64(word & LOW)


@kernel()
def some_of(values: Array, n: int, wanted: int, state: Array) -> None:
    """Brings `wanted` of the first n values, drawn without replacement, to the front (Fisher and Yates, cut short)."""
    for k in range(wanted):
        other = k + below(state, n - k)
        values[k], values[other] = values[other], values[k]


@kernel()
def uniform_negative(state: Array, taken: Array, rest: Array, n_rest: int) -> Scalar:
    """RNS: an item of I-_u, uniform. Rendle et al., UAI 2009.

    taken (I,) uint8: not zero for what may not be drawn; rest (n_rest,): I-_u written out, which a user with few items
    left needs so that no draw is a long search; n_rest 0 where it is not.
    """
    if n_rest > 0:
        return rest[below(state, n_rest)]
    item = below(state, len(taken))
    while taken[item]:
        item = below(state, len(taken))
    return item


@kernel()
def weighted_negative(state: Array, taken: Array, accept: Array, alias: Array) -> Scalar:
    """PNS, FairStatic: an item of I-_u, proportional to its weight. Alias method of Walker, 1977.

    accept (I,) float64, alias (I,) int32: see `alias_table`. For users whose items leave enough weight to hit.
    """
    while True:
        item = below(state, len(accept))
        if np.float64(bits(state) >> R32) * 2.0**-32 >= accept[item]:
            item = alias[item]
        if not taken[item]:
            return item


@kernel()
def heavy_negative(state: Array, rest: Array, running: Array, n_rest: int) -> Scalar:
    """The same by search: an item of `rest` (n_rest,), proportional to the weights whose running sum is `running`.

    For users who took nearly all the weight there is. Weights that are all 0 leave nothing to prefer: uniform.
    """
    total = running[n_rest - 1]
    if total <= 0.0:
        return rest[below(state, n_rest)]
    mark = np.float64(bits(state) >> R32) * 2.0**-32 * total
    return rest[np.searchsorted(running[:n_rest], mark, side="right")]


def power_weights(popularity: NDArray[np.integer], exponent: float) -> NDArray[np.float64]:
    """PNS's weights, pop^exponent, as shares. Mikolov et al., NeurIPS 2013.

    popularity (I,) interactions per item, not all 0; exponent >= 0. Returns (I,) float64, sum 1.
    """
    weights = prior(popularity, exponent)
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def cold_probability(popularity: NDArray[np.integer], hot: NDArray[np.bool_], shift: float) -> float:
    """P(cold) of FairStatic: (1 - t) x cold share of the catalogue + t x cold share of train, clipped to [0, 1].

    The static baseline of arXiv 2306.01348, after Chen et al., WWW 2023. popularity (I,) train interactions per item,
    not all 0; hot (I,) bool; shift: t.

    >>> popularity, hot = np.array([6, 1, 1, 2]), np.array([True, False, False, False])
    >>> [round(cold_probability(popularity, hot, t), 9) for t in (0.0, 1.0, 2.0)]  # 3/4; 4/10; 2 * 4/10 - 3/4
    [0.75, 0.4, 0.05]
    """
    catalogue, train = float(np.mean(~hot)), float(popularity[~hot].sum() / popularity.sum())
    return float(np.clip((1 - shift) * catalogue + shift * train, 0.0, 1.0))


def group_weights(popularity: NDArray[np.integer], hot: NDArray[np.bool_], shift: float) -> NDArray[np.float64]:
    """FairStatic's weights: of each item, the probability of its group by the size of the group.

    The rule draws a group, then an item uniformly inside it, and both again while the item is the user's own: that is a
    draw from I-_u in proportion to these. So t = 0 is `rns`, and a user who took all of the groups that can be drawn
    gets a uniform negative, as under `pns`. Arguments as in `cold_probability`. Returns (I,) float64, sum 1.
    """
    cold, n_cold = cold_probability(popularity, hot, shift), int(np.sum(~hot))
    return np.where(hot, (1 - cold) / max(len(hot) - n_cold, 1), cold / max(n_cold, 1))


def alias_table(weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Walker's alias table of weights (n,) >= 0, not all 0.

    Returns accept (n,) float64, alias (n,) int32: a uniform k stays with probability accept[k], else it is alias[k].
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
LAST_BIN, ZERO, TINY = np.float32(BINS - 1), np.float32(0), np.float32(1e-9)
CLIP, HALF, ONE = np.float32(60), np.float32(0.5), np.float32(1)
LOG2_E, LN_2_HIGH, LN_2_LOW = np.float32(1.44269504), np.float32(0.693359375), np.float32(-2.12194440e-4)
C0, C1, C2, C3, C4 = (
    np.float32(c) for c in (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1)
)


@kernel()
def exponential(x: Scalar) -> Scalar:
    """e^x as float32, x clipped to [-60, 60], so that the sum of two such terms still is a number. NaN gives e^-60."""
    return np.float32(math.exp(min(x, CLIP) if x > -CLIP else -CLIP))


@kernel()
def exponentials(scores: Array, exps: Array) -> None:
    """The same for a whole array, (n,) float32 both, to a relative 2e-7.

    math.exp is a call an element; this is e^x = 2^m e^r, |r| <= ln(2) / 2, with Cephes' polynomial for e^r, in two
    loops that use vector instructions: four times as fast. The first writes 2^m by its bits.
    """
    powers = exps.view(np.int32)
    for k in range(len(scores)):
        x = min(scores[k], CLIP) if scores[k] > -CLIP else -CLIP
        powers[k] = (np.int32(math.floor(x * LOG2_E + HALF)) + np.int32(127)) << np.int32(23)
    for k in range(len(scores)):
        x = min(scores[k], CLIP) if scores[k] > -CLIP else -CLIP
        m = np.float32(math.floor(x * LOG2_E + HALF))
        r = x - m * LN_2_HIGH - m * LN_2_LOW
        tail = ((((C0 * r + C1) * r + C2) * r + C3) * r + C4) * r + HALF
        exps[k] *= tail * r * r + r + ONE


@kernel()
def distribution(scores: Array, exps: Array, places: Array, counts: Array, shares: Array) -> tuple[Scalar, Scalar]:
    """F_u(x) = #{l : x_ul <= x} / (|I| + 1) over the scores given: the sample information of BNS and AUC-NS.

    scores, exps (n,) float32: x and e^x; shares (BINS,) float32 is filled with F at the upper end of each of BINS
    equal-width bins; places (n,), counts (BINS,) int32 are scratch. Returns float32 (lowest score, bins a unit of
    score): what `share_below` reads the bins with.
    """
    # The bits of positive floats are ordered like the floats, and the extremes of whole numbers are found in vectors.
    words = exps.view(np.int32)
    least = most = words[0]
    for k in range(len(words)):
        least, most = min(least, words[k]), max(most, words[k])
    counts[0], counts[1] = least, most
    ends = counts.view(np.float32)
    lowest = np.float32(math.log(ends[0]))
    scale = np.float32((BINS - 1) / max(np.float32(math.log(ends[1])) - lowest, TINY))
    for k in range(len(scores)):
        places[k] = _bin(scores[k], lowest, scale)
    counts[:] = 0
    for k in range(len(scores)):
        counts[places[k]] += np.int32(1)
    count = np.int32(0)
    for b in range(BINS):
        count += counts[b]
        shares[b] = np.float32(count) / np.float32(len(scores) + 1)
    return lowest, scale


@kernel()
def _bin(x: Scalar, lowest: Scalar, scale: Scalar) -> Scalar:
    """The bin of a score. Clipped before the conversion: NaN and infinity must not become an address."""
    place = (x - lowest) * scale
    return np.int32(min(place, LAST_BIN) if place > ZERO else ZERO)


@kernel()
def share_below(x: Scalar, shares: Array, lowest: Scalar, scale: Scalar) -> Scalar:
    """F_u(x) read from its bins, to one bin's width."""
    return shares[_bin(x, lowest, scale)]


@kernel()
def likelihood_negative(F: Scalar, alpha: Scalar) -> Scalar:
    """f-(x): density of the sample information of a true negative, 2[(1 - F) alpha + F (1 - alpha)]. AUC-NS, step 2."""
    return 2 * ((1 - F) * alpha + F * (1 - alpha))


@kernel()
def likelihood_positive(F: Scalar, alpha: Scalar) -> Scalar:
    """f+(x): of a false negative, 2[(1 - F)(1 - alpha) + F alpha]. AUC-NS, step 2. alpha: the encoder's macro-AUC."""
    return 2 * ((1 - F) * (1 - alpha) + F * alpha)


def prior(popularity: NDArray[np.integer], beta: float, interactions: int | None = None) -> NDArray[np.float64]:
    """P_l = pi_l^beta, the prior of a true negative. AUC-NS, step 1.

    popularity: interactions per item, (I,); in any shape where `interactions`, the number of all, is given.
    An item without one has prior 0 for any beta > 0, and 1 at beta 0 (0^0 = 1).
    >>> prior(np.array([3, 1, 0]), 1.0).tolist(), prior(np.array([3, 1, 0]), 0.0).tolist()
    ([0.75, 0.25, 0.0], [1.0, 1.0, 1.0])
    """
    total = popularity.sum() if interactions is None else interactions
    share: NDArray[np.float64] = popularity / max(total, 1)
    return share**beta


@kernel()
def posterior(P: Scalar, f_negative: Scalar, f_positive: Scalar) -> Scalar:
    """w = f- P / (f- P + f+ (1 - P)): the probability of a true negative. AUC-NS, step 3."""
    return f_negative * P / (f_negative * P + f_positive * (1 - P))


@kernel()
def gain(w: Scalar, n_positives: int, rise: Scalar, gamma: Scalar, n_negatives: int, fall: Scalar) -> Scalar:
    """What training on the candidate adds to the user's partial AUC: w |I+| rise - (1 - w) gamma |I-| fall. Step 4.

    rise: mean over drawn positives p of 1 - sigma(x_p - x_l); fall: over drawn negatives n of 1 - sigma(x_l - x_n).
    """
    return w * n_positives * rise - (1 - w) * gamma * n_negatives * fall


@kernel()
def unbias(F: Scalar, P: Scalar) -> Scalar:
    """The probability of a true negative: (1 - F)(1 - P) / (1 - F - P + 2 F P). BNS. P: pi_l, prior of a false one."""
    return (1 - F) * (1 - P) / (1 - F - P + 2 * F * P)


@kernel()
def risk(info: Scalar, unbiased: Scalar, cost: Scalar) -> Scalar:
    """BNS's sampling risk: info [1 - (1 + cost) unbias]. info: 1 - sigma(x_ui - x_ul)."""
    return info * (1 - (1 + cost) * unbiased)


# --- the rules: what a candidate is worth; the one worth most is taken --------------------------------------------
# DNS needs no function: a candidate is worth its score, x_ul (Zhang et al., SIGIR 2013).


@kernel()
def better(worth: Scalar, x: Scalar, best_worth: Scalar, best_x: Scalar) -> Scalar:
    """Is a candidate to be taken before the best so far? Of equally worthy ones the higher score, then the first drawn.

    The score decides between equals so that rounding cannot part AUC-NS from DNS where the two are one rule.
    Asked candidate by candidate: writing a pair's candidates to an array and searching that took six times as long.
    """
    return (worth > best_worth) | ((worth == best_worth) & (x > best_x))


@kernel()
def worth_bns(e: Scalar, F: Scalar, P: Scalar, positive: Scalar, cost: Scalar) -> Scalar:
    """BNS: minus the sampling risk. Liu and Wang, ICDE 2023. e, positive: e^x of candidate and positive; P: pi_l."""
    info = e / (e + positive)  # 1 - sigma(x_ui - x_ul)
    return -risk(info, unbias(F, P), cost)


@kernel()
def rise_and_fall(e: Scalar, ups: Array, n_ups: int, downs: Array, n_downs: int) -> tuple[float, float]:
    """The means in AUC-NS's gain: of 1 - sigma(x_p - x_l) over positives p, of 1 - sigma(x_l - x_n) over negatives n.

    e: e^x of the candidate; ups, downs: e^x of the positives and negatives drawn for the pair, the first n_ups >= 1 and
    n_downs >= 1 count. In float64: at beta 0 the gain must rise with every step of a float32 score, as in DNS.
    """
    wide = np.float64(e)
    rise, fall = 0.0, 0.0
    half = n_ups // 2
    for k in range(half):  # two terms by one division, which is what this costs: s/a + t/b = (s b + t a) / (a b)
        a, b = wide + ups[k], wide + ups[half + k]
        rise += wide * (a + b) / (a * b)
    if n_ups % 2:
        rise += wide / (wide + ups[n_ups - 1])
    half = n_downs // 2
    for k in range(half):
        a, b = wide + downs[k], wide + downs[half + k]
        fall += (downs[k] * b + downs[half + k] * a) / (a * b)
    if n_downs % 2:
        fall += downs[n_downs - 1] / (wide + downs[n_downs - 1])
    return rise / n_ups, fall / n_downs


@kernel()
def worth_auc_ns(
    e: Scalar,
    F: Scalar,
    P: Scalar,
    ups: Array,
    n_ups: int,
    downs: Array,
    n_downs: int,
    n_positives: int,
    n_negatives: int,
    alpha: Scalar,
    gamma: Scalar,
) -> Scalar:
    """AUC-NS: the gain, steps 2 to 4. arXiv 2306.01348.

    e, ups, n_ups, downs, n_downs: as in `rise_and_fall`; n_positives = |I+_u|, n_negatives = |I-_u|; P: pi_l^beta.
    """
    rise, fall = rise_and_fall(e, ups, n_ups, downs, n_downs)
    w = posterior(P, likelihood_negative(F, alpha), likelihood_positive(F, alpha))
    return gain(w, n_positives, rise, gamma, n_negatives, fall)
