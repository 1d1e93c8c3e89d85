"""One user's list at once: what was evaluated, and the same re-ranked."""

import subprocess
import sys

import numpy as np
import pytest

from core.datasets import store
from core.errors import BadVariant, Unknown
from core.jobs import artifacts, recommending
from core.jobs.training import train
from core.models.sweep import Sweep
from core.settings import PROJECT
from tests.pages import results
from tests.tiny import ITEMS, tiny_dataset

GRID = {"sampler": ["rns"], "dim": [8], "epochs": [4], "knn_neighbours": [5], "penalty_strength": [0.3]}
SWEEP = Sweep((GRID,), ("most_popular", "random", "item_knn", "ease", "pop_penalty"), (0,))


@pytest.fixture
def trained(settings):
    """Runs on the tiny data set, by method."""
    info = tiny_dataset(settings)
    results.train(settings, info, SWEEP)
    return {run.variant.method: run for run in SWEEP.runs(info.id)}


def test_the_list_is_the_one_that_was_evaluated_whatever_scored_it(settings, trained):
    for run in trained.values():
        stored = artifacts.read_table(settings, run.id, "top_k").to_pandas()
        known = recommending.known(settings, run.id)
        for split in ("validation", "test"):
            listed = stored[(stored["split"] == split) & (stored["user"] == "u07")].sort_values("rank")
            shown = recommending.show(known, "u07", split)
            assert [known.dataset.item_ids[item] for item in shown.items] == listed["item"].tolist()
            np.testing.assert_allclose(shown.scores, listed["score"], rtol=1e-5, atol=1e-6)
    assert len(trained) == 6


def test_re_ranked_at_once_it_is_the_list_of_the_run_with_that_penalty(settings, trained):
    at_once = recommending.show(recommending.known(settings, trained["rns"].id), "u07", penalty=0.3)
    own = recommending.show(recommending.known(settings, trained["pop_penalty"].id), "u07")
    np.testing.assert_array_equal(at_once.items, own.items)
    np.testing.assert_array_equal(at_once.scores, own.scores)


def test_a_penalty_replaces_the_runs_own_and_0_takes_it_off(settings, trained):
    plain, penalised = (recommending.known(settings, trained[method].id) for method in ("rns", "pop_penalty"))
    for penalty in (0.0, 0.1):
        one, other = (recommending.show(known, "u07", penalty=penalty) for known in (plain, penalised))
        np.testing.assert_array_equal(one.items, other.items)
        np.testing.assert_array_equal(one.scores, other.scores)


def test_every_baseline_can_be_re_ranked_and_a_large_penalty_shows_the_rarest(settings, trained):
    dataset = recommending.known(settings, trained["rns"].id).dataset
    popularity = dataset.train.popularity()
    left = np.setdiff1d(np.arange(ITEMS), [*dataset.train.row(7), *dataset.validation.row(7)])
    rarest = np.sort(popularity[left])[:10].sum()
    for method in ("rns", "random", "item_knn", "ease"):
        shown = recommending.show(recommending.known(settings, trained[method].id), "u07", k=10, penalty=100.0)
        assert popularity[shown.items].sum() == rarest


def test_popularity_is_counted_on_what_the_run_was_trained_on(settings):
    info = tiny_dataset(settings)
    dataset = store.read_dataset(info.folder)
    run = Sweep(baselines=("most_popular",), seeds=(0,), protocol="refit").runs(info.id)[0]
    results.publish(settings, dataset, train(dataset, run, lambda _: None))
    known = recommending.known(settings, run.id)
    np.testing.assert_array_equal(known.popularity, dataset.train.merged(dataset.validation).popularity())


def test_nobody_and_no_penalty(settings, trained):
    with pytest.raises(Unknown, match="There is no user 'u7'"):
        recommending.show(recommending.known(settings, trained["rns"].id), "u7")
    with pytest.raises(BadVariant, match="penalty-strength='-1' is out of range"):
        recommending.strength("-1")
    assert recommending.strength("0.2") == 0.2


def test_no_compiler_is_waited_for():
    code = "import sys; import core.jobs.recommending; print({'numba', 'torch', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
