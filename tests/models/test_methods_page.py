"""docs/methods.md holds the tables that the code gives."""

from tools.document_methods import END, PAGE, START, documented, tables

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_tables_are_up_to_date():
    assert documented(TEXT) == TEXT, "run python -m tools.document_methods"


def test_every_table_has_its_place_once():
    for name in tables():
        assert (TEXT.count(START.format(name)), TEXT.count(END.format(name))) == (1, 1)
