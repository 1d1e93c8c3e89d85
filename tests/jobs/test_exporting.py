"""A run that leaves: the folder is whole, explains itself, and gives the same lists without this program."""

import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from core.datasets import store
from core.errors import DamagedArtifact, Refused, Unknown
from core.jobs import artifacts, recommending
from core.jobs.exporting import CONTENT, readme, run_folder, run_zip
from core.models.sweep import Sweep
from core.settings import PROJECT
from tests.pages import results
from tests.tiny import tiny_dataset

FORMS = Sweep(
    grids=({"sampler": ["rns"], "epochs": [2], "dim": [4]},),
    baselines=("most_popular", "random", "item_knn", "ease", "pop_penalty"),
    seeds=(0,),
)


@pytest.fixture
def tiny(settings):
    return tiny_dataset(settings)


@pytest.fixture
def run(settings, tiny):
    return results.train(settings, tiny, Sweep(grids=FORMS.grids, seeds=(3,)))[0]


def example():
    """The ten lines of docs/cli.md."""
    page = (PROJECT / "docs" / "cli.md").read_text(encoding="utf-8")
    return page.partition("```python\n")[2].partition("```")[0]


def test_the_example_recommends_what_the_program_does(settings, run, tmp_path):
    folder = run_folder(settings, run, tmp_path / "out")
    code = example().replace('"196"', '"u07"')
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    assert not re.search(r"import core|from core|longtail", code)
    # -I: neither the folder it runs in nor PYTHONPATH is looked at for modules
    ended = subprocess.run([sys.executable, "-I", "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    shown = [line.split()[0] for line in ended.stdout.splitlines()[1:]]
    known = recommending.known(settings, run)
    assert shown == [known.dataset.item_ids[i] for i in recommending.show(known, "u07", "test", 10).items]
    assert "Title" in ended.stdout
    found = subprocess.run([sys.executable, "-I", "-c", "import core"], cwd=folder, capture_output=True, check=False)
    assert found.returncode != 0


def test_the_folder_is_whole_and_the_runs_files_are_as_they_were(settings, tiny, run, tmp_path):
    folder = run_folder(settings, run, tmp_path / "out")
    assert {path.name for path in folder.iterdir()} == set(CONTENT)
    meta = json.loads((folder / "meta.json").read_text())
    for name, checksum in meta["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == checksum
    dataset = store.read_dataset(tiny.folder)
    pairs = pd.read_parquet(folder / "interactions.parquet")
    assert pairs["split"].value_counts().to_dict() == {s: len(getattr(dataset, s)) for s in store.SPLITS}
    for split in store.SPLITS:
        rows = pairs[pairs["split"] == split]
        for user in (0, 31, 59):
            assert list(rows.loc[rows["user"] == user, "item"]) == list(getattr(dataset, split).row(user))
    items = pd.read_parquet(folder / "items.parquet")
    assert list(items["id"]) == list(dataset.item_ids)
    assert list(items["popularity"]) == list(dataset.train.popularity())
    assert list(pd.read_parquet(folder / "users.parquet")["id"]) == list(dataset.user_ids)
    about = json.loads((folder / "dataset.json").read_text())
    assert (about["id"], about["interactions"]) == (tiny.id, len(pairs))


def test_the_readme_names_every_file_and_every_array(settings, run, tmp_path):
    folder = run_folder(settings, run, tmp_path / "out")
    text = (folder / "README.txt").read_text(encoding="utf-8")
    for name in CONTENT:
        assert re.search(rf"^{re.escape(name)} ", text, flags=re.MULTILINE), name
    for name, array in load_file(folder / "factors.safetensors").items():
        assert f"{name}: {array.dtype} {array.shape}" in text


def test_nothing_of_the_machine_is_in_what_is_written_for_it(settings, tiny, run, tmp_path):
    folder = run_folder(settings, run, tmp_path / "out")
    for name in ("README.txt", "dataset.json"):
        assert str(settings.cache) not in (folder / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["most_popular", "random", "item_knn", "ease", "pop_penalty", "rns"])
def test_every_form_of_scorer_is_explained_so_that_scores_can_be_computed(settings, tiny, name):
    """What README.txt says, done by hand, gives the scorer's scores."""
    ids = results.train(settings, tiny, FORMS)
    metas = {run: artifacts.read_meta(settings, run) for run in ids}
    found = next(run for run, meta in metas.items() if meta["method"] == name)
    scorer = artifacts.read_scorer(settings, found)
    arrays = scorer.tensors()
    text = readme(metas[found], tiny, arrays)
    for array in arrays:
        assert text.count(array) >= 2, array  # in the list, and in what it means
    if name == "random":
        return
    expected = scorer.scores(np.arange(5))
    for user in range(5):
        np.testing.assert_allclose(by_hand(arrays, user), expected[user], rtol=2e-5, atol=1e-5)


def by_hand(a, u):
    """The formulas of README.txt."""
    if "weights" in a:
        taken = a["taken_indices"][a["taken_indptr"][u] : a["taken_indptr"][u + 1]]
        scores = a["weights"][taken].sum(axis=0)
    elif "similarities" in a:
        scores = np.zeros(len(a["starts"]) - 1, np.float32)
        for item in a["taken_indices"][a["taken_indptr"][u] : a["taken_indptr"][u + 1]]:
            row = slice(a["starts"][item], a["starts"][item + 1])
            scores[a["neighbours"][row]] += a["similarities"][row]
    else:
        scores = a["users"][u] @ a["items"].T
    if "penalty_strength" in a:
        scores = scores - a["penalty_strength"] * scores.std() * np.log1p(a["penalised_popularity"])
    return scores


def test_macr_is_explained(tiny):
    meta = {"label": "MACR", "seed": 0, "run": "0" * 16, "protocol": "refit"}
    arrays = dict.fromkeys(("users", "items", "user_gate", "item_gate", "c"), np.zeros((1, 1), np.float32))
    text = readme(meta, tiny, arrays)
    assert "- c) * user_gate[u] * item_gate" in text
    assert "trained on train and validation" in text


def test_the_zip_holds_the_folder_with_the_same_bytes_each_time(settings, run, tmp_path):
    first = run_zip(settings, run)
    assert run_zip(settings, run) == first
    folder = run_folder(settings, run, tmp_path / "out")
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {f"run-{run}/{name}" for name in CONTENT}
        for name in CONTENT:
            assert archive.read(f"run-{run}/{name}") == (folder / name).read_bytes()


def test_what_is_there_is_left_alone(settings, run, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(Refused, match="is there already"):
        run_folder(settings, run, tmp_path / "out")
    with pytest.raises(Refused, match="no folder"):
        run_folder(settings, run, tmp_path / "nowhere" / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"out", "cache"}


def test_what_is_damaged_or_not_there_leaves_nothing_behind(settings, tiny, run, tmp_path):
    with pytest.raises(Unknown):
        run_folder(settings, "0" * 16, tmp_path / "out")
    (settings.runs / run / "top_k.parquet").write_bytes(b"x")
    with pytest.raises(DamagedArtifact, match="top_k"):
        run_folder(settings, run, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"cache"}


def test_a_run_whose_data_set_was_removed_is_told(settings, tiny, run, tmp_path):
    store.remove_dataset(settings, tiny.id)
    with pytest.raises(Unknown, match="data set"):
        run_folder(settings, run, tmp_path / "out")
