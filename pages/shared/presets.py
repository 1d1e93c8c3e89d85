"""Buttons that fill the form of the Sweep page.

Here: what each preset fills in. Not here: the form (asking.py), which strengths lie around a pin
(core/models/methods.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from core.models.choices import BASELINES, METHODS
from core.models.fields import FIELDS
from core.models.methods import NAMED, Options, around
from core.models.variant import variant_from_fields
from pages.shared import asking, view, words


@dataclass(frozen=True, slots=True)
class Preset:
    """What a preset fills in; everything else goes back to what it was at first."""

    methods: Sequence[str]
    references: Sequence[str]
    seeds: int | None = None
    """None leaves them."""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Strengths of methods and references that are not the usual ones."""
    options: Options = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


QUICK = ("0", "0.05")
PRESETS = {
    "Quick look": (
        Preset(
            asking.DEFAULT_METHODS,
            asking.DEFAULT_REFERENCES,
            1,
            dict.fromkeys(["auc_ns", "one_bp+auc_ns"], QUICK),
        ),
        "The default methods at two strengths, one seed.",
    ),
    "Default comparison": (
        Preset(asking.DEFAULT_METHODS, asking.DEFAULT_REFERENCES, asking.USUAL_SEEDS),
        "What a first start trains.",
    ),
    "Both papers, all methods": (
        Preset(list(METHODS), list(BASELINES), asking.USUAL_SEEDS),
        "Every method over its strengths with MF, and every reference. The plan says what it costs.",
    ),
}


def buttons(here: view.View) -> None:
    """The presets, and the fine grid around pin A."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Presets", width="content")
        for label, (preset, tells) in PRESETS.items():
            st.button(label, on_click=fill, args=(preset,), help=tells)
        near, why_not = around_a(here)
        st.button(
            "Fine grid around A",
            on_click=fill,
            args=(near,),
            disabled=near is None,
            help=words.plain(why_not) or "Ten strengths around that of pin A, everything else as A has it.",
        )


def fill(preset: Preset) -> None:
    """Fill the form: for the buttons' callbacks."""
    state = st.session_state
    for method in METHODS:
        state[asking.method_key(method)] = method in preset.methods
    for name in BASELINES:
        state[asking.reference_key(name)] = name in preset.references
    for name in (*METHODS, *BASELINES):
        state[asking.strength_key(name)] = list(preset.values.get(name, asking.usual_values(name)))
    for name, about in FIELDS.items():
        if name not in NAMED:
            state[asking.setting_key(name)] = preset.settings.get(name, "")
            continue
        ticked = preset.options.get(name) or asking.usual_options(name)
        for value in about.choices or ():
            state[asking.option_key(name, value)] = value in ticked
    if preset.seeds:
        state[asking.SEEDS] = preset.seeds


def around_a(here: view.View) -> tuple[Preset | None, str]:
    """The form that asks for strengths around pin A's, or why there is none."""
    row = here.variants[here.variants["variant"] == here.a]
    if row.empty:
        return None, "Pin A first: by a click on the trade-off, or by name in the sidebar."
    if here.is_added(here.a):
        return None, f"{here.label(here.a)}, which is pinned as A, was added and not trained here."
    variant = variant_from_fields(json.loads(row["fields"].iloc[0]))
    asked = around(variant)
    if asked is None:
        return None, f"{variant.label}, which is pinned as A, has no debias strength."
    values = {asked.method: told(asked.strengths), "pop_penalty": told(asked.penalties)}
    penalty = ["pop_penalty"] if asked.penalties else []
    return Preset([asked.method], penalty, None, values, asked.options, asked.settings), ""


def told(values: Sequence[float]) -> list[str]:
    """Strengths as chips."""
    return [f"{value:.12g}" for value in values]
