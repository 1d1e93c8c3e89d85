"""What pages let people save: files of tables and of charts, made by the click, named, with where they are from."""

import html
import io
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import altair as alt
import pandas as pd
import pytest
import streamlit as st

from core.cli.main import main
from core.datasets.store import DatasetInfo
from core.errors import DamagedArtifact
from core.export import csv_text
from core.jobs import artifacts
from core.jobs.exporting import run_zip
from core.settings import PROJECT, Settings
from pages.shared import charts, tables
from tests.pages import results
from tests.pages.conftest import Open

FRAME = pd.DataFrame({"title": ["=HYPERLINK(1)", "a\rb"], "x": [-1.5, 2.0]})


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], bytes]]:
    """File names to what makes the file, of every button drawn; the last page that was open counts."""
    found: dict[str, Callable[[], bytes]] = {}

    def button(label: str, data: Callable[[], bytes], name: str, mime: str, **options: object) -> None:
        assert options["on_click"] == "ignore", "saving does not run the page again"
        found[name] = data

    monkeypatch.setattr(st, "download_button", button)
    return found


def test_a_table_is_saved_as_csv_and_parquet(saved: dict[str, Callable[[], bytes]]) -> None:
    tables.download(FRAME, "items", "items_csv")
    assert list(saved) == ["items.csv", "items.parquet"]
    assert saved["items.csv"]() == csv_text(FRAME).encode()
    assert saved["items.csv"]().startswith(b"title,x\n'=HYPERLINK(1),")
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(saved["items.parquet"]())), FRAME)


def test_a_named_table_offers_what_it_shows(saved: dict[str, Callable[[], bytes]]) -> None:
    tables.table(FRAME.style.hide(axis="index"), "Items", name="items", key="table")
    assert list(saved) == ["items.csv", "items.parquet"]
    assert saved["items.csv"]() == csv_text(FRAME).encode()


def test_a_chart_is_saved_with_its_title_and_its_numbers(
    visit: Open, tiny: DatasetInfo, saved: dict[str, Callable[[], bytes]]
) -> None:
    visit("trade_off", a="rns", b="auc_ns")
    assert {Path(name).suffix for name in saved} == {".svg", ".png", ".csv", ".parquet", ".html"}
    svg = saved["trade-off-tiny.svg"]().decode()
    for words in ("NDCG@10 against Cold share of the list (APLT@10)", "Tiny", "split, chosen on validation"):
        assert words in svg
    assert saved["trade-off-tiny.png"]()[:4] == b"\x89PNG"
    points = pd.read_csv(io.BytesIO(saved["trade-off-tiny.csv"]()))
    assert {"variant", "label", "ndcg@10", "aplt@10"} <= set(points)
    assert len(points) == 5


def test_it_is_said_that_data_are_simulated(
    visit: Open, settings: Settings, saved: dict[str, Callable[[], bytes]]
) -> None:
    results.simulated(settings)
    visit("data", tab="Look")
    assert "Simulated (simulated)" in saved["lorenz.svg"]().decode()


def test_a_chart_that_cannot_be_drawn_is_told_to_the_log(
    saved: dict[str, Callable[[], bytes]], caplog: pytest.LogCaptureFixture
) -> None:
    broken = alt.Chart(FRAME).mark_point().encode(x="nowhere")
    charts._menu(broken, "broken", "T", "broken", "", None)
    with pytest.raises(ValueError, match="nowhere"):
        saved["broken.svg"]()
    assert "could not be drawn" in caplog.text


def test_every_chart_of_every_page_can_be_saved() -> None:
    """The one place that draws charts is pages/shared/charts.py."""
    drawing = [
        path.relative_to(PROJECT).as_posix()
        for path in sorted((PROJECT / "pages").rglob("*.py"))
        if re.search(r"st\.altair_chart\(|\.altair_chart\(", path.read_text(encoding="utf-8"))
    ]
    assert drawing == ["pages/shared/charts.py"]


def test_a_page_saves_the_report_that_the_command_writes(
    visit: Open, settings: Settings, tiny: DatasetInfo, saved: dict[str, Callable[[], bytes]], tmp_path: Path
) -> None:
    visit("trade_off", a="auc_ns", split="test", budget="50")
    content = saved["report-tiny.html"]()
    page = content.decode()
    command = shlex.split(html.unescape(page.rpartition("<pre>")[2].partition("</pre>")[0]))
    out = tmp_path / "report.html"
    assert command[:4] == ["python", "-m", "core", "report"]
    assert main([*command[3:], "--out", str(out)]) == 0
    assert out.read_bytes() == content


def test_an_opened_run_is_saved_as_the_folder_that_the_command_writes(
    visit: Open, settings: Settings, tiny: DatasetInfo, saved: dict[str, Callable[[], bytes]]
) -> None:
    run = artifacts.finished_runs(settings)[0]
    visit("runs", run=run)
    assert saved[f"run-{run}.zip"]() == run_zip(settings, run)


def test_a_report_that_cannot_be_made_is_told_to_the_log(
    visit: Open, settings: Settings, tiny: DatasetInfo, saved: dict[str, Callable[[], bytes]],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    visit("trade_off", a="auc_ns")
    for run in artifacts.finished_runs(settings):
        (settings.runs / run / "meta.json").write_text("{")
    with pytest.raises(DamagedArtifact):
        saved["report-tiny.html"]()
    assert "report could not be made" in caplog.text
