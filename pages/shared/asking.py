"""The form that asks for a sweep: methods over strengths, references, seeds, and settings that differ from the tested.

The widgets follow the tables of choices and fields in core/models, so a new method or setting appears by itself. What
cannot be combined is greyed out with the sentence that the command line refuses it with; what is ticked is never grey,
or it could not be taken back.
Here: the widgets, their keys, the request they make. Not here: presets (presets.py), the plan (pages/sweep.py), which
grids the answers make and what has no meaning (core/models/methods.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.models import methods
from core.models.choices import BASELINES, LOSSES, METHODS, SAMPLERS, UPDATERS, Choice, Strength
from core.models.defaults import BASELINE_SETTINGS
from core.models.fields import FIELDS, MODULE_TABLES, MODULES, OWN_FIELDS, span_of
from core.models.methods import NAMED, strength_of
from core.models.sweep import DEFAULT_SWEEP, Grid, Sweep
from core.models.variant import make_variant
from pages.shared import view, words

ONE_BP = UPDATERS["one_bp"]
GROUPS = {
    "Samplers": (
        "Which item stands against a positive. Loss: BPR, unless crossed below.",
        [m for m in METHODS if m in SAMPLERS],
    ),
    "Losses": (
        "What is learned from the pairs. Sampler: RNS, unless crossed below.",
        [m for m in METHODS if m in LOSSES],
    ),
    ONE_BP.label: (ONE_BP.line, [m for m in METHODS if m.startswith("one_bp+")]),
}
"""Each with what its methods have in common."""
DEFAULT_METHODS = ["rns", "auc_ns", "one_bp+auc_ns"]
DEFAULT_REFERENCES = list(DEFAULT_SWEEP.baselines)
SEEDS, SEED_COUNTS, USUAL_SEEDS = "seeds", (1, 2, 3, 4, 5, 10, 20, 30), 3
CARD = 290  # pixels: narrower, and the groups stand below each other
SHORT = 4  # methods: a longer group is as high as two others
OPTION_NAMES = {"sampler": "Sampler of the losses", "loss": "Loss of the samplers"}
OPTION_WIDTH = 150  # pixels
ENTER = 'Enter takes an offered value that begins so, "Add" what was typed.'

Use = tuple[str, Mapping[str, Any]]
"""A method, and the choices of one combination it is asked for with."""


# ---------------------------------------------------------------- keys and defaults


def method_key(method: str) -> str:
    """The key of a method's box, which is its parameter in the address."""
    return f"method_{method.replace('+', '_')}"


def reference_key(name: str) -> str:
    """The key of a reference's box."""
    return f"reference_{name}"


def strength_key(name: str) -> str:
    """The key of a method's or a reference's values."""
    return f"strength_{name.replace('+', '_')}"


def option_key(name: str, value: str) -> str:
    """The key of a choice's box."""
    return f"{name}_{value}"


def setting_key(name: str) -> str:
    """The key of what is typed for a field."""
    return f"set_{name}"


def usual_values(name: str) -> list[str]:
    """The values that a method or a reference is swept over unless others are given; none without a knob."""
    strength = strength_of(name) if name in METHODS else BASELINES[name].strength
    if strength:
        return [f"{value:g}" for value in strength.grid]
    own = OWN_FIELDS.get(name)
    return [f"{BASELINE_SETTINGS[name][own]:g}"] if own else []


def usual_options(name: str) -> list[str]:
    """What is ticked of a choice unless changed; nothing for the optimizer: each combination has one of its own."""
    return [] if name == "optimizer" else [FIELDS[name].default({})]


def ticked(key: str, default: bool) -> bool:
    """Is a box ticked that is drawn later: what was answered, what the address says, or its default."""
    if key in st.session_state:
        return bool(st.session_state[key])
    return {"true": True, "false": False}.get(st.query_params.get(key, ""), default)


# ---------------------------------------------------------------- methods and references


def method_boxes(title: str, options: methods.Options) -> dict[str, list[str]]:
    """The methods of a group that are ticked, each with its values."""
    line, group = GROUPS[title]
    heading(title, line)
    already = [m for m in METHODS if ticked(method_key(m), m in DEFAULT_METHODS)]
    chosen = {}
    for method in group:
        label, usual = make_variant("any", **METHODS[method]).method_label, method in DEFAULT_METHODS
        reason = methods.reason_against_method(method, already, options)
        if box(method_key(method), label, method_line(method), usual, reason):
            chosen[method] = strength_chips(method, strength_of(method))
    return chosen


def method_line(method: str) -> str:
    """A method in a line: that of the module which its group does not explain."""
    module, name = next((module, name) for module, name in METHODS[method].items() if module != "updater")
    return MODULE_TABLES[module][name].line


def reference_boxes() -> dict[str, list[str]]:
    """The references that are ticked, each with the values of its own setting."""
    heading("References", "What the methods are measured against.")
    chosen: dict[str, list[str]] = {}
    for name, choice in BASELINES.items():
        if not box(reference_key(name), choice.label, choice.line, name in DEFAULT_REFERENCES):
            continue
        chosen[name] = []
        if choice.strength:
            chosen[name] = strength_chips(name, choice.strength)
            st.caption("Re-ranks each chosen method at each of its strengths; without one, RNS.")
        elif name in OWN_FIELDS:
            chosen[name] = own_chips(name)
    return chosen


def heading(title: str, line: str) -> None:
    """A group's name and what its members have in common."""
    st.markdown(f"**{title}**  \n:small[:gray[{words.plain(line)}]]")


def box(key: str, label: str, line: str, default: bool, reason: str | None = None) -> bool:
    """A box with a name and a line; greyed where there is a reason."""
    return tick(key, f"**{words.plain(label)}**  \n:small[:gray[{words.plain(line)}]]", default, reason, None)


def tick(key: str, label: str, default: bool, reason: str | None, tells: str | None) -> bool:
    """A box; greyed, and the reason told, where there is one."""
    if reason and key in st.session_state:
        # a click that takes a tick away may grey the box in the same run, and Streamlit then drops the click
        st.session_state[key] = False
    said = reason or tells
    return st.checkbox(
        label,
        default,
        key=key,
        bind="query-params",
        disabled=reason is not None,
        help=words.plain(said) if said else None,
    )


def strength_chips(name: str, strength: Strength | None) -> list[str]:
    """The values of a debias strength; none for a method without one."""
    if strength is None:
        return []
    off = MODULE_TABLES["sampler" if strength.off_is in SAMPLERS else "loss"].get(strength.off_is or "")
    is_off = f" {strength.symbol} {strength.off:g} is {off.label}." if off else ""
    tells = f"{strength.what}{is_off} To add a value from {strength.low:g} to {strength.high:g}, type it. {ENTER}"
    return chips(name, f"Strength {strength.symbol}", tells)


def own_chips(name: str) -> list[str]:
    """The values of a reference's own setting."""
    about = FIELDS[OWN_FIELDS[name]]
    return chips(name, capitalised(about.help), f"To add a value {span_of(about)}, type it. {ENTER}")


def chips(name: str, label: str, tells: str) -> list[str]:
    """Values to take away and to add to."""
    return st.multiselect(
        label,
        usual_values(name),
        default=usual_values(name),
        key=strength_key(name),
        bind="query-params",
        accept_new_options=True,
        # Enter takes the first row that is offered: "all matches" must not be one, nor 0.025 for somebody's 0.2
        filter_mode="prefix",
        select_all=False,
        help=words.plain(tells),
        placeholder="Type a value",
    )


# ---------------------------------------------------------------- settings


def answered_options() -> methods.Options:
    """What is ticked of each choice: they are drawn below what they bear on."""
    return {
        name: [v for v in FIELDS[name].choices or () if ticked(option_key(name, v), v in usual_options(name))]
        for name in NAMED
    }


def uses_of(chosen: Iterable[str], options: methods.Options, protocol: str) -> list[Use]:
    """Every combination that is asked for, in the form that the table of fields is asked in."""
    asked = methods.combined(chosen, options)
    return [(method, {"baseline": None, "protocol": protocol, **choices}) for method, choices in asked]


def option_boxes(chosen: Sequence[str], options: methods.Options, uses: Sequence[Use]) -> dict[str, list[str]]:
    """A row of boxes for each choice that bears on anything; what is ticked."""
    found = {}
    for name in NAMED:
        if not any(name not in METHODS[m] if name in MODULES else FIELDS[name].used(use) for m, use in uses):
            continue
        row = st.container(horizontal=True, gap="small")
        label = OPTION_NAMES.get(name, capitalised(name.replace("_", " ")))
        row.caption(label, width=OPTION_WIDTH, help=capitalised(FIELDS[name].help) + ".")
        with row.container(horizontal=True, vertical_alignment="center", gap="small"):
            found[name] = [
                value
                for value, choice in (FIELDS[name].choices or {}).items()
                if option_box(name, value, choice, methods.reason_against_option(name, value, chosen, options))
            ]
            if not found[name] and name == "optimizer":
                st.caption("None: SGD where the compiled engine has the combination, else Adam.", width="content")
    return found


def option_box(name: str, value: str, choice: Choice, reason: str | None) -> bool:
    """One choice; greyed where there is a reason."""
    return tick(option_key(name, value), words.plain(choice.label), value in usual_options(name), reason, choice.line)


def typed_settings(uses: Sequence[Use]) -> Grid:
    """Field to values typed in; a field left empty keeps each combination's tested default and is not in the grid."""
    columns = st.columns(4)
    grid = {}
    for place, (name, defaults) in enumerate(used_settings(uses).items()):
        about = FIELDS[name]
        typed = columns[place % 4].text_input(
            name.replace("_", " "),
            key=setting_key(name),
            bind="query-params",
            placeholder=spread(defaults),
            help=words.plain(f"{capitalised(about.help)}. Empty: the tested default. With commas: a grid."),
            max_chars=200,
        )
        if values := [part.strip() for part in typed.split(",") if part.strip()]:
            grid[name] = values
    return grid


def changed_settings(options: methods.Options, typed: Grid) -> str:
    """What is not as it is at first, in words: the settings may be folded.

    >>> changed_settings({"encoder": ["mf", "lightgcn"], "optimizer": []}, {"dim": ["8"]})
    'encoder MF, LightGCN; dim 8'
    """
    ticked = {
        name: [(FIELDS[name].choices or {})[value].label for value in values]
        for name, values in options.items()
        if values and list(values) != usual_options(name)
    }
    return "; ".join(f"{name.replace('_', ' ')} {', '.join(v)}" for name, v in {**ticked, **typed}.items())


def used_settings(uses: Sequence[Use]) -> dict[str, list[Any]]:
    """The fields that are typed and used, each with its different defaults; a method's strength has chips instead."""
    found = {}
    for name, about in FIELDS.items():
        if name in NAMED or name == "threads":
            continue
        of = [use for method, use in uses if about.used(use) and not is_strength(name, method)]
        if of:
            found[name] = list(dict.fromkeys(about.default(use) for use in of))
    return found


def is_strength(name: str, method: str) -> bool:
    """Is the field the method's own strength?"""
    strength = strength_of(method)
    return strength is not None and strength.field == name


def spread(defaults: Sequence[Any]) -> str:
    """Default values in few words.

    >>> spread([None]), spread([0.1, 0.02]), spread([0.3, 0.1, 0.2]), spread([0.3, "xavier", 0.1, 0.2])
    ('none', '0.1 or 0.02', '0.1 to 0.3', '0.1 to 0.3 or xavier')
    """
    told = ["none" if value is None else str(value) for value in defaults]
    numbers = [value for value in defaults if isinstance(value, int | float)]
    if len(numbers) > 2:
        rest = [word for value, word in zip(defaults, told, strict=True) if value not in numbers]
        told = [f"{min(numbers)} to {max(numbers)}", *rest]
    return " or ".join(told)


def capitalised(text: str) -> str:
    """With a capital at the beginning, the rest as it is.

    >>> capitalised("macro-AUC of the encoder")
    'Macro-AUC of the encoder'
    """
    return text[:1].upper() + text[1:]


# ---------------------------------------------------------------- the form


def form(here: view.View) -> Sweep:
    """The widgets of the request, and the request they make."""
    options = answered_options()
    cards = st.grid(3, gap="small", min_column_width=CARD)
    chosen: dict[str, list[str]] = {}
    for title, (_, group) in GROUPS.items():
        with card(cards, rows=2 if len(group) > SHORT else 1):
            chosen |= method_boxes(title, options)
    with card(cards):
        references = reference_boxes()
    seeds = seed_count()
    with st.expander("Settings: tested defaults unless changed", icon=":material/settings:"):
        options = option_boxes(list(chosen), options, uses_of(chosen, options, here.protocol))
        typed = typed_settings(uses_of(chosen, options, here.protocol))
    if changed := changed_settings(options, typed):
        st.caption(f"Changed in the settings: {words.plain(changed)}.")
    own = {OWN_FIELDS[name]: values for name, values in references.items() if values}
    grids = [methods.grid_of(method, options, typed, values) for method, values in chosen.items()]
    return Sweep((*grids, *([own] if own else [])), tuple(references), tuple(range(seeds)), here.protocol)


def card(cards: Any, rows: int = 1) -> Any:
    """A bordered place in the grid."""
    return cards.cell(row_span=rows).container(border=True, gap="small")


def seed_count() -> int:
    """How many seeds each setting is trained with."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Seeds**", width="content")
        # no number input: an infinite number in the URL would break it before a page could judge it
        chosen = st.selectbox(
            "Seeds",
            SEED_COUNTS,
            SEED_COUNTS.index(USUAL_SEEDS),
            key=SEEDS,
            bind="query-params",
            label_visibility="collapsed",
            width=90,
        )
        st.caption("Trainings of each setting.", width="content")
    return chosen if chosen in SEED_COUNTS else USUAL_SEEDS
