"""The compiled engine: plain SGD on matrix factorisation, pair by pair, one thread.

Here: an epoch's order, a pair's step, and the state between epochs.
Not here: what a visit to a user looks at and how a negative is drawn (drawing.py), the samplers' rules (samplers.py),
losses, updaters, and when to stop (jobs/training.py).

An epoch goes user by user in random order, a user's pairs together, also in random order.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.errors import RunFailed
from core.kernels import Array, Scalar, kernel
from core.models.choices import UPDATERS
from core.models.encoders import mf_tables
from core.models.engines.drawing import (
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
from core.models.losses import bpr
from core.models.scorers import Factors
from core.models.streams import kernel_state, streams
from core.models.updaters import margin, one_bp, two_bp
from core.models.variant import Variant

ONE_BP = UPDATERS["one_bp"].code


class Step(NamedTuple):
    """What a pair does. A setting that the variant does not use is 0."""

    updater: int
    lr: float
    l2: float
    tau: float
    aggregation: float


STEP = types.NamedTuple([types.int64, *[types.float64] * 4], Step)  # type: ignore[no-untyped-call]
EPOCH = types.Tuple([types.float64, types.int64])(  # type: ignore[no-untyped-call]
    TABLE, TABLE, types.int64[::1], INT, INT, STATE, STATE, RULE, VISIT, STEP, INT
)


@kernel()
def _step(users: Array, items: Array, u: int, i: int, j: int, step: Step) -> Scalar:
    """One pair's step, in place. Returns sigma of its margin before the step."""
    right, push = bpr(margin(users, items, u, i, j), step.tau)
    force, lr, l2 = np.float32(push), np.float32(step.lr), np.float32(step.l2)
    if step.updater == ONE_BP:
        one_bp(users, items, u, i, j, force, lr, l2, np.float32(step.aggregation))
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
    rule: Rule,
    visit: Visit,
    step: Step,
    drawn: Array,
) -> tuple[float, int]:
    """One epoch, in place. Returns (sum of the loss over pairs, pairs skipped because their user took every item).

    users (U, d), items (I, d) float32; indptr, indices: the train pairs; order: the users to visit; the states of two
    generators; drawn: (pairs,) int32, written if not empty: each pair's negative, users in the order of `indptr`.
    """
    loss, skipped = 0.0, 0
    for turn in range(len(order)):
        u = order[turn]
        resample(turn, items.shape[0], rule, visit, state)
        row = indices[indptr[u] : indptr[u + 1]]
        n_pairs = len(row)
        if n_pairs == items.shape[0]:
            skipped += n_pairs
            continue
        arrive_shuffled(row, visit, order_state)
        seen = look(users, items, u, row, True, rule, visit, state)
        product = 1.0
        for at in range(n_pairs):
            j = draw_one(users, items, u, visit.own[at], seen, rule, visit, state)
            if len(drawn) > 0:
                drawn[indptr[u] + at] = j
            right = _step(users, items, u, visit.pairs[at], j, step)
            product *= max(right, 4e-18)  # one logarithm for sixteen pairs; above e^-40 each, so that no product is 0
            if at % 16 == 15:
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
        chance = streams(seed)
        self._order, self._epochs = chance["order"], 0
        self._order_state, self._state = kernel_state(chance["order"]), kernel_state(chance["negatives"])
        self._users, self._items = mf_tables(variant, fitted.n_users, fitted.n_items, chance["init"])
        self._visited = np.flatnonzero(fitted.lengths()).astype(np.int32)
        snapshot = takes_snapshots(fitted, variant.candidates or 0, variant.references or 0)
        self._rule, self._step = rule_of(variant, fitted, snapshot), _step_of(variant)
        self._visit = new_visit(fitted, snapshot, variant.references or 0)

    def epoch(self) -> EpochReport:
        """One pass over the training pairs. Raises RunFailed as soon as a number is no longer finite."""
        order = self._order.permutation(self._visited)
        loss, skipped = self._run(order, self._order_state, self._state, self._step, np.empty(0, np.int32))
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
        tables, pairs, chance = (self._users, self._items), (self._indptr, self._indices), (order_state, state)
        loss, skipped = run_epoch(*tables, *pairs, order, *chance, self._rule, self._visit, step, drawn)
        return loss, skipped

    def scorer(self) -> Factors:
        """The embeddings of this moment, a copy."""
        return Factors(self._users.copy(), self._items.copy())


def _step_of(v: Variant) -> Step:
    return Step(
        updater=UPDATERS[str(v.updater)].code,
        lr=v.lr or 0.0,
        l2=v.l2 or 0.0,
        tau=v.tau or 0.0,
        aggregation=v.aggregation or 0.0,
    )
