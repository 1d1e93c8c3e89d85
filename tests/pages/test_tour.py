"""The tour on the Overview: told of the results on the screen, ticked by what was done, put away for good."""

from core.datasets.store import DatasetInfo
from core.decisions import preferences
from tests.pages.test_deciding import decidable, told  # noqa: F401


def steps_done(at) -> int:
    (head,) = [block.value for block in at.subheader if "From here to a decision" in block.value]
    return int(head.split(": ")[1].split(" ")[0])


def test_steps_are_ticked_by_what_was_done(visit, decidable: DatasetInfo) -> None:  # noqa: F811
    at = visit()
    assert steps_done(at) == 0
    assert "is most accurate" in told(at) or "is best on both axes" in told(at)
    assert steps_done(visit(a="rns")) == 1
    assert steps_done(visit(a="rns", b="dns")) == 2
    at = visit("users", a="rns", b="dns")
    assert steps_done(at.switch_page("pages/overview.py").run()) == 3
    at = visit("trade_off", budget="20")
    at.button(key="save_decision").click().run()
    assert steps_done(visit()) == 1


def test_put_away_it_stays_away_for_every_session_until_asked_for(visit, settings, tiny: DatasetInfo) -> None:
    visit().button(key="tour_away").click().run()
    assert preferences.is_dismissed(settings, "tour")
    at = visit()
    assert "From here to a decision" not in " ".join(block.value for block in at.subheader)
    at.button(key="tour_back").click().run()
    assert steps_done(at) == 0


def test_without_points_there_is_no_tour(visit) -> None:
    assert not [button for button in visit().button if button.key in {"tour_away", "tour_back"}]
