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


def several_of(positives, negatives, pushes_up, pushes_down, dim=7):
    several = updaters.new_several(len(positives), len(negatives), dim, np.float64)
    for array, values in zip(
        (several.positives, several.negatives, several.pushes_up, several.pushes_down),
        (positives, negatives, pushes_up, pushes_down),
        strict=True,
    ):
        array[:] = values
    return several


def test_gathering_writes_scores_and_rows_down():
    users, items = tables()
    several = several_of([2, 0], [5, 5, 1], 0, 0)
    updaters.gather(users, items, 1, several)
    np.testing.assert_array_equal(several.rows, items[[2, 0, 5, 5, 1]])
    np.testing.assert_allclose(several.up, items[[2, 0]] @ users[1])
    np.testing.assert_allclose(several.down, items[[5, 5, 1]] @ users[1])


@pytest.mark.parametrize("positives", [[2, 0], [2, 2]], ids=["two items", "one item twice"])
@pytest.mark.parametrize("updater", ["two_bp", "one_bp"])
def test_several_rows_move_at_once_and_an_item_once_for_every_time_it_occurs(updater, positives):
    """Each by its own push and its own decay, all from where they were: the sum of what each occurrence asks for."""
    users, items = tables()
    p, q = users[1].copy(), items.copy()
    up, down, negatives = [0.3, 0.1], [0.2, 0.05, 0.15], [5, 5, 1]
    several = several_of(positives, negatives, up, down)
    updaters.gather(users, items, 1, several)
    if updater == "two_bp":
        updaters.two_bp_several(users, items, 1, several, LR, L2)
    else:
        updaters.one_bp_several(users, items, 1, several, LR, L2, 0.9)
    expected = q.copy()
    gradient = L2 * p
    for item, push in [*zip(positives, up, strict=True), *zip(negatives, [-x for x in down], strict=True)]:
        expected[item] += LR * (push * p - L2 * q[item])
        gradient -= push * q[item]
    np.testing.assert_allclose(items, expected, rtol=1e-12)
    moved = p - LR * gradient if updater == "two_bp" else 0.9 * p + 0.1 * expected[positives[0]]
    np.testing.assert_allclose(users[1], moved, rtol=1e-12)
    np.testing.assert_array_equal(users[[0, 2, 3]], tables()[0][[0, 2, 3]])


@pytest.mark.parametrize("updater", ["two_bp", "one_bp"])
def test_one_positive_and_one_negative_move_as_a_pair_does(updater):
    several = several_of([2], [5], [0.7], [0.7])
    pair, rows = tables(), tables()
    updaters.gather(*rows, 1, several)
    if updater == "two_bp":
        updaters.two_bp(*pair, 1, 2, 5, 0.7, LR, L2)
        updaters.two_bp_several(*rows, 1, several, LR, L2)
    else:
        updaters.one_bp(*pair, 1, 2, 5, 0.7, LR, L2, 0.9)
        updaters.one_bp_several(*rows, 1, several, LR, L2, 0.9)
    np.testing.assert_allclose(rows[0], pair[0], rtol=1e-12)
    np.testing.assert_allclose(rows[1], pair[1], rtol=1e-12)
