"""The bias-variance analysis on finished replicates, from training them to its frame."""

from dataclasses import replace

import numpy as np
import pytest

from core.datasets.acquire import acquire
from core.datasets.store import find_dataset, read_dataset
from core.errors import Refused
from core.evaluation.decomposition import sigmoid
from core.jobs import artifacts, decomposing
from core.jobs.decomposing import Question, decomposition, finished_replicates, replicated
from core.jobs.training import train
from core.models.sweep import Sweep
from tests.tiny import tiny_dataset

SWEEP = Sweep(({"sampler": ["rns"]}, {"sampler": ["auc_ns"], "beta": [0.0, 0.1], "candidates": [3], "references": [3]}))


def small(sweep):
    return replace(sweep, grids=tuple({**grid, "dim": [4], "epochs": [5]} for grid in sweep.grids))


def publish(settings, dataset, run):
    attempt = settings.attempts / f"{run.id}.1"
    attempt.mkdir(parents=True)
    artifacts.publish(settings, attempt, train(dataset, run, lambda _: None), dataset)


@pytest.fixture
def trained(settings):
    """Three variants on the tiny data set, four replicates of each."""
    info = tiny_dataset(settings)
    dataset, sweep = read_dataset(info.folder), replicated(small(SWEEP), "bootstrap", 4)
    for run in sweep.runs(info.id):
        publish(settings, dataset, run)
    return finished_replicates(settings, sweep.variants(info.id), "bootstrap", 4), dataset


def test_replicates_are_runs_of_their_own():
    sweep = replicated(small(SWEEP), "bootstrap", 3)
    runs = sweep.runs("d")
    assert [(run.seed, run.bootstrap) for run in runs[::3]] == [(0, 0), (1, 1), (2, 2)]
    assert len({run.id for run in runs}) == 9
    seeds = replicated(small(SWEEP), "seeds", 3).runs("d")
    assert {(run.seed, run.bootstrap) for run in seeds} == {(r, None) for r in range(3)}
    assert Sweep.from_json(sweep.to_json()) == sweep
    assert Sweep.from_json({k: v for k, v in sweep.to_json().items() if k != "replicates"}).replicates == 0
    with pytest.raises(Refused, match="show no variance"):
        replicated(SWEEP, "bootstrap", 2)


@pytest.mark.parametrize("loss", ["brier", "logistic"])
def test_terms_add_up_to_the_loss_measured_from_scores(settings, trained, loss):
    """The loss is computed anew, from whole rows of scores: in every group of items the terms add up to it."""
    found, dataset = trained
    frame = decomposition(settings, found, Question(loss))
    np.testing.assert_allclose(frame["bias"] + frame["variance"], frame["loss"], rtol=1e-9)
    assert frame["noise"].isna().all()
    triples = decomposing.triples_of(dataset, Question(loss))
    first, losses = found[0], []
    for run in first.runs:
        scores = artifacts.read_scorer(settings, run.id).scores(np.arange(dataset.n_users)).astype(float)
        p = sigmoid(scores[triples.users, triples.positives] - scores[triples.users, triples.negatives])
        losses.append(((1 - p) ** 2 if loss == "brier" else -np.log(p)).mean())
    row = frame[(frame["variant"] == first.variant.id) & (frame["group"] == "all")].iloc[0]
    assert row["loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert (row["triples"], row["replicates"]) == (len(dataset.test), 4)


def test_groups_of_items_make_up_the_whole(settings, trained):
    frame = decomposition(settings, trained[0], Question())
    for _, found in frame.groupby("variant"):
        rows = found.set_index("group")
        for groups in (["cold", "hot"], [f"decile {d}" for d in range(1, 11)]):
            part = rows.loc[[group for group in groups if group in rows.index]]
            assert part["triples"].sum() == rows.loc["all", "triples"]
            assert (part["loss"] * part["triples"]).sum() / part["triples"].sum() == pytest.approx(
                rows.loc["all", "loss"]
            )


def test_differences_are_to_the_first_variant_over_the_replicates_that_both_have(settings, trained):
    found, _ = trained
    frame = decomposition(settings, found, Question()).set_index(["variant", "group"])
    one, other = (frame.loc[(r.variant.id, "all")] for r in found[:2])
    assert np.isnan(one.get("d_loss", np.nan))
    assert other["d_loss"] == pytest.approx(other["loss"] - one["loss"])
    assert other["d_loss"] == pytest.approx(other["d_bias"] + other["d_variance"])
    assert other["d_loss_low"] < other["d_loss"] < other["d_loss_high"]
    fewer = [replace(found[0], runs=found[0].runs[1:]), found[1]]
    paired = decomposition(settings, fewer, Question()).set_index(["variant", "group"])
    same = decomposition(settings, [fewer[0], replace(found[1], runs=found[1].runs[1:])], Question())
    same = same.set_index(["variant", "group"])
    key = (found[1].variant.id, "all")
    assert paired.loc[key, "d_loss"] == pytest.approx(same.loc[key, "d_loss"])
    assert paired.loc[key, "replicates"] == 4


def test_two_replicates_are_not_enough(settings, trained):
    found, _ = trained
    with pytest.raises(Refused, match="fewer than 3"):
        decomposition(settings, [replace(found[0], runs=found[0].runs[:2])], Question())
    with pytest.raises(Refused, match="No replicates"):
        decomposition(settings, [], Question())


def test_on_simulated_data_noise_is_apart_and_the_same_for_every_variant(settings):
    acquire(settings, "simulated")
    info = find_dataset(settings, "simulated")
    dataset, sweep = read_dataset(info.folder), replicated(small(SWEEP), "bootstrap", 3)
    for run in sweep.runs(info.id):
        publish(settings, dataset, run)
    found = finished_replicates(settings, sweep.variants(info.id), "bootstrap", 3)
    for loss in ("brier", "logistic"):
        frame = decomposition(settings, found, Question(loss))
        np.testing.assert_allclose(frame["bias"] + frame["noise"] + frame["variance"], frame["loss"], rtol=1e-9)
        assert frame[frame["group"] == "all"]["noise"].nunique() == 1
        assert (frame["bias"] >= 0).all()
        assert frame["d_noise"].dropna().abs().max() < 1e-12
