import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from core.datasets import store
from core.errors import DamagedArtifact, Unknown
from core.jobs import artifacts
from core.models.scorers import Factors
from core.models.variant import Run, make_variant
from core.settings import Settings
from tests.jobs import standins
from tests.tiny import tiny_dataset

SAME_BYTES = ("factors.safetensors", "metrics.parquet", "per_user.parquet", "top_k.parquet")


@pytest.fixture
def dataset(settings: Settings) -> store.Dataset:
    return store.read_dataset(tiny_dataset(settings).folder)


def a_run(dataset: store.Dataset, seed: int = 0) -> Run:
    return Run(make_variant(dataset.id, sampler="rns"), seed)


def attempt(settings: Settings, run: Run, number: int = 1) -> Path:
    folder = settings.attempts / f"{run.id}.{number}"
    folder.mkdir(parents=True)
    return folder


def published(settings: Settings, dataset: store.Dataset, seed: int = 0, number: int = 1) -> Path:
    run = a_run(dataset, seed)
    result = standins.train(dataset, run, lambda _: None)
    return artifacts.publish(settings, attempt(settings, run, number), result, dataset, 12.34, 0.5)


def test_a_published_run_holds_what_was_trained(settings, dataset):
    folder = published(settings, dataset)
    run = a_run(dataset)
    assert folder == settings.runs / run.id
    assert artifacts.verify(folder) == []
    assert artifacts.finished_runs(settings) == [run.id]
    assert artifacts.find_run(settings, run.id[:6]) == folder
    meta = artifacts.read_meta(settings, run.id)
    assert (meta["run"], meta["variant"], meta["seed"]) == (run.id, run.variant.id, 0)
    assert (meta["dataset"], meta["epoch"], meta["epochs_run"]) == (dataset.id, standins.EPOCHS, standins.EPOCHS)
    assert Run.from_json({"variant": meta["fields"], "seed": 0, "bootstrap": None}).id == run.id
    assert (meta["interactions"], meta["overhead"], meta["peak_memory_mb"]) == (len(dataset.train), 0.5, 12.3)


def test_the_scorer_comes_back(settings, dataset):
    published(settings, dataset)
    found = artifacts.read_scorer(settings, a_run(dataset).id)
    expected = standins.make_result(dataset, a_run(dataset), []).scorer
    assert isinstance(found, Factors)
    np.testing.assert_array_equal(found.users, expected.users)
    np.testing.assert_array_equal(found.items, expected.items)


def test_tables_are_typed_and_speak_in_text_ids(settings, dataset):
    published(settings, dataset)
    run = a_run(dataset)
    expected = standins.make_result(dataset, run, []).evaluations["test"]
    lists = artifacts.read_table(settings, run.id, "top_k")
    assert lists.column_names == ["split", "user", "item", "rank", "score"]
    first = lists.slice(0, 20)
    assert set(first["user"].to_pylist()) == {dataset.user_ids[0]}
    assert first["item"].to_pylist() == [dataset.item_ids[i] for i in expected.ranking.items[0]]
    assert first["rank"].to_pylist() == list(range(1, 21))
    assert len(lists) == 2 * 60 * 20  # splits x users x places
    metrics = artifacts.read_table(settings, run.id, "metrics").to_pylist()
    values = {(row["split"], row["metric"]): (row["value"], row["epoch"], row["reading"]) for row in metrics}
    assert values["test", "ndcg@10"] == (expected.metrics["ndcg@10"], standins.EPOCHS, "epoch")
    assert values["validation", "exposure_d1@10"][0] == 0.1
    per_user = artifacts.read_table(settings, run.id, "per_user")
    assert per_user.column_names == ["split", "user", "ndcg@10", "aplt@10"]
    np.testing.assert_allclose(per_user["ndcg@10"].to_numpy()[:60], expected.per_user["ndcg@10"], rtol=1e-6)
    history = artifacts.read_table(settings, run.id, "history")
    assert history["epoch"].to_pylist() == [1, 2, 3, 4]
    assert history["metric"].null_count == 2
    with pytest.raises(Unknown):
        artifacts.read_table(settings, run.id, "meta")


def test_short_lists_end_early(settings, dataset):
    run = a_run(dataset)
    result = standins.make_result(dataset, run, [])
    result.evaluations["test"].ranking.items[0, 3:] = -1
    artifacts.publish(settings, attempt(settings, run), result, dataset)
    lists = artifacts.read_table(settings, run.id, "top_k").to_pylist()
    assert len([r for r in lists if r["user"] == dataset.user_ids[0] and r["split"] == "test"]) == 3
    assert len(artifacts.read_table(settings, run.id, "history")) == 0


def test_the_same_run_gives_the_same_bytes(settings, dataset):
    folder = published(settings, dataset)
    before = {name: (folder / name).read_bytes() for name in SAME_BYTES}
    artifacts.delete_run(settings, folder.name)
    assert artifacts.finished_runs(settings) == []
    again = published(settings, dataset, number=2)
    assert {name: (again / name).read_bytes() for name in SAME_BYTES} == before


def test_whoever_comes_second_is_dropped(settings, dataset):
    folder = published(settings, dataset)
    before = (folder / "meta.json").read_bytes()
    assert published(settings, dataset, number=2) == folder
    assert (folder / "meta.json").read_bytes() == before


def test_an_attempt_whose_folder_is_gone_publishes_nothing(settings, dataset):
    run = a_run(dataset)
    folder = attempt(settings, run)
    artifacts.discard(settings, folder)
    with pytest.raises(FileNotFoundError):
        artifacts.publish(settings, folder, standins.make_result(dataset, run, []), dataset)
    assert artifacts.finished_runs(settings) == []


def test_an_attempt_discarded_while_it_writes_publishes_nothing(settings, dataset, monkeypatch):
    """The worst moment: everything is written, and only the rename is missing."""
    run = a_run(dataset)
    folder = attempt(settings, run)
    monkeypatch.setattr(
        artifacts, "sync", lambda path: artifacts.discard(settings, folder) if path.name == "result" else None
    )
    with pytest.raises(FileNotFoundError):
        artifacts.publish(settings, folder, standins.make_result(dataset, run, []), dataset)
    assert artifacts.finished_runs(settings) == []
    assert list(settings.attempts.iterdir()) == []


@pytest.mark.parametrize("name", [*artifacts.FILES, "meta.json"])
@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "missing"])
def test_every_damage_is_found_and_named(settings, dataset, name, damage):
    path = published(settings, dataset) / name
    content = path.read_bytes()
    middle = len(content) // 2
    damaged = {
        "truncated": content[:middle],
        "flipped": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "emptied": b"",
    }
    path.unlink() if damage == "missing" else path.write_bytes(damaged[damage])
    problems = artifacts.verify(path.parent)
    if name == "meta.json" and damage == "flipped":
        return  # one changed digit of a time or a label is valid JSON: meta.json has no checksum of its own
    assert any(name in problem for problem in problems)


def test_another_runs_files_are_found(settings, dataset):
    first, second = published(settings, dataset), published(settings, dataset, seed=1)
    shutil.copy(second / "factors.safetensors", first / "factors.safetensors")
    assert len(artifacts.verify(first)) == 1
    with pytest.raises(DamagedArtifact, match="not those that were written"):
        artifacts.read_scorer(settings, first.name)
    shutil.copy(second / "meta.json", first / "meta.json")
    assert any(f"describes run {second.name}" in problem for problem in artifacts.verify(first))


def test_meta_of_another_version_or_of_nothing_is_refused(settings, dataset):
    folder = published(settings, dataset)
    meta = json.loads((folder / "meta.json").read_text("utf-8"))
    (folder / "meta.json").write_text(json.dumps(meta | {"format_version": 99}), "utf-8")
    with pytest.raises(DamagedArtifact, match="another version"):
        artifacts.read_meta(settings, folder.name)
    (folder / "meta.json").write_text("[1, 2]", "utf-8")
    with pytest.raises(DamagedArtifact, match="does not describe a run"):
        artifacts.read_meta(settings, folder.name)


def test_a_damaged_table_is_named(settings, dataset):
    folder = published(settings, dataset)
    (folder / "top_k.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(DamagedArtifact, match=r"top_k\.parquet"):
        artifacts.read_table(settings, folder.name, "top_k")


@pytest.mark.parametrize("asked", ["", "..", "../datasets", "0" * 16, "ZZZZ"])
def test_what_is_no_run_is_unknown(settings, dataset, asked):
    published(settings, dataset)
    for question in (artifacts.read_meta, artifacts.read_scorer, artifacts.delete_run):
        with pytest.raises(Unknown):
            question(settings, asked)
    assert len(artifacts.finished_runs(settings)) == 1


def test_only_runs_are_listed(settings, dataset):
    assert artifacts.finished_runs(settings) == []
    published(settings, dataset)
    (settings.runs / "notes.txt").touch()
    (settings.runs / "a folder").mkdir()
    assert len(artifacts.finished_runs(settings)) == 1


def test_files_can_be_read_by_whoever_may_read_the_folder(settings, dataset):
    folder = published(settings, dataset)
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1
