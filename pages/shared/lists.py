"""Two lists side by side: what is asked, and which items are common, moved or new, in words.

Not here: which lists (users.py), counts and sentences (core/charts/two_lists.py), where they are from (core/warehouse).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

HIT = "hit"
PERCENTILE = "Popularity percentile: how many of 100 items of the catalogue fewer users took."
"""What the column of `percentiles` says of itself, on every page."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two settings."""

    name: str
    """A or B."""
    variant: str
    run: str
    added: bool
    """Lists that somebody added, which have no scores."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the lists are asked for."""

    user: str
    split: str
    cutoff: int
    penalty: float
    metric: str
    """Of accuracy: the sidebar's, or NDCG where that has no value for one of the sides."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was measured of the user: under both settings, and along B's path."""

    lists: pd.DataFrame
    """Of `paths.lists_along`."""
    values: pd.Series
    """Of the accuracy metric, by run."""

    def of(self, run: str) -> pd.DataFrame:
        """One run's list."""
        return self.lists[self.lists["run"] == run].drop(columns="run").reset_index(drop=True)

    def value(self, run: str) -> float:
        """One run's accuracy; NaN where there is none."""
        return float(self.values.get(run, math.nan))


def moved(rank: int, other: int | None, gone: str) -> str:
    """How an item's place differs from the other list's."""
    if other is None:
        return gone
    if other == rank:
        return "same"
    return f"up {other - rank}" if other > rank else f"down {rank - other}"


def with_marks(own: pd.DataFrame, other: pd.DataFrame, gone: str) -> pd.DataFrame:
    """One list for the screen: place, title, genres, popularity as share and as percentile (0 to 99), marks (what
    changed; whether it is a hit), score."""
    places = dict(zip(other["item_id"], other["rank"], strict=True))
    return pd.DataFrame(
        {
            "#": own["rank"],
            "Title": titles(own),
            "Genres": own["genres"],
            "Shown to": own["popularity"],
            "Percentile": percentiles(own),
            "Marks": [
                [moved(rank, places.get(item), gone), *([HIT] if hit else [])]
                for rank, item, hit in zip(own["rank"], own["item_id"], own["hit"], strict=True)
            ],
            "Score": own["score"],
        }
    )


def percentiles(items: pd.DataFrame) -> pd.Series:
    """How many of 100 items fewer users took, rounded down: none is above all."""
    return (100 * items["percentile"]).astype("int64")


def titles(items: pd.DataFrame) -> list[str]:
    """Title and year, or the id of an item without a title."""
    years = [
        f" ({year:.0f})" if known else "" for year, known in zip(items["year"], items["year"].notna(), strict=True)
    ]
    rows = zip(items["title"].notna(), items["title"], years, items["item_id"], strict=True)
    return [f"{title}{year}" if known else str(item) for known, title, year, item in rows]
