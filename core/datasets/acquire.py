"""Get a known data set: from the first source that answers, prepared as the catalogue says, published.

Here: the order of sources, and what happens when one fails. Not here: the sources (sources.py) and the list of data
sets (catalogue.py). Any number of processes may do this at once; killed, it leaves a folder that is swept.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from core.datasets.catalogue import CATALOGUE, KnownDataset
from core.datasets.preparation import prepare
from core.datasets.prepared import Description, Prepared
from core.datasets.raw import Columns, read_interactions, with_test
from core.datasets.readers.items import read_items_file
from core.datasets.scratch import scratch
from core.datasets.sources import Files, Progress, Source, SourceFailed, mirrors
from core.datasets.store import DatasetInfo, list_datasets, publish
from core.errors import BadInput, SourceUnreachable, Unknown
from core.settings import Settings

_FETCHED, _PREPARED = 0.8, 0.95  # shares of the work, as told to `progress`


def acquire(settings: Settings, name: str, progress: Progress | None = None) -> DatasetInfo:
    """The data set of that name, prepared: at once if it is there, else fetched or generated.

    progress: is told a share from 0 to 1 and what is being done; may raise Cancelled, which leaves nothing behind.
    Raises Unknown, SourceUnreachable (what each source said), BadInput (another data set has the name).
    """
    if name not in CATALOGUE:
        raise Unknown("known data set", name, CATALOGUE)
    return acquire_known(settings, CATALOGUE[name], progress or (lambda share, text: None))


def acquire_known(settings: Settings, known: KnownDataset, progress: Progress) -> DatasetInfo:
    """`acquire` for any description of a data set."""
    for info in list_datasets(settings):
        if (info.name, info.title, info.options) == (known.name, known.title, known.options.to_json()):
            return info
    progress(0.0, f"Looking for {known.title}")
    prepared = _simulated(progress) if known.simulated else _from_sources(settings, known, progress)
    progress(_PREPARED, f"Writing {known.title}")
    return publish(settings, prepared)


def _simulated(progress: Progress) -> Prepared:
    from core.datasets.simulated import simulate

    progress(_FETCHED, "Generating interactions")
    return simulate()


def _from_sources(settings: Settings, known: KnownDataset, progress: Progress) -> Prepared:
    """From the first source whose files arrive and can be read; the others' answers are told if none is left."""
    attempts = []
    sources: list[Source] = [*mirrors(known.sources, settings), *known.sources]
    with scratch(settings) as work:
        for number, source in enumerate(sources):
            folder = work / str(number)
            folder.mkdir()
            try:
                source.fetch(folder, settings, lambda share, text: progress(share * _FETCHED, text))
                progress(_FETCHED, f"Preparing {known.title}")
                return _prepared(settings, known, source, folder)
            except (SourceFailed, BadInput) as error:  # a proxy's log-in page is no archive: try the next
                attempts.append(f"{source.label}: {error}")
    raise SourceUnreachable(known.name, attempts)


def _prepared(settings: Settings, known: KnownDataset, source: Source, folder: Path) -> Prepared:
    files = source.files
    raw, _ = read_interactions(folder / files.interactions, settings, Columns(), files.format)
    if files.test:
        raw = with_test(raw, read_interactions(folder / files.test, settings, Columns(), files.format)[0])
    if known.mask:
        raw = known.mask.hold_out(raw)
    about = Description(
        name=known.name, title=known.title, source=source.label, licence=known.licence, citation=known.citation
    )
    return prepare(raw, known.options, about, _items(settings, files, folder))


def _items(settings: Settings, files: Files, folder: Path) -> pa.Table | None:
    if not files.items or not (folder / files.items).exists():
        return None
    return read_items_file(folder / files.items, settings, films=True)
