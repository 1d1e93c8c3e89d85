"""A chart as a file that stands alone: SVG and PNG, light, with its title and where its numbers are from.

Here: the look that the page's theme gives on the screen, and the drawing, by vl-convert: Vega-Lite without a browser.
Not here: charts, and what they say. The renderer is imported on the first call: it starts a JavaScript engine.
The same chart gives the same text: element ids are counted anew in each drawing, and widths of texts are measured in a
font that the renderer brings along (Liberation Sans, of the same widths as Arial and Helvetica).
"""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any, cast

import altair as alt

from core.charts import palette

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
INK, GROUND, GRID = "#1d2327", "#fcfbf8", "#dcd8cc"
"""Text, ground and grid of the light theme, as in .streamlit/config.toml; a page of HTML may recolour them."""
WIDTH = 640
"""Of the plot, in pixels: what the labels of the trade-off chart were placed for."""
SCALE = 2  # pixels of a PNG a pixel of the chart: sharp in print

TITLE_LETTERS, NOTE_LETTERS = 78, 108
"""How long a line of the title, and of what stands below it, may be: about as wide as the plot."""
_ARROWS = str.maketrans({"↗": "→↑", "↖": "←↑", "↘": "→↓", "↙": "←↓"})
"""The renderer's own font has no arrows aslant, and a machine may have no other: what lacks a sign is drawn in that."""

_QUIET = palette.QUIET_ON_LIGHT.lower()
_AXIS = {"labelColor": INK, "titleColor": INK, "gridColor": GRID, "domainColor": GRID, "tickColor": GRID}
_LEGEND = {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
CONFIG: dict[str, Any] = {
    "font": FONT,
    "aria": False,
    "view": {"stroke": None},
    "axis": {**_AXIS, "labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "ticks": False,
             "labelPadding": 6, "titlePadding": 8, "domain": False},
    "legend": _LEGEND,
    "header": {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontWeight": "normal"},
    "title": {"color": INK, "subtitleColor": _QUIET, "fontSize": 15, "subtitleFontSize": 11, "subtitlePadding": 5},
}  # fmt: skip
_VEGA_LITE = "6.4"
_IDS = re.compile(r'<(?:clipPath|linearGradient|radialGradient|pattern|mask)\b[^<>"]*\bid="([^"]*)"')


def svg(chart: Any, title: str = "", note: str = "", ids: str = "c", ground: str | None = GROUND) -> str:
    """The chart as SVG. title, note: above it; ids: begins every element's id, so that several stand on one page;
    ground: its colour, None for none."""
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(
        json.dumps(spec(chart, title, note, ground)), vl_version=_VEGA_LITE, allowed_base_urls=[]
    )
    return _own_ids(str(drawn), ids)


def png(chart: Any, title: str = "", note: str = "") -> bytes:
    """The chart as a PNG, two pixels a pixel."""
    import vl_convert

    return vl_convert.svg_to_png(svg(chart, title, note).translate(_ARROWS), scale=SCALE)


def spec(chart: Any, title: str = "", note: str = "", ground: str | None = GROUND) -> dict[str, Any]:
    """The chart as Vega-Lite with its data in it, however many rows, and the look of a file.

    A note that the chart has itself, above it, becomes a line of the new title's.
    """
    found: dict[str, Any] = _with_data(chart).to_dict()
    heads = textwrap.wrap(title, TITLE_LETTERS)
    lines = [part for line in (*_words(found.pop("title", None)), note) for part in textwrap.wrap(line, NOTE_LETTERS)]
    if heads or lines:
        found["title"] = {"text": heads or lines, "anchor": "start", "frame": "bounds", "offset": 12}
        found["title"] |= {"subtitle": lines} if heads else {"fontSize": 11, "fontWeight": "normal"}
    if not found.keys() & {"hconcat", "vconcat", "concat", "spec", "facet", "repeat"}:
        found.setdefault("width", WIDTH)
    found["config"] = {**CONFIG, "background": ground}
    return found


def _words(title: Any) -> list[str]:
    """The lines of a chart's own title."""
    text = title.get("text", "") if isinstance(title, dict) else title
    return [str(line) for line in text] if isinstance(text, list) else [str(text or "")]


def _with_data(chart: Any) -> Any:
    """A copy whose data are plain rows.

    Altair turns frames into rows by a setting of the whole process, which the page's own drawing swaps for a moment in
    its threads; and the usual setting refuses long frames.
    """
    copy = chart.copy(deep=False)
    if hasattr(getattr(copy, "data", None), "columns"):
        copy.data = alt.InlineData(values=cast("Any", alt.to_values(copy.data)["values"]))
    for inner in ("layer", "vconcat", "hconcat", "concat"):
        if isinstance(getattr(copy, inner, None), list):
            setattr(copy, inner, [_with_data(part) for part in getattr(copy, inner)])
    if isinstance(getattr(copy, "spec", None), alt.TopLevelMixin):
        copy.spec = _with_data(copy.spec)
    return copy


def _own_ids(drawn: str, prefix: str) -> str:
    """With ids in order of appearance. The renderer counts them through the life of a process."""
    names = {old: f"{prefix}-{n}" for n, old in enumerate(dict.fromkeys(_IDS.findall(drawn)))}
    drawn = _IDS.sub(lambda m: m.group(0).replace(f'id="{m.group(1)}"', f'id="{names[m.group(1)]}"'), drawn)
    return re.sub(r'="url\(#([^)"]*)\)"', lambda m: f'="url(#{names.get(m.group(1), m.group(1))})"', drawn)
