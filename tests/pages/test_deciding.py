"""The rule, its recommendation, and the decision: judged on validation, test figures once it is saved."""

from dataclasses import replace

import pyarrow as pa
import pytest

from core.charts.decision import PREMATURE
from core.datasets.store import DatasetInfo
from core.decisions import store
from core.decisions.rule import Rule
from core.warehouse import decide, queries
from core.warehouse.database import Warehouse
from pages.shared import deciding, filtering
from tests.pages import results
from tests.pages.test_trade_off import drawn, marks_of, rows, spec


@pytest.fixture
def decidable(settings, tiny: DatasetInfo) -> DatasetInfo:
    """Three seeds of everything."""
    results.train(settings, tiny, replace(results.SHORT, seeds=(2,), baselines=()))
    return tiny


def told(at) -> str:
    return "\n".join(str(block.value) for kind in ("markdown", "caption") for block in at.main.get(kind))


def marks(at) -> dict[str, bool]:
    """Variant to: is its mark grey?"""
    name = next(layer["data"]["name"] for layer in spec(at, "marks_")["layer"] if layer["name"] == "marks")
    chart = next(chart for chart in at.get("vega_lite_chart") if name in chart.proto.spec)
    data = next(one.data.data for one in chart.proto.datasets if one.name == name)
    frame = pa.ipc.open_stream(data).read_pandas()
    return dict(zip(frame["variant"], frame["outside"], strict=True))


def recommended(settings, info: DatasetInfo, rule: Rule) -> tuple[str | None, str]:
    w = Warehouse.open(settings, own=False)
    found = queries.variants(w, info.id)
    base = found.loc[found["method"] == "rns", "variant"].iloc[0]
    return decide.judged(w, info.id, rule, base).recommended, base


def test_the_page_recommends_what_the_rule_does(visit, settings, decidable: DatasetInfo) -> None:
    rule = Rule("give_up", 20, "ndcg@10", "aplt@10")
    best, _ = recommended(settings, decidable, rule)
    at = visit("trade_off", budget="20")
    label = at.session_state["view"].label(best)
    assert f"**{label}**" in told(at).replace("\\", "") and "keep" in told(at)
    assert "advised" in drawn(at)
    assert at.session_state["view"].rule == rule


def test_what_does_not_keep_is_grey_whatever_split_is_shown(visit, settings, decidable: DatasetInfo) -> None:
    rule = Rule("give_up", 0, "ndcg@10", "aplt@10")
    w = Warehouse.open(settings, own=False)
    outside = decide.judged(w, decidable.id, rule, recommended(settings, decidable, rule)[1]).outside
    for split in ("validation", "test"):
        at = visit("trade_off", budget="0", split=split)
        assert {variant for variant, grey in marks(at).items() if grey} == outside - {
            v for v in outside if v not in marks(at)
        }


def test_a_target_waits_for_its_number_and_other_metrics_free_it(visit, decidable: DatasetInfo) -> None:
    at = visit("trade_off", rule="Target")
    assert at.session_state["view"].rule is None and "advised" not in drawn(at)
    assert "**The target has no number yet**" in told(at) and "RNS, dim 8, epochs 6 has 0" in told(at)
    at.number_input(key="target").set_value(0.01).run()
    assert at.session_state["view"].rule == Rule("reach", 0.01, "ndcg@10", "aplt@10")
    assert "has no number yet" not in told(at)
    at.selectbox(key="x").set_value("Gini of exposure").run()
    assert at.session_state["view"].rule is None
    assert not at.exception


def test_without_a_rule_there_is_no_card(visit, decidable: DatasetInfo) -> None:
    at = visit("trade_off", rule="No rule")
    assert "chosen on validation]" not in told(at) and not any(marks(at).values())


def test_test_figures_appear_once_it_is_saved_and_a_pin_reveals_none(visit, settings, decidable: DatasetInfo) -> None:
    at = visit("trade_off", budget="20")
    (sentence,) = [block.value for block in at.code]
    assert "validation split" in sentence and "test split" not in sentence
    at.button(key="pin_recommended").click().run()
    assert "test split" not in at.code[0].value
    at.text_area(key=deciding.NOTE).set_value("agreed with <b>sales</b>").run()
    at.button(key="save_decision").click().run()
    assert not at.exception and not at.error
    (kept,) = store.decisions(settings)
    rule = Rule("give_up", 20, "ndcg@10", "aplt@10")
    best, base = recommended(settings, decidable, rule)
    assert (kept.rule, kept.variant, kept.baseline, kept.note) == (rule, best, base, "agreed with <b>sales</b>")
    assert {row["split"] for row in kept.figures} == {"validation", "test"}
    found = decide.figures(Warehouse.open(settings, own=False), decidable.id, rule, base, str(best), "test")
    figures = {row["metric"]: row["value"] for row in kept.figures if row["split"] == "test"}
    assert figures == pytest.approx(dict(zip(found["metric"], found["value"], strict=True)))
    assert ["validation split" in block.value for block in at.code] == [True, False]
    assert "test split" in at.code[1].value
    assert not [button for button in at.button if button.key == "save_decision"]
    other = visit("trade_off", budget="21")
    assert "test split" not in other.code[0].value  # another rule is another decision


def test_test_figures_before_a_decision_are_said_to_be_too_early(visit, settings, decidable: DatasetInfo) -> None:
    assert PREMATURE not in told(visit("trade_off", budget="20"))
    for parameters in ({"budget": "20"}, {"rule": "No rule"}):
        assert PREMATURE in told(visit("trade_off", split="test", **parameters))
    at = visit("trade_off", split="test", budget="20")
    at.button(key="save_decision").click().run()
    assert PREMATURE not in told(at)


def test_the_overview_has_the_decision_and_can_forget_it(visit, settings, decidable: DatasetInfo) -> None:
    at = visit("trade_off", budget="20")
    at.button(key="save_decision").click().run()
    (kept,) = store.decisions(settings)
    at = visit()
    said = told(at).replace("\\", "")
    assert f"**{kept.label}** on" in said and "test split" in said and "give up at most 20 %" in said
    at.button(key=f"forget_{kept.id}").click().run()
    assert store.decisions(settings) == [] and not at.exception
    at.button(key="undo_decision").click().run()
    assert store.decisions(settings) == [kept]


def test_other_protocols_have_nothing_to_decide_on(visit, settings, decidable: DatasetInfo) -> None:
    results.train(settings, decidable, replace(results.SHORT, protocol="paper", seeds=(0,)))
    at = visit("trade_off", protocol="paper")
    assert "leaves nothing to choose on" in told(at) and not any(marks(at).values())


@pytest.mark.parametrize("amount", ["-5", "1e9", "nan", "x"])
def test_a_bad_amount_in_the_address_does_no_harm(visit, decidable: DatasetInfo, amount: str) -> None:
    at = visit("trade_off", budget=amount)
    assert not at.error and (rule := at.session_state["view"].rule) and rule.amount == 1.0


# ---------------------------------------------------------------- the filter


def test_ranges_and_methods_limit_chart_and_table_alike(visit, decidable: DatasetInfo) -> None:
    whole = rows(visit("trade_off"))
    limit = whole["x"].median()
    at = visit("trade_off", within=f"x ..{limit}", baseline="most_popular")
    kept = rows(at)
    assert set(kept["label"]) == set(whole.loc[whole["x"] <= limit, "label"])
    assert f"Showing {len(kept)} of {len(whole)} settings" in told(at)
    at.multiselect(key="hide").set_value(["auc_ns"]).run()
    assert not any(label.startswith("AUC-NS") for label in rows(at)["label"])
    at.button(key="clear_filter").click().run()
    assert len(rows(at)) == len(whole) and not at.exception


def test_a_path_that_begins_at_a_method_that_is_left_out_begins_later(visit, decidable: DatasetInfo) -> None:
    """AUC-NS begins at DNS: without DNS there is no line from where no mark is, and no seed of it."""
    at = visit("trade_off", hide="DNS")
    shown = dict(marks_of(at, "paths"))
    assert not any(label.startswith("DNS") for label in shown.values()) and len(shown) == 3
    assert not any(label.startswith("DNS") for _, label in marks_of(at, "seeds"))


def test_the_baseline_and_pins_stay(visit, decidable: DatasetInfo) -> None:
    at = visit("trade_off", within="y 2..", a="most_popular")
    assert sorted(label.split(",")[0] for label in rows(at)["label"]) == ["Most popular", "RNS"]
    assert "Showing 0 of 5 settings, and the baseline and A, which the filter would leave out." in told(at)


def test_a_filter_that_leaves_nothing_can_be_lifted(visit, decidable: DatasetInfo) -> None:
    at = visit("trade_off", within="y 2..", baseline="gone")
    assert any("leaves nothing" in info.value for info in at.info)
    at.button(key="clear_filter").click().run()
    assert len(rows(at)) == 5


def test_a_brush_fills_both_ranges_in_at_once(monkeypatch) -> None:
    """Widened to four digits, so that marks on its edge stay inside; one text, so that Back undoes it at once."""
    state = {"within": "y 0.1..0.2"}
    monkeypatch.setattr(filtering.st, "session_state", state)
    filtering.brushed({"x": [0.0512349, 0.0101]})
    assert state == {"within": "x 0.0101..0.05124 y 0.1..0.2"}
    filtering.brushed({"x": [0.0512349, 0.0101], "y": [0.39999, 0.45]})
    assert state == {"within": "x 0.0101..0.05124 y 0.3999..0.45"}
    filtering.brushed({"x": [-2e-7, 1e-05], "y": []})
    assert state["within"].startswith("x -2e-07..1e-05 y")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x 0.01..0.03 y 0.19..", (0.01, 0.03, 0.19, None)),
        ("y=..2, X=-.5..1e-3", (-0.5, 0.001, None, 2)),
        ("x1..2", (1, 2, None, None)),
        ("x nan..inf; drop table", (None, None, None, None)),
        ("0.1..0.2", (None, None, None, None)),
        (None, (None, None, None, None)),
    ],
)
def test_ranges_are_read_and_written(text: str | None, found: tuple[float | None, ...]) -> None:
    assert filtering.ranges(text) == dict(zip(filtering.ENDS, found, strict=True))
    assert filtering.ranges(filtering.written(filtering.ranges(text))) == filtering.ranges(text)


def test_a_range_in_the_address_is_in_the_fields_and_what_is_typed_there_is_in_the_text(visit, decidable) -> None:
    at = visit("trade_off", within="x ..0.9 y 0.01..")
    assert [at.number_input(key=end).value for end in filtering.ENDS] == [None, 0.9, 0.01, None]
    at.number_input(key="y_max").set_value(0.5).run()
    assert at.text_input(key="within").value == "x ..0.9 y 0.01..0.5"
    at.text_input(key="within").set_value("").run()
    assert [at.number_input(key=end).value for end in filtering.ENDS] == [None] * 4


def test_links_with_a_parameter_for_each_end_still_open(visit, decidable: DatasetInfo) -> None:
    at = visit("trade_off", y_min="0.01", x_max="0.9")
    assert at.text_input(key="within").value == "x ..0.9 y 0.01.."
    assert not {"y_min", "x_max"} & at.query_params.keys()


def test_another_metric_frees_its_ranges(visit, decidable: DatasetInfo) -> None:
    at = visit("trade_off", within="x ..0.9 y 0.01..")
    at.selectbox(key="y").set_value("Recall").run()
    assert at.session_state["y_min"] is None and at.session_state["x_max"] == 0.9
