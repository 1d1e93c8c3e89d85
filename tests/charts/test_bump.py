"""One user's list along a path: lines, stubs, marks and titles of the bump chart, by hand, and what it says."""

from dataclasses import replace

import pandas as pd
import pytest

from core.charts import bump, palette
from tests.charts.specs import compiled, drawn, layers, rows

# i1 stays; i2 leaves after 0 and comes back at .1; i3 enters at .05 and leaves; i4 enters at .1
LISTS = {"r0": ["i1", "i2"], "r1": ["i3", "i1"], "r2": ["i1", "i3"], "r3": ["i2", "i4"]}
HOT, HITS = {"i1", "i2"}, {"i2", "i4"}
POPULARITY = {"i1": 0.5, "i2": 0.4, "i3": 0.1, "i4": 0.0}


def path(chosen=1):
    return bump.Path("AUC-NS", "β", ("0", "0.05", "0.1", "0.2"), ("r0", "r1", "r2", "r3"), chosen, 2, "test")


def frame(lists=LISTS, chosen=1):
    """As `paths.lists_along` gives it, placed."""
    found = pd.DataFrame(
        [
            {
                "run": run, "rank": rank, "item_id": item, "title": None if item == "i4" else f"Film {item}",
                "year": 1990 if item == "i1" else None, "genres": None, "count": 1, "popularity": POPULARITY[item],
                "percentile": POPULARITY[item], "decile": 5, "hot": item in HOT, "hit": item in HITS,
            }
            for run, items in lists.items()
            for rank, item in enumerate(items, start=1)
        ],
        columns=["run", "rank", "item_id", "title", "year", "genres", "count", "popularity", "percentile", "decile",
                 "hot", "hit"],
    )  # fmt: skip
    return bump.placed(found, path(chosen))


def strokes(chart):
    """Each line as its ends and turns: a list of (x, rank) by piece, those of a single point left out."""
    pieces: dict[int, list] = {}
    for row in rows(chart, "lines"):
        pieces.setdefault(row["piece"], []).append((row["x"], row["rank"]))
    return [points for points in pieces.values() if len(points) > 1]


def test_an_item_has_a_line_wherever_it_stays_cut_by_the_titles_of_the_chosen_list():
    chart = bump.bump(frame(), path(chosen=1))
    room = 0.3 / 0.7 * (3 + 0.8)  # titles have 30 % of the width
    assert sorted(strokes(chart)) == [
        [(0, 1), (1, 2)],  # i1 up to the chosen strength
        [(pytest.approx(1 + room), 1), (pytest.approx(2 + room), 2)],  # i3 from behind the titles
        [(pytest.approx(1 + room), 2), (pytest.approx(2 + room), 1)],  # i1 from there
    ]


def test_what_enters_or_leaves_ends_in_a_stub():
    last = bump.bump(frame(chosen=3), path(chosen=3))  # no line is cut
    found = {(round(s["x"], 2), s["rank"], round(s["x2"], 2), s["rank2"]) for s in rows(last, "stubs")}
    enters = {(0.7, 1.42, 1, 1), (2.7, 1.42, 3, 1), (2.7, 2.42, 3, 2)}  # i3 at .05; i2 and i4 at .2
    leaves = {(0, 2, 0.3, 2.42), (2, 1, 2.3, 1.42), (2, 2, 2.3, 2.42)}  # i2 after 0; i1 and i3 after .1
    assert found == enters | leaves


@pytest.mark.parametrize("chosen", range(4))
def test_the_chosen_list_is_ruled_and_named_with_its_hits(chosen):
    chart = bump.bump(frame(chosen=chosen), path(chosen))
    [rule] = rows(chart, "rule")
    assert rule["x"] == chosen
    assert rule["text"] == f"β {('0', '0.05', '0.1', '0.2')[chosen]}"
    names = {"i1": "Film i1 (1990)", "i2": "hit: Film i2", "i3": "Film i3", "i4": "hit: i4"}
    labels = [(row["x"], row["rank"], row["label"]) for row in rows(chart, "titles")]
    assert labels == [(chosen, rank, names[item]) for rank, item in enumerate(LISTS[f"r{chosen}"], start=1)]


def test_the_strengths_that_a_and_b_have_of_their_own_carry_their_letters():
    """Beside the chosen one, which need be neither."""
    of = replace(path(chosen=1), pins={"A": 0, "B": 3})
    chart = bump.bump(frame(chosen=1), of)
    room = 0.3 / 0.7 * (3 + 0.8)
    found = {row["letter"]: (row["x"], row["accent"], row["at"]) for row in rows(chart, "pins")}
    assert found == {"A": (0, palette.A, "β 0"), "B": (pytest.approx(3 + room), palette.B, "β 0.2")}
    assert drawn(chart).count(f'fill="{palette.A}"') == 1  # nothing else has the accent
    assert "pins" not in layers(bump.bump(frame(), path()))


def test_there_is_one_legend():
    """Of the marks, in colour and shape: lines and stubs would have another of their own."""
    [legend] = compiled(bump.bump(frame(), path()))["legends"]
    assert {"stroke", "shape"} <= legend.keys()


def test_hot_and_cold_differ_in_colour_dash_and_shape_and_hits_are_filled():
    chart = bump.bump(frame(), path())
    found = layers(chart)
    for layer, channel in (("lines", "strokeDash"), ("stubs", "strokeDash"), ("marks", "shape")):
        scales = [found[layer]["encoding"][name]["scale"] for name in ("color", channel)]
        assert all(scale["domain"] == ["hot item", "cold item"] for scale in scales)
        assert all(len(set(map(str, scale["range"]))) == 2 for scale in scales)
    assert found["marks"]["encoding"]["fillOpacity"]["field"] == "filled"
    assert {row["item_id"]: (row["taken"], row["filled"]) for row in rows(chart, "marks")} == {
        "i1": ("no", 0), "i2": ("yes", 1), "i3": ("no", 0), "i4": ("yes", 1),
    }  # fmt: skip
    kinds = {row["item_id"]: row["kind"] for row in rows(chart, "marks")}
    assert kinds == {"i1": "hot item", "i2": "hot item", "i3": "cold item", "i4": "cold item"}


def test_a_click_names_the_strength():
    chart = bump.bump(frame(), path())
    [pick] = [p for p in chart.to_dict()["params"] if p["name"] == bump.PICK]
    assert pick["select"]["fields"] == ["at"]
    assert {row["at"] for row in rows(chart, "marks")} == {"0", "0.05", "0.1", "0.2"}


@pytest.mark.parametrize("chosen", range(4))
def test_the_chart_compiles_and_draws_every_strength_and_title(chosen):
    chart = bump.bump(frame(chosen=chosen), path(chosen)).properties(width=600)
    compiled(chart)
    svg = drawn(chart)
    for text in ("Rank in the list of 2", "Strength β of AUC-NS", ">0.05<", ">0.2<", ">0<"):
        assert text in svg


def test_what_it_says():
    assert bump.takeaway(frame(), path()) == (
        "From β 0 to 0.2 of AUC-NS, 0 of this user's 2 items stay in the list at every strength; it changes most "
        "between 0.1 and 0.2, where 2 of 2 items are new; hits go from 1 to 2, and the mean item from one that 45.0 % "
        "of users took to one that 20.0 % took."
    )
    same = frame({run: ["i1", "i2"] for run in LISTS})
    assert "2 of this user's 2 items stay" in bump.takeaway(same, path())
    assert "no item is replaced anywhere" in bump.takeaway(same, path())
    assert bump.takeaway(frame({}), path()) == "No list of this user is known along AUC-NS."


def test_its_numbers_by_item():
    found = bump.ranks(frame(), path(chosen=1)).astype(object).where(lambda f: f.notna(), None)
    assert found.columns.tolist() == ["Item", "Kind", "Taken", "Popularity", "β 0", "β 0.05", "β 0.1", "β 0.2"]
    assert found.to_numpy().tolist() == [
        ["Film i3", "cold", "", 0.1, None, 1, 2, None],  # the chosen list, in its order
        ["Film i1 (1990)", "hot", "", 0.5, 1, 2, 1, None],
        ["Film i2", "hot", "yes", 0.4, 2, None, None, 1],  # then by where they appear
        ["i4", "cold", "yes", 0.0, None, None, None, 2],
    ]


def test_its_numbers_by_strength():
    values = pd.Series({"r0": 0.5, "r1": 0.0, "r3": 1.0})
    found = bump.steps(frame(), path(), values, "NDCG@2").astype(object).where(lambda f: f.notna(), None)
    assert found.columns.tolist() == ["Strength β", "NDCG@2", "Hits", "Mean popularity", "New", "Kept"]
    assert found.to_numpy().tolist() == [
        ["0", 0.5, 1, 0.45, None, 2],
        ["0.05", 0.0, 0, 0.3, 1, 1],
        ["0.1", None, 0, 0.3, 0, 1],
        ["0.2", 1.0, 2, 0.2, 2, 1],
    ]


def test_a_strength_without_a_list_leaves_a_gap():
    chart = bump.bump(frame({**LISTS, "r1": []}, 3), path(chosen=3))
    assert strokes(chart) == []
    found = bump.steps(frame({**LISTS, "r1": []}), path(), pd.Series(dtype=float), "NDCG@2")
    assert found["New"].tolist()[1:] == [0, 2, 2]
    drawn(chart)
