"""Losses of the autograd engine: each by hand on one pair, what they leave alone, and their edges."""

import math

import numpy as np
import pytest
import torch

from core.datasets.interactions import Interactions
from core.models.choices import LOSSES
from core.models.engines.objectives import OBJECTIVES, Batch, Vectors, scores_of, uniform_of
from core.models.losses import ips_weights
from core.models.scorers import GatedFactors
from core.models.variant import make_variant

F64 = torch.float64


def fitted():
    """Item popularity 3, 2, 1, 1; item 4 has none."""
    return Interactions.from_pairs(np.array([0, 0, 0, 1, 1, 2, 2]), np.array([0, 1, 2, 0, 1, 0, 3]), 3, 5)


def objective(**choices):
    variant = make_variant("d", **{"dim": 2, "optimizer": "adam", **choices})
    return OBJECTIVES[str(variant.loss)](variant, fitted(), np.random.default_rng(0), F64, torch.device("cpu"))


def vectors(control=None):
    users = torch.tensor([[1.0, 0.5], [0.2, -1.0], [0.3, 0.3]], dtype=F64, requires_grad=True)
    items = torch.tensor([[0.4, 0.1], [1.0, 0.2], [-0.3, 0.6], [0.5, 0.5], [0.1, -0.2]], dtype=F64, requires_grad=True)
    return Vectors(users, items, items[:0] if control is None else control)


def batch(users=(0,), items=(0,), negatives=((3,),), more=((),)):
    more = np.zeros((len(users), 0)) if more == ((),) else np.array(more)
    return Batch(*(torch.as_tensor(np.array(x), dtype=torch.int64) for x in (users, items, negatives, more)))


def x(u, i):
    v = vectors()
    return (v.users[u] @ v.items[i]).item()


def sigma(z):
    return 1 / (1 + math.exp(-z))


def test_every_loss_has_its_objective():
    assert set(OBJECTIVES) == set(LOSSES)


def test_bpr():
    cost, whole = objective(tau=2.0).costs(vectors(), batch())
    assert cost.tolist() == pytest.approx([-math.log(sigma((x(0, 0) - x(0, 3)) / 2))])
    assert whole is None


@pytest.mark.parametrize("n", [1, 3])
def test_infonce(n):
    negatives = [3, 4, 2][:n]
    cost, _ = objective(loss="infonce", tau=0.5).costs(vectors(), batch(negatives=(negatives,)))
    up, down = math.exp(x(0, 0) / 0.5), sum(math.exp(x(0, j) / 0.5) for j in negatives)
    assert cost.tolist() == pytest.approx([-math.log(up / (up + down))])


def test_ips_cn():
    cost, _ = objective(loss="ips_cn", power=0.5).costs(vectors(), batch(items=(2,)))
    weight = ips_weights(np.array([3, 2, 1, 1, 0]), 0.5)[2]
    assert cost.tolist() == pytest.approx([-weight * math.log(sigma(x(0, 2) - x(0, 3)))])


@pytest.mark.parametrize("form", ["margin", "exact"])
def test_var_bpr(form):
    settings = {"var_c": 3.0, "rarity": 0.5, "hardness_pos": 0.7, "popularity": 0.4, "hardness_neg": 0.9}
    made = objective(loss="var_bpr", positives=2, negatives=2, var_form=form, **settings)
    cost, _ = made.costs(vectors(), batch(items=(1,), more=((2,),), negatives=((3, 4),)))
    popular = np.log(2 + np.array([3, 2, 1, 1, 0])) / math.log(2 + 3)

    def softmax(values):
        return np.exp(values) / np.exp(values).sum()

    up, down = np.array([x(0, 1), x(0, 2)]), np.array([x(0, 3), x(0, 4)])
    hard_up, hard_down = softmax((up.mean() - up) / 0.5), softmax((down - down.mean()) / 0.5)
    alpha = softmax(up / 3 + np.log((1 - popular[[1, 2]]) ** 0.5 * hard_up**0.7))
    beta = softmax(-down / 3 + np.log(popular[[3, 4]] ** 0.4 * hard_down**0.9))
    if form == "margin":
        expected = math.log1p(math.exp(-(alpha @ up - beta @ down)))
    else:
        expected = sum(
            alpha[m] * beta[n] * math.log1p(math.exp(-(up[m] - down[n]))) for m in range(2) for n in range(2)
        )
    assert cost.tolist() == pytest.approx([expected])


def test_var_bprs_posteriors_are_no_part_of_the_gradient():
    made, v = objective(loss="var_bpr", positives=2, negatives=2), vectors()
    b = batch(items=(1,), more=((2,),), negatives=((3, 4),))
    cost, _ = made.costs(v, b)
    cost.sum().backward()
    users = v.users.detach()
    up, down = (users[0] * v.items[[1, 2]].detach()).sum(1), (users[0] * v.items[[3, 4]].detach()).sum(1)
    alpha, beta = made.posteriors(up[None], down[None], torch.tensor([[1, 2]]), b.negatives)
    push = sigma(-float((alpha * up).sum() - (beta * down).sum()))
    torch.testing.assert_close(v.items.grad[1], -push * alpha[0, 0] * users[0])
    torch.testing.assert_close(v.items.grad[4], push * beta[0, 1] * users[0])


def test_sam_reg():
    made = objective(loss="sam_reg", sam="off", sam_weight=0.3)
    b = batch(users=(0, 1, 2), items=(2, 1, 0), negatives=((3,), (3,), (4,)))
    cost, whole = made.costs(vectors(), b)
    margins = [x(0, 2) - x(0, 3), x(1, 1) - x(1, 3), x(2, 0) - x(2, 4)]
    assert cost.tolist() == pytest.approx([-0.7 * math.log(sigma(m)) for m in margins])
    expected = np.corrcoef([1, 2, 3], [sigma(m) for m in margins])[0, 1]
    assert whole.item() == pytest.approx(0.3 * expected**2)


def test_a_batch_of_one_popularity_has_no_correlation():
    made, v = objective(loss="sam_reg", sam="off"), vectors()
    cost, whole = made.costs(v, batch(users=(0, 1), items=(0, 0), negatives=((3,), (3,))))
    assert whole.item() == 0
    (cost.mean() + whole).backward()
    assert torch.isfinite(v.items.grad).all()


def test_cause():
    made = objective(loss="cause", cause_weight=0.2, cause_share=0.5)
    control = torch.tensor([[0.3, 0.1], [0.5, -0.2], [0.1, 0.6], [0.2, 0.9], [0.0, 0.4]], dtype=F64)
    v, b = vectors(control), batch(users=(0, 1), items=(0, 1), negatives=((3,), (4,)))
    made.moved = lambda _: torch.tensor([False, True])
    cost, whole = made.costs(v, b)
    users, items = v.users.detach(), v.items.detach()
    margins = [(users[0] @ (items[0] - items[3])).item(), (users[1] @ (control[1] - control[4])).item()]
    assert cost.tolist() == pytest.approx([-math.log(sigma(m)) for m in margins])
    rows = [0, 1, 3, 4]
    logged, shown = items[rows].numpy(), control[rows].numpy()
    distance = ((logged / np.linalg.norm(logged, axis=0) - shown / np.linalg.norm(shown, axis=0)) ** 2).sum()
    assert whole.item() == pytest.approx(0.2 * distance)


def test_cause_moves_pairs_as_often_as_it_says():
    """share * mean / pop: item 0 (3 of 7 pairs) .1 * 1.4 / 3; where it exceeds 1, never."""
    made = objective(loss="cause", cause_share=0.1)
    users = np.arange(200_000)
    for item, popularity in ((0, 3), (2, 1)):
        moved = made.moved(batch(users=users, items=np.full(len(users), item), negatives=((0,),))).double().mean()
        p = 0.1 * (7 / 5) / popularity
        assert abs(float(moved) - p) < 5 * math.sqrt(p * (1 - p) / len(users))
    made = objective(loss="cause", cause_share=1.0)  # 1.4 / 1 exceeds 1
    assert not made.moved(batch(users=users, items=np.full(len(users), 2), negatives=((0,),))).any()
    assert made.moved(batch(users=(5,), items=(0,))).equal(made.moved(batch(users=(5,), items=(0,))))


def test_uniform_numbers_are_uniform():
    found = uniform_of(np.arange(100_000, dtype=np.uint64))
    counts = np.histogram(found, 20, (0, 1))[0]
    assert ((counts - 5000) ** 2 / 5000).sum() < 50  # chi-square, 19 degrees of freedom: .9999 is at 50


def test_macr():
    made = objective(loss="macr", macr_item=0.3, macr_user=0.2)
    item_head, user_head = torch.tensor([0.5, -0.3], dtype=F64), torch.tensor([0.2, 0.7], dtype=F64)
    made.item_head, made.user_head = item_head, user_head
    cost, _ = made.costs(vectors(), batch())
    v = vectors()
    by_user = (v.users[0] @ user_head).item()
    expected = 0.0
    for item, right in ((0, lambda z: math.log(sigma(z))), (3, lambda z: math.log(1 - sigma(z)))):
        by_item = (v.items[item] @ item_head).item()
        y = x(0, item) * sigma(by_item) * sigma(by_user)
        expected -= right(y) + 0.3 * right(by_item) + 0.2 * right(by_user)
    assert cost.tolist() == pytest.approx([expected])


def test_macr_ranks_without_what_items_score_by_themselves():
    made = objective(loss="macr", macr_c=2.0)
    users, items = np.array([[1.0, 0.5]], np.float32), np.array([[0.4, 0.1], [1.0, 0.2]], np.float32)
    scorer = made.scorer(users, items)
    assert isinstance(scorer, GatedFactors)
    item_head, user_head = (h.detach().numpy() for h in made.parameters())
    for i in range(2):
        expected = ((users[0] @ items[i]).item() - 2) * sigma(items[i] @ item_head) * sigma(users[0] @ user_head)
        assert scorer.scores(np.array([0]))[0, i] == pytest.approx(expected, rel=1e-5)


def test_macr_ranks_even_where_training_went_far_off():
    made = objective(loss="macr", macr_c=0.0)
    item_head, user_head = (torch.full((2,), 1e4, dtype=F64) for _ in range(2))
    made.item_head, made.user_head = item_head, user_head
    far = np.array([[1.0, 1.0], [-1.0, -1.0]], np.float32)
    assert made.scorer(far, far).scores(np.array([0])).tolist() == [[2.0, 0.0]]


def cosine(a, b):
    return (a @ b).item() / (a.norm() * b.norm()).item()


def test_bc_trains_its_branch_first():
    made, v = objective(loss="bc", negatives=2, tau2=0.2, warm_up=3), vectors()
    for made.epoch, trains in ((4, True), (3, False), (1, False)):
        assert made.trains_tables is trains
    cost, _ = made.costs(v, batch(negatives=((3, 4),)))
    user = made.by_user[made.user_row[0]]
    up, *down = (math.exp(cosine(user, made.by_item[made.item_row[i]]) / 0.2) for i in (0, 3, 4))
    assert cost.tolist() == pytest.approx([-math.log(up / (up + sum(down)))])
    cost.sum().backward()
    assert v.items.grad is None
    assert made.by_item.grad is not None


def test_bc_widens_the_angle_of_what_popularity_does_not_explain():
    made, v = objective(loss="bc", negatives=2, tau=0.1, margin_scale=0.8, warm_up=1), vectors()
    made.epoch = 2
    cost, _ = made.costs(v, batch(negatives=((3, 4),)))
    explained = (made.by_user[made.user_row[0]] @ made.by_item[made.item_row[0]]).item()
    theta = math.acos(cosine(v.users[0], v.items[0]))
    margin = 0.8 * min(1 - sigma(explained), math.pi - theta)
    up, down = (
        math.exp(math.cos(theta + margin) / 0.1),
        sum(math.exp(cosine(v.users[0], v.items[j]) / 0.1) for j in (3, 4)),
    )
    assert cost.tolist() == pytest.approx([-math.log(up / (up + down))])
    cost.sum().backward()
    assert made.by_item.grad is None  # frozen
    assert v.items.grad is not None


def test_bc_at_scale_0_is_cosine_infonce():
    made, v = objective(loss="bc", negatives=2, tau=0.1, margin_scale=0, warm_up=1), vectors()
    made.epoch = 2
    cost, _ = made.costs(v, batch(negatives=((3, 4),)))
    up, *down = (math.exp(cosine(v.users[0], v.items[i]) / 0.1) for i in (0, 3, 4))
    assert cost.tolist() == pytest.approx([-math.log(up / (up + sum(down)))], rel=1e-6)


def test_bc_bears_equal_vectors():
    made = objective(loss="bc", negatives=1, warm_up=1)
    made.epoch = 2
    same = torch.ones(5, 2, dtype=F64, requires_grad=True)
    cost, _ = made.costs(Vectors(same[:3], same, same[:0]), batch())
    cost.sum().backward()
    assert torch.isfinite(same.grad).all()


@pytest.mark.parametrize("n", [1, 2, 40])
def test_both_ways_to_score_agree(n):
    """With few rows a pair they are gathered, with many the whole catalogue is scored."""
    chance = torch.Generator().manual_seed(0)
    users, table = torch.randn(6, 4, generator=chance), torch.randn(100, 4, generator=chance)
    items = torch.randint(0, 100, (6, n), generator=chance)
    expected = torch.stack([table[items[b]] @ users[b] for b in range(6)])
    torch.testing.assert_close(scores_of(users, table, items), expected)
