"""Default settings of every (encoder, sampler, loss, updater, optimizer), found by a search on validation.

Here: one table, and how it was found. `dns` and `auc_ns` share their rows, so that beta 0 lies on the path.
Not here: what a setting means (variant.py).
"""

from __future__ import annotations

from collections.abc import Mapping

Row = Mapping[str, float | int]

BASE: Row = {"dim": 32, "init_sigma": 0.1, "epochs": 150}

ROWS: dict[tuple[str, str, str, str, str], Row] = {
    ("mf", "rns", "bpr", "two_bp", "sgd"): {"lr": 0.01, "l2": 0.03},
    ("mf", "pns", "bpr", "two_bp", "sgd"): {"lr": 0.01, "l2": 0.03},
    ("mf", "bns", "bpr", "two_bp", "sgd"): {"lr": 0.02, "l2": 0.05},
    ("mf", "auc_ns", "bpr", "two_bp", "sgd"): {"lr": 0.02, "l2": 0.05},
    ("mf", "rns", "bpr", "one_bp", "sgd"): {"lr": 0.02, "l2": 0.003},
    ("mf", "pns", "bpr", "one_bp", "sgd"): {"lr": 0.02, "l2": 0.003},
    ("mf", "bns", "bpr", "one_bp", "sgd"): {"lr": 0.014, "l2": 0.0048, "aggregation": 0.995},
    ("mf", "auc_ns", "bpr", "one_bp", "sgd"): {"lr": 0.014, "l2": 0.0048, "aggregation": 0.995},
}

SHARED = {"dns": "auc_ns"}
"""Samplers that take another's row."""


def default_settings(encoder: str, sampler: str, loss: str, updater: str, optimizer: str) -> Row:
    """The tested settings of one combination. Raises KeyError for a combination that the table lacks (a test holds that it lacks none)."""
    return {**BASE, **ROWS[encoder, SHARED.get(sampler, sampler), loss, updater, optimizer]}
