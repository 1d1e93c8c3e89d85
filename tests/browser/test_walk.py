"""A walk through all pages on real results, as an analyst would take it; and what must survive on the way."""

import pytest

from tests.browser.harness import PAGES, Visit, new_visit, serving

pytestmark = pytest.mark.browser


def test_from_the_first_page_to_a_user_and_back(visit: Visit, browser, address: str) -> None:
    visit.open()
    assert "What it says" in visit.text()
    assert visit.page.locator("[data-testid=stVegaLiteChart]").count() == 1

    visit.menu("Data")
    assert visit.page.locator("[data-testid=stDataFrame]").count() == 1
    visit.act(visit.page.get_by_role("tab", name="Look").click)
    assert "The long tail" in visit.text()

    visit.menu("Sweep")
    assert "to train" in visit.text()

    visit.menu("Trade-off")
    marks = visit.marks()
    assert len(marks) == 4
    visit.click(marks[0])
    first = visit.parameters()
    assert len(first["a"]) == 8
    visit.click(visit.marks()[-1])
    pins = visit.parameters()
    assert pins["a"] == first["a"]
    assert pins["b"] not in {"", pins["a"]}
    assert "Pin a second setting" not in visit.text()

    visit.menu("Users")
    visit.act(visit.page.get_by_role("button", name="Next", exact=True).click)
    view = visit.parameters()
    assert (view["a"], view["b"]) == (pins["a"], pins["b"])
    seen = visit.text()
    assert f"User {view['user']} took" in seen

    visit.menu("Trade-off")
    assert (visit.parameters()["a"], visit.parameters()["b"]) == (pins["a"], pins["b"])
    visit.menu("Users")
    assert visit.parameters()["user"] == view["user"]
    assert visit.shows(seen)

    again = new_visit(browser, address)
    again.page.goto(visit.page.url)
    again.settle()
    assert again.shows(seen)
    assert again.parameters() == view
    again.clean()


def test_a_link_names_a_user_who_was_chosen_at_random(visit: Visit, browser, address: str) -> None:
    visit.open("users")
    visit.act(visit.page.get_by_role("button", name="Random").click)
    link = visit.parameters()
    assert f"User {link['user']} took" in visit.text()
    again = new_visit(browser, address)
    again.page.goto(visit.page.url)
    again.settle()
    assert again.shows(visit.text())
    again.clean()


def test_the_menu_is_never_a_list_of_files(cache, browser) -> None:
    """A fresh server knows its pages only once app.py has named them: which it does before anything slow."""
    with serving(cache) as address:
        page = browser.new_context().new_page()
        page.goto(address)
        page.wait_for_selector("[data-testid=stLogo], [data-testid=stSidebarLogo]", timeout=30_000)
        assert page.locator("[data-testid=stSidebarNavLink]", has_text="trade off").count() == 0


def test_the_back_button_keeps_the_pins(visit: Visit) -> None:
    visit.open("trade_off")
    visit.click(visit.marks()[0])
    pin = visit.parameters()["a"]
    visit.menu("Users")
    visit.act(visit.page.go_back)
    assert visit.parameters()["a"] == pin
    assert visit.text().startswith("Trade-off")


def test_one_back_undoes_one_drag(visit: Visit) -> None:
    """Both ranges of a drag are one value of the address."""
    visit.open("trade_off")
    marks = len(visit.marks())
    drag(visit, 0.25)
    first = visit.parameters()["within"]
    drag(visit, 0.5)
    assert visit.parameters()["within"] != first
    visit.act(lambda: visit.page.go_back(wait_until="commit"))
    assert visit.parameters()["within"] == first
    visit.act(lambda: visit.page.go_back(wait_until="commit"))
    assert "within" not in visit.parameters()
    assert len(visit.marks()) == marks
    assert f"Showing {marks + 1} of {marks + 1} settings" in visit.text()  # and most popular


def drag(visit: Visit, left: float) -> None:
    """From so far to the right edge, over the whole height of the trade-off chart."""
    plot = visit.page.locator("[data-testid=stVegaLiteChart] svg path.background").first.bounding_box()
    visit.page.mouse.move(plot["x"] + left * plot["width"], plot["y"] + 4)
    visit.page.mouse.down()
    visit.page.mouse.move(plot["x"] + 0.99 * plot["width"], plot["y"] + plot["height"] - 4, steps=8)
    visit.act(visit.page.mouse.up)


def test_a_second_click_on_a_pin_frees_it(visit: Visit) -> None:
    visit.open("trade_off")
    visit.click(visit.marks()[0])
    assert "a" in visit.parameters()
    visit.click(visit.marks()[0])
    assert "a" not in visit.parameters()


@pytest.mark.parametrize("path", [path for path in PAGES.values() if path])
def test_a_deep_link_is_the_first_visit_of_a_fresh_server(cache, browser, path: str) -> None:
    with serving(cache) as address:
        visit = new_visit(browser, address)
        visit.open(f"{path}?k=k+%3D+5")
        assert visit.page.get_by_text("Page not found").count() == 0
        assert visit.page.locator("[data-testid=stSidebarNavLink]").count() == len(PAGES)
        assert visit.parameters()["k"] == "k = 5"
        visit.clean()


def test_nonsense_in_the_address_shows_the_page(visit: Visit) -> None:
    visit.open("trade_off?a=%27;DROP&data=..%2F..&y=nan&split=both&protocol=%F0%9F%98%80&k=-1")
    assert "NDCG@10 against" in visit.text()
    assert visit.page.locator("[data-testid=stAlertContentError]").count() == 0


def test_a_click_on_the_path_over_beta_turns_the_knob(visit: Visit, browser, address: str) -> None:
    """Wherever in the chart, to the nearest point; and the link keeps it, with the draw and the user."""
    visit.open("sampler")
    place = visit.page.locator("[data-testid=stVegaLiteChart]").first.bounding_box()
    visit.click((place["x"] + 0.7 * place["width"], place["y"] + 0.5 * place["height"]))
    right = float(visit.parameters()["beta"])
    visit.click((place["x"] + 0.4 * place["width"], place["y"] + 0.5 * place["height"]))
    left = float(visit.parameters()["beta"])
    assert 0.0001 <= left < right <= 10
    visit.act(visit.page.get_by_role("button", name="Draw again").click)
    assert visit.parameters()["draw"] == "1"
    again = new_visit(browser, address)
    again.open(visit.page.url.removeprefix(address).lstrip("/"))
    assert again.shows(visit.text())
    assert f"At the chosen β {left:g}" in again.text()
    visit.clean()
    again.clean()
