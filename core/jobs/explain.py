"""What AUC-NS does on a finished run, as frames: its pieces, one pair's choice, what every sampler draws, and its turn.

Here: a run read once, and the questions of the page that explains the sampler. Each loads compiled kernels, which is
why nothing here is asked while a page is only chosen.
Not here: the computation (models/explain.py, engines/drawing.py), what is drawn of it (core/charts/sampler.py).

The work is bounded whatever the catalogue: LOOKED_AT items are looked at for users drawn in proportion to their pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.datasets.interactions import Interactions
from core.datasets.simulated import liked_if_negative
from core.datasets.store import find_dataset, read_dataset, read_items, read_truth
from core.errors import Refused, Unknown
from core.evaluation.groups import N_DECILES, deciles, hot_items
from core.jobs.artifacts import read_meta, read_scorer
from core.kernels import use_kernel_cache
from core.models.choices import SAMPLERS
from core.models.knobs import Knobs
from core.models.variant import Variant, make_variant, variant_from_fields
from core.settings import Settings

if TYPE_CHECKING:  # compiles kernels on import
    from core.models.explain import ModelState

BETAS = tuple(sorted({0.0, *(float(f"{beta:.2g}") for beta in np.geomspace(1e-4, 10, 61))}))
"""The path of `beta_path`: 0, and twelve a power of ten."""
SHOWN_BETAS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Of `priors`, beside the chosen one."""
LEVELS = {"hot": 0.95, "middle": 0.5, "cold": 0.05}
"""Of `posteriors`: as popular as that share of the items, of those that anybody took, at most."""

USERS, PAIRS_EACH = 2000, 5
LOOKED_AT = 60_000_000  # items, over all users: half a second on one core, with what follows
DRAWN_AT_MOST = 200_000  # candidates, over all pairs
FEWEST_USERS, FEWEST_PAIRS = 20, 100
CHECKED_USERS, BINS_OF_W = 100, 10
DRAWN_MARKS = 3000
"""Candidates that a chart can show without making a browser slow."""
_CURVE = 200  # points of a curve


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A finished run, read. titles (I,): a title, or the id; popularity (I,): interactions trained on, per item;
    held_out: the data set's pairs that it was not trained on; truth: what a simulation knows of users and items, empty
    for a real data set."""

    variant: Variant
    state: ModelState
    user_ids: NDArray[np.object_]
    titles: NDArray[np.object_]
    popularity: NDArray[np.int64]
    held_out: Interactions
    truth: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def fitted(self) -> Interactions:
        """The pairs it was trained on."""
        return self.state.fitted

    def shares(self) -> NDArray[np.float64]:
        """Of the users, who took each item: (I,)."""
        return self.popularity / self.fitted.n_users

    def most_negatives(self) -> int:
        """How many items the user with most of them has not taken."""
        return self.fitted.n_items - int(self.fitted.lengths().min(initial=self.fitted.n_items))

    def number_of(self, user: str) -> int:
        """The number of a user's id. Raises Unknown."""
        number = int(self.user_ids.searchsorted(user))
        if number >= len(self.user_ids) or self.user_ids[number] != user:
            raise Unknown("user", user)
        return number


def read_subject(settings: Settings, run: str) -> Subject:
    """A finished run that has embeddings. Raises Unknown, DamagedArtifact, and Refused for a run without."""
    use_kernel_cache(settings)
    from core.models.explain import ModelState

    meta, scorer = read_meta(settings, run), read_scorer(settings, run)
    variant = variant_from_fields(meta["fields"])
    tables = [getattr(scorer, name, None) for name in ("users", "items")]
    if variant.baseline or tables[0] is None or tables[1] is None:
        raise Refused(f"{meta['label']} has no embeddings to sample from. Choose a run that was trained.")
    info = find_dataset(settings, variant.dataset)
    dataset = read_dataset(info.folder)
    fitted = dataset.fitted(variant.protocol)
    titles = pd.Series(read_items(info.folder).column("title").to_pandas(), dtype=object)
    names = titles.where(titles.notna(), pd.Series(dataset.item_ids)).to_numpy(object)
    users, items = (np.require(table, np.float32, ["C"]) for table in tables)
    held_out = dataset.test.merged(dataset.validation) if variant.protocol == "validation" else dataset.test
    state, truth = ModelState(users, items, fitted), read_truth(info.folder)
    return Subject(variant, state, dataset.user_ids, names, fitted.popularity(), held_out, truth)


# --- the pieces -------------------------------------------------------------------------------------------------------


def priors(subject: Subject, beta: float) -> pd.DataFrame:
    """P = pi^beta over popularity: beta, popularity (share of users), prior; SHOWN_BETAS and `beta`, ascending."""
    from core.models.explain import prior_curves

    counts, first = np.unique(subject.popularity, return_index=True)
    kept = np.unique(np.linspace(0, len(counts) - 1, min(_CURVE, len(counts))).round().astype(np.int64))
    betas = np.array(sorted({*SHOWN_BETAS, beta}))
    curves = prior_curves(subject.popularity, betas)[:, first[kept]]
    return pd.DataFrame(
        {
            "beta": betas.repeat(len(kept)),
            "popularity": np.tile(counts[kept] / subject.fitted.n_users, len(betas)),
            "prior": curves.ravel(),
        }
    )


def posteriors(subject: Subject, knobs: Knobs) -> pd.DataFrame:
    """w over F for items of LEVELS of popularity: level, popularity (share of users), prior, F, posterior."""
    from core.models.explain import posterior_curves, prior_curves

    taken = np.sort(subject.popularity[subject.popularity > 0])
    counts = taken[[int(share * (len(taken) - 1)) for share in LEVELS.values()]]
    first = [int(np.flatnonzero(subject.popularity == count)[0]) for count in counts]
    P = prior_curves(subject.popularity, np.array([knobs.beta]))[0, first]
    F = np.linspace(0, 1, _CURVE + 1)
    w = posterior_curves(F, P, knobs.alpha)
    return pd.DataFrame(
        {
            "level": np.array(list(LEVELS), object).repeat(len(F)),
            "popularity": (counts / subject.fitted.n_users).repeat(len(F)),
            "prior": P.repeat(len(F)),
            "F": np.tile(F, len(LEVELS)),
            "posterior": w.ravel(),
        }
    )


# --- one pair ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One pair's choice. items: a row for each candidate that is shown; of: how many candidates there are."""

    items: pd.DataFrame
    of: int


def choice(subject: Subject, knobs: Knobs, user: str, draw: int) -> Choice:
    """Every candidate of a user, and what the rule takes in one draw. Raises Unknown, Refused.

    items: title, popularity (share of users), hot, score, F, prior, posterior, gain, times (how often it is among the M
    drawn), taken (the rule's choice), best (the largest gain of all): ascending by gain. Where there are more than
    DRAWN_MARKS, those drawn, those with the largest gains, and others at random. draw: another number draws anew.
    """
    from core.models.explain import candidate_gains

    number = subject.number_of(user)
    found = candidate_gains(subject.state, knobs, number, np.random.default_rng([draw, number]))
    every = np.arange(len(found.items))
    items = pd.DataFrame(
        {
            "title": subject.titles[found.items],
            "popularity": subject.shares()[found.items],
            "hot": hot_items(subject.popularity)[found.items],
            "score": found.scores,
            "F": found.shares,
            "prior": found.priors,
            "posterior": found.posteriors,
            "gain": found.gains,
            "times": np.bincount(found.drawn, minlength=len(every)),
            "taken": every == found.taken,
            "best": every == found.best,
        }
    ).sort_values("gain", kind="stable", ignore_index=True)
    return Choice(_shown(items), len(items))


def _shown(items: pd.DataFrame) -> pd.DataFrame:
    if len(items) <= DRAWN_MARKS:
        return items
    top = items.index[-DRAWN_MARKS // 2 :]
    marked = items.index[(items["times"] > 0) | items["best"]]
    rest = items.index.difference(top.union(marked))
    some = np.random.default_rng(0).choice(rest, DRAWN_MARKS - len(top.union(marked)), replace=False)
    return items.loc[top.union(marked).union(pd.Index(some))]


# --- many pairs -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """What AUC-NS takes along BETAS, of the same draws.

    points: beta, popularity (the mean share of users who took the item that is taken), hot (share of hot items among
    those taken), agreement (share of choices that are those of DNS); from `pairs` pairs. never: how many items nobody
    took in train, which have prior 0 as soon as beta is above 0.
    """

    points: pd.DataFrame
    pairs: int
    never: int


def beta_path(subject: Subject, knobs: Knobs) -> Path:
    """The path over beta; the knobs' own beta is a point of it too. Raises Refused."""
    from core.models.explain import draw_pairs, taken_by_auc_ns, taken_by_dns

    users, _ = _pairs(subject, knobs.candidates)
    draws = draw_pairs(subject.state, knobs, users, np.random.default_rng(1))
    dns, shares, hot = taken_by_dns(draws), subject.shares(), hot_items(subject.popularity)

    def point(beta: float) -> dict[str, float]:
        places = taken_by_auc_ns(draws, subject.popularity, beta, knobs.alpha, knobs.gamma)
        items = np.take_along_axis(draws.candidates, places[:, None].astype(np.int64), 1)[:, 0]
        agreement = float((places == dns).mean())
        return {"beta": beta, "popularity": shares[items].mean(), "hot": hot[items].mean(), "agreement": agreement}

    points = pd.DataFrame([point(beta) for beta in sorted({*BETAS, knobs.beta})])
    return Path(points, len(users), int((subject.popularity == 0).sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """What every sampler draws, by popularity decile.

    shares: sampler, label, decile (10 is the most popular), share (of its negatives); facts: decile, catalogue (share
    of the items), train (share of the interactions trained on); from `pairs` pairs.
    """

    shares: pd.DataFrame
    facts: pd.DataFrame
    pairs: int


def profiles(subject: Subject, knobs: Knobs) -> Profiles:
    """Negatives drawn by every sampler from this model, for the same pairs. Raises Refused."""
    groups, (users, items) = deciles(subject.popularity), _pairs(subject, knobs.candidates)
    rows = [
        pd.DataFrame({"sampler": name, "label": label, **_by_decile(groups[drawn])})
        for name, label, drawn in _drawn(subject, knobs, users, items)
    ]
    return Profiles(pd.concat(rows, ignore_index=True), _facts(subject, groups), len(users))


def _drawn(
    subject: Subject, knobs: Knobs, users: NDArray[np.int32], items: NDArray[np.int32]
) -> Iterator[tuple[str, str, NDArray[np.int32]]]:
    """Of every sampler its name, its label and a negative for each pair."""
    from core.models.engines.drawing import NegativeDrawer

    tables = subject.state.users, subject.state.items
    for place, name in enumerate(SAMPLERS):
        variant = sampler_variant(subject.variant, name, knobs)
        drawer = NegativeDrawer(variant, subject.fitted, np.random.default_rng([2, place]))
        yield name, sampler_label(name, variant, knobs), drawer.draw(*tables, users, items)[:, 0]


# --- against the truth, on simulated data -----------------------------------------------------------------------------


def false_negatives(subject: Subject, knobs: Knobs) -> pd.DataFrame:
    """How many of each sampler's negatives are false: the user likes the item, which is held out or was not shown.

    sampler, label, share (expected: a held-out item counts as 1, any other by its true probability), pairs. Raises
    Refused without a known truth.
    """
    _refuse_unknown_truth(subject)
    users, items = _pairs(subject, knobs.candidates)
    rows = [
        {"sampler": name, "label": label, "share": _liked(subject, users, drawn).mean()}
        for name, label, drawn in _drawn(subject, knobs, users, items)
    ]
    return pd.DataFrame(rows).assign(pairs=len(users))


def posterior_check(subject: Subject, knobs: Knobs) -> pd.DataFrame:
    """AUC-NS's posterior of a true negative beside the truth, over all candidates of some users, in BINS_OF_W bins.

    posterior (the bin's mean), truth (the mean true probability that the user does not like the item, 0 for a held-out
    one), candidates. Bins hold equally many candidates. Raises Refused without a known truth.
    """
    from core.models.explain import candidate_gains

    _refuse_unknown_truth(subject)
    with_pairs = np.flatnonzero((subject.fitted.lengths() > 0) & (subject.fitted.lengths() < subject.fitted.n_items))
    some = np.random.default_rng(3).permutation(with_pairs)[:CHECKED_USERS]
    posteriors, truths = [], []
    for user in some:
        found = candidate_gains(subject.state, knobs, int(user), np.random.default_rng([4, user]))
        posteriors.append(found.posteriors)
        truths.append(1 - _liked(subject, np.full(len(found.items), user), found.items))
    w, truth = np.concatenate(posteriors), np.concatenate(truths)
    parts = np.array_split(np.argsort(w, kind="stable"), BINS_OF_W)
    rows = [{"posterior": w[p].mean(), "truth": truth[p].mean(), "candidates": len(p)} for p in parts if len(p)]
    return pd.DataFrame(rows)


def _liked(subject: Subject, users: NDArray[np.integer], items: NDArray[np.integer]) -> NDArray[np.float64]:
    return liked_if_negative(subject.truth, subject.held_out, users, items)


def _refuse_unknown_truth(subject: Subject) -> None:
    if not subject.truth:
        raise Refused("Which negatives are false is known on simulated data only. Choose the data set simulated.")


def sampler_variant(variant: Variant, sampler: str, knobs: Knobs) -> Variant:
    """MF with that sampler, whatever else the run is: a sampler asks for embeddings alone."""
    settings: dict[str, Any] = {"dim": variant.dim}
    if sampler in {"dns", "bns", "auc_ns"}:
        settings["candidates"] = knobs.candidates
    if sampler == "auc_ns":
        settings |= {name: getattr(knobs, name) for name in ("beta", "alpha", "gamma", "references")}
    return make_variant(variant.dataset, sampler=sampler, **settings)


def sampler_label(sampler: str, variant: Variant, knobs: Knobs) -> str:
    """The sampler with its strength: "AUC-NS β 0.025", even where that is DNS."""
    strength = SAMPLERS[sampler].strength
    if strength is None:
        return SAMPLERS[sampler].label
    value = knobs.beta if sampler == "auc_ns" else getattr(variant, strength.field)
    return f"{SAMPLERS[sampler].label} {strength.symbol} {value:g}"


def _by_decile(groups: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    counts = np.bincount(groups, minlength=N_DECILES + 1)[1:]
    return {"decile": np.arange(1, N_DECILES + 1), "share": counts / max(counts.sum(), 1)}


def _facts(subject: Subject, groups: NDArray[np.int64]) -> pd.DataFrame:
    catalogue, trained = _by_decile(groups), _by_decile(groups[subject.fitted.indices])
    return pd.DataFrame({"decile": catalogue["decile"], "catalogue": catalogue["share"], "train": trained["share"]})


def _pairs(subject: Subject, candidates: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Users (B,) ascending and items (B,) of pairs: as many as the work allows, several of a user where there are many
    items, since what costs is to look at a user."""
    from core.models.explain import sample_pairs

    pairs = int(np.clip(DRAWN_AT_MOST // candidates, FEWEST_PAIRS, USERS * PAIRS_EACH))
    users = min(pairs, int(np.clip(LOOKED_AT // subject.fitted.n_items, FEWEST_USERS, USERS)))
    return sample_pairs(subject.fitted, users, pairs // users, np.random.default_rng(0))
