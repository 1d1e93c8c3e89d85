"""Losses: values and slopes by hand and against torch's gradients, their ends, and what they make of popularity."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn.functional import softplus

from core.models import losses

SCORES = arrays(np.float64, st.integers(1, 6), elements=st.floats(-8, 8))
COUNTS = arrays(np.int64, st.integers(1, 30), elements=st.integers(0, 1000))


def tensor(values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


# --- bpr


def test_bpr():
    right, push = losses.bpr(1.5, 2.0)
    assert right == pytest.approx(1 / (1 + math.exp(-0.75)))
    assert push == pytest.approx((1 - right) / 2)


def test_bpr_at_the_ends():
    assert losses.bpr(800.0, 1.0) == (1.0, 0.0)
    right, push = losses.bpr(-800.0, 1.0)
    assert right == pytest.approx(0)
    assert push == pytest.approx(1)


# --- infonce


def infonce(up, down, tau, compiled=True):
    pushes = np.empty(len(down))
    function = losses.infonce if compiled else losses.infonce.py_func
    right, push = function(float(up), np.asarray(down, np.float64), tau, pushes)
    return right, push, pushes


@pytest.mark.parametrize("compiled", [True, False])
def test_infonce_by_hand(compiled):
    """e^(2/2) against e^(0/2) and e^(-2/2)."""
    right, push, pushes = infonce(2.0, [0.0, -2.0], 2.0, compiled)
    total = math.e + 1 + 1 / math.e
    assert right == pytest.approx(math.e / total)
    assert push == pytest.approx((1 + 1 / math.e) / total / 2)
    np.testing.assert_allclose(pushes, [1 / total / 2, 1 / math.e / total / 2])


@given(st.floats(-8, 8), SCORES, st.floats(0.1, 5))
def test_infonce_has_torchs_gradients(up, down, tau):
    x, y = tensor(up), tensor(down)
    loss = -torch.log_softmax(torch.cat([x[None], y]) / tau, 0)[0]
    loss.backward()
    right, push, pushes = infonce(up, down, tau)
    assert -math.log(right) == pytest.approx(loss.item(), abs=1e-9)
    assert push == pytest.approx(-x.grad.item(), abs=1e-12)
    np.testing.assert_allclose(pushes, y.grad.numpy(), atol=1e-12)


@given(st.floats(-8, 8), st.floats(-8, 8), st.floats(0.5, 5))
def test_infonce_with_one_negative_is_bpr(up, down, tau):
    assert infonce(up, [down], tau)[:2] == pytest.approx(losses.bpr(up - down, tau), abs=1e-12)


def test_infonce_at_the_ends():
    right, push, pushes = infonce(1e4, [-1e4, 0.0], 1.0)
    assert (right, push, pushes.tolist()) == (1.0, 0.0, [0.0, 0.0])
    right, push, pushes = infonce(-1e4, [1e4, 0.0], 1.0)
    assert (right, push, pushes.tolist()) == (0.0, 1.0, [1.0, 0.0])


# --- ips_cn


def test_ips_weights_by_hand():
    """9/10, 9/5, 9/5, 9/2, 9/2 to the power; the median is the middle one; then 1 and the median are the bounds."""
    popularity = np.array([9, 4, 4, 1, 1])
    np.testing.assert_allclose(losses.ips_weights(popularity, 1.0), [1 / 1.8, 1, 1, 1, 1])
    np.testing.assert_allclose(losses.ips_weights(popularity, 0.5), [1 / 1.8**0.5, 1, 1, 1, 1])
    np.testing.assert_allclose(losses.ips_weights(np.array([8, 2, 0]), 1.0), [1 / (8 / 3), 1, 1])


@given(COUNTS, st.floats(0, 2))
def test_ips_weights_are_shares_that_fall_with_popularity(popularity, power):
    weights = losses.ips_weights(popularity, power)
    assert weights.max() == 1
    assert weights.min() > 0
    assert (np.diff(weights[np.argsort(popularity, kind="stable")]) <= 1e-15).all()
    assert (losses.ips_weights(popularity, 0.0) == 1).all()


# --- var_bpr


def test_var_bpr_popularity_and_priors_by_hand():
    popularity = np.array([98, 8, 0])
    expected = [1, math.log(10) / math.log(100), math.log(2) / math.log(100)]
    np.testing.assert_allclose(losses.var_bpr_popularity(popularity), expected)
    positive, negative = losses.var_bpr_log_priors(popularity, 0.2, 0.5)
    np.testing.assert_allclose(np.exp(positive[1:]), (1 - np.array(expected[1:])) ** 0.2)
    np.testing.assert_allclose(np.exp(negative), np.array(expected) ** 0.5)
    assert positive[0] < -100  # the most popular item has no rarity


def test_var_bpr_priors_at_exponent_0_say_nothing():
    positive, negative = losses.var_bpr_log_priors(np.array([98, 8, 0]), 0.0, 0.0)
    assert not positive.any()
    assert not negative.any()


def posteriors(up, down, c=4.0, b=0.8, d=1.0, logs=None):
    """By the compiled code, which cancels what all have in common."""
    found = []
    logs = logs or [np.zeros(len(up)), np.zeros(len(down))]
    for scores, slope, log in zip((up, down), losses.var_bpr_slopes(c, b, d), logs, strict=True):
        shares = np.empty(len(scores))
        losses.softmax(np.asarray(scores, np.float64), slope, log, np.arange(len(scores), dtype=np.int32), shares)
        found.append(shares)
    return found


@given(SCORES, SCORES, st.floats(0.5, 9), st.floats(0, 3), st.floats(0, 3), st.integers(0, 2**32 - 1))
def test_var_bpr_posteriors_are_those_written_out(up, down, c, b, d, seed):
    chance = np.random.default_rng(seed)
    priors = chance.uniform(0.05, 1, len(up)), chance.uniform(0.05, 1, len(down))

    def softmax(x):
        return np.exp(x - x.max()) / np.exp(x - x.max()).sum()

    hard_up, hard_down = softmax((up.mean() - up) / 0.5), softmax((down - down.mean()) / 0.5)
    pi_up, pi_down = priors[0] * hard_up**b, priors[1] * hard_down**d
    expected = np.exp(up / c) * pi_up, np.exp(-down / c) * pi_down
    for found, weights in zip(posteriors(up, down, c, b, d, [np.log(p) for p in priors]), expected, strict=True):
        np.testing.assert_allclose(found, weights / weights.sum(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("form", ["margin", "exact"])
@given(SCORES, SCORES)
def test_var_bpr_has_torchs_gradients(form, up, down):
    """The posteriors are constants to the gradient."""
    alpha, beta = posteriors(up, down)
    x, y, a, b = tensor(up), tensor(down), torch.tensor(alpha), torch.tensor(beta)
    margins = x[:, None] - y
    loss = softplus(-((a * x).sum() - (b * y).sum())) if form == "margin" else a @ softplus(-margins) @ b
    loss.backward()
    if form == "margin":
        right = losses.var_bpr_margin(up, down, alpha, beta)
    else:
        right = losses.var_bpr_exact(up, down, alpha, beta, np.empty(len(down)))
    assert -math.log(right) == pytest.approx(loss.item(), abs=1e-9)
    np.testing.assert_allclose(alpha, -x.grad.numpy(), atol=1e-12)
    np.testing.assert_allclose(beta, y.grad.numpy(), atol=1e-12)


@given(st.floats(-8, 8), st.floats(-8, 8))
def test_var_bpr_with_one_positive_and_one_negative_is_bpr(up, down):
    right, push = losses.bpr(up - down, 1.0)
    for form in ("margin", "exact"):
        alpha, beta = posteriors(np.array([up]), np.array([down]))
        arrays_ = (np.array([up]), np.array([down]), alpha, beta)
        found = losses.var_bpr_margin(*arrays_) if form == "margin" else losses.var_bpr_exact(*arrays_, np.empty(1))
        assert (found, alpha[0], beta[0]) == pytest.approx((right, push, push), abs=1e-12)
