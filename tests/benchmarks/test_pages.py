"""What `python -m benchmarks.pages` makes up and how it counts. No speed is asserted."""

import pytest

from benchmarks import made_up, pages
from core.jobs import artifacts
from core.jobs.queue import Queue, State
from core.settings import PROJECT
from core.warehouse import queries, verdicts
from core.warehouse.database import Warehouse


@pytest.fixture(scope="module")
def planned():
    return made_up.plan("d" * 16, 10_000)


def test_thousands_of_settings_each_once_with_three_seeds_and_a_tenth_replicates(planned):
    assert len({run.id for run in planned}) == len(planned) == 10_000
    assert sum(run.bootstrap is not None for run in planned) == 1_000
    seeds = [run for run in planned if run.bootstrap is None]
    assert len({run.variant.id for run in seeds}) == 3_000 and {run.seed for run in seeds} == {0, 1, 2}
    assert len({run.variant.method for run in planned}) >= 8
    assert "RNS" in {run.variant.label for run in seeds}


def test_what_is_made_up_is_read_as_what_is_trained(settings):
    info = made_up.make(settings, 30)
    assert (info.users, info.items) == (made_up.USERS, made_up.ITEMS)
    assert info.interactions == pytest.approx(100_000, rel=0.1)
    w = Warehouse.open(settings, own=False)
    assert w.problems == () and len(queries.runs(w, info.id)) == 30
    assert [artifacts.verify(settings.runs / run) for run in artifacts.finished_runs(settings)] == [[]] * 30
    assert Queue(settings).counts()[State.DONE] == 30
    found = verdicts.verdicts(w, info.id, "test", "validation", "aplt@10", "ndcg@10")
    assert found[["x_from", "y_from", "front"]].notna().all(axis=None)
    points = queries.trade_off(w, info.id, "test", "validation", "aplt@10", "ndcg@10")
    assert points["x"].nunique() == points.loc[~points["also_on"], "variant"].nunique()  # no two settings are the same


def test_every_page_is_visited():
    assert set(pages.VISITS) == {path.stem for path in (PROJECT / "pages").glob("*.py")} - {"__init__"}


def test_a_median_of_each_thing_judged_by_the_processor():
    found = pages.medians([pages.Took("a", cpu, 9.0, 0.3) for cpu in (0.1, 0.5, 0.2)] + [pages.Took("b", 7, 7)])
    assert found == [pages.Took("a", 0.2, 9.0, 0.3), pages.Took("b", 7, 7, None)]
    assert [took.missed for took in found] == [False, False]
    assert pages.Took("a", 0.31, 0.1, 0.3).missed


def test_more_runs_may_take_longer():
    assert [pages.target_of(runs) for runs in (100, 1_000, 1_001, 10_000)] == [0.3, 0.3, 1.0, 1.0]
