"""The Users page: whose lists, which two settings, what differs between them, and what becomes of it along a path."""

import re

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.datasets.store import DatasetInfo
from core.jobs import artifacts
from core.models.sweep import Sweep
from core.models.variant import Variant
from core.settings import Settings
from core.warehouse import finding_users, queries
from core.warehouse.database import Warehouse
from pages.shared import along, lists, people, words
from pages.shared.lists import moved
from tests.pages import results
from tests.pages.test_every_page import text
from tests.tiny import tiny_dataset
from tests.warehouse.hand import hand_dataset

LISTS = ("list_A", "list_B")
ORDERS = {
    "largest change": "lists",
    "largest loss": "loss",
    "largest gain": "gain",
    "largest fall of popularity": "popularity",
}


COLUMN = {"list": "Marks", "history": "Title", "held_out_items": "Title", "numbers": "Measure", "ranks": "Kind"}


def table(at: AppTest, key: str) -> pd.DataFrame:
    """The table of that key: read-only tables have none in AppTest, so by a column and the place."""
    kind, _, side = key.partition("_") if key.startswith("list") else (key, "", "")
    found = [one.value for one in at.dataframe if COLUMN[kind] in one.value]
    if COLUMN[kind] == "Title":
        found = [one for one in found if "Marks" not in one]
    return found[1 if side == "B" or key == "held_out_items" else 0]


def titles(at: AppTest, key: str) -> list[str]:
    return list(table(at, key)["Title"])


def press(at: AppTest, label: str) -> None:
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception


def path_of(info: DatasetInfo) -> list[Variant]:
    """The settings of the short sweep that lie on AUC-NS's path."""
    every = {run.variant.id: run.variant for run in results.SHORT.runs(info.id)}
    return [variant for variant in every.values() if "AUC-NS" in variant.label]


def results_list(settings: Settings, info: DatasetInfo, variant: str, user: str = "u07", k: int = 10) -> list[str]:
    """What the variant's first run shows, from its file."""
    run = next(run.id for run in results.SHORT.runs(info.id) if run.variant.id == variant and run.seed == 0)
    stored = artifacts.read_table(settings, run, "top_k").to_pandas()
    own = stored[(stored["split"] == "test") & (stored["user"] == user) & (stored["rank"] <= k)].sort_values("rank")
    w = Warehouse.open(settings, own=False)
    named = lists.titles(queries.item_popularity(w, info.id).set_index("item_id", drop=False).loc[own["item"]])
    return list(named)


def test_without_pins_the_baseline_stands_beside_the_strongest_auc_ns(visit, tiny: DatasetInfo) -> None:
    at = visit("users", split="test")
    said = text(at).replace("\\", "")
    assert ":orange-badge[A] **RNS" in said
    assert ":blue-badge[B] **AUC-NS β 0.2" in said


def test_a_single_pin_stays_on_its_side_and_the_baseline_stands_on_the_other(visit, tiny: DatasetInfo) -> None:
    for pin, sides in (("a", ("AUC-NS β 0.05", "RNS")), ("b", ("RNS", "AUC-NS β 0.05"))):
        said = text(visit("users", split="test", **{pin: "AUC-NS β 0.05, dim 8, epochs 6"})).replace("\\", "")
        assert f":orange-badge[A] **{sides[0]}" in said
        assert f":blue-badge[B] **{sides[1]}" in said


def test_the_line_about_the_user_agrees_with_the_items_below_it(visit, tiny: DatasetInfo) -> None:
    at = visit("users", split="test", user="u07")
    history = table(at, "history")
    assert f"took {len(history)} items" in text(at)
    assert f"{words.percent(history['Shown to'].mean())} of users" in text(at)


def test_two_lists_history_and_held_out_items(visit, tiny: DatasetInfo) -> None:
    at = visit("users", split="test", user="u07", k="k = 5")
    first, second, history, held_out = (table(at, key) for key in ("list_A", "list_B", "history", "held_out_items"))
    assert len(first) == len(second) == 5
    assert list(first["#"]) == [1, 2, 3, 4, 5]
    assert "User **u07**" in text(at)
    assert len(held_out) == 2  # what the tiny data set holds out for everybody
    assert not set(history["Title"]) & set(first["Title"])
    for one in (first, second):
        assert one["Percentile"].between(0, 99).all()
        hits = {title for title, marks in zip(one["Title"], one["Marks"], strict=True) if "hit" in marks}
        assert hits == set(one["Title"]) & set(held_out["Title"])


def test_what_differs_is_counted_in_words_and_agrees_with_the_marks(visit, tiny: DatasetInfo) -> None:
    at = visit("users", split="test", user="u07")
    first, second = table(at, "list_A"), table(at, "list_B")
    common = set(first["Title"]) & set(second["Title"])
    new = [marks for marks in second["Marks"] if "new" in marks]
    dropped = [marks for marks in first["Marks"] if "dropped" in marks]
    moved_there = [marks for marks in second["Marks"] if marks[0].startswith(("up", "down"))]
    lost, won = (sum("hit" in marks for marks in some) for some in (dropped, new))
    assert f"**{len(common)} in common, {len(moved_there)} of them moved, {len(new)} new; " in text(at)
    assert len(new) == len(dropped) == 10 - len(common)
    hits = sum("hit" in marks for marks in first["Marks"])
    said = f"{lost} of A's {hits} hit" if hits else "A has no hit to lose"
    assert said in text(at)
    assert f", {won} won.**" in text(at)


def test_this_users_numbers_are_those_of_the_lists_and_of_the_metric_in_the_sidebar(visit, settings, tiny) -> None:
    at = visit("users", split="test", user="u07", y="Recall", k="k = 5")
    numbers = table(at, "numbers").set_index("Measure")
    assert list(numbers.index[:2]) == ["Recall@5", "Hits of 2 held out"]
    for side in "AB":
        shown = table(at, f"list_{side}")
        hits = sum("hit" in marks for marks in shown["Marks"])
        assert numbers.loc["Hits of 2 held out", side] == str(hits)
        assert float(numbers.loc["Recall@5", side]) == hits / 2
        assert numbers.loc["Mean popularity", side] == words.percent(shown["Shown to"].mean())
    assert "largest change of recall@5" in text(at).replace("\\", "")


def test_genres_and_scores_are_there_when_asked_for(visit, tiny: DatasetInfo) -> None:
    assert "Score" not in table(visit("users", split="test", user="u07"), "list_A")
    detailed = table(visit("users", split="test", user="u07", details="true"), "list_A")
    assert detailed["Score"].is_monotonic_decreasing


# ---------------------------------------------------------------- along the path


def test_list_b_follows_the_strength_and_so_does_the_chart(visit, settings: Settings, tiny: DatasetInfo) -> None:
    at = visit("users", split="test", user="u07", b="AUC-NS β 0.2, dim 8, epochs 6")
    slider = at.select_slider(key="strength")
    assert slider.options == ["0", "0.05", "0.2"]
    assert slider.value == "0.2"
    of = {variant.label: results_list(settings, tiny, variant.id) for variant in path_of(tiny)}
    assert titles(at, "list_B") == of["AUC-NS β 0.2, dim 8, epochs 6"]
    slider.set_value("0").run()
    assert not at.exception
    assert titles(at, "list_B") == of["DNS (AUC-NS β 0), dim 8, epochs 6"]
    assert "List B is of **DNS (AUC-NS β 0), dim 8, epochs 6**; B itself is β 0.2." in text(at).replace("\\", "")
    ranks = table(at, "ranks")
    assert list(ranks["Item"][:10]) == titles(at, "list_B")  # in the chosen list's order
    assert list(ranks["β 0"][:10]) == list(range(1, 11))
    for strength, label in (("0.05", "AUC-NS β 0.05, dim 8, epochs 6"), ("0.2", "AUC-NS β 0.2, dim 8, epochs 6")):
        column = ranks.dropna(subset=f"β {strength}").sort_values(f"β {strength}")
        assert list(column["Item"]) == of[label]


def test_a_strength_comes_with_the_link_and_another_b_begins_at_its_own(visit, tiny: DatasetInfo) -> None:
    at = visit("users", split="test", user="u07", b="AUC-NS β 0.2, dim 8, epochs 6", strength="0.05")
    assert at.select_slider(key="strength").value == "0.05"
    at.text_input(key="b").input("AUC-NS β 0.05, dim 8, epochs 6").run()
    at.select_slider(key="strength").set_value("0.2").run()
    at.text_input(key="b").input("DNS (AUC-NS β 0), dim 8, epochs 6").run()
    assert not at.exception
    assert at.select_slider(key="strength").value == "0"
    for given in ("0.07", "-1", "much"):
        at = visit("users", split="test", user="u07", b="AUC-NS β 0.2, dim 8, epochs 6", strength=given)
        assert at.select_slider(key="strength").value == "0.2"


def test_the_chosen_strength_can_be_pinned_as_b(visit, tiny: DatasetInfo) -> None:
    at = visit("users", split="test", user="u07", b="AUC-NS β 0.2, dim 8, epochs 6", strength="0.05")
    shown = titles(at, "list_B")
    next(b for b in at.button if b.label == "Pin as B").click().run()
    assert not at.exception
    assert ":blue-badge[B] **AUC-NS β 0.05" in text(at).replace("\\", "")
    assert titles(at, "list_B") == shown
    assert at.select_slider(key="strength").value == "0.05"


def test_a_click_in_the_chart_chooses_its_strength(monkeypatch) -> None:
    state = {"along": {"selection": {"pick": [{"at": "0.05"}]}}}
    monkeypatch.setattr(along.st, "session_state", state)
    along.clicked()
    assert state["strength"] == "0.05"
    state["along"] = {"selection": {"pick": []}}  # a click that took the choice back
    along.clicked()
    assert state["strength"] == "0.05"


@pytest.mark.parametrize(
    ("b", "says"),
    [
        ("RNS, dim 8, epochs 6", "has no debias strength: there is nothing to move along"),
        ("Most popular", "has no debias strength: there is nothing to move along"),
    ],
)
def test_a_b_without_a_path_says_so(visit, tiny: DatasetInfo, b: str, says: str) -> None:
    at = visit("users", split="test", user="u07", a="AUC-NS β 0.2, dim 8, epochs 6", b=b)
    assert says in text(at)
    assert not at.get("select_slider")
    assert "Along the strength of B" not in text(at)


def test_a_path_of_one_point_says_so(visit, settings: Settings) -> None:
    info = tiny_dataset(settings)
    grids = tuple({"sampler": [name], "epochs": [3], "dim": [4]} for name in ("rns", "auc_ns"))
    results.train(settings, info, Sweep(grids, (), (0,)))
    at = visit("users", split="test", user="u07", b="AUC-NS")
    assert "is the only point of its path that is trained" in text(at)
    assert len(table(at, "list_B")) == 10


def test_a_setting_on_two_paths_lets_one_choose(visit, settings: Settings, tiny: DatasetInfo) -> None:
    results.train(settings, tiny, Sweep(({"sampler": ["auc_ns"], "beta": [0.05, 0.2], "dim": [8], "epochs": [6]},
                                         {"penalty_strength": [0.3]}), ("pop_penalty",), (0,)))  # fmt: skip
    at = visit("users", split="test", user="u07", b="AUC-NS β 0.2, dim 8, epochs 6")
    assert at.selectbox(key="path").options == ["AUC-NS", "Popularity penalty"]
    at.selectbox(key="path").select_index(1).run()
    assert not at.exception
    assert at.select_slider(key="strength").options == ["0", "0.3"]
    assert at.select_slider(key="strength").value == "0"


# ---------------------------------------------------------------- the penalty


def test_a_popularity_penalty_re_ranks_both_lists_at_once_and_says_so(visit, settings: Settings, tiny) -> None:
    at = visit("users", split="test", user="u07", k="k = 5")
    before = [table(at, key) for key in LISTS]
    assert "re-ranked" not in text(at).lower()
    at.slider(key="penalty").set_value(1.0).run()
    assert not at.exception
    after = [table(at, key) for key in LISTS]
    for old, new in zip(before, after, strict=True):
        assert len(new) == 5
        assert list(new["#"]) == [1, 2, 3, 4, 5]
        assert new["Shown to"].mean() < old["Shown to"].mean()
    said = text(at).replace("\\", "")
    assert table(at, "numbers")["A"][0] == "-"  # nobody measured it
    assert "NDCG@5 is measured for lists as trained" in said
    assert "The chart is of the lists as trained." in said
    assert said.count("re-ranked, penalty 1]") == 2  # under both names
    assert "**Re-ranked, not trained:** both lists with a popularity penalty of 1." in said
    assert "A re-ranked: RNS" in said  # the chart's takeaway, too
    at.slider(key="penalty").set_value(0.0).run()
    assert [titles(at, key) for key in LISTS] == [list(old["Title"]) for old in before]


def test_a_penalty_comes_with_the_link_and_shows_what_the_run_with_it_shows(visit, settings: Settings, tiny) -> None:
    grid = {"sampler": ["rns"], "epochs": [6], "dim": [8], "penalty_strength": [0.3]}
    sweep = Sweep((grid,), ("pop_penalty",), (0,))
    _, penalised = results.train(settings, tiny, sweep)
    stored = artifacts.read_table(settings, penalised, "top_k").to_pandas()
    listed = stored[(stored["split"] == "test") & (stored["user"] == "u07")].sort_values("rank").head(5)
    at = visit("users", split="test", user="u07", k="k = 5", a="RNS, dim 8, epochs 6", penalty="0.3")
    shown = [title.split(" (")[0] for title in titles(at, "list_A")]
    assert shown == [f"Title {int(item[1:])}" for item in listed["item"]]


def test_a_penalty_out_of_range_in_the_link_is_none(visit, tiny: DatasetInfo) -> None:
    for given in ("7", "-1", "much"):
        assert visit("users", split="test", user="u07", penalty=given).slider(key="penalty").value == 0


def test_an_item_is_common_moved_or_new() -> None:
    assert moved(2, 2, "new") == "same"
    assert moved(2, 5, "new") == "up 3"  # it was at 5 in the other list, now 3 higher
    assert moved(5, 2, "new") == "down 3"
    assert moved(1, None, "new") == "new"


# ---------------------------------------------------------------- which user


def test_search_by_id_and_by_a_title_they_took(visit, tiny: DatasetInfo) -> None:
    at = visit("users", split="test", find="u1")
    assert {user[:2] for user in at.selectbox(key="user").options} == {"u1"}
    assert len(at.selectbox(key="user").options) == 10
    assert visit("users", split="test", find="u12").selectbox(key="user").options[0] == "u12"
    said = text(visit("users", split="test", find="title 70")).replace("\\", "")
    assert "found by id or by a title they took" in said
    assert re.search(r"User u\d\d took \*Title 70( \(\d+\))?\*", said)
    assert "Nobody matches" in text(visit("users", split="test", find="no such film"))


def test_a_search_and_another_order_show_the_first_who_is_found(visit, tiny: DatasetInfo) -> None:
    at = visit("users", split="test", user="u07")
    at.text_input(key="find").input("u33").run()
    assert "User **u33**" in text(at)
    at.text_input(key="find").input("").run()
    first = at.selectbox(key="user").options[0]
    assert f"User **{first}**" in text(at)
    at.selectbox(key="order").select("largest gain").run()
    assert not at.exception
    assert at.selectbox(key="user").value == at.selectbox(key="user").options[0]


def test_a_search_keeps_the_order() -> None:
    assert people.matching(["c", "a", "b"], {"a": None, "b": "Alien", "c": None}, "x") == ["c", "a", "b"]
    assert people.matching(["c", "a", "b"], {"b": "Alien", "a": None}, "b") == ["b", "a"]  # whose id it is
    assert people.matching(["c"], {"z": None}, "x") == ["z"]  # the order lacks who has no list


@pytest.mark.parametrize("order", ["largest change", "largest loss", "largest gain", "largest fall of popularity"])
def test_previous_and_next_step_through_the_order_with_a_position(
    visit, settings: Settings, tiny: DatasetInfo, order: str
) -> None:
    at = visit("users", split="test", order=order)
    options = at.selectbox(key="user").options
    assert len(options) == 60
    assert at.selectbox(key="user").value == options[0]
    assert "**1 of 60 users**" in text(at)
    press(at, "Next")
    press(at, "Next")
    assert at.selectbox(key="user").value == options[2]
    assert "**3 of 60 users**" in text(at)
    press(at, "Previous")
    assert at.selectbox(key="user").value == options[1]
    w = Warehouse.open(settings, own=False)
    runs = queries.variants(w, tiny.id).set_index("label")["first_run"]
    expected = finding_users.users_by_change(
        w, runs["RNS, dim 8, epochs 6"], runs["AUC-NS β 0.2, dim 8, epochs 6"], limit=None,
        order=ORDERS[order],
    )  # fmt: skip
    assert options == list(expected["user_id"])


def test_a_group_is_all_that_is_offered(visit, settings: Settings, tiny: DatasetInfo) -> None:
    groups = queries.user_profiles(Warehouse.open(settings, own=False), tiny.id).set_index("user_id")["user_group"]
    at = visit("users", split="test", group="niche")
    niche = set(groups.index[groups == "niche"])
    assert set(at.selectbox(key="user").options) == niche
    press(at, "Random")
    assert at.session_state["user"] in niche
    at.selectbox(key="group").select("blockbuster").run()
    assert not at.exception
    assert set(at.selectbox(key="user").options) == set(groups.index[groups == "blockbuster"])
    assert "**blockbuster** taste" in text(at)
    assert set(visit("users", split="test", group="niche", find="u1").selectbox(key="user").options) == {
        user for user in niche if user.startswith("u1")
    }


def test_who_is_asked_for_and_not_in_the_order_is_shown_nevertheless(visit, settings: Settings, tiny) -> None:
    groups = queries.user_profiles(Warehouse.open(settings, own=False), tiny.id).set_index("user_id")["user_group"]
    other = groups.index[groups == "blockbuster"][0]
    at = visit("users", split="test", group="niche", user=other)
    assert f"User **{other}**" in text(at)
    assert f"{other} is none of {(groups == 'niche').sum()} users" in text(at)
    press(at, "Next")
    assert groups[at.session_state["user"]] == "niche"


def test_next_and_random_go_to_another_user(visit, tiny: DatasetInfo) -> None:
    at = visit("users", split="test")
    first = at.selectbox(key="user").value
    press(at, "Next")
    assert at.selectbox(key="user").value != first
    before = at.selectbox(key="user").value
    press(at, "Random")
    assert at.session_state["user"] != before
    assert f"User **{at.session_state['user']}**" in text(at)


def test_a_user_with_nothing_held_out_has_lists_scored_now(visit, settings: Settings) -> None:
    info = hand_dataset(settings)
    results.train(settings, info, Sweep(({"sampler": ["rns", "dns"], "epochs": [2], "dim": [2]},), (), (0,)))
    at = visit("users", split="test", user="e")
    assert "Held out in test: 0. Lists of this user were not evaluated: they are scored now." in text(at)
    assert len(table(at, "list_A")) == len(table(at, "list_B")) == 4  # of 5 items e took one
    assert "e is none of 4 users" in text(at)
    assert table(at, "numbers")["A"][0] == "-"


def test_one_setting_is_not_enough(visit, settings: Settings) -> None:
    from dataclasses import replace

    from tests.pages import results
    from tests.tiny import tiny_dataset

    results.train(settings, tiny_dataset(settings), replace(results.SHORT, grids=(), seeds=(0,)))
    assert "two trained settings" in text(visit("users", split="test"))
