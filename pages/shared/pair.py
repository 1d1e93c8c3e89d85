"""Which two settings a page compares: the pins, and what stands in for a pin that is free.

Here: the rule, which Compare and Users share, what it says of itself, and the two with their names. Not here: pinning
(view.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import streamlit as st

from core.charts.text import provenance
from pages.shared import view, words
from pages.shared.view import View


def compared(here: View) -> tuple[str | None, str | None]:
    """The two settings side by side, each pin on its own side. Beside a single pin stands the baseline; without any,
    the strongest AUC-NS stands beside it. Where the baseline is the other one, or not trained, another stands in."""
    if here.a and here.b:
        return here.a, here.b
    one = here.a or here.b or strongest(here)
    beside = here.baseline if here.baseline not in {None, one} else other_than(here, one)
    return (one, beside) if here.a else (beside, one)


def standing_in(here: View) -> str:
    """What stands in for a pin that is free or names nothing that is finished; empty where both pins are there."""
    free = [name for name, pin in (("A", here.a), ("B", here.b)) if not pin]
    if not free:
        return ""
    asked = {name: str(st.session_state.get(key) or "") for name, key in (("A", view.A), ("B", view.B))}
    unknown = [f"Nothing finished here is called {words.plain(asked[name][:20])}." for name in free if asked[name]]
    both = "Nothing is pinned: the baseline stands beside the strongest AUC-NS, as far as both are trained"
    one = f"{free[0]} is not pinned: the baseline stands in, or another setting where that cannot"
    told = both if len(free) == 2 else one
    how = "A click on **Trade-off** pins; so does a name under *Pins and baseline* in the sidebar."
    return " ".join([*unknown, f"{told}.", how])


def strongest(here: View) -> str | None:
    """The AUC-NS setting of the largest strength; another one where there is none."""
    found = here.variants[here.variants["method"] == "auc_ns"].sort_values("strength")
    return str(found["variant"].iloc[-1]) if len(found) else other_than(here, here.baseline)


def other_than(here: View, variant: str | None) -> str | None:
    """A setting that is another one; None where there is no other."""
    others = here.variants.loc[here.variants["variant"] != variant, "variant"]
    return str(others.iloc[-1]) if len(others) else None


@dataclass(frozen=True)
class Pair:
    """What is compared, and where."""

    here: View
    first: str
    second: str
    k: int

    @property
    def variants(self) -> tuple[str, str]:
        """A's and B's ids."""
        return self.first, self.second

    @cached_property
    def labels(self) -> tuple[str, str]:
        """A's and B's names."""
        return self.here.label(self.first), self.here.label(self.second)

    @cached_property
    def names(self) -> dict[str, str]:
        """Each variant's name with its letter, for legends."""
        return {
            variant: f"{side}: {label}" for side, variant, label in zip("AB", self.variants, self.labels, strict=True)
        }

    @property
    def pins(self) -> dict[str, str]:
        """As charts of pins take them."""
        return {"A": self.first, "B": self.second}

    @property
    def where(self) -> str:
        """What every figure of both is of."""
        return f"{provenance(self.here.split, self.here.protocol)}, lists of {self.k}"

    def row(self, variant: str) -> pd.Series:
        """The row of `queries.variants`."""
        return self.here.variants[self.here.variants["variant"] == variant].iloc[0]
