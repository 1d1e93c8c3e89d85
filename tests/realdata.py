"""Where real data sets lie, for tests: a folder beside the project, skipped with the reason where there is none."""

import os
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def _folder(name: str) -> Path:
    folder = DATA / name
    if not folder.is_dir():
        reason = f"the real data set {name} is not at hand (looked for {folder})"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"{reason}; CI must not skip it")
        pytest.skip(reason)
    return folder


def ml_100k() -> Path:
    """MovieLens 100K as RecBole atomic files: ml-100k.inter, ml-100k.item, ml-100k.user."""
    return _folder("ml-100k")


def ml_100k_paper_split() -> Path:
    """The split that both papers' code uses: train.parquet, test.parquet (user_id, item_id, rating, timestamp)."""
    return _folder("ml-100k-aucns-split")


def gowalla() -> Path:
    """Gowalla, the LightGCN paper's split: train.parquet, test.parquet (user, item)."""
    return _folder("gowalla-lightgcn-split")
