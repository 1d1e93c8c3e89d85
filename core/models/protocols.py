"""Protocols: what chooses the epoch of a run, and which runs a data set cannot serve.

Here: the one rule on data sets without a validation split.
Not here: what each protocol trains on (datasets/store.py), how a run is carried out (jobs/training.py), names and
explanations (choices.py).
"""

from __future__ import annotations

from core.models.variant import Variant


def chooses_epoch(variant: Variant, validation: int) -> bool:
    """Is the epoch of this variant chosen, rather than the last one taken? validation: pairs of the validation split.

    `refit` never chooses. `validation` without a validation split cannot: it then trains for a fixed number of epochs,
    which `refusal` lets pass only where early stopping is off, that is, where it was asked for.
    """
    if variant.baseline or variant.protocol == "refit":
        return False
    return variant.protocol == "paper" or validation > 0


def refusal(variant: Variant, validation: int) -> str | None:
    """Why this data set cannot serve the variant, or None. validation: pairs of the validation split.

    What re-ranks another variant is judged by that one, which may have to be trained for it.
    """
    variant = variant.reranked or variant
    if variant.baseline or variant.protocol != "validation" or validation > 0 or variant.early_stopping == 0:
        return None
    return (
        "This data set has no validation split, so protocol 'validation' has nothing to choose an epoch by. "
        "Prepare it with a validation share, set early-stopping 0 to train a fixed number of epochs, "
        "or use protocol 'paper', which chooses on test."
    )
