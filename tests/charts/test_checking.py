"""Charts that are not checked at every click are the same charts, and those that are wrong are still found here."""

import altair as alt
import pandas as pd
import pytest
from altair.utils.schemapi import SchemaValidationError

from core.charts import checking

ROWS = pd.DataFrame({"x": [1, 2], "y": [3, 4]})


def layered() -> alt.LayerChart:
    points = alt.Chart(ROWS).mark_point().encode(x="x:Q", y="y:Q").add_params(alt.selection_point(name="pick"))
    return alt.layer(points, alt.Chart(ROWS).mark_line().encode(x="x:Q", y="y:Q"), height=100, name="both")


@pytest.fixture
def unchecked():
    checking.check(False)
    yield
    checking.check(True)


def test_what_is_not_checked_is_written_the_same(unchecked):
    chart = layered()
    assert checking.ready(chart).to_dict() == chart.to_dict()
    assert checking.ready(chart).copy().to_dict() == chart.to_dict()


def test_nothing_is_checked_where_nothing_need_be(unchecked):
    wrong = alt.Chart(ROWS).mark_point(color=3)
    assert checking.ready(wrong).to_dict()["mark"]["color"] == 3
    checking.check(True)
    assert checking.is_on()
    with pytest.raises(SchemaValidationError):
        checking.ready(wrong).to_dict()
    with pytest.raises(SchemaValidationError):
        alt.Chart(ROWS).mark_point(color=3)


def test_a_shallow_copy_changes_nothing_of_what_it_is_of():
    chart = layered()
    before = chart.to_dict()
    copy = checking.shallow(chart)
    copy.height = 200
    assert (copy.to_dict()["height"], chart.to_dict()) == (200, before)
