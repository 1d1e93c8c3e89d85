"""The boundary between the program and the screen: a refusal is shown as it is, anything else as a calm sentence.

Here: `calm` for what is drawn, `attempt` for what a button does (a callback runs before the page and outside its
boundary), and `report`, which shows what attempts said. Streamlit's own control flow (stop, rerun) passes through: it
does not derive from Exception.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import LabError

log = logging.getLogger("longtail.app")
SAID = "said"


def sentence(error: Exception, what: str) -> str:
    """What to show for an error. A surprise goes to the log with a reference, by which it is found there."""
    if isinstance(error, LabError):
        return str(error).replace("\n", "  \n")
    reference = secrets.token_hex(3)
    log.error("Reference %s: %s failed", reference, what, exc_info=error)
    return (
        f"Something went wrong with {what}. Nothing was lost. "
        f"The server's log has the details under reference {reference}; reloading the page often helps."
    )


@contextmanager
def calm(what: str) -> Iterator[None]:
    """Whatever goes wrong in drawing ends here, on the screen, in words. what: a noun ("the page")."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the last line before the screen
        st.error(sentence(error, what), icon=":material/report:")


@contextmanager
def attempt(what: str) -> Iterator[None]:
    """The same for a callback: what goes wrong is told by the next `report`."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the last line before the screen
        st.session_state[SAID] = ("error", sentence(error, what))


def say(text: str) -> None:
    """Let the next `report` confirm what a callback did."""
    st.session_state[SAID] = ("done", text)


def report() -> None:
    """Show, once, what the last callback had to say."""
    kind, text = st.session_state.pop(SAID, ("", ""))
    if kind == "error":
        st.error(text, icon=":material/report:")
    elif kind == "done":
        st.toast(text, icon=":material/check:")
