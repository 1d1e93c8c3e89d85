"""Bootstrap samples of the pairs in both engines: a pair is trained as often as it was drawn, and stays a positive."""

from dataclasses import replace

import numpy as np
import pytest

from core.datasets.interactions import Interactions
from core.models.engines import make_engine
from core.models.variant import make_variant
from tests.models.engines.worlds import interactions

ENGINES = {
    "compiled": {"lr": 0.05},
    "autograd": {"optimizer": "adam", "lr": 0.01, "batch": 32},
    "lightgcn": {"encoder": "lightgcn", "optimizer": "adam", "lr": 0.01, "batch": 32},
}
SAMPLERS = {"rns": {}, "auc_ns": {"sampler": "auc_ns", "candidates": 3, "references": 4}}


def variant(engine, **choices):
    return make_variant("d", dim=4, l2=0.01, **ENGINES[engine], **choices)


def trained(fitted, made, epochs=2):
    engine = make_engine(made, fitted, seed=3)
    for _ in range(epochs):
        engine.epoch()
    return engine.scorer()


def test_a_sample_holds_as_many_pairs_drawn_with_replacement():
    fitted = interactions()
    sample = fitted.resampled(np.random.default_rng(0))
    assert sample.repeats.sum() == len(fitted)
    assert (sample.repeats == 0).mean() == pytest.approx(np.exp(-1), abs=0.05)
    assert np.array_equal(sample.popularity(), np.bincount(sample.indices[sample.trained()], minlength=60))
    assert np.array_equal(sample.lengths(), fitted.lengths())
    assert fitted.repeats is None
    other = fitted.resampled(np.random.default_rng(1))
    assert not np.array_equal(sample.repeats, other.repeats)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_pair_once_is_the_data_itself(engine, sampler):
    fitted = interactions()
    once = replace(fitted, repeats=np.ones(len(fitted), np.int64))
    made = variant(engine, **SAMPLERS[sampler])
    first, second = trained(fitted, made), trained(once, made)
    assert first.users.tobytes() == second.users.tobytes()
    assert first.items.tobytes() == second.items.tobytes()


@pytest.mark.parametrize("engine", ["compiled", "autograd"])
def test_a_pair_that_was_not_drawn_is_not_trained_but_is_no_negative_either(engine):
    """User 0 has two pairs, of which only one was drawn; the catalogue has one item more, the only negative."""
    fitted = Interactions.from_pairs(np.array([0, 0, 1]), np.array([0, 1, 0]), 2, 3)
    sample = replace(fitted, repeats=np.array([3, 0, 0]))
    made = make_variant("d", dim=4, l2=0, **ENGINES[engine])
    start = make_engine(made, sample, seed=3).scorer()
    after = trained(sample, made)
    assert np.array_equal(after.users[1], start.users[1])
    assert np.array_equal(after.items[1], start.items[1])
    for row in (0, 2):
        assert not np.array_equal(after.items[row], start.items[row])


def test_a_pair_drawn_three_times_takes_three_steps():
    """Nothing but one user, one positive, one negative: each pass is the same step, whoever counts them."""
    fitted = Interactions.from_pairs(np.array([0]), np.array([0]), 1, 2)
    made = variant("compiled")
    three_times = trained(replace(fitted, repeats=np.array([3])), made, epochs=1)
    three_epochs = trained(fitted, made, epochs=3)
    assert three_times.items == pytest.approx(three_epochs.items)
    assert three_times.users == pytest.approx(three_epochs.users)


def test_the_loss_is_a_mean_over_what_was_trained():
    fitted = interactions()
    for engine in ("compiled", "autograd"):
        made = make_variant("d", dim=4, **{**ENGINES[engine], "lr": 1e-9})
        report = make_engine(made, fitted.resampled(np.random.default_rng(0)), seed=3).epoch()
        assert report.loss == pytest.approx(np.log(2), abs=0.05)  # embeddings begin near zero


def test_a_graph_weighs_its_edges_by_how_often_they_were_drawn():
    """Twice every pair changes nothing: the normalisation takes it out. Leaving one out takes its edge away."""
    pytest.importorskip("torch")
    import torch

    from core.models.engines.propagation import Graph

    fitted = Interactions.from_pairs(np.array([0, 0, 1]), np.array([0, 1, 0]), 2, 3)

    def dense(repeats):
        graph = Graph(replace(fitted, repeats=repeats), 1, torch.float64, torch.device("cpu"))
        return graph.to_users.to_dense().numpy()

    plain = dense(None)
    assert plain == pytest.approx(dense(np.array([2, 2, 2])))
    left_out = dense(np.array([1, 0, 2]))
    assert left_out[0, 1] == 0
    assert left_out[0, 0] == pytest.approx(1 / np.sqrt(1 * 3))
    assert left_out[1, 0] == pytest.approx(2 / np.sqrt(2 * 3))
    assert np.isfinite(left_out).all()
