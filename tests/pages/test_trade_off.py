"""The Trade-off page: points, pins, table, details; what a click does."""

import json
import re
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.charts import trade_off
from core.datasets.store import DatasetInfo
from core.jobs import artifacts
from core.warehouse import queries, verdicts
from core.warehouse.database import Warehouse
from tests.pages import results
from tests.pages.test_every_page import text


def spec(at, key: str) -> dict:
    found = [e for e in at.get("vega_lite_chart") if e.proto.id.find(key) >= 0 or key in str(e.key)]
    assert found, key
    return json.loads(found[0].proto.spec)


def rows(at):
    """The table of settings."""
    return next(table.value for table in at.dataframe if "front" in table.value)


def marks_of(at, layer: str) -> list[tuple[str, str]]:
    """Variant and label of each row of a layer."""
    name = next(one["data"]["name"] for one in spec(at, "marks_")["layer"] if one["name"] == layer)
    chart = next(chart for chart in at.get("vega_lite_chart") if name in chart.proto.spec)
    data = next(one.data.data for one in chart.proto.datasets if one.name == name)
    frame = pa.ipc.open_stream(data).read_pandas()
    return list(zip(frame["variant"], frame["label"], strict=True))


def drawn(at) -> set[str]:
    """Names of the chart's layers."""
    return {layer["name"] for layer in spec(at, "marks_")["layer"]}


@pytest.fixture
def third_seed(settings, tiny: DatasetInfo) -> None:
    """As many seeds as a verdict needs."""
    results.train(settings, tiny, replace(results.SHORT, seeds=(2,), baselines=()))


@pytest.fixture
def variants(settings, tiny: DatasetInfo) -> dict[str, str]:
    """Variant ids by label."""
    found = queries.variants(Warehouse.open(settings, own=False), tiny.id)
    return dict(zip(found["label"], found["variant"], strict=True))


def test_the_table_holds_every_setting_once(visit, tiny: DatasetInfo) -> None:
    table = rows(visit("trade_off"))
    assert len(table) == 5  # most popular, RNS, DNS, AUC-NS at two strengths
    assert set(table["seeds"]) == {1, 2}


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
    results.train(settings, tiny, replace(results.SHORT, protocol="paper", seeds=(0,)))
    for page in ("overview", "trade_off", "users"):
        at = visit(page, protocol="paper")
        assert not at.error
        assert "chosen on test" in text(at)
        assert at.session_state["view"].split == "test"


# ---------------------------------------------------------------- what chance leaves


def test_too_few_seeds_are_said_with_what_to_do(visit, tiny: DatasetInfo) -> None:
    at = visit("trade_off", split="test")
    assert "Not enough seeds to say what beats RNS" in text(at)
    said = "\n".join(str(c.value) for c in at.caption).replace("\\", "")
    assert "has 2 seeds: a verdict needs 3" in said
    assert "Train 3 seeds of it." in said
    table = rows(at)
    assert set(table["verdict"]) == {"baseline", "not enough seeds"}
    assert table[["y_from", "y_to", "x_from", "front"]].notna().all(axis=None)  # users are enough for these
    assert table["y_p"].isna().all()


def test_every_setting_has_its_verdict_with_three_seeds(visit, third_seed) -> None:
    at = visit("trade_off", split="test")
    table = rows(at).set_index("label")
    assert table.loc[table["seeds"] == 3].shape[0] >= 4
    (baseline,) = table.index[table["verdict"] == "baseline"]
    assert baseline.startswith("RNS")
    judged = table.drop(index=baseline)
    assert judged[["x_p", "y_p"]].notna().all(axis=None)
    assert (table["y_from"] < table["y"]).all()
    assert (table["y"] < table["y_to"]).all()
    assert table["front"].between(0, 1).all()
    counted = (judged["verdict"] == "win-win").sum()
    answer = next(said for m in at.markdown if "win-win against" in (said := str(m.value).replace("\\", "")))
    assert answer.startswith(f"**{counted or 'None'} of {len(judged)} settings")
    assert "95 % intervals over users" in " ".join(str(c.value) for c in at.caption)


def test_pins_and_the_recommended_one_have_intervals_however_many_settings_there_are(
    visit, third_seed, variants: dict[str, str], monkeypatch
) -> None:
    """As if all but the baseline were too far from the front to be resampled unasked."""
    monkeypatch.setattr(verdicts, "nearest", lambda means, x, y, baseline: [baseline] if baseline else [])
    at = visit("trade_off", a="most_popular", b="dns", budget="20")
    view = at.session_state["view"]
    (dashed,) = marks_of(at, "advised")
    found = rows(at).set_index("label")["y_from"]
    looked_at = {view.label(variant) for variant in (view.a, view.b, view.baseline, dashed[0])}
    assert set(found.index[found.notna()]) == looked_at
    assert f"Of 5 settings {len(looked_at)} are resampled" in text(at)


def test_chart_and_table_tell_the_same(visit, third_seed) -> None:
    at = visit("trade_off", split="test")
    table = rows(at).set_index("label")
    chart = spec(at, "marks_")
    assert {"interval_x", "interval_y", "seeds", "win_win", "lit"} <= drawn(at)
    marks = next(layer for layer in chart["layer"] if layer["name"] == "marks")
    assert [tip["field"] for tip in marks["encoding"]["tooltip"]][-2:] == ["against", "on_front"]
    assert not table.empty


@pytest.mark.parametrize(
    ("shown", "gone"),
    [
        ("seeds", {"interval_x", "interval_y", "win_win", "lit", "paths"}),
        ("intervals", {"seeds", "win_win", "lit", "paths"}),
        ("front", {"seeds", "interval_x", "interval_y", "win_win", "paths"}),
        ("win-win", {"seeds", "interval_x", "interval_y", "lit", "paths"}),
    ],
)
def test_each_pill_draws_its_own(visit, third_seed, shown: str, gone: set[str]) -> None:
    at = visit("trade_off", split="test")
    at.session_state["show"] = [shown]
    at.run()
    assert not at.exception
    assert not gone & drawn(at)
    assert {"marks", "better"} < drawn(at)


def test_another_baseline_is_the_corner_and_what_is_compared_with(visit, third_seed, variants: dict[str, str]) -> None:
    label, variant = next((k, v) for k, v in variants.items() if k.startswith("DNS"))
    at = visit("trade_off", split="test", baseline=variant)
    assert f"against {label}" in text(at).replace("\\", "")
    table = rows(at).set_index("label")
    assert table.loc[label, "verdict"] == "baseline"


def test_a_baseline_that_is_not_there_is_said(visit, tiny: DatasetInfo) -> None:
    at = visit("trade_off", split="test", baseline="cause")
    assert "The baseline has no finished run here" in text(at).replace("\\", "")
    assert "verdict" not in rows(at)
    assert "win_win" not in drawn(at)
    assert "interval_y" in drawn(at)


def test_a_metric_without_intervals_says_so(visit, third_seed) -> None:
    from core.evaluation.metrics import METRICS

    at = visit("trade_off", split="test", x=METRICS["pri"].title)
    assert "has no interval" in text(at)
    table = rows(at)
    assert table[["x_from", "x_to", "x_p", "front"]].isna().all(axis=None)
    assert table["y_from"].notna().all()
    assert "interval_x" not in drawn(at)
    assert re.search(r"No interval for .*\.", " ".join(str(c.value) for c in at.caption))


def test_the_seeds_of_a_row_open_below_it(visit, third_seed) -> None:
    at = visit("trade_off", split="test")
    assert "Choose a row to see its seeds." in [str(c.value) for c in at.caption]
    label = rows(at)["label"].iloc[1]
    at.session_state["rows"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    at.run()
    assert not at.exception
    seeds = next(table.value for table in at.dataframe if "seed" in table.value)
    assert seeds["seed"].tolist() == [0, 1, 2]
    mean = rows(at).set_index("label").loc[label]
    assert [seeds["x"].mean(), seeds["y"].mean()] == pytest.approx([mean["x"], mean["y"]])


def test_a_damaged_file_leaves_the_chart_and_says_which(visit, settings, tiny: DatasetInfo) -> None:
    run = next(settings.runs.glob("*/per_user.parquet"))
    run.write_bytes(b"no parquet")
    at = visit("trade_off", split="test")
    assert not at.error
    assert run.parent.name in "\n".join(str(w.value) for w in at.warning)
    assert len(rows(at)) == 5
    assert "marks" in drawn(at)
    assert "interval_y" not in drawn(at)


def test_runs_from_before_a_metric_are_named_where_it_is_drawn(visit, settings, third_seed, variants) -> None:
    """Their files lack it, and are whole otherwise."""
    label, old = next((label, variant) for label, variant in variants.items() if label.startswith("RNS"))
    for run in artifacts.finished_runs(settings):
        if artifacts.read_meta(settings, run)["variant"] == old:
            forget(settings, run, "lift")
    at = visit("trade_off", x="Popularity lift")
    assert not at.error and len(rows(at)) == 4
    said = "\n".join(str(caption.value) for caption in at.caption).replace("\\", "")
    assert f"Not drawn here: **{label}**. They have no value of one of the two metrics" in said
    assert "remove their runs and train them again" in said
    assert len(rows(visit("trade_off"))) == 5  # the metrics that it has


def forget(settings, run: str, name: str) -> None:
    """A run as it was before that metric."""
    folder = settings.runs / run
    metrics = pd.read_parquet(folder / "metrics.parquet")
    kept = metrics[~metrics["metric"].str.partition("@")[0].eq(name)]
    assert len(kept) < len(metrics)
    schema = pq.read_schema(folder / "metrics.parquet")
    pq.write_table(pa.Table.from_pandas(kept, schema, preserve_index=False), folder / "metrics.parquet")
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    meta["files"]["metrics.parquet"] = artifacts.checksum(folder / "metrics.parquet")
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")


def test_a_folder_that_cannot_be_read_is_told_on_every_page_with_numbers(visit, settings, tiny: DatasetInfo) -> None:
    run = artifacts.finished_runs(settings)[0]
    (settings.runs / run / "metrics.parquet").write_bytes(b"no Parquet")
    for page in ("trade_off", "users"):
        (told,) = [w.value for w in visit(page).warning if "cannot be read" in w.value]
        assert told.startswith("1 folder of results or data cannot be read") and "core doctor" in told
