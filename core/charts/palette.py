"""One look for every chart: the colour and the mark of each method, the accents of A and B, the neutral grey.

Here: constants and the scales made of them. Not here: charts; text colours of axes, which the page's theme gives.
Colours are Okabe and Ito's (https://jfly.uni-koeln.de/color/), which colour-blind people can tell apart; the mark's
shape is the second channel. OneBP with a sampler has that sampler's colour and shape, hollow. No black and no white:
every colour is readable on a light and on a dark ground.
A new method is one row in `METHOD_STYLE`; one that has none is drawn in a style made from its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import altair as alt

BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7"
INDIGO = "#7A70C8"  # not theirs: Okabe and Ito's yellow cannot be seen on white

NEUTRAL = "#7B7B7B"
"""Text and lines beside the data: a contrast of 4.1 on the light and on the dark ground alike."""
A, B = ORANGE, SKY
"""The accents of the two settings that are compared; no method has them."""
ON_ACCENT = "#1D1D1D"
"""Letters on an accent, in both themes."""

# marks as SVG paths within -1..1, since a hollow shape needs its hole: the second contour runs the other way round
CIRCLE = "M-1,0A1,1,0,1,1,1,0A1,1,0,1,1,-1,0Z"
SQUARE = "M-.88,-.88L.88,-.88L.88,.88L-.88,.88Z"
TRIANGLE = "M0,-1.1L1.1,.85L-1.1,.85Z"
DIAMOND = "M0,-1.2L1.05,0L0,1.2L-1.05,0Z"
CROSS = "M-.37,-1.1L.37,-1.1L.37,-.37L1.1,-.37L1.1,.37L.37,.37L.37,1.1L-.37,1.1L-.37,.37L-1.1,.37L-1.1,-.37L-.37,-.37Z"
HOLLOW = {
    CIRCLE: CIRCLE + "M-.5,0A.5,.5,0,1,0,.5,0A.5,.5,0,1,0,-.5,0Z",
    SQUARE: SQUARE + "M-.42,-.42L-.42,.42L.42,.42L.42,-.42Z",
    TRIANGLE: TRIANGLE + "M0,-.3L-.5,.5L.5,.5Z",
    DIAMOND: DIAMOND + "M0,-.6L-.52,0L0,.6L.52,0Z",
    CROSS: CROSS + "M-.18,-.18L-.18,.18L.18,.18L.18,-.18Z",
}
BADGE = "M-2.4,-2.1L2.4,-2.1L2.4,2.1L-2.4,2.1Z"
"""Behind a letter."""
BASELINE_SHAPE = "M-1,-.25L1,-.25L1,.25L-1,.25Z"
ARROW_HEAD = "M-1,-.9L1,0L-1,.9L-.5,0Z"
"""Points to the right at angle 0."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a method's marks look."""

    colour: str
    shape: str


_SAMPLER_STYLE = {
    "rns": Style(BLUE, CIRCLE),
    "pns": Style(INDIGO, CROSS),
    "dns": Style(GREEN, SQUARE),
    "bns": Style(PURPLE, DIAMOND),
    "auc_ns": Style(VERMILION, TRIANGLE),
}

METHOD_STYLE: dict[str, Style] = {
    **_SAMPLER_STYLE,
    **{f"one_bp+{name}": Style(style.colour, HOLLOW[style.shape]) for name, style in _SAMPLER_STYLE.items()},
    "most_popular": Style(NEUTRAL, BASELINE_SHAPE),
    "random": Style(NEUTRAL, BASELINE_SHAPE),
}
"""By the key that `Variant.method` gives. The same everywhere."""


def style(method: str) -> Style:
    """A method's style; one without a row gets the same one each time, from its name."""
    if method in METHOD_STYLE:
        return METHOD_STYLE[method]
    number = int(hashlib.sha256(method.encode()).hexdigest()[:8], 16)
    known = list(_SAMPLER_STYLE.values())
    return Style(known[number % len(known)].colour, known[(number // len(known) + 1) % len(known)].shape)


def in_order(methods: Iterable[str]) -> list[str]:
    """Those methods, each once, as `METHOD_STYLE` lists them; others by name at the end."""
    known = list(METHOD_STYLE)
    return sorted(set(methods), key=lambda m: (known.index(m) if m in METHOD_STYLE else len(known), m))


def colour_scale(methods: Sequence[str], names: Sequence[str] | None = None) -> alt.Scale:
    """Colours of those methods; names: what the data calls them (their labels), by default the methods' keys."""
    return alt.Scale(domain=list(names or methods), range=[style(m).colour for m in methods])


def shape_scale(methods: Sequence[str], names: Sequence[str] | None = None) -> alt.Scale:
    """Shapes of those methods, as in `colour_scale`."""
    return alt.Scale(domain=list(names or methods), range=[style(m).shape for m in methods])
