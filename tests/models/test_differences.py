"""What two variants differ in: only what does, with defaults beside, and one path told as one setting."""

import pytest

from core.models.differences import UNUSED, reference, sentence, settings
from core.models.variant import make_variant

LISTS = {"dataset": "d", "protocol": "validation", "lists": "abc", "file": "shop.csv"}


def fields(**choices):
    return make_variant("d", **choices).used()


def differing(first, second):
    return {row.name: (row.first, row.second) for row in settings(first, second) if row.differs}


def test_one_setting_differs_and_is_named_with_what_it_does():
    first, second = fields(), fields(dim=7)
    assert differing(first, second) == {"dim": ("32", "7")}
    assert sentence(first, second) == "One setting differs: dim (length of an embedding) is 32 in A and 7 in B."
    row = next(row for row in settings(first, second) if row.differs)
    assert row.default == str(make_variant("d").dim)


def test_the_others_are_there_too():
    found = settings(fields(), fields(dim=7))
    assert len(found) == len([name for name in fields() if name not in {"dataset", "protocol"}])
    assert [row.name for row in found][:3] == ["encoder", "sampler", "loss"]
    assert found[0].first == "MF"  # the label of a choice, not its key


@pytest.mark.parametrize("reverse", [False, True])
def test_a_path_and_what_it_begins_with_differ_in_the_strength_alone(reverse):
    pair = [fields(sampler="dns"), fields(sampler="auc_ns", beta=0.05)]
    values = ["0", "0.05"]
    if reverse:
        pair, values = pair[::-1], values[::-1]
    assert differing(*pair) == {"beta": tuple(values)}
    assert sentence(*pair).startswith("One setting differs: beta (sampling prior strength; 0 is DNS) is ")


def test_a_penalty_against_what_it_re_ranks():
    assert differing(fields(), fields(baseline="pop_penalty", penalty_strength=0.3)) == {
        "penalty strength": ("0", "0.3")
    }


def test_dns_with_other_settings_is_no_beginning_of_the_path():
    found = differing(fields(sampler="dns", dim=7), fields(sampler="auc_ns", beta=0.05))
    assert found["sampler"] == ("DNS", "AUC-NS")
    assert found["beta"] == (UNUSED, "0.05")
    assert found["dim"] == ("7", "32")


def test_defaults_that_depend_on_the_method_are_both_told():
    rns, auc = make_variant("d"), make_variant("d", sampler="auc_ns")
    row = next(row for row in settings(rns.used(), auc.used()) if row.name == "lr")
    assert row.default == f"{rns.lr:g} / {auc.lr:g}"
    assert sentence(rns.used(), auc.used()).endswith("settings differ.")


def test_a_setting_that_only_one_uses():
    without = {"encoder": "lightgcn", "optimizer": "adam"}
    assert sentence(fields(**without), fields(**without, lr_decay="5:0.1")) == (
        "One setting differs: lr decay (epochs after which lr is multiplied, and by what) is 5:0.1 in B, and not used "
        "in A."
    )


def test_references_have_nothing_to_set_beside():
    popular = fields(baseline="most_popular")
    assert reference(popular) == "Most popular"
    assert reference(fields()) == reference(fields(baseline="pop_penalty")) == ""
    assert sentence(popular, fields()) == (
        "A (Most popular) is a reference, which trains nothing: there are no settings to set beside each other."
    )
    assert sentence(LISTS, popular).startswith("A (lists added from shop.csv) and B (Most popular) are references")


def test_two_references_of_one_kind_are_compared():
    first, second = fields(baseline="ease", ease_lambda=3), fields(baseline="ease", ease_lambda=4)
    assert differing(first, second) == {"ease lambda": ("3", "4")}
