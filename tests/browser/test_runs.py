"""The Runs page with a real mouse: the menu of a row, the selection, the dialog that asks before deleting."""

import re

import pytest

from tests.browser.harness import Visit, new_visit

pytestmark = pytest.mark.browser

FIRST_ROW = 50  # pixels below the table's top, under its heading
SHOWN = re.compile(r"Showing 1–(9|10) of \1\.")  # with the preparation of a real data set, or without one
TICK, DO = 16, 300  # pixels right of its left end: the box of a row, and its buttons


def row(visit: Visit, at: int, place: int = 0) -> tuple[float, float]:
    """Where a cell of the table of runs is."""
    box = visit.page.locator("[data-testid=stDataFrame]").first.bounding_box()
    assert box
    return box["x"] + at, box["y"] + FIRST_ROW + 31 * place


def test_a_run_is_opened_from_its_row_and_by_its_link(visit: Visit, browser, address: str) -> None:
    visit.open("runs")
    assert SHOWN.search(visit.text())
    visit.click(row(visit, DO))
    item = visit.page.get_by_role("menuitem", name="Open").or_(visit.page.get_by_text("Open", exact=True)).last
    visit.act(item.click)
    assert len(visit.parameters()["run"]) == 16
    assert "Time and memory" in visit.text()
    again = new_visit(browser, address)
    again.page.goto(visit.page.url)
    again.settle()
    assert "Time and memory" in again.text()
    again.clean()


def test_deleting_what_is_selected_asks_first_and_keeping_deletes_nothing(visit: Visit) -> None:
    visit.open("runs")
    visit.click(row(visit, TICK))
    visit.click(row(visit, TICK, 2))
    assert "2 selected" in visit.text()
    visit.page.locator(".st-key-runs_Delete button").click()
    visit.page.get_by_role("dialog").wait_for()
    assert "Training them again" in visit.page.get_by_role("dialog").inner_text()
    visit.page.locator(".st-key-runs_keep button").click()
    visit.page.get_by_role("dialog").wait_for(state="detached")
    visit.settle()
    assert SHOWN.search(visit.text())
    visit.menu("Overview")
    visit.menu("Runs")
    assert not visit.page.get_by_role("dialog").count()  # it is not asked again
