"""Protocols: who chooses an epoch, and the sentence for a data set that cannot serve a variant."""

import pytest

from core.models.protocols import chooses_epoch, refusal
from core.models.variant import make_variant


@pytest.mark.parametrize(
    ("protocol", "validation", "chooses"),
    [("validation", 9, True), ("validation", 0, False), ("refit", 9, False), ("paper", 0, True), ("paper", 9, True)],
)
def test_who_chooses_an_epoch(protocol, validation, chooses):
    assert chooses_epoch(make_variant("d", protocol), validation) is chooses


def test_without_validation_there_is_nothing_to_stop_by():
    sentence = refusal(make_variant("d"), 0, 99)
    assert "no validation split" in sentence
    assert "early-stopping 0" in sentence


def test_what_re_ranks_needs_what_the_other_needs():
    assert refusal(make_variant("d", baseline="pop_penalty"), 0, 99) == refusal(make_variant("d"), 0, 99)
    assert refusal(make_variant("d", baseline="pop_penalty", early_stopping=0), 0, 99) is None


@pytest.mark.parametrize(
    "variant",
    [
        make_variant("d", early_stopping=0),  # a fixed number of epochs was asked for
        make_variant("d", "refit"),
        make_variant("d", "paper"),
        make_variant("d", baseline="most_popular"),
    ],
    ids=lambda v: f"{v.method}-{v.protocol}",
)
def test_what_needs_no_validation(variant):
    assert refusal(variant, 0, 99) is None
    assert not chooses_epoch(variant, 0) or variant.protocol == "paper"


@pytest.mark.parametrize(
    ("choices", "negatives", "named"),
    [
        ({"sampler": "dns", "candidates": 30}, 29, "candidates 30 cannot"),
        ({"sampler": "bns", "candidates": 30}, 29, "candidates 30 cannot"),
        ({"sampler": "auc_ns", "references": 11}, 10, "references 11 cannot"),
        ({"sampler": "auc_ns", "candidates": 12, "references": 11}, 10, "candidates 12 and references 11 cannot"),
    ],
)
def test_more_than_anybody_has_cannot_be_drawn(choices, negatives, named):
    variant = make_variant("d", **choices)
    sentence = refusal(variant, 9, negatives)
    assert sentence.startswith(named)
    assert f"more than {negatives} items" in sentence
    assert f"Give {negatives} at most" in sentence
    assert refusal(variant, 9, max(variant.candidates, variant.references or 0)) is None


def test_of_two_reasons_both_are_told():
    both = refusal(make_variant("d", sampler="dns", candidates=30), 0, 29)
    assert "no validation split" in both
    assert "candidates 30" in both
