"""The helpers of the pages: their examples run, and the colours of the pins are the charts'."""

import doctest
import tomllib
from types import ModuleType

import pytest

from core.charts import palette
from core.settings import PROJECT
from pages.shared import charts, view, words


@pytest.mark.parametrize("module", [words, view, charts])
def test_the_examples_hold(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


def test_the_pins_have_the_charts_accents() -> None:
    theme = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    for pin, accent in (("A", palette.A), ("B", palette.B)):
        for scheme in ("light", "dark"):
            assert theme[scheme][f"{view.ACCENTS[pin]}Color"] == accent


def test_nothing_is_reported_home_and_no_traceback_is_shown() -> None:
    options = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert options["browser"]["gatherUsageStats"] is False
    assert options["client"]["showErrorDetails"] == "none"
    assert options["server"]["fileWatcherType"] == "none"
