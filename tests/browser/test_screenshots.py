"""Every page in light and dark, at two widths, into .screenshots/ to be looked at; and that nothing sticks out."""

import pytest

from core.settings import PROJECT
from tests.browser.harness import PAGES, new_visit

pytestmark = pytest.mark.browser

FOLDER = PROJECT / ".screenshots"
VIEWS = {**PAGES, "Data look": "data?tab=Look", "Data add": "data?tab=Add"}


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 1024)])
def test_every_page_is_drawn(browser, address: str, scheme: str, width: int) -> None:
    FOLDER.mkdir(exist_ok=True)
    visit = new_visit(browser, address, scheme, width)
    for title, path in VIEWS.items():
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.open(path)
        main = visit.page.locator("[data-testid=stMain]")
        tall = int(main.evaluate("e => e.scrollHeight"))
        assert main.evaluate("e => e.scrollWidth <= e.clientWidth"), f"{title} sticks out at {width} px"
        visit.page.set_viewport_size({"width": width, "height": min(tall + 20, 4000)})
        visit.settle()
        name = title.lower().replace(" ", "-").replace("trade-off", "trade_off")
        visit.page.screenshot(path=FOLDER / f"{name}-{scheme}-{width}.png")
        assert visit.page.locator("[data-testid=stAlertContentError]").count() == 0
    visit.clean()
