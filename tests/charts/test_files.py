"""A chart as a file: the same bytes, all of its rows, its own title, a light ground, nothing that could run."""

import struct
import xml.etree.ElementTree as ET

import altair as alt
import pandas as pd
import pytest

from core.charts import exposure, files, learning, palette, popularity, trade_off
from core.charts.text import axis_title
from tests.charts import frames

QUESTION = trade_off.Question("aplt@10", "ndcg@10")
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</text><script>alert(1)</script><a href="javascript:x">&'


def texts(svg: str) -> list[str]:
    """Every line of text: one of several lines has an element for each."""
    lines = [line for element in ET.fromstring(svg).iter(f"{SVG}text") for line in (list(element) or [element])]
    return [line.text or "" for line in lines]


def curve(label="RNS"):
    return learning.curves(frames.history(label)).vconcat[0]


def test_the_same_chart_gives_the_same_bytes_whatever_was_drawn_before():
    first = files.svg(curve(), "Title", "Note")
    files.svg(trade_off.trade_off(frames.POINTS, QUESTION))
    assert files.svg(curve(), "Title", "Note") == first


def test_two_charts_of_one_page_share_no_id():
    ids = [
        {e.get("id") for e in ET.fromstring(files.svg(trade_off.trade_off(frames.POINTS, QUESTION), ids=name)).iter()}
        for name in ("a", "b")
    ]
    assert (ids[0] & ids[1]) <= {None}


def test_what_is_clipped_finds_its_clip_path():
    clipped = alt.Chart(pd.DataFrame({"x": [1.0, 2]})).mark_point(clip=True).encode(x="x:Q")
    root = ET.fromstring(files.svg(clipped, ids="one"))
    used = {e.get("clip-path") for e in root.iter()} - {None}
    assert used == {f"url(#{e.get('id')})" for e in root.iter(f"{SVG}clipPath")} == {"url(#one-0)"}


def test_title_axes_and_note_stand_in_the_file_beside_the_charts_own_note():
    found = texts(files.svg(trade_off.trade_off(frames.POINTS, QUESTION), "What it says", "From here"))
    for text in ("What it says", "From here", QUESTION.note, axis_title(QUESTION.x), axis_title(QUESTION.y)):
        assert text in found


def test_long_notes_are_broken_into_lines():
    found = texts(files.svg(curve(), "long " * 40, "note " * 60))
    assert max(len(text) for text in found if text.startswith("long")) <= files.TITLE_LETTERS
    assert max(len(text) for text in found if text.startswith("note")) <= files.NOTE_LETTERS


def test_no_text_of_anybodys_becomes_an_element():
    root = ET.fromstring(files.svg(curve(HOSTILE), HOSTILE, HOSTILE))
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {"svg", "g", "path", "text", "rect", "line", "tspan"}
    assert any("<script>" in (text or "") for text in ("".join(e.itertext()) for e in root.iter(f"{SVG}text")))


def test_more_rows_than_altair_likes_are_all_drawn():
    rows = pd.DataFrame({"x": range(6001), "y": range(6001)})
    chart = alt.Chart(rows).mark_point().encode(x="x:Q", y="y:Q")
    with pytest.raises(alt.MaxRowsError):
        chart.to_dict()
    assert len(next(iter(files.spec(chart)["datasets"].values()))) == 6001
    assert chart.data is rows  # the page draws the same chart


@pytest.mark.parametrize(
    "chart",
    [
        popularity.long_tail(frames.items([9, 5, 5, 1, 0], hot=1)),
        learning.curves(frames.history()),
        exposure.exposure(frames.exposure("RNS", 0.8)),
        trade_off.trade_off(frames.POINTS, QUESTION),
        alt.Chart(pd.DataFrame({"x": [1.0], "f": ["a"]})).mark_point().encode(x="x:Q").facet("f:N"),
    ],
    ids=["long tail", "panels", "exposure", "trade-off", "facets"],
)
def test_every_kind_of_chart_can_be_drawn(chart):
    svg = files.svg(chart, "T")
    assert "NaN" not in svg
    assert "undefined" not in svg
    assert "T" in texts(svg)


def test_a_png_has_two_pixels_a_pixel_of_the_svg():
    width = float(ET.fromstring(files.svg(curve())).get("width"))
    png = files.png(curve())
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert abs(struct.unpack(">I", png[16:20])[0] - 2 * width) <= 2


def test_the_ground_is_the_light_themes_or_none():
    assert f'fill="{files.GROUND}"' in files.svg(curve())
    assert files.GROUND not in files.svg(curve(), ground=None)


def test_the_quiet_colour_is_the_palettes():
    assert palette.QUIET_ON_LIGHT.lower() in files.svg(curve(), "T", "note")
