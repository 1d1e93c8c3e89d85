"""Short trainings of every combination on a small simulated data set, and the table of what they reach.

    python -m tools.try_combinations        # writes docs/combinations.md; some minutes

The data are generated, with 160 users and 120 items, so that there is taste to learn and a random order to beat.
tests/models/test_combinations.py trains the same cells: a set that holds every pair of choices, or all of them.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.datasets import store
from core.datasets.simulated import simulate
from core.datasets.store import Dataset
from core.jobs.training import Result, train
from core.kernels import use_kernel_cache
from core.models.choices import ENCODERS, LOSSES, OPTIMIZERS, SAMPLERS, UPDATERS
from core.models.combinations import Cell, trainable
from core.models.variant import Run, Variant, make_variant
from core.settings import PROJECT, Settings, read_settings

PAGE = PROJECT / "docs" / "combinations.md"
USERS, ITEMS = 160, 120
MARGIN = 1.5
"""By this factor NDCG@10 on test must be above that of items in random order."""
SCHEDULE: dict[str, Any] = {"dim": 16, "eval_every": 10, "init_sigma": 0.1}
BY_OPTIMIZER: dict[str, dict[str, Any]] = {
    "sgd": {"lr": 0.05, "l2": 0.005, "epochs": 60},
    "adam": {"lr": 0.02, "l2": 1e-5, "epochs": 30, "batch": 256},
}
"""One schedule for all, so that what differs is the combination; tested settings belong to larger data."""
OF_LOSS: dict[tuple[str, str], dict[str, Any]] = {
    ("bc", "sgd"): {"negatives": 16, "warm_up": 2, "lr": 0.005},  # its gradient has 1 / tau in it
    ("bc", "adam"): {"negatives": 16, "warm_up": 2},
    ("macr", "sgd"): {"macr_c": 0.1},  # in units of scores, which are small after so few epochs
    ("macr", "adam"): {"macr_c": 0.1},
}


TEXT = """# Every combination, trained

Each combination of the building modules that has a meaning, trained for a short time on a small simulated data set
({users} users, {items} items, {pairs:,} training pairs, dim {dim}), one seed. The numbers are NDCG@10 on test as a
multiple of what items in random order reach ({chance:.3f}); {margin} is the least that `make test-all` lets pass. They
show that a combination learns, not which one is best: the schedule is the same for all, and tuned for none. `sam_reg`
with another sampler than `rns` has `sam` off. Written by `python -m tools.try_combinations`.

Smallest: {smallest:.2f}, of {cells} combinations.
"""


@cache
def small() -> Dataset:
    """The data set, made once."""
    with TemporaryDirectory() as folder:
        settings = Settings(cache=Path(folder))
        return store.read_dataset(store.publish(settings, simulate(0, USERS, ITEMS)).folder)


def variant_of(cell: Cell) -> Variant:
    """The cell with the schedule of these trainings."""
    settings = {**SCHEDULE, **BY_OPTIMIZER[cell.optimizer], **OF_LOSS.get((cell.loss, cell.optimizer), {})}
    return make_variant(small().id, **{**cell.choices, **settings})


def trained(variant: Variant, seed: int = 0) -> Result:
    """One training."""
    return train(small(), Run(variant, seed), lambda _: None)


def ndcg(result: Result) -> float:
    """NDCG@10 on test."""
    return result.evaluations["test"].metrics["ndcg@10"]


@cache
def of_chance() -> float:
    """NDCG@10 on test of items in random order: the mean of five orders."""
    variant = make_variant(small().id, baseline="random")
    return sum(ndcg(trained(variant, seed)) for seed in range(5)) / 5


def page(found: dict[Cell, float]) -> str:
    """docs/combinations.md. found: NDCG@10 by cell, as a multiple of a random order's."""
    text = TEXT.format(
        users=USERS,
        items=ITEMS,
        pairs=len(small().train),
        dim=SCHEDULE["dim"],
        chance=of_chance(),
        margin=MARGIN,
        smallest=min(found.values()),
        cells=len(found),
    )
    for encoder, (updater, optimizer) in ((e, (u, o)) for e in ENCODERS for u in UPDATERS for o in OPTIMIZERS):
        text += f"\n## `{encoder}`, `{updater}`, `{optimizer}`\n\n"
        text += f"| | {' | '.join(f'`{s}`' for s in SAMPLERS)} |\n|{'---|' * (len(SAMPLERS) + 1)}\n"
        for loss in LOSSES:
            row = (found.get(Cell(encoder, s, loss, updater, optimizer)) for s in SAMPLERS)
            text += f"| `{loss}` | {' | '.join('' if x is None else f'{x:.2f}' for x in row)} |\n"
    return text


def main() -> None:
    """Train all cells and write the page."""
    use_kernel_cache(read_settings())
    found = {}
    for cell in trainable():
        found[cell] = ndcg(trained(variant_of(cell))) / of_chance()
        print(f"{found[cell]:.2f} {' '.join(cell.modules.values())}", file=sys.stderr, flush=True)
    PAGE.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
