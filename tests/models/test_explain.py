"""AUC-NS taken apart: pieces by hand, choices against the formulas written out, both ends of the path against DNS, and
what is drawn against what the samplers draw."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.interactions import Interactions
from core.errors import Refused
from core.models import explain
from core.models.engines.compiled import CompiledEngine
from core.models.engines.drawing import NegativeDrawer
from core.models.explain import ModelState
from core.models.knobs import Knobs
from core.models.variant import make_variant
from tests import realdata

USUAL = Knobs(beta=0.1, alpha=0.6, gamma=0.5, candidates=5, references=10)


def sigma(x):
    return 1 / (1 + np.exp(-x))


def state_of(scores, taken, n_items=None):
    """A model with exactly these scores (U, I), and users who took these items."""
    scores = np.asarray(scores, np.float32)
    users = np.repeat(np.arange(len(taken)), [len(t) for t in taken])
    fitted = Interactions.from_pairs(users, np.concatenate(taken).astype(int), len(taken), n_items or scores.shape[1])
    return ModelState(np.eye(len(scores), dtype=np.float32), np.ascontiguousarray(scores.T), fitted)


def random_state(seed, n_users=12, n_items=40, dim=4):
    chance = np.random.default_rng(seed)
    taken = [chance.choice(n_items, chance.integers(1, n_items // 2), replace=False) for _ in range(n_users)]
    users, items = (chance.normal(size=(n, dim)).astype(np.float32) for n in (n_users, n_items))
    return dataclasses.replace(state_of(np.zeros((n_users, n_items)), taken), users=users, items=items)


def draws_of(state, knobs=USUAL, pairs=200, seed=0):
    users, _ = explain.sample_pairs(state.fitted, pairs, 1, np.random.default_rng(seed))
    return explain.draw_pairs(state, knobs, users, np.random.default_rng(seed))


def taken_items(draws, places):
    return np.take_along_axis(draws.candidates, places[:, None].astype(np.int64), 1)[:, 0]


# --- the pieces


def test_prior_curves():
    curves = explain.prior_curves(np.array([6, 3, 1, 0]), np.array([0.0, 0.5]))
    np.testing.assert_allclose(curves, [[1, 1, 1, 1], [0.6**0.5, 0.3**0.5, 0.1**0.5, 0]])


def test_posterior_curves():
    w = explain.posterior_curves(np.array([0.0, 0.25, 1.0]), np.array([1.0, 0.2, 0.0]), 0.6)
    f_neg, f_pos = 2 * (0.75 * 0.6 + 0.25 * 0.4), 2 * (0.75 * 0.4 + 0.25 * 0.6)
    assert w[0].tolist() == [1, 1, 1]
    assert w[2].tolist() == [0, 0, 0]
    assert w[1] == pytest.approx(
        [
            1.2 * 0.2 / (1.2 * 0.2 + 0.8 * 0.8),
            f_neg * 0.2 / (f_neg * 0.2 + f_pos * 0.8),
            0.8 * 0.2 / (0.8 * 0.2 + 1.2 * 0.8),
        ]
    )


# --- a case whose chance is settled: one positive, and as many references as there are negatives


ITEMS = 6
TAKEN = [[0], [0, 1], [0, 1, 2]]
SCORES = [[4, -2, 0, 3, 1, -1]] * 3
ALL = Knobs(beta=0.3, alpha=0.7, gamma=0.9, candidates=3, references=ITEMS)


def gains_by_hand(scores, taken, popularity, knobs):
    """The gain of every item not taken, from the formulas, for a user with one item: every reference is known."""
    x, own = np.array(scores, np.float64), taken[0]
    rest = np.setdiff1d(np.arange(len(x)), taken)
    gains = []
    for item in rest:
        F = (x <= x[item]).sum() / (len(x) + 1)
        P = (popularity[item] / popularity.sum()) ** knobs.beta
        f_neg = 2 * ((1 - F) * knobs.alpha + F * (1 - knobs.alpha))
        f_pos = 2 * ((1 - F) * (1 - knobs.alpha) + F * knobs.alpha)
        w = f_neg * P / (f_neg * P + f_pos * (1 - P))
        rise = 1 - sigma(x[own] - x[item])
        fall = np.mean([1 - sigma(x[item] - x[n]) for n in rest])
        gains.append(w * len(taken) * rise - (1 - w) * knobs.gamma * len(rest) * fall)
    return np.array(gains)


def test_gains_by_hand():
    state = state_of(SCORES, TAKEN)
    popularity = np.array([3, 2, 1, 0, 0, 0])
    found = explain.candidate_gains(state, ALL, 0, np.random.default_rng(0))
    assert found.items.tolist() == [1, 2, 3, 4, 5]
    assert found.scores.tolist() == [-2, 0, 3, 1, -1]
    np.testing.assert_allclose(found.shares, np.array([1, 3, 5, 4, 2]) / 7)  # of 6 items + 1, by rank
    np.testing.assert_allclose(found.priors, (popularity[1:] / 6) ** 0.3)
    F, P = np.array([1, 3, 5, 4, 2]) / 7, (popularity[1:] / 6) ** 0.3
    f_neg, f_pos = 2 * ((1 - F) * 0.7 + F * 0.3), 2 * ((1 - F) * 0.3 + F * 0.7)
    np.testing.assert_allclose(found.posteriors, f_neg * P / (f_neg * P + f_pos * (1 - P)), rtol=1e-6)
    np.testing.assert_allclose(found.gains, gains_by_hand(SCORES[0], [0], popularity, ALL), rtol=1e-6)
    assert found.best == found.gains.argmax()
    assert found.taken == found.drawn[found.gains[found.drawn].argmax()]


@given(st.permutations(range(ITEMS)), st.floats(0, 3), st.floats(0.51, 0.99), st.floats(0.01, 1), st.integers(0, 99))
def test_choices_are_those_of_the_formulas(order, beta, alpha, gamma, seed):
    state = state_of([[score - 2.5 for score in order]] * 3, TAKEN)
    knobs = dataclasses.replace(ALL, beta=beta, alpha=alpha, gamma=gamma)
    draws = explain.draw_pairs(state, knobs, np.zeros(20, np.int32), np.random.default_rng(seed))
    found = taken_items(draws, explain.taken_by_auc_ns(draws, state.fitted.popularity(), beta, alpha, gamma))
    by_hand = np.full(ITEMS, -np.inf)
    by_hand[1:] = gains_by_hand(state.items[:, 0], [0], state.fitted.popularity(), knobs)
    for pair, item in enumerate(found):
        assert by_hand[item] >= by_hand[draws.candidates[pair]].max() - 1e-6


# --- both ends of the path


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.floats(0.51, 0.99), st.floats(0.001, 1))
def test_both_ends_of_the_path_are_dns(seed, candidates, alpha, gamma):
    state = random_state(seed % 1000)
    draws = draws_of(state, dataclasses.replace(USUAL, candidates=candidates), seed=seed)
    dns = explain.taken_by_dns(draws)
    for beta in (0.0, 1e5):
        found = explain.taken_by_auc_ns(draws, state.fitted.popularity(), beta, alpha, gamma)
        assert (found == dns).all()
    best = np.array([row[place] for row, place in zip(draws.scores, dns, strict=True)])
    assert (best == draws.scores.max(axis=1)).all()


# --- what is drawn


def test_pairs_are_drawn_as_often_as_they_occur():
    fitted = Interactions.from_pairs(
        np.repeat([0, 1, 2], [1, 3, 5]), np.array([0, 1, 2, 3, 0, 1, 2, 3, 4]), n_users=4, n_items=5
    )  # user 2 took everything, user 3 nothing: no pair of theirs
    users, items = explain.sample_pairs(fitted, 4000, 2, np.random.default_rng(0))
    assert len(users) == len(items) == 8000
    assert (np.diff(users) >= 0).all()
    counts = dict(zip(*np.unique(users * 10 + items, return_counts=True), strict=True))
    assert set(counts) == {0, 11, 12, 13}
    for n in counts.values():
        assert n == pytest.approx(8000 / 4, abs=5 * np.sqrt(2 * 8000 / 4))  # two of a user's at a time


def test_nobody_left_to_draw_for_is_refused():
    fitted = Interactions.from_pairs(np.array([0, 0]), np.array([0, 1]), n_users=2, n_items=2)
    with pytest.raises(Refused, match="took every item"):
        explain.sample_pairs(fitted, 10, 1, np.random.default_rng(0))
    state = ModelState(np.ones((2, 1), np.float32), np.ones((2, 1), np.float32), fitted)
    for user in (0, 1):
        with pytest.raises(Refused, match="every item or none"):
            explain.candidate_gains(state, USUAL, user, np.random.default_rng(0))


def test_draws_follow_from_the_stream_and_not_from_what_is_compared():
    state = random_state(3)
    one = draws_of(state)
    other = draws_of(state, dataclasses.replace(USUAL, beta=1.0, alpha=0.9, gamma=1.0))
    anew = draws_of(state, seed=1)
    for name in ("users", "candidates", "scores", "shares", "rise", "fall"):
        assert (getattr(one, name) == getattr(other, name)).all()
    assert not np.array_equal(one.candidates, anew.candidates)


def test_draws_are_of_untaken_items_with_their_own_numbers():
    state = random_state(4)
    draws = draws_of(state)
    for pair, user in enumerate(draws.users):
        row, items = set(state.fitted.row(user).tolist()), draws.candidates[pair]
        assert not row & set(items.tolist())
        x = state.items @ state.users[user]
        np.testing.assert_allclose(draws.scores[pair], x[items], rtol=1e-5, atol=1e-6)
        F = np.array([(x <= x[item]).sum() / (len(x) + 1) for item in items])
        np.testing.assert_allclose(draws.shares[pair], F, atol=2 / 41)  # to a bin
        assert draws.n_positives[pair] == len(row)
        own, rest = x[list(row)], np.delete(x, list(row))
        for k, item in enumerate(items):
            assert (
                (1 - sigma(own - x[item])).min() - 1e-6
                <= draws.rise[pair, k]
                <= (1 - sigma(own - x[item])).max() + 1e-6
            )
            assert (
                (1 - sigma(x[item] - rest)).min() - 1e-6
                <= draws.fall[pair, k]
                <= (1 - sigma(x[item] - rest)).max() + 1e-6
            )


def test_references_are_drawn_evenly():
    """With one reference a pair, each mean is one term, and tells whose it is."""
    state, knobs = state_of(SCORES, TAKEN), dataclasses.replace(USUAL, candidates=1, references=1)
    draws = explain.draw_pairs(state, knobs, np.full(6000, 2, np.int32), np.random.default_rng(0))
    x = draws.scores[:, 0]
    logit = lambda share: np.log(share / (1 - share))  # noqa: E731
    positives = np.round(x - logit(draws.rise[:, 0])).astype(int)  # rise = sigma(x_l - x_p)
    negatives = np.round(x + logit(draws.fall[:, 0])).astype(int)  # fall = sigma(x_n - x_l)
    for found, expected in ((positives, [4, -2, 0]), (negatives, [3, 1, -1])):
        values, counts = np.unique(found, return_counts=True)
        assert values.tolist() == sorted(expected)
        assert counts == pytest.approx(np.full(3, 2000), abs=5 * np.sqrt(6000 * 2 / 9))


def test_a_catalogue_scored_in_blocks_gives_the_same(monkeypatch):
    state = random_state(5)
    whole = draws_of(state)
    monkeypatch.setattr(explain, "SCORED_AT_ONCE", 3 * state.fitted.n_items)
    blocks = draws_of(state)
    assert (whole.candidates == blocks.candidates).all()
    np.testing.assert_allclose(whole.rise, blocks.rise, rtol=1e-4)


def test_one_pair_and_many_take_the_same():
    """The gains of the page's scatter, by worth_auc_ns, against the path's choices, by its pieces."""
    state, knobs = state_of(SCORES, TAKEN), ALL
    for seed in range(30):
        found = explain.candidate_gains(state, knobs, 0, np.random.default_rng(seed))
        draws = explain.draw_pairs(state, knobs, np.zeros(1, np.int32), np.random.default_rng(seed))
        places = explain.taken_by_auc_ns(draws, state.fitted.popularity(), knobs.beta, knobs.alpha, knobs.gamma)
        assert found.items[found.drawn].tolist() == draws.candidates[0].tolist()
        assert found.items[found.taken] == taken_items(draws, places)[0]


@pytest.mark.parametrize("beta", [0.0, 0.05, 0.5])
def test_what_is_drawn_is_what_the_sampler_draws(beta):
    """Chosen negatives by item, of 60,000 pairs each: this path's, and those of the samplers' one home."""
    state = random_state(6, n_users=30, n_items=25)
    knobs = dataclasses.replace(USUAL, beta=beta)
    users, items = explain.sample_pairs(state.fitted, 60_000, 1, np.random.default_rng(0))
    draws = explain.draw_pairs(state, knobs, users, np.random.default_rng(1))
    places = explain.taken_by_auc_ns(draws, state.fitted.popularity(), beta, knobs.alpha, knobs.gamma)
    settings = {name: getattr(knobs, name) for name in ("beta", "alpha", "gamma", "candidates", "references")}
    drawer = NegativeDrawer(make_variant("d", sampler="auc_ns", **settings), state.fitted, np.random.default_rng(2))
    drawn = drawer.draw(state.users, state.items, users, items)[:, 0]
    ours, theirs = (np.bincount(chosen, minlength=25) / 60_000 for chosen in (taken_items(draws, places), drawn))
    # each share has a standard error of .0009 at most; 25 of them differ by .02 in sum when both are the same rule
    assert np.abs(ours - theirs).sum() < 0.03
    uniform = np.bincount(draws.candidates[:, 0], minlength=25) / 60_000
    assert np.abs(ours - uniform).sum() > 0.1, "the test must be able to fail"


# --- real data


@pytest.mark.realdata
def test_the_path_on_movielens_is_a_loop_that_turns():
    """methods.md: agreement with DNS is 1 at beta 0, dips, and returns; popularity rises to a turning point between."""
    import pyarrow.parquet as pq

    table = pq.read_table(realdata.ml_100k_paper_split() / "train.parquet", columns=["user_id", "item_id"])
    users, items = (np.unique(column.to_numpy(), return_inverse=True)[1] for column in table.columns)
    fitted = Interactions.from_pairs(users, items, users.max() + 1, items.max() + 1)
    engine = CompiledEngine(make_variant("d", sampler="dns"), fitted, 0)
    for _ in range(40):
        engine.epoch()
    factors = engine.scorer()
    state, popularity = ModelState(factors.users, factors.items, fitted), fitted.popularity()
    draws = draws_of(state, pairs=8000)
    dns = explain.taken_by_dns(draws)
    betas = np.array([0, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.7, 1, 2, 4, 10])
    places = [explain.taken_by_auc_ns(draws, popularity, beta, 0.6, 0.006) for beta in betas]
    agreement = np.array([(one == dns).mean() for one in places])
    taken_by = np.array([popularity[taken_items(draws, one)].mean() for one in places])
    assert agreement[0] == 1.0
    assert agreement[-1] == 1.0
    low = agreement.argmin()
    assert 0.05 <= betas[low] <= 0.7
    assert agreement[low] < 0.85
    assert (np.diff(agreement[: low + 1]) < 0).all()
    assert (np.diff(agreement[low:]) >= 0).all()
    top = taken_by.argmax()
    assert 0.05 <= betas[top] <= 0.7
    assert taken_by[top] > 1.05 * taken_by[0]
    assert taken_by[-1] == taken_by[0]
