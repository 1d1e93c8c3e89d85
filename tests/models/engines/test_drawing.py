"""Drawing negatives for pairs: a contract for every sampler, and the rules' distributions, on both ways to scores."""

import numpy as np
import pytest
from scipy.stats import chi2

from core.datasets.interactions import Interactions
from core.datasets.popularity import deciles, hot_items
from core.models import samplers
from core.models.choices import SAMPLERS
from core.models.engines import drawing
from core.models.engines.compiled import CompiledEngine
from core.models.engines.drawing import NegativeDrawer, takes_snapshots
from core.models.samplers import cold_probability
from core.models.variant import make_variant
from tests.models.engines.worlds import (
    ITEMS,
    USERS,
    auc_ns_gains,
    bns_risks,
    chi_square,
    interactions,
    played_out,
    score_distribution,
    two_samples,
)

DIM = 6


def drawer(fitted, seed=0, **choices):
    return NegativeDrawer(make_variant("d", dim=DIM, **choices), fitted, np.random.default_rng(seed))


def tables(fitted, seed=0, sigma=0.6):
    chance = np.random.default_rng(seed)
    return tuple((chance.normal(size=(n, DIM)) * sigma).astype(np.float32) for n in (fitted.n_users, fitted.n_items))


def pairs(fitted, seed=0):
    """All pairs, shuffled."""
    order = np.random.default_rng(seed).permutation(len(fitted))
    return fitted.users()[order], fitted.indices[order]


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
class TestDrawerContract:
    """What holds for every sampler."""

    def test_each_pair_gets_items_that_its_user_has_not_taken(self, sampler):
        fitted = interactions()
        users, items = pairs(fitted)
        drawn = drawer(fitted, sampler=sampler).draw(*tables(fitted), users, items, 7)
        assert drawn.shape == (len(users), 7)
        assert drawn.dtype == np.int32
        assert drawn.min() >= 0
        assert drawn.max() < ITEMS
        taken = set(zip(fitted.users().tolist(), fitted.indices.tolist(), strict=True))
        assert taken.isdisjoint(zip(np.repeat(users, 7).tolist(), drawn.ravel().tolist(), strict=True))

    def test_the_stream_decides_and_goes_on(self, sampler):
        fitted = interactions()
        asked = (*tables(fitted), *pairs(fitted))
        first, again, other = (drawer(fitted, seed, sampler=sampler) for seed in (3, 3, 4))
        drawn = first.draw(*asked)
        np.testing.assert_array_equal(drawn, again.draw(*asked))
        assert (drawn != other.draw(*asked)).any()
        assert (drawn != first.draw(*asked)).any()

    def test_users_with_one_item_left_and_with_none(self, sampler):
        full, almost = np.arange(ITEMS), np.delete(np.arange(ITEMS), 17)
        rest = interactions()
        users = np.concatenate([np.zeros(ITEMS, int), np.ones(ITEMS - 1, int), rest.users() + 2])
        fitted = Interactions.from_pairs(users, np.concatenate([full, almost, rest.indices]), USERS + 2, ITEMS)
        users, items = pairs(fitted)
        drawn = drawer(fitted, sampler=sampler).draw(*tables(fitted), users, items, 3)
        assert (drawn[users == 0] == -1).all()
        assert (drawn[users == 1] == 17).all()
        assert (drawn[users > 1] >= 0).all()

    def test_tables_are_read_only(self, sampler):
        fitted = interactions()
        users_table, items_table = tables(fitted)
        for table in (users_table, items_table):
            table.flags.writeable = False
        drawn = drawer(fitted, sampler=sampler).draw(users_table, items_table, *pairs(fitted))
        np.testing.assert_array_equal(
            drawn, drawer(fitted, sampler=sampler).draw(users_table.copy(), items_table.copy(), *pairs(fitted))
        )

    def test_no_pairs(self, sampler):
        fitted, nobody = interactions(), np.empty(0, np.int32)
        assert drawer(fitted, sampler=sampler).draw(*tables(fitted), nobody, nobody, 2).shape == (0, 2)


# --- FairStatic


def shares_left(weights, row):
    """What is left to a user of a draw in proportion to weights."""
    left = weights.copy()
    left[row] = 0
    return left / left.sum()


def drawn_for(fitted, user, times, **choices):
    users = np.full(times, user, np.int32)
    items = np.full(times, fitted.row(user)[0], np.int32)
    return drawer(fitted, **choices).draw(*tables(fitted), users, items)[:, 0]


def test_fair_static_near_0_draws_as_rns():
    """At 0 it is stored as rns; a hair above it draws by weights, and they are those of rns."""
    fitted, times = interactions(), 40_000
    expected = shares_left(np.ones(ITEMS), fitted.row(3)) * times
    for choices in ({"sampler": "fair_static", "group_shift": 1e-12}, {"sampler": "rns"}):
        counts = np.bincount(drawn_for(fitted, 3, times, **choices), minlength=ITEMS)
        seen = expected > 0
        assert (counts[~seen] == 0).all()
        assert chi_square(counts[seen], expected[seen]) < chi2.ppf(0.999, seen.sum() - 1)


@pytest.mark.parametrize("shift", [0.5, 1.0, 1.5])
def test_fair_static_draws_group_and_item_again_until_the_item_is_new(shift):
    """Against the rule played out, and against its share of cold negatives by arithmetic."""
    fitted, times = interactions(), 30_000
    popularity = fitted.popularity()
    hot = hot_items(popularity)
    cold = cold_probability(popularity, hot, shift)
    share = (1 - shift) * (~hot).mean() + shift * popularity[~hot].sum() / popularity.sum()
    assert cold == pytest.approx(max(share, 0))
    counts = np.bincount(drawn_for(fitted, 3, times, sampler="fair_static", group_shift=shift), minlength=ITEMS)

    row, chance = fitted.row(3), np.random.default_rng(1)
    groups = np.flatnonzero(hot), np.flatnonzero(~hot)
    played: list[int] = []
    while len(played) < times:
        items = np.where(chance.random(times) < cold, chance.choice(groups[1], times), chance.choice(groups[0], times))
        played += items[~np.isin(items, row)].tolist()
    reference = np.bincount(played, minlength=ITEMS)
    both = counts + reference
    seen = both > 0
    fraction = times / (times + reference.sum())
    spread = ((counts - fraction * both)[seen] ** 2 / (fraction * (1 - fraction) * both[seen])).sum()
    assert spread < chi2.ppf(0.999, seen.sum() - 1)

    left = [np.isin(group, row, invert=True).mean() for group in groups]  # of each group, what is still to be drawn
    expected = cold * left[1] / (cold * left[1] + (1 - cold) * left[0])
    assert counts[~hot].sum() / times == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / times))


def test_fair_static_where_nothing_is_left_of_the_groups_that_can_be_drawn():
    """At shift 2 nothing cold is drawn here; a user who took all that is hot gets any of the others."""
    others = np.arange(1, 6)
    users = np.concatenate([np.repeat(np.arange(6), 3), others])
    fitted = Interactions.from_pairs(users, np.concatenate([np.tile(np.arange(3), 6), 2 + others]), 6, 20)
    popularity = fitted.popularity()  # 6, 6, 6, five times 1, twelve times 0
    assert np.flatnonzero(hot_items(popularity)).tolist() == fitted.row(0).tolist() == [0, 1, 2]
    assert 2 * 5 / 23 - 17 / 20 < 0 == cold_probability(popularity, hot_items(popularity), 2.0)
    counts = np.bincount(drawn_for(fitted, 0, 20_000, sampler="fair_static", group_shift=2.0), minlength=20)
    assert counts[:3].sum() == 0
    assert chi_square(counts[3:], 20_000 / 17) < chi2.ppf(0.999, 16)


# --- the rules of dns, bns and auc_ns, against the formulas

RULES = {
    "dns": {"sampler": "dns"},
    "bns": {"sampler": "bns", "false_negative_cost": 2.0},
    "auc_ns": {"sampler": "auc_ns", "beta": 0.15, "gamma": 0.05},
    "auc_ns of few references": {"sampler": "auc_ns", "beta": 0.05, "gamma": 0.5, "references": 3, "candidates": 8},
}


@pytest.mark.parametrize("rule", sorted(RULES))
def test_with_the_same_draws_the_rule_takes_what_the_formulas_take(rule):
    """The generator is played twice: once by the drawer, once to see which candidates and references it drew.

    Scores are evenly spaced, so that each has a bin of its own and F is exact.
    """
    chance, variant = np.random.default_rng(0), make_variant("d", **RULES[rule])
    fitted = interactions(users=1, items=40, length=12)
    popularity = chance.integers(0, 200, 40)
    parts = drawing.rule_of(variant, fitted, True)
    share = popularity / popularity.sum()
    parts = parts._replace(priors=share**variant.beta if variant.sampler == "auc_ns" else share)
    visit = drawing.new_visit(fitted, True, variant.references or 0)
    taken = []
    for turn in range(150):
        x = (chance.permutation(40) * 0.15 - 3).astype(np.float32)
        tables, row = (np.ones((1, 1), np.float32), x[:, None].copy()), fitted.row(0)
        positive = int(chance.choice(row))
        state = np.array([turn], np.uint64)
        drawing.arrive(row, visit)
        seen = drawing.look(*tables, 0, row, False, parts, visit, state)
        copied, again = state.copy(), visit._replace(rest=visit.rest.copy(), free=visit.free.copy())
        item = drawing.draw_one(*tables, 0, np.exp(x[positive]), seen, parts, visit, state)
        ups = downs = np.empty(0, int)
        if variant.sampler == "auc_ns":
            n = drawing._draw_references(*tables, 0, len(row), seen.n_free, True, again, copied)
            assert n == variant.references
            places = np.argsort(x)
            ups, downs = (places[np.searchsorted(np.exp(x[places]) * 1.001, e)] for e in (again.ups, again.free[:n]))
            assert set(ups) <= set(row)
            assert set(downs).isdisjoint(row)
        candidates = [
            samplers.uniform_negative(copied, again.taken, again.rest, seen.n_rest) for _ in range(variant.candidates)
        ]
        F = score_distribution(x)
        if variant.sampler == "auc_ns":
            counts = len(row), 40 - len(row), variant.alpha, variant.gamma
            worths = auc_ns_gains(x.astype(float), F, parts.priors, candidates, ups, downs, *counts)
        elif variant.sampler == "bns":
            worths = -bns_risks(x.astype(float), F, share, candidates, positive, variant.false_negative_cost)
        else:
            worths = x[candidates]
        assert item == candidates[worths.argmax()]
        taken.append(worths.argmax())
        drawing.leave(row, visit)
    assert len(set(taken)) == variant.candidates  # not always the same place


def profile(fitted, x, users, drawn):
    """Counts of negatives by decile of popularity, and by decile of their score among the user's."""
    by_score = np.array([score_distribution(x[user]) for user in range(fitted.n_users)])
    decile = deciles(fitted.popularity())
    return (
        np.bincount(decile[drawn] - 1, minlength=10),
        np.bincount((by_score[users, drawn] * 10).astype(int), minlength=10),
    )


def by_batches(fitted, both, variant, times):
    made, (users, items) = NegativeDrawer(variant, fitted, np.random.default_rng(1)), pairs(fitted)
    batches = range(0, len(users), 128)
    drawn = [made.draw(*both, users[a : a + 128], items[a : a + 128], times) for a in batches]
    return np.repeat(users, times), np.concatenate(drawn).ravel()


def by_epochs(fitted, both, variant, times):
    made = CompiledEngine(variant, fitted, 0)
    made._users[:], made._items[:] = both
    return np.tile(fitted.users(), times), np.concatenate([made.draw(seed) for seed in range(times)]).ravel()


def by_formulas(fitted, both, variant, times):
    chance, x = np.random.default_rng(2), both[0] @ both[1].T
    drawn = [
        played_out(variant, x[user], fitted.popularity(), fitted.row(user), np.tile(fitted.row(user), times), chance)
        for user in range(fitted.n_users)
    ]
    return np.repeat(fitted.users(), times), np.concatenate(drawn)


WORLDS = {"small": {"users": 40, "items": 200, "length": 20}, "large": {"users": 30, "items": 6000, "length": 20}}


@pytest.mark.parametrize("world", sorted(WORLDS))
@pytest.mark.parametrize("rule", sorted(RULES))
def test_epochs_and_batches_draw_what_the_formulas_draw(rule, world):
    """By popularity and by score: two-sample chi-squares. In the large catalogue nobody looks at all items."""
    fitted, times = interactions(**WORLDS[world]), 8
    variant = make_variant("d", dim=DIM, **RULES[rule])
    assert takes_snapshots(fitted, variant.candidates, variant.references or 0) == (world == "small")
    both = tables(fitted)
    x = both[0] @ both[1].T
    expected = profile(fitted, x, *by_formulas(fitted, both, variant, times))
    for draws in (by_epochs, by_batches):
        found = profile(fitted, x, *draws(fitted, both, variant, times))
        for counts, reference in zip(found, expected, strict=True):
            spread, freedom = two_samples(counts, reference)
            assert spread < chi2.ppf(0.9995, freedom)


@pytest.mark.parametrize("world", sorted(WORLDS))
def test_that_comparison_sees_another_beta(world):
    fitted = interactions(**WORLDS[world])
    both = tables(fitted)
    x = both[0] @ both[1].T
    asked, other = (make_variant("d", dim=DIM, **{**RULES["auc_ns"], "beta": beta}) for beta in (0.15, 0.02))
    expected = profile(fitted, x, *by_formulas(fitted, both, asked, 8))
    found = profile(fitted, x, *by_batches(fitted, both, other, 8))
    assert max(two_samples(*both_)[0] for both_ in zip(found, expected, strict=True)) > chi2.ppf(0.9995, 9)


# --- which way to the scores


def test_the_way_follows_from_what_the_calls_own_draws_look_at():
    """Of 1,682 items: 8 scored for a pair or two of dns, 256 and some for auc_ns; all of them where draws are many."""
    fitted = interactions(users=20, items=1682, length=30)
    for sampler in ("dns", "bns", "auc_ns"):
        made = drawer(fitted, sampler=sampler)
        assert [made._takes_snapshots(draws) for draws in (1.6, 100.0)] == [False, True]
    made = drawer(interactions(), sampler="auc_ns")  # 60 items: fewer than a sample
    assert made._takes_snapshots(1.0)


def test_a_sample_holds_enough_negatives_for_many_references():
    fitted = interactions(users=3, items=5000, length=20)
    variant = make_variant("d", sampler="auc_ns", references=200)
    rule, visit = drawing.rule_of(variant, fitted, False), drawing.new_visit(fitted, False, 200)
    both, state = tables(fitted), np.array([1], np.uint64)
    drawing.resample(0, 5000, rule, visit, state)
    drawing.arrive(fitted.row(1), visit)
    seen = drawing.look(*both, 1, fitted.row(1), False, rule, visit, state)
    assert 200 <= seen.n_free <= len(visit.sample) == 4 * 200
    assert drawing._draw_references(*both, 1, 20, seen.n_free, False, visit, state) == 200
