"""The analyst's view: which data set, metrics, split, protocol, baseline and pins every page speaks of.

The values live in widgets bound to the URL, drawn by frame.py under the keys below, so that a link reopens the view.
Here: what the keys mean, their judged values as one `View`, and the rule of pinning.
Not here: the widgets (frame.py), and settings that belong to one page.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from core.decisions.rule import Rule
from core.errors import Unknown
from core.evaluation.metrics import CUTOFFS
from core.models.choices import LISTS
from core.warehouse import queries
from pages.shared import server, words

DATASET, ACCURACY, BIAS, CUTOFF, SPLIT, PROTOCOL = "data", "y", "x", "k", "split", "protocol"
BASELINE, A, B = "baseline", "a", "b"
WITHIN = "within"
RULE, BUDGET, TARGET, SURELY = "rule", "budget", "target", "surely"
DEFAULT_BASELINE = "rns"
SHORT = 8  # hex digits of a variant in the URL: 10,000 variants of a data set collide with probability 0.01
SPLITS = ("validation", "test")
DEFAULT_CUTOFF = 10
ACCENTS = {"A": "orange", "B": "blue"}
"""The theme's colour of each pin, which config.toml makes the same as the charts' (core/charts/palette.py)."""
ADDED = "Lists added, not trained here. **Data** has what was left out or repaired, under *Lists*."
SIMULATED = (
    "This data set is **simulated**: generated, not observed, so that true preferences are known. What is found here "
    "need not hold for real users: fetch or import real data on **Data**."
)


@dataclass(frozen=True, slots=True)
class View:
    """The judged values of the shared choices. `dataset` is None while there is no data set."""

    dataset: str | None
    facts: pd.Series
    """The row of `queries.datasets`; empty without a data set."""
    accuracy: str
    bias: str
    """Metric keys, such as "ndcg@10"."""
    split: str
    protocol: str
    variants: pd.DataFrame
    """What is finished under this protocol: a row of `queries.variants` each."""
    baseline: str | None
    a: str | None
    b: str | None
    """Variant ids of what is finished, or None."""
    rule: Rule | None = None
    """What a setting must keep to."""

    @property
    def simulated(self) -> bool:
        """Is the data set a generated one?"""
        return bool(self.facts.get("simulated", False))

    @property
    def title(self) -> str:
        """The data set's title, and that it is simulated if it is."""
        return str(self.facts.get("title") or self.facts.get("name") or "no data set")

    def is_added(self, variant: str | None) -> bool:
        """Is the variant lists that somebody added, rather than something trained here?"""
        return bool((self.variants.loc[self.variants["variant"] == variant, "method"] == LISTS).any())

    def label(self, variant: str | None) -> str:
        """A variant's name by what differs."""
        rows = self.variants.loc[self.variants["variant"] == variant, "label"]
        return str(rows.iloc[0]) if len(rows) else "none"


def current() -> View:
    """The view of this run, as frame.py left it."""
    return st.session_state["view"]  # type: ignore[no-any-return]


def cutoff() -> int:
    """The list length that is chosen in the sidebar."""
    chosen = st.session_state.get(CUTOFF)
    return chosen if chosen in CUTOFFS else DEFAULT_CUTOFF


def notice(here: View) -> None:
    """What must be said wherever numbers are shown: that the data are simulated, that test chose the epoch."""
    if here.simulated:
        st.warning(SIMULATED, icon=":material/science:")
    if here.protocol == "paper":
        st.warning(
            "These numbers are **chosen on test** (protocol *paper*): the best epoch was picked by looking at test, as "
            "both papers did. They are optimistic.",
            icon=":material/rule:",
        )
    if unread := server.warehouse().problems:
        what, are = ("folder", "is") if len(unread) == 1 else ("folders", "are")
        st.warning(
            f"{len(unread)} {what} of results or data cannot be read and {are} left out here. The first: "
            f"{words.plain(unread[0].text)}  \n`python -m core doctor` names all, and the mend.",
            icon=":material/report:",
        )


def undrawn(here: View, drawn: Collection[str]) -> None:
    """Say which settings a chart lacks, and why. drawn: the variants that it has."""
    missing = here.variants[~here.variants["variant"].isin(list(drawn))]
    added = missing["method"] == LISTS
    for rows, why in ((missing[added], _LISTS_LACK), (missing[~added], _RUNS_LACK)):
        if len(rows):
            names = ", ".join(words.plain(label) for label in rows["label"][:NAMED])
            more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
            st.caption(f"Not drawn here: **{names}**{more}. {why}")


NAMED = 5
_LISTS_LACK = (
    "Added lists have values on the splits that their file names (test, unless it says otherwise), as far as they "
    "reach, and none of metrics that need scores."
)
_RUNS_LACK = (
    "They have no value of one of the two metrics: it was not measured yet when they were trained, or is defined for "
    "nobody. Where it was not measured, remove their runs and train them again."
)


def no_dataset() -> None:
    """What to do while there is no data set."""
    st.info("There is no data set yet. Fetch or import one on **Data**.", icon=":material/database:")
    st.page_link("pages/data.py", label="Open Data", icon=":material/arrow_forward:")


def publish(view: View) -> None:
    """Hand the view to the page."""
    st.session_state["view"] = view


def variants_of(dataset: str | None, protocol: str) -> pd.DataFrame:
    """What is finished under the protocol, as `queries.variants` gives it; empty without a data set."""
    if dataset is None:
        return pd.DataFrame(columns=["variant", "label", "method", "strength"], dtype=str)
    return server.ask(queries.variants, dataset, protocol)


def resolve(text: str | None, variants: pd.DataFrame) -> str | None:
    """The variant that a text names, by its label, method, id or the id's beginning; None if none does."""
    try:
        return queries.named(variants, text or "")
    except Unknown:
        return None


def pinned(a: str, b: str, clicked: str) -> tuple[str, str]:
    """The pins after a click: the first pins A, the second B, a third replaces B, a click on a pin unpins it.

    >>> pinned("", "", "v1"), pinned("v1", "", "v2"), pinned("v1", "v2", "v3"), pinned("v1", "v2", "v1")
    (('v1', ''), ('v1', 'v2'), ('v1', 'v3'), ('', 'v2'))
    """
    if clicked == a:
        return "", b
    if clicked == b:
        return a, ""
    return (a, clicked) if a else (clicked, b)


def pin(variant: str) -> None:
    """Pin or unpin a variant: for callbacks, which run before the widgets are drawn."""
    view, state = current(), st.session_state
    short = variant[:SHORT]
    # what is pinned but not finished under this view counts as not pinned
    a, b = (view.a or "")[:SHORT], (view.b or "")[:SHORT]
    state[A], state[B] = pinned(a, b, short)


def unpin(key: str) -> None:
    """Free one pin: for callbacks. key: A or B."""
    st.session_state[key] = ""


def forget_pins() -> None:
    """Free both pins: for the callback of another data set, whose variants are others."""
    st.session_state[A] = st.session_state[B] = ""


def forget_axis(axis: str) -> None:
    """Free the limits of a metric, "x" or "y": for the callback of another metric, of which they say nothing."""
    kept = re.sub(rf"{axis}[^xy]*", "", str(st.session_state.get(WITHIN) or ""), flags=re.IGNORECASE)
    st.session_state[WITHIN] = kept.strip()
    if axis == "x":
        st.session_state[TARGET] = None


def choose_next(dataset: str) -> None:
    """Let the next run begin with that data set: for code that runs after the select box was drawn."""
    st.session_state["choose"] = dataset


def clicked_variant(state: Any, selection: str) -> str | None:
    """The variant of the mark that a chart's state says was clicked, if any."""
    variant = clicked(state, selection, "variant")
    return str(variant) if variant else None


def clicked(state: Any, selection: str, field: str) -> Any:
    """The field's value of the mark that a chart's state says was clicked; None for a click that took a choice back.

    >>> clicked({"selection": {"pick": [{"beta": 0.1}]}}, "pick", "beta"), clicked({"selection": {}}, "pick", "beta")
    (0.1, None)
    """
    picked = ((state or {}).get("selection") or {}).get(selection) or []
    return picked[0].get(field) if picked else None
