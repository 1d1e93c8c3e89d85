"""Prepared folders: what is published is read back, appears whole, and survives kills and company."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.datasets import store
from core.datasets.prepared import SPLITS, Prepared
from core.datasets.scratch import scratch
from core.errors import BadInput, DamagedArtifact, Unknown
from core.settings import PROJECT, Settings
from tests.datasets.files import snapshot
from tests.tiny import ITEMS, USERS, tiny_dataset, tiny_prepared


def bare(prepared: Prepared, name: str = "tiny") -> Prepared:
    """The same interactions without ratings, times and titles."""
    about = dataclasses.replace(prepared.about, name=name, imported=True)
    return dataclasses.replace(prepared, about=about, ratings=None, timestamps=None, attributes={})


def test_what_is_published_is_read_back(settings: Settings) -> None:
    prepared = tiny_prepared()
    info = store.publish(settings, prepared)
    dataset = store.read_dataset(info.folder)
    assert (info.id, info.folder) == (prepared.id, settings.datasets / prepared.id)
    assert (info.users, info.items, info.interactions) == (USERS, ITEMS, len(prepared.users))
    assert (dataset.n_users, dataset.n_items, dataset.id) == (USERS, ITEMS, info.id)
    assert dataset.user_ids.tolist() == prepared.user_ids.to_pylist()
    for split in SPLITS:
        part = getattr(dataset, split)
        chosen = prepared.splits == SPLITS.index(split)
        np.testing.assert_array_equal(part.users(), prepared.users[chosen])
        np.testing.assert_array_equal(part.indices, prepared.items[chosen])
        assert part.indices.dtype == np.int32
        assert getattr(info, split) == len(part) == chosen.sum()
    assert store.verify(info.folder) == []


def test_the_files_have_the_schema_that_others_rely_on(settings: Settings) -> None:
    folder = tiny_dataset(settings).folder
    assert pq.read_schema(folder / "interactions.parquet").remove_metadata() == pa.schema(
        {
            "user": pa.int32(),
            "item": pa.int32(),
            "split": pa.dictionary(pa.int8(), pa.string()),
            "rating": pa.float64(),
            "timestamp": pa.int64(),
        }
    )
    assert store.read_users(folder).schema.remove_metadata() == pa.schema({"user": pa.int32(), "id": pa.string()})
    items = store.read_items(folder)
    assert items.schema.names == ["item", "id", "title", "year", "genres"]
    assert items.column("item").to_pylist() == list(range(ITEMS))


def test_protocols_train_on_their_splits(settings: Settings) -> None:
    dataset = store.read_dataset(tiny_dataset(settings).folder)
    assert len(dataset.fitted("validation")) == len(dataset.train)
    assert len(dataset.fitted("refit")) == len(dataset.fitted("paper")) == len(dataset.train) + len(dataset.validation)
    with pytest.raises(Unknown, match=r"no protocol 'papers'\. Did you mean paper"):
        dataset.fitted("papers")


def test_data_sets_are_found_by_name_id_and_prefix(settings: Settings) -> None:
    one, two = tiny_dataset(settings), tiny_dataset(settings, seed=1, name="other")
    assert [info.id for info in store.list_datasets(settings)] == [one.id, two.id]
    assert [store.find_dataset(settings, asked).id for asked in ("tiny", one.id, one.id[:6])] == [one.id] * 3
    with pytest.raises(Unknown, match=r"no data set 'tyni'\. Did you mean tiny"):
        store.find_dataset(settings, "tyni")
    with pytest.raises(Unknown):
        store.find_dataset(settings, "")


def test_the_same_data_again_adds_a_name_and_what_was_not_known(settings: Settings) -> None:
    poor = store.publish(settings, bare(tiny_prepared(), "poor"))
    before = pq.read_table(poor.folder / "interactions.parquet")
    rich = tiny_dataset(settings)
    assert rich.id == poor.id and (rich.name, rich.aliases) == ("poor", ("tiny",))
    assert store.find_dataset(settings, "tiny").id == poor.id
    assert rich.imported  # it stays the user's own
    assert store.read_items(rich.folder).column("title")[3].as_py() == "Title 3"
    after = pq.read_table(rich.folder / "interactions.parquet")
    assert after.column("rating").null_count == 0 < before.column("rating").null_count
    assert after.drop_columns(["rating", "timestamp"]) == before.drop_columns(["rating", "timestamp"])
    assert store.verify(rich.folder) == []


def test_the_same_data_again_loses_nothing(settings: Settings) -> None:
    rich = tiny_dataset(settings)
    before = snapshot(rich.folder)
    store.publish(settings, bare(tiny_prepared()))
    after = snapshot(rich.folder)
    assert {name for name in before if before[name] != after[name]} == {"meta.json"}  # it is the user's own now
    store.publish(settings, bare(tiny_prepared()))
    assert snapshot(rich.folder) == after


def test_a_name_belongs_to_one_data_set(settings: Settings) -> None:
    tiny_dataset(settings)
    before = snapshot(settings.cache)
    with pytest.raises(BadInput, match=r"'tiny': .* has it. Choose another name, or remove"):
        tiny_dataset(settings, seed=1)
    assert snapshot(settings.cache) == before


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a b", "a\n", "é", "-x", "x" * 65, "a;b", "con\0"])
def test_odd_names_are_refused(name: str, settings: Settings) -> None:
    with pytest.raises(BadInput, match=r"data-set name .* letters, digits.* Choose another name"):
        store.publish(
            settings, dataclasses.replace(tiny_prepared(), about=dataclasses.replace(tiny_prepared().about, name=name))
        )
    assert snapshot(settings.cache) == {}


def test_removing_takes_the_folder_only(settings: Settings) -> None:
    kept = tiny_dataset(settings)
    tiny_dataset(settings, seed=1, name="other")
    store.remove_dataset(settings, "other")
    assert [info.id for info in store.list_datasets(settings)] == [kept.id]
    assert sorted(path.name for path in settings.datasets.iterdir()) == [".lock", kept.id]


@pytest.mark.parametrize(
    "damage", ["meta missing", "meta no JSON", "meta lacks", "rows changed", "file missing", "cut"]
)
def test_damage_is_named_and_mended_by_publishing_again(damage: str, settings: Settings) -> None:
    info = tiny_dataset(settings)
    rows, meta = info.folder / "interactions.parquet", info.folder / "meta.json"
    if damage == "meta missing":
        meta.unlink()
    elif damage == "meta no JSON":
        meta.write_text("{")
    elif damage == "meta lacks":
        meta.write_text(json.dumps({"format_version": store.FORMAT_VERSION}))
    elif damage == "rows changed":
        pq.write_table(pq.read_table(rows).slice(1), rows)
    elif damage == "file missing":
        (info.folder / "users.parquet").unlink()
    else:
        rows.write_bytes(rows.read_bytes()[:-100])
    assert len(store.verify(info.folder)) == 1 and "damaged" in store.verify(info.folder)[0]
    if damage.startswith("meta"):
        assert store.list_datasets(settings) == []
    assert tiny_dataset(settings).id == info.id
    assert store.verify(info.folder) == []


def test_a_damaged_file_raises_what_the_user_can_read(settings: Settings) -> None:
    folder = tiny_dataset(settings).folder
    (folder / "interactions.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(DamagedArtifact, match=r"interactions\.parquet is damaged"):
        store.read_dataset(folder)


def test_other_folders_are_no_data_sets(settings: Settings) -> None:
    info = tiny_dataset(settings)
    (settings.datasets / "notes").mkdir()
    (settings.datasets / "notes" / "meta.json").write_text((info.folder / "meta.json").read_text())
    assert [found.id for found in store.list_datasets(settings)] == [info.id]


def test_many_publish_at_once(settings: Settings) -> None:
    """Two data sets, each published by four threads: both appear once, nobody fails."""
    failed: list[BaseException] = []

    def publish(seed: int) -> None:
        try:
            tiny_dataset(settings, seed, f"tiny{seed}")
        except BaseException as error:  # noqa: BLE001 - told by the assertion below
            failed.append(error)

    threads = [threading.Thread(target=publish, args=(n % 2,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {info.name for info in store.list_datasets(settings)} == {"tiny0", "tiny1"}
    assert [store.verify(info.folder) for info in store.list_datasets(settings)] == [[], []]
    assert len(list(settings.datasets.iterdir())) == 3


KILLED = """
import sys, time
from core.settings import read_settings
from core.datasets.scratch import scratch
with scratch(read_settings()) as work:
    (work / "half").write_text("half a data set")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_swept_and_the_living_are_spared(settings: Settings) -> None:
    environment = {**os.environ, "LONGTAIL_CACHE": str(settings.cache), "PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, env=environment)
    with process, scratch(settings) as mine:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        theirs = next(path.parent for path in settings.datasets.glob("*/half"))
        assert store.sweep_leftovers(settings) == []
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert store.sweep_leftovers(settings) == [theirs]
        assert mine.exists() and not theirs.exists()
    assert not mine.exists()


def test_sweeping_an_empty_cache_writes_nothing(settings: Settings) -> None:
    assert store.sweep_leftovers(settings) == []
    assert snapshot(settings.cache) == {}


def test_publishing_that_fails_at_any_write_shows_nothing_half(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write that fails moves through all of publishing: until the last rename there is no data set."""
    real, left = store.sync, [0]

    def failing(path: Path) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OSError("no space left on device")
        real(path)

    monkeypatch.setattr(store, "sync", failing)
    for dies_at in range(1, 6):  # three tables, meta.json, the folder
        left[0] = dies_at
        with pytest.raises(OSError, match="no space"):
            tiny_dataset(settings)
        assert store.list_datasets(settings) == []
        assert [path.name for path in settings.datasets.iterdir()] == [".lock"]
    assert store.verify(tiny_dataset(settings).folder) == []
