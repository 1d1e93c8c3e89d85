"""The knobs of AUC-NS: what a variant has, and what a text asks for."""

import pytest

from core.models.knobs import NAMES, Knobs, own_knobs, read_knobs
from core.models.protocols import refusal
from core.models.variant import make_variant

OWN = Knobs(beta=0.025, alpha=0.6, gamma=0.006, candidates=5, references=10)


def test_a_variant_of_auc_ns_has_its_own():
    variant = make_variant("d", sampler="auc_ns", beta=0.07, alpha=0.8, gamma=0.5, candidates=8, references=3)
    assert own_knobs(variant) == Knobs(0.07, 0.8, 0.5, 8, 3)


def test_what_another_sampler_does_not_have_is_the_default():
    assert own_knobs(make_variant("d", sampler="rns")) == OWN
    assert own_knobs(make_variant("d", sampler="dns", candidates=9)) == Knobs(0.025, 0.6, 0.006, 9, 10)
    assert own_knobs(make_variant("d", encoder="lightgcn")).alpha == 0.75  # that of the encoder


def test_what_is_not_trained_has_none():
    with pytest.raises(ValueError, match="no sampler"):
        own_knobs(make_variant("d", baseline="most_popular"))


def test_texts_are_read_and_empty_ones_leave_what_there_is():
    found, reasons = read_knobs({"beta": " 0.3 ", "alpha": "", "candidates": "7"}, OWN)
    assert found == Knobs(0.3, 0.6, 0.006, 7, 10)
    assert reasons == []
    assert isinstance(found.candidates, int)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("beta", "-0.1"), ("beta", "1e999"), ("beta", "nan"), ("beta", "much"), ("beta", "11"),
        ("alpha", "0.5"), ("alpha", "1"), ("gamma", "0"), ("gamma", "1.1"),
        ("candidates", "0"), ("candidates", "2.5"), ("candidates", "9999999"), ("references", "0"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_and_falls_back(name, text):
    found, reasons = read_knobs({name: text}, OWN)
    assert found == OWN
    assert len(reasons) == 1
    assert reasons[0].startswith(f"{name}='{text}'")
    assert reasons[0].endswith(f"Until then it is {getattr(OWN, name):g}.")


def test_more_than_anybody_has_is_told_as_a_sweep_tells_it():
    texts = {"candidates": "68", "references": "67"}
    found, (reason,) = read_knobs(texts, OWN, negatives=67)
    assert found == Knobs(0.025, 0.6, 0.006, 5, 67)
    assert reason == f"{refusal(make_variant('d', sampler='dns', candidates=68), 9, 67)} Until then it is 5."
    assert read_knobs(texts, OWN, negatives=68)[1] == []


def test_every_knob_is_read():
    texts = {"beta": "1", "alpha": "0.9", "gamma": "1", "candidates": "2", "references": "3"}
    assert set(texts) == set(NAMES)
    assert read_knobs(texts, OWN) == (Knobs(1, 0.9, 1, 2, 3), [])
