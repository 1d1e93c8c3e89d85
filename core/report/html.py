"""Elements of HTML, of which every text is escaped: the one way in which anything gets into the report.

>>> print(el("p", "a < b", el("b", "<script>"), title='"'))
<p title="&quot;">a &lt; b<b>&lt;script&gt;</b></p>
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
VOID = frozenset({"meta", "br", "hr", "col"})


class Markup(str):
    """Text that is HTML already: made by `el`, by the chart renderer, or written in this package."""

    __slots__ = ()


def el(tag: str, *children: str | None, **attributes: str | None) -> Markup:
    """An element. Children that are no Markup are escaped, and None is left out; of attributes `_` becomes `-`, at the
    end it goes: `class_` is the class."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(clean(value))}"'
        for key, value in attributes.items()
        if value
    )
    if tag in VOID:
        return Markup(f"<{tag}{given}>")
    return Markup(f"<{tag}{given}>{''.join(map(escaped, children))}</{tag}>")


def escaped(text: str | None) -> str:
    """The text as HTML."""
    if text is None or isinstance(text, Markup):
        return text or ""
    return html.escape(clean(text), quote=False)


def clean(text: str) -> str:
    """The text without the characters that no page may hold, or that turn the direction of what follows."""
    return _UNWANTED.sub("\ufffd", text)


def joined(parts: Iterable[Markup | None]) -> Markup:
    """One after the other."""
    return Markup("\n".join(part for part in parts if part))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "", numbers: int | None = None) -> Markup:
    """A table. caption: its purpose; numbers: from which column on cells stand on the right (all after the first)."""
    first = 1 if numbers is None else numbers
    side = ["n" if n >= first else None for n in range(len(heads))]
    head = [el("th", text, scope="col", class_=c) for text, c in zip(heads, side, strict=True)]
    body = [
        el("tr", *(el("th" if n == 0 else "td", text, scope="row" if n == 0 else None, class_=c)
                   for n, (text, c) in enumerate(zip(row, side, strict=True))))
        for row in rows
    ]  # fmt: skip
    name = el("caption", caption) if caption else None
    inner = el("table", name, el("thead", el("tr", *head)), el("tbody", *body))
    # a wide one scrolls in its place, by the keyboard, too
    place = {"role": "region", "aria_label": caption} if caption else {}
    return el("div", inner, class_="wide prose" if first >= len(heads) else "wide", tabindex="0", **place)
