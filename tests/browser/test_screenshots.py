"""Every page in light and dark, at two widths, into .screenshots/ to be looked at; and that nothing sticks out."""

import pytest

from core.settings import PROJECT
from tests.browser.harness import VIEWS, new_visit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 1024)])
def test_every_page_is_drawn(browser, address: str, scheme: str, width: int) -> None:
    visit = new_visit(browser, address, scheme, width)
    for title, path in VIEWS.items():
        visit.open(path)
        main = visit.page.locator("[data-testid=stMain]")
        assert main.evaluate("e => e.scrollWidth <= e.clientWidth"), f"{title} sticks out at {width} px"
        visit.photograph(PROJECT / ".screenshots" / f"{title.lower().replace(' ', '-')}-{scheme}-{width}.png")
        assert visit.page.locator("[data-testid=stAlertContentError]").count() == 0
    visit.clean()
