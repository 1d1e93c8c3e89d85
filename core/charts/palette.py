"""One look for every chart: the colour and the mark of each method, the accents of A and B, the neutral grey.

Here: constants, the style of a method, and the scales made of it. Not here: charts; the geometry of marks (marks.py);
text colours of axes, which the page's theme gives.
A style is composed of what the method is made of, as `Variant.method` spells it:
  sampler       its colour and its shape
  loss          its colour and its shape; with a sampler beside it, its shape in the sampler's colour
  one_bp        the same, hollow
  lightgcn      the same, split in two layers
  lists         the grey of baselines, in a shape of its own: added, not trained here
  pop_penalty   a style of its own, whatever it re-ranks, on dashed paths
The first colours are Okabe and Ito's (https://jfly.uni-koeln.de/color/), which colour-blind people can tell apart.
Theirs are too few for every method, so the shape is the second channel: no two methods share one. The other colours
were searched for: as far as possible from all others, and, as people with protanopia and deuteranopia see them
(Machado et al. 2009), from those of the same kind. No black and no white: every colour is readable on a light and on a
dark ground.
A new sampler or loss is one row in `SAMPLER_STYLE` or `LOSS_STYLE`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import altair as alt

from core.charts import marks
from core.charts.marks import Shape
from core.models.choices import BASELINES, LISTS, LOSSES, SAMPLERS

BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7"
INDIGO = "#7A70C8"  # not theirs: Okabe and Ito's yellow cannot be seen on white
BERRY, OLIVE, TEAL, LAVENDER, FOREST = "#A03282", "#968C00", "#0A6E6E", "#AA82FA", "#006E0A"
RUST, CYAN, TAN, BROWN = "#B4320A", "#1E96B4", "#BE8C6E", "#825050"

NEUTRAL = "#7B7B7B"
"""Marks, lines and areas beside the data: a contrast of 4.1 on the light and on the dark ground alike."""
QUIET_ON_LIGHT, QUIET_ON_DARK = "#5A6268", "#A4A9A6"
QUIET = alt.ExprRef(f"luminance(background || '#FCFBF8') > 0.5 ? '{QUIET_ON_LIGHT}' : '{QUIET_ON_DARK}'")
"""Words beside the data, by the ground that the chart is drawn on: no single grey has a contrast of 4.5, which small
letters need, on both."""
OUTSIDE, OUTSIDE_EDGE = "#8A8A8A60", "#7B7B7B"
"""What does not keep to the rule: faint on both grounds, with an edge, so that it stays visible."""
A, B = ORANGE, SKY
"""The accents of the two settings that are compared; no method has them."""
HOT, COLD = "#D94C5A", "#4C68D9"
"""Popular and unpopular items: no method has these colours, and no setting that is compared."""
ON_ACCENT = "#1D1D1D"
"""Letters on an accent, in both themes."""

BADGE = "M-2.4,-2.1L2.4,-2.1L2.4,2.1L-2.4,2.1Z"
"""Behind a letter."""
BASELINE_SHAPE = "M-1,-.25L1,-.25L1,.25L-1,.25Z"
LISTS_SHAPE = "M-1,-.8L1,-.8L1,-.3L-1,-.3ZM-1,.3L1,.3L1,.8L-1,.8Z"
"""Two rows of a list."""
ARROW_HEAD = "M-1,-.9L1,0L-1,.9L-.5,0Z"
"""Points to the right at angle 0."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a method's marks look."""

    colour: str
    shape: str
    """An SVG path."""
    dashed: bool = False
    """Are its paths?"""


Look = tuple[str, Shape]

SAMPLER_STYLE: dict[str, Look] = {
    "rns": (BLUE, marks.CIRCLE),
    "pns": (INDIGO, marks.PLUS),
    "dns": (GREEN, marks.SQUARE),
    "bns": (PURPLE, marks.DIAMOND),
    "auc_ns": (VERMILION, marks.TRIANGLE),
    "fair_static": (BERRY, marks.BOW_TIE),
}
LOSS_STYLE: dict[str, Look] = {
    "infonce": (OLIVE, marks.STAR),
    "ips_cn": (TEAL, marks.TRIANGLE_DOWN),
    "var_bpr": (LAVENDER, marks.EX),
    "sam_reg": (FOREST, marks.TEE),
    "cause": (RUST, marks.SLANT),
    "macr": (CYAN, marks.DOME),
    "bc": (TAN, marks.WEDGE),
}
PENALTY = Style(BROWN, marks.ARROW_DOWN.path(), dashed=True)
REFERENCE = Style(NEUTRAL, BASELINE_SHAPE)
ADDED = Style(NEUTRAL, LISTS_SHAPE)


@cache
def style(method: str) -> Style:
    """The look of a method, by the key that `Variant.method` gives. The same everywhere.

    A part that has no row gets the same look each time, from its name.
    """
    if method in BASELINES:
        return PENALTY if method == "pop_penalty" else REFERENCE
    if method == LISTS:
        return ADDED
    parts = method.split("+")
    sampler = next((part for part in parts if part in SAMPLERS), "rns")
    core = next((part for part in parts if part in LOSSES), sampler)
    own_colour, shape = {**SAMPLER_STYLE, **LOSS_STYLE}.get(core) or _from_name(core)
    colour = own_colour if sampler in {core, "rns"} else (SAMPLER_STYLE.get(sampler) or _from_name(sampler))[0]
    return Style(colour, shape.path(hollow="one_bp" in parts, split="lightgcn" in parts))


def has_hole(method: str) -> bool:
    """Has the method's shape a hole or a slit?

    >>> has_hole("one_bp+dns"), has_hole("dns")
    (True, False)
    """
    return bool({"one_bp", "lightgcn"} & set(method.split("+")))


def _from_name(name: str) -> Look:
    number = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)
    known = list({**SAMPLER_STYLE, **LOSS_STYLE}.values())
    return known[number % len(known)][0], known[(number // len(known) + 1) % len(known)][1]


def in_order(methods: Iterable[str]) -> list[str]:
    """Those methods, each once: MF before LightGCN, two-sided before OneBP, samplers, losses, both; baselines last, and
    added lists after them."""
    return sorted(set(methods), key=_place)


def _place(method: str) -> tuple[object, ...]:
    parts = method.split("+")
    known = [*SAMPLERS, *LOSSES]
    core = [known.index(part) for part in parts if part in known] or [len(known)]
    references = [*BASELINES, LISTS]
    baseline = references.index(method) if method in references else -1
    penalty_first = method != "pop_penalty" and baseline >= 0  # its path belongs to what was trained
    return penalty_first, baseline, "lightgcn" in parts, "one_bp" in parts, len(core) > 1, core, method


def colour_scale(methods: Sequence[str], names: Sequence[str] | None = None) -> alt.Scale:
    """Colours of those methods; names: what the data calls them (their labels), by default the methods' keys."""
    return alt.Scale(domain=list(names or methods), range=[style(m).colour for m in methods])


def shape_scale(methods: Sequence[str], names: Sequence[str] | None = None) -> alt.Scale:
    """Shapes of those methods, as in `colour_scale`."""
    return alt.Scale(domain=list(names or methods), range=[style(m).shape for m in methods])
