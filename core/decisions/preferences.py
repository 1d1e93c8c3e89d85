"""What was put away for good, such as the tour: remembered for everybody who uses this cache.

Here: their table in `state.sqlite`. Not here: what is put away (the pages).
"""

from __future__ import annotations

from core.decisions.state import open_state
from core.settings import Settings

CREATE = "CREATE TABLE IF NOT EXISTS dismissed (name TEXT PRIMARY KEY) STRICT"
DISMISS = "INSERT OR IGNORE INTO dismissed (name) VALUES (:name)"
BRING_BACK = "DELETE FROM dismissed WHERE name = :name"
DISMISSED = "SELECT count(*) FROM dismissed WHERE name = :name"


def dismiss(settings: Settings, name: str) -> None:
    """Put it away."""
    with open_state(settings, CREATE) as db:
        db.execute(DISMISS, {"name": name})


def bring_back(settings: Settings, name: str) -> None:
    """Show it again."""
    with open_state(settings, CREATE) as db:
        db.execute(BRING_BACK, {"name": name})


def is_dismissed(settings: Settings, name: str) -> bool:
    """Was it put away?"""
    if not settings.state.exists():
        return False
    with open_state(settings, CREATE) as db:
        return bool(db.execute(DISMISSED, {"name": name}).fetchone()[0])
