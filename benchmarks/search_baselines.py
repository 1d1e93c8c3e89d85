"""The search behind the baselines' settings in core/models/defaults.py: a grid, judged on validation, never on test.

    python -m benchmarks.search_baselines ml-100k [--only ease item_knn] [--folds] [--out search.json]

The data set must be in the cache (`python -m core datasets fetch ml-100k`). Each value is fitted to train once, since
neither baseline has chance in it, and the best NDCG@10 on validation wins; the cold share of the lists (APLT) stands
beside it. With --folds the training pairs are held out tenth by tenth, as in search_best, and means count. Where a data
set counts so many pairs that other values are of interest, give them by --values.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.folds import FOLDS, hold_out
from core.datasets.store import Dataset, find_dataset, read_dataset
from core.kernels import use_kernel_cache
from core.models.fields import OWN_FIELDS
from core.models.variant import Run, make_variant
from core.settings import read_settings

GRIDS: dict[str, tuple[float, ...]] = {
    "ease": (10, 20, 35, 50, 75, 100, 150, 200, 350, 500, 750, 1000, 1500, 2000, 3500, 5000),
    "item_knn": (5, 10, 15, 20, 35, 50, 75, 100, 150, 200, 350, 500, 750, 1000),
}


def search(datasets: Sequence[Dataset], baseline: str, values: Sequence[float]) -> list[dict[str, Any]]:
    """Every value with its means over the data sets' validation parts, the best first; of equal ones the first."""
    tried = [{"value": value, **_means([judge(one, baseline, value) for one in datasets])} for value in values]
    return sorted(tried, key=lambda t: -t["ndcg@10"])


def judge(dataset: Dataset, baseline: str, value: float) -> dict[str, float]:
    """What one value reaches on validation."""
    from core.jobs.training import train

    variant = make_variant(dataset.id, baseline=baseline, **{OWN_FIELDS[baseline]: value})
    result = train(dataset, Run(variant, 0), lambda _: None)
    found = result.evaluations["validation"].metrics
    return {"ndcg@10": found["ndcg@10"], "aplt@10": found["aplt@10"], "seconds": result.seconds}


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--only", nargs="*", default=list(GRIDS), choices=list(GRIDS))
    parser.add_argument("--values", nargs="*", type=float, help="instead of the grid, with one baseline")
    parser.add_argument("--folds", action="store_true", help="ten validation parts instead of the data set's own")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if asked.values and len(asked.only) != 1:
        parser.error("--values are of one baseline. Name it by --only.")
    settings = read_settings()
    use_kernel_cache(settings)
    dataset = read_dataset(find_dataset(settings, asked.dataset).folder)
    parted = [hold_out(dataset, fold) for fold in range(FOLDS)] if asked.folds else [dataset]
    found: dict[str, Any] = {}
    for baseline in asked.only:
        found[baseline] = search(parted, baseline, asked.values or GRIDS[baseline])
        print(f"{baseline}, {OWN_FIELDS[baseline]}: NDCG@10 and APLT@10 on validation, seconds", flush=True)
        for row in found[baseline]:
            print(f"  {row['value']:>6g}  {row['ndcg@10']:.4f}  {row['aplt@10']:.4f}  {row['seconds']:.1f}", flush=True)
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
