"""What a rule adds to the trade-off chart: grey marks, the recommendation, turning points, the brush."""

import pandas as pd

from core.charts import palette
from core.charts import trade_off as chart
from core.charts.trade_off_rule import TURNS, Ruled
from tests.charts.frames import POINTS, SEEDS
from tests.charts.specs import drawn, layers, rows

ASKED = chart.Question("aplt@10", "ndcg@10")
TURN = pd.DataFrame({"path": ["curve"], "variant": ["auc1"], "strength": [0.1]})


def test_what_does_not_keep_is_grey_with_an_edge_and_keeps_its_shape() -> None:
    full = chart.trade_off(POINTS, ASKED, SEEDS, ruled=Ruled({"auc2", "dns"}, "auc1"))
    outside = {row["variant"]: row["outside"] for row in rows(full, "marks")}
    assert outside == {"auc1": False, "auc2": True, "dns": True, "rns": False}
    encoding = layers(full)["marks"]["encoding"]
    grey = {"test": "datum.outside", "value": palette.OUTSIDE}
    assert encoding["color"]["condition"] == grey
    assert encoding["stroke"]["condition"] == grey | {"value": palette.OUTSIDE_EDGE}
    assert "condition" not in encoding["shape"]
    assert palette.OUTSIDE.lower() in drawn(full).lower()


def test_the_legend_keeps_every_method() -> None:
    full = chart.trade_off(POINTS, ASKED, ruled=Ruled(set(POINTS["variant"])))
    assert layers(full)["marks"]["encoding"]["color"]["scale"]["domain"] == ["RNS", "DNS", "AUC-NS"]


def test_seeds_of_what_is_outside_are_grey_too() -> None:
    full = chart.trade_off(POINTS, ASKED, SEEDS, ruled=Ruled({"auc1"}))
    assert {row["faint"] == palette.OUTSIDE for row in rows(full, "seeds") if row["variant"] == "auc1"} == {True}
    assert {row["faint"] == palette.OUTSIDE for row in rows(full, "seeds") if row["variant"] != "auc1"} == {False}


def test_the_recommendation_is_ringed_wherever_it_is() -> None:
    for variant in ("auc1", "pop"):
        full = chart.trade_off(POINTS, ASKED, ruled=Ruled((), variant))
        assert [row["variant"] for row in rows(full, "advised")] == [variant]
    assert "advised" not in layers(chart.trade_off(POINTS, ASKED, ruled=Ruled((), "gone")))


def test_no_label_stands_under_the_ring_of_the_recommendation() -> None:
    """Its radius is 16 pixels; without it the label begins 10 pixels from the mark's middle."""
    for ruled, least in ((Ruled((), "rns"), 16.0), (Ruled(), 10.0)):
        labels = {row["text"]: row for row in rows(chart.trade_off(POINTS, ASKED, ruled=ruled), "labels")}
        at = labels["RNS"]
        assert max(abs(at["dx"]), abs(at["dy"])) >= least
        assert (max(abs(at["dx"]), abs(at["dy"])) >= 16.0) == (least == 16.0)


def test_a_turn_is_marked_on_its_own_path() -> None:
    full = chart.trade_off(POINTS, ASKED, ruled=Ruled(turns=TURN))
    (row,) = rows(full, "turns")
    assert (row["variant"], row["turns"]) == ("auc1", TURNS)
    other = chart.trade_off(POINTS, ASKED, ruled=Ruled(turns=TURN.assign(path="other")))
    assert "turns" not in layers(other)


def test_without_a_rule_nothing_is_grey_or_ringed() -> None:
    full = chart.trade_off(POINTS, ASKED, SEEDS)
    assert not any(row["outside"] for row in rows(full, "marks"))
    assert not {"advised", "turns"} & set(layers(full))


def test_a_drag_gives_both_ranges() -> None:
    params = {param["name"]: param for param in chart.trade_off(POINTS, ASKED, brush=True).to_dict()["params"]}
    assert set(params) == {chart.PICK, chart.BRUSH}
    assert params[chart.BRUSH]["select"]["type"] == "interval"
    assert params[chart.BRUSH]["select"]["encodings"] == ["x", "y"]
    assert params[chart.PICK]["views"] == params[chart.BRUSH]["views"]
