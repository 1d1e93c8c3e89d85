"""A small data set that stands in for the papers' split, and finished runs that nobody trained. No pytest in here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from core.datasets import store
from core.datasets.store import DatasetInfo
from core.evaluation.measure import evaluated_users
from core.reproduction import plan
from core.reproduction.plan import Line, Plan
from core.reproduction.published import MEASURES
from core.settings import Settings
from tests.tiny import tiny_dataset
from tests.warehouse.fake_runs import write_run

Figures = Callable[[Line, str, int], float]
"""A row, a reading and a seed to its NDCG@10."""


def stand_in(settings: Settings, ids: Mapping[str, str] = plan.DATASETS) -> tuple[DatasetInfo, dict[str, str]]:
    """The tiny data set, and the ids that let it stand in for the papers' split; Gowalla stays away."""
    info = tiny_dataset(settings)
    return info, {**ids, plan.ML_100K_PAPERS: info.id}


def close(line: Line, reading: str, seed: int) -> float:
    """The published NDCG@10 and a thousandth a seed; .4 where there is none. The honest epoch is .005 lower."""
    published = line.published.figures["ndcg@10"] if line.published else 0.4
    return published + seed / 1000 - (0.005 if reading == "epoch" else 0.0)


def write_plan(
    settings: Settings, info: DatasetInfo, asked: Plan, figures: Figures = close, leave_out: Iterable[str] = ()
) -> None:
    """Finished runs of every row on that data set, but for the methods left out."""
    written: set[str] = set()
    lists = {"test": popular_lists(info)}
    for line in asked.lines_of(plan.ML_100K_PAPERS):
        variant = line.variant(info.id)
        if variant.id in written or line.method in set(leave_out):
            continue
        written.add(variant.id)
        for seed in asked.seeds:
            write_run(
                settings,
                variant,
                seed,
                metrics={"test": {**dict.fromkeys(MEASURES, 0.5), "ndcg@10": figures(line, "epoch", seed)}},
                per_metric={"test": {**dict.fromkeys(MEASURES, 0.6), "ndcg@10": figures(line, "per-metric", seed)}},
                lists=lists,
            )


def popular_lists(info: DatasetInfo) -> dict[str, list[str]]:
    """For every user the ten items with the lowest numbers that are new to them: hot ones first."""
    dataset = store.read_dataset(info.folder)
    fitted = dataset.fitted("paper")
    return {
        str(dataset.user_ids[user]): [
            str(item) for item in dataset.item_ids[np.setdiff1d(np.arange(dataset.n_items), fitted.row(user))[:10]]
        ]
        for user in evaluated_users(dataset.test)
    }
