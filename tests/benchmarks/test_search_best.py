"""How the search for the best of a dimension judges: folds that cover every training pair, and who goes on."""

import pytest

from benchmarks.folds import FOLDS, hold_out
from benchmarks.search_best import fields, leaders, waiting
from core.datasets.store import read_dataset
from core.models.variant import make_variant
from tests.tiny import tiny_dataset


def pairs(interactions):
    return set(zip(interactions.users().tolist(), interactions.indices.tolist(), strict=True))


def test_every_training_pair_is_held_out_once_and_test_never(settings):
    dataset = read_dataset(tiny_dataset(settings).folder)
    whole, seen = pairs(dataset.fitted("refit")), []
    for fold in range(FOLDS):
        parted = hold_out(dataset, fold)
        held, kept = pairs(parted.validation), pairs(parted.train)
        assert held | kept == whole
        assert not held & kept
        assert parted.test is dataset.test
        seen += held
    assert len(seen) == len(whole)
    assert set(seen) == whole


def trial(lr, fold, ndcg, beta=0.0, aplt=0.0):
    return {"settings": {"lr": lr, "beta": beta}, "fold": fold, "ndcg": ndcg, "aplt": aplt}


def test_settings_are_compared_on_the_folds_that_both_have():
    """Folds differ in how hard they are, so a mean over other folds says nothing."""
    trials = [trial(1, 0, 0.30), trial(1, 1, 0.10), trial(1, 2, 0.10), trial(2, 0, 0.20), trial(3, 0, 0.10)]
    first, *others = leaders(trials, "dns")
    assert (first.settings["lr"], first.score) == (1, pytest.approx(0.5 / 3))
    assert [row.settings["lr"] for row in others] == [2, 3]
    assert waiting(leaders(trials, "dns")) is None  # a third of the first rung is one, and that one has gone on


def test_the_best_third_of_a_rung_goes_on_and_the_higher_rung_first():
    low = [trial(lr, 0, lr / 10) for lr in (1, 2, 3)]
    assert waiting(leaders(low, "dns")).settings["lr"] == 3
    begun = [*low, trial(3, 1, 0.0)]
    assert waiting(leaders(begun, "dns")).settings["lr"] == 3  # what was begun on a rung is judged on all of it
    high = [trial(lr, fold, lr / 10) for lr in (4, 5, 6) for fold in range(3)]
    chosen = waiting(leaders([*low, *high], "dns"))
    assert (chosen.settings["lr"], len(chosen.trials)) == (6, 3)
    assert leaders([*low, trial(9, 0, 0.9, beta=0.01)], "auc_ns")[0].settings["lr"] == 9


def test_a_cold_share_short_of_the_least_one_costs_as_much_accuracy():
    trials = [trial(1, 0, 0.30, aplt=0.02), trial(2, 0, 0.28, aplt=0.06), trial(3, 0, 0.25, aplt=0.3)]
    assert [row.settings["lr"] for row in leaders(trials, "dns")] == [1, 2, 3]
    bound = leaders(trials, "dns", cold=0.06)
    assert [(row.settings["lr"], row.score) for row in bound] == [(2, 0.28), (1, pytest.approx(0.26)), (3, 0.25)]
    assert waiting(bound, cold=0.06).settings["lr"] == 2


def test_settings_become_variants_of_one_bp():
    settings = {"lr": 0.01, "l2": 0.003, "init_sigma": 0.1, "kept": 0.005, "tau": 0.9, "candidates": 8}
    one = make_variant("d", **fields({**settings, "negatives": 1, "beta": 0.0}))
    assert (one.updater, one.loss, one.sampler, one.candidates, one.aggregation) == ("one_bp", "bpr", "dns", 8, 0.995)
    two = make_variant("d", **fields({**settings, "negatives": 2, "beta": 0.01}))
    assert (two.loss, two.negatives, two.sampler, two.beta) == ("infonce", 2, "auc_ns", 0.01)
