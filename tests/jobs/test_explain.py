"""What AUC-NS does on a finished run, as frames: read from the store, complete, bounded, refused where senseless."""

import dataclasses

import numpy as np
import pytest

from core.datasets.acquire import acquire
from core.datasets.interactions import Interactions
from core.datasets.simulated import liked_if_not_taken
from core.datasets.store import find_dataset
from core.errors import Refused, Unknown
from core.evaluation.groups import deciles, hot_items
from core.jobs import artifacts, explain
from core.models.choices import SAMPLERS
from core.models.knobs import Knobs, own_knobs
from core.models.scorers import GatedFactors
from core.models.sweep import Sweep
from core.models.variant import make_variant
from core.settings import Settings
from tests.pages import results
from tests.tiny import ITEMS, USERS, tiny_dataset

KNOBS = Knobs(beta=0.05, alpha=0.7, gamma=0.2, candidates=4, references=6)
GRIDS = (
    {"sampler": ["auc_ns"], "beta": [0.05], "epochs": [4], "dim": [8]},
    {"sampler": ["rns"], "epochs": [4], "dim": [8]},
)


@pytest.fixture
def runs(settings: Settings) -> dict[str, str]:
    """A run of each method, by method."""
    info = tiny_dataset(settings)
    sweep = Sweep(grids=GRIDS, baselines=("most_popular",), seeds=(0,), name="explain")
    return {artifacts.read_meta(settings, run)["method"]: run for run in results.train(settings, info, sweep)}


@pytest.fixture
def subject(settings: Settings, runs: dict[str, str]) -> explain.Subject:
    return explain.read_subject(settings, runs["auc_ns"])


# --- reading


def test_a_run_is_read_with_its_titles_and_its_popularity(settings, runs, subject) -> None:
    factors = artifacts.read_scorer(settings, runs["auc_ns"])
    assert (subject.state.users == factors.users).all()
    assert (subject.state.items == factors.items).all()
    assert subject.titles[3] == "Title 3"
    assert subject.popularity.sum() == len(subject.fitted)
    assert subject.number_of("u07") == 7
    assert own_knobs(subject.variant).beta == 0.05
    with pytest.raises(Unknown, match="user"):
        subject.number_of("nobody")


def test_what_was_trained_on_is_what_is_counted(settings, runs, subject) -> None:
    info = tiny_dataset(settings)
    [paper] = results.train(settings, info, Sweep(grids=GRIDS[:1], seeds=(0,), protocol="paper", name="paper"))
    other = explain.read_subject(settings, paper)
    assert len(other.fitted) == len(subject.fitted) + info.validation
    assert other.popularity.sum() == len(other.fitted)


def test_a_run_without_embeddings_is_refused(settings, runs) -> None:
    with pytest.raises(Refused, match="no embeddings"):
        explain.read_subject(settings, runs["most_popular"])
    with pytest.raises(Unknown, match="run"):
        explain.read_subject(settings, "0" * 16)


def test_samplers_see_the_dot_product_whatever_the_score(settings, runs, monkeypatch) -> None:
    users, items = np.ones((USERS, 2), np.float32), np.full((ITEMS, 2), 0.5, np.float32)
    gates = np.zeros(USERS, np.float32), np.zeros(ITEMS, np.float32)
    monkeypatch.setattr(explain, "read_scorer", lambda *_: GatedFactors(users, items, *gates, 30.0))
    found = explain.choice(explain.read_subject(settings, runs["auc_ns"]), KNOBS, "u07", 0)
    assert (found.items["score"] == 1.0).all()


# --- the pieces


def test_priors(subject) -> None:
    frame = explain.priors(subject, 0.07)
    assert sorted(set(frame["beta"])) == sorted({*explain.SHOWN_BETAS, 0.07})
    own = frame[frame["beta"] == 0.07]
    share = own["popularity"].to_numpy() * USERS / subject.popularity.sum()
    np.testing.assert_allclose(own["prior"], share**0.07)
    assert set(np.round(own["popularity"] * USERS)) == set(subject.popularity)


def test_posteriors(subject) -> None:
    frame = explain.posteriors(subject, KNOBS)
    levels = frame.drop_duplicates("level")
    assert list(levels["level"]) == ["hot", "middle", "cold"]
    assert levels["popularity"].is_monotonic_decreasing
    assert levels["popularity"].min() > 0
    for _, rows in frame.groupby("level"):
        assert rows.sort_values("F")["posterior"].is_monotonic_decreasing
    hot = frame[frame["level"] == "hot"].iloc[0]
    P, alpha = (hot["popularity"] * USERS / subject.popularity.sum()) ** KNOBS.beta, KNOBS.alpha
    assert hot["F"] == 0
    assert hot["posterior"] == pytest.approx(alpha * P / (alpha * P + (1 - alpha) * (1 - P)))


# --- one pair


def test_a_choice_has_every_candidate_and_what_was_drawn(subject) -> None:
    found = explain.choice(subject, KNOBS, "u07", 0)
    items = found.items
    row = subject.fitted.row(7)
    assert found.of == len(items) == ITEMS - len(row)
    assert set(items["title"]) == {f"Title {n}" for n in range(ITEMS)} - {f"Title {n}" for n in row}
    assert items["times"].sum() == KNOBS.candidates
    assert items["gain"].is_monotonic_increasing
    assert items["best"].sum() == items["taken"].sum() == 1
    assert items.loc[items["best"], "gain"].item() == items["gain"].max()
    assert items.loc[items["taken"], "gain"].item() == items.loc[items["times"] > 0, "gain"].max()
    number = {f"Title {n}": n for n in range(ITEMS)}
    hot = hot_items(subject.popularity)
    assert [bool(h) for h in items["hot"]] == [bool(hot[number[title]]) for title in items["title"]]
    dots = subject.state.items[[number[title] for title in items["title"]]] @ subject.state.users[7]
    np.testing.assert_allclose(items["score"], dots, rtol=1e-5, atol=1e-6)


def test_another_draw_is_another_and_the_same_is_the_same(subject) -> None:
    one, same, other = (explain.choice(subject, KNOBS, "u07", draw).items for draw in (0, 0, 1))
    assert one.equals(same)
    assert set(one.loc[one["times"] > 0, "title"]) != set(other.loc[other["times"] > 0, "title"])


def test_of_many_candidates_those_that_matter_are_shown(subject, monkeypatch) -> None:
    whole = explain.choice(subject, KNOBS, "u07", 0)
    monkeypatch.setattr(explain, "DRAWN_MARKS", 20)
    found = explain.choice(subject, KNOBS, "u07", 0)
    assert found.of == whole.of > 20
    assert len(found.items) == 20
    for column in ("best", "taken"):
        assert (
            found.items.loc[found.items[column], "title"].item() == whole.items.loc[whole.items[column], "title"].item()
        )
    assert found.items["times"].sum() == KNOBS.candidates
    assert set(whole.items["title"].tail(10)) <= set(found.items["title"])


# --- many pairs


def test_the_path_begins_and_ends_at_dns(subject) -> None:
    path = explain.beta_path(subject, KNOBS)
    points = path.points.set_index("beta")
    assert path.pairs == explain.USERS * explain.PAIRS_EACH
    assert path.never == (subject.popularity == 0).sum()
    assert {*explain.BETAS, KNOBS.beta} == set(points.index)
    assert points.index.is_monotonic_increasing
    assert points.loc[0.0, "agreement"] == 1
    assert points.loc[10.0, "agreement"] == 1
    assert points["agreement"].min() < 1
    assert points.loc[10.0, "popularity"] == points.loc[0.0, "popularity"]
    assert points.loc[10.0, "hot"] == points.loc[0.0, "hot"]


def test_the_path_is_of_the_same_draws_whatever_is_turned(subject) -> None:
    one, other = (explain.beta_path(subject, dataclasses.replace(KNOBS, alpha=alpha)).points for alpha in (0.6, 0.95))
    start = one["beta"] == 0
    assert one[start].equals(other[start])  # DNS asks for no alpha
    assert not one.equals(other)


def test_the_work_is_bounded(subject, monkeypatch) -> None:
    many = dataclasses.replace(KNOBS, candidates=1000)
    assert explain.beta_path(subject, many).pairs == explain.DRAWN_AT_MOST // 1000
    monkeypatch.setattr(explain, "LOOKED_AT", 30 * ITEMS)  # 30 users may be looked at
    users, items = explain._pairs(subject, KNOBS.candidates)
    assert len(set(users.tolist())) <= 30
    assert len(users) == 10_000 // 30 * 30
    taken = {(int(u), int(i)) for u in range(USERS) for i in subject.fitted.row(u)}
    assert set(zip(users.tolist(), items.tolist(), strict=True)) <= taken


def test_profiles_of_every_sampler(subject) -> None:
    found = explain.profiles(subject, KNOBS)
    wide = found.shares.pivot(index="sampler", columns="decile", values="share")
    assert list(found.shares["sampler"].unique()) == list(SAMPLERS)
    np.testing.assert_allclose(wide.sum(axis=1), 1)
    np.testing.assert_allclose(found.facts[["catalogue", "train"]].sum(), 1)
    assert found.facts["train"].is_monotonic_increasing
    assert wide.loc["pns", 10] > wide.loc["rns", 10]
    assert wide.loc["auc_ns", 10] > wide.loc["dns", 10]  # what the prior is there for
    np.testing.assert_allclose(wide.loc["rns"], uniform_profile(subject), atol=4 * np.sqrt(0.25 / 2000))
    labels = dict(zip(found.shares["sampler"], found.shares["label"], strict=True))
    assert labels["auc_ns"] == "AUC-NS β 0.05"
    assert labels["dns"] == "DNS"
    assert labels["pns"] == "PNS exponent 0.75"


def uniform_profile(subject):
    """The deciles of uniform negatives: each user's untaken items, weighted by the user's pairs."""
    groups, lengths = deciles(subject.popularity), subject.fitted.lengths()
    shares = np.zeros(10)
    for user, length in enumerate(lengths):
        rest = np.setdiff1d(np.arange(ITEMS), subject.fitted.row(user))
        shares += length / lengths.sum() * np.bincount(groups[rest] - 1, minlength=10) / len(rest)
    return shares


def test_at_beta_0_auc_ns_draws_as_dns_and_keeps_its_name(subject) -> None:
    found = explain.profiles(subject, dataclasses.replace(KNOBS, beta=0.0)).shares
    auc, dns = (found[found["sampler"] == name] for name in ("auc_ns", "dns"))
    assert set(auc["label"]) == {"AUC-NS β 0"}
    # 10,000 pairs of each, of streams of their own: 4 standard errors of the difference of two shares
    assert np.abs(auc["share"].to_numpy() - dns["share"].to_numpy()).max() < 4 * np.sqrt(
        2 * 0.25 / found.shape[0] / 150
    )


def test_a_sampler_asks_for_nothing_of_the_run_but_its_embeddings() -> None:
    lightgcn = make_variant("d", encoder="lightgcn", loss="infonce", sampler="pns", dim=16)
    for name in SAMPLERS:
        variant = explain.sampler_variant(lightgcn, name, KNOBS)
        assert variant.sampler == name
        assert variant.candidates == (KNOBS.candidates if name in {"dns", "bns", "auc_ns"} else None)
    assert explain.sampler_variant(lightgcn, "auc_ns", KNOBS).gamma == KNOBS.gamma


# --- against the truth ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> explain.Subject:
    """DNS on the simulated data set."""
    cache = tmp_path_factory.mktemp("simulated") / "cache"
    settings = Settings(cache=cache, autostart=False, offline=True)
    acquire(settings, "simulated")
    info = find_dataset(settings, "simulated")
    (run,) = results.train(settings, info, Sweep(({"sampler": ["dns"], "epochs": [15], "dim": [8]},), seeds=(0,)))
    return explain.read_subject(settings, run)


def test_false_negatives_are_known_on_simulated_data(simulated) -> None:
    """Random negatives have the mean of all candidates. Who was shown an item and did not take it does not like it, so
    popular negatives are false less often."""
    rows = explain.false_negatives(simulated, own_knobs(simulated.variant)).set_index("sampler")["share"]
    assert set(rows.index) == set(SAMPLERS)
    fitted = simulated.fitted
    liked = [likes(simulated, user).mean() for user in range(fitted.n_users)]
    assert rows["rns"] == pytest.approx(np.average(liked, weights=fitted.lengths()), abs=0.02)
    assert rows["pns"] < rows["rns"] - 0.02


def likes(subject: explain.Subject, user: int) -> np.ndarray:
    """The true probability that a user likes each item that was not trained on, ascending by item."""
    free = np.setdiff1d(np.arange(subject.fitted.n_items), subject.fitted.row(user))
    liked = liked_if_not_taken(subject.truth, np.full(len(free), user), free)
    liked[np.isin(free, subject.held_out.row(user))] = 1
    return liked


def test_a_drawn_item_that_is_held_out_is_false_for_certain(simulated) -> None:
    """The draws do not depend on what is held out: with nothing held out, and with everything, they are the same."""
    knobs, fitted = own_knobs(simulated.variant), simulated.fitted
    nothing = Interactions.from_pairs(np.zeros(0, int), np.zeros(0, int), fitted.n_users, fitted.n_items)
    rest = np.ones((fitted.n_users, fitted.n_items), bool)
    rest[fitted.users(), fitted.indices] = False
    everything = Interactions.from_pairs(*np.nonzero(rest), fitted.n_users, fitted.n_items)
    worlds = [dataclasses.replace(simulated, held_out=pairs) for pairs in (nothing, simulated.held_out, everything)]
    none, some, every = (explain.false_negatives(world, knobs).set_index("sampler")["share"] for world in worlds)
    assert (every == 1).all()
    assert (some > none).all()
    assert some["dns"] - none["dns"] > some["rns"] - none["rns"]  # DNS finds what the model ranks high


def test_what_is_held_out_is_what_was_not_trained_on(settings, runs, subject) -> None:
    info = tiny_dataset(settings)
    assert len(subject.held_out) == info.validation + info.test
    [refit] = results.train(settings, info, Sweep(grids=GRIDS[:1], seeds=(0,), protocol="refit", name="refit"))
    assert len(explain.read_subject(settings, refit).held_out) == info.test


def test_the_posterior_is_compared_with_the_truth(simulated) -> None:
    knobs = dataclasses.replace(own_knobs(simulated.variant), beta=0.05)
    rows = explain.posterior_check(simulated, knobs)
    assert len(rows) == explain.BINS_OF_W
    assert rows["posterior"].is_monotonic_increasing
    assert rows["candidates"].max() - rows["candidates"].min() <= 1
    assert ((rows["truth"] > 0) & (rows["truth"] < 1)).all()


def test_the_truth_of_all_candidates_counts_what_is_held_out(simulated, monkeypatch) -> None:
    monkeypatch.setattr(explain, "CHECKED_USERS", simulated.fitted.n_users)
    rows = explain.posterior_check(simulated, own_knobs(simulated.variant))
    liked = np.concatenate([likes(simulated, user) for user in range(simulated.fitted.n_users)])
    assert rows["candidates"].sum() == len(liked)
    assert np.average(rows["truth"], weights=rows["candidates"]) == pytest.approx(1 - liked.mean(), abs=1e-12)


def test_on_real_data_nobody_knows_which_negatives_are_false(subject) -> None:
    for question in (explain.false_negatives, explain.posterior_check):
        with pytest.raises(Refused, match="simulated data only"):
            question(subject, own_knobs(subject.variant))
