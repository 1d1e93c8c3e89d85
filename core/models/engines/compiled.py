"""The compiled engine: plain SGD on matrix factorisation, pair by pair, one thread.

Here: an epoch's order, what is known during a user's visit, and the state between epochs.
Not here: the samplers' rules (samplers.py), losses, updaters, and when to stop (jobs/training.py).

An epoch goes user by user in random order, a user's pairs together, also in random order. Arriving at a user, the engine
marks what the user took (membership is then one load), and, where the sampler asks for scores, it scores once a visit:
all items (a snapshot), or in a catalogue where that would cost more than the visit's look-ups, the user's own items and
a sample of REFERENCES items, and each candidate when it is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.errors import RunFailed
from core.kernels import kernel
from core.models import losses, samplers, updaters
from core.models.choices import SAMPLERS, UPDATERS
from core.models.samplers import BINS, Array
from core.models.scorers import Factors
from core.models.streams import kernel_state, streams
from core.models.variant import Variant

PNS, DNS, BNS, AUC_NS = (SAMPLERS[name].code for name in ("pns", "dns", "bns", "auc_ns"))
ONE_BP = UPDATERS["one_bp"].code
SCORED = DNS  # samplers from this code on look at scores

REFERENCES = 256  # items a visit scores on the sampled path: they give F and the negatives of the partial AUC
GATHER = 4.0  # the cost of scoring one item out of order, in items scored in a row (measured: 3 to 5)
CLIP = 60.0  # scores are clipped before e^x: the sum of two such terms still is a float32

margin, two_bp, one_bp, bpr = updaters.margin, updaters.two_bp, updaters.one_bp, losses.bpr
below, uniform_negative, popular_negative = samplers.below, samplers.uniform_negative, samplers.popular_negative
heavy_negative, distribution, share_below = samplers.heavy_negative, samplers.distribution, samplers.share_below
choose_dns, choose_bns, choose_auc_ns = samplers.choose_dns, samplers.choose_bns, samplers.choose_auc_ns


@kernel()
def _score(users: Array, items: Array, u: int, l: int) -> float:
    total = np.float32(0)
    for k in range(users.shape[1]):
        total += users[u, k] * items[l, k]
    return total  # type: ignore[return-value]


@kernel()
def _exp(x: float) -> float:
    return np.float32(math.exp(min(max(x, np.float32(-CLIP)), np.float32(CLIP))))  # type: ignore[return-value]


@kernel()
def _write_rest(taken: Array, rest: Array) -> int:
    """Writes I-_u out, ascending. Returns how many they are."""
    n = 0
    for l in range(len(taken)):
        if taken[l] == 0:
            rest[n] = l
            n += 1
    return n


@kernel()
def _shuffled(row: Array, pairs: Array, state: Array) -> None:
    """Copies the user's items to `pairs`, in random order."""
    for k in range(len(row)):
        other = below(state, k + 1)
        pairs[k] = pairs[other]
        pairs[other] = row[k]


@kernel()
def _some_of(values: Array, n: int, wanted: int, state: Array) -> None:
    """Brings `wanted` of the first n values, without repetition, to the front."""
    for k in range(wanted):
        other = k + below(state, n - k)
        values[k], values[other] = values[other], values[k]


@kernel(
    "UniTuple(float64, 2)(float32[:,::1], float32[:,::1], int64[::1], int32[::1], int32[::1], uint64[::1], uint64[::1],"
    "float64[::1], float64[::1], float64[::1], int32[::1], int64, int64, boolean, float32, float32, float32, float32,"
    "int64, int64, float64, float64, float64)"
)
def _run_epoch(
    users: Array,
    items: Array,
    indptr: Array,
    indices: Array,
    order: Array,
    order_state: Array,
    state: Array,
    priors: Array,
    weights: Array,
    accept: Array,
    alias: Array,
    sampler: int,
    updater: int,
    snapshot: bool,
    lr: float,
    l2: float,
    tau: float,
    aggregation: float,
    m: int,
    n: int,
    alpha: float,
    gamma: float,
    cost: float,
) -> tuple[float, float]:
    """One epoch, in place. Returns (sum of the loss over pairs, pairs skipped because their user took every item).

    users (U, d), items (I, d) float32; indptr, indices: the train pairs; order: the users with a pair; two generator
    states; priors (I,): P_l of bns and auc_ns; weights, accept, alias (I,): of pns; m candidates, n references a pair.
    """
    n_items = items.shape[0]
    longest = 0
    for u in order:
        longest = max(longest, indptr[u + 1] - indptr[u])
    taken = np.zeros(n_items, np.uint8)
    pairs = np.empty(longest, np.int32)
    rest = np.empty(n_items, np.int32)
    running = np.empty(n_items, np.float64)
    n_scored = n_items if snapshot else REFERENCES
    scores = np.empty(n_scored, np.float32)
    exps = np.empty(max(n_scored, longest), np.float32)
    own_exps = np.empty(longest, np.float32)
    cumulative = np.empty(BINS, np.float64)
    drawn, drawn_scores = np.empty(m, np.int32), np.empty(m, np.float32)
    drawn_exps, drawn_shares, drawn_priors = np.empty(m, np.float32), np.empty(m), np.empty(m)
    ups, downs, downs_items = np.empty(n), np.empty(n), np.empty(n, np.int32)
    loss, product, skipped = 0.0, 1.0, 0
    lowest, scale, n_free = np.float64(0), np.float64(0), 0

    for u in order:
        start, stop = indptr[u], indptr[u + 1]
        n_positives = stop - start
        n_negatives = n_items - n_positives
        if n_negatives == 0:
            skipped += n_positives
            continue
        for at in range(start, stop):
            taken[indices[at]] = 1
        _shuffled(indices[start:stop], pairs, order_state)
        n_rest = _write_rest(taken, rest) if n_negatives < max(n_items // 4, 2 * n) else 0
        n_downs = min(n, n_negatives)

        heavy = False
        if sampler == PNS:
            left = 1.0
            for at in range(start, stop):
                left -= weights[indices[at]]
            if left < 0.25:
                heavy = True
                n_rest = _write_rest(taken, rest)
                total = 0.0
                for k in range(n_rest):
                    total += weights[rest[k]]
                    running[k] = total
        elif sampler >= SCORED:
            if snapshot:
                for l in range(n_items):
                    scores[l] = _score(users, items, u, l)
                if sampler != DNS:
                    for l in range(n_items):
                        exps[l] = _exp(scores[l])
                    for k in range(n_positives):
                        own_exps[k] = exps[pairs[k]]
            elif sampler != DNS:
                n_free = 0
                for k in range(REFERENCES):
                    l = below(state, n_items)
                    scores[k] = _score(users, items, u, l)
                    if taken[l] == 0:
                        exps[n_free] = _exp(scores[k])
                        n_free += 1
                for k in range(n_positives):
                    own_exps[k] = _exp(_score(users, items, u, pairs[k]))
                n_downs = min(n, n_free)
            if sampler != DNS:
                lowest, scale = distribution(scores, n_scored, cumulative)

        for at in range(n_positives):
            i = pairs[at]
            if sampler == PNS:
                if heavy:
                    j = heavy_negative(state, rest, running, n_rest)
                else:
                    j = popular_negative(state, taken, accept, alias)
            elif sampler < SCORED:
                j = uniform_negative(state, taken, rest, n_rest)
            else:
                for c in range(m):
                    l = uniform_negative(state, taken, rest, n_rest)
                    drawn[c] = l
                    x = scores[l] if snapshot else _score(users, items, u, l)
                    drawn_scores[c] = x
                    if sampler != DNS:
                        drawn_exps[c] = exps[l] if snapshot else _exp(x)
                        drawn_shares[c] = share_below(x, cumulative, lowest, scale)
                        drawn_priors[c] = priors[l]
                if sampler == DNS:
                    j = drawn[choose_dns(drawn_scores, m)]
                elif sampler == BNS:
                    j = drawn[choose_bns(drawn_exps, drawn_shares, drawn_priors, m, own_exps[at], cost)]
                else:
                    for k in range(n):
                        ups[k] = own_exps[below(state, n_positives)]
                    if not snapshot:
                        _some_of(exps, n_free, n_downs, state)
                        for k in range(n_downs):
                            downs[k] = exps[k]
                    elif n_rest > 0:
                        _some_of(rest, n_rest, n_downs, state)
                        for k in range(n_downs):
                            downs[k] = exps[rest[k]]
                    else:
                        for k in range(n_downs):
                            l = uniform_negative(state, taken, rest, 0)
                            taken[l] = 1
                            downs_items[k] = l
                            downs[k] = exps[l]
                        for k in range(n_downs):
                            taken[downs_items[k]] = 0
                    j = drawn[
                        choose_auc_ns(
                            drawn_scores,
                            drawn_exps,
                            drawn_shares,
                            drawn_priors,
                            m,
                            ups,
                            n,
                            downs,
                            n_downs,
                            n_positives,
                            n_negatives,
                            alpha,
                            gamma,
                        )
                    ]
            right, push = bpr(margin(users, items, u, i, j), tau)
            if updater == ONE_BP:
                one_bp(users, items, u, i, j, np.float32(push), lr, l2, aggregation)
            else:
                two_bp(users, items, u, i, j, np.float32(push), lr, l2)
            # One logarithm for sixteen pairs; a factor is kept above e^-40, so the product stays a number.
            product *= max(right, 4e-18)
            if at % 16 == 15:
                loss -= math.log(product)
                product = 1.0
        loss -= math.log(product)
        product = 1.0
        for at in range(start, stop):
            taken[indices[at]] = 0
    return loss, float(skipped)


@dataclass(frozen=True, slots=True)
class EpochReport:
    """What an epoch observed."""

    loss: float
    """Mean over the trained pairs, each at the moment before its step."""
    skipped: int
    """Pairs of users who took every item: there is no negative for them."""


def takes_snapshots(fitted: Interactions, candidates: int) -> bool:
    """Is scoring all items once a visit cheaper than scoring what a visit looks at? Counted in items scored in a row.

    The sampler does not matter: on one curve over beta, DNS included, all points go the same way.
    """
    visits = max(int((fitted.lengths() > 0).sum()), 1)
    looked_at = REFERENCES + len(fitted) / visits * (1 + candidates)
    return fitted.n_items <= GATHER * looked_at


class CompiledEngine:
    """Trains one run, an epoch a call.

    variant: of the compiled engine; fitted: the pairs trained on; seed: of the run. Same arguments, same machine and
    versions: the same bytes after every epoch.
    """

    def __init__(self, variant: Variant, fitted: Interactions, seed: int):
        self._variant, self._fitted = variant, fitted
        chance = streams(seed)
        self._order, self._epochs = chance["order"], 0
        self._order_state, self._state = kernel_state(chance["order"]), kernel_state(chance["negatives"])
        self._users, self._items = (
            (chance["init"].standard_normal((n, variant.dim)) * variant.init_sigma).astype(np.float32)
            for n in (fitted.n_users, fitted.n_items)
        )
        self._visited = np.flatnonzero(fitted.lengths()).astype(np.int32)
        self._snapshot = takes_snapshots(fitted, variant.candidates or 0)
        self._set_sampler()

    def _set_sampler(self) -> None:
        popularity = self._fitted.popularity()
        share = popularity / max(popularity.sum(), 1)
        v = self._variant
        self._priors = samplers.prior(popularity, v.beta) if v.beta is not None else share
        weights = np.power(share, v.exponent) if v.exponent is not None else share
        self._weights = weights / weights.sum()
        self._accept, self._alias = samplers.alias_table(self._weights)

    def epoch(self) -> EpochReport:
        """One pass over the training pairs. Raises RunFailed as soon as a number is no longer finite."""
        v = self._variant
        loss, skipped = _run_epoch(
            self._users,
            self._items,
            self._fitted.indptr,
            self._fitted.indices,
            self._order.permutation(self._visited),
            self._order_state,
            self._state,
            self._priors,
            self._weights,
            self._accept,
            self._alias,
            SAMPLERS[str(v.sampler)].code,
            UPDATERS[str(v.updater)].code,
            self._snapshot,
            float(v.lr or 0),
            float(v.l2 or 0),
            float(v.tau or 0),
            float(v.aggregation or 0),
            int(v.candidates or 1),
            int(v.references or 1),
            float(v.alpha or 0),
            float(v.gamma or 0),
            float(v.false_negative_cost or 0),
        )
        self._epochs += 1
        if not (math.isfinite(loss) and np.isfinite(self._users.sum()) and np.isfinite(self._items.sum())):
            raise RunFailed(
                f"Training diverged in epoch {self._epochs}: the loss or an embedding is no longer a number",
                f"Lower lr (it is {v.lr:g}), or raise tau",
            )
        trained = len(self._fitted) - int(skipped)
        return EpochReport(loss / max(trained, 1), int(skipped))

    def scorer(self) -> Factors:
        """The embeddings of this moment, a copy."""
        return Factors(self._users.copy(), self._items.copy())
