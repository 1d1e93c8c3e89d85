"""The page: from finished runs and nothing else, whole, honest about what is missing."""

from __future__ import annotations

import re

import pytest

from core.datasets.store import DatasetInfo
from core.reproduction import deviations, plan, report
from core.reproduction.comparison import figures
from core.reproduction.machine import machine, processor
from core.reproduction.published import ML_100K
from core.settings import PROJECT, Settings
from core.warehouse.database import Warehouse
from tests.reproduction.worlds import write_plan


@pytest.fixture
def written(settings: Settings):
    def write(*only: str, quick: bool = False) -> str:
        warehouse = Warehouse.open(settings, own=False)
        try:
            return report.report(warehouse, only, quick)
        finally:
            warehouse.close()

    return write


def tables(page: str) -> list[list[str]]:
    """The rows of each table, heads first."""
    blocks = re.findall(r"(?:^\|.*\|$\n?)+", page, re.MULTILINE)
    return [block.splitlines() for block in blocks]


def test_every_published_row_is_on_the_page(info: DatasetInfo, settings: Settings, written) -> None:
    write_plan(settings, info, plan.make_plan(), leave_out={"MACR"})
    page = written()
    for title in ("MovieLens 100K, MF: NDCG@10", "MovieLens 100K, LightGCN: NDCG@10"):
        section = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
        encoder = "mf" if title.endswith("MF: NDCG@10") else "lightgcn"
        for row in (r for r in ML_100K if r.encoder == encoder):
            [line] = [line for line in section.splitlines() if line.startswith(f"| {row.method} |")]
            sic = " (sic)" if "ndcg@10" in row.sic else ""
            assert f"| {row.figures['ndcg@10']:.4f}{sic} |" in line
            if row.method == "MACR":
                assert line.count("not trained |") == 4
            else:
                assert line.count(" ± 0.0010 (") == 4
    assert "every metric" in page and page.count("**AUC-NS** | published") == 4  # two encoders, two readings


def test_figures_are_written_with_spread_and_difference(info: DatasetInfo, settings: Settings, written) -> None:
    write_plan(settings, info, plan.make_plan(("mf",)))
    page = written("mf")
    auc_ns = next(line for line in page.splitlines() if line.startswith("| AUC-NS | 0.4295"))
    assert auc_ns.split(" | ")[2:7] == [
        "0.4305 ± 0.0010 (+0.0010)",
        "0.4305 ± 0.0010 (+0.0010)",
        "0.4255 ± 0.0010 (-0.0040)",
        "0.4255 ± 0.0010 (-0.0040)",
        "reached at the authors' settings",
    ]
    assert "10 rows: 9 reached at the authors' settings; 1 not judged" in page


def test_tables_are_well_formed(info: DatasetInfo, settings: Settings, written) -> None:
    write_plan(settings, info, plan.make_plan())
    for rows in tables(written()):
        assert len({row.count("|") for row in rows}) == 1, rows[0]
    assert len(tables(written())) == 1 + 2 + 1 + 1 + 4 + 1  # origin, NDCG, OneBP, Gowalla, every metric, ML-1M


def test_without_a_run_it_says_so(info: DatasetInfo, written) -> None:
    page = written()
    assert "0 of 150 finished" in page
    assert "no run yet" in page
    assert "nan" not in page.casefold()


def test_where_it_is_from(info: DatasetInfo, settings: Settings, written) -> None:
    write_plan(settings, info, plan.make_plan(("lightgcn",)))
    page = written("lightgcn")
    assert "| runs | 60 of 60 finished, seeds 0, 1, 2 |" in page
    assert "| trained | 2023-11-14 to 2023-11-14, 2 minutes of working time" in page  # 60 runs of 1.5 s
    assert machine() in page
    assert f"`ml-100k-papers` ({info.id})" in page
    assert "python -m core reproduce --wait --out docs/reproduction.md" in page
    assert "chosen on test" in page


def test_deviations_and_what_was_tried_are_told(
    info: DatasetInfo, settings: Settings, written, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plan(settings, info, plan.make_plan(("mf",)), lambda line, *_: 0.2 if line.method in {"DNS", "PNS"} else 0.5)
    monkeypatch.setattr(report, "TRIED", {("mf", "PNS"): "Tried everything."})
    page = written("mf")
    assert "- **MF, PNS**: Tried everything." in page
    assert f"- **MF, DNS**: {report.UNEXPLAINED}" in page
    for what in deviations.DEVIATIONS:
        assert f"- **{what}.** " in page
    assert "OHR@10" in page.partition("How much the count of hot items matters")[2].splitlines()[0]
    warehouse = Warehouse.open(settings, own=False)
    assert report.unexplained(figures(warehouse, ("mf",))) == [("mf", "DNS")]
    warehouse.close()


def test_what_tuned_rows_set_beyond_our_defaults_is_told() -> None:
    told = deviations.DEVIATIONS["Our tuned settings"]
    assert [method for _, method in plan.TUNED_SETTINGS if method not in told] == []


def test_quick_says_that_it_is(info: DatasetInfo, settings: Settings, written) -> None:
    write_plan(settings, info, plan.make_plan(quick=True))
    page = written(quick=True)
    assert "This is the quick version" in page
    assert "python -m core reproduce --quick --wait" in page
    [row] = [line for line in page.splitlines() if line.startswith("| RNS | 0.3698")]
    assert "±" not in row and "0.3698 (+0.0000)" in row  # one seed
    assert "Gowalla" not in page


def test_the_processor_is_named(tmp_path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nmodel name\t: Some CPU @ 2.5 GHz\nprocessor\t: 1\nmodel name\t: Some CPU\n")
    assert processor(info) == "Some CPU @ 2.5 GHz"
    assert processor(tmp_path / "none")


def test_what_was_tried_names_published_rows() -> None:
    assert set(deviations.TRIED) <= {(row.encoder, row.method) for row in ML_100K}


def test_the_committed_page_is_from_a_real_run() -> None:
    """Every row of the tables is there and judged, and none is below without a word on what was tried."""
    page = (PROJECT / "docs" / "reproduction.md").read_text(encoding="utf-8")
    finished, asked = map(int, re.search(r"(\d+) of (\d+) finished", page).groups())
    assert len(ML_100K) * 2 <= finished <= asked
    assert report.UNEXPLAINED not in page and "still to be trained" not in page
    assert "quick version" not in page
    for row in ML_100K:
        assert f"| {row.method} | {row.figures['ndcg@10']:.4f}" in page
