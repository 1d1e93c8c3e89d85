"""What two variants differ in: their settings side by side, with the default of each, and a sentence.

Here: fields as they are read. Not here: what they lead to (core/warehouse/compare.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import LabError
from core.models.choices import BASELINES, Choice
from core.models.fields import FIELDS
from core.models.variant import Variant, variant_from_fields

UNUSED = "not used"
NO_DEFAULT = ""
_REFERENCE = {"baseline": "reference", "file": "file of the lists"}
"""What is no field, and only references have."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of two variants, as text."""

    name: str
    first: str
    second: str
    default: str
    """What it is where nothing is chosen; of both, where that differs ("0.05 / 0.1"); empty where there is none."""
    what: str
    """What it does, in a few words."""

    @property
    def differs(self) -> bool:
        """Is it another one in the second variant?"""
        return self.first != self.second


def settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Setting]:
    """Every setting that either variant uses, in the order of FIELDS.

    first, second: what `Variant.used` gives, or the fields of added lists. Of two that lie on one path, such as DNS and
    AUC-NS with its strength above 0, nothing but the strength differs: the one at its off end is told as the other
    method at that strength, which it equals.
    """
    first, second = dict(first), dict(second)
    one, two = _as_on_path(first, second), _as_on_path(second, first)
    names = [*_REFERENCE, *FIELDS]
    return [_setting(name, one, two) for name in names if name in one or name in two]


def reference(fields: Mapping[str, Any]) -> str:
    """What these fields are if they are a reference's, which trains nothing: "Most popular"; empty if something is
    trained."""
    if "lists" in fields:
        return f"lists added from {fields['file']}"
    name = fields.get("baseline")
    return "" if name in {None, "pop_penalty"} else BASELINES[name].label


def sentence(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """How many settings differ between A and B; of a single one, what it is. first, second: as in `settings`."""
    kinds = reference(first), reference(second)
    if kinds[0] != kinds[1]:
        return _of_references(kinds)
    found = settings(first, second)
    different = [row for row in found if row.differs]
    if len(different) != 1:
        return f"{len(different)} of {len(found)} settings differ."
    row = different[0]
    what = f" ({row.what})" if row.what else ""
    if UNUSED in {row.first, row.second}:
        has, lacks, value = ("B", "A", row.second) if row.first == UNUSED else ("A", "B", row.first)
        return f"One setting differs: {row.name}{what} is {value} in {has}, and not used in {lacks}."
    return f"One setting differs: {row.name}{what} is {row.first} in A and {row.second} in B."


def _of_references(kinds: tuple[str, str]) -> str:
    """What is said instead of settings, where A or B has none."""
    told = [f"{name} ({kind})" for name, kind in zip("AB", kinds, strict=True) if kind]
    are = "is a reference, which trains" if len(told) == 1 else "are references, which train"
    return f"{' and '.join(told)} {are} nothing: there are no settings to set beside each other."


def _setting(name: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> Setting:
    field = FIELDS.get(name)
    defaults = [text for fields in (first, second) if name in fields and (text := _default(name, fields))]
    return Setting(
        _REFERENCE.get(name, name.replace("_", " ")),
        value_text(name, first.get(name)),
        value_text(name, second.get(name)),
        " / ".join(dict.fromkeys(defaults)),
        field.help if field else "",
    )


def _as_on_path(fields: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields as those of the other's path, where they are what that begins with; else as they are."""
    own, beside = _variant(fields), _variant(other)
    end = beside.at_off() if beside else None
    if own is None or beside is None or end is None or end.id != own.id or own.id == beside.id:
        return fields
    strength, _ = beside.strength  # type: ignore[misc]  # an off end is a strength's
    return {**other, strength.field: strength.off}


def _variant(fields: Mapping[str, Any]) -> Variant | None:
    """None for what this program did not make: added lists."""
    try:
        return variant_from_fields(fields)
    except LabError:
        return None


def _default(name: str, fields: Mapping[str, Any]) -> str:
    """What the field would be beside the other ones; empty where it has no default."""
    if name not in FIELDS:
        return NO_DEFAULT
    choices = {"protocol": "validation", "baseline": None, **fields}
    value = FIELDS[name].default(choices)
    return "none" if value is None else value_text(name, value)


def value_text(name: str, value: Any) -> str:
    """A field's value as it is read: the label of a choice, a number without zeros that say nothing.

    >>> value_text("sampler", "auc_ns"), value_text("beta", 0.1), value_text("baseline", "item_knn")
    ('AUC-NS', '0.1', 'ItemKNN')
    """
    if value is None:
        return UNUSED
    table: Mapping[str, Choice] | None = BASELINES if name == "baseline" else getattr(FIELDS.get(name), "choices", None)
    if table is not None and value in table:
        return table[value].label
    return f"{value:g}" if isinstance(value, float) else str(value)
