"""The trade-off chart: what is drawn, what a click gives, what the words say."""

import re

import pandas as pd
import pytest

from core.charts import palette
from core.charts import trade_off as chart
from tests.charts import frames
from tests.charts.frames import POINTS, SEEDS, point
from tests.charts.specs import compiled, drawn, layers, rows

ASKED = chart.Question("aplt@10", "ndcg@10")


def test_the_layers_have_names():
    full = chart.trade_off(POINTS, ASKED, SEEDS, {"A": "rns", "B": "auc1"})
    behind = ["seeds", "paths", "arrows"]
    assert list(layers(full)) == [*behind, "baselines", "chosen", "marks", "badges", "letters", "labels", "better"]
    assert full.to_dict()["name"] == chart.NAME


def test_the_small_one_leaves_the_seeds_out():
    small = chart.trade_off(POINTS, ASKED, SEEDS, small=True)
    assert list(layers(small)) == ["paths", "arrows", "baselines", "marks", "labels", "better"]
    assert small.to_dict()["height"] < chart.trade_off(POINTS, ASKED).to_dict()["height"]
    assert layers(small)["marks"]["encoding"]["color"]["legend"] is None


def test_paths_can_be_left_out():
    assert not {"paths", "arrows"} & set(layers(chart.trade_off(POINTS, ASKED, paths=False)))


def test_a_click_gives_the_variant():
    (param,) = chart.trade_off(POINTS, ASKED).to_dict()["params"]
    assert param["name"] == chart.PICK
    assert param["select"] == {"type": "point", "fields": ["variant"]}


def test_a_click_into_a_hollow_mark_hits_its_unseen_disc():
    hollow = POINTS.assign(method=POINTS["method"].where(POINTS["variant"] != "auc1", "one_bp+auc_ns"))
    drawn = chart.trade_off(hollow, ASKED)
    assert [row["variant"] for row in rows(drawn, "targets")] == ["auc1"]
    assert layers(drawn)["targets"]["mark"]["opacity"] == 0
    assert layers(drawn)["targets"]["encoding"]["tooltip"]  # without one the layer takes no pointer


def test_each_setting_is_one_mark_and_its_path_begins_at_the_off_end():
    full = chart.trade_off(POINTS, ASKED)
    assert sorted(row["variant"] for row in rows(full, "marks")) == ["auc1", "auc2", "dns", "rns"]
    curve = [row for row in rows(full, "paths") if row["path"] == "curve"]
    assert [(row["variant"], row["order"]) for row in curve] == [("dns", 0), ("auc1", 1), ("auc2", 2)]
    assert layers(full)["paths"]["encoding"]["order"]["field"] == "order"


def test_arrows_stand_in_the_middle_of_the_lines():
    arrows = rows(chart.trade_off(POINTS, ASKED), "arrows")
    ends = [value for row in arrows for value in (row["x1"], row["x"], row["x2"])]
    assert ends == pytest.approx([0.04, 0.05, 0.06, 0.06, 0.08, 0.10])


def test_no_line_leads_over_what_a_filter_leaves_out():
    """Of three on the curve the middle one is gone: its neighbours are not joined."""
    full = chart.trade_off(POINTS, ASKED)
    assert len({row["piece"] for row in rows(full, "paths") if row["path"] == "curve"}) == 1
    cut = chart.trade_off(POINTS[POINTS["variant"] != "auc1"], ASKED)
    assert layers(cut)["paths"]["encoding"]["detail"]["field"] == "piece"
    assert len({row["piece"] for row in rows(cut, "paths") if row["path"] == "curve"}) == 2
    assert "arrows" not in layers(cut)
    shorter = chart.trade_off(POINTS[POINTS["variant"] != "auc2"], ASKED)
    assert [row["x"] for row in rows(shorter, "arrows")] == pytest.approx([0.05])


def test_arrows_turn_with_the_line_on_the_screen():
    """The angle is computed from the drawn scales, under the names that they have in the compiled chart."""
    full = chart.trade_off(POINTS, ASKED)
    names = {scale["name"] for scale in compiled(full)["scales"]}
    used = set(re.findall(r"scale\('(\w+)'", str(layers(full)["arrows"]["mark"])))
    assert used == {"trade_off_x", "trade_off_y"}
    assert used <= names
    picture = drawn(full)
    assert "NaN" not in picture
    turned = [float(a) for a in re.findall(r"rotate\((-?[\d.]+)", picture)]
    assert any(0 < angle < 90 for angle in turned)  # to the right and down


def test_axes_say_metric_and_direction():
    x, y = (layers(chart.trade_off(POINTS, ASKED))["marks"]["encoding"][axis] for axis in "xy")
    assert y["title"] == "NDCG@10 (higher is better)"
    assert x["title"] == "Cold share of the list (APLT@10), higher is better"
    assert x["scale"]["zero"] is False
    other = chart.trade_off(POINTS, chart.Question("gini@10", "recall@20"))
    assert layers(other)["marks"]["encoding"]["x"]["title"] == "Gini of exposure@10 (lower is better)"


@pytest.mark.parametrize(
    ("x", "y", "words", "right", "top"),
    [
        ("aplt@10", "ndcg@10", "better ↗", True, True),
        ("gini@10", "ndcg@10", "↖ better", False, True),
        ("aplt@10", "gini@10", "better ↘", True, False),
        ("gini@10", "arp@10", "↙ better", False, False),
    ],
)
def test_the_better_corner_follows_the_metrics(x, y, words, right, top):
    corner = chart.trade_off(POINTS, chart.Question(x, y))
    assert rows(corner, "better") == [{"words": words}]
    encoding = layers(corner)["better"]["encoding"]
    assert encoding["x"] == {"value": "width" if right else 0}
    assert encoding["y"] == {"value": 0 if top else "height"}


def test_methods_have_their_colours_and_shapes():
    encoding = layers(chart.trade_off(POINTS, ASKED))["marks"]["encoding"]
    assert encoding["color"]["scale"]["domain"] == ["RNS", "DNS", "AUC-NS"]
    assert encoding["color"]["scale"]["range"] == [palette.BLUE, palette.GREEN, palette.VERMILION]
    assert encoding["shape"]["scale"]["range"] == [palette.style(m).shape for m in ("rns", "dns", "auc_ns")]


def test_there_is_one_legend_for_colour_and_shape_and_it_is_not_faint():
    legends = compiled(chart.trade_off(POINTS, ASKED, SEEDS))["legends"]
    assert [(legend["fill"], legend["shape"]) for legend in legends] == [("marks_color", "marks_shape")]
    assert legends[0].get("encode", {}).get("symbols", {}).get("update", {}).get("opacity", {"value": 1})["value"] == 1


def test_a_baseline_far_off_stands_at_the_edge_with_its_value():
    full = chart.trade_off(POINTS, ASKED)
    low, high = layers(full)["marks"]["encoding"]["y"]["scale"]["domain"]
    (edge,) = rows(full, "baselines")
    assert 0.19 < low < edge["y"] < 0.40 < high
    assert edge["beyond"] == " ↓ 0.190 ← 0"
    assert edge["y_text"] == "0.190"
    assert "Most popular ↓ 0.190 ← 0" in [row["text"] for row in rows(full, "labels")]


def test_a_baseline_nearby_stands_where_it_is():
    near = POINTS.assign(
        y=POINTS["y"].where(~POINTS["baseline"], 0.385), x=POINTS["x"].where(~POINTS["baseline"], 0.03)
    )
    (mark,) = rows(chart.trade_off(near, ASKED), "baselines")
    assert (mark["x"], mark["y"], mark["beyond"]) == (0.03, 0.385, "")


def test_every_mark_lies_within_the_axes():
    full = chart.trade_off(POINTS, ASKED, SEEDS)
    for axis in "xy":
        low, high = layers(full)["marks"]["encoding"][axis]["scale"]["domain"]
        for name in ("marks", "baselines"):
            assert all(low < row[axis] < high for row in rows(full, name))
        assert all(low < row[f"{axis}_low"] and row[f"{axis}_high"] < high for row in rows(full, "marks"))


def test_chosen_ones_are_ringed_by_letter():
    full = chart.trade_off(POINTS, ASKED, chosen={"A": "rns", "B": "pop"})
    assert {row["variant"]: row["letter"] for row in rows(full, "letters")} == {"rns": "A", "pop": "B"}
    twice = chart.trade_off(POINTS, ASKED, chosen={"A": "rns", "B": "rns"})
    assert [row["letter"] for row in rows(twice, "letters")] == ["A, B"]
    assert "chosen" not in layers(chart.trade_off(POINTS, ASKED, chosen={"A": "not there"}))


def test_seeds_of_what_is_not_drawn_are_not_drawn():
    dots = rows(chart.trade_off(POINTS, ASKED, SEEDS), "seeds")
    assert {row["variant"] for row in dots} == {"auc1", "rns"}  # the baseline has its mark only


def test_a_tooltip_tells_the_range_over_the_seeds():
    marks = {row["variant"]: row for row in rows(chart.trade_off(POINTS, ASKED), "marks")}
    assert marks["rns"]["y_text"] == "0.410 [0.407, 0.413]"
    one = chart.trade_off(POINTS.assign(seeds=1), ASKED)
    assert {row["y_text"] for row in rows(one, "marks") if row["variant"] == "rns"} == {"0.410"}


@pytest.mark.parametrize("seen", [POINTS[POINTS["baseline"]], POINTS[~POINTS["baseline"]], POINTS.tail(1)])
def test_few_points_are_drawn_too(seen):
    full = chart.trade_off(seen, ASKED)
    assert full.to_dict()["params"][0]["name"] == chart.PICK
    assert "NaN" not in drawn(full)


def test_equal_values_are_drawn_too():
    flat = POINTS[~POINTS["baseline"]].assign(x=0.1, x_low=0.1, x_high=0.1, y=0.0, y_low=0.0, y_high=0.0)
    assert "NaN" not in drawn(chart.trade_off(flat, ASKED))


def test_no_colour_is_black_or_white():
    text = str(chart.trade_off(POINTS, ASKED, SEEDS, {"A": "rns"}).to_dict()).lower()
    assert not re.search(r"#000000|#ffffff|'black'|'white'", text)
    assert "config" not in chart.trade_off(POINTS, ASKED).to_dict() or '"background":' not in text.replace("'", '"')


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (chart.Question("aplt@10", "ndcg@10", "validation"), "Validation split, chosen on validation"),
        (chart.Question("aplt@10", "ndcg@10", "test", "paper"), "Test split, chosen on test: optimistic"),
        (
            chart.Question("aplt@10", "ndcg@10", "test", "paper", "per-metric"),
            "Test split, chosen on test: optimistic; each metric at its own best epoch",
        ),
    ],
)
def test_the_protocol_stands_on_the_chart_and_in_its_name(question, words):
    assert chart.trade_off(POINTS, question).to_dict()["title"]["text"] == words
    assert words in chart.takeaway(POINTS, question)


def test_takeaway():
    said = chart.takeaway(POINTS, ASKED)
    assert "Of 4 settings DNS (AUC-NS β 0) has the best NDCG@10, 0.440" in said
    assert "AUC-NS β 0.2 the best cold share of the list (APLT@10), 0.100" in said
    assert "Along AUC-NS, β 0 to 0.2, NDCG@10 goes from 0.440 to 0.400" in said
    lower = chart.takeaway(POINTS, chart.Question("gini@10", "ndcg@10"))
    assert "DNS (AUC-NS β 0) the best Gini of exposure@10, 0.0400" in lower


def test_the_takeaway_follows_a_path_to_where_it_turns():
    turned = POINTS.assign(x=POINTS["x"].mask(POINTS["strength"] == 0.2, 0.041))
    said = chart.takeaway(turned, ASKED)
    assert "Along AUC-NS, β 0 to 0.1, NDCG@10 goes from 0.440 to" in said
    assert "; beyond that it turns back. " in said


def test_one_setting_is_not_compared():
    one = POINTS[POINTS["label"] == "AUC-NS β 0.2"]
    assert chart.takeaway(one, ASKED).startswith("One trained setting, AUC-NS β 0.2: NDCG@10 0.400 and cold share")


def test_takeaway_without_a_path_or_without_anything_trained():
    assert "Along" not in chart.takeaway(POINTS.tail(1), ASKED)
    assert chart.takeaway(POINTS.head(1), ASKED).startswith("No trained method yet, only Most popular.")


def test_labels_do_not_cover_each_other():
    """Forty points in a heap: some labels are left out, none lies on another."""
    heap = pd.DataFrame(
        [point(f"v{n}", "auc_ns", 0.05 + n % 7 / 500, 0.4 + n % 5 / 500, n / 100, f"p{n}") for n in range(40)]
    )
    placed = rows(chart.trade_off(heap, ASKED), "labels")
    assert 0 < len(placed) < 40


# ---------------------------------------------------------------- every method at once


@pytest.fixture(scope="module")
def many():
    """MF and LightGCN with every method over its strengths, and three methods re-ranked."""
    return frames.every_method(("mf", "lightgcn"))


def test_every_method_is_told_apart_in_the_legend(many):
    full = chart.trade_off(many, ASKED)
    encoding = layers(full)["marks"]["encoding"]
    looks = list(zip(encoding["color"]["scale"]["range"], encoding["shape"]["scale"]["range"], strict=True))
    methods = set(many.loc[~many["baseline"], "method"])
    assert len(set(looks)) == len(looks) == len(methods)
    assert {"pop_penalty", "one_bp+infonce", "lightgcn+one_bp+auc_ns"} <= methods
    (legend,) = compiled(full)["legends"]
    assert legend["symbolLimit"] == 0  # Vega would leave out the thirty-first
    assert "width" in legend["columns"]["signal"]


def test_many_methods_leave_their_marks_as_much_room(many):
    few, full = chart.trade_off(POINTS, ASKED).to_dict(), chart.trade_off(many, ASKED).to_dict()
    assert full["height"] - few["height"] >= 20 * (len(set(many["method_label"])) // 5 - 2)
    assert chart.trade_off(many, ASKED, small=True).to_dict()["height"] == chart.SMALL_HEIGHT


def test_what_is_re_ranked_is_dashed_and_has_a_path(many):
    drawn_layers = layers(chart.trade_off(many, ASKED))
    assert drawn_layers["reranked"]["mark"]["strokeDash"]
    assert "strokeDash" not in drawn_layers["paths"]["mark"]
    dashed, plain = (rows(chart.trade_off(many, ASKED), name) for name in ("reranked", "paths"))
    assert {row["method"] for row in dashed} == {"pop_penalty"}
    assert "pop_penalty" not in {row["method"] for row in plain}
    assert len({row["path"] for row in dashed}) == 3
    firsts = [row for row in dashed if row["order"] == 0]
    assert [row["strength"] for row in firsts] == [0, 0, 0]  # each begins at what it re-ranks


def test_of_many_settings_only_ends_of_paths_and_references_are_labelled(many):
    texts = [row["text"] for row in rows(chart.trade_off(many, ASKED), "labels")]
    assert texts
    assert not [text for text in texts if re.fullmatch(r"(. )?[\d.]+", text)]


def test_a_re_ranked_end_says_what_it_re_ranks():
    penalties = frames.every_method(penalties=("auc_ns",))
    penalties = penalties[penalties["method"].isin(["pop_penalty", "rns"])]
    texts = [row["text"] for row in rows(chart.trade_off(penalties, ASKED), "labels")]
    assert "AUC-NS β 0.025, popularity penalty 0.5" in texts


def test_the_takeaway_follows_what_was_trained(many):
    assert "Along LightGCN + AUC-NS, β 0 to 0.2" in chart.takeaway(
        many[many["method"].str.contains("auc_ns|pop")], ASKED
    )


def test_many_are_drawn(many):
    assert "NaN" not in drawn(chart.trade_off(many, ASKED, chosen={"A": many["variant"].iloc[0]}))
