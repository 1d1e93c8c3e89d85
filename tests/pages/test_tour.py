"""The tour on the Overview: told of the results on the screen, ticked by what was done, put away for good."""

from dataclasses import replace

import pandas as pd

from core.datasets.store import DatasetInfo
from core.decisions import preferences
from pages.shared import tour, view
from tests.pages.test_deciding import decidable, told  # noqa: F401


def steps_done(at) -> int:
    (head,) = [block.value for block in at.header if "From here to a decision" in block.value]
    return int(head.split(": ")[1].split(" ")[0])


def test_steps_are_ticked_by_what_was_done(visit, decidable: DatasetInfo) -> None:  # noqa: F811
    at = visit()
    assert steps_done(at) == 0
    assert "has the best" in told(at) or "is best on both axes" in told(at)
    assert steps_done(visit(a="rns")) == 1
    assert steps_done(visit(a="rns", b="dns")) == 2
    at = visit("users", a="rns", b="dns")
    assert steps_done(at.switch_page("pages/overview.py").run()) == 3
    at = visit("trade_off", budget="20")
    at.button(key="save_decision").click().run()
    assert steps_done(visit()) == 1


def test_what_the_curve_costs_is_told_against_the_best_and_against_the_baseline() -> None:
    """By hand: 0.3 is 40 % less than 0.5, and 25 % less than the baseline's 0.4."""
    rows = [("v1", "Best", 0.5, 0.1), ("v2", "Far", 0.3, 0.2), ("v3", "Base", 0.4, 0.1)]
    points = pd.DataFrame(rows, columns=["variant", "label", "y", "x"]).assign(also_on=False, baseline=False)

    def said(baseline: str | None) -> str:
        here = replace(view.View("d", pd.Series(), "ndcg@10", "aplt@10", "validation", "validation", points, None, None,
                                 None), baseline=baseline)  # fmt: skip
        return tour._curve(here, points, points)

    assert said("v3").endswith("at 40.0 % less NDCG@10 than that best, and 25.0 % less than the baseline Base.")
    for without in (None, "v1"):  # no baseline; it is the best itself
        assert said(without).endswith("at 40.0 % less NDCG@10 than that best.")


def test_the_next_step_is_the_first_that_was_not_done(visit, settings, tiny: DatasetInfo) -> None:
    def following(at) -> str:
        links = [(link.proto.label, link.proto.page) for link in at.get("page_link")]
        ((label, page),) = [one for one in links if one[0].startswith("Next: ")]
        return f"{label} on {page}"

    preferences.dismiss(settings, "tour")  # it is the next step without the tour, too
    at = visit()
    assert following(at) == "Next: pin two settings on trade_off"
    at = visit("users", a="rns", b="dns")
    at = at.switch_page("pages/overview.py").run()
    assert following(at) == "Next: compare them on compare"
    at = at.switch_page("pages/compare.py").run().switch_page("pages/overview.py").run()
    assert following(at) == "Next: decide on trade_off"


def test_put_away_it_stays_away_for_every_session_until_asked_for(visit, settings, tiny: DatasetInfo) -> None:
    visit().button(key="tour_away").click().run()
    assert preferences.is_dismissed(settings, "tour")
    at = visit()
    assert "From here to a decision" not in " ".join(block.value for block in at.header)
    at.button(key="tour_back").click().run()
    assert steps_done(at) == 0


def test_without_points_there_is_no_tour(visit) -> None:
    assert not [button for button in visit().button if button.key in {"tour_away", "tour_back"}]
