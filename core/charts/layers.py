"""What charts share: layers with names, a quiet title, axes that need no ticks.

Not here: colours (palette.py), words (text.py).
"""

from __future__ import annotations

from typing import Any, cast

import altair as alt

from core.charts import palette
from core.charts.checking import shallow


def named(chart: Any, name: str) -> alt.Chart:
    """The layer under a name of its own: unnamed ones get a number that any new layer changes."""
    copy = shallow(chart)  # a deep copy, as `properties` makes, is most of what a chart costs
    copy.name = name
    return cast("alt.Chart", copy)


def on_a_page(chart: Any) -> Any:
    """A copy whose axes and legends are readable: Streamlit's own letters have a contrast of 3.6 on a light ground."""
    copy = shallow(chart)
    words: dict[str, Any] = {"labelColor": palette.QUIET, "titleColor": palette.QUIET}
    copy.config = alt.Config(axis=alt.AxisConfig(**words), legend=alt.LegendConfig(**words), header=words)
    return copy


def layered(layers: list[alt.Chart], name: str, height: int, note: str = "") -> alt.LayerChart:
    """The layers as one chart, from the ground up; note: a quiet line above it."""
    about: dict[str, Any] = {"name": name, "height": height}
    if note:
        about["title"] = alt.Title(
            note, fontSize=11, fontWeight="normal", anchor="start", offset=10, color=palette.QUIET
        )
    return cast("alt.LayerChart", alt.layer(*layers, **about))
