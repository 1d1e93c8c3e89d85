"""The page on bias and variance: what can be trained, what is compared, and what an address may say."""

import json
from dataclasses import replace

import pytest

from core.datasets.acquire import acquire
from core.datasets.store import DatasetInfo, find_dataset
from core.jobs.queue import Queue
from core.settings import Settings
from tests.pages import results
from tests.pages.test_every_page import text


def alts(at) -> list[str]:
    return [chart.proto.alt for chart in at.get("vega_lite_chart")]


@pytest.fixture
def replicated(settings: Settings, tiny: DatasetInfo) -> DatasetInfo:
    """Three bootstrap replicates of the short sweep's settings."""
    results.train(settings, tiny, replace(results.SHORT, baselines=(), replicates=3))
    return tiny


def test_without_replicates_it_offers_to_train_them(visit, settings: Settings, tiny: DatasetInfo) -> None:
    at = visit("bias_variance")
    assert not at.error
    assert "No setting has 3 finished replicates" in text(at)
    assert alts(at) == []
    chosen = at.multiselect(key="bv_train")
    chosen.set_value(chosen.value[:1] or [chosen.options[0]]).run()
    button = next(b for b in at.button if b.label.startswith("Train "))
    assert button.label == "Train 20 runs"
    button.click().run()
    assert not at.exception
    jobs = Queue(settings).jobs()
    assert len(jobs) == 20
    assert all("replicate" in job.label for job in jobs)


def test_three_groups_of_items_each_with_parts_and_differences(visit, replicated: DatasetInfo) -> None:
    at = visit("bias_variance")
    assert not at.error
    said = alts(at)
    assert len(said) == 2 * 3 + 1  # parts and differences of all, cold and hot items; the parts of a decile
    assert all(said)
    shown = text(at).replace("\\", "")
    assert [sentence for sentence in said if sentence not in shown] == []
    assert "On all held-out items, from" in shown
    assert "bias and noise" in shown


def test_what_is_compared_can_be_chosen_and_the_loss_is_in_the_address(visit, replicated: DatasetInfo) -> None:
    at = visit("bias_variance", loss="Logistic")
    assert not at.error
    assert "Logistic loss" in str([chart.proto.spec for chart in at.get("vega_lite_chart")])
    compared = at.multiselect(key="bv")
    first = at.selectbox(key="bv_first").value
    assert len(compared.value) == 3
    assert first not in compared.value
    at.multiselect(key="bv").set_value([]).run()
    assert not at.exception
    assert "variance is" in text(at)


def test_the_split_is_the_sidebars_and_is_told(visit, replicated: DatasetInfo) -> None:
    asked = {split: visit("bias_variance", split=split) for split in ("validation", "test")}
    for split, at in asked.items():
        assert not at.error
        assert f"{split.capitalize()} split, chosen on validation" in text(at)
    triples = {split: at.dataframe[-1].value["Loss"].tolist() for split, at in asked.items()}
    assert triples["validation"] != triples["test"]


def test_the_sentence_says_why_it_speaks_of_that_setting(visit, replicated: DatasetInfo) -> None:
    assert "the best of 3 others" in text(visit("bias_variance")).replace("\\", "")


def test_legend_and_ticks_fit_a_third_of_the_page(visit, replicated: DatasetInfo) -> None:
    specs = [json.loads(chart.proto.spec) for chart in visit("bias_variance").get("vega_lite_chart")]
    differences = next(spec for spec in specs if spec["name"] == "differences")
    legends = [layer["encoding"]["color"]["legend"] for layer in differences["layer"] if "color" in layer["encoding"]]
    assert {legend["columns"] for legend in legends} == {2}  # three entries in a row are cut off at the right
    # without a precision Vega writes 0.1 and 0.12 as "0.1" both
    assert '"format": "~g"' not in json.dumps(specs)


def test_seeds_are_replicates_of_their_own_kind(visit, settings: Settings, replicated: DatasetInfo) -> None:
    at = visit("bias_variance", by="Seeds only")
    assert "No setting has 3 finished replicates" in text(at)  # the short sweep has two seeds
    results.train(settings, replicated, replace(results.SHORT, seeds=(2,)))
    assert "On all held-out items" in text(visit("bias_variance", by="Seeds only")).replace("\\", "")


def test_on_simulated_data_noise_stands_apart(visit, settings: Settings) -> None:
    acquire(settings, "simulated")
    info = find_dataset(settings, "simulated")
    short = replace(results.SHORT, grids=results.SHORT.grids[:1], baselines=(), replicates=3)
    results.train(settings, info, short)
    at = visit("bias_variance")
    assert not at.error
    specs = str([chart.proto.spec for chart in at.get("vega_lite_chart")])
    assert "Noise" in specs
    assert "Bias + noise" not in specs
    assert "fetch it again" not in text(at)  # it would be generated again
