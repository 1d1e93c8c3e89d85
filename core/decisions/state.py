"""The file that holds what is the user's own, `state.sqlite`, opened for what is not the queue's.

Here: one transaction on it. Not here: the tables (store.py, preferences.py), the queue's (core/jobs/queue.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from core.errors import BadInput, Failed
from core.settings import Settings

BUSY_SECONDS = 30.0
"""How long a statement waits for another process's transaction."""


@contextmanager
def open_state(settings: Settings, create: str) -> Iterator[sqlite3.Connection]:
    """One transaction on the file, which is made where there is none. create: makes the table, if it is not there."""
    settings.cache.mkdir(parents=True, exist_ok=True)
    mend = "See that it can be written, or choose another cache folder by LONGTAIL_CACHE."
    try:
        with closing(sqlite3.connect(settings.state, timeout=BUSY_SECONDS)) as db:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL")
            with db:
                db.execute(create)
                yield db
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # our statements are wrong, not the system unwilling
            raise
        raise Failed(f"What is yours in {settings.state} cannot be used: {error}. {mend}") from error
    except sqlite3.DatabaseError as error:
        raise BadInput(str(settings.state), f"it cannot be read ({error})", mend) from error
