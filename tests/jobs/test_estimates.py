import json
from dataclasses import replace

import pytest

from core.jobs.estimates import Estimator, Timing, read_estimator
from core.models.variant import Variant, make_variant
from core.settings import Settings

HERE, ELSEWHERE = "a" * 16, "b" * 16


def variant(**choices) -> Variant:
    return make_variant(HERE, **{"sampler": "rns", "epochs": 100, "dim": 32, **choices})


def timing(**changes) -> Timing:
    known = Timing(HERE, "rns", 32, interactions=1000, epoch_seconds=0.1, epochs_share=0.5, overhead=2.0)
    return replace(known, **changes)


def test_an_alike_run_tells_the_time():
    # overhead and half of 100 epochs
    assert Estimator([timing()]).seconds(variant(), 1000) == pytest.approx(2 + 0.1 * 100 * 0.5)


def test_the_median_is_not_moved_by_one_slow_run():
    slow = timing(epoch_seconds=50.0, overhead=100.0)
    assert Estimator([timing(), slow, timing()]).seconds(variant(), 1000) == pytest.approx(2 + 0.1 * 100 * 0.5)


@pytest.mark.parametrize(
    ("timings", "expected"),
    [
        ([timing(dim=64, epoch_seconds=0.2), timing()], 0.1),  # the same dimension rather than another
        ([timing(dataset=ELSEWHERE, epoch_seconds=0.2), timing(dim=64)], 0.1),  # the same data rather than others
        ([timing(dataset=ELSEWHERE, interactions=500)], 0.1 * 1000 / 500),  # scaled by interactions
        ([timing(dataset=ELSEWHERE, dim=64)], 0.1),
    ],
)
def test_the_most_alike_counts(timings, expected):
    assert Estimator(timings).seconds(variant(), 1000) == pytest.approx(2 + expected * 100 * 0.5)


def test_an_untimed_method_is_unknown_and_an_untimed_baseline_nothing():
    assert Estimator([]).seconds(variant(), 1000) is None
    assert Estimator([timing()]).seconds(variant(sampler="dns"), 1000) is None
    assert Estimator([timing()]).seconds(make_variant(HERE, baseline="most_popular"), 1000) == 2.0
    assert Estimator([]).seconds(make_variant(HERE, baseline="most_popular"), 1000) == 0.0


def test_a_re_ranking_takes_as_long_as_the_one_before_whatever_epochs_it_re_ranks():
    known = timing(method="pop_penalty", epoch_seconds=0.3, epochs_share=1.0)
    penalty = make_variant(HERE, baseline="pop_penalty", epochs=500)
    assert Estimator([known]).seconds(penalty, 1000) == pytest.approx(2 + 0.3)


def test_timings_are_read_from_finished_runs_and_damaged_ones_passed_over(settings: Settings):
    meta = {
        "format_version": 1, "run": "c" * 16, "variant": "d" * 16, "label": "RNS", "seed": 0, "protocol": "validation",
        "epoch": 40, "files": {}, "fields": {"dim": 32, "epochs": 100}, "dataset": HERE, "method": "rns",
        "interactions": 1000, "seconds": 5.0, "epochs_run": 50, "overhead": 2.0,
    }  # fmt: skip
    fields = {"baseline": "pop_penalty", "dim": 32, "epochs": 500}
    penalty = {"fields": fields, "method": "pop_penalty", "epochs_run": 0, "seconds": 0.3}
    for name, text in {
        "c" * 16: json.dumps(meta),
        "d" * 16: json.dumps(meta | penalty),
        "e" * 16: "{",
        "f" * 16: json.dumps(meta | {"seconds": None}),
    }.items():
        (settings.runs / name).mkdir(parents=True)
        (settings.runs / name / "meta.json").write_text(text, "utf-8")
    assert read_estimator(settings).seconds(variant(), 1000) == pytest.approx(2 + 0.1 * 100 * 0.5)
    again = make_variant(HERE, baseline="pop_penalty", epochs=50)
    assert read_estimator(settings).seconds(again, 1000) == pytest.approx(2 + 0.3)
