"""docs/tour.md: a picture of every page, made by the command that it names, and no other picture."""

import re

import pytest

from core.settings import PROJECT
from pages.shared import menu
from tests.browser.harness import PAGES

TOUR = (PROJECT / "docs" / "tour.md").read_text(encoding="utf-8")


def test_every_page_has_its_section_and_picture() -> None:
    assert [title.partition(":")[0] for title in re.findall(r"^## (.+)$", TOUR, re.M)] == [*PAGES, "Take it along"]
    pages = {page.stem for page in (PROJECT / "pages").glob("*.py")} - {"__init__"}
    assert len(PAGES) == len(pages) == sum(len(section) for section in menu.pages().values())


def test_every_picture_is_one_of_the_tool_and_tells_what_it_shows() -> None:
    pytest.importorskip("playwright")
    from tools.screenshots import STOPS

    found = {name: words for words, name in re.findall(r"!\[(.+?)\]\(images/(.+?)\.png\)", TOUR)}
    assert set(found) == set(STOPS)
    assert all(len(words) > 20 for words in found.values())
    for name in STOPS:
        picture = (PROJECT / "docs" / "images" / f"{name}.png").read_bytes()
        assert picture[:8] == b"\x89PNG\r\n\x1a\n" and len(picture) < 400_000
    assert {page for page, _ in STOPS.values()} >= {""} | {path for path in PAGES.values() if path != "data"} - {""}


def test_the_readme_has_the_same_pictures() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\(docs/images/(.+?)\.png\)", readme)) == set(re.findall(r"\(images/(.+?)\.png\)", TOUR))
