"""docs/methods.md holds the tables that the code gives, and says of every choice what it computes."""

import dataclasses

import pytest

from core.models.choices import BASELINES, ENCODERS, LOSSES, METHODS, SAMPLERS
from core.models.combinations import cells, trainable
from core.models.defaults import ROWS
from core.models.fields import FIELDS, MODULE_TABLES, MODULES
from core.models.variant import make_variant
from tools import field_facts
from tools.document_methods import END, PAGE, START, documented, tables
from tools.field_facts import ALL, ANY_BATCH, default_of, users_of

TEXT = PAGE.read_text(encoding="utf-8")
TABLES = tables()


def rows(name):
    """The cells of a generated table's lines, without its head."""
    lines = [line for line in TABLES[name].splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_tables_are_up_to_date():
    assert documented(TEXT) == TEXT, "run python -m tools.document_methods"


def test_every_table_has_its_place_once():
    for name in TABLES:
        assert (TEXT.count(START.format(name)), TEXT.count(END.format(name))) == (1, 1)


@pytest.mark.parametrize(
    "label", [choice.label for table in (ENCODERS, SAMPLERS, LOSSES) for choice in table.values()] + ["F"]
)
def test_every_choice_has_its_paragraph(label):
    plain = {"RNS"}  # uniform: its line says it all
    assert label in plain or f"\n**{label}** " in TEXT


# ---------------------------------------------------------------- what can be combined


def test_the_matrix_says_what_trains_each_combination():
    matrix = rows("combinations")
    assert [row[0] for row in matrix] == [f"`{loss}`" for _ in ENCODERS for loss in LOSSES]
    engines = {(cell.encoder, cell.loss, cell.sampler): set() for cell in cells()}
    for cell in cells():
        engines[cell.encoder, cell.loss, cell.sampler].add({"compiled": "C", "autograd": "A"}[cell.engine])
    said = {
        (encoder, row[0].strip("`"), sampler): set(text.partition("[")[0].split())
        for n, encoder in enumerate(ENCODERS)
        for row in matrix[n * len(LOSSES) : (n + 1) * len(LOSSES)]
        for sampler, text in zip(SAMPLERS, row[1:], strict=True)
    }
    assert said == engines


def test_every_sentence_that_refuses_is_a_footnote_and_no_other():
    notes = [line for line in TABLES["combinations"].splitlines() if line[:1].isdigit()]
    assert {note.partition(". ")[2] for note in notes} == {cell.refusal for cell in cells() if cell.refusal}
    assert [int(note.partition(".")[0]) for note in notes] == list(range(1, len(notes) + 1))
    for number in range(1, len(notes) + 1):
        assert TABLES["combinations"].count(f"[{number}]") == len(ENCODERS)


def test_a_combination_without_any_meaning_has_no_engine(monkeypatch):
    from core.models import combinations

    monkeypatch.setattr(combinations, "WAYS_OUT", ({},))
    assert "| - [1] |" in tables()["combinations"]


def test_methods_are_the_table_of_methods():
    assert [row[0].strip("`") for row in rows("methods")] == list(METHODS)


# ---------------------------------------------------------------- who uses a field


@pytest.mark.parametrize(
    ("name", "users", "default"),
    [
        ("dim", [ALL], "32"),
        ("batch", [ANY_BATCH], "1024"),
        ("layers", ["lightgcn"], "2"),
        ("alpha", ["auc_ns"], "0.6 (`mf`), 0.75 (`lightgcn`)"),
        ("negatives", ["infonce", "var_bpr", "bc"], "5 (`infonce`), 4 (`var_bpr`), 128 (`bc`)"),
        ("lr_decay", ["adam"], "none"),
        ("duplicates", ["one_bp"], "in_order"),
        ("lr", [ALL], "tested"),
        ("ease_lambda", ["ease"], "500"),
        ("penalty_strength", ["pop_penalty"], "0.05"),
    ],
)
def test_facts_of_fields_by_hand(name, users, default):
    assert users_of(name) == users
    assert default_of(name) == default


@pytest.mark.parametrize("name", [name for name, about in FIELDS.items() if not about.optional])
def test_who_uses_a_field_is_who_has_it(name):
    """A second way: a variant has the field exactly where one of the names said is among its modules."""
    users = users_of(name)
    for cell in trainable()[::7]:
        variant = make_variant("d", **cell.choices)
        said = users == [ALL] or (users == [ANY_BATCH] and variant.engine == "autograd")
        assert (getattr(variant, name) is not None) == (said or bool(set(users) & set(cell.modules.values())))
    for baseline in set(BASELINES) - {"pop_penalty"}:
        assert (getattr(make_variant("d", baseline=baseline), name) is not None) == (baseline in users)


def test_a_field_that_no_single_module_decides_must_be_told_in_words(monkeypatch):
    odd = dataclasses.replace(FIELDS["layers"], used=lambda c: c.get("encoder") == "mf" and c.get("sampler") == "dns")
    monkeypatch.setitem(FIELDS, "layers", odd)
    field_facts.defaults_of.cache_clear()
    with pytest.raises(ValueError, match="which module decides whether layers is used"):
        users_of("layers")
    field_facts.defaults_of.cache_clear()


def test_parameters_are_all_fields_but_those_of_every_run():
    documented_fields = {row[0].strip("`") for row in rows("parameters")}
    assert documented_fields == {name for name in FIELDS if name not in MODULES and users_of(name) != [ALL]}


# ---------------------------------------------------------------- strengths and settings


def test_every_strength_is_listed():
    with_one = [n for table in (SAMPLERS, LOSSES, BASELINES) for n, choice in table.items() if choice.strength]
    assert [row[0].strip("`") for row in rows("strengths")] == with_one


def test_every_combination_takes_one_row_of_settings():
    lines = rows("defaults")
    assert len(lines) == len(ROWS)
    taken = {}
    for line in lines:
        encoder, updater, optimizer, *_ = (name.strip("`") for name in line[0].split(", "))
        for part in line[-1].split("; "):
            losses, samplers = part.split(" with ")
            for loss in LOSSES if losses == "all losses" else losses.replace("`", "").split(", "):
                for sampler in SAMPLERS if samplers == "all samplers" else samplers.replace("`", "").split(", "):
                    key = (encoder, sampler, loss, updater, optimizer)
                    assert key not in taken
                    taken[key] = line
    assert set(taken) == {tuple(cell.modules[m] for m in MODULE_TABLES) for cell in cells()}
    cell = next(c for c in cells() if (c.encoder, c.sampler, c.updater, c.optimizer) == ("mf", "dns", "one_bp", "sgd"))
    assert f"{make_variant('d', **cell.choices).lr:g}" in taken[tuple(cell.modules.values())]
