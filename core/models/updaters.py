"""Updaters: which rows a pair moves, and how.

Here: one compiled SGD step an updater, in place.
Not here: how strong the push is (losses.py), in which order pairs come (engines/).
l2 is the decay of the rows of the step: l2 * parameter is part of their gradient, as though l2 / 2 times their squared
norms were part of the loss: the user's once, each positive's and each negative's once for every time it occurs.
All rows move from where they were before the step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from core.kernels import Array, Scalar, kernel


class Several(NamedTuple):
    """A step's items, and memory for it. M positives, the pair's own first; n negatives; d the length of a row."""

    positives: Array
    """(M,) int32"""
    negatives: Array
    """(n,) int32"""
    rows: Array
    """(M + n, d) as the tables: the items' rows before the step."""
    up: Array
    """(M,) float64, scores of the positives, and below of the negatives, (n,)."""
    down: Array
    pushes_up: Array
    """(M,) float64, minus the loss's derivatives by `up`, and below its derivatives by `down`, (n,)."""
    pushes_down: Array
    scratch: Array
    """(n,) float64"""
    gradient: Array
    """(d,) as the tables: minus the loss's gradient by the user's row."""


def new_several(n_positives: int, n_negatives: int, dim: int, dtype: type = np.float32) -> Several:
    """Memory for steps with so many items."""
    return Several(
        positives=np.zeros(n_positives, np.int32),
        negatives=np.zeros(n_negatives, np.int32),
        rows=np.zeros((n_positives + n_negatives, dim), dtype),
        up=np.zeros(n_positives),
        down=np.zeros(n_negatives),
        pushes_up=np.zeros(n_positives),
        pushes_down=np.zeros(n_negatives),
        scratch=np.zeros(n_negatives),
        gradient=np.zeros(dim, dtype),
    )


@kernel()
def margin(users: Array, items: Array, u: int, i: int, j: int) -> Scalar:
    """x_ui - x_uj: how far the positive i is above the negative j."""
    total = users.dtype.type(0)
    for k in range(users.shape[1]):
        total += users[u, k] * (items[i, k] - items[j, k])
    return total


@kernel()
def two_bp(users: Array, items: Array, u: int, i: int, j: int, push: Scalar, lr: Scalar, l2: Scalar) -> None:
    """Gradients reach both towers: the usual step.

    push: minus the loss's derivative by the margin. All three rows move from where they were before the step.
    """
    ahead = lr * push
    keep = 1 - lr * l2
    for k in range(users.shape[1]):
        p, q_i, q_j = users[u, k], items[i, k], items[j, k]
        users[u, k] = keep * p + ahead * (q_i - q_j)
        items[i, k] = keep * q_i + ahead * p
        items[j, k] = keep * q_j - ahead * p


@kernel()
def one_bp(
    users: Array, items: Array, u: int, i: int, j: int, push: Scalar, lr: Scalar, l2: Scalar, aggregation: Scalar
) -> None:
    """OneBP, arXiv 2403.18227: gradients reach the items only; the user has none, and no decay.

    Then moving aggregation: p_u <- a p_u + (1 - a) q_i, with the updated q_i. aggregation: a, the share that is kept.
    """
    ahead = lr * push
    keep = 1 - lr * l2
    for k in range(users.shape[1]):
        p, q_i, q_j = users[u, k], items[i, k], items[j, k]
        moved = keep * q_i + ahead * p
        items[i, k] = moved
        items[j, k] = keep * q_j - ahead * p
        users[u, k] = aggregation * p + (1 - aggregation) * moved


@kernel()
def _gather(items: Array, numbers: Array, user: Array, first: int, rows: Array, scores: Array) -> None:
    for n in range(len(numbers)):
        item, total = numbers[n], rows.dtype.type(0)  # read once: nothing tells the compiler that rows are not numbers
        for k in range(len(user)):
            value = items[item, k]
            rows[first + n, k] = value
            total += user[k] * value
        scores[n] = total


@kernel()
def gather(users: Array, items: Array, u: int, several: Several) -> None:
    """Writes down the rows of a step as they are, and their scores."""
    user = users[u]
    _gather(items, several.positives, user, 0, several.rows, several.up)
    _gather(items, several.negatives, user, len(several.positives), several.rows, several.down)


@kernel()
def _push_items(
    items: Array,
    numbers: Array,
    pushes: Array,
    sign: Scalar,
    user: Array,
    first: int,
    several: Several,
    lr: Scalar,
    l2: Scalar,
) -> None:
    for n in range(len(numbers)):
        item, force = numbers[n], user.dtype.type(sign * pushes[n])
        for k in range(len(user)):
            before = several.rows[first + n, k]
            items[item, k] += lr * (force * user[k] - l2 * before)  # an item that occurs twice moves twice
            several.gradient[k] += force * before


@kernel()
def _items_step(users: Array, items: Array, u: int, several: Several, lr: Scalar, l2: Scalar) -> None:
    several.gradient[:] = 0
    up, down, user = several.pushes_up, several.pushes_down, users[u]
    _push_items(items, several.positives, up, 1.0, user, 0, several, lr, l2)
    _push_items(items, several.negatives, down, -1.0, user, len(several.positives), several, lr, l2)


@kernel()
def two_bp_several(users: Array, items: Array, u: int, several: Several, lr: Scalar, l2: Scalar) -> None:
    """`two_bp` for several positives and negatives, gathered, their pushes known."""
    _items_step(users, items, u, several, lr, l2)
    keep = 1 - lr * l2
    for k in range(users.shape[1]):
        users[u, k] = keep * users[u, k] + lr * several.gradient[k]


@kernel()
def one_bp_several(
    users: Array, items: Array, u: int, several: Several, lr: Scalar, l2: Scalar, aggregation: Scalar
) -> None:
    """`one_bp` for several positives and negatives: the user moves by the first positive, which is the pair's own."""
    _items_step(users, items, u, several, lr, l2)
    for k in range(users.shape[1]):
        users[u, k] = aggregation * users[u, k] + (1 - aggregation) * items[several.positives[0], k]
