"""Default settings of every (encoder, sampler, loss, updater, optimizer), found by a search on validation.

Here: one table, and which combinations take another's row. `dns` and `auc_ns` share theirs, so that beta 0 lies on the
path; so do the samplers that begin at `rns`.
Not here: what a setting means (variant.py), and the search (benchmarks/search_defaults.py; docs/methods.md tells how).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Row = Mapping[str, float | int | str]
Key = tuple[str, str, str, str, str]

BASE: Row = {"dim": 32, "epochs": 200}
LONGER: Row = {"epochs": 250}  # moving aggregation is slower to settle
BATCHES: Row = {"epochs": 100, "batch": 1024}

ROWS: dict[Key, Row] = {
    ("mf", "rns", "bpr", "two_bp", "sgd"): {"lr": 0.015, "l2": 0.019, "init_sigma": 0.073},
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
    ("mf", "rns", "infonce", "two_bp", "sgd"): {"lr": 0.0061, "l2": 0.027, "init_sigma": 0.083, "tau": 0.79},
    ("mf", "rns", "ips_cn", "two_bp", "sgd"): {"lr": 0.022, "l2": 0.015, "init_sigma": 0.084},
    ("mf", "rns", "var_bpr", "two_bp", "sgd"): {"lr": 0.0065, "l2": 0.02, "init_sigma": 0.094},
    ("mf", "rns", "infonce", "one_bp", "sgd"): {
        "lr": 0.011,
        "l2": 0.0012,
        "init_sigma": 0.14,
        "tau": 0.81,
        "aggregation": 0.986,
        **LONGER,
    },
    ("mf", "rns", "bpr", "two_bp", "adam"): {"lr": 0.0025, "l2": 2.1e-5, "init_sigma": 0.098, **BATCHES},
    ("mf", "rns", "sam_reg", "two_bp", "adam"): {"lr": 0.0036, "l2": 2.5e-4, "init_sigma": 0.17, **BATCHES},
    ("mf", "rns", "cause", "two_bp", "adam"): {"lr": 0.0025, "l2": 2.1e-5, "init_sigma": 0.098, **BATCHES},
    ("mf", "rns", "macr", "two_bp", "adam"): {"lr": 0.002, "l2": 4e-6, "init_sigma": 0.032, "macr_c": 1.9, **BATCHES},
    ("mf", "rns", "bc", "two_bp", "adam"): {"lr": 0.004, "l2": 1e-5, "init_sigma": 0.1, "tau": 0.12, **BATCHES},
    ("mf", "rns", "bpr", "one_bp", "adam"): {
        "lr": 0.0032,
        "l2": 2.9e-6,
        "init_sigma": 0.14,
        "aggregation": 0.965,
        **BATCHES,
    },
    ("lightgcn", "rns", "bpr", "two_bp", "adam"): {"lr": 0.015, "l2": 2e-6, "init_sigma": 0.055, **BATCHES},
    ("lightgcn", "auc_ns", "bpr", "two_bp", "adam"): {"lr": 0.0024, "l2": 1.1e-5, "init_sigma": 0.14, **BATCHES},
    ("lightgcn", "rns", "infonce", "two_bp", "adam"): {
        "lr": 0.0033,
        "l2": 4.6e-6,
        "init_sigma": 0.046,
        "tau": 0.87,
        **BATCHES,
    },
    ("lightgcn", "rns", "macr", "two_bp", "adam"): {
        "lr": 0.015,
        "l2": 2e-6,
        "init_sigma": 0.055,
        "macr_c": 1.9,
        **BATCHES,
    },
    ("lightgcn", "rns", "bc", "two_bp", "adam"): {
        "lr": 0.05,
        "l2": 2e-6,
        "init_sigma": "xavier",
        "tau": 0.15,
        **BATCHES,
    },
    ("lightgcn", "rns", "bpr", "one_bp", "adam"): {
        "lr": 0.011,
        "l2": 2.1e-6,
        "init_sigma": 0.075,
        "aggregation": 0.96,
        **BATCHES,
    },
    ("lightgcn", "rns", "bpr", "two_bp", "sgd"): {"lr": 0.05, "l2": 0.001, "init_sigma": 0.1, **BATCHES},
    ("lightgcn", "rns", "bpr", "one_bp", "sgd"): {
        "lr": 0.05,
        "l2": 0.001,
        "init_sigma": 0.1,
        "aggregation": 0.96,
        **BATCHES,
    },
}

SHARED = {"dns": "auc_ns", "pns": "rns", "fair_static": "rns"}
"""Samplers that take another's row: those that are one method at one end of a path."""

BASELINE_SETTINGS: dict[str, Row] = {
    "ease": {"ease_lambda": 500.0},
    "item_knn": {"knn_neighbours": 500},
    "pop_penalty": {"penalty_strength": 0.05},
}


def default_settings(encoder: str, sampler: str, loss: str, updater: str, optimizer: str) -> Row:
    """The tested settings of one combination, or those of the nearest one that was searched (`searched`)."""
    return {**BASE, **ROWS[searched(encoder, sampler, loss, updater, optimizer)]}


def searched(encoder: str, sampler: str, loss: str, updater: str, optimizer: str) -> Key:
    """Whose row a combination takes: its own, else its loss's with `rns`, its sampler's with `bpr`, or `rns` and `bpr`.

    Those that differ in the encoder or the optimizer never share: learning rates do not carry over.
    """
    asked = (encoder, SHARED.get(sampler, sampler), loss, updater, optimizer)
    return next(key for key in _nearest(asked) if key in ROWS)


def _nearest(asked: Key) -> Iterator[Key]:
    encoder, sampler, loss, updater, optimizer = asked
    yield asked
    yield (encoder, "rns", loss, updater, optimizer)
    yield (encoder, sampler, "bpr", updater, optimizer)
    yield (encoder, "rns", "bpr", updater, optimizer)
    if encoder == "mf" and optimizer == "sgd":  # a loss of the autograd engine, in batches whose gradients are summed
        yield ("mf", "rns", "bpr", updater, "sgd")
