"""Fetching known data sets: the order of sources, small archives of the true structure from a server of our own."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from pathlib import Path

import pytest

from core.datasets import store
from core.datasets.acquire import acquire, acquire_known
from core.datasets.catalogue import CATALOGUE, KnownDataset
from core.datasets.readers.items import FILM_GENRES
from core.datasets.sources import Address, Source, Wheel
from core.errors import Cancelled, SourceUnreachable, Unknown
from core.settings import Settings
from tests.datasets.files import Broken, Truncating, adjacency, rows, served, snapshot, table, zipped
from tests.realdata import ml_100k

ROWS = rows()
ITEMS = sorted({item for _, item, *_ in ROWS})
FLAGS = "|".join("1" if genre == "Comedy" else "0" for genre in FILM_GENRES)
U_ITEM = "".join(f"{i}|Café {i}, The (1990)|01-Jan-1990||url|{FLAGS}\n" for i in ITEMS).encode("latin-1")
INTER = table(ROWS, "\t", "user_id:token\titem_id:token\trating:float\ttimestamp:float")
ITEM_HEADER = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq"
ITEM = table([(i, f"Café {i}, The", 1990, "Comedy") for i in ITEMS], "\t", ITEM_HEADER)

ARCHIVES = {
    "ml-100k": {"ml-100k/u.data": table(ROWS, "\t"), "ml-100k/u.item": U_ITEM, "ml-100k/README": "read me"},
    "ml-1m": {
        "ml-1m/ratings.dat": table(ROWS, "::"),
        "ml-1m/movies.dat": "".join(f"{i}::Café {i}, The (1990)::Comedy\n" for i in ITEMS).encode("latin-1"),
    },
    "ml-latest-small": {
        "ml-latest-small/ratings.csv": table(ROWS, ",", "userId,movieId,rating,timestamp"),
        "ml-latest-small/movies.csv": table(
            [(i, f'"Café {i}, The (1990)"', "Comedy") for i in ITEMS], ",", "movieId,title,genres"
        ),
    },
}


def online(settings: Settings, mirror: str | None = None) -> Settings:
    return dataclasses.replace(settings, offline=False, dataset_mirror=mirror, fetch_timeout=5.0)


def at(known: KnownDataset, url: str) -> KnownDataset:
    """The same data set, its addresses on our server, and no Python package."""
    sources: list[Source] = [Address(s.files, url) for s in known.sources if isinstance(s, Address)]
    return dataclasses.replace(known, sources=tuple(sources))


def silent(share: float, text: str) -> None:
    assert 0 <= share <= 1 and text


def lay_out(folder: Path, name: str) -> None:
    """What the official server of that data set has."""
    if name in ARCHIVES:
        zipped(folder / f"{name}.zip", ARCHIVES[name])
    else:
        (folder / name).mkdir()
        (folder / name / "train.txt").write_text(adjacency(ROWS[:-15]))
        (folder / name / "test.txt").write_text(adjacency(ROWS[-15:]))


def test_every_known_data_set_can_be_had_somewhere() -> None:
    for name, known in CATALOGUE.items():
        assert name == known.name and known.simulated == (not known.sources) and known.licence and known.size
        assert all(s.url.startswith("https://") for s in known.sources if isinstance(s, Address))
    assert set(CATALOGUE) == {
        "ml-100k",
        "ml-100k-papers",
        "ml-1m",
        "ml-latest-small",
        "gowalla",
        "yelp2018",
        "simulated",
    }


@pytest.mark.parametrize("name", sorted(name for name, known in CATALOGUE.items() if known.sources and not known.mask))
def test_official_files_become_data_sets(name: str, tmp_path: Path, settings: Settings) -> None:
    lay_out(tmp_path, name)
    with served(tmp_path) as url:
        info = acquire_known(online(settings), at(CATALOGUE[name], url), silent)
    assert (info.name, info.interactions, info.users) == (name, len(ROWS), 12)
    assert info.source.startswith(url) and info.citation == CATALOGUE[name].citation and not info.imported
    if name in ARCHIVES:
        assert store.read_items(info.folder).to_pylist()[0] == {
            "item": 0, "id": "101", "title": "The Café 101", "year": 1990, "genres": "Comedy",
        }  # fmt: skip
    else:
        assert info.test == 15
    assert [path.name for path in settings.datasets.iterdir() if path.name != ".lock"] == [info.id]


def test_what_is_there_is_not_fetched_again(tmp_path: Path, settings: Settings) -> None:
    lay_out(tmp_path, "ml-100k")
    with served(tmp_path) as url:
        known = at(CATALOGUE["ml-100k"], url)
        first = acquire_known(online(settings), known, silent)
    assert acquire_known(settings, known, silent) == first


def test_u_data_and_the_inter_file_give_the_same_id(tmp_path: Path, settings: Settings) -> None:
    """The real MovieLens 100K, once as the official archive has it and once as RecBole's package has it."""
    lines = (ml_100k() / "ml-100k.inter").read_text().splitlines()[1:]
    zipped(tmp_path / "ml-100k.zip", {"ml-100k/u.data": "\n".join(lines) + "\n", "ml-100k/u.item": U_ITEM})
    with served(tmp_path) as url:
        archive = acquire_known(online(settings), at(CATALOGUE["ml-100k"], url), silent)
    store.remove_dataset(settings, archive.id)
    package = acquire(dataclasses.replace(settings, dataset_mirror=str(ml_100k().parent)), "ml-100k")
    assert package.id == archive.id
    assert package.source != archive.source
    assert (package.users, package.items, package.interactions) == (943, 1682, 100_000)
    titles = {row["id"]: row for row in store.read_items(package.folder).to_pylist()}
    assert titles["1"] | {"item": 0} == {
        "item": 0, "id": "1", "title": "Toy Story", "year": 1995, "genres": "Animation, Children's, Comedy",
    }  # fmt: skip
    assert titles["12"]["title"] == "The Usual Suspects"


MIRRORED = {
    "archive": "ml-100k.zip",
    "unpacked": "ml-100k/u.data ml-100k/u.item",
    "side by side": "u.data u.item",
    "without titles": "ml-100k/u.data",
    "recbole": "ml-100k/ml-100k.inter ml-100k/ml-100k.item",
    "recbole, side by side": "ml-100k.inter ml-100k.item",
}


def fill_mirror(folder: Path, files: str) -> None:
    contents = {
        "u.data": table(ROWS, "\t").encode(),
        "u.item": U_ITEM,
        "ml-100k.inter": INTER.encode(),
        "ml-100k.item": ITEM.encode(),
    }
    for path in map(folder.joinpath, files.split()):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".zip":
            zipped(path, ARCHIVES["ml-100k"])
        else:
            path.write_bytes(contents[path.name])


@pytest.mark.parametrize("holds", MIRRORED)
def test_a_mirror_folder_serves_without_a_network(holds: str, tmp_path: Path, settings: Settings) -> None:
    fill_mirror(tmp_path / "mirror", MIRRORED[holds])
    info = acquire(dataclasses.replace(settings, dataset_mirror=str(tmp_path / "mirror")), "ml-100k", silent)
    assert info.interactions == len(ROWS) and "the mirror" in info.source
    assert store.read_items(info.folder).column("title").null_count == (25 if holds == "without titles" else 0)


@pytest.mark.parametrize("holds", [name for name in MIRRORED if "side by side" not in name])
def test_a_mirror_url_serves_before_the_official_address(holds: str, tmp_path: Path, settings: Settings) -> None:
    fill_mirror(tmp_path / "mirror", MIRRORED[holds])
    with served(tmp_path / "mirror") as url:
        info = acquire(online(settings, url.rstrip("/")), "ml-100k", silent)
    assert info.interactions == len(ROWS) and info.source.startswith(f"the mirror {url.rstrip('/')}")


@pytest.mark.parametrize(
    "trouble", ["nothing there", "error", "truncated", "page instead of archive", "bomb", "escape"]
)
def test_trouble_with_one_source_goes_on_to_the_next(trouble: str, tmp_path: Path, settings: Settings) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()
    lay_out(good, "ml-100k")
    if trouble == "page instead of archive":
        (bad / "ml-100k.zip").write_text("<html>Please log in</html>")
    elif trouble == "bomb":
        zipped(bad / "ml-100k.zip", {"ml-100k/u.data": b"0" * 40_000_000})
    elif trouble == "escape":
        zipped(bad / "ml-100k.zip", {**ARCHIVES["ml-100k"], "../../evil": "x"})
    handler = {"error": Broken, "truncated": Truncating}.get(trouble)
    with served(bad, *[handler] if handler else []) as bad_url, served(good) as good_url:
        known = CATALOGUE["ml-100k"]
        files = known.sources[0].files
        both = dataclasses.replace(known, sources=(Address(files, bad_url), Address(files, good_url)))
        info = acquire_known(online(settings), both, silent)
        assert info.source.startswith(good_url)
        with pytest.raises(SourceUnreachable) as caught:
            acquire_known(online(dataclasses.replace(settings, cache=tmp_path / "other")), at(known, bad_url), silent)
    (attempt,) = caught.value.attempts
    reason = {
        "nothing there": "404", "error": "500", "truncated": "ended after 16 of 100,000 bytes",
        "page instead of archive": "not a zip file", "bomb": "archive bombs", "escape": "leaves the archive's folder",
    }[trouble]  # fmt: skip
    assert attempt.startswith(bad_url) and reason in attempt
    assert not (tmp_path / "evil").exists()
    assert [path.name for path in (tmp_path / "other" / "datasets").iterdir()] == [".lock"]


def test_without_a_source_all_answers_are_told(settings: Settings) -> None:
    known = at(CATALOGUE["ml-100k"], "http://127.0.0.1:9/")  # nobody listens on "discard"
    with pytest.raises(SourceUnreachable, match=r"ml-100k\.zip: .*refused.*LONGTAIL_DATASET_MIRROR"):
        acquire_known(online(settings, "/no/such/folder"), known, silent)


def test_offline_asks_nobody(tmp_path: Path, settings: Settings) -> None:
    lay_out(tmp_path, "ml-100k")
    with served(tmp_path) as url, pytest.raises(SourceUnreachable) as caught:
        acquire(dataclasses.replace(settings, offline=True, dataset_mirror=url), "ml-100k")
    assert len(caught.value.attempts) == 4  # the mirror for either form of the files, the archive, the package
    assert all("LONGTAIL_OFFLINE" in attempt for attempt in caught.value.attempts)


def test_more_bytes_than_allowed_are_not_kept(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "ml-100k.zip").write_bytes(os.urandom(1_100_000))
    with served(tmp_path) as url, pytest.raises(SourceUnreachable, match="more than 1 MB"):
        small = dataclasses.replace(online(settings), max_upload_mb=1)
        acquire_known(small, at(CATALOGUE["ml-100k"], url), silent)


@pytest.mark.parametrize("word", ["Looking", "Fetching", "Preparing", "Writing"])
def test_cancelling_at_any_step_leaves_nothing(word: str, tmp_path: Path, settings: Settings) -> None:
    def cancel(share: float, text: str) -> None:
        if text.startswith(word):
            raise Cancelled

    lay_out(tmp_path, "ml-100k")
    with served(tmp_path) as url, pytest.raises(Cancelled):
        acquire_known(online(settings), at(CATALOGUE["ml-100k"], url), cancel)
    assert set(snapshot(settings.cache)) <= {"datasets", "datasets/.lock"}


def test_an_unknown_name_is_refused(settings: Settings) -> None:
    with pytest.raises(Unknown, match=r"no known data set 'ml-100'\. Did you mean ml-100k"):
        acquire(settings, "ml-100")


def wheel_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> KnownDataset:
    """A package like RecBole's in a folder that pip is told to look in, and nowhere else."""
    known = CATALOGUE["ml-100k"]
    (source,) = (s for s in known.sources if isinstance(s, Wheel))
    wheel = zipped(
        folder / "recbole-1.2.1-py3-none-any.whl",
        {
            "recbole/dataset_example/ml-100k/ml-100k.inter": INTER,
            "recbole/dataset_example/ml-100k/ml-100k.item": ITEM,
            "recbole/dataset_example/ml-100k/ml-100k.user": "user_id:token\n",
            "recbole/__init__.py": "raise SystemExit('code of the package is not run')",
            "recbole-1.2.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: recbole\nVersion: 1.2.1\n",
            "recbole-1.2.1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "recbole-1.2.1.dist-info/RECORD": "",
        },
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return dataclasses.replace(known, sources=(dataclasses.replace(source, sha256=digest),))


def test_the_package_is_the_last_resort(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    known = wheel_of(tmp_path, monkeypatch)
    told: list[str] = []
    info = acquire_known(online(settings), known, lambda share, text: told.append(text))
    assert info.interactions == len(ROWS) and info.source == "the Python package recbole==1.2.1"
    assert "Fetching recbole==1.2.1 by pip" in told
    csv = dataclasses.replace(settings, cache=tmp_path / "other", dataset_mirror=str(tmp_path / "mirror"))
    fill_mirror(tmp_path / "mirror", "ml-100k.zip")
    assert acquire(csv, "ml-100k").id == info.id


def test_a_package_with_another_hash_is_refused(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = wheel_of(tmp_path, monkeypatch)
    other = dataclasses.replace(known.sources[0], sha256="0" * 64)  # type: ignore[type-var]
    with pytest.raises(SourceUnreachable, match="another sha256"):
        acquire_known(online(settings), dataclasses.replace(known, sources=(other,)), silent)


def test_pip_is_ended_by_a_cancellation(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancel(share: float, text: str) -> None:
        if "by pip" in text:
            raise Cancelled

    with pytest.raises(Cancelled):
        acquire_known(online(settings), wheel_of(tmp_path, monkeypatch), cancel)
    assert set(snapshot(settings.cache)) == {"datasets", "datasets/.lock"}


def test_pip_without_an_answer_is_told(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    known = wheel_of(tmp_path, monkeypatch)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    with pytest.raises(SourceUnreachable, match=re.escape("the Python package recbole==1.2.1: pip: ERROR")):
        acquire_known(online(settings), known, silent)
