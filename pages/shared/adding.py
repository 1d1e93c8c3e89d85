"""The Data page's Lists tab: a file of anybody's top-k lists, what would be measured of it, and what was added before.

Nothing is written before the button: the preview counts what would be left out or repaired.
Not here: the rules (core/evaluation/lists.py), where added lists are kept (core/jobs/added_lists.py).
"""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from core.datasets import store
from core.datasets.store import DatasetInfo
from core.errors import LabError
from core.jobs import added_lists
from core.jobs.added_lists import AddedLists, Preview
from core.settings import Settings
from pages.shared import boundary, importing, server, uploads, view, words

ASKED, ROUND = "lists_asked", "lists_round"
"""ROUND is part of the uploader's key: another number empties it."""


def draw(here: view.View) -> None:
    """The tab, top to bottom."""
    if here.dataset is None:
        st.info("Lists are of a data set. Fetch one under **Choose**, or import your own under **Add**.")
        return
    info = store.find_dataset(server.settings(), here.dataset)
    found = _file(info)
    if found is None:
        st.info(
            f"Choose a file of top-k lists for {words.plain(here.title)}, of a system in production or of another "
            "program: CSV or Parquet with `user,item,rank` (rank from 1), ids as in the data set. They become a "
            "reference on every chart and on **Users**, under the name you give.",
            icon=":material/upload_file:",
        )
        st.caption(
            f"Too large for a browser: put it into `{server.settings().uploads}`, or `python -m core add-lists`."
        )
    else:
        _one(info, *found)
    _already(info)


def _file(info: DatasetInfo) -> tuple[Path, str] | None:
    """The file, and what it is called; None while there is none."""
    settings = server.settings()
    by_hand = uploads.waiting(settings)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    key = f"upload_lists_{info.id}_{st.session_state.get(ROUND, 0)}"
    file = left.file_uploader("Lists", key=key, help="One row a user and rank; optional columns: split, score.")
    name = right.selectbox("or from the uploads folder", by_hand, index=None, key="file_lists") if by_hand else None
    path = importing.kept(settings, file) if file is not None else None
    importing.forget_others(settings, {path} if path else set())
    if path is not None and file is not None:
        return path, file.name
    return (settings.uploads / name, name) if name in by_hand else None


@st.cache_data(max_entries=8, show_spinner="Reading the lists")
def _previewed(dataset: str, path: str, file: str, changed: int, _info: DatasetInfo) -> Preview:
    return added_lists.preview(_info, Path(path), file)


def _one(info: DatasetInfo, path: Path, file: str) -> None:
    """A file: what would be measured, its name, and the button."""
    try:
        found = _previewed(info.id, str(path), file, path.stat().st_mtime_ns, info)
    except LabError as error:
        st.error(boundary.sentence(error, "the file"), icon=":material/report:")
        return
    st.success(f"Would measure {found.described}.", icon=":material/check:")
    _notes(found.notes)
    stem = re.sub(r"[^\w .()+/-]+", "-", Path(file).stem).strip("-._ ")[: added_lists.NAME_LENGTH] or "Lists"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", stem, key=f"lists_name_{file}", max_chars=added_lists.NAME_LENGTH, width=300)
        st.button("Add the lists", type="primary", icon=":material/save:", key="add_lists", on_click=_ask)
    taken = next((one for one in added_lists.added_lists(server.settings(), info.id) if one.name == name.strip()), None)
    if taken:
        st.caption(f"Replaces {words.plain(taken.name)}, from {words.plain(taken.file)}.")
    if st.session_state.pop(ASKED, False):
        _add(server.settings(), info, path, name, file)


def _ask() -> None:
    st.session_state[ASKED] = True


def _add(settings: Settings, info: DatasetInfo, path: Path, name: str, file: str) -> None:
    try:
        with st.spinner("Measuring the lists"):
            added = added_lists.add_lists(settings, info, path, name, file)
    except LabError as error:
        st.error(boundary.sentence(error, "the lists"), icon=":material/report:")
        return
    uploads.drop(settings, path)
    boundary.say(words.plain(added.sentence))
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    st.rerun()


def _notes(notes: tuple[str, ...]) -> None:
    if notes:
        st.caption("  \n".join(f"· {words.plain(note)}" for note in notes))


def _already(info: DatasetInfo) -> None:
    """What was added before, with what was left out or repaired."""
    found = added_lists.added_lists(server.settings(), info.id)
    if not found:
        return
    st.header("Added lists")
    st.caption("Measured, not trained here, and kept until you remove them. Popularity is counted as for the runs.")
    for one in found:
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    f"**{words.plain(one.name)}**  \n:small[{words.plain(one.file)}: measured on "
                    f"{words.plain(one.described)}]",
                    width="stretch",
                )
                st.button(
                    "Remove", icon=":material/delete:", type="tertiary", key=f"remove_lists_{one.id}",
                    on_click=_remove, args=(one,),
                )  # fmt: skip
            _notes(one.notes)


def _remove(one: AddedLists) -> None:
    """For a button's callback."""
    with boundary.attempt("removing the lists"):
        added_lists.remove_lists(server.settings(), one.dataset, one.name)
        boundary.say(f"Removed {words.plain(one.name)}.")
