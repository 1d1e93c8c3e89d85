"""Write the table of a variant's fields into docs/cli.md, from the code. A test holds that it is up to date.

Run it from the project's folder: python -m tools.document_fields
"""

from __future__ import annotations

from pathlib import Path

from core.models.fields import FIELDS, Field, span_of
from tools.field_facts import ALL, default_of, users_of

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
    """The default; the name of a choice as code."""
    said = default_of(name)
    if name == "optimizer":
        return "`sgd` or `adam`"
    return f"`{said}`" if said in (FIELDS[name].choices or {}) else said


def used_by(name: str) -> str:
    """Names as code, or "all"."""
    return ", ".join(user if user == ALL or " " in user else f"`{user}`" for user in users_of(name))


def values(field: Field) -> str:
    """What may be chosen: names, a range, or a form in words."""
    if field.choices:
        return ", ".join(f"`{name}`" for name in field.choices)
    return field.form or span_of(field)


if __name__ == "__main__":
    PAGE.write_text(documented(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
