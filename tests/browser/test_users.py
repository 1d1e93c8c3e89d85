"""The Users page in a real browser: the strength by slider and by click, the order, and that a link keeps it all."""

import pytest

from tests.browser.harness import Visit, new_visit

pytestmark = pytest.mark.browser

SLIDER = "[data-testid=stSlider] input[type=range]"


def chart(visit: Visit):
    return visit.page.locator("[data-testid=stVegaLiteChart]").first


def test_list_b_follows_the_slider_and_a_click_in_the_chart(visit: Visit, browser, address: str) -> None:
    visit.open("users")  # without pins B is the strongest AUC-NS
    slider = visit.page.locator(SLIDER).first
    slider.focus()
    visit.act(lambda: slider.press("ArrowLeft"))
    assert visit.parameters()["strength"] == "0.05"
    assert "List B is of AUC-NS β 0.05" in visit.text()
    # a click anywhere is one on the nearest mark: those of the first strength are on the left
    chart(visit).scroll_into_view_if_needed()
    box = chart(visit).bounding_box()
    visit.click((box["x"] + 0.09 * box["width"], box["y"] + 0.5 * box["height"]))
    assert visit.parameters()["strength"] == "0"
    assert "List B is of DNS" in visit.text()
    visit.act(visit.page.get_by_role("button", name="Next", exact=True).click)
    link, seen = visit.parameters(), visit.text()
    assert link["strength"] == "0"
    assert f"User {link['user']} took" in seen
    again = new_visit(browser, address)
    again.open(visit.page.url.removeprefix(address).lstrip("/"))
    assert again.shows(seen)
    assert again.parameters() == link
    visit.clean()
    again.clean()


@pytest.mark.parametrize("width", [1024, 1440, 1920])
def test_history_and_lists_stand_beside_each_other_where_there_is_room(browser, address: str, width: int) -> None:
    visit = new_visit(browser, address, width=width)
    visit.open("users")
    tables = visit.page.locator("[data-testid=stDataFrame]")
    boxes = [tables.nth(n).bounding_box() for n in range(5)]  # numbers, took before, took in test, A, B
    before, a, b = boxes[1], boxes[3], boxes[4]
    assert abs(a["y"] - b["y"]) < 2  # always
    assert a["x"] + a["width"] <= b["x"]
    if width >= 1400:
        assert abs(before["y"] - a["y"]) < 2
        assert before["x"] + before["width"] <= a["x"]
    else:
        assert before["y"] + before["height"] <= a["y"]
    main = visit.page.locator("[data-testid=stMain]")
    assert main.evaluate("e => e.scrollWidth <= e.clientWidth")
    # nothing of a table is cut: it needs no scroll bar sideways
    cut = (
        "es => es.map(e => e.querySelector('.dvn-scroller')).filter(s => s && s.scrollWidth > s.clientWidth + 1).length"
    )
    assert tables.evaluate_all(cut) == 0
    visit.clean()
