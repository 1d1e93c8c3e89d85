"""The Users page: whose lists, which two settings, and what differs between them."""

from core.datasets.store import DatasetInfo
from core.jobs import artifacts
from core.models.sweep import Sweep
from core.settings import Settings
from pages.shared import words
from pages.shared.lists import moved
from tests.pages import results
from tests.pages.test_every_page import text


def test_without_pins_the_baseline_stands_beside_the_strongest_auc_ns(visit, tiny: DatasetInfo) -> None:
    at = visit("users")
    said = text(at).replace("\\", "")
    assert ":orange-badge[A] **RNS" in said
    assert ":blue-badge[B] **AUC-NS β 0.2" in said


def test_a_single_pin_stays_on_its_side_and_the_baseline_stands_on_the_other(visit, tiny: DatasetInfo) -> None:
    for pin, sides in (("a", ("AUC-NS β 0.05", "RNS")), ("b", ("RNS", "AUC-NS β 0.05"))):
        said = text(visit("users", **{pin: "AUC-NS β 0.05, dim 8, epochs 6"})).replace("\\", "")
        assert f":orange-badge[A] **{sides[0]}" in said
        assert f":blue-badge[B] **{sides[1]}" in said


def test_the_line_about_the_user_agrees_with_the_items_below_it(visit, tiny: DatasetInfo) -> None:
    at = visit("users", user="u07")
    history = at.dataframe[2].value
    assert f"took {len(history)} items" in text(at)
    assert f"{words.percent(history['Shown to'].mean())} of users" in text(at)


def test_two_lists_history_and_held_out_items(visit, tiny: DatasetInfo) -> None:
    at = visit("users", user="u07", k="k = 5")
    first, second, history, held_out = (table.value for table in at.dataframe)
    assert len(first) == len(second) == 5
    assert list(first["#"]) == [1, 2, 3, 4, 5]
    assert "User **u07**" in text(at)
    assert len(held_out) == 2  # what the tiny data set holds out for everybody
    assert not set(history["Title"]) & set(first["Title"])


def test_a_popularity_penalty_re_ranks_both_lists_at_once_and_says_so(visit, settings: Settings, tiny) -> None:
    at = visit("users", user="u07", k="k = 5")
    before = [table.value for table in at.dataframe[:2]]
    assert "re-ranked" not in text(at).lower()
    at.slider(key="penalty").set_value(1.0).run()
    assert not at.exception
    after = [table.value for table in at.dataframe[:2]]
    for old, new in zip(before, after, strict=True):
        assert len(new) == 5
        assert list(new["#"]) == [1, 2, 3, 4, 5]
        assert new["Shown to"].mean() < old["Shown to"].mean()
    said = text(at).replace("\\", "")
    assert said.count("re-ranked, penalty 1]") == 2  # under both names
    assert "**Re-ranked, not trained:** both lists with a popularity penalty of 1." in said
    assert "A re-ranked: RNS" in said  # the chart's takeaway, too
    at.slider(key="penalty").set_value(0.0).run()
    assert [list(table.value["Title"]) for table in at.dataframe[:2]] == [list(old["Title"]) for old in before]


def test_a_penalty_comes_with_the_link_and_shows_what_the_run_with_it_shows(visit, settings: Settings, tiny) -> None:
    grid = {"sampler": ["rns"], "epochs": [6], "dim": [8], "penalty_strength": [0.3]}
    sweep = Sweep((grid,), ("pop_penalty",), (0,))
    _, penalised = results.train(settings, tiny, sweep)
    stored = artifacts.read_table(settings, penalised, "top_k").to_pandas()
    listed = stored[(stored["split"] == "test") & (stored["user"] == "u07")].sort_values("rank").head(5)
    at = visit("users", user="u07", k="k = 5", a="RNS, dim 8, epochs 6", penalty="0.3")
    titles = [title.split(" (")[0] for title in at.dataframe[0].value["Title"]]
    assert titles == [f"Title {int(item[1:])}" for item in listed["item"]]


def test_a_penalty_out_of_range_in_the_link_is_none(visit, tiny: DatasetInfo) -> None:
    for given in ("7", "-1", "much"):
        assert visit("users", user="u07", penalty=given).slider(key="penalty").value == 0


def test_an_item_is_common_moved_or_new() -> None:
    assert moved(2, 2, "new") == "="
    assert moved(2, 5, "new") == "▲ 3"  # it was at 5 in the other list, now 3 higher
    assert moved(5, 2, "new") == "▼ 3"
    assert moved(1, None, "new") == "new"


def test_search_by_id_and_by_a_title_they_took(visit, tiny: DatasetInfo) -> None:
    assert visit("users", find="u1").selectbox(key="user").options[0] == "u10"
    assert "found by id or by a title they took" in text(visit("users", find="title 70"))
    assert "Nobody matches" in text(visit("users", find="no such film"))


def test_a_search_and_another_order_show_the_first_who_is_found(visit, tiny: DatasetInfo) -> None:
    at = visit("users", user="u07")
    at.text_input(key="find").input("u33").run()
    assert "User **u33**" in text(at)
    at.text_input(key="find").input("").run()
    first = at.selectbox(key="user").options[0]
    assert f"User **{first}**" in text(at)
    at.selectbox(key="order").select("gains most").run()
    assert not at.exception
    assert at.selectbox(key="user").value == at.selectbox(key="user").options[0]


def test_next_and_random_go_to_another_user(visit, tiny: DatasetInfo) -> None:
    at = visit("users")
    first = at.selectbox(key="user").value
    next(b for b in at.button if b.label == "Next").click().run()
    assert at.selectbox(key="user").value != first
    next(b for b in at.button if b.label == "Random").click().run()
    assert not at.exception
    assert f"User **{at.session_state['user']}**" in text(at)


def test_one_setting_is_not_enough(visit, settings: Settings) -> None:
    from dataclasses import replace

    from tests.pages import results
    from tests.tiny import tiny_dataset

    results.train(settings, tiny_dataset(settings), replace(results.SHORT, grids=(), seeds=(0,)))
    assert "two trained settings" in text(visit("users"))
