"""Labels find room or are left out: by hand, and as a property."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from core.charts.labels import Extent, place_labels

X, Y = Extent(0, 100), Extent(0, 100)


def wanted(*points):
    return pd.DataFrame([{"x": x, "y": y, "text": text, "priority": p, "clear": 7.0} for x, y, text, p in points])


def boxes(placed, width, height):
    """What each label covers, computed from where the text mark will draw it."""
    for row in placed.itertuples():
        px, py, wide = X.share(row.x) * width + row.dx, (1 - Y.share(row.y)) * height + row.dy, 6.0 * len(row.text)
        left = {"left": px, "right": px - wide, "center": px - wide / 2}[row.align]
        yield left, py - 6.5, left + wide, py + 6.5


def test_a_free_label_stands_to_the_right():
    placed = place_labels(wanted((50, 50, "one", 1)), [], X, Y, 400, 400)
    assert placed[["align", "dx", "dy"]].to_numpy().tolist() == [["left", 10.0, 0.0]]


def test_at_the_right_edge_it_stands_to_the_left():
    assert place_labels(wanted((99, 50, "edge", 1)), [], X, Y, 400, 400)["align"].tolist() == ["right"]


def test_a_plain_strength_stands_clearly_nearer_to_its_own_mark():
    """50 pixels on, another mark: to the right of the first its label would end 16 pixels before it. That is 10 to its
    own; 14 would not do, and with marks on every side there is no place."""
    near, far = (wanted((50, 50, "0.01", 2), (50 + pixels / 4, 50, "", 3)) for pixels in (48, 50))
    assert place_labels(far, [], X, Y, 400, 400)["dx"].iloc[0] == 10.0
    assert place_labels(near, [], X, Y, 400, 400)["dx"].iloc[0] == -10.0
    around = [(50 + x, 50 + y, "", 3) for x in (-9, -4.5, 0, 4.5, 9) for y in (-8, 0, 8) if x or y]
    assert "0.01" not in set(place_labels(wanted((50, 50, "0.01", 2), *around), [], X, Y, 400, 400)["text"])
    assert "name" in set(place_labels(wanted((50, 50, "name", 0), (62, 50, "", 3)), [], X, Y, 400, 400)["text"])


def test_a_line_is_avoided_but_not_by_what_matters_most():
    across = [(0.0, 50.0, 100.0, 50.0)]
    assert place_labels(wanted((50, 50, "one", 1)), across, X, Y, 400, 400)["dy"].tolist() != [0.0]
    assert place_labels(wanted((50, 50, "one", 0)), across, X, Y, 400, 400)["dy"].tolist() == [0.0]


def test_a_letter_is_avoided_by_all():
    across = [(0.0, 50.0, 100.0, 50.0)]
    placed = place_labels(wanted((50, 50, "one", 0)), [], X, Y, 400, 400, letters=across)
    assert placed["dy"].tolist() != [0.0]


def test_without_room_it_is_left_out():
    crowd = [(48 + n % 5, 48 + n // 5, f"label {n}", 1) for n in range(25)]
    assert len(place_labels(wanted(*crowd), [], X, Y, 100, 100)) < 25


def test_the_most_important_gets_the_room():
    close = wanted((50, 50, "later" * 4, 2), (50, 51, "first" * 4, 1))
    assert "first" * 4 in place_labels(close, [], X, Y, 130, 60)["text"].tolist()


places = st.tuples(st.floats(0, 100), st.floats(0, 100), st.text("abc", min_size=1, max_size=9), st.integers(0, 2))


@given(st.lists(places, min_size=1, max_size=12))
def test_labels_stay_inside_and_apart(points):
    placed = list(boxes(place_labels(wanted(*points), [], X, Y, 300, 200), 300, 200))
    for n, (left, top, right, bottom) in enumerate(placed):
        assert left > -0.01
        assert top > -0.01
        assert right < 300.01
        assert bottom < 200.01
        for other in placed[:n]:
            apart_x = left >= other[2] - 0.01 or other[0] >= right - 0.01
            assert apart_x or top >= other[3] - 0.01 or other[1] >= bottom - 0.01
