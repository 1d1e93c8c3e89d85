"""Methods as people ask for them: grids, reasons against an answer, and the answers that give a variant again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models import methods
from core.models.choices import BASELINES, LOSSES, METHODS, SAMPLERS
from core.models.combinations import cells, trainable
from core.models.methods import Asked
from core.models.sweep import DEFAULT_SWEEP, Sweep
from core.models.variant import make_variant

STRENGTHS = [c.strength for table in (SAMPLERS, LOSSES, BASELINES) for c in table.values() if c.strength]


def variants(asked: Asked):
    """What the answers ask for, through the same grids that the page makes."""
    typed = {name: [value] for name, value in asked.settings.items()}
    grid = methods.grid_of(asked.method, asked.options, typed, [str(value) for value in asked.strengths])
    penalties = ({"penalty_strength": list(asked.penalties)},) if asked.penalties else ()
    baselines = ("pop_penalty",) if asked.penalties else ()
    return Sweep((grid, *penalties), baselines).variants("d")


def test_each_method_has_the_strength_of_its_variant():
    assert methods.strength_of("one_bp+auc_ns") is SAMPLERS["auc_ns"].strength
    assert methods.strength_of("bc") is LOSSES["bc"].strength
    assert [m for m in METHODS if not methods.strength_of(m)] == [
        "rns", "dns", "infonce", "one_bp+dns", "one_bp+infonce",
    ]  # fmt: skip


def test_a_grid_has_the_methods_modules_and_the_options_for_the_others():
    options = {"encoder": ["mf", "lightgcn"], "sampler": ["dns"], "loss": ["bc"], "updater": []}
    assert methods.grid_of("auc_ns", options, {"dim": ["8"]}, ["0", ".1"]) == {
        "sampler": ["auc_ns"], "encoder": ["mf", "lightgcn"], "loss": ["bc"], "dim": ["8"], "beta": ["0", ".1"],
    }  # fmt: skip
    assert methods.grid_of("infonce", options, {}, []) == {
        "loss": ["infonce"], "encoder": ["mf", "lightgcn"], "sampler": ["dns"],
    }  # fmt: skip


def test_its_own_strengths_count_above_what_was_typed():
    assert methods.grid_of("ips_cn", {}, {"power": ["2"]}, ["0.5"])["power"] == ["0.5"]
    assert methods.grid_of("dns", {"loss": ["ips_cn"]}, {"power": ["2"]}, [])["power"] == ["2"]


def test_the_default_comparison_is_three_methods():
    grids = tuple(
        methods.grid_of(m, {}, {}, [f"{v:g}" for v in s.grid] if (s := methods.strength_of(m)) else [])
        for m in ("rns", "auc_ns", "one_bp+auc_ns")
    )
    assert Sweep(grids, DEFAULT_SWEEP.baselines).runs("d") == DEFAULT_SWEEP.runs("d")


# ---------------------------------------------------------------- reasons


@pytest.mark.parametrize("cell", [cell for cell in cells() if cell.updater == "two_bp" and cell.optimizer == "adam"])
def test_an_option_is_refused_where_the_combination_is(cell):
    options = {"encoder": [cell.encoder], "optimizer": ["adam"]}
    if cell.loss == "bpr":
        return
    assert methods.reason_against_option("sampler", cell.sampler, [cell.loss], options) == cell.refusal
    beside = {**options, "sampler": [cell.sampler]}
    assert methods.reason_against_method(cell.loss, [], beside) == cell.refusal


def test_what_is_chosen_already_is_never_refused_so_that_it_can_be_taken_back():
    options = {"sampler": ["dns"]}
    assert methods.reasons_against_all(["sam_reg"], options)
    assert methods.reason_against_method("sam_reg", ["sam_reg"], options) is None
    assert methods.reason_against_option("sampler", "dns", ["sam_reg"], options) is None


def test_an_option_answers_for_nothing_but_itself():
    options = {"sampler": ["dns"]}  # refused as it is
    assert methods.reason_against_option("encoder", "lightgcn", ["sam_reg"], options) is None
    assert "PNS would never" in methods.reason_against_option("sampler", "pns", ["sam_reg"], options)


def test_a_setting_can_mend_it_and_be_refused_itself():
    assert methods.reason_against_option("sampler", "dns", ["sam_reg"], {"sam": ["off"]}) is None
    assert "steps pair by pair" in methods.reason_against_option("duplicates", "one", ["one_bp+dns"], {})
    assert methods.reason_against_option("duplicates", "one", ["one_bp+dns"], {"optimizer": ["adam"]}) is None
    assert "steps pair by pair" in methods.reason_against_option(
        "optimizer", "sgd", ["one_bp+dns"], {"optimizer": ["adam"], "duplicates": ["one"]}
    )


def test_a_method_that_names_a_module_is_not_crossed_with_others_of_it():
    assert methods.reason_against_option("sampler", "dns", ["auc_ns"], {}) is None
    assert methods.reason_against_option("loss", "sam_reg", ["rns"], {}) is None
    assert "AUC-NS would never" in methods.reason_against_option("loss", "sam_reg", ["rns", "auc_ns"], {})


# ---------------------------------------------------------------- the answers that give a variant


@pytest.mark.parametrize("cell", trainable(), ids=str)
def test_every_combination_can_be_asked_for(cell):
    variant = make_variant("d", **cell.choices)
    assert variants(methods.asking_for(variant)) == [variant]


@given(
    st.sampled_from(trainable()),
    st.fixed_dictionaries(
        {},
        optional={
            "dim": st.integers(1, 64),
            "lr": st.floats(1e-6, 10),
            "init_sigma": st.sampled_from(["xavier", 0.3]),
            "lr_decay": st.just("20:0.1 60:0.5"),
            "beta": st.sampled_from([0.0, 0.3]),
            "power": st.sampled_from([0.0, 0.3]),
            "l2_form": st.just("batch"),
        },
    ),
    st.sampled_from([None, "pop_penalty"]),
    st.sampled_from(["validation", "paper"]),
)
def test_settings_are_asked_for_too(cell, settings, baseline, protocol):
    variant = make_variant("d", protocol, baseline, **cell.choices, **settings)
    asked = methods.asking_for(variant)
    typed = {name: [value] for name, value in asked.settings.items()}
    grid = methods.grid_of(asked.method, asked.options, typed, [repr(value) for value in asked.strengths])
    penalties = ({"penalty_strength": list(asked.penalties)},) if asked.penalties else ()
    found = Sweep((grid, *penalties), (baseline,) if baseline else (), protocol=protocol).variants("d")
    # a rate is typed with twelve digits, so ids may differ in the last ones
    assert found[-1].label == variant.label
    assert found[-1].used().keys() == variant.used().keys()


def test_the_method_that_names_most_is_asked_for():
    variant = make_variant("d", updater="one_bp", sampler="auc_ns", loss="infonce", beta=0.1, dim=64)
    assert methods.asking_for(variant) == Asked("one_bp+auc_ns", {"loss": ["infonce"]}, (0.1,), {"dim": "64"})
    assert methods.asking_for(make_variant("d", updater="one_bp")) == Asked("rns", {"updater": ["one_bp"]})


def test_a_reference_is_no_method():
    with pytest.raises(ValueError, match="EASE is a reference"):
        methods.asking_for(make_variant("d", baseline="ease"))


# ---------------------------------------------------------------- fine grids


@pytest.mark.parametrize("strength", STRENGTHS, ids=lambda s: s.field)
def test_fine_grids_have_ten_values_around_one_and_within_bounds(strength):
    for value in (*strength.grid, strength.high, strength.high * 0.99, strength.high * 0.979, 0.0371):
        fine = methods.fine_grid(strength, value)
        assert len(set(fine)) == 10
        assert list(fine) == sorted(fine)
        assert strength.low <= fine[0]
        assert fine[-1] <= strength.high
        assert value in fine
        assert value == strength.low or fine[0] == pytest.approx(value / 2, rel=0.01)
        assert value >= strength.high * 0.98 or fine[-1] > value


def test_a_fine_grid_by_hand():
    beta = SAMPLERS["auc_ns"].strength
    assert methods.fine_grid(beta, 0.1) == (0.05, 0.0625, 0.075, 0.0875, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2)
    assert methods.fine_grid(beta, 0.0)[-1] == 0.01  # the smallest of the usual grid
    assert methods.fine_grid(beta, 8.0)[-1] == (8 + 10) / 2
    assert methods.fine_grid(LOSSES["sam_reg"].strength, 0.9)[-1] == 0.95  # r = 1 would leave nothing to learn from


def test_around_keeps_the_rest():
    variant = make_variant("d", sampler="auc_ns", beta=0.1, dim=16, encoder="lightgcn")
    found = variants(methods.around(variant))
    assert len(found) == 10
    assert variant in found
    assert len({v.path() for v in found}) == 1
    assert methods.around(make_variant("d", sampler="dns")) is None


def test_around_a_penalty_varies_the_penalty():
    variant = make_variant("d", baseline="pop_penalty", sampler="auc_ns", beta=0.1, penalty_strength=0.2)
    asked = methods.around(variant)
    assert asked.strengths == (0.1,)
    found = variants(asked)
    assert len(found) == 11  # and what is re-ranked
    assert {v.path() for v in found if v.reranked} == {variant.path()}
    assert variant in found
