"""Verdicts of the trade-off chart's points: the same as a study of all at once, and read once."""

import shutil

import numpy as np
import pandas as pd
import pytest

from core.decisions.rule import Rule
from core.errors import DamagedArtifact
from core.models.variant import make_variant
from core.uncertainty.win_win import LABELS
from core.warehouse import decide, per_user, queries, verdicts
from core.warehouse.database import Warehouse
from tests.warehouse.fake_runs import write_run
from tests.warehouse.hand import hand_dataset

USERS = "abcd"
ASKED = ("test", "validation", "aplt@10", "ndcg@10")


def write(settings, variant, seed, ndcg, aplt=0.1, **more):
    """A run with these NDCG@10 of users a to d, and APLT@10 the same for all."""
    of_users = {u: {"ndcg@10": n, "aplt@10": aplt + n / 100} for u, n in zip(USERS, ndcg, strict=True)}
    means = {"ndcg@10": float(np.mean(ndcg)), "aplt@10": aplt + float(np.mean(ndcg)) / 100, "pri": 0.3}
    lists = {u: ["i2", "i3"] for u in USERS}
    write_run(
        settings, variant, seed, per_user={"test": of_users}, metrics={"test": means}, lists={"test": lists}, **more
    )


@pytest.fixture
def here(settings):
    """The warehouse, the data set, and the ids of RNS (3 seeds), DNS (3 seeds, better on both) and PNS (2 seeds)."""
    dataset = hand_dataset(settings).id
    rns, dns, pns = (make_variant(dataset, sampler=sampler) for sampler in ("rns", "dns", "pns"))
    for seed in range(3):
        write(settings, rns, seed, np.array([0.1, 0.2, 0.3, 0.15]) + seed / 1000)
        write(settings, dns, seed, np.array([0.7, 0.81, 0.9, 0.76]) + seed / 1000, aplt=0.3)
    for seed in range(2):
        write(settings, pns, seed, np.array([0.2, 0.1, 0.3, 0.2]) + seed / 1000)
    write(settings, rns, 0, [0.0] * 4, bootstrap=1)  # a replicate is no seed
    return Warehouse.open(settings, own=False), dataset, rns.id, dns.id, pns.id


def by_variant(frame) -> pd.DataFrame:
    return frame.set_index("variant")


def test_they_are_those_of_a_study_of_all_variants(here):
    w, dataset, rns, dns, pns = here
    found = by_variant(verdicts.verdicts(w, dataset, *ASKED, rns))
    whole = per_user.study(w, sorted([rns, dns, pns]), ["aplt@10", "ndcg@10"])
    for axis, metric in (("x", "aplt@10"), ("y", "ndcg@10")):
        for row in whole.intervals(metric):
            ends = found.loc[row["variant"], [f"{axis}_from", f"{axis}_to"]].tolist()
            assert ends == pytest.approx([row["low"], row["high"]], abs=1e-6)
        for row in whole.compare(metric, rns):
            got = found.loc[row["variant"]]
            names = ("difference", "difference_low", "difference_high", "p")
            expected = [row["difference"], row["low"], row["high"], row["p_holm"]]
            expected = [np.nan if value is None else value for value in expected]
            assert [got[f"{axis}_{n}"] for n in names] == pytest.approx(expected, abs=1e-6, nan_ok=True)
    labels = {row["variant"]: row for row in whole.win_win("ndcg@10", "aplt@10", rns)}
    assert found["verdict"].to_dict() == {v: row["label"] for v, row in labels.items()}
    assert found["front"].to_dict() == pytest.approx({v: row["front"] for v, row in labels.items()}, abs=1e-3)
    assert found["verdict"].to_dict() == {rns: "baseline", dns: "win-win", pns: "not enough seeds"}
    assert set(found["verdict"]) <= set(LABELS)


def test_a_metric_without_resamples_has_no_interval_and_no_verdict(here):
    w, dataset, rns, dns, _ = here
    found = by_variant(verdicts.verdicts(w, dataset, "test", "validation", "pri", "ndcg@10", rns))
    assert found.loc[dns, "verdict"] == "no interval"
    assert found[["x_from", "x_to", "x_p", "front"]].isna().all(axis=None)
    assert found["y_from"].notna().all()
    assert found.loc[dns, "y_p"] < 0.05
    assert found.loc[dns, "x_difference"] == pytest.approx(0)


@pytest.mark.parametrize("baseline", [None, "0" * 16])
def test_without_a_baseline_there_are_intervals_and_the_front_only(here, baseline):
    w, dataset, *_ = here
    found = verdicts.verdicts(w, dataset, *ASKED, baseline)
    assert found["verdict"].isna().all()
    assert found[["x_from", "y_to", "front"]].notna().all(axis=None)


def test_without_points_there_are_columns(here):
    w, dataset, *_ = here
    empty = verdicts.verdicts(w, dataset, "validation", "validation", "aplt@10", "ndcg@10", None)
    assert empty.empty
    assert list(empty) == list(verdicts.verdicts(w, dataset, *ASKED, None))


@pytest.fixture
def read(monkeypatch):
    """Which variants and metrics were read, call by call."""
    calls = []
    original = per_user.study

    def study(w, variants, metrics, split):
        calls.append((sorted(variants), sorted(metrics)))
        return original(w, variants, metrics, split)

    monkeypatch.setattr(per_user, "study", study)
    return calls


def test_what_was_read_is_not_read_again(here, read):
    w, dataset, rns, dns, pns = here
    every = sorted([rns, dns, pns])
    first = verdicts.verdicts(w, dataset, *ASKED, rns)
    assert read == [(every, ["aplt@10", "ndcg@10"])]  # both metrics in one reading
    pd.testing.assert_frame_equal(verdicts.verdicts(w, dataset, *ASKED, rns), first)
    verdicts.verdicts(w, dataset, *ASKED, dns)
    assert len(read) == 1
    verdicts.verdicts(w, dataset, "test", "validation", "pri", "ndcg@10", rns)
    assert read[1:] == [(every, ["pri"])]


def test_a_further_seed_costs_its_own_variant_and_changes_no_other(here, read, settings):
    w, dataset, rns, dns, pns = here
    before = by_variant(verdicts.verdicts(w, dataset, *ASKED, rns))
    variant = make_variant(dataset, sampler="pns")
    write(settings, variant, 2, [0.2, 0.1, 0.35, 0.2])
    w.refresh()
    after = by_variant(verdicts.verdicts(w, dataset, *ASKED, rns))
    assert read[1:] == [([pns], ["aplt@10", "ndcg@10"])]
    ends = ["x_from", "x_to", "y_from", "y_to"]
    pd.testing.assert_frame_equal(after.loc[[rns, dns], ends], before.loc[[rns, dns], ends])
    assert after.loc[pns, "verdict"] != "not enough seeds"


def test_a_run_that_was_measured_anew_is_read_anew(here, read, settings):
    w, dataset, rns, dns, _ = here
    verdicts.verdicts(w, dataset, *ASKED, rns)
    run = queries.variants(w, dataset).set_index("variant").loc[dns, "runs"][0]
    shutil.rmtree(settings.runs / run)
    w.refresh()
    write(settings, make_variant(dataset, sampler="dns"), 0, [0.9, 0.9, 0.9, 0.9], aplt=0.4)
    w.refresh()
    found = by_variant(verdicts.verdicts(w, dataset, *ASKED, rns))
    assert read[-1][0] == [dns]
    points = queries.trade_off(w, dataset, *ASKED).set_index("variant")
    assert found.loc[dns, "x_difference"] == pytest.approx(points.loc[dns, "x"] - points.loc[rns, "x"])


def test_what_is_kept_is_bounded(here, read, monkeypatch):
    w, dataset, rns, *_ = here
    monkeypatch.setattr(verdicts, "KEPT_BYTES", 1)
    monkeypatch.setattr(verdicts, "KEPT_ANSWERS", 0)
    found = verdicts.verdicts(w, dataset, *ASKED, rns)
    pd.testing.assert_frame_equal(verdicts.verdicts(w, dataset, *ASKED, rns), found)
    assert len(read) > 1


def test_a_damaged_file_names_its_run(here, settings):
    w, dataset, rns, dns, _ = here
    run = queries.variants(w, dataset).set_index("variant").loc[dns, "runs"][0]
    (settings.runs / run / "per_user.parquet").write_bytes(b"no parquet")
    with pytest.raises(DamagedArtifact, match=run):
        verdicts.verdicts(w, dataset, *ASKED, rns)


# ---------------------------------------------------------------- of many, the nearest to the front


def test_of_many_the_fronts_are_taken_one_after_the_other_and_the_baseline_stays():
    means = pd.DataFrame({"x": [3.0, 2, 1, 2, 1, 0.5, 0], "y": [1.0, 2, 3, 1, 2, 0.5, 0]}, index=list("abcdefg"))
    assert verdicts.nearest(means, 1, 1, most=7) == list("abcdefg")
    assert verdicts.nearest(means, 1, 1, most=3) == list("abc")
    assert verdicts.nearest(means, 1, 1, "g", most=4) == list("abcg")
    assert verdicts.nearest(means, 1, 1, most=4) == list("abce")  # of the second front the better by y
    assert verdicts.nearest(means, -1, -1, most=2) == list("fg")  # g dominates all, then f


def test_those_that_are_not_resampled_count_in_the_correction_and_have_no_row(here, monkeypatch):
    w, dataset, rns, dns, pns = here
    whole = by_variant(verdicts.verdicts(w, dataset, *ASKED, rns))
    verdicts.forget()
    monkeypatch.setattr(verdicts, "nearest", lambda *_: [rns, dns])
    some = by_variant(verdicts.verdicts(w, dataset, *ASKED, rns))
    assert set(some.index) == {rns, dns}
    # PNS has too few seeds for a p of its own, so that whole is not corrected for it: that is what is doubled
    assert some.loc[dns, "y_p"] == pytest.approx(2 * whole.loc[dns, "y_p"])
    assert some.loc[dns, "y_difference"] == whole.loc[dns, "y_difference"]
    assert pns in whole.index


def test_what_is_looked_at_is_resampled_too(here, read, monkeypatch):
    w, dataset, rns, dns, pns = here
    whole = by_variant(verdicts.verdicts(w, dataset, *ASKED, rns))
    verdicts.forget()
    monkeypatch.setattr(verdicts, "nearest", lambda *_: [rns, dns])
    found = by_variant(verdicts.verdicts(w, dataset, *ASKED, rns, (pns, dns, "0" * 16)))
    pd.testing.assert_frame_equal(found.sort_index(), whole.sort_index())
    before = len(read)
    assert set(verdicts.verdicts(w, dataset, *ASKED, rns, (dns,))["variant"]) == {rns, dns}
    assert len(read) == before


def test_what_a_rule_recommends_has_its_verdict_however_far_it_is(here, settings, monkeypatch):
    """The recommendation is by means; its verdict and its figures must be there all the same."""
    w, dataset, rns, dns, pns = here
    monkeypatch.setattr(verdicts, "nearest", lambda *_: [rns, pns])
    monkeypatch.setattr(decide, "CHOSEN_ON", "test")  # the runs of this file have values on test alone
    rule = Rule("give_up", 1, "ndcg@10", "aplt@10")
    judged = decide.judged(w, dataset, rule, rns)
    assert judged.recommended == dns
    row = judged.rows.set_index("variant").loc[dns]
    assert (row["wanted"], row["wanted_p"] < 0.05) == ("better", True)
    figures = decide.figures(w, dataset, rule, rns, dns, "test")
    assert figures[["low", "high", "difference_low", "p"]].notna().all(axis=None)


def test_an_answer_is_computed_once_and_nobody_changes_it_for_others(here, monkeypatch):
    w, dataset, rns, *_ = here
    first = verdicts.verdicts(w, dataset, *ASKED, rns)
    first.loc[:, "front"] = -1.0
    monkeypatch.setattr(verdicts, "_study", None)
    again = verdicts.verdicts(w, dataset, *ASKED, rns)
    assert (again["front"] >= 0).all()
