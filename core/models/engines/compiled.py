"""The compiled engine: plain SGD on matrix factorisation, pair by pair, one thread.

Here: an epoch's order, a pair's step, and the state between epochs.
Not here: what a visit to a user looks at and how a negative is drawn (drawing.py), the samplers' rules (samplers.py),
losses, updaters, and when to stop (jobs/training.py).

An epoch goes user by user in random order, a user's pairs together, also in random order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.errors import RunFailed
from core.kernels import Array, Scalar, kernel
from core.models.choices import LOSSES, UPDATERS
from core.models.encoders import mf_tables
from core.models.engines.drawing import (
    DOUBLE,
    FLOAT,
    INT,
    RULE,
    STATE,
    TABLE,
    VISIT,
    Rule,
    Visit,
    arrive_shuffled,
    draw_one,
    leave,
    look,
    new_visit,
    resample,
    rule_of,
    takes_snapshots,
)
from core.models.engines.report import EpochReport
from core.models.losses import (
    bpr,
    infonce,
    ips_weights,
    softmax,
    var_bpr_exact,
    var_bpr_log_priors,
    var_bpr_margin,
    var_bpr_slopes,
)
from core.models.samplers import below
from core.models.scorers import Factors, scores_are_numbers
from core.models.streams import kernel_state, streams
from core.models.updaters import (
    Several,
    gather,
    margin,
    new_several,
    one_bp,
    one_bp_several,
    two_bp,
    two_bp_several,
)
from core.models.variant import Variant

Table = NDArray[np.floating[Any]]

INFONCE, IPS_CN, VAR_BPR = (LOSSES[name].code for name in ("infonce", "ips_cn", "var_bpr"))
ONE_BP = UPDATERS["one_bp"].code


class Step(NamedTuple):
    """What a pair does. A setting that the variant does not use is 0, an array of it empty."""

    loss: int
    updater: int
    lr: float
    l2: float
    tau: float
    aggregation: float
    weights: Array
    """(I,) float64, a pair's weight by its positive, of ips_cn."""
    exact: bool
    """var_bpr's form; below what scores count for in its posteriors (`var_bpr_slopes`)."""
    slope_up: float
    slope_down: float
    log_up: Array
    """(I,) float64, log of the prior of each item as a positive, and below as a negative, of var_bpr."""
    log_down: Array


STEP = types.NamedTuple(  # type: ignore[no-untyped-call]
    [types.int64, types.int64, *[types.float64] * 4, DOUBLE, types.boolean, *[types.float64] * 2, DOUBLE, DOUBLE], Step
)
SEVERAL = types.NamedTuple([INT, INT, TABLE, *[DOUBLE] * 5, FLOAT], Several)  # type: ignore[no-untyped-call]
EPOCH = types.Tuple([types.float64, types.int64])(  # type: ignore[no-untyped-call]
    TABLE, TABLE, types.int64[::1], INT, INT, INT, STATE, STATE, RULE, VISIT, STEP, SEVERAL, types.int32[:, ::1]
)


# --- one pair -------------------------------------------------------------------------------------------------------


@kernel()
def _step_one(users: Array, items: Array, u: int, i: int, j: int, step: Step) -> tuple[Scalar, Scalar]:
    """bpr and ips_cn: one negative, no memory."""
    kind = users.dtype.type
    right, push = bpr(margin(users, items, u, i, j), step.tau)
    weight = step.weights[i] if step.loss == IPS_CN else 1.0
    force, lr, l2 = kind(push * weight), kind(step.lr), kind(step.l2)
    if step.updater == ONE_BP:
        one_bp(users, items, u, i, j, force, lr, l2, kind(step.aggregation))
    else:
        two_bp(users, items, u, i, j, force, lr, l2)
    return right, weight


@kernel()
def _weigh(step: Step, several: Several) -> Scalar:
    """The loss of what was gathered: fills the pushes, returns e to the power of minus the loss."""
    up, down, alpha, beta = several.up, several.down, several.pushes_up, several.pushes_down
    if step.loss == INFONCE:
        right, alpha[0] = infonce(up[0], down, step.tau, beta)
        return right
    softmax(up, step.slope_up, step.log_up, several.positives, alpha)
    softmax(down, step.slope_down, step.log_down, several.negatives, beta)
    if step.exact:
        return var_bpr_exact(up, down, alpha, beta, several.scratch)
    return var_bpr_margin(up, down, alpha, beta)


@kernel()
def _step_several(users: Array, items: Array, u: int, step: Step, several: Several) -> Scalar:
    """infonce and var_bpr."""
    kind = users.dtype.type
    lr, l2 = kind(step.lr), kind(step.l2)
    gather(users, items, u, several)
    right = _weigh(step, several)
    if step.updater == ONE_BP:
        one_bp_several(users, items, u, several, lr, l2, kind(step.aggregation))
    else:
        two_bp_several(users, items, u, several, lr, l2)
    return right


@kernel()
def takes_several(step: Step) -> bool:
    """Does the loss take several items, and so need memory?"""
    return (step.loss == INFONCE) | (step.loss == VAR_BPR)


@kernel()
def take_step(users: Array, items: Array, u: int, step: Step, several: Several) -> tuple[Scalar, Scalar]:
    """One pair's step, in place. Returns (right, weight): its loss before the step was -weight log(right).

    several: which items take part; what else it has is written.
    """
    if takes_several(step):
        return _step_several(users, items, u, step, several), 1.0
    return _step_one(users, items, u, several.positives[0], several.negatives[0], step)


# --- the epoch ------------------------------------------------------------------------------------------------------


@kernel()
def _further_positives(n_pairs: int, pairs: Array, positives: Array, state: Array) -> None:
    """M - 1 of the user's items, uniform with replacement, behind the pair's own."""
    for k in range(1, len(positives)):
        positives[k] = pairs[below(state, n_pairs)]


@kernel(EPOCH)
def run_epoch(
    users: Array,
    items: Array,
    indptr: Array,
    indices: Array,
    repeats: Array,
    order: Array,
    order_state: Array,
    state: Array,
    rule: Rule,
    visit: Visit,
    step: Step,
    several: Several,
    drawn: Array,
) -> tuple[float, int]:
    """One epoch, in place. Returns (sum of the loss over pairs, pairs skipped because their user took every item).

    users (U, d), items (I, d) float32; indptr, indices: the train pairs; repeats: how often each is trained, in a row,
    empty for once; order: the users to visit; the states of two generators; drawn: (pairs, n) int32, written if not
    empty: each pair's negatives, users in the order of `indptr`.
    """
    loss, skipped = 0.0, 0
    for turn in range(len(order)):
        u = order[turn]
        resample(turn, items.shape[0], rule, visit, state)
        row = indices[indptr[u] : indptr[u + 1]]
        row_repeats = repeats[indptr[u] : indptr[u + 1]] if len(repeats) > 0 else repeats
        n_pairs = len(row)
        if n_pairs == items.shape[0]:
            skipped += row_repeats.sum() if len(repeats) > 0 else n_pairs
            continue
        arrive_shuffled(row, row_repeats, visit, order_state)
        seen = look(users, items, u, row, True, rule, visit, state)
        product, trained = 1.0, 0
        for at in range(n_pairs):
            for _ in range(visit.times[at]):
                i, j = visit.pairs[at], 0
                for k in range(len(several.negatives)):
                    j = draw_one(users, items, u, visit.own[at], seen, rule, visit, state)
                    several.negatives[k] = j
                    if len(drawn) > 0:
                        drawn[indptr[u] + at, k] = j
                if takes_several(step):
                    several.positives[0] = i
                    _further_positives(n_pairs, visit.pairs, several.positives, order_state)
                    right, weight = _step_several(users, items, u, step, several), 1.0
                else:
                    right, weight = _step_one(users, items, u, i, j, step)
                right = max(right, 4e-18)  # one logarithm for sixteen pairs; above e^-40 each, so no product is 0
                if step.loss == IPS_CN:
                    loss -= weight * math.log(right)
                else:
                    product *= right
                trained += 1
                if trained % 16 == 0:
                    loss -= math.log(product)
                    product = 1.0
        loss -= math.log(product)
        leave(row, visit)
    return loss, skipped


class CompiledEngine:
    """Trains one run, an epoch a call.

    variant: of the compiled engine; fitted: the pairs trained on; seed: of the run. Same arguments, same machine and
    versions: the same bytes after every epoch.
    """

    def __init__(self, variant: Variant, fitted: Interactions, seed: int):
        self._variant, self._fitted = variant, fitted
        # copies: the kernel is compiled for arrays that may be written, and a data set's need not be
        self._indptr, self._indices = np.array(fitted.indptr, np.int64), np.array(fitted.indices, np.int32)
        self._repeats = np.array([] if fitted.repeats is None else fitted.repeats, np.int32)
        chance = streams(seed)
        self._order, self._epochs = chance["order"], 0
        self._order_state, self._state = kernel_state(chance["order"]), kernel_state(chance["negatives"])
        self._users, self._items = mf_tables(variant, fitted.n_users, fitted.n_items, chance["init"])
        self._visited = np.flatnonzero(fitted.lengths()).astype(np.int32)
        n_positives, n_negatives = variant.positives or 1, variant.negatives or 1
        snapshot = takes_snapshots(fitted, variant.candidates or 0, variant.references or 0, n_negatives)
        self._rule, self._step = rule_of(variant, fitted, snapshot), step_of(variant, fitted.popularity())
        self._visit = new_visit(fitted, snapshot, variant.references or 0)
        self._several = new_several(n_positives, n_negatives, self._users.shape[1])

    def epoch(self) -> EpochReport:
        """One pass over the training pairs. Raises RunFailed as soon as a number is no longer finite."""
        order = self._order.permutation(self._visited)
        loss, skipped = self._run(order, self._order_state, self._state, self._step, np.empty((0, 1), np.int32))
        self._epochs += 1
        if not (math.isfinite(loss) and scores_are_numbers(self._users, self._items)):
            raise RunFailed(
                f"Training diverged in epoch {self._epochs}: the loss or a score is no longer a number",
                f"Lower lr, which is {self._variant.lr:g}",
            )
        trained = len(self._fitted.trained()) - skipped
        return EpochReport(loss / max(trained, 1), skipped)

    def draw(self, seed: int) -> NDArray[np.int32]:
        """Negatives for each training pair, drawn from the embeddings as they are; nothing is learnt.

        Drawn as an epoch draws (drawing.NegativeDrawer draws for any pairs). Returns (pairs, n) int32, aligned with the
        users of `fitted.users()`, a user's own in random order; -1 for a user who took every item.
        """
        order_state, state = (kernel_state(np.random.default_rng([seed, k])) for k in (0, 1))
        negatives = np.full((len(self._fitted), self._variant.negatives or 1), -1, np.int32)
        still = self._step._replace(lr=0.0, updater=UPDATERS["two_bp"].code)
        self._run(self._visited, order_state, state, still, negatives)
        return negatives

    def _run(
        self,
        order: NDArray[np.int32],
        order_state: NDArray[np.uint64],
        state: NDArray[np.uint64],
        step: Step,
        drawn: NDArray[np.int32],
    ) -> tuple[float, int]:
        tables, chance = (self._users, self._items), (order_state, state)
        pairs = self._indptr, self._indices, self._repeats
        rule, visit, several = self._rule, self._visit, self._several
        loss, skipped = run_epoch(*tables, *pairs, order, *chance, rule, visit, step, several, drawn)
        return loss, skipped

    def scorer(self) -> Factors:
        """The embeddings of this moment, a copy."""
        return Factors(self._users.copy(), self._items.copy())


def step_of(v: Variant, popularity: NDArray[np.integer]) -> Step:
    """What a pair of the variant does, in numbers. popularity (I,) train interactions per item."""
    varied = v.loss == "var_bpr"
    none = np.empty(0)
    slopes = var_bpr_slopes(v.var_c or 1.0, v.hardness_pos or 0.0, v.hardness_neg or 0.0) if varied else (0.0, 0.0)
    logs = var_bpr_log_priors(popularity, v.rarity or 0.0, v.popularity or 0.0) if varied else (none, none)
    return Step(
        loss=LOSSES[str(v.loss)].code,
        updater=UPDATERS[str(v.updater)].code,
        lr=v.lr or 0.0,
        l2=v.l2 or 0.0,
        tau=v.tau or 1.0,
        aggregation=v.aggregation or 0.0,
        weights=ips_weights(popularity, v.power or 0.0) if v.loss == "ips_cn" else none,
        exact=v.var_form == "exact",
        slope_up=slopes[0],
        slope_down=slopes[1],
        log_up=logs[0],
        log_down=logs[1],
    )


def step(
    users: Table,
    items: Table,
    u: int,
    positives: Sequence[int],
    negatives: Sequence[int],
    variant: Variant,
    popularity: NDArray[np.integer],
) -> float:
    """One pair's step, in place, by the code that an epoch runs, in the precision of the tables.

    users (U, d), items (I, d), C-contiguous, float32 or float64; positives: the pair's own item first, then M - 1
    further ones where the loss is var_bpr; negatives: n. An item may occur several times. popularity (I,) train
    interactions per item. Returns the pair's loss before the step.
    """
    several = new_several(len(positives), len(negatives), users.shape[1], users.dtype.type)
    several.positives[:], several.negatives[:] = positives, negatives
    right, weight = take_step(users, items, u, step_of(variant, popularity), several)
    return float(-weight * math.log(right))
