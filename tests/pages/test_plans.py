"""Plans on the Sweep page: what is asked for can be saved, and a file is asked for instead of the form."""

from collections.abc import Callable

import pytest
import streamlit as st

from core.jobs.queue import Queue
from core.models.plan import parse_plan, plan_text
from core.models.sweep import DEFAULT_SWEEP, Sweep
from core.settings import Settings
from tests.pages.conftest import Open
from tests.pages.test_every_page import text
from tests.tiny import tiny_dataset

PLAN = Sweep(({"sampler": ["auc_ns"], "beta": [0.1, 0.2], "epochs": [1]},), ("most_popular",), (0, 4), name="Again")


def test_what_the_form_asks_for_can_be_saved(visit: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: dict[str, Callable[[], bytes]] = {}
    monkeypatch.setattr(st, "download_button", lambda label, data, name, *_, **__: saved.update({name: data}))
    info = tiny_dataset(settings)
    visit("sweep")
    plan = parse_plan(saved["plan-tiny.toml"](), "plan.toml")
    assert (plan.dataset, plan.dataset_id) == ("tiny", info.id)
    assert {r.id for r in plan.sweep.runs(info.id)} == {r.id for r in DEFAULT_SWEEP.runs(info.id)}


def test_a_file_is_asked_for_instead_of_the_form(visit: Open, settings: Settings, no_worker: list[str]) -> None:
    info = tiny_dataset(settings)
    at = visit("sweep")
    at.file_uploader(key="plan_file").upload("plan.toml", plan_text(PLAN, "tiny", info.id).encode()).run()
    assert not at.exception
    assert "**5 runs**" in text(at)
    assert "**Again** is asked for, not the form" in text(at)
    asked = at.dataframe[0].value
    assert dict(zip(asked["What"], asked["Values"], strict=True)) == {
        "references": "Most popular", "seeds": "0, 4", "protocol": "chosen on validation",
        "sampler": "AUC-NS", "beta": "0.1, 0.2", "epochs": "1",
    }  # fmt: skip
    assert not [box for box in at.checkbox if (box.key or "").startswith("method_")]
    next(button for button in at.button if button.label == "Train 5 runs").click().run()
    assert {job.run for job in Queue(settings).jobs()} == {run.id for run in PLAN.runs(info.id)}


def test_a_plan_of_other_data_says_on_what_it_is_trained(visit: Open, settings: Settings) -> None:
    tiny_dataset(settings)
    at = visit("sweep")
    at.file_uploader(key="plan_file").upload("p.toml", plan_text(PLAN, "<b>elsewhere", "0" * 16).encode()).run()
    warning = next(w.value for w in at.warning if "another data set" in w.value)
    assert "\\<b\\>elsewhere" in warning  # shown as it is
    assert "on Tiny" in warning


def test_a_damaged_plan_is_told_and_the_form_stays(visit: Open, settings: Settings) -> None:
    tiny_dataset(settings)
    at = visit("sweep")
    at.file_uploader(key="plan_file").upload("p.toml", b"seeds = [0").run()
    assert not at.exception
    assert any("it is no plan" in w.value.replace("\\", "") for w in at.warning)
    assert any((box.key or "").startswith("method_") for box in at.checkbox)
