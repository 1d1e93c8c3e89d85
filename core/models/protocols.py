"""Protocols: what chooses the epoch of a run, and which runs a data set cannot serve.

Here: the rules on data sets without a validation split, or with fewer items than a sampler asks for at once.
Not here: what each protocol trains on (datasets/store.py), how a run is carried out (jobs/training.py), names and
explanations (choices.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from core.models.variant import Variant


def chooses_epoch(variant: Variant, validation: int) -> bool:
    """Is the epoch of this variant chosen, rather than the last one taken? validation: pairs of the validation split.

    `refit` never chooses. `validation` without a validation split cannot: it then trains for a fixed number of epochs,
    which `refusal` lets pass only where early stopping is off, that is, where it was asked for.
    """
    if variant.baseline or variant.protocol == "refit":
        return False
    return variant.protocol == "paper" or validation > 0


def refusal(variant: Variant, validation: int, negatives: int) -> str | None:
    """Why this data set cannot serve the variant, or None: every reason there is, a sentence or two each.

    validation: pairs of the validation split; negatives: how many items the user with most of them has not taken, or a
    number that it cannot exceed. What re-ranks another variant is judged by that one, which may have to be trained.
    """
    variant = variant.reranked or variant
    if variant.baseline:
        return None
    at_once = {"candidates": variant.candidates, "references": variant.references}
    reasons = [_nothing_to_choose_by(variant, validation), too_many(at_once, negatives)]
    return " ".join(reason for reason in reasons if reason) or None


def _nothing_to_choose_by(variant: Variant, validation: int) -> str | None:
    if variant.protocol != "validation" or validation > 0 or variant.early_stopping == 0:
        return None
    return (
        "This data set has no validation split, so protocol 'validation' has nothing to choose an epoch by. "
        "Prepare it with a validation share, set early-stopping 0 to train a fixed number of epochs, "
        "or use protocol 'paper', which chooses on test."
    )


def too_many(asked: Mapping[str, int | None], negatives: int) -> str | None:
    """Why nobody can be asked for so many negatives at once, or None. A user with fewer is served with what there is.

    asked: how many, by the setting's name, None where it is not used; negatives: as in `refusal`.
    """
    over = [f"{name} {number}" for name, number in asked.items() if number and number > negatives]
    if not over:
        return None
    return (
        f"{' and '.join(over)} cannot be drawn: no user of this data set has more than {negatives} items left that "
        f"they have not taken. Give {negatives} at most, or take a data set with more items."
    )
