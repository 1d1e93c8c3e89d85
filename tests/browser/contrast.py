"""How well the words of drawn charts stand out, as the browser computed them. No pytest in here."""

import re
from typing import Any

GROUND = {"light": "#FCFBF8", "dark": "#15191B"}
"""The pages', as in .streamlit/config.toml."""
SMALL_TEXT = 4.5
"""WCAG 2.2, 1.4.3, level AA."""

WORDS = """() => [...document.querySelectorAll('svg text')]
  .filter(t => t.textContent.trim() && !t.closest('[class*=letters]'))
  .map(t => [t, getComputedStyle(t)]).filter(([t, s]) => s.opacity > 0 && s.fillOpacity > 0)
  .map(([t, s]) => [t.textContent, s.fill, s.opacity * s.fillOpacity])"""
"""Text, colour and opacity. Letters of pins stand on a ground of their own, which tests/charts/test_palette.py judges;
labels that Vega hides since there is no room have no opacity."""


def contrast(fill: str, opacity: float, ground: str) -> float:
    """WCAG's contrast of what a browser computed, such as "rgb(90, 98, 104)", on an opaque ground.

    >>> round(contrast("rgb(0, 0, 0)", 1, "#FFFFFF"), 1), round(contrast("rgb(0, 0, 0)", 0, "#FFFFFF"), 1)
    (21.0, 1.0)
    """
    red, green, blue, *alpha = (float(number) for number in re.findall(r"[\d.]+", fill))
    opacity *= alpha[0] if alpha else 1.0
    behind = [int(ground[at : at + 2], 16) for at in (1, 3, 5)]
    drawn = [opacity * a + (1 - opacity) * b for a, b in zip((red, green, blue), behind, strict=True)]
    low, high = sorted((luminance(drawn), luminance(behind)))
    return (high + 0.05) / (low + 0.05)


def luminance(rgb: list[Any]) -> float:
    """WCAG's relative luminance."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (value / 255 for value in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
