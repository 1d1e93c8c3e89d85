"""What charts share: layers with names, a quiet title, axes that need no ticks.

Not here: colours (palette.py), words (text.py).
"""

from __future__ import annotations

from typing import Any, cast

import altair as alt

from core.charts import palette


def named(chart: Any, name: str) -> alt.Chart:
    """The layer under a name of its own: unnamed ones get a number that any new layer changes."""
    copy = chart.copy(deep=False)  # a deep one, as `properties` makes, is most of what a chart costs
    copy.name = name
    return cast("alt.Chart", copy)


def layered(layers: list[alt.Chart], name: str, height: int, note: str = "") -> alt.LayerChart:
    """The layers as one chart, from the ground up; note: a quiet line above it."""
    about: dict[str, Any] = {"name": name, "height": height}
    if note:
        about["title"] = alt.Title(
            note, fontSize=11, fontWeight="normal", anchor="start", offset=10, color=palette.NEUTRAL
        )
    return cast("alt.LayerChart", alt.layer(*layers, **about))
