"""`sweep`, `worker` and `jobs`: from a grid on the command line to finished runs."""

import json

import pytest

from core.datasets.store import find_dataset
from core.jobs import artifacts, control
from core.jobs.queue import Queue
from core.models.plan import plan_text
from core.models.sweep import Sweep
from tests.cli.conftest import SWEEP
from tests.tiny import tiny_dataset

QUICK = ("--epochs", "1", "--dim", "4")


@pytest.fixture
def tiny(settings):
    """The tiny data set in this test's own cache."""
    return tiny_dataset(settings)


def test_a_dry_run_plans_and_queues_nothing(command, tiny, settings):
    plan = command(
        "sweep", "tiny", "--sampler", "auc_ns", "--beta", "0", "0.1", "--seed", "0", "1", "2", "--dry-run", "--json"
    )
    assert (plan.json["runs"], plan.json["cached"], plan.json["to_train"]) == (2 * 3, 0, 6)
    assert [v["fields"]["sampler"] for v in plan.json["variants"]] == ["dns", "auc_ns"]
    assert [v["variant"] for v in plan.json["variants"]] == [
        v.id for v in Sweep(({"sampler": ["auc_ns"], "beta": [0, 0.1]},)).variants(tiny.id)
    ]
    assert Queue(settings).jobs() == []


def test_a_field_that_is_not_used_makes_no_copies(command, tiny):
    plan = command("sweep", "tiny", "--sampler", "rns", "--beta", "0", "0.1", "--dry-run", "--json").json
    assert plan["runs"] == 1


def test_an_option_that_changes_nothing_is_told(command, tiny):
    answer = command("sweep", "tiny", "--beta", "0", "nonsense", "--dry-run", "--json")
    assert (answer.code, answer.json["runs"]) == (0, 1)
    assert answer.err == "--beta changed nothing: no method asked for uses it.\n"
    penalty = command("sweep", "tiny", "--baseline", "ease", "pop_penalty", "--dry-run")
    assert "re-ranks what is trained: the default setting" in penalty.err
    assert command("sweep", "tiny", "--baseline", "pop_penalty", "--sampler", "dns", "--dry-run").err == ""
    for used in (("--sampler", "rns", "auc_ns", "--beta", "0"), ("--dim", "4"), ("--baseline", "random")):
        assert command("sweep", "tiny", *used, "--dry-run").err == ""


def test_an_option_given_twice_adds_up(command, tiny):
    once = command("sweep", "tiny", "--dim", "4", "8", "--seed", "0", "1", "--dry-run", "--json").json
    twice = command("sweep", "tiny", "--dim", "4", "--seed", "0", "--dim", "8", "--seed", "1", "--dry-run", "--json")
    assert (twice.json, once["runs"]) == (once, 4)


def test_baselines_alone_and_nothing_at_all(command, tiny):
    methods = command("sweep", "tiny", "--baseline", "most_popular", "random", "--dry-run", "--json").json["variants"]
    assert [v["fields"]["baseline"] for v in methods] == ["most_popular", "random"]
    [default] = command("sweep", "tiny", "--dry-run", "--json").json["variants"]
    assert (default["fields"]["encoder"], default["fields"]["sampler"], default["fields"]["loss"]) == (
        "mf",
        "rns",
        "bpr",
    )


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("--beta", "-1", "--sampler", "auc_ns"), "beta='-1' is out of range"),
        (("--alpha", "high", "--sampler", "auc_ns"), "alpha='high' is not a number"),
        (("--sampler", "auc-ns"), "Did you mean auc_ns"),
        (("--baseline", "popular"), "most_popular"),
        (("--protocol", "test"), "protocol 'test'"),
    ],
    ids=["range", "number", "sampler", "baseline", "protocol"],
)
def test_a_variant_without_meaning_is_refused(command, tiny, settings, argv, says):
    answer = command("sweep", "tiny", *argv, "--json")
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err
    assert Queue(settings).jobs() == []


def test_what_was_trained_is_not_trained_again(reading):
    again = reading("sweep", "tiny", *SWEEP, "--baseline", "most_popular", "--dry-run", "--json").json
    # RNS, DNS (AUC-NS at beta 0) and AUC-NS by two seeds; most popular knows no chance
    assert (again["runs"], again["cached"], again["to_train"]) == (3 * 2 + 1, 7, 0)


def test_queue_then_train(command, tiny, settings):
    queued = command("sweep", "tiny", *QUICK, "--no-worker", "--json").json
    assert (queued["dataset"], queued["queued"], queued["cached"], len(queued["runs"])) == (tiny.id, 1, 0, 1)
    [job] = command("jobs", "--json").json
    assert set(job) == {"job", "kind", "run", "label", "state", "epoch", "epochs", "seconds", "left", "tries", "reason"}
    assert (job["kind"], job["run"], job["state"]) == ("train", queued["runs"][0], "queued")
    assert command("worker", "--once", "--json").json == {"served": True}
    assert artifacts.finished_runs(settings) == queued["runs"]
    assert command("jobs", "list", "--json").json[0]["state"] == "done"
    waited = command("sweep", "tiny", *QUICK, "--no-worker", "--wait", "--json").json
    assert (waited["cached"], waited["failed"]) == (1, [])


BASELINES = (
    "--baseline", "ease", "item_knn", "pop_penalty", "--ease-lambda", "50", "70", "--knn-neighbours", "7",
    "--penalty-strength", "0", "0.05", "0.5", "--sampler", "auc_ns", "--beta", "0.05", *QUICK,
)  # fmt: skip


def test_baselines_with_settings_and_re_ranked_runs_from_the_queue_to_their_results(command, tiny, settings):
    queued = command("sweep", "tiny", *BASELINES, "--no-worker", "--json").json
    assert queued["queued"] == 2 + 1 + 1 + 2  # EASE, ItemKNN, AUC-NS, which is its penalty of 0, and two penalties
    assert command("worker", "--once").code == 0
    assert {(job["state"], job["reason"]) for job in command("jobs", "--json").json} == {("done", None)}
    assert sorted(queued["runs"]) == artifacts.finished_runs(settings)
    records = command("results", "tiny", "--json").json
    assert {r["label"] for r in records} == {
        "EASE, ease lambda 50", "EASE, ease lambda 70", "ItemKNN, knn neighbours 7",
        "AUC-NS β 0.05, dim 4, epochs 1",
        "AUC-NS β 0.05, dim 4, epochs 1, popularity penalty 0.05",
        "AUC-NS β 0.05, dim 4, epochs 1, popularity penalty 0.5",
    }  # fmt: skip
    found = {r["fields"].get("penalty_strength"): r for r in records if r["fields"].get("sampler")}
    assert {r["epoch"] for r in found.values()} == {1}  # that of what is re-ranked
    assert found[0.5]["engine"] == "re-ranking"
    assert found[0.5]["metrics"]["arp@10"] < found[None]["metrics"]["arp@10"]
    for run in queued["runs"]:
        assert artifacts.verify(settings.runs / run) == []
        assert len(command("recommend", run, "--user", "u03", "-k", "5", "--json").json["lists"]) == 5
    assert not [finding for finding in command("doctor", "--dry-run", "--json").json if finding["part"] == "runs"]


def test_baselines_are_refitted_with_their_settings(command, tiny):
    assert command("sweep", "tiny", *BASELINES, "--no-worker").code == 0
    assert command("worker", "--once").code == 0
    plan = command("sweep", "tiny", *BASELINES, "--protocol", "refit", "--dry-run", "--json").json
    assert plan["runs"] == 6
    assert [v["fields"].get("ease_lambda") for v in plan["variants"]] == [50, 70, None, None, None, None]


def test_wait_starts_the_worker_and_tells_of_failures(command, tiny):
    """A learning rate that diverges fails its run; the other one is done."""
    answer = command("sweep", "tiny", "--lr", "0.01", "100", "--epochs", "3", "--wait", "--json")
    assert answer.code == 1
    [failed] = answer.json["failed"]
    assert failed["state"] == "failed"
    assert failed["reason"] in answer.err


def test_a_known_data_set_is_fetched_first(command, settings):
    answer = command("sweep", "ml-100k", "--no-worker", "--json")
    assert answer.json["dataset"] == "ml-100k"
    [job] = Queue(settings).jobs()
    assert (job.kind, job.payload["name"], Sweep.from_json(job.payload["then"]).seeds) == ("prepare", "ml-100k", (0,))


def test_wait_follows_the_fetch_and_then_the_runs(command, settings):
    answer = command("sweep", "simulated", *QUICK, "--wait", "--json")
    assert answer.code == 0
    assert answer.json["dataset"] == find_dataset(settings, "simulated").id
    assert artifacts.finished_runs(settings) == answer.json["runs"]


def test_an_unknown_data_set(command):
    answer = command("sweep", "ml-100", "--dry-run")
    assert answer.code == 2
    assert "Did you mean ml-100k" in answer.err


@pytest.fixture
def plan_file(tmp_path):
    """Write a plan and return its path."""

    def write(text):
        path = tmp_path / "plan.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_plan_asks_for_what_the_options_ask_for(command, tiny, plan_file):
    plan = plan_file('seeds = [3]\nbaselines = "random"\n[[grids]]\nsampler = "auc_ns"\nbeta = [0.1, 0.2]\n')
    by_file = command("sweep", "tiny", "--file", plan, "--dry-run", "--json").json
    options = ("--seed", "3", "--baseline", "random", "--sampler", "auc_ns", "--beta", "0.1", "0.2")
    assert by_file == command("sweep", "tiny", *options, "--dry-run", "--json").json
    assert command("sweep", "tiny", "--file", plan, "--seed", "0", "1", "--dry-run", "--json").json["runs"] == 3 * 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("seeds = [0", "it is no plan"),
        ("seed = [0]\n", "there is no such key"),
        ("seeds = [-1]\nbaselines = ['random']\n", "whole numbers"),
        ("[[grids]]\nbetta = [0.1]\n", "there is no such field"),
        ("baselines = ['popular']\n", "most_popular"),
        ("protocol = 'test'\n", "there is no such protocol"),
        ("grids = [1]\n", "1 is no table"),
        ("name = 'x'\n", "it asks for nothing"),
    ],
    ids=["toml", "key", "seed", "field", "baseline", "protocol", "grid", "nothing"],
)
def test_a_bad_plan_names_the_place(command, tiny, plan_file, text, says):
    path = plan_file(text)
    answer = command("sweep", "tiny", "--file", path)
    assert answer.code == 2
    assert str(path) in answer.err
    assert says in answer.err


def test_a_plan_says_its_data_set_and_runs_again(command, tiny, plan_file):
    sweep = Sweep(({"sampler": ["auc_ns"], "beta": ["0.1", "0.2"]},), ("most_popular",), (0, 4), name="Again")
    path = plan_file(plan_text(sweep, "tiny", tiny.id))
    answer = command("sweep", "--file", path, "--dry-run", "--json")
    assert answer.code == 0
    assert answer.json["dataset"] == tiny.id
    assert [v["variant"] for v in answer.json["variants"]] == [v.id for v in sweep.variants(tiny.id)]
    assert answer.json["runs"] == len(sweep.runs(tiny.id))


def test_a_plan_for_other_data_says_so(command, tiny, plan_file):
    path = plan_file(plan_text(Sweep(({"sampler": ["rns"]},)), "elsewhere", "0" * 16))
    answer = command("sweep", "tiny", "--file", path, "--dry-run")
    assert answer.code == 0
    assert "made for elsewhere" in answer.err
    assert command("sweep", "--file", path, "--dry-run").code == 2  # elsewhere is not here


def test_without_a_data_set_nothing_is_asked(command, tiny, plan_file):
    answer = command("sweep", "--file", plan_file("baselines = ['random']\n"), "--dry-run")
    assert answer.code == 2
    assert "does not say which data set" in answer.err
    assert command("sweep", "--sampler", "rns").code == 2


def test_a_plan_and_fields_exclude_each_other(command, tiny, plan_file):
    answer = command("sweep", "tiny", "--file", plan_file("baselines = ['random']\n"), "--beta", "0.1")
    assert answer.code == 2
    assert "--beta and --file" in answer.err


def test_jobs_are_steered(command, tiny, settings, monkeypatch):
    monkeypatch.setattr(control, "ensure_worker", lambda _: False)
    command("sweep", "tiny", *QUICK, "--seed", "0", "1", "2", "--no-worker")
    first, second, third = (job["job"] for job in reversed(command("jobs", "--json").json))
    assert command("jobs", "cancel", str(first), "--json").json["state"] == "cancelled"
    assert command("jobs", "retry", str(first), "--json").json["state"] == "queued"
    run = Queue(settings).job(second).run
    assert command("jobs", "cancel", run[:8], "--json").json["job"] == second
    assert command("jobs", "pause", "--json").json == {"paused": True}
    paused = command("jobs")
    assert "paused" in paused.err
    assert str(third) in paused.out
    assert command("jobs", "resume", "--json").json == {"paused": False}
    assert command("jobs", "cancel", "all", "--json").json == {"cancelled": 2}
    assert {job["state"] for job in json.loads(command("jobs", "--json").out)} == {"cancelled"}


@pytest.mark.parametrize("asked", ["99", "", "zz"])
def test_a_job_that_is_not_there(command, tiny, asked):
    answer = command("jobs", "cancel", asked)
    assert answer.code == 2
    assert "There is no job" in answer.err


def test_an_empty_queue(command):
    assert command("jobs", "--json").json == []
    assert "empty" in command("jobs").out


def test_a_baselines_setting_alone_asks_for_nothing(command, tiny, settings):
    answer = command("sweep", "tiny", "--ease-lambda", "5")
    assert answer.code == 2
    assert "Add the baseline, say `--baseline ease`" in answer.err
