"""Which choices have no meaning together, each a rule that gives the sentence to refuse them with.

Here: the rules, and all of them asked at once. The page greys a choice out with the sentence the command line prints,
and the matrix in docs/methods.md is made of them.
Not here: the range of a single value (variant.py), and what a data set cannot serve (protocols.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.models.choices import COMPILED_LOSSES, LOSSES, SAMPLERS

Choices = Mapping[str, Any]


def sam_draws_its_own_negatives(c: Choices) -> str | None:
    """SAM pairs replace the sampler."""
    if c.get("loss") != "sam_reg" or c.get("sam") != "on" or c.get("sampler") == "rns":
        return None
    sampler = SAMPLERS[c["sampler"]].label
    return (
        f"SAM-REG with sam on takes its negatives from both sides of the positive's popularity, so {sampler} would "
        "never be asked. Set sam off, or take the sampler rns."
    )


def one_move_a_batch_needs_batches(c: Choices) -> str | None:
    """The compiled engine steps pair by pair: every pair moves its user."""
    if c.get("duplicates") != "one" or c.get("encoder") != "mf" or c.get("optimizer") != "sgd":
        return None
    if c.get("loss") not in COMPILED_LOSSES:
        return None
    return (
        f"duplicates one keeps one move of a user in a batch, and MF with SGD and {LOSSES[c['loss']].label} has no "
        "batches: it steps pair by pair. Set duplicates in_order, or take the optimizer adam."
    )


def a_warm_up_must_end(c: Choices) -> str | None:
    """While BC-Loss's branch learns, the embeddings stay as they began."""
    warm_up, epochs = c.get("warm_up"), c.get("epochs")
    if c.get("loss") != "bc" or not isinstance(warm_up, int) or not isinstance(epochs, int) or warm_up < epochs:
        return None
    return (
        f"warm-up {warm_up} leaves none of {epochs} epochs for the embeddings: BC-Loss trains its popularity branch "
        "alone for that long. Give a shorter warm-up, or more epochs."
    )


RULES: tuple[Callable[[Choices], str | None], ...] = (
    sam_draws_its_own_negatives,
    one_move_a_batch_needs_batches,
    a_warm_up_must_end,
)


def reasons_against(choices: Choices) -> list[str]:
    """Why these choices have no meaning together, a sentence each; nothing if they do."""
    return [reason for rule in RULES if (reason := rule(choices))]
