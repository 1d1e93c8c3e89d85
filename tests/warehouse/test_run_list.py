"""The list of all runs: how index and queue meet, against a hand-made cache; paging and filters as properties."""

import math
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.errors import Unknown
from core.jobs import artifacts
from core.jobs.added_lists import add_lists
from core.jobs.queue import Queue, Report, State
from core.models.sweep import Sweep
from core.models.variant import Run, make_variant
from core.settings import Settings
from core.warehouse import queries
from core.warehouse.database import Warehouse
from core.warehouse.run_list import LISTED, ORDERS, STATES, RunList, Wanted, choices, ends, metrics_of_run
from tests.jobs.test_added_lists import saved
from tests.tiny import tiny_dataset
from tests.warehouse.fake_runs import write_run
from tests.warehouse.hand import hand_dataset

ANY = Sweep(({"sampler": ["rns"]},), seeds=(0,), name="by hand")


def measured(value: float) -> dict:
    return {"validation": {"ndcg@10": value}, "test": {"ndcg@10": value / 2}}


class World:
    """One of each state, and the numbers by which they are told.

    seed  0 done, 1 done by somebody else's queue, 2 running, 3 and 4 waiting, 5 failed, 6 cancelled, 7 deleted,
    8 unreadable, 9 failed and then done; all RNS, but the waiting ones are DNS. And a preparation that failed.
    """

    def __init__(self, settings: Settings):
        self.settings, self.dataset = settings, tiny_dataset(settings).id
        self.rns, self.dns = make_variant(self.dataset, sampler="rns"), make_variant(self.dataset, sampler="dns")
        self.queue = queue = Queue(settings)
        for seed, (value, seconds) in {
            0: (0.30, 5.0),
            1: (0.50, 2.0),
            7: (0.9, 1.0),
            8: (0.9, 1.0),
            9: (0.4, 9.0),
        }.items():
            about = {"seconds": seconds, "created": 1_700_000_000.0 + seed, "peak_memory_mb": 100.0 + seed}
            write_run(settings, self.rns, seed, measured(value), meta=about)
        order = [Run(self.rns, n) for n in (9, 0, 5, 7, 8, 2, 6)] + [Run(self.dns, n) for n in (3, 4)]
        self.sweep = queue.add_sweep(self.dataset, ANY, order).sweep
        queue.fail(queue.claim(), "Training diverged in epoch 12: lower lr, which is 0.5.")  # 9, which was retrained
        queue.finish(queue.claim())
        queue.fail(queue.claim(), "Training diverged in epoch 3: lower lr, which is 1e-05.")
        queue.finish(queue.claim())
        queue.finish(queue.claim())
        running = queue.claim()
        queue.relay([(running, Report(share=0.5, epoch=4, epochs=8, seconds=3.0, left=3.0))])
        queue.cancel(queue.latest_of(Run(self.rns, 6).id).id)
        queue.add_prepare("ml-100k", label="Prepare MovieLens 100K")
        queue.fail(queue.claim(), "No source could be reached.")
        artifacts.delete_run(settings, Run(self.rns, 7).id)
        (settings.runs / Run(self.rns, 8).id / "meta.json").write_text("{")
        self.w = Warehouse.open(settings, own=False)

    def list(self, sweep: int | None = None) -> RunList:
        return RunList(self.w, self.queue.latest(sweep), sweep is not None)


@pytest.fixture
def world(settings: Settings) -> World:
    return World(settings)


def seeds(page: pd.DataFrame) -> list[int | None]:
    return [None if pd.isna(seed) else int(seed) for seed in page["seed"]]


def test_each_run_is_one_row_with_the_state_that_counts(world):
    everything = world.list().page(Wanted(states=STATES))
    trained = everything[everything["kind"] == "train"]
    states = dict(zip(seeds(trained), trained["state"], strict=True))
    assert states == {
        0: "done", 1: "done", 2: "running", 3: "waiting", 4: "waiting", 5: "failed", 6: "cancelled", 7: "deleted",
        8: "unreadable", 9: "done",
    }  # fmt: skip
    [prepare] = everything[everything["kind"] == "prepare"].to_dict("records")
    assert (prepare["setting"], prepare["state"], prepare["title"]) == ("Prepare MovieLens 100K", "failed", "ml-100k")
    assert pd.isna(prepare["run"])
    assert world.list().counts(Wanted()) == {
        "running": 1, "waiting": 2, "failed": 2, "done": 3, "cancelled": 1, "unreadable": 1, "deleted": 1,
    }  # fmt: skip


def test_a_finished_run_tells_what_its_files_say(world):
    found = world.list().page(Wanted("seed 9"))
    [row] = found.to_dict("records")
    assert (row["run"], row["variant"], row["setting"]) == (Run(world.rns, 9).id, world.rns.id, "RNS")
    assert (row["epoch"], row["epochs_run"], row["seconds"], row["memory"]) == (10, 15, 9.0, 109.0)
    assert (row["metric"], list(row["curve"]), row["moment"]) == (0.4, [0.2, 0.3, 0.25], 1_700_000_009.0)
    assert row["reason"] is None  # that of its failed job is history
    assert row["job"] == world.queue.latest_of(row["run"]).id
    [other] = world.list().page(Wanted(Run(world.rns, 1).id)).to_dict("records")
    assert pd.isna(other["job"])


def test_a_running_job_tells_what_it_said(world):
    [row] = world.list().page(Wanted(states=("running",))).to_dict("records")
    assert (row["share"], row["seconds"], row["title"], row["method"]) == (0.5, 3.0, "Tiny", "rns")
    assert pd.isna(row["epoch"])  # none is chosen yet
    assert row["curve"] is None or pd.isna(row["curve"])


def test_what_was_deleted_is_listed_only_when_asked_for(world):
    assert 7 not in seeds(world.list().page(Wanted()))
    assert seeds(world.list().page(Wanted(states=("deleted",)))) == [7]
    assert "deleted" not in LISTED


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted("dns"), {3, 4}),
        (Wanted("RNS  seed 2"), {2}),
        (Wanted("diverged"), {5}),
        (Wanted("tiny waiting"), {3, 4}),
        (Wanted("movielens"), {None}),
        (Wanted("rns dns"), set()),
        (Wanted("%"), set()),
        (Wanted(methods=("dns",)), {3, 4}),
        (Wanted(methods=("dns", "rns"), states=("waiting", "failed")), {3, 4, 5}),
        (Wanted(protocol="paper"), set()),
    ],
)
def test_filters(world, wanted, found):
    assert set(seeds(world.list().page(wanted))) == found
    listed = wanted.states or LISTED
    assert sum(n for state, n in world.list().counts(wanted).items() if state in listed) == len(found)


def test_a_data_set_is_asked_for_by_its_id(world):
    assert len(world.list().page(Wanted(dataset=world.dataset))) == 9  # 8 is damaged: nobody knows its data set
    assert len(world.list().page(Wanted(dataset="0" * 16))) == 0


def test_the_newest_are_what_is_under_way_as_it_will_be_trained_and_then_the_latest_to_end(world):
    assert seeds(world.list().page(Wanted()))[:3] == [2, 3, 4]
    done = world.list().page(Wanted(states=("done",)))
    assert seeds(done) == [9, 1, 0]
    assert seeds(world.list().page(Wanted(states=("done",)), "oldest")) == [0, 1, 9]


def test_as_asked_nothing_changes_its_place_when_jobs_begin_and_end(world):
    """The latest sweep first, as it is trained; 1 was trained elsewhere, long ago. None is the preparation."""
    newer = world.queue.add_sweep(world.dataset, ANY, [Run(world.dns, 20), Run(world.dns, 21)])
    asked = Wanted(states=STATES)
    before = seeds(world.list().page(asked, "asked"))
    assert before == [20, 21, None, 9, 0, 5, 7, 8, 2, 6, 3, 4, 1]
    world.queue.fail(world.queue.jobs(state=State.RUNNING)[0], "diverged")
    while job := world.queue.claim():
        world.queue.finish(job)
    world.queue.retry(world.queue.latest_of(Run(world.rns, 5).id).id)
    assert world.queue.members([newer.sweep])[newer.sweep].done == 2
    assert seeds(world.list().page(asked, "asked")) == before


def test_the_metrics_that_are_asked_for(settings):
    info = tiny_dataset(settings)
    values = {"ndcg@10": 0.25, "recall@5": 0.5, "aplt@10": 0.125, "gini@5": 0.75}
    of = {"validation": values, "test": dict.fromkeys(values, 0.9)}
    high = write_run(settings, make_variant(info.id, sampler="rns"), 0, of)
    low = write_run(settings, make_variant(info.id, sampler="rns"), 1, {"validation": {"ndcg@10": 0.3, "recall@5": 0}})
    w = Warehouse.open(settings, own=False)
    found = RunList(w, Queue(settings).latest())
    assert list(found.page(Wanted(), "metric")["metric"]) == [0.3, 0.25]
    other = found.page(Wanted(), "metric", accuracy="recall@5", bias="gini@5")
    assert list(other["run"]) == [high, low]
    assert list(other["metric"]) == [0.5, 0]
    assert [None if pd.isna(value) else value for value in other["bias"]] == [0.75, None]
    told = ends(w, [high, low, "0" * 16])
    assert {run: metric for run, (metric, _) in told.items()} == {high: 0.25, low: 0.3}
    assert [told[run][1] for run in other["run"]] == list(other["seconds"])
    paper = write_run(settings, make_variant(info.id, sampler="rns", protocol="paper"), 0, {"test": {"ndcg@10": 0.5}})
    w.refresh()
    assert ends(w, [paper])[paper][0] is None
    assert ends(w, []) == {}


def test_what_any_row_of_the_whole_result_has(world):
    found = world.list()
    whole = found.present(Wanted())
    assert whole == {"seed", "seconds", "epoch", "memory", "validated", "unfinished", "titles"}
    assert found.present(Wanted(states=("done",))) == whole - {"unfinished", "titles"}
    assert found.present(Wanted(states=("waiting",))) == {"seed", "validated", "unfinished"}
    assert found.present(Wanted("nowhere")) == set()


@pytest.mark.parametrize(
    ("order", "first"), [("metric", [1, 9, 0]), ("slowest", [9, 0, 1]), ("memory", [9, 1, 0]), ("setting", [0, 1, 9])]
)
def test_orders(world, order, first):
    assert seeds(world.list().page(Wanted(states=("done",)), order)) == first


def test_a_sweep_has_its_runs_and_nothing_else(world):
    other = world.queue.add_sweep(world.dataset, ANY, [Run(world.dns, 3), Run(world.rns, 1)], {Run(world.rns, 1).id})
    assert sorted(seeds(world.list(other.sweep).page(Wanted()))) == [1, 3]
    assert len(world.list(world.sweep).page(Wanted(states=STATES))) == 9
    assert world.list(other.sweep).counts(Wanted())["unreadable"] == 0


def test_failures_that_differ_in_numbers_alone_are_one(world):
    more = [Run(world.dns, n) for n in (20, 21)]
    world.queue.cancel_all()
    world.queue.recover()
    world.queue.add_sweep(world.dataset, ANY, more)
    world.queue.fail(world.queue.claim(), "Training diverged in epoch 7: lower lr, which is 0.25.")
    world.queue.fail(world.queue.claim(), "Memory ran out.")
    found = world.list().failures(Wanted())
    first = found.iloc[0]
    assert (first["n"], list(first["settings"])) == (2, ["DNS (AUC-NS β 0)", "RNS"])
    assert first["reason"] == "Training diverged in epoch 7: lower lr, which is 0.25."
    assert {world.queue.job(job).payload["seed"] for job in first["jobs"]} == {5, 20}
    assert sorted(found["n"]) == [1, 1, 2]
    assert list(world.list().failures(Wanted("memory"))["reason"]) == ["Memory ran out."]


def test_what_can_be_filtered_by_is_what_there_is(world):
    found = choices(world.w, world.queue.asked())
    assert set(found["method"].dropna()) == {"rns", "dns"}
    assert set(found["dataset"].dropna()) == {world.dataset}


def test_what_there_is_not_is_refused(world):
    with pytest.raises(Unknown):
        Wanted(states=("finished",))
    with pytest.raises(Unknown):
        world.list().page(Wanted(), "run; DROP TABLE runs")


def test_an_empty_cache_has_an_empty_list(settings):
    w, queue = Warehouse.open(settings, own=False), Queue(settings)
    assert choices(w, queue.asked()).empty
    found = RunList(w, queue.latest())
    assert found.page(Wanted()).empty
    assert found.counts(Wanted()) == dict.fromkeys(STATES, 0)
    assert found.failures(Wanted()).empty


# ---------------------------------------------------------------- pages

MANY = 37


@pytest.fixture(scope="module")
def many() -> RunList:
    """A sweep of which each second run is finished, with equal values so that orders tie, and the rest waits."""
    settings = Settings(cache=Path(tempfile.mkdtemp()), autostart=False)
    dataset = tiny_dataset(settings).id
    runs = [Run(make_variant(dataset, sampler="rns", dim=8 + n % 3), n) for n in range(MANY)]
    Queue(settings).add_sweep(dataset, ANY, runs)
    for run in runs[::2]:
        write_run(settings, run.variant, run.seed, measured(0.25))
    return RunList(Warehouse.open(settings, own=False), Queue(settings).latest())


@given(
    limit=st.integers(1, 50),
    order=st.sampled_from(sorted(ORDERS)),
    states=st.lists(st.sampled_from(STATES), unique=True).map(tuple),
    text=st.sampled_from(["", "dim 9", "seed 1", "dim 9 seed 4", "nowhere"]),
)
@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_follow_each_other_without_gap_or_repeat(many, limit, order, states, text):
    wanted = Wanted(text, states)
    counts = many.counts(wanted)
    n = sum(counts[state] for state in states or LISTED)
    whole = many.page(wanted, order, limit=1000)
    assert len(whole) == n
    pages = [many.page(wanted, order, limit, offset) for offset in range(0, math.ceil(n / limit) * limit, limit)]
    assert [len(page) for page in pages[:-1]] == [limit] * max(len(pages) - 1, 0)
    assert [run for page in pages for run in page["run"]] == list(whole["run"])
    assert whole["run"].is_unique
    assert many.page(wanted, order, limit, n).empty


@given(
    text=st.text(max_size=12),
    methods=st.lists(st.text(max_size=6), max_size=2).map(tuple),
    dataset=st.none() | st.text(max_size=6),
    protocol=st.none() | st.text(max_size=6),
)
@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_is_a_value_and_no_statement(many, text, methods, dataset, protocol):
    wanted = Wanted(text, (), methods, dataset, protocol)
    page = many.page(wanted)
    assert len(page) == sum(many.counts(wanted)[state] for state in LISTED)
    for _, row in page.iterrows():
        told = f"{row['setting']} {row['title']} {row['protocol']} {row['state']}".lower()
        assert all(word in told or row["run"].startswith(word) for word in text.lower().split())


def test_a_replicate_is_told_by_its_number(settings):
    dataset = tiny_dataset(settings).id
    variant = make_variant(dataset, sampler="rns")
    for bootstrap in (None, 0, 1):
        write_run(settings, variant, 0, bootstrap=bootstrap)
    found = RunList(Warehouse.open(settings, own=False), Queue(settings).latest())
    assert [None if pd.isna(n) else n for n in found.page(Wanted(), "setting")["bootstrap"]] == [None, 0, 1]
    assert list(found.page(Wanted("replicate 1"))["bootstrap"]) == [1]


def test_added_lists_are_no_runs(settings, tmp_path):
    info = hand_dataset(settings)
    add_lists(settings, info, saved(tmp_path), "Shop")
    w = Warehouse.open(settings, own=False)
    assert len(queries.variants(w, info.id)) == 1
    assert RunList(w, Queue(settings).latest()).page(Wanted()).empty


def test_a_runs_metrics_on_both_splits(settings):
    dataset = tiny_dataset(settings).id
    write_run(settings, make_variant(dataset, sampler="rns"), metrics=measured(0.5))
    own = {"test": {"ndcg@10": 0.75}}
    paper = write_run(settings, make_variant(dataset, "paper", sampler="rns"), metrics=own, per_metric=own, epoch=15)
    w = Warehouse.open(settings, own=False)
    [row] = metrics_of_run(w, Run(make_variant(dataset, sampler="rns"), 0).id).to_dict("records")
    assert (row["metric"], row["validation"], row["test"]) == ("ndcg@10", 0.5, 0.25)
    assert pd.isna(row["own_best"])
    [row] = metrics_of_run(w, paper).to_dict("records")
    assert (row["test"], row["own_best"], row["own_epoch"]) == (0.75, 0.75, 15)
    assert pd.isna(row["validation"])
