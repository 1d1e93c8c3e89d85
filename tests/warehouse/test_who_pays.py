"""Who pays, from runs' files: by hand on five users, and on trained runs against the runs' own metrics.

      i0  i1  i2  i3  i4        train counts: i0 4, i1 3, i2 2, i3 1, i4 0; hot: i0 alone
a      +   +   t                diverse: half of the profile is hot; mean popularity 3.5
b      +   t                    blockbuster: all of it;                              4
c      +       +   t            diverse: half of it;                                 3
d      +   +   +   t   t        diverse: a third of it;                              3
e      t   +       +            niche: nothing of it;                                2
"""

import numpy as np
import pyarrow as pa
import pytest

from core.datasets import store
from core.datasets.prepared import Description, Prepared
from core.datasets.store import read_dataset
from core.errors import DamagedArtifact, Refused, Unknown
from core.evaluation.groups import USER_GROUPS
from core.models.variant import make_variant
from core.uncertainty.bootstrap import resample_means
from core.uncertainty.relative import relative_changes
from core.uncertainty.verdict import holm
from core.uncertainty.weights import user_weights
from core.warehouse import queries
from core.warehouse.database import Warehouse
from core.warehouse.per_user import asked, facts_of, per_user_values
from core.warehouse.who_pays import BY_DECILE, BY_GROUP, by_decile, by_user_group
from tests.pages import results
from tests.tiny import tiny_dataset
from tests.warehouse.fake_runs import write_run

TABLE = {"a": "++t  ", "b": "+t   ", "c": "+ +t ", "d": "+++tt", "e": "t+ + "}
NAN = float("nan")


def dataset_of(settings):
    """The data set above, published; its id."""
    pairs = [(u, i, mark) for u, row in enumerate(TABLE.values()) for i, mark in enumerate(row) if mark != " "]
    users, items, marks = zip(*pairs, strict=True)
    prepared = Prepared(
        about=Description("five", "Five", source="tests", prepared_how="by hand", notes=()),
        user_ids=pa.array(list(TABLE)),
        item_ids=pa.array([f"i{n}" for n in range(5)]),
        users=np.array(users, np.int32),
        items=np.array(items, np.int32),
        splits=np.array([{"+": 0, "t": 2}[mark] for mark in marks], np.int8),
        ratings=np.full(len(pairs), 4.0),
        timestamps=np.arange(len(pairs)),
        attributes={},
    )
    return store.publish(settings, prepared).id


def run(ndcg, popularity, **lists):
    """What a run has of a, b, c, d, e on test."""
    of_users = zip(TABLE, ndcg, popularity, strict=True)
    return {
        "per_user": {"test": {user: {"ndcg@10": n, "arp@5": p} for user, n, p in of_users}},
        "metrics": {"test": {"ndcg@10": float(np.mean(ndcg)), "gini@10": 0.5}},
        "lists": {"test": lists},
    }


@pytest.fixture
def here(settings):
    """The warehouse over a baseline with two seeds and a variant with one; their ids."""
    dataset = dataset_of(settings)
    base, other = make_variant(dataset, sampler="rns"), make_variant(dataset, sampler="dns")
    lists = {"a": ["i2", "i3"], "b": ["i2", "i1"], "c": ["i1"], "d": ["i4", "i1"], "e": ["i0"]}
    write_run(settings, base, 0, **run([0.2, 0.5, 0.3, 0.1, 0.4], [3, 2, 3, 2, 3], **lists))
    lists = {"a": ["i2"], "b": ["i1"], "d": ["i3", "i4"], "e": ["i0"]}
    write_run(settings, base, 1, **run([0.4, 0.5, 0.3, 0.3, 0.2], [3, 2, NAN, 1, 4], **lists))
    lists = {user: ["i4"] for user in TABLE}
    write_run(settings, other, 0, **run([0.2, 0.6, 0.3, 0.1, 0.15], [1, 1, 1, 1, 1], **lists))
    write_run(settings, base, 0, bootstrap=1, **run([1] * 5, [9] * 5))
    return Warehouse.open(settings, own=False), base.id, other.id


def test_groups_by_hand(here):
    w, base, other = here
    found = by_user_group(w, [base, other], "ndcg@10", 5)
    assert tuple(found) == BY_GROUP
    assert found["variant"].tolist() == [base] * 3 + [other] * 3
    assert found["baseline"].tolist() == [True] * 3 + [False] * 3
    assert found["user_group"].tolist() == [*USER_GROUPS] * 2
    assert found["users"].tolist() == [1, 3, 1] * 2
    assert found["seeds"].tolist() == [2] * 3 + [1] * 3
    diverse = ((0.2 + 0.3 + 0.1) / 3 + (0.4 + 0.3 + 0.3) / 3) / 2
    assert found["value"].tolist() == pytest.approx([0.3, diverse, 0.5, 0.15, 0.2, 0.6])
    relative = [0.15 / 0.3 - 1, 0.2 / diverse - 1, 0.6 / 0.5 - 1]
    assert found["relative"].tolist() == pytest.approx([NAN] * 3 + relative, nan_ok=True)
    assert found["verdict"].fillna("").tolist() == [""] * 3 + ["not enough seeds"] * 3
    assert found["over"].fillna("").tolist() == [""] * 3 + ["users"] * 3


def test_lift_by_hand(here):
    w, base, other = here
    found = by_user_group(w, [base, other], "ndcg@10", 5)
    niche = ((3 - 2) / 2 + (4 - 2) / 2) / 2
    diverse = ((8 - 9.5) / 9.5 + (4 - 6.5) / 6.5) / 2  # c has no list in the second run
    assert found["lift"].tolist() == pytest.approx([niche, diverse, -0.5, -0.5, 3 / 9.5 - 1, -0.75])


def test_a_group_of_one_user_has_no_interval(here):
    w, base, other = here
    found = by_user_group(w, [base, other], "ndcg@10", 5).set_index(["variant", "user_group"])
    alone = found.loc[(other, "niche")]
    assert np.isnan([alone["low"], alone["high"], alone["lift_low"], alone["lift_high"]]).all()
    together = found.loc[(other, "diverse")]
    assert together["low"] <= together["relative"] <= together["high"]
    assert together["lift_low"] <= together["lift"] <= together["lift_high"]


def test_deciles_by_hand(here):
    w, base, other = here
    found = by_decile(w, [base, other], 5)
    assert tuple(found) == BY_DECILE
    assert found["decile"].tolist() == [*range(1, 11)] * 2
    of_base = found[found["variant"] == base]
    of_base = of_base[of_base["items"] > 0]  # five items are in five of the ten deciles: i4, i3, i2, i1, i0
    assert of_base["items"].tolist() == [1] * 5
    assert of_base["held_out"].tolist() == [1, 2, 1, 1, 1]
    assert of_base["hits"].tolist() == [1, (0 + 1) / 2, 1, 1, 1]
    assert of_base["recall"].tolist() == pytest.approx([1, 1 / 4, 1, 1, 1])
    first, second = np.array([1, 1, 2, 3, 1]) / 8, np.array([1, 1, 1, 1, 1]) / 5
    assert of_base["share"].tolist() == pytest.approx(((first + second) / 2).tolist())
    assert of_base["train_share"].tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert of_base["test_share"].tolist() == pytest.approx([1 / 6, 2 / 6, 1 / 6, 1 / 6, 1 / 6])
    empty = found[found["items"] == 0]
    assert empty["recall"].isna().all()
    of_other = found[(found["variant"] == other) & (found["items"] > 0)]
    assert of_other["share"].tolist() == [1, 0, 0, 0, 0]


def test_what_cannot_be_told_is_refused(settings, here):
    w, base, other = here
    with pytest.raises(Refused, match="gini@10 is no accuracy metric"):
        by_user_group(w, [base, other], "gini@10", 5)
    with pytest.raises(Unknown, match="no stored metric 'recall@5'"):
        by_user_group(w, [base, other], "recall@5", 5)
    with pytest.raises(Unknown, match="no cutoff '7'"):
        by_decile(w, [base, other], 7)
    with pytest.raises(Refused, match="each once"):
        by_decile(w, [base, base], 5)
    with pytest.raises(Refused, match="no results on validation"):
        by_decile(w, [base, other], 5, "validation")
    path = settings.runs / asked(w, [other]).runs[0][0]
    (path / "per_user.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DamagedArtifact, match=path.name):
        by_user_group(w, [base, other], "ndcg@10", 5)


def planted(settings, info, loss, blockbuster_gain=0.0):
    """A baseline and a variant with three seeds each, whose niche users lose that share; the group of each user."""
    base, other = make_variant(info.id, sampler="rns"), make_variant(info.id, sampler="dns")
    write_run(settings, base, 9)
    w = Warehouse.open(settings, own=False)
    dataset = read_dataset(info.folder)
    users = np.flatnonzero(dataset.test.lengths())
    _, known = facts_of(w, asked(w, [base.id]), "test", users)
    rng = np.random.default_rng(1)
    level = rng.uniform(0.2, 0.6, len(users))
    change = {"niche": 1 - loss, "diverse": 1.0, "blockbuster": 1 + blockbuster_gain}
    factor = np.array([change[group] for group in known.groups])
    for variant, times in ((base, 1.0), (other, factor)):
        for seed in range(3):
            values = level * times + rng.normal(0, 0.01, len(users))
            per_user = {
                str(dataset.user_ids[u]): {"ndcg@10": v, "arp@10": 10.0} for u, v in zip(users, values, strict=True)
            }
            write_run(settings, variant, seed, {"test": {"ndcg@10": float(values.mean())}}, per_user={"test": per_user})
    w.refresh()
    return w, base.id, other.id


def test_the_group_that_loses_is_told_with_its_interval(settings):
    w, base, other = planted(settings, tiny_dataset(settings), 0.3, 0.2)
    dropped = asked(w, [base])  # the run with seed 9 has no per-user values, and adds nothing
    assert len(dropped.runs[0]) == 4
    found = by_user_group(w, [base, other], "ndcg@10", 10).set_index(["variant", "user_group"]).loc[other]
    assert found["verdict"].to_dict() == {
        "niche": "worse", "diverse": "not distinguishable", "blockbuster": "better",
    }  # fmt: skip
    assert set(found["over"]) == {"users and seeds"}
    assert found.loc["niche", "low"] < -0.3 + 0.05
    assert found.loc["niche", "high"] < -0.2
    assert found.loc["diverse", "low"] < 0 < found.loc["diverse", "high"]
    np.testing.assert_allclose(found["p_holm"], holm(found["p"].to_numpy()))


def test_each_group_is_resampled_as_if_alone(settings):
    w, base, other = planted(settings, tiny_dataset(settings), 0.1)
    found = by_user_group(w, [base, other], "ndcg@10", 10).set_index(["variant", "user_group"]).loc[other]
    which = asked(w, [base, other])
    users = np.flatnonzero(read_dataset(next(settings.datasets.iterdir())).test.lengths())
    _, known = facts_of(w, which, "test", users)
    values = per_user_values(w, which, ["ndcg@10"], "test", users)["ndcg@10"]
    weights = user_weights(len(users), which.dataset)
    for group in USER_GROUPS:
        members = known.groups == group
        alone = resample_means(np.where(members, values, np.nan), weights)
        expected = relative_changes(type(alone)(alone.values, alone.draws, int(members.sum())), 0)
        row = found.loc[group]
        assert (row["relative"], row["low"], row["high"], row["p"]) == pytest.approx(
            (expected.difference[1], max(expected.low[1], -1), expected.high[1], expected.p[1]), rel=1e-6
        )


@pytest.mark.parametrize("split", ["validation", "test"])
def test_trained_runs_have_the_lift_and_exposure_that_they_measured(settings, split):
    info = tiny_dataset(settings)
    results.train(settings, info)
    w = Warehouse.open(settings, own=False)
    ids = queries.variants(w, info.id)["variant"].tolist()
    stored = queries.variant_metrics(w, info.id, split, "validation").set_index(["variant", "metric"])["mean"]
    by_group = by_user_group(w, ids, "recall@10", 10, split)
    for row in by_group.itertuples():
        assert row.lift == pytest.approx(stored[row.variant, f"lift_{row.user_group}@10"], rel=1e-6)
    for variant, rows in by_group.groupby("variant"):
        mean = (rows["value"] * rows["users"]).sum() / rows["users"].sum()
        assert mean == pytest.approx(stored[variant, "recall@10"], rel=1e-6)
    of_items = by_decile(w, ids, 10, split)
    exposure = queries.exposure(w, info.id, split, "validation", ids)
    np.testing.assert_allclose(of_items["share"], exposure["share"])
    np.testing.assert_allclose(of_items["train_share"], exposure["train_share"])
    if split == "test":
        np.testing.assert_allclose(of_items["test_share"], exposure["test_share"])
    for _, rows in of_items.groupby("variant"):
        assert rows["share"].sum() == pytest.approx(1)
