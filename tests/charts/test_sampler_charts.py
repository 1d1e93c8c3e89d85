"""The charts that explain AUC-NS: layers, data, words."""

import pandas as pd
import pytest

from core.charts import palette, sampler
from core.evaluation.turning import Turn
from core.models.choices import SAMPLERS
from tests.charts.specs import compiled, drawn, layers, rows


def priors(beta=0.1):
    betas, counts = sorted({0.01, 0.1, 1.0, beta}), (0, 1, 4, 16)
    return pd.DataFrame(
        [
            {"beta": b, "popularity": count / 20, "prior": (count / 21) ** b if count or b == 0 else 0.0}
            for b in betas
            for count in counts
        ]
    )


def posteriors(w=((0.9, 0.7, 0.5), (0.8, 0.5, 0.3), (0.6, 0.3, 0.1))):
    levels = zip(("hot", "middle", "cold"), (0.4, 0.1, 0.01), w, strict=True)
    return pd.DataFrame(
        [
            {"level": level, "popularity": share, "prior": 0.5, "F": F, "posterior": posterior}
            for level, share, of_level in levels
            for F, posterior in zip((0.0, 0.5, 1.0), of_level, strict=True)
        ]
    )


def candidates(taken=2):
    """Four candidates ascending by gain; the first and the third are drawn, the third twice, the last is the best."""
    return pd.DataFrame(
        {
            "title": ["Never", "Other", "Third", "Best"], "popularity": [0.0, 0.1, 0.2, 0.4],
            "hot": [False, False, True, True], "score": [2.0, 0.5, 1.0, 3.0], "F": [0.6, 0.2, 0.4, 0.8],
            "prior": [0.0, 0.3, 0.5, 0.7], "posterior": [0.0, 0.4, 0.5, 0.6], "gain": [-4.0, 1.0, 2.0, 5.0],
            "times": [1, 0, 2, 0], "taken": [n == taken for n in range(4)], "best": [False, False, False, True],
        }
    )  # fmt: skip


def profiles():
    ends = {"rns": 0.1, "pns": 0.3, "dns": 0.2, "bns": 0.2, "auc_ns": 0.25, "fair_static": 0.28}
    shares = [
        {
            "sampler": name, "label": f"{SAMPLERS[name].label} x", "decile": decile,
            "share": ends[name] if decile == 10 else (1 - ends[name]) / 9,
        }
        for name in SAMPLERS
        for decile in range(1, 11)
    ]  # fmt: skip
    facts = {"decile": range(1, 11), "catalogue": 0.1, "train": [0.05] * 9 + [0.55]}
    return pd.DataFrame(shares), pd.DataFrame(facts)


POINTS = pd.DataFrame(
    {
        "beta": [0, 0.001, 0.025, 0.2, 0.5, 1, 10], "popularity": [0.08, 0.085, 0.09, 0.12, 0.1, 0.08, 0.08],
        "hot": [0.3] * 7, "agreement": [1, 0.93, 0.8, 0.5, 0.7, 0.995, 1],
    }
)  # fmt: skip
TURN = Turn(
    at=0.2, effect=0.12, start=0.08, most_at=0.19, back_at=1.0, least=0.08, least_at=1.0, again=None, again_at=None,
    agreement=0.5, agreement_at=0.2,
)  # fmt: skip


def with_(turn=TURN, **changes):
    return Turn(**{**{name: getattr(turn, name) for name in Turn.__slots__}, **changes})


# ---------------------------------------------------------------- prior


def test_prior():
    chart = sampler.prior(priors(), 0.1)
    assert list(layers(chart)) == ["others", "chosen", "labels", "chosen_label"]
    assert layers(chart)["chosen"]["transform"] == [{"filter": "datum.chosen"}]
    assert layers(chart)["chosen"]["mark"]["strokeWidth"] > layers(chart)["others"]["mark"]["strokeWidth"]
    assert layers(chart)["chosen"]["mark"]["color"] == palette.style("auc_ns").colour
    assert all(row["popularity"] > 0 for row in rows(chart, "chosen"))  # no zero on a logarithm
    assert {row["beta"] for row in rows(chart, "chosen") if row["chosen"]} == {0.1}
    assert [row["text"] for row in rows(chart, "chosen_label")] == ["β 0.1"]
    assert [row["text"] for row in rows(chart, "labels")] == ["β 0.01", "β 1"]
    assert "NaN" not in drawn(chart)


def test_labels_of_lines_that_begin_together_make_way_for_the_chosen_one():
    near = sampler.prior(priors(beta=0.101), 0.101)  # 21^-.1 and 21^-.101: .737 and .735
    assert [row["text"] for row in rows(near, "chosen_label")] == ["β 0.101"]
    assert [row["text"] for row in rows(near, "labels")] == ["β 0.01", "β 1"]


def test_prior_takeaway():
    said = sampler.prior_takeaway(priors(), 0.1)
    assert f"most popular item is a true negative with prior {(16 / 21) ** 0.1:.3f}" in said
    assert f"anybody took with {(1 / 21) ** 0.1:.3f}" in said
    assert "nobody took has prior 0" in said
    assert "nobody took" not in sampler.prior_takeaway(priors()[lambda frame: frame["popularity"] > 0], 0.1)
    assert "AUC-NS is DNS" in sampler.prior_takeaway(priors(beta=0), 0)


# ---------------------------------------------------------------- posterior


def test_posterior():
    chart = sampler.posterior(posteriors(), candidates())
    assert list(layers(chart)) == ["levels", "drawn", "taken"]
    scale = layers(chart)["levels"]["encoding"]["color"]["scale"]
    assert scale["domain"] == ["hot (40.0 % of users)", "middle (10.0 % of users)", "cold (1.00 % of users)"]
    assert scale["range"] == [palette.HOT, palette.NEUTRAL, palette.COLD]
    assert [row["title"] for row in rows(chart, "drawn")] == ["Never"]
    assert [row["title"] for row in rows(chart, "taken")] == ["Third"]
    assert "NaN" not in drawn(chart)


def test_posterior_without_a_user_has_its_lines():
    assert list(layers(sampler.posterior(posteriors()))) == ["levels"]


def test_posterior_takeaway():
    said = sampler.posterior_takeaway(posteriors())
    assert said == (
        "From the lowest to the highest score w falls from 0.900 to 0.500 for the hot item and from 0.600 to 0.100 for "
        "the cold item."
    )
    assert "at β 0" in sampler.posterior_takeaway(posteriors(((1, 1, 1),) * 3))


# ---------------------------------------------------------------- gain


def test_gains():
    chart = sampler.gains(candidates())
    assert list(layers(chart)) == ["candidates", "drawn", "best", "taken"]
    assert [row["title"] for row in rows(chart, "drawn")] == ["Never", "Third"]
    assert [row["title"] for row in rows(chart, "taken")] == ["Third"]
    assert [row["title"] for row in rows(chart, "best")] == ["Best"]
    encoding = layers(chart)["candidates"]["encoding"]
    assert (encoding["x"]["field"], encoding["y"]["field"], encoding["color"]["field"]) == (
        "popularity",
        "score",
        "gain",
    )
    assert encoding["x"]["scale"]["type"] == "sqrt"  # a logarithm has no place for 0
    domain = encoding["color"]["scale"]["domain"]
    assert domain == sorted(domain)
    assert domain[-1] == 5.0
    assert encoding["color"]["scale"]["clamp"] is True
    assert "bold: Third, taken; diamond: Best" in chart.to_dict()["title"]["text"]
    assert "NaN" not in drawn(chart)


def test_gains_that_are_all_alike_are_drawn():
    assert "NaN" not in drawn(sampler.gains(candidates().assign(gain=0.0)))


def test_gains_takeaway_names_what_dns_would_take():
    said = sampler.gains_takeaway(candidates(), of=4000)
    assert said == (
        "Of 3 candidates AUC-NS takes Third (taken by 20.0 % of users), with gain 2.00; DNS would take Never (taken by "
        "0 % of users). Of all 4,000 candidates Best (taken by 40.0 % of users) has the largest gain, 5.00."
    )
    assert "DNS takes the same" in sampler.gains_takeaway(candidates(taken=0), of=4)


# ---------------------------------------------------------------- profiles


def test_profiles():
    chart = sampler.profiles(*profiles())
    assert list(layers(chart)) == ["train", "catalogue", "lines", "samplers"]
    assert len(rows(chart, "samplers")) == 60
    scale = layers(chart)["samplers"]["encoding"]["color"]["scale"]
    assert scale["domain"] == [f"{choice.label} x" for choice in SAMPLERS.values()]
    assert scale["range"] == [palette.style(name).colour for name in SAMPLERS]
    assert layers(chart)["samplers"]["encoding"]["shape"]["scale"]["range"] == [
        palette.style(n).shape for n in SAMPLERS
    ]
    assert [row["share"] for row in rows(chart, "train")] == [0.05] * 9 + [0.55]
    assert {row["share"] for row in rows(chart, "catalogue")} == {0.1}
    assert "NaN" not in drawn(chart)


def test_profiles_takeaway():
    said = sampler.profiles_takeaway(*profiles())
    assert "has 55.0 % of the train interactions" in said
    assert "it gives 30.0 % of PNS's, 28.0 % of FairStatic's, 25.0 % of AUC-NS's" in said
    half = 100 * 5 * 0.75 / 9
    assert f"less popular half gives {half:.1f} % of AUC-NS's, {100 * 5 * 0.8 / 9:.1f} % of DNS's" in said


# ---------------------------------------------------------------- the turning point


@pytest.mark.parametrize(
    ("draw", "field"), [(sampler.path_popularity, "popularity"), (sampler.path_agreement, "agreement")]
)
def test_path(draw, field):
    chart = draw(POINTS, TURN, 0.025)
    assert list(layers(chart)) == [
        "dns_again", "turn", "turn_word", "dns_again_word", "dns", "line", "points", "chosen",
    ]  # fmt: skip
    assert [row["beta"] for row in rows(chart, "points")] == [
        0.001,
        0.025,
        0.2,
        0.5,
        1,
        10,
    ]  # 0 is no point of a logarithm
    assert layers(chart)["points"]["encoding"]["y"]["field"] == field
    assert [row[field] for row in rows(chart, "dns")] == [POINTS[field][0]]
    assert [row["beta"] for row in rows(chart, "turn")] == [0.2]
    assert rows(chart, "turn_word")[0]["text"] == "turns at β 0.2"
    assert [row["beta"] for row in rows(chart, "chosen")] == [0.025]
    [param] = [p for p in chart.to_dict()["params"] if p["name"] == sampler.PICK]
    assert param["select"]["fields"] == ["beta"]
    compiled(chart)
    assert "NaN" not in drawn(chart)


def test_a_path_without_a_turning_point_is_drawn_all_the_same():
    chart = sampler.path_agreement(POINTS, None, 0)
    assert list(layers(chart)) == ["dns", "line", "points", "chosen"]
    assert "nothing to move" in sampler.path_takeaway(POINTS, None, 0)
    assert "dns_again" not in layers(sampler.path_agreement(POINTS, with_(back_at=None), 0))


def test_path_takeaway_tells_where_more_does_more_less_and_nothing():
    said = sampler.path_takeaway(POINTS, TURN, 0.025)
    assert said == (
        "More β draws more popular negatives up to β 0.2, where 12.0 % of users took the mean one; at β 0, which is "
        "DNS, 8.00 % did. 95 % of that rise is there at β 0.190. Beyond the turning point more strength does less; "
        "from β 1 on at least 99 % of the choices are those of DNS again. At the chosen β 0.025 it is 9.00 %, and "
        "80.0 % agree with DNS."
    )


def test_path_takeaway_of_a_beta_beyond_the_turning_point():
    # .1 is halfway from .09 (β .025) to .12 (β .2), a third of the way: .025 + .175 / 3
    assert "beyond the turning point, where β 0.0833 draws negatives as popular." in sampler.path_takeaway(
        POINTS, TURN, 0.5
    )
    assert sampler.path_takeaway(POINTS, TURN, 10).endswith("100 % agree with DNS: nothing is left of the strength.")
    below = POINTS.assign(popularity=[0.08, 0.085, 0.09, 0.12, 0.04, 0.08, 0.08])
    overshot = with_(least=0.04, least_at=0.5)
    said = sampler.path_takeaway(below, overshot, 0.5)
    assert "and then the opposite: at β 0.5 the negatives are less popular than those of DNS, 4.00 %; from" in said
    assert said.endswith("beyond the turning point, and less popular than what DNS draws.")


def test_path_takeaway_of_a_path_with_two_tops():
    said = sampler.path_takeaway(POINTS, with_(least=0.04, least_at=0.5, again=0.09, again_at=0.7), 0.025)
    assert "less popular than those of DNS, 4.00 %, until a second rise that ends at β 0.7, 9.00 %; from" in said
    assert "second rise" not in sampler.path_takeaway(POINTS, with_(least=0.04, again=0.08, again_at=1.0), 0.025)
    first = with_(at=0.001, effect=0.085, most_at=0.0009, again=0.12, again_at=0.2)
    assert sampler.path_takeaway(POINTS, first, 0.2).endswith("where the path rises once more.")


def test_path_takeaway_of_a_path_that_never_comes_back():
    said = sampler.path_takeaway(POINTS, with_(back_at=None), 0.025)
    assert "more strength does less. At the chosen" in said


def test_what_is_known_on_simulated_data_is_told() -> None:
    samplers, labels = ["rns", "pns", "dns", "auc_ns"], ["RNS", "PNS 0.75", "DNS", "AUC-NS β 0.05"]
    rows = pd.DataFrame({"sampler": samplers, "label": labels, "share": [0.5, 0.2, 0.4, 0.3], "pairs": 100})
    said = sampler.false_negatives_takeaway(rows)
    assert "AUC-NS's negatives 30.0 % are false" in said
    assert "PNS 0.75 draws the fewest (20.0 %), RNS the most (50.0 %)" in said
    sampler.false_negatives(rows).to_dict()
    check = pd.DataFrame({"posterior": [0.1, 0.5, 0.9], "truth": [0.3, 0.4, 0.8], "candidates": [10, 10, 10]})
    assert "off by 0.133 on average" in sampler.posterior_check_takeaway(check)
    assert "stand in the order" in sampler.posterior_check_takeaway(check)
    assert "against the order" in sampler.posterior_check_takeaway(check.assign(truth=[0.8, 0.4, 0.3]))
    assert "in no clear relation to" in sampler.posterior_check_takeaway(check.assign(posterior=1.0))
    sampler.posterior_check(check).to_dict()
