"""The Data page: choosing, adding with a preview, and looking."""

import os

from core.datasets import store
from core.datasets.store import DatasetInfo
from core.settings import Settings
from pages.shared import uploads
from tests.pages.test_every_page import text

ROWS = [f"{u},{i},{1 + (u + i) % 5}" for u in range(30) for i in range(40) if (u * i) % 3]
FILE = "\n".join(["user,item,rating", *ROWS]).encode()


def test_prepared_and_known_data_sets_are_listed(visit, tiny: DatasetInfo) -> None:
    at = visit("data")
    assert list(at.dataframe[0].value["Data set"]) == ["Tiny"]
    assert "MovieLens 1M" in text(at)


def test_an_upload_is_previewed_counted_and_imported(visit, settings: Settings) -> None:
    at = visit("data", tab="Add")
    at.file_uploader[0].upload("my films.csv", FILE).run()
    assert not at.exception
    assert not at.error
    assert f"of {len(ROWS):,} interactions" in at.success[0].value
    assert store.list_datasets(settings) == []
    at.number_input(key="import_min").set_value(3.0).run()
    assert f"of {len(ROWS):,} interactions" in at.success[0].value
    kept = at.success[0].value
    at.button(key="import").click().run()
    assert not at.error
    [info] = store.list_datasets(settings)
    assert info.name == "my-films"
    assert f"{info.interactions:,} of" in kept
    assert not list(settings.uploads.iterdir())
    assert at.session_state["view"].dataset == info.id


def test_choices_made_for_one_file_are_not_taken_over_for_the_next(visit, settings: Settings) -> None:
    """The first has no ratings; the second's must be found all the same, and its own name."""
    at = visit("data", tab="Add")
    at.file_uploader[0].upload("bare.csv", b"\n".join(line.rsplit(b",", 1)[0] for line in FILE.split(b"\n"))).run()
    assert [box.value for box in at.selectbox if box.label == "Rating column"] == ["none"]
    at.file_uploader[0].upload("rated.csv", FILE).run()
    assert [box.value for box in at.selectbox if box.label == "Rating column"] == ["rating"]
    assert [field.value for field in at.text_input if field.label == "Name"] == ["rated"]


def test_columns_that_cannot_be_guessed_are_asked_for(visit, settings: Settings) -> None:
    at = visit("data", tab="Add")
    at.file_uploader[0].upload("own.csv", FILE.replace(b"user,item,rating", b"p,q,r")).run()
    assert "Which column holds the users and which the items?" in at.warning[0].value
    assert at.button(key="import").disabled
    for label, column in (("User column", "p"), ("Item column", "q")):
        next(box for box in at.selectbox if box.label == label).select(column).run()
    assert not at.warning
    assert "Would keep" in at.success[0].value


def test_a_file_that_cannot_be_used_is_refused_with_the_row(visit, settings: Settings) -> None:
    at = visit("data", tab="Add")
    at.file_uploader[0].upload("bad.csv", FILE + b"\n7,8,excellent\n").run()
    assert not at.exception
    said = "\n".join(str(e.value) for e in at.error).replace("\\", "")
    assert "bad.csv" in said
    assert "excellent" in said
    assert at.button(key="import").disabled


def test_an_empty_file_is_refused(visit, settings: Settings) -> None:
    at = visit("data", tab="Add")
    at.file_uploader[0].upload("empty.csv", b"").run()
    assert not at.exception
    assert "empty" in at.error[0].value


def test_a_data_set_can_be_removed(visit, settings: Settings, tiny: DatasetInfo) -> None:
    at = visit("data")
    assert at.button(key="remove").disabled
    at.selectbox(key="remove_which").select(tiny.id).run()
    at.button(key="remove").click().run()
    assert not at.exception
    assert store.list_datasets(settings) == []


def test_look_tells_what_it_shows(visit, tiny: DatasetInfo) -> None:
    at = visit("data", tab="Look")
    names = [chart.proto.alt for chart in at.get("vega_lite_chart")]
    assert len(names) == 5
    assert all(names)
    assert any("Gini" in name for name in names)
    assert {m.label: m.value for m in at.metric}["Users"] == "60"


def test_an_upload_is_kept_under_the_hash_of_its_content(settings: Settings, tmp_path) -> None:
    (tmp_path / "evil").write_bytes(FILE)
    with (tmp_path / "evil").open("rb") as file:
        first, second = uploads.keep(settings, file), uploads.keep(settings, file)
    assert first == second
    assert first.parent == settings.uploads
    assert first.read_bytes() == FILE
    (settings.uploads / "large.csv").write_bytes(FILE)
    assert uploads.waiting(settings) == ["large.csv"]
    uploads.drop(settings, first)
    uploads.drop(settings, settings.uploads / "large.csv")
    assert uploads.waiting(settings) == ["large.csv"]
    assert not first.exists()


def test_what_was_never_imported_does_not_stay(visit, settings: Settings) -> None:
    at = visit("data", tab="Add")
    at.file_uploader[0].upload("first.csv", FILE).run()
    at.file_uploader[0].upload("second.csv", FILE + b"\n29,100,3\n").run()
    assert not at.exception
    [kept] = settings.uploads.iterdir()
    assert kept.stat().st_size == len(FILE) + len(b"\n29,100,3\n")


def test_copies_of_sessions_long_gone_are_removed_at_the_next_upload(settings: Settings, tmp_path) -> None:
    settings.uploads.mkdir()
    (settings.uploads / "by-hand.csv").write_bytes(FILE)
    (settings.uploads / ("0" * 32)).write_bytes(FILE)
    (tmp_path / "new").write_bytes(b"user,item\n")
    for path in settings.uploads.iterdir():
        os.utime(path, (0, 0))
    with (tmp_path / "new").open("rb") as file:
        kept = uploads.keep(settings, file)
    assert sorted(settings.uploads.iterdir()) == sorted([kept, settings.uploads / "by-hand.csv"])
