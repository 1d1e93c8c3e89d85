"""What is trained: every published row twice, at the settings that the papers give, and only what is asked for."""

import pytest

from core.datasets.catalogue import CATALOGUE
from core.errors import Unknown
from core.models.variant import make_variant
from core.reproduction.plan import AUTHORS, DATASETS, PARTS, TUNED, TUNED_SETTINGS, make_plan
from core.reproduction.published import MEASURES, ML_1M, ML_100K

WHOLE = make_plan()


def line(part, method, settings, quick=False):
    [found] = [
        each
        for each in make_plan((part,), quick).lines
        if (each.method, each.settings) == (method, settings)
    ]  # fmt: skip
    return found


def test_the_published_tables_are_whole():
    assert [row.encoder for row in ML_100K] == ["mf"] * 10 + ["lightgcn"] * 10
    assert {row.method for row in ML_100K if row.encoder == "mf"} == {
        row.method for row in ML_100K if row.encoder == "lightgcn"
    }
    for row in ML_100K:
        assert tuple(row.figures) == MEASURES
        assert all(0 < value < 1 for value in row.figures.values())
        assert row.sic <= set(MEASURES)
    assert [(row.encoder, row.method, sorted(row.sic)) for row in ML_100K if row.sic] == [
        ("mf", "IPS-CN", ["ndcg@10"]),
        ("lightgcn", "CausE", ["ocr@10", "ohr@10"]),
    ]
    assert len(ML_1M) == 6


@pytest.mark.parametrize("row", [r for r in ML_100K if not r.sic], ids=lambda r: f"{r.encoder} {r.method}")
def test_a_published_row_agrees_with_itself(row):
    """F1 is between the harmonic mean's bounds, and precision, recall and F1 rise together: a slip of typing shows."""
    precision, recall, f1 = (row.figures[f"{m}@10"] for m in ("precision", "recall", "f1"))
    assert min(precision, recall) - 0.01 < f1 < 2 * precision * recall / (precision + recall)
    assert row.figures["ndcg@10"] > precision


def test_every_published_row_is_trained_at_both_settings():
    asked = {(each.encoder, each.method, each.settings) for each in WHOLE.lines if each.published}
    assert asked == {(row.encoder, row.method, s) for row in ML_100K for s in (AUTHORS, TUNED)}
    assert {each.part for each in WHOLE.lines} == set(PARTS)


def test_every_row_is_a_variant_of_its_own_under_protocol_paper():
    """Among the tables of a paper; the OneBP part may look less often, which makes another variant of the same."""
    for part in PARTS:
        variants = [each.variant("d") for each in WHOLE.lines if each.part == part]
        assert len({v.id for v in variants}) == len(variants)
        assert {v.protocol for v in variants} == {"paper"}


def test_a_sweep_holds_exactly_the_rows():
    for name in WHOLE.datasets:
        sweep = WHOLE.sweep(name)
        assert [v.id for v in sweep.variants("d")] == [each.variant("d").id for each in WHOLE.lines_of(name)]
        assert (sweep.seeds, sweep.protocol) == ((0, 1, 2), "paper")
    assert len(WHOLE.sweep("ml-100k-papers").runs("d")) == (2 * 20 + 4) * 3


@pytest.mark.parametrize("row", ML_100K, ids=lambda r: f"{r.encoder} {r.method}")
def test_the_modules_of_a_row_are_its_methods(row):
    method = make_variant("d", "paper", **row.modules)
    assert method.method_label.replace("LightGCN + ", "").split(" β")[0] == row.method or row.method == "RNS"
    assert method.encoder == row.encoder


def test_the_authors_settings_are_those_of_the_papers():
    mf = line("mf", "AUC-NS", AUTHORS).variant("d")
    assert (mf.optimizer, mf.l2_form, mf.init_sigma, mf.dim, mf.epochs) == ("adam", "dense", "xavier", 32, 100)
    assert (mf.batch, mf.l2, mf.lr, mf.lr_decay) == (128, 1e-4, 0.1, "20:0.1 60:0.1 80:0.1")
    assert (mf.alpha, mf.beta, mf.gamma, mf.candidates, mf.references) == (0.6, 0.025, 0.006, 5, 10)
    assert (mf.eval_every, mf.early_stopping) == (1, 0)
    graph = line("lightgcn", "AUC-NS", AUTHORS).variant("d")
    assert (graph.batch, graph.l2, graph.layers, graph.alpha, graph.early_stopping) == (1024, 1e-5, 2, 0.75, 25)
    for part, batch in (("mf", 128), ("lightgcn", 1024)):
        rows = [each.variant("d") for each in make_plan((part,)).lines if each.settings == AUTHORS]
        assert {(v.batch, v.lr, v.optimizer, v.encoder) for v in rows} == {(batch, 0.1, "adam", part)}


def test_one_bp_differs_from_its_reference_by_the_updating_alone():
    one, two = (line("one_bp", method, AUTHORS).variant("d").used() for method in ("OneBP", "two-sided"))
    assert {k: v for k, v in one.items() if two.get(k) != v} == {
        "updater": "one_bp", "aggregation": 0.99, "duplicates": "one",
    }  # fmt: skip
    assert (one["loss"], one["negatives"], one["tau"], one["epochs"]) == ("infonce", 5, 1.0, 2000)
    assert (one["lr"], one["l2"], one["batch"], one["dim"], one["optimizer"]) == (5e-4, 1e-5, 1024, 32, "adam")


def test_tuned_rows_name_their_modules_and_when_they_stop():
    for each in make_plan(("mf", "lightgcn")).lines:
        if each.settings == TUNED:
            more = TUNED_SETTINGS.get((each.part, each.method), {})
            assert each.fields == {**each.published.modules, "early_stopping": 25, **more}


def test_gowalla_has_the_main_methods_of_both_papers():
    methods = [each.variant("d").method for each in make_plan(("gowalla",)).lines]
    assert set(methods) >= {"rns", "dns", "auc_ns", "one_bp+auc_ns"}
    assert make_plan(("gowalla",)).datasets == ("gowalla",)


def test_only_what_is_asked_for():
    assert make_plan(("one_bp", "mf")).parts == ("mf", "one_bp")
    assert make_plan(quick=True).parts == ("mf", "lightgcn", "one_bp")
    with pytest.raises(Unknown, match=r"There is no part of the reproduction 'lightgnc'\. Did you mean lightgcn"):
        make_plan(("lightgnc",))


def test_quick_is_other_runs_with_fewer_rows_epochs_and_seeds():
    quick = make_plan(quick=True)
    assert quick.seeds == (0,)
    assert len(quick.sweep("ml-100k-papers").runs("d")) == 2 * (3 + 2 + 2)
    assert line("mf", "AUC-NS", AUTHORS, quick=True).variant("d").epochs == 25
    assert line("one_bp", "OneBP", AUTHORS, quick=True).variant("d").epochs == 50
    whole = {v.id for name in WHOLE.datasets for v in WHOLE.sweep(name).variants("d")}
    shortened = [each.variant("d") for each in quick.lines if "epochs" in each.fields and each.settings == AUTHORS]
    assert shortened and not whole & {v.id for v in shortened}
    assert all((v.epochs or 0) <= 50 or v.engine == "compiled" for v in (each.variant("d") for each in quick.lines))


def test_its_data_sets_are_known():
    assert set(DATASETS) <= set(CATALOGUE)
    assert {part.dataset for part in PARTS.values()} == set(DATASETS)
