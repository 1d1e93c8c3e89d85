"""Updaters: which rows a pair moves, and how.

Here: one compiled SGD step an updater, in place.
Not here: how strong the push is (losses.py), in which order pairs come (engines/).
l2 is the decay of the pair's own rows: l2 * parameter is part of their gradient.
"""

from __future__ import annotations

from core.kernels import Array, Scalar, kernel


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
