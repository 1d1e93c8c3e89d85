"""Drawing negatives: what a sampler looks at, at a user, and one negative by its rule. The one place where it is done.

Here: a user's visit, compiled, which the compiled engine's epoch is made of, and NegativeDrawer, which draws for any
pairs from any embeddings: for batches, and for the page that explains samplers.
Not here: the rules themselves (samplers.py), and what is done with a negative (compiled.py, autograd.py).

Arriving at a user, what they took is marked (membership is then one load), and, where the sampler asks for scores, they
are looked at once: of all items (a snapshot), or, where that costs more than the visit's look-ups, of the user's own
items and of a sample of REFERENCES items, each candidate being scored when it is drawn.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.datasets.popularity import hot_items
from core.kernels import Array, Scalar, kernel
from core.models.choices import SAMPLERS
from core.models.samplers import (
    BINS,
    ZERO,
    alias_table,
    below,
    better,
    distribution,
    exponential,
    exponentials,
    group_weights,
    heavy_negative,
    power_weights,
    prior,
    share_below,
    some_of,
    split_bits,
    uniform_negative,
    weighted_negative,
    worth_auc_ns,
    worth_bns,
)
from core.models.streams import kernel_state
from core.models.variant import Variant

PNS, DNS, BNS, AUC_NS, FAIR_STATIC = (SAMPLERS[name].code for name in ("pns", "dns", "bns", "auc_ns", "fair_static"))

REFERENCES = 256  # items looked at where there is no snapshot: they give F and the negatives of the partial AUC
PLENTY = 4  # times N, if that is more: so many that N of them are the user's negatives
REFRESH = 16  # visits that share one sample: its embeddings then are in the processor's cache, which halves an epoch
GATHER = 4.0  # cost of scoring one item out of order, in items scored in a row (measured: 3 to 5)
CROWDED = 0.25  # a user with less than this share of the catalogue, or of all weight, left has it written out

UNTAKEN = np.uint8(1)
UNSCORED = np.float32(-1)  # no e^x is negative


class Rule(NamedTuple):
    """How negatives are drawn. A setting that the variant does not use is 0."""

    sampler: int
    weighted: bool
    """Is a negative drawn in proportion to a weight that each item has (pns, fair_static)?"""
    scored: bool
    """Do candidates have scores (dns, bns, auc_ns)?"""
    ranked: bool
    """And is F asked for (bns, auc_ns)?"""
    snapshot: bool
    candidates: int
    alpha: float
    gamma: float
    cost: float
    priors: Array
    """(I,) float64, P_l of bns and auc_ns."""
    weights: Array
    """(I,) float64, of pns and fair_static, sum 1, else empty; below their alias table."""
    accept: Array
    alias: Array


class Visit(NamedTuple):
    """What is written down during a visit: memory that visits share, so that kernels allocate nothing.

    I items, S scored items (I, or the size of the sample), L the longest history, N references.
    """

    taken: Array
    """(I,) uint8, 1 for the user's own items, 0 between visits."""
    pairs: Array
    """(L,) int32, the user's items, in random order in an epoch."""
    rest: Array
    """(I,) int32, I-_u where it is written out, in no order."""
    sample: Array
    """(S,) int32, the items scored where there is no snapshot."""
    running: Array
    """(I,) float64, running sum of the weights of `rest`."""
    scores: Array
    """(S,) float32, x of the scored items, and below e^x."""
    exps: Array
    own: Array
    """(L,) float32, e^x of `pairs`; UNSCORED what nobody asked for yet."""
    free: Array
    """(S,) float32, e^x of the negatives drawn for a pair; without a snapshot, of all scored items that the user has
    not taken, drawn from by swaps, so in no order."""
    ups: Array
    """(N,) float32, e^x of the positives drawn for a pair."""
    shares: Array
    """(BINS,) float32, F by bin, and scratch for it."""
    places: Array
    counts: Array
    times: Array
    """(L,) int32, how often each of `pairs` is trained; all 1 but in a bootstrap sample."""


class Look(NamedTuple):
    """What the sampler knows at this user."""

    heavy: bool
    """Is a draw by weight a search in `rest`?"""
    n_pairs: int
    """|I+_u|"""
    n_rest: int
    """Items in `rest`; 0 where it is not written out."""
    n_free: int
    """Negatives there are to draw references from."""
    lowest: Scalar
    """Of F: what `share_below` reads its bins with, and below."""
    scale: Scalar


FLOAT, DOUBLE, INT = types.float32[::1], types.float64[::1], types.int32[::1]
RULE = types.NamedTuple(  # type: ignore[no-untyped-call]
    [types.int64, *[types.boolean] * 4, types.int64, *[types.float64] * 3, *[DOUBLE] * 3, INT], Rule
)
VISIT = types.NamedTuple(  # type: ignore[no-untyped-call]
    [types.uint8[::1], INT, INT, INT, DOUBLE, *[FLOAT] * 6, INT, INT, INT], Visit
)
TABLE, STATE = types.float32[:, ::1], types.uint64[::1]


# --- arriving at a user, and leaving ------------------------------------------------------------------------------


@kernel()
def arrive_shuffled(row: Array, repeats: Array, visit: Visit, state: Array) -> None:
    """Marks what the user took, and writes it to `pairs` in random order. repeats: of the row in a sample, or empty."""
    for k in range(len(row)):
        visit.taken[row[k]] = 1
        other = below(state, k + 1)
        visit.pairs[k] = visit.pairs[other]
        visit.pairs[other] = row[k]
        if len(repeats) > 0:
            visit.times[k] = visit.times[other]
            visit.times[other] = repeats[k]


@kernel()
def arrive(row: Array, visit: Visit) -> None:
    """Marks what the user took, and writes it to `pairs`."""
    for k in range(len(row)):
        visit.taken[row[k]] = 1
        visit.pairs[k] = row[k]


@kernel()
def leave(row: Array, visit: Visit) -> None:
    """Takes the marks away."""
    for k in range(len(row)):
        visit.taken[row[k]] = 0


# --- looking --------------------------------------------------------------------------------------------------------


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
    """Has the user taken so much of all weight that drawing until something else comes up would take long?"""
    if not rule.weighted:
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
def score(users: Array, items: Array, u: int, item: int) -> Scalar:
    """x_ul."""
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
        visit.scores[item] = score(users, items, u, item)


@kernel()
def resample(turn: int, n_items: int, rule: Rule, visit: Visit, state: Array) -> None:
    """A new sample before every REFRESH-th visit, where one is looked at."""
    if rule.ranked and not rule.snapshot and turn % REFRESH == 0:
        for k in range(len(visit.sample)):
            visit.sample[k] = below(state, n_items)


@kernel()
def _look_at_all(n_pairs: int, visit: Visit) -> None:
    """From the snapshot: e^x of all items and of the user's own. The others' are looked up when they are drawn."""
    exponentials(visit.scores, visit.exps)
    for k in range(n_pairs):
        visit.own[k] = visit.exps[visit.pairs[k]]


@kernel()
def _look_at_some(
    users: Array, items: Array, u: int, n_pairs: int, n_rest: int, whole: bool, visit: Visit, state: Array
) -> int:
    """x and e^x of a sample of all items, and e^x of a sample of the negatives, whose number is returned.

    whole: of the user's own items too, now rather than when they are asked for.
    """
    for k in range(len(visit.sample)):
        visit.scores[k] = score(users, items, u, visit.sample[k])
    exponentials(visit.scores, visit.exps)
    n_free = 0
    for k in range(len(visit.sample)):
        if visit.taken[visit.sample[k]] == 0:
            visit.free[n_free] = visit.exps[k]
            n_free += 1
    for k in range(n_pairs):
        visit.own[k] = exponential(score(users, items, u, visit.pairs[k])) if whole else UNSCORED
    if n_rest > 0:  # a user with few items left: the sample may have missed them
        n_free = min(n_rest, len(visit.free))
        some_of(visit.rest, n_rest, n_free, state)
        for k in range(n_free):
            visit.free[k] = exponential(score(users, items, u, visit.rest[k]))
    return n_free


@kernel()
def look(users: Array, items: Array, u: int, row: Array, whole: bool, rule: Rule, visit: Visit, state: Array) -> Look:
    """What the sampler needs to know at this user. whole: see `_look_at_some`."""
    n_items, n_pairs = items.shape[0], len(row)
    n_free, lowest, scale = 0, np.float32(0), np.float32(0)
    heavy = _is_heavy(row, rule)
    snapshot = rule.snapshot and rule.scored
    crowded = n_items - n_pairs < CROWDED * n_items
    n_rest = _write_rest(visit) if heavy or crowded or snapshot else 0
    if heavy:
        _weigh_rest(n_rest, rule, visit)
    if snapshot:
        _score_all(users, items, u, visit)
    if rule.ranked:
        if snapshot:
            n_free = n_rest
            _look_at_all(n_pairs, visit)
        else:
            n_free = _look_at_some(users, items, u, n_pairs, n_rest, whole, visit, state)
        lowest, scale = distribution(visit.scores, visit.exps, visit.places, visit.counts, visit.shares)
    return Look(heavy, n_pairs, n_rest, n_free, lowest, scale)


# --- drawing --------------------------------------------------------------------------------------------------------


@kernel()
def own(users: Array, items: Array, u: int, at: int, visit: Visit) -> Scalar:
    """e^x of the user's item at a place of `pairs`, scored now if nobody asked for it before."""
    if visit.own[at] < ZERO:
        visit.own[at] = exponential(score(users, items, u, visit.pairs[at]))
    return visit.own[at]


@kernel()
def _draw_references(
    users: Array, items: Array, u: int, n_pairs: int, n_free: int, snapshot: bool, visit: Visit, state: Array
) -> int:
    """N positives with replacement to `ups`, N negatives without to the front of `free`. Returns how many.

    Of a snapshot the negatives are drawn from `rest`, by swaps too: candidates come from it uniformly in any order.
    """
    for k in range(len(visit.ups)):
        first, second = split_bits(state)
        visit.ups[k] = own(users, items, u, (first * n_pairs) >> 32, visit)
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
    users: Array, items: Array, u: int, positive: Scalar, seen: Look, rule: Rule, visit: Visit, state: Array
) -> int:
    """The candidate worth most. positive: e^x of the pair's own item, which bns asks for."""
    n_pairs, n_downs = seen.n_pairs, 0
    if rule.sampler == AUC_NS:
        n_downs = _draw_references(users, items, u, n_pairs, seen.n_free, rule.snapshot, visit, state)
    taken, best = 0, 0.0
    best_x: Scalar = np.float32(0)
    for c in range(rule.candidates):
        item = uniform_negative(state, visit.taken, visit.rest, seen.n_rest)
        x = visit.scores[item] if rule.snapshot else score(users, items, u, item)
        worth = np.float64(x)
        if rule.ranked:
            e = visit.exps[item] if rule.snapshot else exponential(x)
            F = share_below(x, visit.shares, seen.lowest, seen.scale)
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


@kernel()
def draw_one(
    users: Array, items: Array, u: int, positive: Scalar, seen: Look, rule: Rule, visit: Visit, state: Array
) -> Scalar:
    """One negative for a pair of the user that is visited. positive: as in `_best_of`; any number where not bns."""
    if seen.heavy:
        return heavy_negative(state, visit.rest, visit.running, seen.n_rest)
    if rule.weighted:
        return weighted_negative(state, visit.taken, rule.accept, rule.alias)
    if rule.scored:
        return _best_of(users, items, u, positive, seen, rule, visit, state)
    return uniform_negative(state, visit.taken, visit.rest, seen.n_rest)


# --- for pairs in any order -----------------------------------------------------------------------------------------


@kernel()
def _nothing_left(order: Array, start: int, end: int, drawn: Array) -> int:
    for k in range(start, end):
        for d in range(drawn.shape[1]):
            drawn[order[k], d] = -1
    return end


@kernel(
    types.void(TABLE, TABLE, types.int64[::1], INT, INT, INT, types.int64[::1], STATE, RULE, VISIT, types.int32[:, ::1])
)
def draw_for_pairs(
    users: Array,
    items: Array,
    indptr: Array,
    indices: Array,
    pair_users: Array,
    pair_items: Array,
    order: Array,
    state: Array,
    rule: Rule,
    visit: Visit,
    drawn: Array,
) -> None:
    """Fills drawn (B, n) int32; -1 for users who took every item. order: the pairs' numbers, a user's together."""
    start, turn = 0, 0
    while start < len(order):
        u, end = pair_users[order[start]], start + 1
        while end < len(order) and pair_users[order[end]] == u:
            end += 1
        row = indices[indptr[u] : indptr[u + 1]]
        if len(row) == items.shape[0]:
            start = _nothing_left(order, start, end, drawn)
            continue
        resample(turn, items.shape[0], rule, visit, state)
        arrive(row, visit)
        seen = look(users, items, u, row, False, rule, visit, state)
        for k in range(start, end):
            pair = order[k]
            positive = np.float32(0)
            if rule.sampler == BNS:
                positive = exponential(score(users, items, u, pair_items[pair]))
            for d in range(drawn.shape[1]):
                drawn[pair, d] = draw_one(users, items, u, positive, seen, rule, visit, state)
        leave(row, visit)
        start, turn = end, turn + 1


class NegativeDrawer:
    """Draws negatives by a variant's sampler, for pairs, from embeddings as they are.

    fitted: the pairs trained on; stream: what the draws follow from: the same calls after each other give the same.
    """

    def __init__(self, variant: Variant, fitted: Interactions, stream: np.random.Generator):
        self._variant, self._fitted = variant, fitted
        self._indptr, self._indices = np.array(fitted.indptr, np.int64), np.array(fitted.indices, np.int32)
        self._state = kernel_state(stream)
        self._rule = rule_of(variant, fitted, snapshot=False)
        references = variant.references or 0
        self._visits = {snapshot: new_visit(fitted, snapshot, references) for snapshot in (False, True)}

    def draw(
        self,
        users_table: NDArray[np.float32],
        items_table: NDArray[np.float32],
        users: NDArray[np.int32],
        items: NDArray[np.int32],
        n: int = 1,
    ) -> NDArray[np.int32]:
        """n negatives of each pair, each by the rule, from the scores of this moment.

        users_table (U, d), items_table (I, d) float32, C-contiguous; users, items (B,) int32: pairs in any order, whose
        users took something. Returns (B, n) int32 aligned with the pairs; -1 for a user who took every item.
        """
        order = np.argsort(users, kind="stable")
        visits = 1 + int(np.count_nonzero(np.diff(users[order])))
        snapshot = self._takes_snapshots(len(users) / visits * n)
        drawn = np.empty((len(users), n), np.int32)
        tables = _plain(np.float32, users_table), _plain(np.float32, items_table)
        pairs = _plain(np.int32, users), _plain(np.int32, items)
        rule, visit = self._rule._replace(snapshot=snapshot), self._visits[snapshot]
        draw_for_pairs(*tables, self._indptr, self._indices, *pairs, order, self._state, rule, visit, drawn)
        return drawn

    def _takes_snapshots(self, draws: float) -> bool:
        """Is scoring all items once a visit cheaper than scoring what `draws` draws look at?"""
        rule, visit = self._rule, self._visits[False]
        looked_at = draws * (rule.candidates + len(visit.ups))
        if rule.ranked:
            looked_at += len(visit.sample)
        return self._fitted.n_items <= GATHER * looked_at


def _plain(kind: type, array: Array) -> Array:
    """The form that kernels are compiled for; a copy only where it is another one."""
    return np.require(array, kind, ["C", "W"])


def takes_snapshots(fitted: Interactions, candidates: int, references: int, negatives: int = 1) -> bool:
    """Is scoring all items once a visit of an epoch cheaper than scoring what it looks at? Counted in items in a row.

    The sampler does not matter: on one curve over beta, DNS included, all points go the same way.
    """
    visits = max(int((fitted.lengths() > 0).sum()), 1)
    looked_at = sample_size(references) + len(fitted) / visits * (1 + candidates * negatives)
    return fitted.n_items <= GATHER * looked_at


def sample_size(references: int) -> int:
    """Items looked at where there is no snapshot."""
    return max(REFERENCES, PLENTY * references)


def rule_of(v: Variant, fitted: Interactions, snapshot: bool) -> Rule:
    """The variant's sampler, in numbers."""
    popularity = fitted.popularity()
    weights = _weights(v, popularity)
    accept, alias = alias_table(weights)
    return Rule(
        sampler=SAMPLERS[str(v.sampler)].code,
        weighted=v.sampler in {"pns", "fair_static"},
        scored=v.sampler in {"dns", "bns", "auc_ns"},
        ranked=v.sampler in {"bns", "auc_ns"},
        snapshot=snapshot,
        candidates=v.candidates or 0,
        alpha=v.alpha or 0.0,
        gamma=v.gamma or 0.0,
        cost=v.false_negative_cost or 0.0,
        priors=prior(popularity, 1.0 if v.beta is None else v.beta),  # bns: pi_l itself
        weights=weights,
        accept=accept,
        alias=alias,
    )


def _weights(v: Variant, popularity: NDArray[np.int64]) -> NDArray[np.float64]:
    if v.sampler == "pns":
        return power_weights(popularity, v.exponent or 0.0)
    if v.sampler == "fair_static":
        return group_weights(popularity, hot_items(popularity), v.group_shift or 0.0)
    return np.empty(0)


def new_visit(fitted: Interactions, snapshot: bool, references: int) -> Visit:
    """Memory for visits."""
    n_items, longest = fitted.n_items, int(fitted.lengths().max(initial=0))
    scored = n_items if snapshot else sample_size(references)
    return Visit(
        taken=np.zeros(n_items, np.uint8),
        pairs=np.zeros(longest, np.int32),
        rest=np.empty(n_items, np.int32),
        sample=np.empty(scored, np.int32),
        running=np.empty(n_items, np.float64),
        scores=np.empty(scored, np.float32),
        exps=np.empty(scored, np.float32),
        own=np.zeros(longest, np.float32),
        free=np.empty(scored, np.float32),
        ups=np.empty(references, np.float32),
        shares=np.empty(BINS, np.float32),
        places=np.empty(scored, np.int32),
        counts=np.empty(BINS, np.int32),
        times=np.ones(longest, np.int32),
    )
