"""OneBP's cost claim, by hand from made-up learning curves."""

from __future__ import annotations

import pandas as pd
import pytest

from core.datasets.store import DatasetInfo
from core.reproduction import plan
from core.reproduction.cost import COLUMNS, cost, epoch_seconds
from core.settings import Settings
from core.warehouse.database import Warehouse
from tests.warehouse.fake_runs import write_run

TWO = {0: (0.30, 0.36, 0.35), 1: (0.30, 0.35, 0.38)}  # NDCG@10 at epochs 10, 20, 30; the best .36 and .38, mean .37
ONE = {0: (0.36, 0.37, 0.40), 1: (0.38, 0.39, 0.39)}  # at least .37 at epochs 20 and 10


def curve(metrics: tuple[float, ...], each: float, look: float) -> list[tuple[int, float, float, float | None]]:
    """Ten epochs an evaluation, `each` seconds long, an evaluation `look` more."""
    rows, now = [], 0.0
    for epoch in range(1, 10 * len(metrics) + 1):
        seen = metrics[epoch // 10 - 1] if epoch % 10 == 0 else None
        now += each + (look if seen else 0)
        rows.append((epoch, now, 0.5, seen))
    return rows


@pytest.fixture
def runs(settings: Settings, info: DatasetInfo) -> Settings:
    for line in plan.make_plan(("one_bp",)).lines:
        if line.settings == plan.AUTHORS:
            metrics, each = (ONE, 0.25) if line.method == "OneBP" else (TWO, 0.5)
            for seed, values in metrics.items():
                write_run(settings, line.variant(info.id), seed, history=curve(values, each, look=7.0), epoch=20)
    return settings


def found(settings: Settings) -> pd.DataFrame:
    warehouse = Warehouse.open(settings, own=False)
    try:
        return cost(warehouse)
    finally:
        warehouse.close()


def test_the_cost_of_both_updatings(runs: Settings) -> None:
    table = found(runs).set_index(["settings", "method"])
    two, one = table.loc[("authors", "two-sided")], table.loc[("authors", "OneBP")]
    assert (two["seeds"], one["seeds"]) == (2, 2)
    assert (two["best"], one["best"]) == (pytest.approx((0.36 + 0.38) / 2), pytest.approx((0.40 + 0.39) / 2))
    assert (two["best_epoch"], one["best_epoch"]) == ((20 + 30) / 2, (30 + 20) / 2)
    # evaluations are left out of an epoch's time
    assert (two["epoch_seconds"], one["epoch_seconds"]) == (pytest.approx(0.5), pytest.approx(0.25))
    assert (two["epochs_to_reach"], one["epochs_to_reach"]) == ((20 + 30) / 2, (20 + 10) / 2)
    assert (two["seconds_to_reach"], one["seconds_to_reach"]) == (pytest.approx(25 * 0.5), pytest.approx(15 * 0.25))
    assert (two["reached_by"], one["reached_by"]) == (2, 2)


def test_what_is_not_trained_is_missing(runs: Settings) -> None:
    tuned = found(runs).set_index("settings").loc["tuned"]
    assert list(tuned["seeds"]) == [0, 0]
    assert tuned[["best", "epoch_seconds", "seconds_to_reach"]].isna().all(axis=None)


def test_a_seed_that_never_gets_there_is_not_averaged(settings: Settings, info: DatasetInfo) -> None:
    for line in plan.make_plan(("one_bp",)).lines:
        if line.settings == plan.AUTHORS:
            metrics = {0: (0.36, 0.37, 0.40), 1: (0.1, 0.2, 0.3)} if line.method == "OneBP" else TWO
            for seed, values in metrics.items():
                write_run(settings, line.variant(info.id), seed, history=curve(values, 1.0, 0.0), epoch=20)
    one = found(settings).set_index(["settings", "method"]).loc[("authors", "OneBP")]
    assert (one["reached_by"], one["epochs_to_reach"]) == (1, 20)


def test_where_every_epoch_is_evaluated_all_count() -> None:
    every = pd.DataFrame({"epoch": [1, 2, 3], "seconds": [1.0, 3.0, 6.0], "metric": [0.1, 0.2, 0.3]})
    assert epoch_seconds(every) == 2.0


def test_an_empty_cache_has_all_rows(settings: Settings, info: DatasetInfo) -> None:
    empty = found(settings)
    assert list(empty.columns) == list(COLUMNS)
    assert list(empty["method"]) == ["two-sided", "OneBP"] * 2
