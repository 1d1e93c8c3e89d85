"""What holds for every page: nothing is raised, an empty cache names the next step, bad addresses do no harm."""

from itertools import pairwise
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.datasets.store import DatasetInfo
from core.evaluation.metrics import METRICS
from core.models.variant import Run, make_variant
from core.settings import PROJECT, Settings
from tests.pages import results

PAGES = (
    "overview",
    "data",
    "sweep",
    "runs",
    "trade_off",
    "compare",
    "users",
    "sampler",
    "bias_variance",
    "reproduction",
)
NONSENSE = ("'; DROP TABLE runs; -- <script>alert(1)</script>", "€" * 500, "", "-1e999")
SHARED = ("data", "y", "x", "k", "split", "protocol", "baseline", "a", "b")
OWN = (
    "run",
    "run_text",
    "run_state",
    "run_method",
    "run_data",
    "run_protocol",
    "run_sweep",
    "run_order",
    "run_page",
    "user",
    "find",
    "order",
    "group",
    "strength",
    "path",
    "details",
    "penalty",
    "seed",
    "method_rns",
    "sampler_dns",
    "reference_ease",
    "strength_auc_ns",
    "set_lr",
    "seeds",
    "tab",
    "cut",
    "show",
    "model",
    "model_seed",
    "beta",
    "alpha",
    "gamma",
    "m",
    "n",
    "draw",
    "table",
    "reading",
    "measure",
    "all_tables",
    "loss",
    "by",
    "all_settings",
    "metric_kind",
    "curve",
    "movers",
)


def test_a_link_to_a_data_set_that_is_not_here_says_so(visit, tiny: DatasetInfo) -> None:
    at = visit("trade_off", data="gone<b>")
    (said,) = [warning.value for warning in at.sidebar.warning]
    assert "not here" in said and "gone" in said and "<b>" not in said
    at.run()
    assert [warning.value for warning in at.sidebar.warning] == [said]
    assert not visit("trade_off", data=tiny.name).sidebar.warning


HEADINGS = ("title", "header", "subheader")
"""h1, h2, h3."""


def text(at: AppTest) -> str:
    """Everything that can be read."""
    kinds = (*HEADINGS, "markdown", "caption", "info", "warning", "error", "success")
    return "\n".join(str(element.value) for kind in kinds for element in getattr(at, kind))


def test_every_file_in_pages_is_in_the_navigation_and_tested() -> None:
    files = {path.stem for path in (PROJECT / "pages").glob("*.py")} - {"__init__"}
    assert files == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_cache_names_the_next_step(visit, page: str) -> None:
    at = visit(page)
    assert not at.error
    assert any(name in text(at) for name in ("**Data**", "Fetch"))


@pytest.mark.parametrize("page", PAGES)
def test_results_are_shown(visit, tiny: DatasetInfo, page: str) -> None:
    at = visit(page)
    assert not at.error
    assert not at.warning
    assert "60 users" in "\n".join(str(told.value) for told in at.sidebar.markdown)


@pytest.mark.parametrize(
    ("page", "parameters"),
    [
        ("overview", {}),
        ("data", {}),
        ("data", {"tab": "Look"}),
        ("sweep", {}),
        ("runs", {}),
        ("compare", {"a": "rns", "b": "AUC-NS β 0.2, dim 8, epochs 6"}),
        ("users", {}),
        ("sampler", {"model": "AUC-NS β 0.2, dim 8, epochs 6"}),
    ],
)
def test_headings_leave_no_level_out(visit, tiny: DatasetInfo, page: str, parameters: dict[str, str]) -> None:
    """Who hears a page goes by them."""
    opened = Run(make_variant(tiny.id, sampler="rns", epochs=6, dim=8), 0).id
    at = visit(page, run=opened, **parameters)
    levels = [HEADINGS.index(node.type) for node in at.main if node.type in HEADINGS]
    assert levels[0] == 0
    assert len(levels) > 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels


@pytest.mark.parametrize("page", PAGES)
def test_bad_parameters_do_no_harm(visit, tiny: DatasetInfo, page: str) -> None:
    for nonsense in NONSENSE:
        at = visit(page, **dict.fromkeys(SHARED + OWN, nonsense))
        assert not at.error, (nonsense, [e.value for e in at.error])


@pytest.mark.parametrize("page", PAGES)
def test_a_simulated_data_set_is_labelled_and_says_how_to_get_a_real_one(visit, settings: Settings, page: str) -> None:
    results.train(settings, results.simulated(settings))
    at = visit(page)
    assert not at.error
    assert "simulated" in "\n".join(str(told.value) for told in at.sidebar.markdown)
    assert "fetch or import real data on" in text(at)


@pytest.mark.parametrize("page", PAGES)
def test_a_broken_part_is_told_in_words_with_a_reference(
    visit, tiny: DatasetInfo, monkeypatch, caplog, page: str
) -> None:
    from core.warehouse import queries

    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(queries, "datasets", broken)
    at = visit(page)
    assert len(at.error) == 1
    assert "reference" in at.error[0].value
    assert "secret detail" not in text(at)
    assert "secret detail" in caplog.text


def test_bad_parameters_of_an_open_tab_do_no_harm(visit, tiny: DatasetInfo) -> None:
    for nonsense in NONSENSE:
        assert not visit("data", tab="Look", cut=nonsense).error


def test_a_setting_that_cannot_be_used_is_told(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGTAIL_WORKERS", "many")
    at = visit()
    assert "LONGTAIL_WORKERS='many' cannot be used" in at.error[0].value


def test_no_page_computes_or_trains() -> None:
    forbidden = ("import torch", "import numba", "duckdb", "sqlite3", "import numpy", "SELECT ")
    for path in (PROJECT / "pages").rglob("*.py"):
        source = Path(path).read_text(encoding="utf-8")
        assert not [word for word in forbidden if word in source], path


@pytest.mark.parametrize(("key", "chosen"), [("y", "AUC"), ("x", "Popularity lift")])
def test_what_a_metric_means_is_beside_its_picker_and_follows_it(
    visit, tiny: DatasetInfo, key: str, chosen: str
) -> None:
    at = visit("trade_off")
    name = next(name for name, row in METRICS.items() if row.title == chosen)
    at.selectbox(key=key).set_value(chosen).run()
    assert not at.exception
    told = {block.value for kind in ("markdown", "latex", "caption") for block in at.sidebar.get(kind)}
    row = METRICS[name]
    said = next(text for text in told if row.how_to_read in text)
    assert row.direction.capitalize() in said and row.range_text.capitalize() in said and row.empty in said
    assert any(row.equation in text for text in told)
    assert any(row.source in text for text in told)
