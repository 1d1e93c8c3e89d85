"""A chart on a page, with what can be saved of it: SVG and PNG that stand alone, and its numbers as CSV and Parquet.

Streamlit's own toolbar has the picture as it is on the screen, in the theme of the moment; these files are light, with
a title and a line that says where the numbers are from. They are made when asked for.
Here: the place of the chart and the menu. Not here: the drawing (core/charts/files.py).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.charts import checking, files
from core.charts.layers import on_a_page
from core.charts.text import provenance
from pages.shared import tables, view

SVG, PNG = ("svg", "image/svg+xml"), ("png", "image/png")

log = logging.getLogger("longtail.app")


def chart(
    drawn: Any,
    key: str,
    alt: str,
    data: pd.DataFrame | None = None,
    title: str = "",
    name: str = "",
    note: str | None = None,
    on_select: Callable[[], None] | None = None,
    selection_mode: Sequence[str] | None = None,
    menu: bool = True,
) -> Any:
    """The chart, and below it a small menu that saves it. Returns what `st.altair_chart` does.

    alt: what it says, its name for screen readers; data: the frame it shows, for CSV and Parquet; title: of the files,
    by default the first sentence of `alt`; name: of the files, by default made of `key`; note: where the numbers are
    from, by default data set, split and protocol of the page; on_select, selection_mode: as Streamlit has them.
    """
    clicks: dict[str, Any] = {"on_select": on_select, "selection_mode": selection_mode} if on_select else {}
    with st.container(gap=None):
        shown = st.altair_chart(checking.ready(on_a_page(drawn)), key=key, alt=alt, **clicks)
        if menu:
            name = name or re.sub(r"\W+", "-", re.sub(r"_\d+$", "", key))
            _menu(drawn, key, title or first_sentence(alt), name, source() if note is None else note, data)
    return shown


@st.cache_resource(max_entries=128, show_spinner=False)
def _kept(draw: str, arguments: tuple[Any, ...], _make: Callable[[], Any]) -> Any:
    return _make()


def kept(draw: Callable[..., Any], *arguments: Any) -> Any:
    """What `draw` makes of the arguments, made once for all sessions: for charts that most clicks leave as they are.

    arguments: frames of some thousand rows at most, whose content is compared, and what else tells charts apart.
    """
    return _kept(f"{draw.__module__}.{draw.__qualname__}", arguments, lambda: draw(*arguments))


def source() -> str:
    """Where measured numbers are from: data set, split, what chose the epoch."""
    here = view.current()
    return f"{data_set()}; {provenance(here.split, here.protocol)}"


def data_set() -> str:
    """The data set, and that it is simulated if it is: the note of a chart that shows nothing measured."""
    here = view.current()
    return here.title + (" (simulated)" if here.simulated else "")


def first_sentence(text: str) -> str:
    """The beginning of a takeaway, as a title.

    >>> first_sentence("AUC-NS β 0.05 is best. It costs 1.2 %."), first_sentence("One sentence")
    ('AUC-NS β 0.05 is best', 'One sentence')
    """
    return re.split(r"\.(?:\s|$)", text, maxsplit=1)[0]


def _menu(drawn: Any, key: str, title: str, name: str, note: str, data: pd.DataFrame | None) -> None:
    """The menu, on the right. Its key follows the chart's, whose key may change with each click."""
    with (
        st.container(horizontal=True, horizontal_alignment="right", gap=None),
        st.popover("Save", icon=":material/download:", type="tertiary", help="Save this chart or its numbers"),
        st.container(gap="xxsmall"),
    ):
        tables.save("SVG", _told(lambda: files.svg(drawn, title, note).encode()), name, SVG, f"chart_{key}_svg")
        tables.save("PNG", _told(lambda: files.png(drawn, title, note)), name, PNG, f"chart_{key}_png")
        if data is not None:
            tables.buttons(data, name, f"chart_{key}")


def _told(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """What goes wrong outside of the page's run is seen by nobody but the log."""

    def made() -> bytes:
        try:
            return make()
        except Exception:
            log.exception("A chart could not be drawn as a file")
            raise

    return made
