"""The compiled engine: a contract for every sampler, what an epoch does to the tables, and the two paths to scores."""

import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from core.datasets.interactions import Interactions
from core.errors import RunFailed
from core.models.choices import COMPILED_LOSSES, SAMPLERS, UPDATERS
from core.models.engines import compiled, drawing
from core.models.engines.compiled import CompiledEngine
from core.models.engines.drawing import takes_snapshots
from core.models.losses import ips_weights
from core.models.samplers import below, some_of
from core.models.variant import make_variant
from tests.models.engines.worlds import ITEMS, USERS, chi_square, interactions


def engine(fitted, seed=0, **choices):
    return CompiledEngine(make_variant("d", **{"dim": 8, **choices}), fitted, seed)


def trained(fitted, epochs=3, **choices):
    made = engine(fitted, **choices)
    for _ in range(epochs):
        made.epoch()
    return made


def many_draws(made, times):
    return np.concatenate([made.draw(seed) for seed in range(times)]).ravel()


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
class TestSamplerContract:
    """What holds for every sampler, on both paths."""

    def test_a_negative_is_an_item_that_the_user_has_not_taken(self, sampler):
        fitted = interactions()
        drawn = many_draws(trained(fitted, sampler=sampler), 20)
        assert drawn.min() >= 0
        assert drawn.max() < ITEMS
        pairs = set(zip(fitted.users().tolist(), fitted.indices.tolist(), strict=True))
        assert pairs.isdisjoint(zip(np.tile(fitted.users(), 20).tolist(), drawn.tolist(), strict=True))

    def test_the_seed_decides(self, sampler):
        fitted = interactions()
        first, again, other = (trained(fitted, sampler=sampler, seed=seed).scorer() for seed in (3, 3, 4))
        assert first.users.tobytes() == again.users.tobytes()
        assert first.items.tobytes() == again.items.tobytes()
        assert first.items.tobytes() != other.items.tobytes()

    def test_a_user_with_one_item_left_gets_it_and_one_with_none_is_skipped(self, sampler):
        full, almost = np.arange(ITEMS), np.delete(np.arange(ITEMS), 17)
        rest = interactions()
        users = np.concatenate([np.zeros(ITEMS, int), np.ones(ITEMS - 1, int), rest.users() + 2])
        items = np.concatenate([full, almost, rest.indices])
        fitted = Interactions.from_pairs(users, items, USERS + 2, ITEMS)
        made = engine(fitted, sampler=sampler)
        assert made.epoch().skipped == ITEMS
        drawn = made.draw(0)[:, 0]
        assert (drawn[:ITEMS] == -1).all()
        assert (drawn[ITEMS : 2 * ITEMS - 1] == 17).all()

    def test_more_candidates_and_references_than_there_are_items(self, sampler):
        asked = {"candidates": 200, "references": 300}
        used = {"dns": ["candidates"], "bns": ["candidates"], "auc_ns": ["candidates", "references"]}.get(sampler, [])
        assert np.isfinite(trained(interactions(), sampler=sampler, **{n: asked[n] for n in used}).epoch().loss)

    def test_drawing_learns_nothing(self, sampler):
        made = trained(interactions(), sampler=sampler)
        before = made.scorer()
        made.draw(0)
        np.testing.assert_array_equal(made.scorer().users, before.users)
        np.testing.assert_array_equal(made.scorer().items, before.items)

    @pytest.mark.parametrize("updater", sorted(UPDATERS))
    def test_the_loss_falls(self, sampler, updater):
        made = engine(interactions(), sampler=sampler, updater=updater, lr=0.05, l2=0.001)
        losses = [made.epoch().loss for _ in range(40)]
        assert losses[0] == pytest.approx(np.log(2), abs=0.02)  # embeddings near 0 tell nothing apart
        assert min(losses) < losses[0] - 0.02


# --- losses

LOSSES = {
    "bpr": {"loss": "bpr", "tau": 2.0},
    "infonce": {"loss": "infonce", "tau": 0.8},
    "ips_cn": {"loss": "ips_cn", "power": 1.0},
    "var_bpr margin": {"loss": "var_bpr", "positives": 3, "popularity": 0.5},
    "var_bpr exact": {"loss": "var_bpr", "positives": 3, "popularity": 0.5, "var_form": "exact"},
}


def test_every_loss_of_the_engine_is_tested():
    assert {choices["loss"] for choices in LOSSES.values()} == set(COMPILED_LOSSES)


@pytest.mark.parametrize("updater", sorted(UPDATERS))
@pytest.mark.parametrize("loss", sorted(LOSSES))
class TestLossContract:
    """What holds for every loss under either updater."""

    def test_it_falls(self, loss, updater):
        choices = {**LOSSES[loss], "tau": None, "updater": updater, "lr": 0.1, "l2": 0.001}
        made = engine(interactions(), init_sigma=0.05, aggregation=0.97, **choices)
        losses = [made.epoch().loss for _ in range(60)]
        weights = ips_weights(interactions().popularity(), 1.0)[interactions().indices].mean()
        expected = {"infonce": np.log(1 + 5), "ips_cn": weights * np.log(2)}.get(loss, np.log(2))
        assert losses[0] == pytest.approx(expected, rel=0.03)  # embeddings near 0 tell nothing apart
        assert min(losses) < 0.97 * losses[0]

    def test_the_seed_decides(self, loss, updater):
        first, again, other = (
            trained(interactions(), updater=updater, seed=seed, **LOSSES[loss]).scorer() for seed in (3, 3, 4)
        )
        assert first.users.tobytes() == again.users.tobytes()
        assert first.items.tobytes() == again.items.tobytes()
        assert first.items.tobytes() != other.items.tobytes()

    def test_an_epoch_is_its_pairs_steps_one_after_the_other(self, loss, updater):
        """Played back in float64 with the same draws: users in the epoch's order, each pair once."""
        fitted = interactions(users=5)
        asked = {"updater": updater, "lr": 0.05, "l2": 0.01, "init_sigma": 0.5, **LOSSES[loss], "positives": None}
        made = engine(fitted, **{**asked, **({"positives": 1} if "var" in loss else {})})
        before = made.scorer()
        order = np.random.default_rng(0).permutation(made._visited)
        drawn = np.full((len(fitted), made._variant.negatives or 1), -1, np.int32)
        states = np.array([1], np.uint64), np.array([2], np.uint64)
        total, _ = made._run(order, *states, made._step, drawn)
        users, items = before.users.astype(float), before.items.astype(float)
        shuffled, seen = np.array([1], np.uint64), 0.0
        for u in order:
            row = fitted.row(u)
            own = np.empty(len(row), int)
            for k in range(len(row)):  # the shuffle of an arrival
                other = below(shuffled, k + 1)
                own[k] = own[other]
                own[other] = row[k]
            for at, i in enumerate(own):
                js = drawn[fitted.indptr[u] + at]
                seen += compiled.step(users, items, u, [i], js, made._variant, fitted.popularity())
        np.testing.assert_allclose(made.scorer().users, users, rtol=2e-3, atol=2e-4)
        np.testing.assert_allclose(made.scorer().items, items, rtol=2e-3, atol=2e-4)
        assert total == pytest.approx(seen, rel=1e-3)

    def test_users_who_took_everything_are_skipped(self, loss, updater):
        users = np.concatenate([np.zeros(8, int), np.ones(3, int)])
        fitted = Interactions.from_pairs(users, np.concatenate([np.arange(8), np.arange(3)]), 2, 8)
        made = engine(fitted, updater=updater, **LOSSES[loss])
        before = made.scorer().users[0]
        assert made.epoch().skipped == 8
        np.testing.assert_array_equal(made.scorer().users[0], before)

    def test_divergence_is_caught_at_once(self, loss, updater):
        made = engine(interactions(), updater=updater, lr=90.0, l2=1.0, **LOSSES[loss])
        with pytest.raises(RunFailed, match="Lower lr, which is 90"):
            for _ in range(40):
                made.epoch()


def test_every_negative_of_a_pair_is_drawn_by_the_sampler():
    """dns with infonce: each of the five has the mean score of a single one, and they are drawn apart."""
    fitted = interactions()
    alone, together = (
        engine(fitted, sampler="dns", init_sigma=1.0),
        engine(fitted, sampler="dns", loss="infonce", init_sigma=1.0),
    )
    scores = alone.scorer().scores(np.arange(USERS))
    users = fitted.users()
    one = np.mean([scores[users, alone.draw(seed)[:, 0]].mean() for seed in range(10)])
    five = np.array([together.draw(seed) for seed in range(10)])
    assert five.shape == (10, len(fitted), 5)
    for k in range(5):
        assert scores[users, five[:, :, k]].mean() == pytest.approx(one, abs=0.12)  # rns: 0
    assert 0.05 < (five[:, :, 0] == five[:, :, 1]).mean() < 0.5


def test_further_positives_are_drawn_from_what_the_user_took():
    pairs, positives = np.arange(10, 18, dtype=np.int32), np.array([17, 0, 0], np.int32)
    state, counts = np.array([1], np.uint64), np.zeros((2, 8))
    for _ in range(4000):
        compiled._further_positives(6, pairs, positives, state)
        assert positives[0] == 17
        counts[[0, 1], positives[1:] - 10] += 1
    assert (counts[:, 6:] == 0).all()  # 6 of the 8 places are the user's
    for k in range(2):
        assert chi_square(counts[k, :6], 4000 / 6) < 20.5  # 5 degrees of freedom, p = .001


# --- distributions


def test_rns_is_uniform_over_what_is_left():
    fitted, times = interactions(users=4), 2000
    drawn = many_draws(engine(fitted, sampler="rns"), times).reshape(times, 4, -1)
    for user in range(4):
        counts = np.bincount(drawn[:, user].ravel(), minlength=ITEMS)
        left = np.setdiff1d(np.arange(ITEMS), fitted.row(user))
        expected = times * 15 / len(left)
        assert chi_square(counts[left], expected) < 82  # 44 degrees of freedom, p = .0005


@pytest.mark.parametrize("crowded", [False, True], ids=["alias table", "search"])
def test_pns_is_proportional_to_the_power_of_popularity(crowded):
    """A user who holds most of the weight is served by search, any other by the alias table."""
    most = np.arange(40) if crowded else np.arange(40, 50)
    others = interactions(users=12)
    users = np.concatenate([np.zeros(len(most), int), others.users() + 1])
    fitted = Interactions.from_pairs(users, np.concatenate([most, others.indices]), 13, ITEMS)
    times = 60_000 // len(most)
    drawn = many_draws(engine(fitted, sampler="pns", exponent=0.75), times).reshape(times, -1)[:, : len(most)]
    weights = fitted.popularity().astype(float) ** 0.75
    weights[most] = 0
    expected = weights / weights.sum() * drawn.size
    counts = np.bincount(drawn.ravel(), minlength=ITEMS)
    assert (counts[expected == 0] == 0).all()
    seen = expected > 0
    assert chi_square(counts[seen], expected[seen]) < seen.sum() + 4.5 * np.sqrt(2 * seen.sum())


def test_pns_with_no_weight_left_is_uniform():
    """User 0 took every item that anybody took."""
    fitted = Interactions.from_pairs(np.zeros(6, int), np.arange(6), 1, 9)
    assert set(many_draws(engine(fitted, sampler="pns"), 50).tolist()) == {6, 7, 8}


def test_dns_draws_higher_scores_than_rns_and_bns_lower_ones_at_cost_0():
    fitted = interactions()
    means = {}
    for name, choices in {"rns": {}, "dns": {}, "bns": {"false_negative_cost": 0.0}}.items():
        made = engine(fitted, sampler=name, init_sigma=1.0, **choices)
        scores = made.scorer().scores(np.arange(USERS))
        means[name] = scores[np.tile(fitted.users(), 10), many_draws(made, 10)].mean()
    assert means["bns"] < means["rns"] < means["dns"]


def test_items_that_nobody_took_are_never_worth_more_under_a_prior():
    """At beta > 0 their prior is 0, so only the second term counts, and it is negative."""
    half = interactions(items=30)
    fitted = Interactions(half.indptr, half.indices, ITEMS)
    drawn = many_draws(engine(fitted, sampler="auc_ns", beta=0.025), 30)
    assert (drawn >= 30).mean() < 0.6 * (many_draws(engine(fitted, sampler="rns"), 30) >= 30).mean()


def auc_ns_by_the_formulas(x, popularity, own, draws, chance, alpha=0.6, beta=0.3, gamma=0.05, m=5, n=10):
    """Negatives of one user, from the paper's rule alone. x (I,) scores, own: the user's items."""
    rest = np.setdiff1d(np.arange(len(x)), own)
    F = (x[:, None] >= x).sum(axis=1) / (len(x) + 1)
    P = (popularity / popularity.sum()) ** beta
    f_neg, f_pos = 2 * ((1 - F) * alpha + F * (1 - alpha)), 2 * ((1 - F) * (1 - alpha) + F * alpha)
    w = f_neg * P / (f_neg * P + f_pos * (1 - P))
    taken = np.empty(draws, int)
    for k in range(draws):
        candidates = chance.choice(rest, m)
        ups, downs = x[chance.choice(own, n)], x[chance.choice(rest, n, replace=False)]
        rise = (1 / (1 + np.exp(ups - x[candidates, None]))).mean(axis=1)
        fall = (1 / (1 + np.exp(x[candidates, None] - downs))).mean(axis=1)
        gains = w[candidates] * len(own) * rise - (1 - w[candidates]) * gamma * len(rest) * fall
        taken[k] = candidates[gains.argmax()]
    return taken


@pytest.mark.usefixtures("path")
def test_auc_ns_draws_what_the_formulas_draw():
    fitted, times = interactions(users=30, items=40, length=10), 1200
    made = engine(fitted, sampler="auc_ns", beta=0.3, gamma=0.05, init_sigma=0.7)
    x = made.scorer().scores(np.array([0]))[0].astype(float)
    drawn = many_draws(made, times).reshape(times, -1)[:, :10].ravel()
    reference = auc_ns_by_the_formulas(x, fitted.popularity(), fitted.row(0), 12_000, np.random.default_rng(0))
    shares, expected = (np.bincount(items, minlength=40) / 12_000 for items in (drawn, reference))
    assert np.abs(shares - expected).sum() < 0.09  # .40 at beta 1 instead of .3


def front_by_swaps(values, state):
    some_of(values, 12, 4, state)


VISIT = drawing.new_visit(interactions(items=12, length=5), True, 4)


TABLES = np.zeros((1, 3), np.float32), np.zeros((12, 3), np.float32)


def front_of_a_sample(values, state):
    assert drawing._draw_references(*TABLES, 0, 5, 12, False, VISIT._replace(free=values), state) == 4


def front_of_a_snapshot(values, state):
    exps, rest = np.arange(100, 112, dtype=np.float32), values.astype(np.int32)
    visit = VISIT._replace(rest=rest, exps=exps, free=np.empty(12, np.float32))
    assert drawing._draw_references(*TABLES, 0, 5, 12, True, visit, state) == 4
    assert visit.free[:4].tolist() == exps[rest[:4]].tolist()
    values[:] = rest


@pytest.mark.parametrize("draw", [front_by_swaps, front_of_a_sample, front_of_a_snapshot])
def test_references_are_drawn_without_repetition(draw):
    """A permutation of what there is, its beginning drawn anew each time: every value comes there equally often."""
    values, state = np.arange(12, dtype=np.float32), np.array([3], np.uint64)
    counts = np.zeros(12)
    for _ in range(3000):
        draw(values, state)
        assert sorted(values.tolist()) == list(range(12))
        counts[values[:4].astype(int)] += 1
    assert chi_square(counts, 1000) < 31  # 11 degrees of freedom, p = .001


def test_both_paths_draw_alike(monkeypatch):
    """From one trained state: the negatives' shares by popularity decile and their mean score."""
    fitted = interactions(users=120, items=400, length=30)
    order = np.argsort(np.argsort(-fitted.popularity(), kind="stable")) // 40
    for choices in ({"sampler": "dns"}, {"sampler": "bns"}, {"sampler": "auc_ns", "beta": 0.1}):
        found = []
        for gather in (1e9, 0.0):
            monkeypatch.setattr(drawing, "GATHER", gather)
            made = engine(fitted, init_sigma=0.6, **choices)
            drawn, users = many_draws(made, 12), np.tile(fitted.users(), 12)
            x = made.scorer().scores(np.arange(120))[users, drawn]
            found.append((np.bincount(order[drawn], minlength=10) / len(drawn), x.mean()))
        (shares, mean), (sampled_shares, sampled_mean) = found
        np.testing.assert_allclose(sampled_shares, shares, atol=0.012)
        assert sampled_mean == pytest.approx(mean, abs=0.03)


def test_the_path_follows_from_a_count_of_operations():
    assert takes_snapshots(interactions(), 5, 10)
    few = interactions(users=20, items=40_000, length=10)
    assert not takes_snapshots(few, 5, 10)
    assert takes_snapshots(few, 2000, 10)


# --- the step


def by_torch(users, items, u, positives, negatives, variant, popularity):
    """The same step from the loss written out: gradients by torch, l2 / 2 of the squared norm of every row taken."""
    v, pop = variant, torch.from_numpy(popularity.astype(float))
    p_all, q = (torch.from_numpy(table.copy()).requires_grad_() for table in (users, items))
    p = p_all[u] if v.updater == "two_bp" else p_all[u].detach()
    own, others = q[positives], q[negatives]
    up, down = own @ p, others @ p
    if v.loss == "infonce":
        loss = torch.logsumexp(torch.cat([up, down]) / v.tau, 0) - up[0] / v.tau
    elif v.loss == "var_bpr":
        s, t = up.detach(), down.detach()
        share = torch.log(2 + pop) / torch.log(2 + pop.max())
        prior = (1 - share[positives]) ** v.rarity * torch.softmax((s.mean() - s) / 0.5, 0) ** v.hardness_pos
        anti = share[negatives] ** v.popularity * torch.softmax((t - t.mean()) / 0.5, 0) ** v.hardness_neg
        alpha = torch.softmax(s / v.var_c + prior.log(), 0)
        beta = torch.softmax(-t / v.var_c + anti.log(), 0)
        margins = up[:, None] - down
        loss = alpha @ softplus(-margins) @ beta if v.var_form == "exact" else softplus(beta @ down - alpha @ up)
    else:
        weight = 1.0
        if v.loss == "ips_cn":
            raw = (pop.max() / (pop + 1)) ** v.power
            weight = (raw.clamp(min=1).clamp(max=torch.quantile(raw, 0.5)) / torch.quantile(raw, 0.5))[positives[0]]
        loss = weight * softplus(-(up[0] - down[0]) / (v.tau or 1))
    rows = [own, others] + ([p[None]] if v.updater == "two_bp" else [])
    (loss + v.l2 / 2 * sum((row**2).sum() for row in rows)).backward()
    moved = (q - v.lr * q.grad).detach().numpy()
    after = users.copy()
    if v.updater == "two_bp":
        after[u] = (p_all - v.lr * p_all.grad).detach().numpy()[u]
    else:
        assert p_all.grad is None
        after[u] = v.aggregation * users[u] + (1 - v.aggregation) * moved[positives[0]]
    return after, moved, loss.item()


@pytest.mark.parametrize("updater", sorted(UPDATERS))
@pytest.mark.parametrize("loss", sorted(LOSSES))
@pytest.mark.parametrize("again", [False, True], ids=["distinct", "an item twice"])
def test_a_step_is_the_gradients_step(loss, updater, again):
    choices = {"lr": 0.07, "l2": 0.03, **LOSSES[loss], "updater": updater}
    choices |= {"aggregation": 0.9} if updater == "one_bp" else {}
    variant = make_variant("d", **choices)
    chance = np.random.default_rng(5)
    users, items = chance.normal(size=(4, 7)), chance.normal(size=(12, 7))
    popularity = chance.integers(0, 40, 12)
    positives = [3, 4, 3 if again else 5][: variant.positives or 1]
    negatives = [8, 9, 8 if again else 10, 11, 0][: variant.negatives or 1]
    expected_users, expected_items, loss_before = by_torch(users, items, 2, positives, negatives, variant, popularity)
    seen = compiled.step(users, items, 2, positives, negatives, variant, popularity)
    assert seen == pytest.approx(loss_before, rel=1e-9)
    np.testing.assert_allclose(users, expected_users, rtol=1e-9)
    np.testing.assert_allclose(items, expected_items, rtol=1e-9)


def test_one_bp_moves_users_towards_their_items_even_where_nothing_is_learnt():
    """With a vanishing rate items stay, and a user becomes the running mean of their items, in the order of visits."""
    fitted = Interactions.from_pairs(np.array([0]), np.array([2]), 1, 5)
    made = engine(fitted, updater="one_bp", lr=1e-30, l2=0.0, aggregation=0.75)
    before = made.scorer()
    made.epoch()
    after = made.scorer()
    np.testing.assert_array_equal(after.items, before.items)
    np.testing.assert_allclose(after.users[0], 0.75 * before.users[0] + 0.25 * before.items[2], rtol=1e-6)


def test_the_loss_reported_is_the_mean_of_bpr():
    """With a vanishing rate the tables stay, so the loss follows from them and the negatives drawn."""
    fitted = Interactions.from_pairs(np.arange(USERS), np.full(USERS, 3), USERS, 2 + 2)
    made = engine(fitted, lr=1e-30, l2=0.0, tau=2.0, init_sigma=1.0)
    scores = made.scorer().scores(np.arange(USERS)).astype(np.float64)
    expected = np.logaddexp(0, -(scores[:, 3:4] - scores[:, :3]) / 2).mean()  # over all negatives there are
    seen = np.mean([made.epoch().loss for _ in range(300)])
    assert seen == pytest.approx(expected, rel=0.02)


def test_a_user_without_pairs_is_never_visited():
    fitted = Interactions(np.array([0, 2, 2, 4], np.int64), np.array([0, 1, 2, 3], np.int32), 8)
    made = engine(fitted)
    before = made.scorer().users[1]
    made.epoch()
    np.testing.assert_array_equal(made.scorer().users[1], before)


def test_interactions_that_may_not_be_written_do():
    fitted = interactions()
    fitted.indptr.flags.writeable = fitted.indices.flags.writeable = False
    assert engine(fitted).epoch().loss > 0


def test_a_scorer_is_a_copy():
    made = engine(interactions())
    scorer = made.scorer()
    before = scorer.items.copy()
    made.epoch()
    np.testing.assert_array_equal(scorer.items, before)


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_divergence_is_caught_at_once_and_says_what_to_do(sampler):
    made = engine(interactions(), sampler=sampler, lr=90.0, l2=1.0)
    with pytest.raises(RunFailed, match=r"(?s)diverged in epoch \d.*Lower lr, which is 90"):
        for _ in range(40):
            made.epoch()


def test_finite_embeddings_whose_products_are_not_have_diverged():
    made = engine(interactions())
    made._users[:] = made._items[:] = 1e20  # every margin is 0, and so the loss is a number
    with pytest.raises(RunFailed, match="a score is no longer a number"):
        made.epoch()
