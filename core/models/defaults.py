"""Default settings of every (encoder, sampler, loss, updater, optimizer), found by a search on validation.

Here: one table. `dns` and `auc_ns` share their rows, so that beta 0 lies on the path; so do `rns` and `pns`.
Not here: what a setting means (variant.py), and the search (benchmarks/search_defaults.py; docs/methods.md tells how).
"""

from __future__ import annotations

from collections.abc import Mapping

Row = Mapping[str, float | int]

BASE: Row = {"dim": 32, "epochs": 200}
LONGER: Row = {"epochs": 250}  # moving aggregation is slower to settle

ROWS: dict[tuple[str, str, str, str, str], Row] = {
    ("mf", "rns", "bpr", "two_bp", "sgd"): {"lr": 0.013, "l2": 0.034, "init_sigma": 0.15},
    ("mf", "bns", "bpr", "two_bp", "sgd"): {"lr": 0.018, "l2": 0.04, "init_sigma": 0.14},
    ("mf", "auc_ns", "bpr", "two_bp", "sgd"): {"lr": 0.012, "l2": 0.047, "init_sigma": 0.078},
    ("mf", "rns", "bpr", "one_bp", "sgd"): {
        "lr": 0.034,
        "l2": 0.00093,
        "init_sigma": 0.18,
        "aggregation": 0.962,
        **LONGER,
    },
    ("mf", "bns", "bpr", "one_bp", "sgd"): {
        "lr": 0.055,
        "l2": 0.0021,
        "init_sigma": 0.1,
        "aggregation": 0.9961,
        **LONGER,
    },
    ("mf", "auc_ns", "bpr", "one_bp", "sgd"): {
        "lr": 0.035,
        "l2": 0.0049,
        "init_sigma": 0.058,
        "aggregation": 0.988,
        **LONGER,
    },
}

SHARED = {"dns": "auc_ns", "pns": "rns"}
"""Samplers that take another's row: those that are one method at one end of a path."""


def default_settings(encoder: str, sampler: str, loss: str, updater: str, optimizer: str) -> Row:
    """The tested settings of one combination. Raises KeyError for one that the table lacks."""
    return {**BASE, **ROWS[encoder, SHARED.get(sampler, sampler), loss, updater, optimizer]}
