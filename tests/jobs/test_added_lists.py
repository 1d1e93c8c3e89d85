"""Added lists on disk: measured as a run is, whole or not there, the user's own, made anew from what was given."""

import json
import math
import os
import re
import subprocess
import sys
import textwrap

import numpy as np
import pyarrow.parquet as pq
import pytest

from core.datasets import store
from core.errors import BadInput, DamagedArtifact, Unknown
from core.jobs import added_lists, artifacts
from core.jobs.added_lists import add_lists, metrics, remove_lists
from core.models.sweep import Sweep
from core.models.variant import make_variant
from core.settings import PROJECT
from tests.pages import results
from tests.tiny import tiny_dataset
from tests.warehouse.fake_runs import write_run
from tests.warehouse.hand import hand_dataset

# tests/warehouse/hand.py: test items are a i3, b i4, c i2, d i2; train counts 4 3 1 1 0, with validation 5 3 1 2 0
LISTS = "user,item,rank\na,i4,1\na,i3,2\nb,i2,1\nc,i2,1\nc,i3,2\nc,i4,3\n"
GIVEN = "train/top_k.parquet"


def saved(folder, text=LISTS, name="shop.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def hand(settings):
    return hand_dataset(settings)


def read(folder, where, name):
    return pq.read_table(folder / where / f"{name}.parquet").to_pandas()


def sorted_rows(frame, *by):
    return frame.sort_values([*by], key=lambda column: column.astype(str)).reset_index(drop=True)


def value(folder, where, metric, split="test"):
    rows = read(folder, where, "metrics")
    return rows[(rows["split"] == split) & (rows["metric"] == metric)]["value"].item()


def files(settings):
    return sorted(path.relative_to(settings.cache) for path in settings.cache.rglob("*") if path.suffix != ".lock")


def test_by_hand(settings, hand, tmp_path):
    """Four users are evaluated; d has no list. Nobody can be shown more than four items, c is shown three."""
    folder = add_lists(settings, hand, saved(tmp_path), "Shop").lists.folder
    assert value(folder, "train", "recall@5") == (1 + 0 + 1 + 0) / 4
    assert value(folder, "train", "precision@5") == pytest.approx((1 / 5 + 0 + 1 / 5 + 0) / 4)
    assert value(folder, "train", "ndcg@5") == pytest.approx((1 / math.log2(3) + 0 + 1 + 0) / 4)
    assert value(folder, "train", "coverage@5") == 3 / 5
    # popularity: on train, and on train and validation; d's empty list has none
    assert value(folder, "train", "arp@5") == pytest.approx(((0 + 1) / 2 + 1 + (1 + 1 + 0) / 3) / 3)
    assert value(folder, "train+validation", "arp@5") == pytest.approx(((0 + 2) / 2 + 1 + (1 + 2 + 0) / 3) / 3)
    per_user = read(folder, "train", "per_user").set_index("user")
    assert per_user["recall@5"].to_dict() == {"a": 1, "b": 0, "c": 1, "d": 0}
    top = read(folder, "train", "top_k")
    shown = {user: list(rows.sort_values("rank")["item"]) for user, rows in top.groupby("user", observed=True)}
    assert shown == {"a": ["i4", "i3"], "b": ["i2"], "c": ["i2", "i3", "i4"]}


@pytest.mark.parametrize("protocol", ["validation", "refit"])
def test_a_runs_own_lists_have_its_values(settings, tmp_path, protocol):
    """Metric by metric and user by user, to the last bit, but for what needs scores."""
    info = tiny_dataset(settings)
    [run] = results.train(settings, info, Sweep(({"sampler": ["rns"], "epochs": [3]},), seeds=(0,), protocol=protocol))
    folder = add_lists(settings, info, settings.runs / run / "top_k.parquet", "The run").lists.folder
    where = {"validation": "train", "refit": "train+validation"}[protocol]
    theirs, ours = artifacts.read_table(settings, run, "metrics").to_pandas(), read(folder, where, "metrics")
    theirs = theirs[~theirs["metric"].isin(["auc", "pauc", "pri"])]
    columns = ["split", "metric", "value"]
    assert sorted(map(tuple, ours[columns].to_numpy())) == sorted(map(tuple, theirs[columns].to_numpy()))
    theirs, ours = artifacts.read_table(settings, run, "per_user").to_pandas(), read(folder, where, "per_user")
    theirs, ours = (sorted_rows(frame, "split", "user") for frame in (theirs, ours))
    for column in ours:
        np.testing.assert_array_equal(ours[column].to_numpy(), theirs[column].to_numpy(), err_msg=column)
    shown = ["split", "user", "item", "rank"]
    theirs, ours = artifacts.read_table(settings, run, "top_k").to_pandas(), read(folder, where, "top_k")
    theirs, ours = (sorted_rows(frame[shown].astype(str), *shown) for frame in (theirs, ours))
    assert ours.equals(theirs)


def test_what_is_told_of_them(settings, hand, tmp_path):
    one = add_lists(settings, hand, saved(tmp_path, f"{LISTS}zz,i0,1\ne,i1,1\n"), " Shop ").lists
    assert (one.name, one.file, one.dataset) == ("Shop", "shop.csv", hand.id)
    assert one.users == {"test": (3, 4)}
    assert one.described == "test at 5, 10 and 20 (3 of 4 users)"
    assert one.notes == (
        "Left out: 1 row of users that the data set lacks.",
        "Not measured: 1 list of users without test items.",
        "Counted as empty lists: 1 user with test items and no list.",
        "Missing places counted as misses: 3 lists shorter than 20.",
    )
    assert added_lists.added_lists(settings, hand.id) == [one]
    assert added_lists.added_lists(settings, "another") == []
    assert metrics(one)["test"]["recall@5"] == 0.5


def test_too_few_users_are_said(settings, hand, tmp_path):
    one = add_lists(settings, hand, saved(tmp_path, "user,item,rank\na,i4,1\n"), "Few").lists
    assert "Only 1 of 4 users with test items have a list" in one.notes[-1]


def test_both_splits_of_a_file_are_measured_apart(settings, hand, tmp_path):
    text = "user,item,rank,split\na,i3,1,test\nb,i3,1,validation\ne,i0,1,validation\na,i1,1,train\n"
    one = add_lists(settings, hand, saved(tmp_path, text), "Both").lists
    assert one.users == {"test": (1, 4), "validation": (2, 2)}
    assert one.notes[0] == "Left out: 1 row of other splits than test and validation."
    assert one.notes[1].startswith("Test: ")
    assert value(one.folder, "train", "recall@5", "validation") == 1
    assert set(read(one.folder, "train+validation", "metrics")["split"]) == {"test"}


def test_validation_alone_has_no_place_under_the_other_protocols(settings, hand, tmp_path):
    text = "user,item,rank,split\nb,i3,1,validation\n"
    one = add_lists(settings, hand, saved(tmp_path, text), "Validation").lists
    assert [place.protocol for place in added_lists.places(one.id, one.folder)] == ["validation"]


def test_cutoffs_beyond_every_list_are_not_measured(settings, tmp_path):
    info = tiny_dataset(settings)
    rows = [f"u{u:02d},i{70 + n:02d},{n + 1}" for u in range(60) for n in range(10)]
    one = add_lists(settings, info, saved(tmp_path, "\n".join(["user,item,rank", *rows])), "Ten").lists
    assert one.cutoffs == {"test": (5, 10)}
    assert "Not measured at 20: no list is longer than 10." in one.notes
    found = read(one.folder, "train", "metrics")["metric"]
    assert {name.partition("@")[2] for name in found} == {"5", "10"}
    assert read(one.folder, "train", "per_user")["ndcg@20"].isna().all()  # there, or files could not be read together
    short = add_lists(settings, info, saved(tmp_path, "user,item,rank\nu00,i70,1\n"), "One").lists
    assert short.cutoffs == {"test": (5,)}
    assert not read(short.folder, "train", "metrics")["metric"].str.contains("exposure").any()  # is of ten


def test_the_same_name_again_replaces_and_says_so(settings, hand, tmp_path):
    first = add_lists(settings, hand, saved(tmp_path), "Shop")
    again = add_lists(settings, hand, saved(tmp_path), "Shop")
    assert again.known
    assert again.lists == first.lists
    assert "already" in again.sentence
    new = add_lists(settings, hand, saved(tmp_path, LISTS.replace("a,i4", "a,i3").replace("a,i3,2", "a,i4,2")), "Shop")
    assert new.replaced == first.lists
    assert "replaces the lists of that name (from shop.csv)" in new.sentence
    assert added_lists.added_lists(settings) == [new.lists]
    assert added_lists.folders(settings) == [new.lists.folder]
    other = add_lists(settings, hand, saved(tmp_path), "Other")
    assert other.replaced is None
    assert [one.name for one in added_lists.added_lists(settings)] == ["Other", "Shop"]


def test_the_same_name_on_another_data_set_is_another(settings, hand, tmp_path):
    one = add_lists(settings, hand, saved(tmp_path), "Shop").lists
    tiny = tiny_dataset(settings)
    add_lists(settings, tiny, saved(tmp_path, "user,item,rank\nu00,i70,1\n", "b.csv"), "Shop")
    assert added_lists.added_lists(settings, hand.id) == [one]
    remove_lists(settings, tiny.id, "Shop")
    assert added_lists.added_lists(settings) == [one]


def test_removing(settings, hand, tmp_path):
    one = add_lists(settings, hand, saved(tmp_path), "Shop").lists
    with pytest.raises(Unknown, match=r"no set of added lists 'Shap'. Did you mean Shop"):
        remove_lists(settings, hand.id, "Shap")
    assert remove_lists(settings, hand.id, "Shop") == one
    assert added_lists.folders(settings) == []


@pytest.mark.parametrize(
    "name", ["", "   ", "=1+1", "-x", "a\nb", "x" * 41, "<b>", "RNS", "ease", "Most popular", "lists"]
)
def test_names_that_cannot_be(settings, hand, tmp_path, name):
    before = files(settings)
    with pytest.raises(BadInput, match="Choose another name"):
        add_lists(settings, hand, saved(tmp_path), name)
    assert files(settings) == before


def test_a_name_that_something_else_has_is_refused(settings, hand, tmp_path):
    """By its label, its id's beginning or a list's name, in whatever capitals."""
    trained = make_variant(hand.id, "refit", sampler="auc_ns", beta=0.5)
    write_run(settings, trained)
    shop = add_lists(settings, hand, saved(tmp_path), "Shop").lists
    of_shop = added_lists.places(shop.id, shop.folder)[0].variant
    before = files(settings)
    refused = {
        trained.label: f"a setting that was trained here is called '{trained.label}'",
        trained.label.upper(): f"a setting that was trained here is called '{trained.label}'",
        trained.id[:6]: f"the id of '{trained.label}' begins so",
        trained.id.upper(): f"the id of '{trained.label}' begins so",
        of_shop[:6]: "the id of 'Shop' begins so",
        "SHOP": "lists of this data set are called 'Shop' already, which differs in capitals alone",
    }
    for name, says in refused.items():
        with pytest.raises(BadInput, match=re.escape(says)):
            add_lists(settings, hand, saved(tmp_path), name)
        assert files(settings) == before
    tiny = tiny_dataset(settings)
    other = saved(tmp_path, "user,item,rank\nu00,i70,1\n", "b.csv")
    assert add_lists(settings, tiny, other, "SHOP").lists.name == "SHOP"
    assert add_lists(settings, hand, saved(tmp_path), "Shop").known


def test_a_damaged_run_does_not_stand_in_the_way(settings, hand, tmp_path):
    run = write_run(settings, make_variant(hand.id, sampler="dns"))
    (settings.runs / run / "meta.json").write_text("{")
    assert add_lists(settings, hand, saved(tmp_path), "Shop").lists.name == "Shop"


@pytest.mark.parametrize("name", ["Production 2024-05", "Größe (A/B)", "v1.2_x+y", "0"])
def test_names_that_can_be(settings, hand, tmp_path, name):
    assert add_lists(settings, hand, saved(tmp_path), name).lists.name == name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("user,item\na,i4\n", "original.csv: column rank is missing"),
        ("user,item,rank\nzz,i4,1\n", "original.csv: nothing is left to measure"),
        ("user,item,rank,split\na,i4,1,train\n", "original.csv: it has no rows of split 'test' or 'validation'"),
        ("user,item,rank\na,i4,first\n", "original.csv, row 1, column rank"),
    ],
)
def test_a_refused_file_leaves_nothing_and_is_called_by_its_own_name(settings, hand, tmp_path, text, says):
    before = files(settings)
    with pytest.raises(BadInput, match=says):
        add_lists(settings, hand, saved(tmp_path, text, "0a1b"), "Shop", "original.csv")
    assert files(settings) == before


def test_a_preview_writes_nothing_and_tells_the_same(settings, hand, tmp_path):
    before = files(settings)
    found = added_lists.preview(hand, saved(tmp_path))
    assert files(settings) == before
    one = add_lists(settings, hand, saved(tmp_path), "Shop").lists
    assert (found.notes, found.cutoffs, found.users, found.described) == (
        one.notes, one.cutoffs, one.users, one.described,
    )  # fmt: skip


KILLED = """
    import os, sys  # Path.rename is os.rename
    from pathlib import Path
    from core.datasets import store
    from core.jobs import added_lists
    from core.settings import read_settings

    settings, left = read_settings(), [int(sys.argv[3])]
    def dies(step):
        def stepped(*arguments, **options):
            if left[0] == 0:
                os._exit(9)
            left[0] -= 1
            return step(*arguments, **options)
        return stepped
    added_lists.write_table = dies(added_lists.write_table)
    added_lists.write_meta = dies(added_lists.write_meta)
    os.rename = dies(os.rename)
    added_lists.add_lists(settings, store.list_datasets(settings)[0], Path(sys.argv[1]), sys.argv[2])
"""


@pytest.mark.parametrize("steps", [0, 3, 6, 7, 8, 9])
def test_a_process_that_is_killed_leaves_the_old_or_the_new_whole(settings, hand, tmp_path, steps):
    """Steps: six tables, meta.json, the rename that publishes, and the one that takes the old lists away."""
    old = add_lists(settings, hand, saved(tmp_path), "Shop").lists
    path = saved(tmp_path, LISTS.replace("b,i2", "b,i4"), "new.csv")
    environment = os.environ | settings.environment()
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(path), "Shop", str(steps)]
    code = subprocess.run(command, cwd=PROJECT, env=environment, check=False, capture_output=True).returncode
    assert code == (0 if steps == 9 else 9)
    assert [added_lists.verify(folder) for folder in added_lists.folders(settings)] in ([[]], [[], []])
    [kept] = added_lists.added_lists(settings)
    assert kept.file == ("shop.csv" if steps < 8 else "new.csv")
    assert added_lists.superseded(settings) == ([old] if steps == 8 else [])
    store.sweep_leftovers(settings)
    assert not [path for path in settings.datasets.iterdir() if path.name.startswith(".work")]
    new = add_lists(settings, hand, path, "Shop").lists
    assert new.file == "new.csv"
    assert added_lists.folders(settings) == [new.folder]


@pytest.mark.parametrize("name", ["train/metrics.parquet", "train+validation/per_user.parquet"])
def test_what_is_damaged_is_measured_anew_from_what_was_given(settings, hand, tmp_path, name):
    one = add_lists(settings, hand, saved(tmp_path, f"{LISTS}zz,i0,1\n"), "Shop").lists
    before = {path.name: path.read_bytes() for path in one.folder.rglob("*.parquet")}
    (one.folder / name).write_bytes(b"PAR1")
    [problem] = added_lists.verify(one.folder)
    assert problem == f"{one.id}/{name}: its bytes are not those that were written."
    assert added_lists.can_be_remeasured(settings, one.folder)
    added_lists.remeasure(settings, one.folder)
    assert added_lists.verify(one.folder) == []
    assert {path.name: path.read_bytes() for path in one.folder.rglob("*.parquet")} == before
    assert added_lists.added_lists(settings) == [one]  # name, file, time and notes too
    assert added_lists.put_aside(settings) == []


def test_lists_that_are_damaged_themselves_are_not_made_up(settings, hand, tmp_path):
    one = add_lists(settings, hand, saved(tmp_path), "Shop").lists
    (one.folder / GIVEN).write_bytes(b"PAR1")
    assert not added_lists.can_be_remeasured(settings, one.folder)
    with pytest.raises(DamagedArtifact, match="its bytes are not those"):
        added_lists.remeasure(settings, one.folder)
    assert one.folder.is_dir()
    again = add_lists(settings, hand, saved(tmp_path), "Shop")  # the mend
    assert not again.known
    assert added_lists.verify(one.folder) == []


def test_without_their_data_set_they_cannot_be_measured_and_stay(settings, hand, tmp_path):
    one = add_lists(settings, hand, saved(tmp_path), "Shop").lists
    store.remove_dataset(settings, hand.id)
    assert added_lists.added_lists(settings) == [one]
    assert not added_lists.can_be_remeasured(settings, one.folder)


def test_what_stood_aside_when_the_process_was_killed_is_put_back(settings, hand, tmp_path):
    one = add_lists(settings, hand, saved(tmp_path), "Shop").lists
    aside = one.folder.rename(settings.lists / f".before-{one.id}")
    assert added_lists.added_lists(settings) == []
    assert added_lists.put_aside(settings) == [aside]
    added_lists.put_back(settings, aside)
    assert added_lists.added_lists(settings) == [one]
    assert added_lists.put_aside(settings) == []


@pytest.mark.parametrize("meta", ["{", "[]", '{"files": {}}', '{"format_version": 99, "files": {}}'])
def test_a_damaged_description_is_told_and_leaves_the_others_alone(settings, hand, tmp_path, meta):
    one = add_lists(settings, hand, saved(tmp_path), "Shop").lists
    other = add_lists(settings, hand, saved(tmp_path), "Other").lists
    (one.folder / "meta.json").write_text(meta)
    assert added_lists.added_lists(settings) == [other]
    assert len(added_lists.verify(one.folder)) == 1


def test_fields_of_a_description_that_are_of_another_kind_are_damage(settings, hand, tmp_path):
    one = add_lists(settings, hand, saved(tmp_path), "Shop").lists
    meta = json.loads((one.folder / "meta.json").read_text())
    for change in ({"cutoffs": 5}, {"users": {"test": [1]}}, {"created": "then"}, {"notes": None}):
        (one.folder / "meta.json").write_text(json.dumps(meta | change))
        with pytest.raises(DamagedArtifact, match="does not describe lists"):
            added_lists.read_about(one.folder)
