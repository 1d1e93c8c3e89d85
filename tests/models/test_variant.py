"""Variants: one form for what computes the same, ids that follow every field, refusals in sentences, telling labels."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadVariant, Unknown
from core.models import variant as variant_module
from core.models.choices import BASELINES, ENCODERS, L2_FORMS, LOSSES, OPTIMIZERS, PROTOCOLS, SAMPLERS, UPDATERS
from core.models.defaults import BASELINE_SETTINGS, default_settings
from core.models.fields import FIELDS, OWN_FIELDS
from core.models.variant import Run, Variant, make_variant, variant_from_fields

SETTINGS = {
    "encoder": st.sampled_from(sorted(ENCODERS)),
    "sampler": st.sampled_from(sorted(SAMPLERS)),
    "loss": st.sampled_from(sorted(set(LOSSES) - {"sam_reg"})),
    "optimizer": st.sampled_from(sorted(OPTIMIZERS)),
    "updater": st.sampled_from(sorted(UPDATERS)),
    "dim": st.integers(1, 64),
    "lr": st.floats(0.001, 1),
    "beta": st.sampled_from([0.0, 0.025, 0.3]),
    "exponent": st.sampled_from([0.0, 0.75]),
    "candidates": st.integers(1, 9),
}
requests = st.fixed_dictionaries({}, optional=SETTINGS)


def test_the_table_of_fields_and_the_class_agree():
    in_class = {f.name for f in dataclasses.fields(Variant)} - {"dataset", "protocol", "baseline"}
    assert in_class == set(FIELDS)


@pytest.mark.parametrize("updater", UPDATERS)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_combination_has_tested_defaults(sampler, updater):
    assert {"dim", "lr", "l2", "epochs", "init_sigma"} <= set(default_settings("mf", sampler, "bpr", updater, "sgd"))
    assert make_variant("d", sampler=sampler, updater=updater).sampler in SAMPLERS


def test_dns_and_auc_ns_share_their_defaults():
    assert default_settings("mf", "dns", "bpr", "two_bp", "sgd") == default_settings(
        "mf", "auc_ns", "bpr", "two_bp", "sgd"
    )


@given(requests)
def test_a_variant_reads_back_from_its_fields(request):
    variant = make_variant("d", **request)
    again = variant_from_fields(json.loads(json.dumps(variant.used())))
    assert again == variant
    assert again.id == variant.id


@given(requests, requests)
def test_equal_ids_mean_equal_variants(a, b):
    one, other = make_variant("d", **a), make_variant("d", **b)
    assert (one.id == other.id) == (one == other)


@given(requests)
def test_unused_fields_are_null(request):
    variant = make_variant("d", **request)
    filled = {"protocol": variant.protocol, **{n: getattr(variant, n) for n in FIELDS}}
    assert all(
        (getattr(variant, name) is None) != field.used(filled) for name, field in FIELDS.items() if not field.optional
    )


def test_off_is_the_method_it_equals():
    assert make_variant("d", sampler="auc_ns", beta=0) == make_variant("d", sampler="dns")
    off, rns = make_variant("d", sampler="pns", exponent=0), make_variant("d", sampler="rns")
    assert off == make_variant("d", sampler="rns", lr=off.lr, l2=off.l2, init_sigma=off.init_sigma, epochs=off.epochs)
    assert off.method == rns.method  # with the settings tested for pns, so that exponent 0 lies on its path
    assert make_variant("d", sampler="auc_ns", beta=0, alpha=0.9, gamma=1) == make_variant("d", sampler="dns")
    assert make_variant("d", sampler="auc_ns", beta=0, dim=8) != make_variant("d", sampler="dns")


def test_a_field_that_is_not_used_makes_no_copies():
    assert make_variant("d", sampler="rns", beta=0.1) == make_variant("d", sampler="rns", beta=0.2)


def test_whole_numbers_and_floats_are_one():
    assert make_variant("d", sampler="auc_ns", beta=1).id == make_variant("d", sampler="auc_ns", beta=1.0).id
    assert make_variant("d", dim=32.0).id == make_variant("d", dim=32).id


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"sampler": "dnss"}, "There is no sampler 'dnss'. Did you mean dns"),
        ({"sampler": "auc_ns", "beta": -0.1}, "beta=-0.1 is out of range"),
        ({"sampler": "auc_ns", "alpha": 0.5}, "Give a value above 0.5 and below 1"),
        ({"sampler": "auc_ns", "gamma": 0}, "above 0 to 1"),
        ({"sampler": "auc_ns", "references": 0}, "references=0 is out of range"),
        ({"sampler": "dns", "candidates": 0}, "candidates=0 is out of range"),
        ({"lr": 0}, "lr=0 is out of range: learning rate"),
        ({"lr": float("nan")}, "lr=nan is not a number"),
        ({"lr": "fast"}, "lr='fast' is not a number"),
        ({"dim": 1.5}, "dim=1.5 is not a whole number"),
        ({"dim": True}, "dim=True is not a whole number"),
        ({"threads": 2}, "threads=2 is out of range"),
        ({"protocol": "test"}, "There is no protocol 'test'"),
        ({"baseline": "popular"}, "Did you mean most_popular"),
    ],
)
def test_refuses_in_a_sentence(request_, words):
    with pytest.raises(BadVariant) as refused:
        make_variant("d", **request_)
    assert words in str(refused.value)


def test_all_reasons_are_given_at_once():
    with pytest.raises(BadVariant) as refused:
        make_variant("d", sampler="auc_ns", beta=-1, lr=0, dim="wide")
    assert len(refused.value.reasons) == 3


def test_an_unknown_field_is_refused():
    with pytest.raises(Unknown, match=r"no field 'betta'. Did you mean beta"):
        make_variant("d", betta=1)


def test_every_field_changes_the_id():
    base = make_variant("d", sampler="auc_ns", updater="one_bp")
    others = {
        name: dataclasses.replace(base, **{name: "x" if isinstance(value, str) else value + 1}).id
        for name, value in base.used().items()
    }
    assert len({base.id, *others.values()}) == len(others) + 1


def test_a_new_result_version_changes_every_id(monkeypatch):
    before = make_variant("d").id
    monkeypatch.setattr(variant_module, "RESULT_VERSION", 10**6)
    assert make_variant("d").id != before


@pytest.mark.parametrize(
    ("request_", "label"),
    [
        ({}, "RNS"),
        ({"sampler": "dns"}, "DNS (AUC-NS β 0)"),
        ({"sampler": "auc_ns", "beta": 0.05}, "AUC-NS β 0.05"),
        ({"sampler": "auc_ns", "beta": 0.05, "dim": 64}, "AUC-NS β 0.05, dim 64"),
        ({"sampler": "auc_ns", "updater": "one_bp"}, "OneBP + AUC-NS β 0.025"),
        ({"sampler": "pns"}, "PNS exponent 0.75"),
        ({"baseline": "most_popular"}, "Most popular"),
    ],
)
def test_labels_name_what_differs(request_, label):
    assert make_variant("d", **request_).label == label


def test_a_refit_is_labelled_by_its_settings_but_not_by_the_epochs_that_validation_found():
    assert make_variant("d", "refit", epochs=40).label == "RNS"
    assert make_variant("d", "refit", epochs=40, dim=64).label == "RNS, dim 64"


@given(requests, requests)
def test_different_variants_have_different_labels(a, b):
    one, other = make_variant("d", **a), make_variant("d", **b)
    if one != other and one.lr == other.lr:  # labels show three digits of a rate; the settings show all
        assert one.label != other.label


def test_a_path_is_what_its_points_share():
    grid = [make_variant("d", sampler="auc_ns", beta=b) for b in (0.01, 0.1)]
    assert grid[0].path() == grid[1].path()
    assert make_variant("d", sampler="auc_ns", beta=0.01, dim=8).path() != grid[0].path()
    assert grid[0].at_off() == make_variant("d", sampler="dns")
    assert make_variant("d", sampler="auc_ns", gamma=1, dim=8).at_off() == make_variant("d", sampler="dns", dim=8)
    assert make_variant("d", sampler="rns").at_off() is None


def test_runs_differ_by_seed_and_replicate():
    variant = make_variant("d")
    runs = [Run(variant, 0), Run(variant, 1), Run(variant, 0, bootstrap=1), Run(variant, 1, bootstrap=1)]
    assert len({run.id for run in runs}) == 4
    assert all(Run.from_json(json.loads(json.dumps(run.to_json()))) == run for run in runs)


def test_a_refit_has_no_early_stopping():
    assert make_variant("d", "refit", epochs=40).early_stopping is None
    assert make_variant("d", "paper").eval_every == 1


@pytest.mark.parametrize("baseline", [b for b in BASELINES if b != "pop_penalty"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_baselines_have_no_settings_but_their_own(baseline, protocol):
    variant = make_variant("d", protocol, baseline, lr=5)
    own = {OWN_FIELDS[baseline]: BASELINE_SETTINGS[baseline][OWN_FIELDS[baseline]]} if baseline in OWN_FIELDS else {}
    assert variant.used() == {"dataset": "d", "protocol": protocol, "baseline": baseline, **own}
    assert variant.engine == "closed form"


def test_a_penalty_re_ranks_a_setting():
    variant = make_variant("d", baseline="pop_penalty", sampler="auc_ns", beta=0.05, penalty_strength=0.1)
    assert variant.reranked == make_variant("d", sampler="auc_ns", beta=0.05)
    assert variant.at_off() == variant.reranked
    assert variant.engine == "re-ranking"
    assert make_variant("d", baseline="pop_penalty", penalty_strength=0) == make_variant("d")
    off = make_variant("d", baseline="pop_penalty", sampler="auc_ns", beta=0, penalty_strength=0.1)
    assert off == make_variant("d", baseline="pop_penalty", sampler="dns", penalty_strength=0.1)


@pytest.mark.parametrize(
    ("request_", "same"),
    [
        ({"loss": "ips_cn", "power": 0}, {"loss": "bpr"}),
        ({"sampler": "fair_static", "group_shift": 0}, {"sampler": "rns"}),
        ({"loss": "sam_reg", "sam": "off", "sam_weight": 0, "sampler": "dns"}, {"optimizer": "adam", "sampler": "dns"}),
        ({"loss": "ips_cn", "power": 0, "sampler": "auc_ns", "beta": 0}, {"sampler": "dns"}),
    ],
    ids=str,
)
def test_more_of_what_is_off_is_the_method_it_equals(request_, same):
    off, other = make_variant("d", **request_), make_variant("d", **same)
    rows = {name: getattr(off, name) for name in ("dim", "lr", "l2", "init_sigma", "epochs", "candidates")}
    assert off == make_variant("d", **{**same, **rows})
    assert off.method == other.method


def test_where_nothing_decays_the_form_of_decay_is_one():
    forms = {make_variant("d", optimizer="adam", l2=0, l2_form=form).id for form in L2_FORMS}
    assert forms == {make_variant("d", optimizer="adam", l2=0).id}
    assert len({make_variant("d", optimizer="adam", l2=1e-5, l2_form=form).id for form in L2_FORMS}) == 2


def test_sam_pairs_are_no_bpr_even_without_the_correlation():
    assert make_variant("d", loss="sam_reg", sam_weight=0).loss == "sam_reg"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"loss": "sam_reg", "sampler": "auc_ns"}, "AUC-NS would never be asked"),
        ({"updater": "one_bp", "duplicates": "one"}, "it steps pair by pair"),
        ({"loss": "sam_reg", "sam_weight": 1}, "sam-weight=1 is out of range"),
        ({"optimizer": "adam", "lr_decay": "60:.1 20:.1"}, "EPOCH:FACTOR, one or more with ascending epochs"),
        ({"optimizer": "adam", "lr_decay": "20"}, "EPOCH:FACTOR"),
        ({"init_sigma": 0}, "a number above 0 to 10, or xavier"),
        ({"loss": "infonce", "tau": 0}, "tau=0 is out of range"),
        ({"loss": "bc", "warm_up": 50, "epochs": 50}, "warm-up 50 leaves none of 50 epochs for the embeddings"),
        ({"loss": "bc", "warm_up": 5, "epochs": 3}, "warm-up 5 leaves none of 3 epochs"),
        ({"optimizer": "adam", "l2_form": "sparse"}, "There is no l2-form 'sparse'"),
    ],
    ids=str,
)
def test_what_has_no_meaning_is_refused_in_a_sentence(request_, words):
    with pytest.raises(BadVariant) as refused:
        make_variant("d", **request_)
    assert words in str(refused.value)


def test_a_warm_up_may_leave_one_epoch():
    assert make_variant("d", loss="bc", warm_up=49, epochs=50).warm_up == 49


def test_a_bad_epochs_of_a_warm_up_is_refused_for_itself_alone():
    with pytest.raises(BadVariant) as refused:
        make_variant("d", loss="bc", epochs="ten")
    assert len(refused.value.reasons) == 1
    assert "epochs='ten' is not a whole number" in refused.value.reasons[0]


@pytest.mark.parametrize(
    ("request_", "engine"),
    [
        ({}, "compiled"),
        ({"loss": "infonce"}, "compiled"),
        ({"loss": "bc"}, "autograd"),
        ({"optimizer": "adam"}, "autograd"),
        ({"encoder": "lightgcn", "optimizer": "sgd"}, "autograd"),
    ],
    ids=str,
)
def test_the_engine_follows_from_the_modules(request_, engine):
    assert make_variant("d", **request_).engine == engine
