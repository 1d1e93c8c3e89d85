"""The tables of choices: encoders, samplers, losses, updaters, optimizers, protocols, baselines.

Here: each choice's name, label, one line of explanation, source, and its debias strength if it has one.
Widgets, the command line's options, "did you mean" and the tests are derived from these tables.
Not here: the rules themselves (samplers.py, losses.py, updaters.py, encoders.py, baselines.py), so that whoever
only lists choices need not wait for a compiler.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Strength:
    """The one parameter of a method that is its debias strength; larger means more debiasing."""

    field: str
    """The field of the variant."""
    symbol: str
    """How a label names it."""
    off: float
    """The value nearest to "off"."""
    off_is: str | None
    """The choice that the method equals, exactly, at `off`; None where no value gives one."""
    grid: tuple[float, ...]
    """The default values of a sweep."""
    low: float
    high: float
    """Bounds of the values a sweep accepts."""
    what: str
    """What more of it does, in a sentence."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of a table of choices."""

    label: str
    line: str
    source: str
    code: int = 0
    """What compiled kernels know it by. Append only: part of a run's meaning."""
    strength: Strength | None = None


ENCODERS: dict[str, Choice] = {
    "mf": Choice(
        "MF",
        "Matrix factorisation: one embedding per user and item, their dot product is the score.",
        "Koren, Bell, Volinsky, Computer 42(8), 2009",
    ),
}

SAMPLERS: dict[str, Choice] = {
    "rns": Choice(
        "RNS", "Random negatives: uniform over the items a user has not taken.", "Rendle et al., UAI 2009", code=0
    ),
    "pns": Choice(
        "PNS",
        "Popularity negatives: drawn with probability proportional to popularity to a power.",
        "Mikolov et al., NeurIPS 2013",
        code=1,
        strength=Strength(
            "exponent",
            "exponent",
            0.0,
            "rns",
            (0.0, 0.25, 0.5, 0.75, 1.0),
            0.0,
            2.0,
            "A larger exponent shows popular items more often as negatives.",
        ),
    ),
    "dns": Choice(
        "DNS",
        "Dynamic negatives: of M uniform candidates, the one the model scores highest.",
        "Zhang et al., SIGIR 2013",
        code=2,
    ),
    "bns": Choice(
        "BNS",
        "Bayesian negatives: the candidate with the least sampling risk, popularity as prior of a false negative.",
        "Liu and Wang, ICDE 2023",
        code=3,
        strength=Strength(
            "false_negative_cost",
            "cost",
            5.0,
            None,
            (0.0, 1.0, 5.0, 10.0, 20.0),
            0.0,
            1000.0,
            "A larger cost picks harder candidates; 0 picks the easiest.",
        ),
    ),
    "auc_ns": Choice(
        "AUC-NS",
        "AUC-optimal negatives: the candidate that raises partial AUC most, under a popularity prior of strength beta.",
        "arXiv 2306.01348",
        code=4,
        strength=Strength(
            "beta",
            "β",
            0.0,
            "dns",
            (0.0, 0.01, 0.025, 0.05, 0.1, 0.2),
            0.0,
            10.0,
            "A larger beta trusts unpopular items less as negatives and pushes popular ones down, to a turning point.",
        ),
    ),
}

LOSSES: dict[str, Choice] = {
    "bpr": Choice(
        "BPR", "Pairwise logistic loss: the positive should score above the negative.", "Rendle et al., UAI 2009"
    ),
}

UPDATERS: dict[str, Choice] = {
    "two_bp": Choice("two-sided", "Gradients reach both towers: the usual way.", "-", code=0),
    "one_bp": Choice(
        "OneBP",
        "Gradients reach the item tower only; users follow by moving aggregation of the items they took.",
        "arXiv 2403.18227",
        code=1,
    ),
}

OPTIMIZERS: dict[str, Choice] = {
    "sgd": Choice("SGD", "Plain stochastic gradient descent, pair by pair, compiled.", "-"),
}

BASELINES: dict[str, Choice] = {
    "most_popular": Choice("Most popular", "The most popular items that the user has not taken.", "-"),
    "random": Choice("Random", "Items in random order, a new one for each user and seed.", "-"),
}

PROTOCOLS: dict[str, Choice] = {
    "validation": Choice(
        "chosen on validation", "Trained on train; the epoch is chosen on validation, test is read once.", "-"
    ),
    "refit": Choice(
        "refit", "Trained on train and validation for the epochs that validation chose; test is read once.", "-"
    ),
    "paper": Choice(
        "chosen on test",
        "Trained on train and validation; the best epoch is chosen on test, as both papers did: optimistic.",
        "-",
    ),
}

DUPLICATES: dict[str, Choice] = {
    "in_order": Choice("in order", "Every pair moves its user, in the order of training.", "arXiv 2403.18227"),
}
