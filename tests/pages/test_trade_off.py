"""The Trade-off page: points, pins, table, details; what a click does."""

import json

import pytest

from core.charts import trade_off
from core.datasets.store import DatasetInfo
from core.warehouse import queries
from core.warehouse.database import Warehouse
from tests.pages.test_every_page import text


def spec(at, key: str) -> dict:
    found = [e for e in at.get("vega_lite_chart") if e.proto.id.find(key) >= 0 or key in str(e.key)]
    assert found, key
    return json.loads(found[0].proto.spec)


@pytest.fixture
def variants(settings, tiny: DatasetInfo) -> dict[str, str]:
    """Variant ids by label."""
    found = queries.variants(Warehouse.open(settings, own=False), tiny.id)
    return dict(zip(found["label"], found["variant"], strict=True))


def test_the_table_holds_every_setting_once(visit, tiny: DatasetInfo) -> None:
    table = visit("trade_off").dataframe[0].value
    assert len(table) == 5  # most popular, RNS, DNS, AUC-NS at two strengths
    assert set(table["Seeds"]) == {1, 2}


def test_the_chart_says_what_it_shows(visit, tiny: DatasetInfo) -> None:
    at = visit("trade_off")
    chart = at.get("vega_lite_chart")[0]
    assert "NDCG@10" in chart.proto.alt
    assert "alidation split" in chart.proto.alt


def test_a_click_pins_a_then_b_and_a_third_replaces_b(visit, variants: dict[str, str]) -> None:
    ids = list(variants.values())[:3]
    at = visit("trade_off")
    for clicks, (variant, pins) in enumerate(zip(ids, [(0, None), (0, 1), (0, 2)], strict=True)):
        at.session_state[f"marks_{clicks}"] = {"selection": {trade_off.PICK: [{"variant": variant}]}}
        click(at, clicks)
        shown = [at.session_state["a"], at.session_state["b"]]
        assert shown == [ids[n][:8] if n is not None else "" for n in pins]


def click(at, clicks: int) -> None:
    """What the chart's callback does; AppTest cannot fire it."""
    view = at.session_state["view"]
    from pages.shared.view import pinned

    state = at.session_state[f"marks_{clicks}"]
    variant = state["selection"][trade_off.PICK][0]["variant"]
    a, b = pinned((view.a or "")[:8], (view.b or "")[:8], variant[:8])
    at.session_state["a"], at.session_state["b"] = a, b
    at.run()
    assert not at.exception


def test_choosing_by_name_does_what_a_click_does(visit, variants: dict[str, str]) -> None:
    at = visit("trade_off")
    rns = variants[next(label for label in variants if label.startswith("RNS"))]
    at.selectbox(key="pin_by_name").select(rns).run()
    assert not at.exception
    assert at.session_state["a"] == rns[:8]
    assert "RNS" in text(at)
    at.selectbox(key="pin_by_name").select(rns).run()
    assert at.session_state["a"] == ""


def test_a_pin_opens_metrics_settings_and_the_learning_curve(visit, variants: dict[str, str]) -> None:
    at = visit("trade_off", a=next(iter(variants)))
    assert not at.error
    names = [column for table in at.dataframe for column in table.value.columns]
    assert {"Metric", "Mean", "Value"} <= set(names)


def test_a_pin_by_label_method_id_and_its_beginning(visit, variants: dict[str, str]) -> None:
    label, variant = next((k, v) for k, v in variants.items() if k.startswith("AUC-NS"))
    for name in (label, label.upper(), variant, variant[:8]):
        at = visit("trade_off", a=name)
        assert at.session_state["view"].a == variant
    assert visit("trade_off", a="auc").session_state["view"].a is None


def test_an_unknown_pin_is_told_and_can_be_freed(visit, tiny: DatasetInfo) -> None:
    at = visit("trade_off", a="deadbeef")
    assert "nothing finished here is called deadbeef" in "\n".join(str(m.value) for m in at.sidebar.markdown)
    at.button(key="unpin_a").click().run()
    assert at.session_state["a"] == ""


def test_numbers_chosen_on_test_are_labelled(visit, settings, tiny: DatasetInfo) -> None:
    from dataclasses import replace

    from tests.pages import results

    results.train(settings, tiny, replace(results.SHORT, protocol="paper", seeds=(0,)))
    for page in ("overview", "trade_off", "users"):
        at = visit(page, protocol="paper")
        assert not at.error
        assert "chosen on test" in text(at)
        assert at.session_state["view"].split == "test"
