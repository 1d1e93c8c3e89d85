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


def test_every_reason_of_a_grid_is_given_once():
    with pytest.raises(BadVariant) as refused:
        Sweep(({"sampler": ["auc_ns"], "beta": [-1, 0.1], "lr": [0, 0.1]},)).variants("d")
    assert len(refused.value.reasons) == 2


def test_reads_back():
    assert Sweep.from_json(json.loads(json.dumps(DEFAULT_SWEEP.to_json()))).runs("d") == DEFAULT_SWEEP.runs("d")
