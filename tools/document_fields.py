"""Write the table of a variant's fields into docs/cli.md, from the code. A test holds that it is up to date.

Run it from the project's folder: python -m tools.document_fields
"""

from __future__ import annotations

import itertools
from pathlib import Path

from core.models.choices import SAMPLERS, UPDATERS
from core.models.fields import FIELDS, MODULES, Field
from core.models.variant import make_variant

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
START, END = "<!-- fields: python -m tools.document_fields -->\n", "<!-- end of fields -->"


def documented(page: str) -> str:
    """The page with the table that the code gives."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}{table()}{END}{after}"


def table() -> str:
    """One row a field."""
    rows = [
        f"| `--{name.replace('_', '-')}` | {default(name)} | {values(field)} | {used_by(name)} | {field.help} |\n"
        for name, field in FIELDS.items()
    ]
    return "| option | default | values | used by | meaning |\n|---|---|---|---|---|\n" + "".join(rows)


def default(name: str) -> str:
    """The default, if it is the same for all that use the field; a module's own."""
    if name in MODULES:
        return f"`{getattr(make_variant('d'), name)}`"
    found = {value for value in _values(name).values() if value is not None}
    return str(found.pop()) if len(found) == 1 else "tested"


def values(field: Field) -> str:
    """What may be chosen: names, or a range."""
    if field.choices:
        return ", ".join(f"`{name}`" for name in field.choices)
    low = f"{'above' if field.low_open else 'from'} {field.low:g}"
    return f"{low} {'below' if field.high_open else 'to'} {field.high:g}"


def used_by(name: str) -> str:
    """The samplers or updaters that use the field; "all" if every combination does."""
    used = {choice for choice, value in _values(name).items() if value is not None}
    if len(used) == len(SAMPLERS) * len(UPDATERS):
        return "all"
    samplers, updaters = {s for s, _ in used}, {u for _, u in used}
    names = [s for s in SAMPLERS if s in samplers] if len(samplers) < len(SAMPLERS) else sorted(updaters)
    return ", ".join(names)


def _values(name: str) -> dict[tuple[str, str], object]:
    """The field's default in every combination; None where it is not used."""
    found: dict[tuple[str, str], object] = {}
    for sampler, updater in itertools.product(SAMPLERS, UPDATERS):
        found[sampler, updater] = getattr(make_variant("d", sampler=sampler, updater=updater), name)
    return found


if __name__ == "__main__":
    PAGE.write_text(documented(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
