"""Buttons in the rows of a table whose rows may move while a menu is open.

A browser tells of a click the column's name and the row's place. Were the places of another moment meant by it, the
click would hit a neighbour. So each set of rows has a column of its own name, and the last few sets stay known: a click
is of the row that was seen, however often the table was drawn since.
Here: which rows a click means. Not here: what is done to them (run_actions.py, jobs.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import streamlit as st

T = TypeVar("T")
KEPT = 6
"""Sets of rows that clicks are still taken from."""
LABEL = "Do"


def columns(
    key: str, names: Sequence[object], rows: Sequence[T], act: Callable[[str, T], None], **options: Any
) -> tuple[str, Mapping[str, Any]]:
    """The name of the column of buttons for these rows, and the configuration of it and of those before it.

    names: what each row is known by: other names, or another order, are another set; rows: what `act` is given, after
    the label of the button; options: of `st.column_config.ButtonColumn`.
    """
    kept: list[tuple[int, tuple[object, ...], tuple[T, ...]]] = list(st.session_state.get(key, ()))
    number = kept[-1][0] if kept else 0
    if kept and kept[-1][1] == tuple(names):
        kept.pop()
    else:
        number += 1
    kept = [*kept, (number, tuple(names), tuple(rows))][-KEPT:]
    st.session_state[key] = tuple(kept)
    config = {
        name(n): st.column_config.ButtonColumn(
            LABEL, key=f"{key}_{n}", on_click=partial(clicked, f"{key}_{n}", seen, act), **options
        )
        for n, _, seen in kept
    }
    return name(number), config


def name(number: int) -> str:
    """The name of a column of buttons; its heading is LABEL."""
    return f"{LABEL} {number}"


def clicked(key: str, rows: Sequence[T], act: Callable[[str, T], None]) -> None:
    """Do what was clicked to the row that it was clicked in: for callbacks. rows: as that column was drawn with."""
    click = st.session_state.get(key)
    if click is not None and 0 <= click["row"] < len(rows):
        act(click["label"], rows[click["row"]])
