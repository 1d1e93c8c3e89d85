"""The button that saves a report of what a page shows: the same bytes as `python -m core report` writes.

Not here: the report (core/report).
"""

from __future__ import annotations

import logging

from core import report
from core.warehouse import decide, queries
from pages.shared import server, tables, view

HTML = ("html", "text/html")

log = logging.getLogger("longtail.app")


def request(here: view.View) -> report.Request:
    """What the page shows, as a request; without the rule under a protocol that leaves nothing to choose on."""
    rule = here.rule if here.protocol == decide.PROTOCOL else None
    split: queries.Split = "test" if here.split == "test" else "validation"
    axes = str(here.dataset), here.accuracy, here.bias, split, here.protocol
    return report.make_request(server.warehouse(), *axes, here.baseline, here.a, here.b, rule)


def button(here: view.View, label: str = "Report") -> None:
    """A button that makes the report when it is clicked, which takes seconds, and saves it."""

    def make() -> bytes:
        try:
            return report.report(server.warehouse(), request(here))
        except Exception:
            log.exception("A report could not be made")  # outside of the page's run nobody else would hear of it
            raise

    if here.dataset is not None and len(here.variants):
        tables.save(label, make, f"report-{here.facts['name']}", HTML, "report")
