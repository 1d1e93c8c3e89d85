"""What is put away stays away, beside the decisions."""

from core.decisions import preferences
from core.settings import Settings


def test_what_is_put_away_stays_away_until_it_is_brought_back(settings: Settings) -> None:
    assert not preferences.is_dismissed(settings, "tour")
    preferences.dismiss(settings, "tour")
    preferences.dismiss(settings, "tour")
    assert preferences.is_dismissed(settings, "tour") and not preferences.is_dismissed(settings, "other")
    preferences.bring_back(settings, "tour")
    assert not preferences.is_dismissed(settings, "tour")
