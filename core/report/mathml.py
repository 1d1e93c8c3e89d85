r"""Equations as MathML, which browsers draw without a script or a font from the network.

Here: the part of LaTeX that the registry of metrics is written in. Not here: the equations (evaluation/metrics.py).
What is not known is refused, so that a new equation fails a test instead of being shown wrong.

>>> mathml(r"\frac{1}{n} \sum_i p_i")[:50]
'<math display="block"><mrow><mfrac><mrow><mn>1</mn'
"""

from __future__ import annotations

import html
import re

from core.report.html import Markup

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|\.\.|[^\s]")
_SIGNS = {
    "sum": "∑", "int": "∫", "bigcup": "⋃", "in": "∈", "cap": "∩", "setminus": "∖", "leq": "≤", "neq": "≠",
    "emptyset": "∅", "dots": "…", "rho": "ρ", "|": "‖", "{": "{", "}": "}", ",": "\u2009", "quad": "\u2003",
}  # fmt: skip
_LARGE = frozenset({"sum", "bigcup"})
_NAMES = frozenset({"log", "min", "max"})
_SIZES = frozenset({"left", "right", "big", "Big"})


def mathml(equation: str) -> Markup:
    """The equation as a MathML element of its own line. Raises ValueError for LaTeX that is not known here."""
    tokens = _TOKEN.findall(equation)
    inner, rest = _row(tokens)
    if rest:
        raise ValueError(f"a brace too many in {equation!r}")
    return Markup(f'<math display="block">{inner}</math>')


def _row(tokens: list[str]) -> tuple[str, list[str]]:
    """Everything up to a closing brace or the end, and what comes after it."""
    parts = []
    while tokens and tokens[0] != "}":
        part, tokens = _scripted(tokens)
        parts.append(part)
    return f"<mrow>{''.join(parts)}</mrow>", tokens


def _scripted(tokens: list[str]) -> tuple[str, list[str]]:
    """One thing with what stands below and above it."""
    large = tokens[0].lstrip("\\") in _LARGE and tokens[0].startswith("\\")
    base, tokens = _one(tokens)
    scripts = {}
    while tokens and tokens[0] in {"_", "^"}:
        place = tokens[0]
        scripts[place], tokens = _one(tokens[1:])
    if not scripts:
        return base, tokens
    below, above = ("munder", "mover") if large else ("msub", "msup")
    both = "munderover" if large else "msubsup"
    tag = both if len(scripts) > 1 else below if "_" in scripts else above
    return f"<{tag}>{base}{''.join(scripts[p] for p in '_^' if p in scripts)}</{tag}>", tokens


def _one(tokens: list[str]) -> tuple[str, list[str]]:
    token, rest = tokens[0], tokens[1:]
    if token == "{":  # noqa: S105 - a brace
        inner, rest = _row(rest)
        return inner, rest[1:]
    if token.startswith("\\"):
        return _command(token[1:], rest)
    if token[0].isdigit():
        return f"<mn>{token}</mn>", rest
    if token.isalpha():
        return f"<mi>{token}</mi>", rest
    return _operator(token), rest


def _command(name: str, rest: list[str]) -> tuple[str, list[str]]:
    if name in {"frac", "tfrac"}:
        above, rest = _one(rest)
        below, rest = _one(rest)
        return f"<mfrac>{above}{below}</mfrac>", rest
    if name in {"mathrm", "mathcal"}:
        end = rest.index("}")
        word = "".join(rest[1:end])
        style = ' mathvariant="normal"' if name == "mathrm" else ""
        return f"<mi{style}>{html.escape(word)}</mi>", rest[end + 1 :]
    if name == "bar":
        under, rest = _one(rest)
        return f'<mover accent="true">{under}<mo>‾</mo></mover>', rest
    if name in _SIZES:
        return _scripted(rest)
    if name in _NAMES:
        return f'<mi mathvariant="normal">{name}</mi>', rest
    if name not in _SIGNS:
        raise ValueError(f"the LaTeX \\{name} is not known")
    sign = _SIGNS[name]
    if not sign.strip():
        return f'<mspace width="{"1em" if name == "quad" else "0.17em"}"></mspace>', rest
    if name in {"emptyset", "rho"}:
        return f"<mi>{sign}</mi>", rest
    return _operator(sign, "sum" if name in _LARGE else ""), rest


def _operator(sign: str, kind: str = "") -> str:
    stretchy = ' stretchy="false"' if sign in "()[]{}|‖" else ' largeop="true"' if kind else ""
    return f"<mo{stretchy}>{html.escape('−' if sign == '-' else sign)}</mo>"
