"""Import of the user's own files, and a look at them before: what was understood, and what an import would keep.

Here: the request, the preview, the import. Not here: formats (readers/), filters and splits (preparation.py).
A refused or failed import leaves the cache as it was: all is read and prepared in memory before a byte is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from core.datasets.preparation import Options, effect_in_words, prepare
from core.datasets.prepared import Description, Prepared
from core.datasets.raw import Columns, Raw, find_layout, read_interactions, with_test
from core.datasets.readers import FORMATS
from core.datasets.readers.blob import open_blob
from core.datasets.readers.items import read_items_file
from core.datasets.store import DatasetInfo, publish, refuse_bad_name, refuse_taken_name
from core.errors import LabError
from core.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """A file and what to make of it. A column that is None is found by its usual names; "" says there is none."""

    path: Path
    name: str
    """What to call the data set."""
    test: Path | None = None
    """A file with the held-out interactions, of the same format and columns."""
    format: str | None = None
    """A key of readers.FORMATS; None: told from the content."""
    user_column: str | None = None
    item_column: str | None = None
    rating_column: str | None = None
    time_column: str | None = None
    items: Path | None = None
    """A file with titles, and years and genres if it has them."""
    title_column: str | None = None
    min_rating: float | None = None
    k_core: int = 0
    split: str | None = None
    """A key of splits.SPLIT_RULES; None: random, or given where there is a test file."""
    test_share: float = 0.2
    validation_share: float = 0.1
    seed: int = 0
    shown: Mapping[Path, str] = field(default_factory=dict)
    """What messages call a file whose path means nothing to the user: an upload."""

    @property
    def options(self) -> Options:
        """How to prepare it. Raises BadInput or Unknown for a value that cannot be used."""
        return Options(
            min_rating=self.min_rating,
            k_core=self.k_core,
            split=self.split or ("given" if self.test else "random"),
            test_share=self.test_share,
            validation_share=self.validation_share,
            seed=self.seed,
        )

    @property
    def columns(self) -> Columns:
        """What the columns are called."""
        return Columns(self.user_column, self.item_column, self.rating_column, self.time_column)

    def file_name(self, path: Path) -> str:
        """What messages call that file."""
        return self.shown.get(path, path.name)


@dataclass(frozen=True, slots=True)
class Preview:
    """What was understood of a file, before anything is written."""

    format: str
    columns: tuple[str, ...]
    """All columns of the file, in their order."""
    user: str | None
    item: str | None
    rating: str | None
    time: str | None
    """Which column is taken for what; None: there is none."""
    head: pa.Table
    """The first rows, every column, as the file has them."""
    effect: str | None
    """What the import would keep, in words; None where it would be refused."""
    notes: tuple[str, ...]
    """What it would drop or repair, counted."""
    problem: str | None
    """Why it would be refused; None where it would not."""


def preview(settings: Settings, request: ImportRequest, rows: int = 20) -> Preview:
    """Format, columns, first rows, and the effect of filters and split. Nothing is written.

    Raises BadInput or Unknown where the file cannot be read as a table at all; a later problem is in the answer.
    """
    blob = open_blob(request.path, settings, request.file_name(request.path))
    found: tuple[Raw, Prepared] | None = None
    problem: str | None = None
    try:
        blob, layout = find_layout(blob, request.format, request.columns)
        found = _prepared(settings, request)
    except LabError as error:  # a column that is not found, a bad row, ...: the user is to see it beside the rows
        blob, layout = find_layout(blob, request.format, Columns(), require=False)
        problem = str(error)
    head = FORMATS[layout.format].read(blob, range(len(layout.names))).slice(0, rows)
    return Preview(
        format=layout.format,
        columns=layout.names,
        user=layout.name("user"),
        item=layout.name("item"),
        rating=layout.name("rating"),
        time=layout.name("time"),
        head=head.rename_columns(_distinct(layout.names)),
        effect=found and effect_in_words(*found),
        notes=found[1].about.notes if found else (),
        problem=problem,
    )


def import_file(settings: Settings, request: ImportRequest) -> DatasetInfo:
    """Read, check, prepare, publish. Raises BadInput or Unknown, and then the cache is as it was."""
    refuse_bad_name(request.name)
    _, prepared = _prepared(settings, request)
    refuse_taken_name(settings, request.name, prepared.id)
    return publish(settings, prepared)


def _prepared(settings: Settings, request: ImportRequest) -> tuple[Raw, Prepared]:
    options = request.options
    raw, layout = read_interactions(
        request.path, settings, request.columns, request.format, request.file_name(request.path)
    )
    if request.test:
        test, _ = read_interactions(
            request.test, settings, request.columns, layout.format, request.file_name(request.test)
        )
        raw = with_test(raw, test)
    about = Description(
        name=request.name,
        title=request.name,
        source=f"imported from {raw.name}",
        licence="the owner's",
        imported=True,
    )
    return raw, prepare(raw, options, about, _items(settings, request, layout.name("item")))


def _items(settings: Settings, request: ImportRequest, item_column: str | None) -> pa.Table | None:
    """The titles, if there is a file of them. Its id column may be called as in the interactions, or as is usual."""
    if request.items is None:
        return None
    name = request.file_name(request.items)
    return read_items_file(request.items, settings, None, item_column, request.title_column, name)


def _distinct(names: tuple[str, ...]) -> list[str]:
    """The names, each once: a header may repeat one."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return distinct
