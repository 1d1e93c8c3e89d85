"""The Data page's Add tab: a file, what is understood of it, what an import would keep, and the import.

Nothing is written before the button: the preview shows the first rows and counts the effect of every filter.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from core.datasets import imports
from core.datasets.imports import ImportRequest, Preview
from core.datasets.readers import FORMATS
from core.datasets.splits import SPLIT_RULES
from core.errors import LabError
from core.settings import Settings
from pages.shared import boundary, server, tables, uploads, view, words

GUESS, NONE = "guess", "none"
ASKED = "import_asked"
ROUND = "import_round"
"""Part of the uploaders' keys: another number empties them."""


def draw() -> None:
    """The tab, top to bottom."""
    request = _files()
    if request is None:
        st.info(
            "Choose a file of interactions: CSV, TSV, Parquet, RecBole, MovieLens `::`, LightGCN lists, packed or not. "
            "You will see what is understood of it, and what every filter would drop, before anything is written.",
            icon=":material/upload_file:",
        )
        st.caption(
            f"Too large for a browser: put it into `{server.settings().uploads}`, or `python -m core datasets import`."
        )
        return
    try:
        request = _meaning(request)
        found = _preview(request)
    except LabError as error:
        st.error(boundary.sentence(error, "the file"), icon=":material/report:")
        return
    header = FORMATS[found.format].header
    unknown = [role for role in ("user", "item") if header and getattr(request, f"{role}_column") is None]
    _show(found, unknown)
    _import(request, blocked=bool(found.problem or unknown))


def _files() -> ImportRequest | None:
    """The files, as the beginning of a request; None while there is none."""
    settings = server.settings()
    by_hand = uploads.waiting(settings)
    left, middle, right = st.columns(3)
    shown: dict[Path, str] = {}

    def taken(place: Any, label: str, key: str, help: str) -> Path | None:
        file = place.file_uploader(label, key=f"upload_{key}_{st.session_state.get(ROUND, 0)}", help=help)
        name = (
            place.selectbox("or from the uploads folder", by_hand, index=None, key=f"file_{key}") if by_hand else None
        )
        if file is not None:
            path = kept(settings, file)
            shown[path] = file.name
            return path
        return settings.uploads / name if name in by_hand else None

    path = taken(left, "Interactions", "path", "One row a user and item; a rating and a time if there are any.")
    test = taken(middle, "Test interactions (optional)", "test", "Held out as they are: then the split is given.")
    items = taken(right, "Items (optional)", "items", "Titles, years and genres, by the same item ids.")
    forget_others(settings, set(shown))
    if path is None:
        return None
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(shown.get(path, path.name)).stem).strip("-._") or "my-data"
    return ImportRequest(path=path, name=stem, test=test, items=items, shown=shown)


def kept(settings: Settings, file: Any) -> Path:
    """The upload's copy on disk, made once and not at every rerun."""
    known: dict[str, Path] = st.session_state.setdefault("uploads_kept", {})
    path = known.get(file.file_id)
    if path is None or not path.exists():
        path = known[file.file_id] = uploads.keep(settings, file)
    return path


def forget_others(settings: Settings, used: set[Path]) -> None:
    """Remove the copies of files that were taken out of their widgets again."""
    known: dict[str, Path] = st.session_state.get("uploads_kept", {})
    for file_id in [file_id for file_id, path in known.items() if path not in used]:
        uploads.drop(settings, known.pop(file_id))


def _meaning(request: ImportRequest) -> ImportRequest:
    """The request with name, format, columns, filters and split as the widgets have them."""
    first = _preview(request)
    row = st.columns(6)
    # every file has widgets of its own: a choice made for another would be taken over, a column "none" most of all
    file = f"{request.path.name}_{request.name}"
    name = row[0].text_input("Name", request.name, key=f"import_name_{file}", max_chars=64)
    format_ = row[1].selectbox(
        "Format",
        [GUESS, *FORMATS],
        key=f"import_format_{file}",
        format_func=lambda f: FORMATS[f].label if f in FORMATS else f"{FORMATS[first.format].label} (guessed)",
    )
    request = replace(request, name=name, format=None if format_ == GUESS else format_)
    found = _preview(request)
    columns: dict[str, str | None] = {}
    for place, role in zip(row[2:], ("user", "item", "rating", "time"), strict=True):
        guessed = getattr(found, role)
        options = [*found.columns] if role in {"user", "item"} else [*found.columns, NONE]
        index = options.index(guessed) if guessed in options else (len(options) - 1 if NONE in options else None)
        picked = place.selectbox(
            f"{role.capitalize()} column", options, index=index, key=f"import_{role}_{found.format}_{file}"
        )
        columns[f"{role}_column"] = "" if picked == NONE else picked
    if not FORMATS[found.format].header:
        columns = {key: value if value == "" else None for key, value in columns.items()}
    return _filters(replace(request, **columns))  # type: ignore[arg-type]


def _filters(request: ImportRequest) -> ImportRequest:
    row = st.columns(6)
    rules = ["given"] if request.test else [name for name in SPLIT_RULES if name != "given"]
    return replace(
        request,
        min_rating=row[0].number_input("Smallest rating", value=None, key="import_min", placeholder="keep all"),
        k_core=int(
            row[1].number_input(
                "k-core", 0, 1000, 0, key="import_core", help="Users and items with fewer are left out."
            )
        ),
        split=row[2].selectbox("Split", rules, format_func=lambda r: SPLIT_RULES[r].label, key="import_split"),
        test_share=row[3].number_input(
            "Test share", 0.01, 0.9, 0.2, 0.05, key="import_test", disabled=bool(request.test)
        ),
        validation_share=row[4].number_input("Validation share", 0.0, 0.9, 0.1, 0.05, key="import_valid"),
        seed=int(row[5].number_input("Seed", 0, 1_000_000, 0, key="import_seed")),
    )


@st.cache_data(max_entries=8, show_spinner="Reading the file")
def _read(key: str, _settings: Settings, _request: ImportRequest) -> Preview:
    return imports.preview(_settings, _request)


def _preview(request: ImportRequest) -> Preview:
    """The preview of a request; its path is the hash of its content, so an equal request has an equal answer."""
    return _read(repr(request), server.settings(), request)


def _show(found: Preview, unknown: list[str]) -> None:
    """The first rows, and what an import would keep. unknown: roles whose column nobody has named yet."""
    if unknown:
        st.warning(
            f"Which column holds the {' and which the '.join(f'{role}s' for role in unknown)}? Choose above.",
            icon=":material/view_column:",
        )
    elif found.problem:
        st.error(words.plain(found.problem), icon=":material/report:", title="This would be refused")
    else:
        st.success(f"Would keep {found.effect}.", icon=":material/check:")
    for note in found.notes:
        st.caption(f"· {words.plain(note)}")
    tables.table(found.head.to_pandas(), "The first rows of the file, as they are", height=260, key="import_head")


def _ask_for_import() -> None:
    st.session_state[ASKED] = True


def _import(request: ImportRequest, blocked: bool) -> None:
    st.button(
        "Import",
        type="primary",
        icon=":material/save:",
        disabled=blocked,
        key="import",
        on_click=_ask_for_import,
    )
    if not st.session_state.pop(ASKED, False) or blocked:
        return
    settings = server.settings()
    try:
        with st.spinner("Preparing the data set"):
            info = imports.import_file(settings, request)
    except LabError as error:
        st.error(boundary.sentence(error, "the import"), icon=":material/report:")
        return
    for path in (request.path, request.test, request.items):
        uploads.drop(settings, path)
    boundary.say(
        f"{info.title} is prepared: {words.count(info.users, 'user')}, {words.count(info.items, 'item')}. "
        "Train on Sweep."
    )
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    view.choose_next(info.id)
    st.rerun()
