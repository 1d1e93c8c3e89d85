"""What `python -m benchmarks` times and how it counts. No speed is asserted."""

import pytest

from benchmarks.__main__ import epoch_times, parse, ratios, report
from benchmarks.clock import Spent, timed
from benchmarks.contenders import CONTENDERS
from benchmarks.peers import process
from core.datasets.store import read_dataset
from core.models.choices import COMPILED_LOSSES, ENCODERS, LOSSES, SAMPLERS
from tests.tiny import tiny_dataset

VARIANTS = [c.variant for c in CONTENDERS if c.variant]


def test_every_loss_sampler_and_encoder_has_a_row():
    assert {v.loss for v in VARIANTS} == set(LOSSES)
    assert {v.sampler for v in VARIANTS} == set(SAMPLERS)
    assert {v.encoder for v in VARIANTS} == set(ENCODERS)
    assert {v.loss for v in VARIANTS if v.engine == "compiled"} == set(COMPILED_LOSSES)
    assert {v.loss for v in VARIANTS if v.engine == "autograd" and v.encoder == "mf"} == set(LOSSES)


def test_rows_that_are_compared_do_the_same_work():
    lightgcn = [v for v in VARIANTS if v.encoder == "lightgcn"]
    assert {(v.dim, v.layers, v.batch, v.optimizer) for v in lightgcn} == {(32, 2, 1024, "adam")}


def test_an_epoch_costs_the_difference_of_long_and_short_and_preparation_nothing():
    short = [Spent(wall=5 + 2 * 3, cpu=4 + 2 * 2), Spent(wall=7 + 2 * 3, cpu=6 + 2 * 2), Spent(wall=90, cpu=50)]
    long = [Spent(wall=5 + 6 * 3, cpu=4 + 6 * 2), Spent(wall=9 + 6 * 3, cpu=8 + 6 * 2), Spent(wall=80, cpu=60)]
    found = epoch_times({2: short, 6: long})
    assert found["least"] == pytest.approx(3e3)
    assert found["cpu"] == pytest.approx(2e3)
    assert found["median"] == pytest.approx(((9 + 6 * 3) - (7 + 2 * 3)) / 4 * 1e3)


def test_ours_is_compared_with_the_faster_of_the_peers_that_are_there():
    ours = {"lightgcn rns": {"least": 30.0, "cpu": 20.0}}
    recbole, lenskit = {"least": 100.0, "cpu": 90.0}, {"least": 150.0, "cpu": 80.0}
    (both,) = ratios({**ours, "RecBole LightGCN": recbole, "LensKit LightGCN": lenskit})
    assert (both["least"], both["cpu"]) == (30 / 100, 20 / 80)
    (one,) = ratios({**ours, "LensKit LightGCN": lenskit})
    assert (one["least"], one["cpu"]) == (30 / 150, 20 / 80)
    assert ratios(ours) == []


def test_a_training_is_asked_for_its_epochs_and_neither_clock_runs_back():
    asked = []
    spent = timed(asked.append)(7)
    assert asked == [7]
    assert spent.wall >= 0
    assert spent.cpu >= 0


def test_without_the_peers_the_others_are_timed_and_the_row_says_how_to_install(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "ROOT", tmp_path)
    fitted = read_dataset(tiny_dataset(settings).folder).fitted("refit")
    asked = parse(["tiny", "--rounds", "1", "--rows", "rns", "adam bpr", "lightgcn rns", "RecBole LightGCN"])
    told = report(asked, fitted)
    assert told["milliseconds"].keys() == {"rns", "adam bpr", "lightgcn rns"}
    assert "requirements-bench-recbole.txt" in told["absent"]["RecBole LightGCN"]
    assert told["absent"].keys() == {"RecBole LightGCN"}
    assert told["pairs"] == len(fitted)


@pytest.mark.parametrize("given", ["recbole", "recbole=", "librec=/usr/bin/python"])
def test_a_peer_is_named_with_its_python(given, capsys):
    with pytest.raises(SystemExit):
        parse(["--peer", given])
    assert "LIBRARY=PYTHON" in capsys.readouterr().err
