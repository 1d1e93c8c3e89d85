"""The Reproduction page: published figures beside ours, what is missing, and the button that trains it."""

from __future__ import annotations

import pytest

from core.datasets.store import DatasetInfo
from core.jobs import control
from core.jobs.queue import Kind, Queue, State
from core.reproduction import plan
from core.settings import Settings
from pages.shared import tables
from tests.pages.test_every_page import text
from tests.reproduction import worlds

OURS = ("The authors' settings", "Our tuned settings")


@pytest.fixture
def info(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> DatasetInfo:
    """The tiny data set in the place of the papers' split."""
    info, ids = worlds.stand_in(settings)
    for name, value in ids.items():
        monkeypatch.setitem(plan.DATASETS, name, value)
    monkeypatch.setattr(control, "ensure_worker", lambda _: True)
    return info


def shown(at):
    return at.dataframe[0].value.set_index("Method")


def test_published_figures_stand_beside_ours(visit, settings: Settings, info: DatasetInfo) -> None:
    worlds.write_plan(settings, info, plan.make_plan(("mf",)), leave_out={"PNS"})
    at = visit("reproduction")
    table = shown(at)
    assert len(table) == 10
    assert table.loc["AUC-NS", "Published"] == "0.4295"
    assert table.loc["IPS-CN", "Published"] == "0.1538 (sic)"
    for title in OURS:
        assert table.loc["AUC-NS", title] == pytest.approx(0.4295 + 0.001 - 0.005)  # one epoch for all metrics
        assert table.loc["AUC-NS", f"{title}: difference"] == pytest.approx(-0.004)
        assert table.loc["AUC-NS", f"{title}: ±"] == pytest.approx(0.001)
    assert table.loc["PNS", OURS[0]] != table.loc["PNS", OURS[0]]  # not a number
    verdict = table["By NDCG@10, in both readings"]
    assert verdict["AUC-NS"] == "reached at the authors' settings"
    assert verdict["PNS"] == "still to be trained"
    assert "8 of 8 rows at the authors' settings" in text(at).replace("\\", "")
    assert "chosen on test" in text(at)


def test_the_reading_and_the_metric_can_be_switched(visit, settings: Settings, info: DatasetInfo) -> None:
    worlds.write_plan(settings, info, plan.make_plan(("lightgcn",)))
    at = visit("reproduction", table="MovieLens 100K, LightGCN", reading="Each metric's own best epoch")
    assert shown(at).loc["AUC-NS", OURS[0]] == pytest.approx(0.4410 + 0.001)
    at.selectbox(key="measure").select("Precision@10").run()
    assert shown(at).loc["AUC-NS", "Published"] == "0.3654"
    assert shown(at).loc["AUC-NS", OURS[0]] == pytest.approx(0.6)
    ohr = next(option for option in at.selectbox(key="measure").options if "OHR" in option)
    at.selectbox(key="measure").select(ohr).run()
    assert not at.exception and not at.error
    assert "counted on what each run was trained on" in text(at)


def test_a_difference_is_coloured_by_the_tolerance(
    visit, settings: Settings, info: DatasetInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RNS is .02 below what was published, the others are not; what is not judged has no colour."""
    off = {"RNS": -0.02}
    worlds.write_plan(
        settings, info, plan.make_plan(("mf",)),
        lambda line, *_: line.published.figures["ndcg@10"] + off.get(line.method, 0.0), leave_out={"PNS"},
    )  # fmt: skip
    drawn = []
    table = tables.table
    monkeypatch.setattr(
        tables, "table", lambda frame, *args, **more: drawn.append(frame) or table(frame, *args, **more)
    )
    at = visit("reproduction")
    assert not at.error
    styler = drawn[-1]
    cells = styler._compute().ctx
    columns, methods = list(styler.data.columns), list(styler.data["Method"])
    at_difference = {
        m: dict(cells.get((n, columns.index(f"{OURS[0]}: difference")), [])) for n, m in enumerate(methods)
    }
    assert at_difference["RNS"] == {"background-color": "#D55E0038"}
    assert at_difference["AUC-NS"] == {"background-color": "#009E7338"}
    assert at_difference["IPS-CN"] == at_difference["PNS"] == {}


def test_one_bp_and_gowalla_have_tables_of_their_own(visit, settings: Settings, info: DatasetInfo) -> None:
    worlds.write_plan(settings, info, plan.make_plan(("one_bp",)))
    at = visit("reproduction", table="OneBP against two-sided updating")
    frame = at.dataframe[0].value
    assert list(frame["Updating"]) == ["two-sided", "OneBP"] * 2
    assert list(frame["NDCG@10"]) == pytest.approx([0.4 + 0.001 - 0.005] * 4)
    assert "an epoch takes" in text(at)
    at = visit("reproduction", table="Gowalla")
    assert list(at.dataframe[0].value["Seeds"]) == [0] * 6
    assert not at.error


def test_what_is_missing_is_counted_and_queued_by_the_button(visit, settings: Settings, info: DatasetInfo) -> None:
    worlds.write_plan(settings, info, plan.make_plan(("mf",)), leave_out={"PNS", "MACR"})
    at = visit("reproduction")
    assert "**60 runs**: 48 trained, 0 under way, **12 missing**" in text(at)
    next(b for b in at.button if b.label == "Run what is missing: 12 runs").click().run()
    assert not at.exception and not at.error
    assert Queue(settings).counts()[State.QUEUED] == 12
    assert "**60 runs**: 48 trained, 12 under way, **0 missing**" in text(at)
    assert [b.disabled for b in at.button if b.label == "All under way"] == [True]
    assert "12 waiting" in text(at)


def test_all_tables_at_once_with_what_is_fetched_first(visit, settings: Settings, info: DatasetInfo) -> None:
    at = visit("reproduction")
    at.toggle(key="all_tables").set_value(True).run()
    assert "**150 runs**" in text(at)
    assert "Fetched first: Gowalla check\\-ins" in text(at)
    next(b for b in at.button if b.label.startswith("Run what is missing: 150")).click().run()
    assert not at.error
    assert len(Queue(settings).jobs(kind=Kind.PREPARE)) == 1
    assert Queue(settings).counts()[State.QUEUED] == 132 + 1


def test_everything_trained_leaves_nothing_to_do(visit, settings: Settings, info: DatasetInfo) -> None:
    worlds.write_plan(settings, info, plan.make_plan(("lightgcn",)))
    at = visit("reproduction", table="MovieLens 100K, LightGCN")
    assert [b.disabled for b in at.button if b.label == "Everything is trained"] == [True]


def test_deviations_are_explained(visit, info: DatasetInfo) -> None:
    from core.reproduction.deviations import DEVIATIONS

    at = visit("reproduction")
    read = text(at).replace("\\", "")
    for what in DEVIATIONS:
        assert f"**{what}.**" in read
