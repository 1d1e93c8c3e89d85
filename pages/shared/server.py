"""What all sessions of one server share: settings, the DuckDB owner, the start of the first work, cached questions.

Not here: anything about one session (view.py). Everything is keyed on the cache folder, so that a test, or a server
given another folder, never meets another's resources.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from core.jobs import control
from core.settings import Settings, read_settings
from core.warehouse.database import Warehouse

P = ParamSpec("P")
T = TypeVar("T")


def settings() -> Settings:
    """The settings of this server. Raises BadSetting, whose sentence the boundary shows."""
    return _settings(tuple(sorted((k, v) for k, v in os.environ.items() if k.startswith("LONGTAIL_"))))


@lru_cache(maxsize=8)
def _settings(variables: tuple[tuple[str, str], ...]) -> Settings:
    """A page asks for them dozens of times, and judging them takes a millisecond."""
    return read_settings(dict(variables))


@st.cache_resource(show_spinner=False)
def _warehouse(cache: str) -> Warehouse:
    return Warehouse.open(settings(), own=True)


def warehouse() -> Warehouse:
    """The one owner of the DuckDB file in this server; its methods may be called from any session's thread."""
    return _warehouse(str(settings().cache))


@st.cache_resource(show_spinner=False)
def _started(cache: str) -> bool:
    control.autostart(settings())
    return True


def start_once() -> None:
    """At a server's first visit: queue the first work where there is none, and see that a worker serves the queue."""
    if settings().autostart:
        _started(str(settings().cache))


def version() -> int:
    """Take in what has finished since the last call. The number changes when the content did."""
    return warehouse().refresh()


@st.cache_data(max_entries=512, show_spinner=False)
def _answer(question: str, cache: str, version: int, arguments: tuple[Any, ...], _ask: Callable[[], Any]) -> Any:
    return _ask()


def ask(query: Callable[P, T], *arguments: Any) -> T:
    """The answer of one of `core.warehouse.queries`, remembered until the warehouse's content changes.

    arguments: the query's own, after the warehouse; hashable. Every session gets its own copy.
    """
    w = warehouse()
    name = f"{query.__module__}.{query.__qualname__}"
    return _answer(name, str(settings().cache), w.version, arguments, lambda: query(w, *arguments))  # type: ignore[no-any-return, arg-type, call-arg]
