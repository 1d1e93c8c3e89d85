"""The Sweep page with a real keyboard: strengths that are typed."""

import pytest

from tests.browser.harness import Visit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("given", "typed", "found"),
    [
        (["0.1"], "0.2", ["0.1", "0.2"]),  # 0.025, also offered, contains these letters in this order
        (["0.1"], "0.3", ["0.1", "0.3"]),  # not offered
        (["0.1", "0.2"], "0.01", ["0.1", "0.2", "0.01"]),
    ],
)
def test_enter_adds_the_strength_that_was_typed_and_no_other(
    visit: Visit, given: list[str], typed: str, found: list[str]
) -> None:
    visit.open("sweep?" + "&".join(f"strength_auc_ns={value}" for value in given))
    chips = visit.page.locator(".st-key-strength_auc_ns")
    chips.locator("input").first.click()
    visit.page.keyboard.type(typed, delay=30)
    visit.act(lambda: visit.page.keyboard.press("Enter"))
    words = chips.inner_text().split()
    assert [word for word in words if word[0].isdigit()] == found
