"""What charts share: layers with names, a quiet title, axes that need no ticks.

Not here: colours (palette.py), words (text.py).
"""

from __future__ import annotations

from typing import Any, cast

import altair as alt

from core.charts import palette


def named(chart: Any, name: str) -> alt.Chart:
    """The layer under a name of its own: unnamed ones get a number that any new layer changes."""
    return cast("alt.Chart", chart.properties(name=name))


def layered(layers: list[alt.Chart], name: str, height: int, note: str = "") -> alt.LayerChart:
    """The layers as one chart, from the ground up; note: a quiet line above it."""
    chart: Any = alt.layer(*layers).properties(name=name, height=height)
    if note:
        title = alt.Title(note, fontSize=11, fontWeight="normal", anchor="start", offset=10, color=palette.NEUTRAL)
        chart = chart.properties(title=title)
    return cast("alt.LayerChart", chart)
