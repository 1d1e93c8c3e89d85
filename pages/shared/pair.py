"""Which two settings a page compares: the pins, and what stands in for a pin that is free.

Here: the rule, which Compare and Users share. Not here: pinning (view.py).
"""

from __future__ import annotations

from pages.shared.view import View


def compared(here: View) -> tuple[str | None, str | None]:
    """The two settings side by side, each pin on its own side. Beside a single pin stands the baseline; without any,
    the strongest AUC-NS stands beside it."""
    if here.a and here.b:
        return here.a, here.b
    one = here.a or here.b or strongest(here)
    beside = here.baseline if here.baseline != one else other_than(here, one)
    return (one, beside) if here.a else (beside, one)


def strongest(here: View) -> str | None:
    """The AUC-NS setting of the largest strength; another one where there is none."""
    found = here.variants[here.variants["method"] == "auc_ns"].sort_values("strength")
    return str(found["variant"].iloc[-1]) if len(found) else other_than(here, here.baseline)


def other_than(here: View, variant: str | None) -> str | None:
    """A setting that is another one; None where there is no other."""
    others = here.variants.loc[here.variants["variant"] != variant, "variant"]
    return str(others.iloc[-1]) if len(others) else None
