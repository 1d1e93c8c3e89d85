"""How the DuckDB database is opened: in the cache's file or in memory, hardened, with sound tables of this schema.

Here: everything that can be wrong with the file. Not here: what the tables hold (ingestion.py).
One process at a time has the file: a lock beside it settles who, and the kernel frees that lock with its process.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from core.settings import Settings
from core.warehouse.schema import CREATE, SCHEMA_VERSION

MEMORY = ":memory:"
Connection = duckdb.DuckDBPyConnection


class WrongSchema(Exception):
    """The file holds the tables of another version of this program."""


def take_lock(settings: Settings) -> FileLock | None:
    """The right to the database file; None if it is taken, by whatever process, or the cache is read-only."""
    # not local to a thread: whichever of the app's threads closes the warehouse must be able to let go
    lock = FileLock(f"{settings.database}.lock", thread_local=False)
    try:
        settings.cache.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except (Timeout, OSError):
        return None
    return lock


def open_memory(settings: Settings) -> Connection:
    """An empty index in memory."""
    return _made_sound(_connect(settings, MEMORY))


def open_file(settings: Settings) -> Connection | None:
    """The index in the cache's file; a damaged one or one of another schema version is deleted and begun anew.

    None if the file cannot be had: another program holds it, or it can neither be used nor replaced.
    """
    for _ in range(2):
        try:
            return _made_sound(_connect(settings, str(settings.database)))
        except (duckdb.Error, WrongSchema) as error:
            if "Could not set lock on file" in str(error) or not delete_file(settings):
                return None
    return None


def delete_file(settings: Settings) -> bool:
    """Deletes the database file and what belongs to it; False if it cannot be deleted."""
    for path in (settings.database, Path(f"{settings.database}.wal"), Path(f"{settings.database}.tmp")):
        try:
            path.unlink(missing_ok=True)
        except OSError:  # a folder, or not ours to delete
            shutil.rmtree(path, ignore_errors=True)
    return not settings.database.exists()


def problem(settings: Settings) -> str | None:
    """What is wrong with the database file, in words; None if it is sound, not there, or in use. Changes nothing."""
    lock = take_lock(settings) if settings.database.exists() else None
    if lock is None:
        return None
    try:
        with duckdb.connect(str(settings.database), read_only=True) as found:
            versions = found.execute("SELECT version FROM schema_version").fetchall()
    except duckdb.Error as error:
        in_use = "Could not set lock on file" in str(error)
        return None if in_use else f"it cannot be read ({str(error).splitlines()[0]})"
    finally:
        lock.release()
    return None if versions == [(SCHEMA_VERSION,)] else "it belongs to another version of the program"


def is_damage(error: duckdb.Error, settings: Settings) -> bool:
    """Does the error tell of the database file itself, rather than of a query or of a run's files?"""
    if isinstance(error, (duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)):
        return True
    message = str(error)
    return "Corrupt database file" in message or str(settings.database) in message


def _connect(settings: Settings, path: str) -> Connection:
    connection = duckdb.connect(
        path,
        config={
            "memory_limit": settings.duckdb_memory,
            "threads": settings.duckdb_threads,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    # the order matters: after each of these the ones above it can no longer be changed
    connection.execute(
        "SET allowed_directories = ?", [[str(path) for path in (settings.datasets, settings.runs, settings.lists)]]
    )
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _made_sound(connection: Connection) -> Connection:
    """The connection, with tables of this schema version. Closes it if that cannot be."""
    try:
        with connection.cursor() as cursor:
            if not cursor.execute("SELECT count(*) FROM duckdb_tables()").fetchall()[0][0]:
                _create(cursor)
            versions = cursor.execute("SELECT version FROM schema_version").fetchall()
        if versions != [(SCHEMA_VERSION,)]:
            raise WrongSchema
    except BaseException:
        with suppress(duckdb.Error):
            connection.close()
        raise
    return connection


def _create(cursor: Connection) -> None:
    cursor.begin()
    for statement in CREATE:
        cursor.execute(statement)
    cursor.commit()
