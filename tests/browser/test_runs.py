"""The Runs page with a real mouse: the menu of a row, the selection, the dialog that asks before deleting."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.jobs.queue import Queue, State
from core.models.sweep import Sweep
from core.models.variant import Run, make_variant
from core.settings import Settings
from pages.shared import run_table
from tests.browser.harness import Visit, new_visit, serving
from tests.tiny import tiny_dataset
from tests.warehouse import fake_runs

pytestmark = pytest.mark.browser

FIRST_ROW = 50  # pixels below the table's top, under its heading
SHOWN = re.compile(r"Showing 1–(9|10) of \1\.")  # with the preparation of a real data set, or without one
TICK, DO = 16, 230  # pixels right of its left end: the box of a row, and its buttons
TICKS = 34  # pixels: the column of boxes


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


# ---------------------------------------------------------------- a cache of their own, which they change


@pytest.fixture
def own(tmp_path: Path, browser_at_hand: None) -> Settings:
    """A cache with a data set and an empty queue."""
    settings = Settings(cache=tmp_path, autostart=False)
    tiny_dataset(settings)
    return settings


@pytest.fixture
def own_visit(own: Settings, browser) -> Iterator[Visit]:
    """A visit of it."""
    with serving(own.cache) as address:
        one = new_visit(browser, address)
        yield one
        one.clean()


def test_a_menu_that_is_open_while_rows_move_acts_on_its_own_row(own: Settings, own_visit: Visit) -> None:
    queue, pns = Queue(own), make_variant(tiny_dataset(own).id, sampler="pns")
    queue.add_sweep(pns.dataset, Sweep(), [Run(pns, seed) for seed in range(6)])
    first, page = queue.claim(), own_visit.page
    own_visit.open("runs")
    page.mouse.click(*row(own_visit, DO, 2))
    item = page.get_by_text("Cancel", exact=True).last
    item.wait_for()
    queue.finish(first)  # its result is not here, so that it leaves the list: all rows move up
    page.wait_for_function("() => document.body.innerText.includes('of 5.')", timeout=20_000)
    item.click()
    page.locator("[data-testid=stToast]", has_text="1 job cancelled").wait_for()
    assert [job.payload["seed"] for job in queue.jobs(state=State.CANCELLED)] == [2]


def test_what_is_deleted_from_its_page_is_closed_and_the_way_back_is_in_view(own: Settings, own_visit: Visit) -> None:
    rns = make_variant(tiny_dataset(own).id, sampler="rns")
    runs = [fake_runs.write_run(own, rns, seed) for seed in range(30)]
    page = own_visit.page
    own_visit.open(f"runs?run={runs[4]}")
    assert "Time and memory" in own_visit.text()
    own_visit.act(page.locator(".st-key-open_delete button").click)
    own_visit.act(page.locator(".st-key-runs_delete button").click)
    assert "run" not in own_visit.parameters()
    assert "Time and memory" not in own_visit.text()
    box = page.locator(".st-key-runs_undo_button button").bounding_box()
    assert 0 <= box["y"] <= page.viewport_size["height"] - box["height"]


def test_in_a_narrow_window_the_table_shows_state_metrics_and_seconds(browser, address: str) -> None:
    visit = new_visit(browser, address, width=1024)
    visit.open("runs")
    place = visit.page.locator("[data-testid=stDataFrame]").first.bounding_box()
    first = ("setting", "state", "metric", "bias", "seconds")
    columns = run_table.columns("ndcg@10", "aplt@10")
    assert tuple(columns)[: len(first)] == first
    wide = TICKS + run_table.BUTTONS + sum(columns[name]["width"] for name in first)
    assert wide <= place["width"]
    assert not visit.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    visit.clean()
