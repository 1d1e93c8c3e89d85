"""`doctor`: each thing that can be wrong is found, named and mended, and nothing of the user's own is lost."""

import json
import shutil
from dataclasses import replace

import pytest

from core import doctor
from core.datasets.scratch import scratch
from core.datasets.store import list_datasets, publish
from core.jobs import artifacts
from core.jobs.added_lists import add_lists, added_lists
from core.jobs.queue import Queue
from core.warehouse.database import Warehouse
from tests.tiny import tiny_dataset, tiny_prepared


@pytest.fixture
def cache(settings, trained, monkeypatch):
    """This test's own copy of the cache with trained runs, indexed; packages are taken as they are."""
    settings.kernels.unlink()  # a link to kernels that all tests share, those of older sources among them
    shutil.copytree(trained, settings.cache, ignore=shutil.ignore_patterns("numba"), dirs_exist_ok=True)
    Warehouse.open(settings, own=True).close()
    monkeypatch.setattr(doctor, "pinned", lambda _: [])
    return settings


def a_run(settings):
    """The folder of one finished run."""
    return settings.runs / artifacts.finished_runs(settings)[0]


def damage(path):
    """Flip a bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def rewrite(path, **changes):
    """Change what a JSON file says."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def break_file(settings):
    damage(a_run(settings) / "per_user.parquet")


def break_meta(settings):
    (a_run(settings) / "meta.json").write_text("{")


def age(settings):
    rewrite(a_run(settings) / "meta.json", result_version=0)


def leave_attempt(settings):
    (settings.attempts / "0123456789abcdef.1").mkdir(parents=True)


def leave_trash(settings):
    (settings.attempts / ".trash-0").mkdir(parents=True)


def leave_preparation(settings):
    (settings.datasets / ".work-killed").mkdir(parents=True)


def break_queue(settings):
    settings.state.write_bytes(b"no database " * 1000)


def break_database(settings):
    settings.database.write_bytes(b"no database " * 1000)


def break_dataset(settings):
    (list_datasets(settings)[0].folder / "interactions.parquet").write_bytes(b"PAR1")


def added(settings):
    """Added lists of one user."""
    path = settings.cache / "lists.csv"
    path.write_text("user,item,rank\nu00,i70,1\n")
    return add_lists(settings, list_datasets(settings)[0], path, "Shop").lists


def break_lists(settings):
    damage(added(settings).folder / "train" / "metrics.parquet")


def age_lists(settings):
    rewrite(added(settings).folder / "meta.json", result_version=0)


def leave_lists_aside(settings):
    one = added(settings)
    one.folder.rename(settings.lists / f".before-{one.id}")


def leave_lists_replaced(settings):
    """As a process does that is killed between the rename of the new lists and that of the old ones."""
    one = added(settings)
    shutil.copytree(one.folder, settings.lists / "0123456789abcdef")
    rewrite(settings.lists / "0123456789abcdef" / "meta.json", lists="0123456789abcdef", created=1.0)


WRONG = {
    "lists": (break_lists, age_lists, leave_lists_aside, leave_lists_replaced),
    "runs": (break_file, break_meta, age),
    "leftovers": (leave_attempt, leave_trash, leave_preparation),
    "queue": (break_queue,),
    "database": (break_database,),
    "data sets": (break_dataset,),
}


def test_nothing_is_wrong(cache, command):
    assert command("doctor", "--json").json == []
    assert command("doctor").out == "Nothing is wrong.\n"


@pytest.mark.parametrize(
    ("part", "cause"),
    [(part, cause) for part, causes in WRONG.items() for cause in causes],
    ids=lambda x: getattr(x, "__name__", x),
)
def test_what_is_wrong_is_found_named_and_mended(cache, command, part, cause):
    cause(cache)
    before = sorted(path for path in cache.cache.rglob("*") if path.suffix != ".lock")
    [found] = command("doctor", "--dry-run", "--json").json
    assert (found["part"], found["by_itself"], found["mended"]) == (part, True, False)
    assert found["problem"].endswith(".")
    assert "doctor" not in found["problem"]
    assert sorted(path for path in cache.cache.rglob("*") if path.suffix != ".lock") == before
    answer = command("doctor")
    assert answer.code == 0
    assert found["problem"] in answer.out
    assert "Done:" in answer.out
    assert command("doctor", "--json").json == []
    assert [one.name for one in added_lists(cache)] == (["Shop"] if part == "lists" else [])


def test_added_lists_that_are_damaged_themselves_are_reported_and_kept(cache, command):
    one = added(cache)
    damage(one.folder / "train" / "top_k.parquet")
    answer = command("doctor", "--json")
    assert answer.code == 1
    [found] = answer.json
    assert (found["part"], found["by_itself"], found["mended"]) == ("lists", False, False)
    assert "add the file again" in found["mend"]
    assert one.folder.is_dir()


def test_a_damaged_queue_is_moved_aside(cache, command):
    break_queue(cache)
    content = cache.state.read_bytes()
    command("doctor")
    [aside] = cache.cache.glob("state.sqlite.damaged-*")
    assert aside.read_bytes() == content
    assert Queue(cache).jobs() == []


def test_a_damaged_run_is_trained_again(cache, command):
    lost = a_run(cache).name
    break_file(cache)
    command("doctor")
    assert lost not in artifacts.finished_runs(cache)
    assert len(artifacts.finished_runs(cache)) == 6


def test_a_damaged_import_is_reported_and_kept(settings, command, monkeypatch):
    monkeypatch.setattr(doctor, "pinned", lambda _: [])
    settings.kernels.unlink()
    prepared = tiny_prepared()
    info = publish(settings, replace(prepared, about=replace(prepared.about, imported=True)))
    (info.folder / "interactions.parquet").write_bytes(b"PAR1")
    answer = command("doctor", "--json")
    assert answer.code == 1
    [found] = answer.json
    assert (found["by_itself"], found["mended"]) == (False, False)
    assert "import it again" in found["mend"]
    assert (info.folder / "interactions.parquet").exists()


def test_old_kernels_go(settings, command, tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "pinned", lambda _: [])
    settings.kernels.unlink()
    (settings.kernels / "0000000000000000").mkdir(parents=True)
    [found] = command("doctor", "--json").json
    assert (found["part"], found["mended"]) == ("leftovers", True)
    assert list(settings.kernels.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [("numpy==1.0.0", "numpy 2"), ("no-such-package==1.0", "no-such-package is not installed")],
    ids=["version", "missing"],
)
def test_packages_are_compared_with_what_was_tested(settings, tmp_path, monkeypatch, line, says):
    (tmp_path / "requirements.txt").write_text(f"# comment\n{line}   # why\n")
    monkeypatch.setattr(doctor, "PROJECT", tmp_path)
    [found] = doctor.python(settings)
    assert found.problem.startswith(says)
    assert not doctor.mend(found)


def test_this_installation_is_what_was_tested(settings):
    assert [finding.problem for finding in doctor.python(settings)] == []


def test_a_cache_that_cannot_be_written(settings, monkeypatch):
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    [found] = doctor.writable(settings)
    assert str(settings.cache) in found.problem


def test_a_folder_that_another_process_works_in_is_left_alone(cache, monkeypatch):
    leave_attempt(cache)
    monkeypatch.setattr(doctor.control, "worker_running", lambda _: True)
    with scratch(cache):
        assert list(doctor.leftovers(cache)) == []
        assert list(doctor.datasets(cache)) == []


def test_an_empty_cache_is_sound(settings, monkeypatch):
    monkeypatch.setattr(doctor, "pinned", lambda _: [])
    settings.kernels.unlink()
    assert list(doctor.examine(settings)) == []
    tiny_dataset(settings)
    assert list(doctor.examine(settings)) == []
