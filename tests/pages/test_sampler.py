"""The Sampler page: which model, which knobs, what is shown, and what an address may say."""

from dataclasses import replace

import pytest
import streamlit as st

from core.datasets import store
from core.datasets.acquire import acquire
from core.datasets.store import DatasetInfo, find_dataset
from core.jobs import explain
from core.models.sweep import Sweep
from core.settings import Settings
from tests.pages import results
from tests.pages.test_every_page import text
from tests.tiny import tiny_dataset, with_a_full_user

CHARTS = 6


def alts(at) -> list[str]:
    """What the charts say."""
    return [chart.proto.alt for chart in at.get("vega_lite_chart")]


def knobs(at) -> dict[str, str]:
    return {"beta": at.select_slider(key="beta").value, **{key: at.text_input(key=key).value for key in "mn"}}


def test_every_chart_says_what_it_shows_and_its_words_stand_beside_it(visit, tiny: DatasetInfo) -> None:
    at = visit("sampler")
    assert not at.warning
    said = alts(at)
    assert len(said) == CHARTS
    assert all(said)
    shown = text(at).replace("\\", "")
    assert [sentence for sentence in said if sentence not in shown] == []
    assert "10,000 pairs" in shown
    for equation in ("P_l = pi_l", "w = f^- P", "w,|I^+|"):
        assert equation in shown
    assert "Showing" in shown


def test_it_opens_on_auc_ns_with_the_settings_it_was_trained_with(visit, tiny: DatasetInfo) -> None:
    at = visit("sampler")
    assert at.selectbox(key="model").value.startswith("AUC-NS β 0.05")
    assert at.select_slider(key="beta").value == "0.05"
    assert [at.text_input(key=key).placeholder for key in ("alpha", "gamma", "m", "n")] == ["0.6", "0.006", "5", "10"]
    assert "what this run was trained with" in text(at)


def test_it_opens_on_a_pin(visit, tiny: DatasetInfo) -> None:
    at = visit("sampler", a="AUC-NS β 0.2, dim 8, epochs 6")
    assert at.selectbox(key="model").value.startswith("AUC-NS β 0.2")
    assert visit("sampler", b="RNS, dim 8, epochs 6").selectbox(key="model").value.startswith("RNS")


def test_what_has_no_embeddings_is_not_offered(visit, tiny: DatasetInfo) -> None:
    options = visit("sampler").selectbox(key="model").options
    assert len(options) == 4  # RNS, DNS and two strengths of AUC-NS
    assert not any("popular" in option for option in options)


def test_the_address_chooses_everything(visit, tiny: DatasetInfo) -> None:
    at = visit(
        "sampler", model="RNS, dim 8, epochs 6", model_seed="1", beta="0.07", alpha="0.9", gamma="0.5", m="3", n="2",
        user="u07", draw="4",
    )  # fmt: skip
    assert not at.warning
    assert at.selectbox(key="model").value == "RNS, dim 8, epochs 6"
    assert at.selectbox(key="model_seed").value == 1
    assert at.select_slider(key="beta").value == "0.07"
    assert at.selectbox(key="user").value == "u07"
    shown = text(at).replace("\\", "")
    assert "At the chosen β 0.07" in shown
    assert "Of 3 candidates" in shown
    assert "candidate of user u07" in shown
    assert "Turned away from AUC-NS's defaults" in shown


def test_every_knob_moves_what_it_is_for(visit, tiny: DatasetInfo) -> None:
    at = visit("sampler", user="u07")
    usual = alts(at)
    turning, by_agreement, prior, posterior, gain, drawn = range(CHARTS)

    def moved() -> set[int]:
        return {n for n, (one, other) in enumerate(zip(usual, alts(at), strict=True)) if one != other}

    at.select_slider(key="beta").set_value("0.3").run()
    assert moved() == {turning, by_agreement, prior, posterior, gain, drawn}
    at.select_slider(key="beta").set_value("0.05").run()
    assert moved() == set()
    for key, value, unmoved in (
        ("alpha", "0.9", {prior}),
        ("gamma", "1", {prior, posterior}),
        ("m", "9", {prior, posterior}),
        ("n", "1", {prior, posterior}),
    ):
        at.text_input(key=key).set_value(value).run()
        assert moved() == set(range(CHARTS)) - unmoved, key
        at.text_input(key=key).set_value("").run()
    at.selectbox(key="user").select("u08").run()
    assert moved() == {gain}


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("alpha", "0.5", "above 0.5 and below 1"),
        ("gamma", "0", "above 0 to 1"),
        ("m", "0", "from 1 to 1000"),
        ("n", "x", "whole number"),
        ("m", "100", "candidates 100 cannot be drawn"),
        ("n", "100", "references 100 cannot be drawn"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_and_falls_back(
    visit, tiny: DatasetInfo, key: str, value: str, said: str
) -> None:
    usual = alts(visit("sampler"))
    at = visit("sampler", **{key: value})
    assert said in at.warning[0].value.replace("\\", "")
    assert alts(at) == usual


@pytest.mark.parametrize("beta", ["-1", "11", "nan", "many", "1e999"])
def test_a_beta_that_is_none_falls_back(visit, tiny: DatasetInfo, beta: str) -> None:
    at = visit("sampler", beta=beta)
    assert at.select_slider(key="beta").value == "0.05"


def test_another_draw(visit, tiny: DatasetInfo) -> None:
    at = visit("sampler", user="u07")
    before = alts(at)
    at.button(key="draw_again").click().run()
    assert at.text_input(key="draw").value == "1"
    after = alts(at)
    assert after[4] != before[4]
    assert after[:4] == before[:4]
    assert alts(visit("sampler", user="u07", draw="1")) == after
    assert alts(visit("sampler", user="u07", draw="nonsense")) == before


def test_another_run_brings_its_own_settings(visit, tiny: DatasetInfo) -> None:
    at = visit("sampler", beta="0.5", alpha="0.9")
    at.selectbox(key="model").select(next(o for o in at.selectbox(key="model").options if "0.2" in o)).run()
    assert not at.exception
    assert at.select_slider(key="beta").value == "0.2"
    assert at.text_input(key="alpha").value == ""
    at.select_slider(key="beta").set_value("1").run()
    assert "Turned away" in text(at)
    at.button(key="turn_back").click().run()
    assert at.select_slider(key="beta").value == "0.2"
    assert "Turned away" not in text(at)


def test_nothing_trained_names_the_next_step(visit, settings: Settings) -> None:
    results.train(settings, tiny_dataset(settings), replace(results.SHORT, grids=(), seeds=(0,)))
    at = visit("sampler")
    assert "**Sweep**" in text(at)
    assert alts(at) == []


def test_what_re_ranks_has_no_embeddings_of_its_own_and_is_not_offered(visit, settings: Settings) -> None:
    grid = {"sampler": ["rns"], "epochs": [1], "dim": [4], "penalty_strength": [0.1]}
    sweep = Sweep((grid,), ("pop_penalty",), (0,))
    results.train(settings, tiny_dataset(settings), sweep)
    assert visit("sampler").selectbox(key="model").options == ["RNS, dim 4, epochs 1"]


def test_a_user_who_took_everything_leaves_what_needs_nobody(visit, settings: Settings) -> None:
    sweep = Sweep(({"sampler": ["auc_ns"], "epochs": [1], "dim": [4]},), (), (0,))
    results.train(settings, store.publish(settings, with_a_full_user()), sweep)
    at = visit("sampler", user="u00")
    assert not at.error
    assert "took every item" in at.info[0].value
    assert len(alts(at)) == CHARTS - 1
    assert len(alts(at.selectbox(key="user").select("u01").run())) == CHARTS


def test_nobody_found_leaves_what_needs_nobody(visit, tiny: DatasetInfo) -> None:
    at = visit("sampler", find="no such film")
    assert "Nobody matches" in text(at)
    assert len(alts(at)) == CHARTS - 1


def test_a_damaged_run_is_told_and_another_can_be_chosen(visit, settings: Settings, tiny: DatasetInfo) -> None:
    for factors in settings.runs.glob("*/factors.safetensors"):
        factors.write_bytes(b"nothing")
    at = visit("sampler")
    assert "is damaged" in at.error[0].value
    assert at.selectbox(key="model").options


def test_what_was_computed_is_remembered(visit, tiny: DatasetInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    at = visit("sampler", user="u07")
    monkeypatch.setattr(explain, "sampler_variant", None)  # what drawing a second time would ask for
    at.button(key="draw_again").click().run()
    assert not at.error
    st.cache_data.clear()
    assert at.run().error


def test_on_simulated_data_two_more_cards_compare_with_the_truth(visit, settings: Settings) -> None:
    acquire(settings, "simulated")
    results.train(settings, find_dataset(settings, "simulated"), replace(results.SHORT, seeds=(0,)))
    at = visit("sampler")
    assert not at.error
    assert len(alts(at)) == CHARTS + 2
    assert "False negatives, by the truth" in text(at)
