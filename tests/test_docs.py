"""The documents: every method has its place, every link leads somewhere. Metrics: tests/evaluation."""

import re

import pytest

from core.models.choices import BASELINES, ENCODERS, LOSSES, SAMPLERS, UPDATERS
from core.settings import PROJECT

PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), PROJECT / "cache" / "README.md"])
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name if page.parent != PROJECT / "cache" else "cache")
def test_links_lead_somewhere(page):
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", [*ENCODERS, *SAMPLERS, *LOSSES, *UPDATERS, *BASELINES])
def test_every_method_is_documented(name):
    assert f"`{name}`" in (PROJECT / "docs" / "methods.md").read_text(encoding="utf-8")
