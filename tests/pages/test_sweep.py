"""The Sweep page: the form, its presets and what it greys out; the plan in words; starting, watching, cancelling."""

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.datasets.store import DatasetInfo
from core.jobs import control
from core.jobs.queue import Queue, Report, State
from core.models.choices import BASELINES, METHODS
from core.models.combinations import Cell
from core.models.methods import grid_of
from core.models.sweep import DEFAULT_SWEEP, Sweep
from core.models.variant import Run, make_variant
from core.settings import Settings
from pages.shared import asking
from tests.pages import results
from tests.pages.test_every_page import text
from tests.tiny import tiny_dataset
from tests.warehouse import fake_runs

WITHOUT_ONE_BP = {"method_one_bp_auc_ns": "false"}


def test_the_plan_counts_before_anything_starts(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    at = visit("sweep")
    assert "**40 runs**: 0 cached, 0 under way, **40 to train**" in text(at)
    assert "14 settings, 3 seeds of each in which chance plays a part, on" in text(at)  # 13 times 3, and most popular
    assert Queue(settings).counts()[State.QUEUED] == 0


def test_settings_times_seeds_is_said_where_it_is_the_number_of_runs(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    at = visit("sweep", reference_most_popular="false")
    assert "**39 runs**" in text(at) and "13 settings × 3 seeds on" in text(at)


def test_what_is_trained_is_not_trained_again(visit, settings: Settings, tiny: DatasetInfo) -> None:
    short = {"set_epochs": "6", "set_dim": "8", "strength_auc_ns": ["0", "0.05", "0.2"], "seeds": "2"}
    at = visit("sweep", **short, **WITHOUT_ONE_BP)
    assert "**9 runs**: 9 cached, 0 under way, **0 to train**" in text(at)


def test_start_queues_the_plan_and_the_board_shows_it(visit, settings: Settings, no_worker: list[str]) -> None:
    tiny_dataset(settings)
    at = visit("sweep", strength_auc_ns=["0.05"], seeds="1", **WITHOUT_ONE_BP)
    next(b for b in at.button if b.label.startswith("Train 3 runs")).click().run()
    assert not at.exception
    assert not at.error
    assert no_worker == ["started"]
    assert len(Queue(settings).jobs(state=State.QUEUED)) == 3
    assert list(at.dataframe[0].value["State"]) == ["waiting"] * 3
    assert at.selectbox(key="sweep").value == "#1 sweep · 3 runs"
    at.button(key="cancel_all").click().run()
    assert list(at.dataframe[0].value["State"]) == ["cancelled"] * 3


def test_a_failed_run_shows_its_error_and_the_end_of_its_log(visit, settings: Settings) -> None:
    results.failed(settings, tiny_dataset(settings), "The loss is not a number.", "epoch 1\nepoch 2: loss nan")
    for page in ("sweep", "overview"):
        at = visit(page)
        assert "The loss is not a number" in at.error[0].value.replace("\\", "")
        assert "epoch 2: loss nan" in at.code[0].value


def test_one_job_can_be_retried_and_cancelled_without_the_table(
    visit, settings: Settings, no_worker: list[str]
) -> None:
    job = results.failed(settings, tiny_dataset(settings), "It broke.", "")
    at = visit("sweep")
    at.selectbox(key="one_job").select(job.id)
    at.button(key="one_Retry").click().run()
    assert Queue(settings).job(job.id).state == State.QUEUED
    at.button(key="one_Cancel").click().run()
    assert Queue(settings).job(job.id).state == State.CANCELLED


def test_pause_and_resume(visit, settings: Settings, no_worker: list[str]) -> None:
    info = tiny_dataset(settings)
    Queue(settings).add_sweep(info.id, results.SHORT, results.SHORT.runs(info.id))
    at = visit("sweep")
    at.button(key="pause").click().run()
    assert Queue(settings).paused
    assert "paused" in "\n".join(str(c.value) for c in at.sidebar.caption)
    assert "**9 waiting**, paused" in text(at)
    at.button(key="resume").click().run()
    assert not Queue(settings).paused


@pytest.mark.parametrize(("field", "value"), [("set_lr", "fast"), ("set_dim", "0"), ("strength_auc_ns", "-3")])
def test_a_setting_out_of_range_is_refused_in_words_and_cannot_be_started(
    visit, settings: Settings, field: str, value: str
) -> None:
    tiny_dataset(settings)
    at = visit("sweep", **{field: value})
    assert len(at.warning) == 1
    assert value in at.warning[0].value
    assert not [b for b in at.button if b.label.startswith("Train ")]


def test_the_board_turns_to_the_sweep_that_was_just_started(visit, settings: Settings, no_worker: list[str]) -> None:
    """Said in so many words: a browser goes on showing the sweep that it showed before."""
    info = tiny_dataset(settings)
    Queue(settings).add_sweep(info.id, results.SHORT, results.SHORT.runs(info.id))
    at = visit("sweep", strength_auc_ns=["0.1"], seeds="1", **WITHOUT_ONE_BP)
    assert at.selectbox(key="sweep").value == "#1 Short · 9 runs"
    next(b for b in at.button if b.label.startswith("Train 2 runs")).click().run()
    assert at.session_state["sweep"] == "#2 sweep · 3 runs"
    assert len(at.dataframe[0].value) == 3


def test_what_cannot_be_done_to_a_job_is_greyed(visit, settings: Settings, no_worker: list[str]) -> None:
    results.failed(settings, tiny_dataset(settings), "It broke.", "")
    at = visit("sweep")
    assert {a: at.button(key=f"one_{a}").disabled for a in ("Cancel", "Retry", "Log")} == {
        "Cancel": True,
        "Retry": False,
        "Log": False,
    }


def test_without_methods_and_references_there_is_nothing_to_start(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    off = dict.fromkeys((*map(asking.method_key, asking.DEFAULT_METHODS), "reference_most_popular"), "false")
    at = visit("sweep", **off)
    assert [b.disabled for b in at.button if b.label.startswith("Choose at least one")] == [True]


# ---------------------------------------------------------------- presets


def press(at: AppTest, label: str) -> AppTest:
    next(b for b in at.button if b.label == label).click().run()
    assert not at.exception
    assert not at.error
    return at


@pytest.mark.parametrize(
    ("label", "runs"),
    [
        ("Quick look", 6),  # most popular, RNS, and DNS and AUC-NS with and without OneBP, one seed
        ("Default comparison", len(DEFAULT_SWEEP.runs("d"))),
    ],
)
def test_a_preset_fills_the_form_whatever_it_held(visit, settings: Settings, label: str, runs: int) -> None:
    tiny_dataset(settings)
    held = {"method_bc": "true", "encoder_lightgcn": "true", "set_lr": "0.5", "reference_ease": "true", "seeds": "5"}
    at = press(visit("sweep", **held), label)
    assert f"**{runs} runs**" in text(at)
    assert not at.checkbox(key="method_bc").value
    assert not at.checkbox(key="encoder_lightgcn").value
    assert at.text_input(key="set_lr").value == ""


def test_all_methods_and_references_are_planned_at_once(visit, settings: Settings) -> None:
    """Every method over its strengths, and each of them re-ranked at every one: hundreds of runs."""
    tiny_dataset(settings)
    at = press(visit("sweep"), "Both papers, all methods")
    assert all(at.checkbox(key=asking.method_key(m)).value for m in METHODS)
    assert all(at.checkbox(key=asking.reference_key(b)).value for b in BASELINES)
    grids = tuple(grid_of(m, {}, {}, asking.usual_values(m)) for m in METHODS)
    trained = Sweep(grids).variants("d")
    penalties = len([v for v in asking.usual_values("pop_penalty") if v != "0"])
    without_chance, random = 3, 1
    runs = 3 * (len(trained) * (1 + penalties) + random) + without_chance
    assert f"**{runs} runs**: 0 cached" in text(at)
    assert not at.warning


def test_a_fine_grid_asks_for_ten_strengths_around_a(visit, settings: Settings, tiny: DatasetInfo) -> None:
    at = visit("sweep", a="AUC-NS β 0.05, dim 8, epochs 6", reference_ease="true")
    press(at, "Fine grid around A")
    assert [m for m in METHODS if at.checkbox(key=asking.method_key(m)).value] == ["auc_ns"]
    values = [float(value) for value in at.multiselect(key="strength_auc_ns").value]
    assert len(values) == 10
    assert (min(values), max(values)) == (0.025, 0.1)
    assert 0.05 in values
    assert (at.text_input(key="set_dim").value, at.text_input(key="set_epochs").value) == ("8", "6")
    assert "Changed in the settings: dim 8; epochs 6." in text(at).replace("\\", "")  # they are folded
    assert "**30 runs**: 2 cached" in text(at)  # A itself was trained with two of the three seeds


@pytest.mark.parametrize(
    ("pin", "words"), [({}, "Pin A first"), ({"a": "rns"}, "RNS, dim 8, epochs 6, which is pinned as A, has no")]
)
def test_a_fine_grid_says_why_there_is_none(visit, settings: Settings, tiny: DatasetInfo, pin, words: str) -> None:
    button = next(b for b in visit("sweep", **pin).button if b.label == "Fine grid around A")
    assert button.disabled
    assert words in button.help.replace("\\", "")


def test_a_fine_grid_around_a_penalty_re_ranks_a(visit, settings: Settings) -> None:
    info = tiny_dataset(settings)
    grid = {"sampler": ["auc_ns"], "beta": [0.1], "epochs": [6], "dim": [8], "penalty_strength": [0.2]}
    results.train(settings, info, Sweep((grid,), ("pop_penalty",), (0,)))
    at = visit("sweep", a="AUC-NS β 0.1, dim 8, epochs 6, popularity penalty 0.2", seeds="1")
    press(at, "Fine grid around A")
    assert at.checkbox(key="reference_pop_penalty").value
    assert at.multiselect(key="strength_auc_ns").value == ["0.1"]
    assert "**11 runs**: 2 cached" in text(at)


# ---------------------------------------------------------------- what cannot be combined


SAM = Cell("mf", "dns", "sam_reg", "two_bp", "adam").refusal


def test_what_cannot_be_combined_is_greyed_with_the_sentence(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    at = visit("sweep", method_sam_reg="true")
    dns = at.checkbox(key="sampler_dns")
    assert dns.disabled
    assert dns.help.replace("\\", "") == SAM
    assert not at.checkbox(key="sampler_rns").disabled
    one = at.checkbox(key="duplicates_one")
    assert one.disabled
    assert "steps pair by pair" in one.help


def test_a_method_is_greyed_by_what_it_would_be_crossed_with(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    at = visit("sweep", method_bc="true", sampler_rns="false", sampler_dns="true")
    greyed = {m: at.checkbox(key=asking.method_key(m)).disabled for m in METHODS}
    assert [m for m, off in greyed.items() if off] == ["sam_reg"]
    assert at.checkbox(key="method_sam_reg").help.replace("\\", "") == SAM


def test_a_setting_that_gives_it_a_meaning_ungreys_it(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    at = visit("sweep", method_sam_reg="true", sam_on="false", sam_off="true")
    assert not at.checkbox(key="sampler_dns").disabled


def test_a_link_that_asks_for_a_refused_combination_shows_the_sentence(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    at = visit("sweep", method_sam_reg="true", sampler_dns="true")
    assert [w.value.replace("\\", "") for w in at.warning] == [SAM]
    assert not [b for b in at.button if b.label.startswith("Train ")]
    dns = at.checkbox(key="sampler_dns")
    assert dns.value
    assert not dns.disabled  # so that it can be taken back
    del at.query_params["sampler_dns"]  # which a browser does with the click
    dns.uncheck().run()
    assert not at.warning
    assert at.checkbox(key="sampler_dns").disabled


@pytest.mark.parametrize(
    "nonsense",
    [
        {"method_rns": "perhaps", "encoder_mf": "3", "reference_ease": "", "seeds": "-1"},
        {"strength_auc_ns": ["nan", "1e999"], "strength_pop_penalty": ["x"], "reference_pop_penalty": "true"},
        {"set_lr_decay": "20", "method_infonce": "true", "optimizer_adam": "true"},
    ],
    ids=["boxes", "strengths", "settings"],
)
def test_nonsense_in_the_address_ends_in_words(visit, settings: Settings, nonsense) -> None:
    tiny_dataset(settings)
    at = visit("sweep", **nonsense)
    assert not at.error
    assert len(at.warning) == ("method_rns" not in nonsense)


# ---------------------------------------------------------------- settings


def test_settings_are_shown_where_they_are_used(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    at = visit("sweep", method_auc_ns="false", method_one_bp_auc_ns="false")
    keys = {box.key for box in at.text_input}
    assert {"set_lr", "set_dim", "set_tau"} <= keys
    assert not {"set_alpha", "set_batch", "set_lr_decay", "set_layers", "set_warm_up", "set_beta"} & keys
    at.checkbox(key="encoder_lightgcn").check().run()
    at.checkbox(key="method_bc").check().run()
    keys = {box.key for box in at.text_input}
    assert {"set_batch", "set_lr_decay", "set_layers", "set_warm_up"} <= keys


def test_tested_defaults_stand_in_the_empty_fields(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    at = visit("sweep", method_auc_ns="false", method_one_bp_auc_ns="false")
    rns = make_variant("d")
    assert at.text_input(key="set_lr").placeholder == str(rns.lr)
    assert at.text_input(key="set_init_sigma").placeholder == str(rns.init_sigma)


def test_a_schedule_has_spaces_inside_and_commas_between(visit, settings: Settings, no_worker: list[str]) -> None:
    tiny_dataset(settings)
    steps = {"optimizer_adam": "true", "set_lr_decay": "20:0.1 60:0.1, 30:0.5", "seeds": "1"}
    at = visit("sweep", method_auc_ns="false", reference_most_popular="false", **steps, **WITHOUT_ONE_BP)
    assert "**2 runs**" in text(at)
    next(b for b in at.button if b.label.startswith("Train ")).click().run()
    jobs = Queue(settings).jobs(state=State.QUEUED)
    assert {Run.from_json(job.payload).variant.lr_decay for job in jobs} == {"20:0.1 60:0.1", "30:0.5"}


def test_methods_are_crossed_with_modules(visit, settings: Settings) -> None:
    """InfoNCE and DNS, each with both encoders; InfoNCE with two samplers, DNS with BPR alone."""
    tiny_dataset(settings)
    off = dict.fromkeys(("method_rns", "method_auc_ns", "method_one_bp_auc_ns", "reference_most_popular"), "false")
    crossed = {"method_infonce": "true", "method_dns": "true", "encoder_lightgcn": "true", "sampler_pns": "true"}
    at = visit("sweep", seeds="1", **off, **crossed)
    assert f"**{2 * 2 + 2} runs**" in text(at)


def test_a_reference_has_its_own_setting(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    off = dict.fromkeys(map(asking.method_key, asking.DEFAULT_METHODS), "false")
    at = visit("sweep", reference_ease="true", strength_ease=["100", "500"], reference_most_popular="false", **off)
    assert "**2 runs**" in text(at)
    assert "Weight of EASE's penalty" in {box.label for box in at.multiselect}


def test_the_penalty_re_ranks_the_default_where_no_method_is_chosen(visit, settings: Settings) -> None:
    tiny_dataset(settings)
    off = dict.fromkeys((*map(asking.method_key, asking.DEFAULT_METHODS), "reference_most_popular"), "false")
    at = visit("sweep", reference_pop_penalty="true", strength_pop_penalty=["0.1"], seeds="1", **off)
    runs = control.runs_of(
        settings, tiny_dataset(settings).id, Sweep(({"penalty_strength": ["0.1"]},), ("pop_penalty",))
    )
    assert f"**{len({run.variant.id for run in runs})} run" in text(at)


def test_every_group_has_its_methods_and_together_they_are_all() -> None:
    assert sorted(m for _, group in asking.GROUPS.values() for m in group) == sorted(METHODS)
    assert DEFAULT_SWEEP.variants("d") == Sweep(
        tuple(grid_of(m, {}, {}, asking.usual_values(m)) for m in asking.DEFAULT_METHODS),
        tuple(asking.DEFAULT_REFERENCES),
    ).variants("d")


# ---------------------------------------------------------------- jobs


def test_the_board_asks_for_no_job_one_by_one(
    visit, settings: Settings, no_worker: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of hundreds that wait for what they re-rank: a query each took seconds, every two seconds."""
    info = tiny_dataset(settings)
    sweep = Sweep(({"sampler": ["rns", "dns"]}, {"penalty_strength": ["0.1", "0.2", "0.3"]}), ("pop_penalty",), (0, 1))
    control.request_sweep(settings, info.id, sweep)
    asked: list[int] = []
    one_by_one = Queue.job
    monkeypatch.setattr(Queue, "job", lambda self, number: asked.append(number) or one_by_one(self, number))
    at = visit("sweep")
    waiting = [now for now in at.dataframe[0].value["Now"] if now == "waits for the run that it re-ranks"]
    assert len(waiting) == 2 * 3 * 2
    assert asked == []


def test_what_is_done_is_measured_at_the_chosen_epoch_and_what_runs_at_the_latest(visit, settings: Settings) -> None:
    """The last epoch's value of a finished run would disagree with Runs and the trade-off."""
    info = tiny_dataset(settings)
    queue, rns = Queue(settings), make_variant(info.id, sampler="rns")
    queue.add_sweep(info.id, Sweep(), [Run(rns, n) for n in range(4)])
    for seed, latest in enumerate((0.2, 0.3, 0.4)):
        job = queue.claim()
        queue.relay([(job, Report(share=0.5, epoch=3, epochs=6, metric=latest))])
        if seed == 0:
            fake_runs.write_run(settings, rns, 0, {"validation": {"ndcg@10": 0.25}, "test": {"ndcg@10": 0.1}})
            queue.finish(job)
        elif seed == 1:
            queue.fail(job, "diverged")
    shown = visit("sweep").dataframe[0].value["NDCG@10"]
    assert [None if pd.isna(value) else value for value in shown] == [0.25, 0.3, 0.4, None]
    runs = visit("runs").dataframe[0].value
    assert list(runs[runs["state"] == "done"]["metric"]) == [0.25]


def test_time_left_is_measuring_until_it_is_known(visit, settings: Settings, no_worker: list[str]) -> None:
    info = tiny_dataset(settings)
    Queue(settings).add_sweep(info.id, results.SHORT, results.SHORT.runs(info.id))
    at = visit("sweep")
    assert "measuring time left" in text(at)
