"""The table of combinations: every cell once, refused in the sentence of everywhere, and a few that stand for all."""

import itertools

import pytest

from core.errors import BadVariant
from core.models import combinations
from core.models.choices import COMPILED_LOSSES, ENCODERS, LOSSES, OPTIMIZERS, SAMPLERS, UPDATERS
from core.models.combinations import Cell
from core.models.fields import MODULES
from core.models.variant import make_variant

CELLS = combinations.cells()


def pairs(cells):
    """Every two choices that occur together, from the names alone: a second definition."""
    return {
        (one, other)
        for cell in cells
        for one, other in itertools.combinations([(name, getattr(cell, name)) for name in MODULES], 2)
    }


def test_every_combination_is_there_once():
    names = [(c.encoder, c.sampler, c.loss, c.updater, c.optimizer) for c in CELLS]
    assert names == list(itertools.product(ENCODERS, SAMPLERS, LOSSES, UPDATERS, OPTIMIZERS))


def test_a_refusal_is_the_sentence_of_everywhere():
    refused = [cell for cell in CELLS if cell.refusal]
    assert {(c.loss, c.sampler) for c in refused} == {("sam_reg", s) for s in SAMPLERS if s != "rns"}
    for cell in refused:
        with pytest.raises(BadVariant) as error:
            make_variant("d", **cell.modules)
        assert cell.refusal == str(error.value)


def test_every_combination_that_has_a_meaning_makes_its_variant():
    for cell in combinations.trainable():
        variant = make_variant("d", **cell.choices)
        assert {name: getattr(variant, name) for name in MODULES} == cell.modules
        assert variant.engine == cell.engine


def test_every_combination_has_a_label_of_its_own():
    variants = {make_variant("d", **cell.choices) for cell in combinations.trainable()}
    assert len({variant.label for variant in variants}) == len(variants)


def test_sam_off_is_what_gives_a_sampler_a_meaning():
    cell = Cell("mf", "dns", "sam_reg", "two_bp", "adam")
    assert cell.settings == {"sam": "off"}
    assert cell.choices == {**cell.modules, "sam": "off"}
    assert Cell("mf", "rns", "sam_reg", "two_bp", "adam").settings == {}


def test_what_nothing_gives_a_meaning_is_not_trainable(monkeypatch):
    monkeypatch.setattr(combinations, "WAYS_OUT", ({},))
    assert len(combinations.trainable()) == len(CELLS) - sum(cell.refusal is not None for cell in CELLS)
    assert next(cell for cell in CELLS if cell.refusal).settings is None


def test_the_compiled_engine_serves_its_losses_on_mf_with_sgd():
    compiled = {cell for cell in CELLS if cell.engine == "compiled"}
    assert len(compiled) == len(COMPILED_LOSSES) * len(SAMPLERS) * len(UPDATERS)
    assert {(c.encoder, c.optimizer) for c in compiled} == {("mf", "sgd")}


def test_every_pair_of_choices_that_occurs_is_covered():
    chosen = combinations.pairwise()
    assert pairs(chosen) == pairs(combinations.trainable())
    assert len(chosen) == len(set(chosen)) == len(SAMPLERS) * len(LOSSES)  # no fewer can hold each of those pairs
    assert chosen == combinations.pairwise()


def test_no_choice_of_two_stands_for_the_other():
    chosen = combinations.pairwise()
    for module, table in (("encoder", ENCODERS), ("updater", UPDATERS), ("optimizer", OPTIMIZERS)):
        for name in table:
            assert sum(getattr(cell, module) == name for cell in chosen) >= len(chosen) // 3, name


def test_only_what_occurs_must_be_covered():
    among = [cell for cell in CELLS if cell.encoder == "mf" and cell.loss in {"bpr", "bc"}]
    assert pairs(combinations.pairwise(among)) == pairs(among)
    assert combinations.pairwise([]) == []
