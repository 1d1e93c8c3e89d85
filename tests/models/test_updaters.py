"""One pair, one step, in float64: the compiled updaters against torch's gradients and against the rule written out."""

import numpy as np
import pytest
import torch

from core.models import losses, updaters

LR, L2 = 0.05, 0.02


def tables(seed=0, dim=7):
    chance = np.random.default_rng(seed)
    return chance.normal(size=(4, dim)), chance.normal(size=(6, dim))


def by_autograd(users, items, u, i, j, tau):
    """The rows' values after one SGD step on -log sigma((x_ui - x_uj) / tau) + l2 / 2 * |rows|^2."""
    rows = [torch.tensor(row, requires_grad=True) for row in (users[u], items[i], items[j])]
    p, q_i, q_j = rows
    loss = -torch.nn.functional.logsigmoid((p @ q_i - p @ q_j) / tau) + L2 / 2 * sum((row**2).sum() for row in rows)
    loss.backward()
    return [(row - LR * row.grad).detach().numpy() for row in rows]


@pytest.mark.parametrize("tau", [1.0, 2.5])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("compiled", [False, True])
def test_two_bp_takes_autograds_step(tau, seed, compiled):
    users, items = tables(seed)
    p, q_i, q_j = by_autograd(users, items, 1, 2, 5, tau)
    margin, bpr, two_bp = (f if compiled else f.py_func for f in (updaters.margin, losses.bpr, updaters.two_bp))
    right, push = bpr(margin(users, items, 1, 2, 5), tau)
    assert right == pytest.approx(1 / (1 + np.exp(-(users[1] @ (items[2] - items[5])) / tau)))
    untouched = users[[0, 2, 3]].copy(), items[[0, 1, 3, 4]].copy()
    two_bp(users, items, 1, 2, 5, push, LR, L2)
    np.testing.assert_allclose([users[1], items[2], items[5]], [p, q_i, q_j], rtol=1e-9)
    np.testing.assert_array_equal(users[[0, 2, 3]], untouched[0])
    np.testing.assert_array_equal(items[[0, 1, 3, 4]], untouched[1])


@pytest.mark.parametrize("tau", [1.0, 2.5])
@pytest.mark.parametrize("compiled", [False, True])
def test_one_bp_moves_items_by_gradient_and_the_user_by_aggregation(tau, compiled):
    users, items = tables()
    before = users[1].copy()
    _, q_i, q_j = by_autograd(users, items, 1, 2, 5, tau)
    margin, bpr, one_bp = (f if compiled else f.py_func for f in (updaters.margin, losses.bpr, updaters.one_bp))
    _, push = bpr(margin(users, items, 1, 2, 5), tau)
    one_bp(users, items, 1, 2, 5, push, LR, L2, 0.9)
    np.testing.assert_allclose([items[2], items[5]], [q_i, q_j], rtol=1e-9)
    np.testing.assert_allclose(users[1], 0.9 * before + 0.1 * q_i, rtol=1e-9)  # the updated q_i, and nothing else


def test_under_one_bp_a_user_gets_no_gradient_and_no_decay():
    users, items = tables()
    before = users.copy()
    updaters.one_bp(users, items, 1, 2, 5, 0.7, LR, L2, 1.0)  # a = 1: the aggregation itself moves nothing
    np.testing.assert_allclose(users, before, rtol=1e-12)


def test_bpr_at_the_ends():
    assert losses.bpr(800.0, 1.0) == (1.0, 0.0)
    right, push = losses.bpr(-800.0, 1.0)
    assert right == pytest.approx(0)
    assert push == pytest.approx(1)
