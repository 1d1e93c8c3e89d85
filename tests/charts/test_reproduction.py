"""The chart of published figures beside ours: which marks there are, and what it says."""

import pandas as pd

from core.charts import reproduction
from tests.charts.specs import drawn, layers, rows

NAN = float("nan")


def row(method, published, authors, tuned, sic=False, states=("reached", "reached"), seeds=(3, 3), sd=0.002):
    """A row of `comparison.side_by_side`."""
    own = {"authors": (authors, states[0], seeds[0]), "tuned": (tuned, states[1], seeds[1])}
    cells = {"part": "mf", "encoder": "mf", "method": method, "published": published, "sic": sic}
    for name, (mean, state, count) in own.items():
        spread = {f"{name}_sd": sd if count > 1 else NAN, f"{name}_difference": mean - published}
        cells |= {name: mean, f"{name}_state": state, f"{name}_seeds": count, **spread}
    return cells


TABLE = pd.DataFrame(
    [
        row("RNS", 0.37, 0.38, 0.41),
        row("IPS-CN", 0.15, 0.36, 0.37, sic=True, states=("sic", "sic")),
        row("AUC-NS", 0.43, 0.40, 0.44, states=("below", "reached")),
        row("PNS", 0.40, NAN, 0.42, states=("missing", "reached"), seeds=(0, 1)),
    ]
)


def test_every_method_has_its_three_marks_but_what_is_missing_or_misprinted():
    chart = reproduction.beside(TABLE, "ndcg@10")
    assert list(layers(chart)) == ["spread", "figures"]
    marks = [(mark["method"], mark["whose"]) for mark in rows(chart, "figures")]
    ours = ("the authors' settings", "our tuned settings")
    assert marks == [
        ("RNS", "published"), *(("RNS", who) for who in ours),
        *(("IPS-CN", who) for who in ours),
        ("AUC-NS", "published"), *(("AUC-NS", who) for who in ours),
        ("PNS", "published"), ("PNS", ours[1]),
    ]  # fmt: skip
    assert layers(chart)["figures"]["encoding"]["y"]["sort"] == ["RNS", "IPS-CN", "AUC-NS", "PNS"]
    [first] = [mark for mark in rows(chart, "spread") if (mark["method"], mark["whose"]) == ("RNS", ours[0])]
    assert (first["low"], first["high"]) == (0.38 - 0.002, 0.38 + 0.002)
    assert "NaN" not in drawn(chart)


def test_the_takeaway_counts_what_can_be_judged():
    assert reproduction.takeaway(TABLE, "ndcg@10") == (
        "Within 0.015 of the published NDCG@10, or above: 1 of 2 rows at the authors' settings and 3 of 3 rows at our "
        "tuned settings."
    )


def test_popularity_bias_is_near_or_not_and_nothing_is_above():
    table = pd.DataFrame([row("RNS", 0.69, 0.7, 0.6, states=("near", "apart")), row("DNS", 0.67, NAN, 0.67,
                          states=("missing", "near"), seeds=(0, 3))])  # fmt: skip
    said = reproduction.takeaway(table, "ohr@10")
    assert "or above" not in said
    assert "1 of 1 rows at the authors' settings and 1 of 2 rows at our tuned settings" in said


def test_without_runs_the_published_figures_stand_alone():
    table = pd.DataFrame([row("RNS", 0.37, NAN, NAN, states=("missing", "missing"), seeds=(0, 0))])
    assert [mark["whose"] for mark in rows(reproduction.beside(table, "ndcg@10"), "figures")] == ["published"]
    assert "no row yet at the authors' settings and no row yet at our tuned settings" in reproduction.takeaway(
        table, "ndcg@10"
    )
    assert set(reproduction.STATE_COLOURS) == {"reached", "near", "below", "apart"}
