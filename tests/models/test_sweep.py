"""Sweeps: a grid is every combination, each once; all reasons at once; the default sweep is the issue's."""

import json

import pytest

from core.errors import BadVariant
from core.models.sweep import DEFAULT_SWEEP, Sweep


def test_a_grid_is_every_combination():
    sweep = Sweep(({"sampler": ["auc_ns"], "beta": [0.1, 0.2], "dim": [8, 16]},), seeds=(0, 1, 2))
    assert len(sweep.variants("d")) == 2 * 2
    assert len(sweep.runs("d")) == 2 * 2 * 3


def test_what_computes_the_same_is_trained_once():
    sweep = Sweep(({"sampler": ["rns", "dns"], "beta": [0.1, 0.2]}, {"sampler": ["auc_ns"], "beta": [0]}), seeds=(0,))
    assert [v.label for v in sweep.variants("d")] == ["RNS", "DNS (AUC-NS β 0)"]


def test_the_default_sweep():
    runs = DEFAULT_SWEEP.runs("d")
    assert len(runs) == 13 * 3 + 1  # RNS, and six strengths with and without OneBP, three seeds each; most popular once
    first = [run.variant.label for run in runs[:8]]
    assert first[:3] == ["Most popular", "RNS", "DNS (AUC-NS β 0)"]
    assert {run.seed for run in runs[:8]} == {0}  # every point has its first seed early


def asked(*grids, baselines=(), seeds=(0,)):
    return [run.variant for run in Sweep(grids, tuple(baselines), tuple(seeds)).runs("d")]


def test_baselines_with_their_settings_then_what_is_trained_then_what_re_ranks_it():
    grid = {
        "sampler": ["auc_ns"],
        "beta": [0.05, 0.1],
        "ease_lambda": [100, 500],
        "knn_neighbours": [20],
        "penalty_strength": [0, 0.05, 0.2],
    }
    variants = asked(grid, baselines=["ease", "item_knn", "pop_penalty"])
    assert [(v.baseline, v.ease_lambda, v.knn_neighbours, v.beta, v.penalty_strength) for v in variants] == [
        ("ease", 100, None, None, None),
        ("ease", 500, None, None, None),
        ("item_knn", None, 20, None, None),
        (None, None, None, 0.05, None),  # what a penalty of 0 is, too
        (None, None, None, 0.1, None),
        ("pop_penalty", None, None, 0.05, 0.05),
        ("pop_penalty", None, None, 0.05, 0.2),
        ("pop_penalty", None, None, 0.1, 0.05),
        ("pop_penalty", None, None, 0.1, 0.2),
    ]


def test_the_setting_of_a_baseline_asks_for_nothing_else():
    assert [v.baseline for v in asked({"ease_lambda": [100, 500]}, baselines=["ease"])] == ["ease", "ease"]
    both = asked({"ease_lambda": [100]}, {"ease_lambda": [100, 500], "sampler": ["rns"]}, baselines=["ease"])
    assert [(v.method, v.ease_lambda) for v in both] == [("ease", 100), ("ease", 500), ("rns", None)]


def test_what_a_penalty_re_ranks_is_asked_for_first():
    base, penalty = asked({"penalty_strength": [0.1]}, baselines=["pop_penalty"])
    assert (base.method, penalty.method, penalty.reranked) == ("rns", "pop_penalty", base)


def test_what_has_no_chance_in_it_is_run_once():
    runs = Sweep(({"sampler": ["rns"]},), ("ease", "item_knn", "random", "pop_penalty"), (0, 1)).runs("d")
    assert [(r.variant.method, r.seed) for r in runs] == [
        ("ease", 0), ("item_knn", 0), ("random", 0), ("rns", 0), ("pop_penalty", 0),
        ("random", 1), ("rns", 1), ("pop_penalty", 1),
    ]  # fmt: skip


def test_every_reason_of_a_grid_is_given_once():
    with pytest.raises(BadVariant) as refused:
        Sweep(({"sampler": ["auc_ns"], "beta": [-1, 0.1], "lr": [0, 0.1]},)).variants("d")
    assert len(refused.value.reasons) == 2


def test_reads_back():
    assert Sweep.from_json(json.loads(json.dumps(DEFAULT_SWEEP.to_json()))).runs("d") == DEFAULT_SWEEP.runs("d")
