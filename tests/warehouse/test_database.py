"""The index over the files: taken in, refreshed, rebuilt, shared. Whatever is wrong, nothing is lost or crashes."""

import shutil
import subprocess
import sys
import threading
import time

import duckdb
import pytest

from core.datasets import store
from core.errors import DamagedArtifact
from core.jobs import artifacts
from core.jobs.training import train
from core.models.variant import Run, make_variant
from core.warehouse import connection, ingestion, queries
from core.warehouse.database import Warehouse
from core.warehouse.schema import SCHEMA_VERSION, TABLES
from tests.tiny import tiny_dataset, tiny_prepared
from tests.warehouse.fake_runs import note_checksums, write_metrics, write_run
from tests.warehouse.hand import hand_dataset

AXES = ("test", "validation", "aplt@10", "ndcg@10")


@pytest.fixture
def dataset(settings):
    return tiny_dataset(settings).id


@pytest.fixture
def run(settings, dataset):
    return write_run(settings, make_variant(dataset, sampler="rns"))


def content(w):
    """Everything that a page could ask first, as plain values."""
    dataset = queries.datasets(w)["dataset"].iloc[0]
    return (
        queries.datasets(w).drop(columns="notes").to_dict("records"),
        queries.item_popularity(w, dataset).to_dict("records"),
        queries.user_profiles(w, dataset).to_dict("records"),
        queries.runs(w, dataset)["run"].tolist(),
        queries.trade_off(w, dataset, *AXES)[["variant", "x", "y"]].to_dict("records"),
    )


# ---------------------------------------------------------------- refreshing


def test_new_runs_and_data_sets_are_taken_in(settings):
    w = Warehouse.open(settings, own=True)
    empty = w.version
    info = tiny_dataset(settings)
    one = w.refresh()
    assert one != empty
    assert queries.datasets(w)["name"].tolist() == ["tiny"]
    write_run(settings, make_variant(info.id, sampler="rns"))
    assert w.refresh() != one
    assert len(queries.runs(w, info.id)) == 1
    w.close()


def test_nothing_changed_is_a_listing(settings, run, monkeypatch):
    w = Warehouse.open(settings, own=False)
    version = w.version
    monkeypatch.setattr(ingestion, "_transaction", lambda _: pytest.fail("wrote although nothing had changed"))
    monkeypatch.setattr(ingestion, "read_run", lambda _: pytest.fail("read a run again"))
    assert w.refresh() == version


def test_what_vanished_is_dropped(settings, dataset, run):
    w = Warehouse.open(settings, own=False)
    shutil.rmtree(settings.runs / run)
    w.refresh()
    assert queries.runs(w, dataset).empty
    assert w.frame("SELECT count(*) AS n FROM variants")["n"].tolist() == [0]
    store.remove_dataset(settings, dataset)
    w.refresh()
    assert queries.datasets(w).empty
    for table in ("users", "items", "interactions", "item_popularity", "user_profiles", "metrics", "histories"):
        assert w.frame(f"SELECT count(*) AS n FROM {table}")["n"].tolist() == [0], table


def test_a_variant_stays_while_one_of_its_runs_does(settings, dataset, run):
    write_run(settings, make_variant(dataset, sampler="rns"), seed=1)
    w = Warehouse.open(settings, own=False)
    shutil.rmtree(settings.runs / run)
    w.refresh()
    assert queries.variants(w, dataset)["seeds"].tolist() == [1]


def test_titles_added_later_are_seen(settings):
    dataset = hand_dataset(settings, titles=False).id
    w = Warehouse.open(settings, own=False)
    assert queries.item_popularity(w, dataset)["title"].isna().all()
    time.sleep(0.01)  # a folder may get its number again, not its time
    assert hand_dataset(settings).id == dataset
    w.refresh()
    assert "Fargo" in queries.item_popularity(w, dataset)["title"].tolist()
    assert len(queries.datasets(w)) == 1
    assert len(w.frame("SELECT * FROM interactions")) == 15


def test_the_version_stands_for_the_content(settings, run):
    first, second = Warehouse.open(settings, own=True), Warehouse.open(settings, own=False)
    assert first.version == second.version
    first.close()
    again = Warehouse.open(settings, own=True)
    assert again.version == second.version
    again.close()


def test_more_runs_than_a_batch(settings, dataset, monkeypatch):
    monkeypatch.setattr(ingestion, "BATCH", 3)
    for seed in range(8):
        write_run(settings, make_variant(dataset, sampler="rns"), seed)
    assert queries.variants(Warehouse.open(settings, own=False), dataset)["seeds"].tolist() == [8]


def test_a_run_of_a_data_set_that_is_gone_harms_nobody(settings, dataset):
    write_run(settings, make_variant("e" * 16, sampler="rns"))
    w = Warehouse.open(settings, own=False)
    assert not w.problems
    assert queries.datasets(w)["dataset"].tolist() == [dataset]


def test_a_run_that_was_really_trained_is_taken_in(settings, dataset):
    """The writer's format and the reader's are one: what artifacts.py publishes is read here."""
    found = store.read_dataset(settings.datasets / dataset)
    run = Run(make_variant(dataset, baseline="most_popular"), 0)
    result = train(found, run, lambda _: None)
    attempt = settings.attempts / f"{run.id}.0"
    attempt.mkdir(parents=True)
    artifacts.publish(settings, attempt, result, found)
    w = Warehouse.open(settings, own=False)
    assert not w.problems
    row = queries.trade_off(w, dataset, *AXES).iloc[0]
    test = result.evaluations["test"].metrics
    assert (row["label"], row["x"], row["y"]) == ("Most popular", test["aplt@10"], test["ndcg@10"])
    evaluation = result.evaluations["test"]
    user = found.user_ids[evaluation.users[0]]
    shown = queries.user_list(w, run.id, user)
    assert shown["item_id"].tolist() == [found.item_ids[i] for i in evaluation.ranking.items[0] if i >= 0]
    assert shown["hit"].sum() == evaluation.per_user["precision@20"][0] * 20
    exposure = queries.exposure(w, dataset, "test", "validation", [run.variant.id])
    assert exposure["share"].tolist() == pytest.approx(list(evaluation.exposure))


# ---------------------------------------------------------------- damage on the files' side


def truncate(folder):
    (folder / "metrics.parquet").write_bytes((folder / "metrics.parquet").read_bytes()[:50])


def flip(folder):
    data = bytearray((folder / "metrics.parquet").read_bytes())
    data[len(data) // 3] ^= 1
    (folder / "metrics.parquet").write_bytes(bytes(data))


def other_columns(folder):
    shutil.copy(folder / "history.parquet", folder / "metrics.parquet")
    note_checksums(folder)


def impossible_split(folder):
    write_metrics(folder, {"tset": {"ndcg@10": 0.5}}, {}, 1)
    note_checksums(folder)


DAMAGES = {
    "truncated metrics": truncate,
    "a flipped bit": flip,
    "no metrics": lambda folder: (folder / "metrics.parquet").unlink(),
    "no lists": lambda folder: (folder / "top_k.parquet").unlink(),
    "no meta": lambda folder: (folder / "meta.json").unlink(),
    "empty meta": lambda folder: (folder / "meta.json").write_text(""),
    "meta of another kind": lambda folder: (folder / "meta.json").write_text("[1, 2]"),
    "half a meta": lambda folder: (folder / "meta.json").write_text((folder / "meta.json").read_text()[:200]),
    "other columns": other_columns,
    "a split that there is not": impossible_split,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_run_is_skipped_and_told_and_its_neighbours_stay(settings, dataset, run, damage):
    bad = write_run(settings, make_variant(dataset, sampler="dns"))
    damage(settings.runs / bad)
    w = Warehouse.open(settings, own=False)
    assert queries.runs(w, dataset)["run"].tolist() == [run]
    assert [p.source.name for p in w.problems] == [bad]
    assert bad in w.problems[0].text
    assert w.frame("SELECT DISTINCT run FROM metrics")["run"].tolist() == [run]
    assert len(queries.variants(w, dataset)) == 1


@pytest.mark.parametrize(
    "override",
    [
        {"fields": {"sampler": "gone"}},
        {"variant": 3, "seed": 5},
        {"result_version": 0},
        {"seconds": None},
        {"epoch": -1},
    ],
    ids=lambda override: next(iter(override)),
)
def test_a_run_that_tells_nonsense_is_skipped(settings, dataset, run, override):
    bad = write_run(settings, make_variant(dataset, sampler="dns"), meta=override)
    w = Warehouse.open(settings, own=False)
    assert [p.source.name for p in w.problems] == [bad]
    assert queries.runs(w, dataset)["run"].tolist() == [run]


def test_a_problem_is_looked_at_again_only_when_the_folder_changes(settings, run, monkeypatch):
    path = settings.runs / run / "meta.json"
    whole = path.read_text()
    path.write_text("{")
    w = Warehouse.open(settings, own=False)
    assert len(w.problems) == 1
    version = w.version
    with monkeypatch.context() as patched:
        patched.setattr("core.warehouse.database.ingest", lambda *_: pytest.fail("tried again"))
        assert w.refresh() == version
    assert len(w.problems) == 1
    path.write_text(whole)
    assert w.refresh() != version
    assert not w.problems


def test_a_problem_goes_with_its_folder(settings, run):
    (settings.runs / run / "meta.json").unlink()
    w = Warehouse.open(settings, own=False)
    assert w.problems
    shutil.rmtree(settings.runs / run)
    w.refresh()
    assert not w.problems


@pytest.mark.parametrize("name", ["interactions.parquet", "users.parquet", "meta.json"])
def test_a_damaged_data_set_is_skipped_and_told(settings, dataset, name):
    other = store.publish(settings, tiny_prepared(seed=1, name="other"))
    (settings.datasets / dataset / name).write_bytes(b"PAR1 no more")
    w = Warehouse.open(settings, own=False)
    assert queries.datasets(w)["dataset"].tolist() == [other.id]
    assert [p.source.name for p in w.problems] == [dataset]
    assert w.frame("SELECT DISTINCT dataset FROM interactions")["dataset"].tolist() == [other.id]


def test_other_things_in_the_folders_are_left_alone(settings, run):
    for folder in (settings.runs, settings.datasets):
        (folder / ".tmp-1234").mkdir()
        (folder / "notes.txt").write_text("mine")
    w = Warehouse.open(settings, own=False)
    assert not w.problems


def test_read_run_says_what_is_damaged(settings, run):
    truncate(settings.runs / run)
    with pytest.raises(DamagedArtifact, match="checksum"):
        ingestion.read_run(settings.runs / run)


# ---------------------------------------------------------------- damage on the index's side


def shorten(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def of_another_version(path):
    with duckdb.connect(str(path)) as other:
        other.execute("UPDATE schema_version SET version = 'older'")


def foreign(path):
    path.unlink()
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE TABLE mine (x INTEGER)")


INDEX_DAMAGES = {
    "deleted": lambda path: path.unlink(),
    "truncated": shorten,
    "emptied": lambda path: path.write_bytes(b""),
    "random bytes": lambda path: path.write_bytes(bytes(range(256)) * 200),
    "of another schema version": of_another_version,
    "somebody else's tables": foreign,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a damaged log": lambda path: path.with_name(path.name + ".wal").write_bytes(b"nonsense" * 99),
}


@pytest.mark.parametrize("damage", INDEX_DAMAGES.values(), ids=INDEX_DAMAGES.keys())
def test_the_index_is_rebuilt_and_nothing_is_lost(settings, run, damage):
    w = Warehouse.open(settings, own=True)
    before = content(w)
    w.close()
    damage(settings.database)
    w = Warehouse.open(settings, own=True)
    assert not w.in_memory
    assert content(w) == before
    w.close()
    with duckdb.connect(str(settings.database), read_only=True) as found:
        assert found.execute("SELECT version FROM schema_version").fetchall() == [(SCHEMA_VERSION,)]


def test_damage_found_by_a_query_is_healed(settings, run, monkeypatch):
    w = Warehouse.open(settings, own=True)
    before = content(w)
    failed = []

    def fails_once(broken, *question):
        if not failed:
            failed.append(broken)
            raise duckdb.Error("Corrupt database file: computed checksum 1 does not match stored checksum 2")
        return real(broken, *question)

    real = w.frame.__globals__["_fetch"]
    monkeypatch.setitem(w.frame.__globals__, "_fetch", fails_once)
    assert content(w) == before
    assert failed
    assert w.frame("SELECT 1 AS one")["one"].tolist() == [1]
    w.close()


def test_a_wrong_query_is_no_damage(settings, run):
    w = Warehouse.open(settings, own=True)
    with pytest.raises(duckdb.ProgrammingError):
        w.frame("SELECT nothing FROM nowhere")
    assert settings.database.exists()
    assert not w.in_memory
    w.close()


def test_a_write_that_fails_leaves_nothing_half(settings, dataset, run, monkeypatch):
    """The second table of a batch refuses: the first one's rows are gone too, and a later refresh has all."""
    with monkeypatch.context() as patched:
        patched.setattr(ingestion, "_INSERT_HISTORIES", "SELECT error('the disk is full')")
        w = Warehouse.open(settings, own=False)
    assert w.frame("SELECT count(*) AS n FROM metrics")["n"].tolist() == [0]
    assert queries.runs(w, dataset).empty
    assert queries.variants(w, dataset).empty
    assert [p.source.name for p in w.problems] == [run]


HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


def test_held_by_another_process_the_index_is_built_in_memory(settings, run):
    Warehouse.open(settings, own=True).close()
    size = settings.database.stat().st_size
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(settings.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        w = Warehouse.open(settings, own=True)
        assert w.in_memory
        assert len(content(w)[3]) == 1
        w.close()
        holder.stdin.close()
    assert settings.database.stat().st_size == size
    w = Warehouse.open(settings, own=True)
    assert not w.in_memory
    w.close()


def test_two_owners_in_one_process_do_not_meet(settings, run):
    first, second = Warehouse.open(settings, own=True), Warehouse.open(settings, own=True)
    assert (first.in_memory, second.in_memory) == (False, True)
    assert content(first) == content(second)
    first.close()
    second.close()


def test_not_owning_touches_no_file(settings, run):
    Warehouse.open(settings, own=False).close()
    assert not settings.database.exists()


def test_a_cache_that_cannot_be_written_is_read_in_memory(settings, run, monkeypatch):
    def refuses(*_, **__):
        raise PermissionError(13, "Read-only file system")

    monkeypatch.setattr(connection.FileLock, "acquire", refuses)
    w = Warehouse.open(settings, own=True)
    assert w.in_memory
    assert len(content(w)[3]) == 1


def test_an_empty_cache_need_not_exist(settings):
    shutil.rmtree(settings.cache)
    w = Warehouse.open(settings, own=False)
    assert queries.datasets(w).empty
    assert not settings.cache.exists()


# ---------------------------------------------------------------- threads and hardening


def test_threads_ask_while_another_refreshes(settings, dataset):
    w = Warehouse.open(settings, own=True)
    failures, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                points = queries.trade_off(w, dataset, *AXES)
                assert (points["seeds"] > 0).all()
            except Exception as error:  # noqa: BLE001 - told by the main thread
                failures.append(error)
                return

    readers = [threading.Thread(target=ask) for _ in range(3)]
    for reader in readers:
        reader.start()
    for seed in range(4):
        write_run(settings, make_variant(dataset, sampler="rns"), seed, {"test": {"ndcg@10": 0.4, "aplt@10": 0.1}})
        w.refresh()
    stop.set()
    for reader in readers:
        reader.join()
    assert not failures
    assert queries.trade_off(w, dataset, *AXES)["seeds"].tolist() == [4]
    w.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/longtail-escape.csv'",
        "ATTACH '/tmp/longtail-escape.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '64GB'",
    ],
)
def test_hardened(settings, statement):
    w = Warehouse.open(settings, own=False)
    with pytest.raises(duckdb.Error):
        w.frame(statement)


def test_limits_are_the_settings(settings):
    w = Warehouse.open(settings, own=False)
    found = w.frame("SELECT name, value FROM duckdb_settings() WHERE name IN ('threads', 'memory_limit')")
    limits = dict(zip(found["name"], found["value"], strict=True))
    assert limits["threads"] == str(settings.duckdb_threads)
    assert limits["memory_limit"] in {"1.8 GiB", "1.9 GiB", "2.0 GB"}  # 2 GB in its own units


def test_a_cache_path_with_a_quote_works(settings, tmp_path):
    odd = type(settings)(cache=tmp_path / "it's; a path")
    info = tiny_dataset(odd)
    w = Warehouse.open(odd, own=True)
    assert queries.datasets(w)["dataset"].tolist() == [info.id]
    w.close()


def test_keys_stand_on_small_tables_only():
    keyed = {t.split()[2] for t in TABLES if "PRIMARY KEY" in t}
    assert keyed == {"sources", "datasets", "variants", "runs"}


@pytest.mark.parametrize(
    "row",
    [
        "INSERT INTO interactions VALUES ('d', -1, 0, 'train', NULL, NULL)",
        "INSERT INTO interactions VALUES ('d', 1, NULL, 'train', NULL, NULL)",
        "INSERT INTO interactions VALUES ('d', 1, 0, 'tset', NULL, NULL)",
        "INSERT INTO item_popularity VALUES ('d', 'train', 0, 1, 1.5, 1, 1, true)",
        "INSERT INTO item_popularity VALUES ('d', 'train', 0, 1, 0.5, 1, 11, true)",
        "INSERT INTO user_profiles VALUES ('d', 0, 3, NULL, 0.5, 'niche')",
        "INSERT INTO user_profiles VALUES ('d', 0, 3, 0.5, 0.5, 'other')",
        "INSERT INTO metrics VALUES ('r', 'test', 'ndcg@10', 'epoch', 'nan'::DOUBLE, 1)",
    ],
)
def test_tables_refuse_what_cannot_be(settings, row):
    w = Warehouse.open(settings, own=False)
    with pytest.raises(duckdb.Error):
        w.frame(row)
