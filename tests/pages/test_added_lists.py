"""Lists made elsewhere: added on Data, with what was repaired, and told apart on Trade-off, Users and Sweep."""

import json

import pytest

from core.datasets.store import DatasetInfo
from core.jobs.added_lists import add_lists, added_lists
from core.settings import Settings
from tests.pages import results
from tests.pages.results import SHOP as FILE
from tests.pages.test_every_page import text
from tests.tiny import tiny_dataset


def said(at) -> str:
    return text(at).replace("\\", "")


def specs(at) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in at.get("vega_lite_chart")]


def listed(at, side: str):
    """The list of A or B on the Users page."""
    return [found.value for found in at.dataframe if "Marks" in found.value]["AB".index(side)]


def test_without_a_data_set_the_tab_says_what_is_missing(visit) -> None:
    assert "Lists are of a data set." in said(visit("data", tab="Lists"))


def test_an_upload_is_previewed_named_and_added(visit, settings: Settings) -> None:
    info = tiny_dataset(settings)
    at = visit("data", tab="Lists")
    assert "rank from 1" in said(at)
    at.file_uploader[0].upload("our shop.csv", FILE).run()
    assert not at.exception
    assert not at.error
    assert at.success[0].value == "Would measure test at 5 and 10 (59 of 60 users)."
    assert "Left out: 1 row of users that the data set lacks." in said(at)
    assert added_lists(settings) == []
    assert at.text_input(key="lists_name_our shop.csv").value == "our shop"
    at.text_input(key="lists_name_our shop.csv").set_value("Shop").run()
    at.button(key="add_lists").click().run()
    assert not at.exception
    assert not at.error
    [one] = added_lists(settings, info.id)
    assert (one.name, one.file) == ("Shop", "our shop.csv")
    assert "Added 'Shop'." in at.toast[0].value.replace("\\", "")
    assert not list(settings.uploads.iterdir())
    assert "**Shop**" in said(at)
    assert "Counted as empty lists: 1 user" in said(at)


def test_the_same_name_is_said_to_replace_and_does(visit, settings: Settings, shop: DatasetInfo) -> None:
    at = visit("data", tab="Lists")
    at.file_uploader[0].upload("Shop.csv", b"user,item,rank\nu00,i70,1\n").run()
    assert "Replaces Shop, from shop.csv." in said(at)
    assert "Only 1 of 60 users with test items have a list" in said(at)
    at.button(key="add_lists").click().run()
    assert not at.error
    [one] = added_lists(settings)
    assert one.file == "Shop.csv"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"user,item\nu00,i70\n", "shop.csv: column rank is missing"),
        (b"\x89PNG\xff\xfe\n", "shop.csv: it"),
        (b"", "shop.csv"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_its_name(
    visit, settings: Settings, content: bytes, says: str
) -> None:
    tiny_dataset(settings)
    at = visit("data", tab="Lists")
    at.file_uploader[0].upload("shop.csv", content).run()
    assert not at.exception
    assert says in at.error[0].value.replace("\\", "")
    assert added_lists(settings) == []


def test_a_name_that_cannot_be_is_refused(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    at = visit("data", tab="Lists")
    at.file_uploader[0].upload("ease.csv", FILE).run()
    at.button(key="add_lists").click().run()
    assert "a method that is trained here is called that" in at.error[0].value
    assert added_lists(settings) == []


def test_removing(visit, settings: Settings, shop: DatasetInfo) -> None:
    at = visit("data", tab="Lists")
    [one] = added_lists(settings)
    at.button(key=f"remove_lists_{one.id}").click().run()
    assert not at.exception
    assert added_lists(settings) == []
    assert "Added lists" not in said(at)


def test_the_trade_off_draws_and_lists_them(visit, shop: DatasetInfo) -> None:
    at = visit("trade_off", a="Shop", b="AUC-NS β 0.2, dim 8, epochs 6", split="test")
    assert not at.error
    assert "Showing 6 of 6 settings." in said(at)
    assert "Not drawn here" not in said(at)
    assert any("Shop" in map(str, table.value.to_numpy().ravel()) for table in at.dataframe)
    assert '"title": "Reference"' in json.dumps(specs(at))
    assert "Lists added, not trained here. **Data** has what was left out or repaired" in said(at)


def test_at_a_length_that_they_do_not_reach_they_are_no_point(visit, shop: DatasetInfo) -> None:
    for where in ({"k": "k = 20", "split": "test"}, {"split": "validation"}, {"y": "AUC", "split": "test"}):
        at = visit("trade_off", **where)
        assert not at.error
        assert "Showing 5 of 6 settings." in said(at), where
        assert "Not drawn here: **Shop**" in said(at)


@pytest.mark.parametrize("where", [{"split": "test"}, {"split": "validation"}, {"split": "test", "k": "k = 20"}])
@pytest.mark.parametrize("pins", [{"a": "Shop"}, {"a": "Shop", "b": "Most popular"}, {"baseline": "Shop", "a": "RNS"}])
def test_pinned_or_the_baseline_wherever_they_have_no_values_too(visit, shop: DatasetInfo, pins, where) -> None:
    at = visit("trade_off", **pins, **where)
    assert not at.error, [error.value for error in at.error]
    assert not at.exception


def test_they_can_be_the_baseline(visit, shop: DatasetInfo) -> None:
    for page in ("users", "overview", "sampler", "bias_variance", "sweep"):
        at = visit(page, baseline="Shop")
        assert not at.error, page
        assert "Baseline: Shop" in "\n".join(str(c.value) for c in at.sidebar.caption)


def test_users_see_them_beside_a_trained_setting(visit, shop: DatasetInfo) -> None:
    at = visit("users", split="test", a="Shop", b="RNS, dim 8, epochs 6", user="u07", k="k = 10", details="true")
    assert not at.error
    first, second = (listed(at, side) for side in "AB")
    assert len(first) > 0
    assert first["Score"].isna().all()
    assert second["Score"].notna().all()
    assert said(at).count("added, not trained here]") == 1
    at.slider(key="penalty").set_value(1.0).run()
    assert not at.exception
    assert listed(at, "A")["Title"].equals(first["Title"])
    assert not listed(at, "B")["Title"].equals(second["Title"])
    assert "Except A: lists added have no scores to re-rank." in said(at)
    assert said(at).count("re-ranked, penalty 1]") == 1


def test_beside_added_lists_a_metric_that_needs_scores_gives_way_to_ndcg(visit, shop: DatasetInfo) -> None:
    at = visit("users", split="test", a="Shop", b="RNS, dim 8, epochs 6", user="u07", y="AUC")
    assert not at.error
    assert "AUC needs scores, which lists added do not have: NDCG@10 instead." in said(at)
    assert "largest change of NDCG@10" in said(at)
    numbers = next(found.value for found in at.dataframe if "Measure" in found.value)
    assert numbers["Measure"][0] == "NDCG@10"


def test_a_user_without_a_list_is_told_so(visit, shop: DatasetInfo) -> None:
    for asked in ({"user": "u59"}, {"split": "validation"}):
        at = visit("users", a="Shop", b="RNS, dim 8, epochs 6", **{"split": "test"} | asked)
        assert not at.error
        assert "the lists added have none for this user" in said(at)
    assert "by id" in said(at)  # nobody has two lists to differ


def test_added_lists_have_no_strengths_to_train_around(visit, shop: DatasetInfo) -> None:
    at = visit("sweep", a="Shop")
    assert not at.error


def test_they_are_shown_where_nothing_is_trained(visit, settings: Settings, tmp_path) -> None:
    info = tiny_dataset(settings)
    path = tmp_path / "shop.csv"
    path.write_bytes(FILE)
    add_lists(settings, info, path, "Shop")
    for page in ("overview", "trade_off", "users", "sampler", "bias_variance", "sweep"):
        assert not visit(page).error, page
    assert "Showing 1 of 1 setting." in said(visit("trade_off", split="test"))
    assert "Not drawn here: **Shop**" in said(visit("trade_off", split="validation"))


def test_on_simulated_data_too(visit, settings: Settings, tmp_path) -> None:
    info = results.simulated(settings)
    path = tmp_path / "shop.csv"
    path.write_bytes(FILE)
    add_lists(settings, info, path, "Shop")
    assert "fetch or import real data on" in said(visit("data", tab="Lists"))
