"""The row of widgets that chooses a user: by id, by a title they took, one after the other in an order, or anybody.

Pages share what is found and who is chosen, so going from one to another keeps the user. Here: the widgets.
Not here: in which order a page offers users (the page), and what it shows of the one that is chosen.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import streamlit as st

from core.warehouse import finding_users, queries
from pages.shared import server, words

USER, FIND, FIRST = "user", "find", "first_user"
OFFERED = 100
"""How many the select box lists; the buttons step through all."""

Offer = Callable[[], tuple[list[str], str]]
"""All users in an order, and what order that is, in words that follow "3 of 943 users"."""


def go_to(user: str) -> None:
    """Show that user: for callbacks."""
    st.session_state[USER] = user


def begin_again() -> None:
    """Show the first of the users who are found next: for callbacks of what finds and orders them."""
    st.session_state[USER] = None
    st.session_state[FIRST] = True


def by_id(dataset: str, group: str | None = None) -> tuple[list[str], str]:
    """Every user by id: an `Offer` for pages that have no better order."""
    return list(server.ask(finding_users.ids_found, dataset, "", group)), "by id"


def choose(
    dataset: str,
    offer: Offer,
    order: Callable[[], None] | None = None,
    split: str = "test",
    group: str | None = None,
) -> str | None:
    """The row, and who is chosen; None where nobody is found, which is said.

    offer: the order; a search keeps of it who matches; order: draws widgets beside the search; group: the group of
    users that is searched, None for all.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Find by id or title", key=FIND, bind="query-params", placeholder="405, or fargo", max_chars=80, width=160,
            on_change=begin_again,
        )  # fmt: skip
        if order:
            order()
        ordered, told = offer()
        text = str(st.session_state.get(FIND, "") or "").strip()
        found = server.ask(finding_users.ids_found, dataset, text, group) if text else None
        offered = ordered if found is None else matching(ordered, found, text)
        first = st.session_state.pop(FIRST, False)
        asked = None if first else st.session_state.get(USER) or st.query_params.get(USER)
        known = asked in offered or bool(asked and len(server.ask(queries.user, dataset, str(asked), split)))
        if not offered and not known:
            st.caption("Nobody matches. Try a part of an id, a word of a title, or another group.")
            return None
        if not known:
            st.session_state[USER] = asked = offered[0]
        user = _box(str(asked), offered)
        _buttons(user, offered)
    st.caption(_place(user, offered, told, found))
    return user


def matching(ordered: list[str], found: Mapping[str, str | None], text: str) -> list[str]:
    """Who matches a search, in the order: whose id it is first, at the end those whom the order lacks.

    >>> matching(["u3", "u1", "u2"], {"u1": "Fargo", "u3": None, "u9": None}, "u9")
    ['u9', 'u3', 'u1']
    """
    known = set(ordered)
    users = [user for user in ordered if user in found] + [user for user in found if user not in known]
    return sorted(users, key=lambda user: user != text)


def _box(asked: str, offered: list[str]) -> str:
    """The select box: the first in the order, and who is asked for."""
    first = offered[:OFFERED]
    options = first if asked in first else [asked, *first]
    # no default: whoever was chosen by a button would be it, left out of the URL, and lost in a fresh browser
    user = st.selectbox(
        "User", options, index=None, key=USER, bind="query-params", width=110,
        help=f"The first {OFFERED} in this order. Anybody else is found by id." if len(offered) > OFFERED else None,
    )  # fmt: skip
    return user or options[0]


def _buttons(user: str, offered: list[str]) -> None:
    """One back, one on, anybody."""
    at = offered.index(user) if user in offered else -1
    others = [other for other in offered if other != user] or [user]
    before, after = (offered[max(at, 0) - 1], offered[(at + 1) % len(offered)]) if offered else (user, user)
    st.button(
        "Previous", icon=":material/arrow_back:", on_click=go_to, args=(before,), help="The one before in this order."
    )
    st.button("Next", icon=":material/arrow_forward:", on_click=go_to, args=(after,), help="The next in this order.")
    st.button("Random", icon=":material/casino:", on_click=go_to, args=(random.choice(others),), help="Any of these.")


def _place(user: str, offered: list[str], told: str, found: Mapping[str, str | None] | None) -> str:
    """Where in the order the user is, and which title matched."""
    of = words.count(len(offered), "user")
    if found is not None:
        of += " found by id or by a title they took"
    place = f"**{offered.index(user) + 1:,} of {of}**" if user in offered else f"{words.plain(user)} is none of {of}"
    title = (found or {}).get(user)
    matched = f" User {words.plain(user)} took *{words.plain(title)}*." if title else ""
    return f"{place}, {told}.{matched}"
