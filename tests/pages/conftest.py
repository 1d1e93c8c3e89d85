"""The pages without a browser: AppTest always runs the entry file, then goes to the page."""

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.datasets.store import DatasetInfo
from core.jobs import control
from core.jobs.added_lists import add_lists
from core.settings import PROJECT, Settings
from tests.pages import results

Open = Callable[..., AppTest]


@pytest.fixture
def visit(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Open:
    """visit("users", a="rns") opens a page with those URL parameters; nothing may have been raised."""
    monkeypatch.setenv("LONGTAIL_AUTOSTART", "0")
    monkeypatch.setenv("LONGTAIL_DEBUG", "1")  # every chart is checked against the schema
    monkeypatch.chdir(PROJECT)

    def open_page(page: str = "overview", **parameters: str) -> AppTest:
        at = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
        for key, value in parameters.items():
            at.query_params[key] = value
        at.run()
        assert not at.exception
        if page != "overview":
            at.switch_page(f"pages/{page}.py").run()
            assert not at.exception
        return at

    yield open_page
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def tiny(settings: Settings) -> DatasetInfo:
    """The tiny data set with results."""
    return results.trained(settings)


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Queues without starting a process; the calls that would have."""
    calls: list[str] = []
    monkeypatch.setattr(control, "ensure_worker", lambda _: calls.append("started") or True)
    return calls


@pytest.fixture
def shop(settings: Settings, tiny: DatasetInfo, tmp_path: Path) -> DatasetInfo:
    """The tiny data set with results, and lists added as "Shop": of test alone, and of ten items."""
    path = tmp_path / "shop.csv"
    path.write_bytes(results.SHOP)
    add_lists(settings, tiny, path, "Shop")
    return tiny
