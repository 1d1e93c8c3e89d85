"""The autograd engine: who moves in a step and how far, OneBP's rule, decay, schedules, seeds and divergence."""

import numpy as np
import pytest
import torch

from core.datasets.interactions import Interactions
from core.errors import RunFailed
from core.models.choices import LOSSES
from core.models.engines.autograd import AutogradEngine
from core.models.engines.objectives import Batch
from core.models.variant import make_variant
from tests.models.engines.test_compiled import interactions

F64 = torch.float64


def engine(fitted=None, seed=0, dtype=torch.float32, **choices):
    variant = make_variant("d", **{"dim": 8, "optimizer": "adam", "batch": 64, **choices})
    return AutogradEngine(variant, interactions() if fitted is None else fitted, seed, dtype=dtype)


def batch(users, items, negatives, more=None):
    more = np.zeros((len(users), 0)) if more is None else more
    return Batch(*(torch.as_tensor(np.array(x), dtype=torch.int64) for x in (users, items, negatives, more)))


def copies(made):
    return made.users.detach().clone(), made.items.detach().clone()


# --- who moves


def test_a_step_moves_the_rows_of_the_batch_and_no_others():
    made = engine(optimizer="sgd", encoder="mf", loss="sam_reg", sam="off", l2=0.1)
    users, items = copies(made)
    made.step(made.vectors(), batch([3, 5], [1, 2], [[7], [9]]))
    moved_users = (made.users != users).any(1).nonzero()[:, 0].tolist()
    moved_items = (made.items != items).any(1).nonzero()[:, 0].tolist()
    assert (moved_users, moved_items) == ([3, 5], [1, 2, 7, 9])


def test_dense_decay_moves_every_row_and_batch_decay_only_the_batchs():
    for form, moved in (("dense", 60), ("batch", 2)):
        made = engine(l2=0.1, l2_form=form)
        _, items = copies(made)
        made.step(made.vectors(), batch([3], [1], [[7]]))
        assert int((made.items != items).any(1).sum()) == moved


def test_batch_decay_is_half_the_squared_norm_over_the_batchs_size():
    made = engine(l2=0.3, l2_form="batch", dtype=F64)
    decay = made._decay(batch([3, 4], [1, 1], [[7], [8]]))
    users, items = (t.detach().numpy() for t in (made.users, made.items))
    rows = [users[3], users[4], items[1], items[1], items[7], items[8]]
    assert decay.item() == pytest.approx(0.3 / 2 * sum((row**2).sum() for row in rows) / 2)


def test_sgd_adds_a_batch_up():
    """Two pairs without a common row move as far together as one after the other: lr means what it does for a pair."""
    together, apart = (
        engine(optimizer="sgd", loss="sam_reg", sam="off", sam_weight=0.001, dtype=F64) for _ in range(2)
    )
    together.step(together.vectors(), batch([3, 5], [1, 2], [[7], [9]]))
    for pair in (([3], [1], [[7]]), ([5], [2], [[9]])):
        apart.step(apart.vectors(), batch(*pair))
    torch.testing.assert_close(together.users, apart.users, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(together.items, apart.items, rtol=1e-3, atol=1e-5)


# --- OneBP


@pytest.mark.parametrize("encoder", ["mf", "lightgcn"])
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_under_one_bp_the_user_table_never_has_a_gradient(encoder, loss):
    made = engine(encoder=encoder, loss=loss, updater="one_bp", **({"warm_up": 1} if loss == "bc" else {}))
    assert not made.users.requires_grad
    for _ in range(2):
        made.epoch()
    assert made.users.grad is None
    learnt = [p for group in made._optimizer.param_groups for p in group["params"]]
    assert not any(p is made.users for p in learnt)
    assert not made.vectors().users.requires_grad  # nor does one pass through what the loss sees


@pytest.mark.parametrize("encoder", ["mf", "lightgcn"])
def test_users_follow_the_items_in_order(encoder):
    """User 3 three times, user 5 once: every move counts, in the batch's order, with the items after their step."""
    made = engine(encoder=encoder, updater="one_bp", aggregation=0.9, dtype=F64)
    before, _ = copies(made)
    made.step(made.vectors(), batch([3, 5, 3, 3], [1, 2, 4, 1], [[7], [9], [8], [6]]))
    items = made.items.detach()
    expected = before.clone()
    for user, item in ((3, 1), (5, 2), (3, 4), (3, 1)):
        expected[user] = 0.9 * expected[user] + 0.1 * items[item]
    torch.testing.assert_close(made.users, expected)


def test_duplicates_one_keeps_the_last_move_of_a_user():
    made = engine(updater="one_bp", aggregation=0.9, duplicates="one", dtype=F64)
    before, _ = copies(made)
    made.step(made.vectors(), batch([3, 5, 3], [1, 2, 4], [[7], [9], [8]]))
    expected = before.clone()
    for user, item in ((3, 4), (5, 2)):
        expected[user] = 0.9 * before[user] + 0.1 * made.items.detach()[item]
    torch.testing.assert_close(made.users, expected)


def test_two_bp_moves_users_by_their_gradient():
    made = engine(updater="two_bp", optimizer="adam")
    before, _ = copies(made)
    made.step(made.vectors(), batch([3], [1], [[7]]))
    assert (made.users[3] != before[3]).any()


# --- an epoch


@pytest.mark.parametrize("loss", ["bpr", "infonce", "sam_reg", "cause", "macr"])
@pytest.mark.parametrize("encoder", ["mf", "lightgcn"])
def test_the_loss_falls(encoder, loss):
    made = engine(encoder=encoder, loss=loss, lr=0.02)
    first = made.epoch().loss
    for _ in range(15):
        last = made.epoch().loss
    assert last < 0.9 * first


def test_every_pair_is_in_one_batch_and_the_last_may_be_smaller():
    made = engine(batch=64)
    pairs = np.concatenate(list(made._batches()))
    assert sorted(pairs.tolist()) == list(range(len(interactions())))
    assert not (pairs == np.concatenate(list(made._batches()))).all()


def test_lr_follows_its_schedule():
    made = engine(lr=0.1, lr_decay="1:0.5 3:0.1")
    seen = []
    for _ in range(4):
        made.epoch()
        seen.append(made._optimizer.param_groups[0]["lr"])
    assert seen == pytest.approx([0.05, 0.05, 0.005, 0.005])


def test_users_who_took_everything_are_left_out_and_counted():
    users = np.concatenate([np.zeros(6, np.int64), np.ones(2, np.int64)])
    fitted = Interactions.from_pairs(users, np.array([0, 1, 2, 3, 4, 5, 0, 1]), 2, 6)
    for choices in ({}, {"loss": "sam_reg"}, {"sampler": "dns", "candidates": 2}, {"loss": "infonce"}):
        report = engine(fitted, **choices).epoch()
        assert report.skipped == 6
        assert np.isfinite(report.loss)


@pytest.mark.parametrize("encoder", ["mf", "lightgcn"])
@pytest.mark.parametrize("sampler", ["rns", "auc_ns"])
def test_the_same_seed_gives_the_same_bytes(encoder, sampler):
    def trained(seed):
        made = engine(seed=seed, encoder=encoder, sampler=sampler)
        for _ in range(2):
            made.epoch()
        return made.scorer()

    one, again, other = trained(0), trained(0), trained(1)
    assert one.users.tobytes() == again.users.tobytes()
    assert one.items.tobytes() == again.items.tobytes()
    assert one.items.tobytes() != other.items.tobytes()


def test_a_scorer_is_a_copy_of_the_moment():
    made = engine()
    before = made.scorer()
    kept = before.users.copy()
    made.epoch()
    np.testing.assert_array_equal(before.users, kept)


def test_divergence_is_seen_at_once():
    made = engine(encoder="mf", loss="sam_reg", sam="off", optimizer="sgd", lr=100.0, l2=100.0)
    with pytest.raises(RunFailed, match="Lower lr, which is 100"):
        for _ in range(50):
            made.epoch()


def test_finite_embeddings_whose_products_are_not_have_diverged():
    made = engine()
    with torch.no_grad():
        made.users.fill_(1e20)
        made.items.fill_(1e20)
    with pytest.raises(RunFailed, match="a score is no longer a number"):
        made.scorer()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device to compare with")
@pytest.mark.parametrize("encoder", ["mf", "lightgcn"])
def test_a_gpu_learns_the_same(encoder):
    def loss(device):
        made = AutogradEngine(make_variant("d", dim=8, encoder=encoder, optimizer="adam"), interactions(), 0, device)
        return [made.epoch().loss for _ in range(10)][-1]

    assert loss("cuda") == pytest.approx(loss("cpu"), rel=0.02)
