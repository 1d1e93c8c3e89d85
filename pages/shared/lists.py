"""Two lists side by side: which items are common, moved or new, in words.

Not here: which lists (users.py), and where they come from (core/warehouse).
"""

from __future__ import annotations

import pandas as pd


def moved(rank: int, other: int | None, gone: str) -> str:
    """How an item's place differs from the other list's."""
    if other is None:
        return gone
    if other == rank:
        return "="
    return f"▲ {other - rank}" if other > rank else f"▼ {rank - other}"


def with_marks(own: pd.DataFrame, other: pd.DataFrame, gone: str) -> pd.DataFrame:
    """One list for the screen: place, title, genres, popularity, score, what changed, what was taken."""
    places = dict(zip(other["item_id"], other["rank"], strict=True))
    return pd.DataFrame(
        {
            "#": own["rank"],
            "Title": titles(own),
            "Genres": own["genres"],
            "Shown to": own["popularity"],
            "Change": [
                moved(rank, places.get(item), gone) for rank, item in zip(own["rank"], own["item_id"], strict=True)
            ],
            "Took": ["✓" if hit else "" for hit in own["hit"]],
            "Score": own["score"],
        }
    )


def titles(items: pd.DataFrame) -> list[str]:
    """Title and year, or the id of an item without a title."""
    years = [
        f" ({year:.0f})" if known else "" for year, known in zip(items["year"], items["year"].notna(), strict=True)
    ]
    rows = zip(items["title"].notna(), items["title"], years, items["item_id"], strict=True)
    return [f"{title}{year}" if known else str(item) for known, title, year, item in rows]
