"""Small worlds for the engines' tests, how far counts are from what is expected, and the samplers' rules played out.

The rules here are written from the formulas of docs/methods.md alone, in float64, one user at a time and slowly: a
second definition.
"""

import numpy as np

from core.datasets.interactions import Interactions

USERS, ITEMS = 40, 60


def interactions(seed=0, users=USERS, items=ITEMS, length=15):
    """Long-tailed: the weight of an item falls with its number."""
    chance = np.random.default_rng(seed)
    weights = 1 / np.arange(1, items + 1)
    taken = [chance.choice(items, length, replace=False, p=weights / weights.sum()) for _ in range(users)]
    return Interactions.from_pairs(np.repeat(np.arange(users), length), np.concatenate(taken), users, items)


def chi_square(counts, expected):
    return ((counts - expected) ** 2 / expected).sum()


def two_samples(first, second):
    """Chi-square of two counts over the same classes, and its degrees of freedom. Classes nobody met do not count."""
    both = first + second
    first, second, both = first[both > 0], second[both > 0], both[both > 0]
    share = first.sum() / both.sum()
    return ((first - share * both) ** 2 / (share * (1 - share) * both)).sum(), len(both) - 1


def sigma(x):
    return 1 / (1 + np.exp(-x))


def score_distribution(x):
    """F of every item: #{l : x_l <= x} / (|I| + 1)."""
    return np.searchsorted(np.sort(x), x, side="right") / (len(x) + 1)


def auc_ns_gains(x, F, P, candidates, ups, downs, n_positives, n_negatives, alpha, gamma):
    """Steps 2 to 4 of AUC-NS. x, F, P (I,); candidates (M,), ups, downs (N,) item numbers. Returns (M,)."""
    gains = []
    for item in candidates:
        f_negative = 2 * ((1 - F[item]) * alpha + F[item] * (1 - alpha))
        f_positive = 2 * ((1 - F[item]) * (1 - alpha) + F[item] * alpha)
        w = f_negative * P[item] / (f_negative * P[item] + f_positive * (1 - P[item]))
        rise = np.mean([1 - sigma(x[p] - x[item]) for p in ups])
        fall = np.mean([1 - sigma(x[item] - x[n]) for n in downs])
        gains.append(w * n_positives * rise - (1 - w) * gamma * n_negatives * fall)
    return np.array(gains)


def bns_risks(x, F, P, candidates, positive, cost):
    """BNS's sampling risk. positive: the pair's own item."""
    risks = []
    for item in candidates:
        unbias = (1 - F[item]) * (1 - P[item]) / (1 - F[item] - P[item] + 2 * F[item] * P[item])
        risks.append((1 - sigma(x[positive] - x[item])) * (1 - (1 + cost) * unbias))
    return np.array(risks)


def played_out(variant, x, popularity, own, positives, chance):
    """A negative for each of a user's pairs. x (I,) the user's scores; own: the user's items; positives: the pairs'."""
    x, v = x.astype(np.float64), variant
    rest = np.setdiff1d(np.arange(len(x)), own)
    F, share = score_distribution(x), popularity / popularity.sum()
    drawn = []
    for positive in positives:
        candidates = chance.choice(rest, v.candidates)
        if v.sampler == "dns":
            drawn.append(candidates[x[candidates].argmax()])
        elif v.sampler == "bns":
            drawn.append(candidates[bns_risks(x, F, share, candidates, positive, v.false_negative_cost).argmin()])
        else:
            ups = chance.choice(own, v.references)
            downs = chance.choice(rest, min(v.references, len(rest)), replace=False)
            counts = len(own), len(rest), v.alpha, v.gamma
            drawn.append(candidates[auc_ns_gains(x, F, share**v.beta, candidates, ups, downs, *counts).argmax()])
    return np.array(drawn)
