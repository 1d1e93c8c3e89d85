"""Who pays: what the charts draw, and what is said of groups that lose, gain, or cannot be told apart."""

import numpy as np
import pandas as pd
import pytest

from core.charts import palette, who_pays
from core.evaluation.groups import USER_GROUPS
from tests.charts.specs import drawn, layers, rows

BASE = (0.3, 0.4, 0.5)
PINS = {"A": "auc", "B": "dns"}


def setting(variant, label, changes, verdicts, half=0.04, baseline=False):
    """A row a group of `core.warehouse.who_pays.by_user_group`."""
    changes = np.array(changes, float)
    few = np.array([verdict == "not enough seeds" for verdict in verdicts])
    return pd.DataFrame(
        {
            "variant": variant, "label": label, "method": variant, "seeds": 3, "baseline": baseline,
            "user_group": USER_GROUPS, "users": [189, 565, 1_189],
            "value": np.array(BASE) * (1 + np.nan_to_num(changes)),
            "relative": changes, "low": changes - half, "high": changes + half,
            "over": np.where(few, "users", "users and seeds"), "p": 0.01, "p_holm": 0.03, "verdict": verdicts,
            "lift": [1.2, 0.4, -0.05], "lift_low": [1.1, 0.3, -0.1], "lift_high": [1.3, 0.5, 0.0],
        }
    )  # fmt: skip


RNS = setting("rns", "RNS", [np.nan] * 3, [None] * 3, baseline=True)
SAME = "not distinguishable"


def against(*settings):
    return pd.concat([RNS, *settings], ignore_index=True)


LOSS = against(setting("auc", "AUC-NS β 0.1", [-0.12, -0.02, 0.03], ["worse", SAME, "better"], 0.04))


def test_the_worst_off_group_is_named_with_its_interval():
    assert who_pays.accuracy_takeaway(LOSS, "ndcg@10") == (
        "AUC-NS β 0.1 against RNS: worst off are niche users, who lose 12.0 % of NDCG@10 (8.00 to 16.0 %); blockbuster "
        "users gain 3.00 % (1.00 to 7.00 %). Not distinguishable after Holm's correction (the "
        "intervals are of each group by itself): diverse users (-2.00 %, -6.00 to +2.00 %)."
    )


def test_the_largest_loss_that_chance_does_not_explain_is_the_worst():
    frame = against(setting("auc", "AUC-NS", [-0.2, -0.1, -0.15], [SAME, "worse", "worse"]))
    said = who_pays.accuracy_takeaway(frame, "recall@20")
    assert "worst off are blockbuster users, who lose 15.0 % of recall@20" in said.replace("Recall", "recall")
    assert "; diverse users lose 10.0 %" in said
    assert said.endswith(
        "Not distinguishable after Holm's correction (the intervals are of each group by itself): niche users "
        "(-20.0 %, -24.0 to -16.0 %)."
    )


def test_nothing_distinguishable_is_an_answer():
    frame = against(setting("auc", "AUC-NS", [-0.02, 0.0, 0.01], [SAME] * 3))
    said = who_pays.accuracy_takeaway(frame, "ndcg@10")
    assert said.startswith(
        "AUC-NS against RNS: no change of NDCG@10 is distinguishable after Holm's correction (the intervals are of "
        "each group by itself): niche users (-2.00 %, "
    )
    assert "worst" not in said


def test_where_all_gain_nobody_is_worst_off():
    said = who_pays.accuracy_takeaway(against(setting("auc", "AUC-NS", [0.1, 0.2, 0.3], ["better"] * 3)), "ndcg@10")
    assert said == (
        "AUC-NS against RNS: niche users gain 10.0 % of NDCG@10 (6.00 to 14.0 %); diverse users gain 20.0 % (16.0 to "
        "24.0 %); blockbuster users gain 30.0 % (26.0 to 34.0 %)."
    )


def test_too_few_seeds_are_told():
    frame = against(setting("auc", "AUC-NS", [-0.1, -0.02, 0.03], ["not enough seeds"] * 3))
    said = who_pays.accuracy_takeaway(frame, "ndcg@10")
    assert "worst off are niche users, who lose 10.0 % of NDCG@10 (-14.0 to -6.00 % over users alone)" in said
    assert said.endswith("Too few seeds for a verdict: it needs 3 of each setting.")


def test_with_too_few_seeds_a_change_that_users_alone_may_explain_is_open():
    frame = against(setting("auc", "AUC-NS", [-0.02, -0.01, 0.03], ["not enough seeds"] * 3))
    said = who_pays.accuracy_takeaway(frame, "ndcg@10")
    assert said.startswith("AUC-NS against RNS: whether NDCG@10 changes is open, even over users alone: niche users (")
    assert "lose" not in said
    assert "worst" not in said


def test_groups_without_a_share_are_left_out():
    frame = against(setting("auc", "AUC-NS", [np.nan, -0.1, np.nan], [None, "worse", None]))
    assert who_pays.accuracy_takeaway(frame, "ndcg@10") == (
        "AUC-NS against RNS: worst off are diverse users, who lose 10.0 % of NDCG@10 (6.00 to 14.0 %)."
    )
    assert len(rows(who_pays.accuracy(frame, "ndcg@10", PINS), "told_apart")) == 1
    nothing = against(setting("auc", "AUC-NS", [np.nan] * 3, [None] * 3))
    assert "no group of users has any NDCG@10 under RNS" in who_pays.accuracy_takeaway(nothing, "ndcg@10")
    assert who_pays.accuracy_takeaway(RNS, "ndcg@10") == "Nothing to compare."
    assert "NaN" not in drawn(who_pays.accuracy(nothing, "ndcg@10", PINS))


def test_accuracy_by_group():
    frame = against(
        setting("auc", "AUC-NS", [-0.12, -0.02, 0.03], ["worse", SAME, "better"]),
        setting("dns", "DNS", [-0.01, 0.0, 0.1], [SAME, SAME, "better"]),
    )
    chart = who_pays.accuracy(frame, "ndcg@10", PINS)
    assert list(layers(chart)) == ["zero", "intervals", "told_apart", "not_told_apart"]
    assert len(rows(chart, "intervals")) == 6  # the baseline is the line at 0
    encoding = layers(chart)["told_apart"]["encoding"]
    assert encoding["x"]["title"] == "NDCG@10 against RNS (right is better)"
    assert encoding["color"]["scale"] == {"domain": ["AUC-NS", "DNS"], "range": [palette.A, palette.B]}
    assert encoding["y"]["sort"] == ["niche (189 users)", "diverse (565 users)", "blockbuster (1,189 users)"]
    told = [layers(chart)[name]["transform"] for name in ("told_apart", "not_told_apart")]
    assert told == [[{"filter": "datum.sure === true"}], [{"filter": "datum.sure === false"}]]
    assert sum(row["sure"] for row in rows(chart, "told_apart")) == 3
    assert "NaN" not in drawn(chart)


def test_a_pin_keeps_its_accent_when_it_is_alone():
    frame = against(setting("dns", "DNS", [0.1] * 3, ["better"] * 3))
    chart = who_pays.lift(frame, {"B": "dns"})
    colour = layers(chart)["lifts"]["encoding"]["color"]["scale"]
    assert colour == {"domain": ["RNS", "DNS"], "range": [palette.NEUTRAL, palette.B]}


def test_lift_by_group():
    chart = who_pays.lift(LOSS, PINS)
    assert list(layers(chart)) == ["zero", "intervals", "lifts"]
    assert len(rows(chart, "lifts")) == 6
    assert who_pays.lift_takeaway(LOSS) == (
        "Popularity of the items shown, against those taken before. RNS: niche users +120 %, diverse users +40.0 % and "
        "blockbuster users -5.00 %; AUC-NS β 0.1: niche users +120 %, diverse users +40.0 % and blockbuster users "
        "-5.00 %."
    )
    assert who_pays.lift_takeaway(LOSS.assign(lift=np.nan)).startswith("No group has lists")
    assert "NaN" not in drawn(chart)


def deciles(variant, label, hits, baseline=False):
    held_out = np.array([0, 2, 4, 6, 8, 10, 20, 30, 40, 100])
    return pd.DataFrame(
        {
            "variant": variant, "label": label, "method": variant, "seeds": 3, "baseline": baseline,
            "decile": range(1, 11), "items": 168, "held_out": held_out, "hits": hits,
            "recall": np.where(held_out > 0, hits / np.maximum(held_out, 1), np.nan), "share": 0.1,
            "train_share": 0.1, "test_share": 0.1,
        }
    )  # fmt: skip


def test_recall_by_decile():
    frame = pd.concat(
        [deciles("rns", "RNS", np.array([0, 0, 1, 0, 0, 1, 2, 3, 4, 50]), True),
         deciles("auc", "AUC-NS", np.array([0, 1, 2, 1, 1, 1, 2, 3, 4, 40]))]
    )  # fmt: skip
    chart = who_pays.recall(frame, 10, PINS)
    assert list(layers(chart)) == ["found"]
    assert len(rows(chart, "found")) == 18  # nothing is held out of the first decile
    encoding = layers(chart)["found"]["encoding"]
    assert encoding["y"]["title"] == "Found in the lists of 10 (square-root scale)"
    assert encoding["x"]["scale"]["domain"] == [*range(1, 11)]
    assert who_pays.recall_takeaway(frame) == (
        "Of what users took, RNS finds 5.00 % from the less popular half of the items and 50.0 % from the top tenth; "
        "AUC-NS finds 25.0 % from the less popular half of the items and 40.0 % from the top tenth."
    )
    assert "NaN" not in drawn(chart)


def test_a_half_of_which_nothing_is_held_out():
    frame = deciles("rns", "RNS", np.zeros(10), True)
    frame.loc[frame["decile"] <= 5, "held_out"] = 0
    assert "RNS finds nothing, as nothing is held out, from the less popular half" in who_pays.recall_takeaway(frame)


@pytest.mark.parametrize("metric", ["ndcg@10", "auc"])
def test_every_accuracy_metric_has_words(metric):
    assert who_pays.accuracy_takeaway(LOSS, metric).count("lose 12.0 % of") == 1
