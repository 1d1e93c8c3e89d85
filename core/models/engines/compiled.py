"""The compiled engine: plain SGD on matrix factorisation, pair by pair, one thread.

Here: an epoch's order, what is known during a user's visit, and the state between epochs.
Not here: the samplers' rules (samplers.py), losses, updaters, and when to stop (jobs/training.py).

An epoch goes user by user in random order, a user's pairs together, also in random order. Arriving at a user, the
engine marks what the user took (membership is then one load), and, where the sampler asks for scores, it looks at them
once: at all items (a snapshot), or in a catalogue where that costs more than the visit's look-ups, at the user's own
items and a sample of REFERENCES items, each candidate being scored when it is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.errors import RunFailed
from core.kernels import Array, Scalar, kernel
from core.models.choices import SAMPLERS, UPDATERS
from core.models.encoders import mf_tables
from core.models.losses import bpr
from core.models.samplers import (
    BINS,
    alias_table,
    below,
    better,
    distribution,
    exponential,
    exponentials,
    heavy_negative,
    popular_negative,
    prior,
    share_below,
    some_of,
    split_bits,
    uniform_negative,
    worth_auc_ns,
    worth_bns,
)
from core.models.scorers import Factors
from core.models.streams import kernel_state, streams
from core.models.updaters import margin, one_bp, two_bp
from core.models.variant import Variant

PNS, DNS, BNS, AUC_NS = (SAMPLERS[name].code for name in ("pns", "dns", "bns", "auc_ns"))
ONE_BP = UPDATERS["one_bp"].code
SCORED = DNS  # samplers from this code on look at scores

REFERENCES = 256  # items looked at where there is no snapshot: they give F and the negatives of the partial AUC
REFRESH = 16  # visits that share one sample: its embeddings then are in the processor's cache, which halves an epoch
GATHER = 4.0  # cost of scoring one item out of order, in items scored in a row (measured: 3 to 5)
CROWDED = 0.25  # a user with less than this share of the catalogue, or of pns's weight, left has it written out

UNTAKEN = np.uint8(1)


class Rule(NamedTuple):
    """How negatives are drawn and what a pair does. A setting that the variant does not use is 0."""

    sampler: int
    snapshot: bool
    alpha: float
    gamma: float
    cost: float
    priors: Array
    """(I,) float64, P_l of bns and auc_ns."""
    weights: Array
    """(I,) float64, of pns, sum 1; below its alias table."""
    accept: Array
    alias: Array
    updater: int
    lr: float
    l2: float
    tau: float
    aggregation: float


class Visit(NamedTuple):
    """What is written down during a visit: memory that epochs share, so that kernels allocate nothing.

    I items, S scored items (I, or REFERENCES), L the longest history, N references.
    """

    taken: Array
    """(I,) uint8, 1 for the user's own items, 0 between visits."""
    pairs: Array
    """(L,) int32, the user's items in random order."""
    rest: Array
    """(I,) int32, I-_u where it is written out, in no order."""
    sample: Array
    """(S,) int32, the items scored where there is no snapshot."""
    running: Array
    """(I,) float64, running sum of the weights of `rest`, for pns."""
    scores: Array
    """(S,) float32, x of the scored items, and below e^x."""
    exps: Array
    own: Array
    """(L,) float32, e^x of `pairs`."""
    free: Array
    """(S,) float32, e^x of the negatives drawn for a pair; without a snapshot, of all scored items that the user has
    not taken, drawn from by swaps, so in no order."""
    ups: Array
    """(N,) float32, e^x of the positives drawn for a pair."""
    shares: Array
    """(BINS,) float32, F by bin, and scratch for it."""
    places: Array
    counts: Array
    negatives: Array
    """(pairs,) int32, written if not empty: the negative of each pair, users in the order of `indptr`."""


FLOAT, DOUBLE, INT = types.float32[::1], types.float64[::1], types.int32[::1]
RULE = types.NamedTuple(  # type: ignore[no-untyped-call]
    [types.int64, types.boolean, *[types.float64] * 3, *[DOUBLE] * 3, INT, types.int64, *[types.float64] * 4], Rule
)
VISIT = types.NamedTuple(  # type: ignore[no-untyped-call]
    [types.uint8[::1], INT, INT, INT, DOUBLE, *[FLOAT] * 6, INT, INT, INT], Visit
)
TABLE, STATE = types.float32[:, ::1], types.uint64[::1]
EPOCH = types.Tuple([types.float64, types.int64])(  # type: ignore[no-untyped-call]
    TABLE, TABLE, types.int64[::1], INT, INT, STATE, STATE, types.int64, RULE, VISIT
)


# --- arriving at a user -------------------------------------------------------------------------------------------


@kernel()
def _arrive(row: Array, visit: Visit, state: Array) -> None:
    """Marks what the user took, and writes it to `pairs` in random order."""
    for k in range(len(row)):
        visit.taken[row[k]] = 1
        other = below(state, k + 1)
        visit.pairs[k] = visit.pairs[other]
        visit.pairs[other] = row[k]


@kernel()
def _leave(row: Array, visit: Visit) -> None:
    for k in range(len(row)):
        visit.taken[row[k]] = 0


@kernel()
def _write_rest(visit: Visit) -> Scalar:
    """Writes I-_u out, ascending, without a branch an item. Returns how many they are."""
    n = np.uint64(0)  # without a sign: no test for an index from the end
    for item in range(len(visit.taken)):
        visit.rest[n] = item  # n <= item; overwritten by the next one where this one is taken
        n += np.uint64(visit.taken[item] ^ UNTAKEN)
    return np.int64(n)


@kernel()
def _is_heavy(row: Array, rule: Rule) -> bool:
    """Has the user taken so much of pns's weight that drawing until something else comes up would take long?"""
    if rule.sampler != PNS:
        return False
    left = 1.0
    for k in range(len(row)):
        left -= rule.weights[row[k]]
    return left < CROWDED


@kernel()
def _weigh_rest(n_rest: int, rule: Rule, visit: Visit) -> None:
    total = 0.0
    for k in range(n_rest):
        total += rule.weights[visit.rest[k]]
        visit.running[k] = total


@kernel()
def _score(users: Array, items: Array, u: int, item: int) -> Scalar:
    total = np.float32(0)
    for k in range(users.shape[1]):
        total += users[u, k] * items[item, k]
    return total


@kernel()
def _score_all(users: Array, items: Array, u: int, visit: Visit) -> None:
    """Four items at a time: their sums do not wait for one another, which takes 0.6 of the time of one at a time."""
    blocks = items.shape[0] // 4
    for block in range(blocks):
        a = 4 * block
        one, two, three, four = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        for k in range(users.shape[1]):
            p = users[u, k]
            one += p * items[a, k]
            two += p * items[a + 1, k]
            three += p * items[a + 2, k]
            four += p * items[a + 3, k]
        visit.scores[a], visit.scores[a + 1], visit.scores[a + 2], visit.scores[a + 3] = one, two, three, four
    for item in range(4 * blocks, items.shape[0]):
        visit.scores[item] = _score(users, items, u, item)


@kernel()
def _resample(n_items: int, visit: Visit, state: Array) -> None:
    for k in range(len(visit.sample)):
        visit.sample[k] = below(state, n_items)


@kernel()
def _look_at_all(n_pairs: int, visit: Visit) -> None:
    """From the snapshot: e^x of all items and of the user's own. The others' are looked up when they are drawn."""
    exponentials(visit.scores, visit.exps)
    for k in range(n_pairs):
        visit.own[k] = visit.exps[visit.pairs[k]]


@kernel()
def _look_at_some(users: Array, items: Array, u: int, n_pairs: int, n_rest: int, visit: Visit, state: Array) -> int:
    """x and e^x of a sample of all items; e^x of the user's own and of a sample of the others. Returns their number."""
    for k in range(len(visit.sample)):
        visit.scores[k] = _score(users, items, u, visit.sample[k])
    exponentials(visit.scores, visit.exps)
    n_free = 0
    for k in range(len(visit.sample)):
        if visit.taken[visit.sample[k]] == 0:
            visit.free[n_free] = visit.exps[k]
            n_free += 1
    for k in range(n_pairs):
        visit.own[k] = exponential(_score(users, items, u, visit.pairs[k]))
    if n_rest > 0:  # a user with few items left: the sample may have missed them
        n_free = min(n_rest, len(visit.free))
        some_of(visit.rest, n_rest, n_free, state)
        for k in range(n_free):
            visit.free[k] = exponential(_score(users, items, u, visit.rest[k]))
    return n_free


# --- one pair -----------------------------------------------------------------------------------------------------


@kernel()
def _draw_references(n_pairs: int, n_free: int, snapshot: bool, visit: Visit, state: Array) -> int:
    """N positives with replacement to `ups`, N negatives without to the front of `free`. Returns how many.

    Of a snapshot the negatives are drawn from `rest`, by swaps too: candidates come from it uniformly in any order.
    """
    for k in range(len(visit.ups)):
        first, second = split_bits(state)
        visit.ups[k] = visit.own[(first * n_pairs) >> 32]
        if k < n_free:
            other = k + ((second * (n_free - k)) >> 32)
            if snapshot:
                visit.rest[k], visit.rest[other] = visit.rest[other], visit.rest[k]
                visit.free[k] = visit.exps[visit.rest[k]]
            else:
                visit.free[k], visit.free[other] = visit.free[other], visit.free[k]
    return min(len(visit.ups), n_free)


@kernel()
def _best_of(
    users: Array,
    items: Array,
    u: int,
    positive: Scalar,
    n_pairs: int,
    n_rest: int,
    n_free: int,
    m: int,
    lowest: Scalar,
    scale: Scalar,
    rule: Rule,
    visit: Visit,
    state: Array,
) -> int:
    """The candidate worth most, of m. positive: e^x of the pair's own item; lowest, scale: of F."""
    n_downs = _draw_references(n_pairs, n_free, rule.snapshot, visit, state) if rule.sampler == AUC_NS else 0
    taken, best = 0, 0.0
    best_x: Scalar = np.float32(0)
    for c in range(m):
        item = uniform_negative(state, visit.taken, visit.rest, n_rest)
        x = visit.scores[item] if rule.snapshot else _score(users, items, u, item)
        worth = np.float64(x)
        if rule.sampler > DNS:
            e = visit.exps[item] if rule.snapshot else exponential(x)
            F = share_below(x, visit.shares, lowest, scale)
            if rule.sampler == BNS:
                worth = worth_bns(e, F, rule.priors[item], positive, rule.cost)
            else:
                n_ups, n_left = len(visit.ups), items.shape[0] - n_pairs
                worth = worth_auc_ns(
                    e,
                    F,
                    rule.priors[item],
                    visit.ups,
                    n_ups,
                    visit.free,
                    n_downs,
                    n_pairs,
                    n_left,
                    rule.alpha,
                    rule.gamma,
                )
        # Arithmetic, not branches: which candidate wins cannot be foreseen. The first is taken in any case, even NaN.
        take = (c == 0) | better(worth, x, best, best_x)
        taken, best, best_x = item if take else taken, worth if take else best, x if take else best_x
    return taken


# --- the epoch ----------------------------------------------------------------------------------------------------


@kernel()
def _look(
    users: Array, items: Array, u: int, row: Array, rule: Rule, visit: Visit, state: Array
) -> tuple[bool, int, int, Scalar, Scalar]:
    """What the sampler needs to know at this user: (heavy, n_rest, n_free, lowest, scale), the last two of F."""
    n_items, n_pairs = items.shape[0], len(row)
    n_free, lowest, scale = 0, np.float32(0), np.float32(0)
    heavy = _is_heavy(row, rule)
    snapshot = rule.snapshot and rule.sampler >= SCORED
    crowded = n_items - n_pairs < CROWDED * n_items
    n_rest = _write_rest(visit) if heavy or crowded or snapshot else 0
    if heavy:
        _weigh_rest(n_rest, rule, visit)
    if snapshot:
        _score_all(users, items, u, visit)
    if rule.sampler > DNS:
        if snapshot:
            n_free = n_rest
            _look_at_all(n_pairs, visit)
        else:
            n_free = _look_at_some(users, items, u, n_pairs, n_rest, visit, state)
        lowest, scale = distribution(visit.scores, visit.exps, visit.places, visit.counts, visit.shares)
    return heavy, n_rest, n_free, lowest, scale


@kernel()
def _step(users: Array, items: Array, u: int, i: int, j: int, rule: Rule) -> Scalar:
    """One pair's step, in place. Returns sigma of its margin before the step."""
    right, push = bpr(margin(users, items, u, i, j), rule.tau)
    force, lr, l2 = np.float32(push), np.float32(rule.lr), np.float32(rule.l2)
    if rule.updater == ONE_BP:
        one_bp(users, items, u, i, j, force, lr, l2, np.float32(rule.aggregation))
    else:
        two_bp(users, items, u, i, j, force, lr, l2)
    return right


@kernel(EPOCH)
def run_epoch(
    users: Array,
    items: Array,
    indptr: Array,
    indices: Array,
    order: Array,
    order_state: Array,
    state: Array,
    m: int,
    rule: Rule,
    visit: Visit,
) -> tuple[float, int]:
    """One epoch, in place. Returns (sum of the loss over pairs, pairs skipped because their user took every item).

    users (U, d), items (I, d) float32; indptr, indices: the train pairs; order: the users to visit; the states of two
    generators; m candidates a pair.
    """
    loss, skipped = 0.0, 0
    for turn in range(len(order)):
        u = order[turn]
        if rule.sampler > DNS and not rule.snapshot and turn % REFRESH == 0:
            _resample(items.shape[0], visit, state)
        row = indices[indptr[u] : indptr[u + 1]]
        n_pairs = len(row)
        if n_pairs == items.shape[0]:
            skipped += n_pairs
            continue
        _arrive(row, visit, order_state)
        heavy, n_rest, n_free, lowest, scale = _look(users, items, u, row, rule, visit, state)
        product = 1.0
        for at in range(n_pairs):
            if heavy:
                j = heavy_negative(state, visit.rest, visit.running, n_rest)
            elif rule.sampler == PNS:
                j = popular_negative(state, visit.taken, rule.accept, rule.alias)
            elif rule.sampler >= SCORED:
                e = visit.own[at]
                j = _best_of(users, items, u, e, n_pairs, n_rest, n_free, m, lowest, scale, rule, visit, state)
            else:
                j = uniform_negative(state, visit.taken, visit.rest, n_rest)
            if len(visit.negatives) > 0:
                visit.negatives[indptr[u] + at] = j
            right = _step(users, items, u, visit.pairs[at], j, rule)
            product *= max(right, 4e-18)  # one logarithm for sixteen pairs; above e^-40 each, so that no product is 0
            if at % 16 == 15:
                loss -= math.log(product)
                product = 1.0
        loss -= math.log(product)
        _leave(row, visit)
    return loss, skipped


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
        # copies: the kernel is compiled for arrays that may be written, and a data set's need not be
        self._indptr, self._indices = np.array(fitted.indptr, np.int64), np.array(fitted.indices, np.int32)
        chance = streams(seed)
        self._order, self._epochs = chance["order"], 0
        self._order_state, self._state = kernel_state(chance["order"]), kernel_state(chance["negatives"])
        self._users, self._items = mf_tables(variant, fitted.n_users, fitted.n_items, chance["init"])
        self._visited = np.flatnonzero(fitted.lengths()).astype(np.int32)
        self._rule = _rule(variant, fitted)
        self._visit = _visit(fitted, self._rule.snapshot, variant.references or 0)

    def epoch(self) -> EpochReport:
        """One pass over the training pairs. Raises RunFailed as soon as a number is no longer finite."""
        order = self._order.permutation(self._visited)
        loss, skipped = self._run(order, self._order_state, self._state, self._rule, self._visit)
        self._epochs += 1
        if not (math.isfinite(loss) and np.isfinite(self._users.sum()) and np.isfinite(self._items.sum())):
            raise RunFailed(
                f"Training diverged in epoch {self._epochs}: the loss or an embedding is no longer a number",
                f"Lower lr, which is {self._variant.lr:g}",
            )
        trained = len(self._fitted) - skipped
        return EpochReport(loss / max(trained, 1), skipped)

    def draw(self, seed: int) -> NDArray[np.int32]:
        """A negative for each training pair, drawn from the embeddings as they are; nothing is learnt.

        Returns (pairs,) int32, aligned with the users of `fitted.users()`, a user's own in random order; -1 for a user
        who took every item.
        """
        order_state, state = (kernel_state(np.random.default_rng([seed, k])) for k in (0, 1))
        negatives = np.full(len(self._fitted), -1, np.int32)
        still = self._rule._replace(lr=0.0, updater=UPDATERS["two_bp"].code)
        self._run(self._visited, order_state, state, still, self._visit._replace(negatives=negatives))
        return negatives

    def _run(
        self,
        order: NDArray[np.int32],
        order_state: NDArray[np.uint64],
        state: NDArray[np.uint64],
        rule: Rule,
        visit: Visit,
    ) -> tuple[float, int]:
        tables, pairs, m = (self._users, self._items), (self._indptr, self._indices), self._variant.candidates or 0
        loss, skipped = run_epoch(*tables, *pairs, order, order_state, state, m, rule, visit)
        return loss, skipped

    def scorer(self) -> Factors:
        """The embeddings of this moment, a copy."""
        return Factors(self._users.copy(), self._items.copy())


def _rule(v: Variant, fitted: Interactions) -> Rule:
    popularity = fitted.popularity()
    weights = prior(popularity, v.exponent or 1.0)
    weights /= weights.sum()
    accept, alias = alias_table(weights)
    return Rule(
        sampler=SAMPLERS[str(v.sampler)].code,
        snapshot=takes_snapshots(fitted, v.candidates or 0),
        alpha=v.alpha or 0.0,
        gamma=v.gamma or 0.0,
        cost=v.false_negative_cost or 0.0,
        priors=prior(popularity, 1.0 if v.beta is None else v.beta),  # bns: pi_l itself
        weights=weights,
        accept=accept,
        alias=alias,
        updater=UPDATERS[str(v.updater)].code,
        lr=v.lr or 0.0,
        l2=v.l2 or 0.0,
        tau=v.tau or 0.0,
        aggregation=v.aggregation or 0.0,
    )


def _visit(fitted: Interactions, snapshot: bool, references: int) -> Visit:
    n_items, longest = fitted.n_items, int(fitted.lengths().max(initial=0))
    scored = n_items if snapshot else REFERENCES
    return Visit(
        taken=np.zeros(n_items, np.uint8),
        pairs=np.empty(longest, np.int32),
        rest=np.empty(n_items, np.int32),
        sample=np.empty(scored, np.int32),
        running=np.empty(n_items, np.float64),
        scores=np.empty(scored, np.float32),
        exps=np.empty(scored, np.float32),
        own=np.empty(longest, np.float32),
        free=np.empty(scored, np.float32),
        ups=np.empty(references, np.float32),
        shares=np.empty(BINS, np.float32),
        places=np.empty(scored, np.int32),
        counts=np.empty(BINS, np.int32),
        negatives=np.empty(0, np.int32),
    )
