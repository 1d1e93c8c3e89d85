"""Charts of the data, of learning, of exposure and of one user: layers, data, words."""

import pandas as pd
import pytest

from core.charts import exposure, learning, palette, popularity, users
from core.charts.text import axis_title, metric_name, number
from core.evaluation.metrics import all_keys
from tests.charts import frames
from tests.charts.specs import drawn, layers, rows


def test_axis_titles_name_the_direction_of_every_metric():
    for key in all_keys():
        assert axis_title(key).rstrip(")").endswith("is better"), key


def test_a_sentence_tells_metrics_apart_and_keeps_proper_names():
    named = [metric_name(key) for key in all_keys()]
    assert len(set(named)) == len(named)
    assert "niche users" in metric_name("lift_niche@10")
    assert metric_name("gini@10").startswith("Gini")
    assert metric_name("novelty@10") == "novelty@10"  # without its unit


def test_numbers_have_three_digits():
    assert [number(x) for x in (0.0004567, 99.96, -0.1234)] == ["0.000457", "100.0", "-0.123"]


# ---------------------------------------------------------------- popularity


def test_long_tail():
    items = frames.items([9, 5, 5, 5, 5, 1, 0], hot=1)
    chart = popularity.long_tail(items)
    assert list(layers(chart)) == ["curve", "items", "cut", "hot_side", "cold_side"]
    curve = rows(chart, "curve")
    assert [(row["rank"], row["count"]) for row in curve] == [
        (1, 9),
        (2, 5),
        (5, 5),
        (6, 1),
    ]  # corners; no zero on a log
    assert [row["group"] for row in curve] == ["hot", "cold", "cold", "cold"]
    assert curve[0]["title"] == "i0"  # the id where there is no title
    for axis in "xy":
        assert layers(chart)["curve"]["encoding"][axis]["scale"]["type"] == "log"
    assert rows(chart, "cut") == [{"rank": 1.5}]
    assert [rows(chart, side)[0]["text"] for side in ("hot_side", "cold_side")] == ["1 hot", "6 cold"]
    assert "NaN" not in drawn(chart)


def test_long_tail_takeaway():
    said = popularity.long_tail_takeaway(frames.items([9, 5, 5, 1, 0], hot=1))
    assert said == "The 1 hot items, 20.0 % of 5, get 45.0 % of the train interactions. 1 items have none in train."


def test_all_hot_has_no_cut():
    assert "cut" not in layers(popularity.long_tail(frames.items([2, 2], hot=2)))


def test_lorenz():
    curve = pd.DataFrame({"item_share": [0, 0.5, 1.0], "interaction_share": [0, 0.1, 1.0]})
    chart = popularity.lorenz(curve, 0.4)
    assert list(layers(chart)) == ["between", "equality", "curve", "gini"]
    assert rows(chart, "gini")[0]["text"] == "Gini 0.400"
    said = popularity.lorenz_takeaway(curve, 0.4)
    assert "less popular half of the items has 10.0 %" in said
    assert "fifth 36.0 %" in said  # 1 - (.1 + .9 * .3 / .5)


def test_decile_shares():
    shares = pd.DataFrame(
        {"decile": range(1, 11), "items": 3, "train_share": [0.02] * 5 + [0.1] * 4 + [0.5],
         "test_share": [0.04] * 5 + [0.1] * 4 + [0.4], "catalogue_share": 0.1}
    )  # fmt: skip
    chart = popularity.decile_shares(shares)
    assert list(layers(chart)) == ["shares", "catalogue"]
    assert len(rows(chart, "shares")) == 20
    said = popularity.decile_shares_takeaway(shares)
    assert "most popular tenth of the items has 50.0 % of the train and 40.0 % of the test" in said
    assert "less popular half has 10.0 % and 20.0 %" in said


@pytest.mark.parametrize("measure", popularity.MEASURES)
def test_profile_histogram(measure):
    bins = pd.DataFrame(
        {"measure": [measure] * 3 + ["other"], "low": [1, 2, 4, 9], "high": [2, 4, 8, 10], "users": [5, 0, 7, 9]}
    )
    chart = popularity.profile_histogram(bins, measure)
    assert [row["users"] for row in rows(chart, "users")] == [
        5,
        7,
    ]  # nothing is drawn for an empty bin, or another measure
    assert layers(chart)["users"]["encoding"]["x"]["title"].startswith(popularity.MEASURES[measure][0])


def test_profile_takeaways():
    profiles = pd.DataFrame({"length": range(1, 12), "mean_popularity": [n / 10 for n in range(11)]})
    assert "Half of the users have 6 items or more" in popularity.profile_takeaway(profiles, "length")
    assert "taken by 50.0 % of all users" in popularity.profile_takeaway(profiles, "mean_popularity")


# ---------------------------------------------------------------- learning


def test_learning_curves():
    chart = learning.curves(frames.history())
    metric, loss = chart.to_dict()["vconcat"]
    assert [panel["name"] for panel in (metric, loss)] == ["learning_metric", "learning_loss"]
    # Altair numbers the layers of a concatenated chart, behind their names
    assert [layer["name"] for layer in metric["layer"]] == ["metric_lines_0", "metric_chosen_0"]
    assert metric["layer"][0]["encoding"]["y"]["title"] == "NDCG@10 on validation"
    assert metric["layer"][1]["transform"] == [{"filter": "datum.chosen"}]
    assert "NaN" not in drawn(chart)


def test_a_run_without_accuracy_shows_its_loss():
    chart = learning.curves(frames.history().assign(metric=float("nan")))
    assert [panel["name"] for panel in chart.to_dict()["vconcat"]] == ["learning_loss"]
    assert learning.takeaway(frames.history().assign(metric=float("nan"))) == "RNS, mean of 2 seeds; chosen epoch 10."


def test_under_protocol_paper_the_curve_is_of_test():
    history = frames.history(protocol="paper", seeds=(0,))
    assert learning.curves(history).to_dict()["vconcat"][0]["layer"][0]["encoding"]["y"]["title"] == "NDCG@10 on test"
    assert learning.takeaway(history) == "RNS reaches NDCG@10 on test 0.300, one seed; chosen epoch 10."


def test_two_settings_are_told_apart():
    both = pd.concat([frames.history(), frames.history("DNS", "dns", chosen=15)])
    lines = learning.curves(both).to_dict()["vconcat"][0]["layer"][0]
    assert lines["encoding"]["strokeDash"]["legend"] is not None
    said = learning.takeaway(both)
    assert "RNS reaches NDCG@10 on validation 0.305, mean of 2 seeds; chosen epoch 10. DNS" in said  # (.3 + .31) / 2
    assert said.endswith("chosen epoch 15.")


# ---------------------------------------------------------------- exposure and users


def test_exposure():
    shares = pd.concat([frames.exposure("RNS", 0.8), frames.exposure("AUC-NS β 0.1", 0.6)])
    chart = exposure.exposure(shares)
    assert list(layers(chart)) == ["slots", "train", "test"]
    colour = layers(chart)["slots"]["encoding"]["color"]["scale"]
    assert colour == {"domain": ["RNS", "AUC-NS β 0.1"], "range": [palette.A, palette.B]}
    assert len(rows(chart, "train")) == 10
    said = exposure.takeaway(shares)
    assert "RNS gives the most popular tenth 80.0 % and the less popular half 20.0 % of its slots" in said
    assert "users gave the most popular tenth 90.0 % and the less popular half 10.0 % of their train" in said
    assert "and the most popular tenth 10.0 % and the less popular half 50.0 % of those held out in test" in said
    assert "held out in validation" in exposure.takeaway(shares, "validation")
    assert "NaN" not in drawn(chart)


def profile(*popularity_of_items):
    ids = [f"i{n}" for n in range(len(popularity_of_items))]
    return pd.DataFrame({"item_id": ids, "title": [None] * len(ids), "popularity": popularity_of_items})


def test_one_users_taste():
    chart = users.popularity(profile(0.1, 0.3), {"RNS": profile(0.5), "DNS": profile(0.0, 0.2)})
    assert list(layers(chart)) == ["items", "means"]
    means = {row["row"]: row["popularity"] for row in rows(chart, "means")}
    assert means == pytest.approx({"Took before": 0.2, "RNS": 0.5, "DNS": 0.1})
    assert rows(chart, "items")[0]["name"] == "i0"
    assert layers(chart)["items"]["encoding"]["x"]["scale"]["type"] == "sqrt"  # a logarithm has no place for 0
    said = users.takeaway(profile(0.1, 0.3), {"RNS": profile(0.5), "DNS": profile(0.0, 0.2)})
    assert said == (
        "The mean item of this user's profile was taken by 20.0 % of all users, RNS's by 50.0 %, DNS's by 10.0 %."
    )


def test_a_user_without_lists():
    empty = profile()
    assert users.takeaway(empty, {"RNS": empty}) == "Nothing to compare for this user."
    assert "0.5" not in users.takeaway(profile(0.5), {"RNS": empty}).replace("50.0", "")
    assert "NaN" not in drawn(users.popularity(profile(0.5), {"RNS": empty}))
