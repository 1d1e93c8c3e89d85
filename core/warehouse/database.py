"""The index over the prepared data sets and the finished runs: one connection, one writer, refreshed and healed.

Here: who may write, when the files are looked at, what happens to a damaged index. Not here: opening (connection.py),
tables (schema.py), how files become rows (ingestion.py), what is asked (queries.py).
Files are the truth: whatever happens to the index, nothing is lost.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
from filelock import FileLock

from core.ids import content_id
from core.settings import Settings
from core.warehouse.connection import Connection, delete_file, is_damage, open_file, open_memory, take_lock
from core.warehouse.ingestion import (
    Problem,
    Source,
    ingest,
    problem_stamp,
    sources_on_disk,
    stored_folders,
    stored_sources,
)


class Warehouse:
    """All that pages and commands ask about data sets and runs. Threads may share it; every call has its own cursor.

    Make one with `Warehouse.open`. `frame` runs a query; the queries have names, in queries.py.
    """

    def __init__(self, settings: Settings, lock: FileLock | None):
        self.settings = settings
        self._lock = lock
        self._writer = threading.RLock()
        self._known: dict[Source, str] = {}
        self._bad: dict[Source, tuple[object, Problem]] = {}
        self._version = 0
        self._elsewhere: dict[str, Path] = {}
        self._connect()

    @classmethod
    def open(cls, settings: Settings, own: bool) -> Warehouse:
        """The index over `settings.cache`, refreshed.

        own=True takes the database file, made anew if it is missing, damaged or of another schema version; if another
        process has it, or it cannot be written, the index is built in memory. own=False works in memory at once.
        """
        warehouse = cls(settings, take_lock(settings) if own else None)
        warehouse.refresh()
        return warehouse

    @property
    def in_memory(self) -> bool:
        """Does the index live in memory only?"""
        return self._lock is None

    @property
    def version(self) -> int:
        """A number that stands for the content: the same files give the same, other files another. A cache's key."""
        return self._version

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be read and was left out, by name."""
        return tuple(problem for _, (_, problem) in sorted(self._bad.items()))

    def frame(self, sql: str, tables: Mapping[str, pa.Table] | None = None, **values: Any) -> pd.DataFrame:
        """The rows of a query; values are bound to `$name`. A damaged index is rebuilt and asked again.

        tables: what is there under those names for this query alone.
        """
        connection = self._connection
        try:
            return _fetch(connection, sql, values, tables or {})
        except duckdb.Error as error:
            if not self._heal(connection, error):
                raise
        return _fetch(self._connection, sql, values, tables or {})

    def refresh(self) -> int:
        """Takes in new data sets and finished runs, drops vanished ones; returns the version.

        Costs a listing of three folders when nothing changed. What cannot be read is skipped and told in `problems`.
        """
        with self._writer:
            found = sources_on_disk(self.settings)
            skip = self._still_bad(found)
            if found.keys() - skip == self._known.keys() and all(found[s] == self._known[s] for s in self._known):
                self._bad = {s: self._bad[s] for s in skip}
                return self._version
            connection = self._connection
            try:
                self._ingest(found)
            except duckdb.Error as error:
                if not self._heal(connection, error):
                    raise
            return self._version

    def file_of(self, run: str, name: str) -> Path:
        """Where a file of a run lies, or of added lists that stand beside the runs."""
        return self._elsewhere.get(run, self.settings.runs / run) / name

    def close(self) -> None:
        """Lets go of the file. The object cannot be asked afterwards."""
        with self._writer:
            self._connection.close()
            if self._lock:
                self._lock.release()

    def _connect(self) -> None:
        """Opens the file if it is ours and can be had, else memory."""
        connection = open_file(self.settings) if self._lock else None
        if connection is None and self._lock:
            self._lock.release()
            self._lock = None
        self._connection: Connection = connection or open_memory(self.settings)
        self._note_content()

    def _note_content(self) -> None:
        self._known = stored_sources(self._connection)
        self._elsewhere = {run: self.settings.cache / folder for run, folder in stored_folders(self._connection)}
        self._version = int(content_id(sorted([*s, stamp] for s, stamp in self._known.items()))[:12], 16)

    def _still_bad(self, found: dict[Source, str]) -> set[Source]:
        """The folders that could not be read and have not changed since."""
        return {s for s, (stamp, _) in self._bad.items() if s in found and stamp == problem_stamp(self.settings, s)}

    def _ingest(self, found: dict[Source, str]) -> None:
        skip = self._still_bad(found)
        wanted = {s: stamp for s, stamp in found.items() if s not in skip}
        problems = ingest(self._connection, self.settings, wanted, self._known)
        self._bad = {s: self._bad[s] for s in skip}
        self._bad |= {p.source: (problem_stamp(self.settings, p.source), p) for p in problems}
        self._note_content()

    def _heal(self, broken: Connection, error: duckdb.Error) -> bool:
        """Rebuilds the index if it was at fault. True when it is worth asking again."""
        with self._writer:
            if self._connection is not broken:
                return True  # another thread was faster
            if self.in_memory or not is_damage(error, self.settings):
                return False
            broken.close()
            delete_file(self.settings)
            self._connect()
            self._ingest(sources_on_disk(self.settings))
            return True


def _fetch(connection: Connection, sql: str, values: dict[str, Any], tables: Mapping[str, pa.Table]) -> pd.DataFrame:
    with connection.cursor() as cursor:
        for name, table in tables.items():  # seen by this cursor only
            cursor.register(name, table)
        return cursor.execute(sql, values).df()
