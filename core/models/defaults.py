"""Default settings of every (encoder, sampler, loss, updater, optimizer), found by a search on validation.

Here: one table. `dns` and `auc_ns` share their rows, so that beta 0 lies on the path.
Not here: what a setting means (variant.py), and the search (benchmarks/search_defaults.py; docs/methods.md tells how).
"""

from __future__ import annotations

from collections.abc import Mapping

Row = Mapping[str, float | int]

BASE: Row = {"dim": 32, "epochs": 200}

ROWS: dict[tuple[str, str, str, str, str], Row] = {
    ("mf", "rns", "bpr", "two_bp", "sgd"): {"lr": 0.028, "l2": 0.022, "init_sigma": 0.05},
    ("mf", "pns", "bpr", "two_bp", "sgd"): {"lr": 0.012, "l2": 0.041, "init_sigma": 0.067},
    ("mf", "bns", "bpr", "two_bp", "sgd"): {"lr": 0.018, "l2": 0.04, "init_sigma": 0.14},
    ("mf", "auc_ns", "bpr", "two_bp", "sgd"): {"lr": 0.012, "l2": 0.047, "init_sigma": 0.078},
    ("mf", "rns", "bpr", "one_bp", "sgd"): {"lr": 0.02, "l2": 0.003, "init_sigma": 0.1},
    ("mf", "pns", "bpr", "one_bp", "sgd"): {"lr": 0.02, "l2": 0.003, "init_sigma": 0.1},
    ("mf", "bns", "bpr", "one_bp", "sgd"): {"lr": 0.014, "l2": 0.0048, "aggregation": 0.995, "init_sigma": 0.1},
    ("mf", "auc_ns", "bpr", "one_bp", "sgd"): {"lr": 0.014, "l2": 0.0048, "aggregation": 0.995, "init_sigma": 0.1},
}

SHARED = {"dns": "auc_ns"}
"""Samplers that take another's row."""


def default_settings(encoder: str, sampler: str, loss: str, updater: str, optimizer: str) -> Row:
    """The tested settings of one combination. Raises KeyError for one that the table lacks; a test holds it lacks none."""
    return {**BASE, **ROWS[encoder, SHARED.get(sampler, sampler), loss, updater, optimizer]}
