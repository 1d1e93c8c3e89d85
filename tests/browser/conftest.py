"""Real results in a real browser: one cache, trained once, served by one server for all tests of this folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from tests.browser.harness import Visit, chromium, find_browser, new_visit, serving
from tests.pages import results


@pytest.fixture(scope="session", autouse=True)
def browser_at_hand() -> None:
    """Skips where no browser is installed; CI must not."""
    if find_browser() is None:
        reason = "no Chromium on this machine: install Debian's chromium or chromium-headless-shell"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"{reason}; CI must not skip it")
        pytest.skip(reason)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the tiny data set and the short sweep."""
    folder = tmp_path_factory.mktemp("cache")
    results.trained(Settings(cache=folder, autostart=False, offline=True))
    return folder


@pytest.fixture(scope="session")
def address(cache: Path) -> Iterator[str]:
    """The app over that cache."""
    with serving(cache) as found:
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One browser for all tests; each visit has a context of its own."""
    with chromium() as running:
        yield running


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Visit]:
    """A fresh visit. At the end: no console errors, and nothing asked for outside the server."""
    one = new_visit(browser, address)
    yield one
    one.clean()
