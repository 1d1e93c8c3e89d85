"""A sweep: grids of choices, baselines and seeds, as asked for on a page, on the command line or in a plan file.

Here: how a request becomes variants and runs, each once. Not here: which of them are cached or queued (jobs/).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import BadVariant
from core.models.choices import LISTS
from core.models.fields import OWN_FIELDS
from core.models.variant import Run, Variant, make_variant

Grid = Mapping[str, Sequence[Any]]

WITHOUT_CHANCE = frozenset({"most_popular", "item_knn", "ease", LISTS})
"""What every seed gives the same; added lists are judged as they are, whatever chance had a part in them."""
BASELINE_OF = {field: baseline for baseline, field in OWN_FIELDS.items()}


@dataclass(frozen=True, slots=True)
class Sweep:
    """A request for runs. Each grid maps field names to values; every combination is a variant."""

    grids: tuple[Grid, ...] = ()
    baselines: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2)
    protocol: str = "validation"
    name: str = ""
    replicates: int = 0
    """If more than 0, each variant is trained on that many bootstrap samples of its pairs, and `seeds` is not asked."""

    def variants(self, dataset: str) -> list[Variant]:
        """The variants asked for on that data set, each once, in that order. Raises BadVariant with every reason."""
        found: dict[str, Variant] = {}
        reasons: dict[str, None] = {}
        for request in self._requests():
            try:
                variant = make_variant(dataset, self.protocol, **request)
                found.setdefault(variant.id, variant)
            except BadVariant as error:
                reasons.update(dict.fromkeys(error.reasons))
        if reasons:
            raise BadVariant(reasons)
        return list(found.values())

    def _requests(self) -> list[dict[str, Any]]:
        """What is asked for, as the arguments of `make_variant`: references, trained ones, re-ranked ones.

        The setting of a baseline is a value like any other in a grid; a grid of nothing else asks for no training. What
        is re-ranked is asked for too: its path begins there.
        """
        trained = [
            {k: v for k, v in grid.items() if k not in BASELINE_OF}
            for grid in self.grids
            if not grid or not grid.keys() <= BASELINE_OF.keys()
        ]
        own: dict[str, list[Any]] = {}
        for name, values in (pair for grid in self.grids for pair in grid.items() if pair[0] in BASELINE_OF):
            own[name] = own.get(name, []) + list(values)
        asked = [request for grid in trained for request in _combined(grid)]
        references = [
            {"baseline": b, **request}
            for b in self.baselines
            if b != "pop_penalty"
            for request in _combined({k: v for k, v in own.items() if BASELINE_OF[k] == b})
        ]
        if "pop_penalty" not in self.baselines:
            return references + asked
        penalties = _combined({k: v for k, v in own.items() if BASELINE_OF[k] == "pop_penalty"})
        asked = asked or [{}]
        reranked = [{"baseline": "pop_penalty", **a, **p} for a in asked for p in penalties]
        return references + asked + reranked

    def runs(self, dataset: str) -> list[Run]:
        """Each variant with each seed; seeds vary slowest, so that every point has a first seed early.

        A baseline without chance in it ("most_popular", "ease") is run with the first seed only. Replicate r has seed
        r, too: what varies between replicates is the sample and all that chance does in training. Replicates are of
        what is trained; baselines have none.
        """
        variants = self.variants(dataset)
        if self.replicates:
            return [Run(v, r, bootstrap=r) for r in range(self.replicates) for v in variants if not v.baseline]
        found: dict[str, Run] = {}
        for seed in self.seeds:
            for variant in variants:
                run = Run(variant, self.seeds[0] if variant.baseline in WITHOUT_CHANCE else seed)
                found.setdefault(run.id, run)
        return list(found.values())

    def to_json(self) -> dict[str, Any]:
        """Plain content, for the queue."""
        return {
            "grids": [{k: list(v) for k, v in g.items()} for g in self.grids],
            "baselines": list(self.baselines),
            "seeds": list(self.seeds),
            "protocol": self.protocol,
            "name": self.name,
            "replicates": self.replicates,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Sweep:
        """What `to_json` gave."""
        return cls(
            tuple(content["grids"]),
            tuple(content["baselines"]),
            tuple(content["seeds"]),
            content["protocol"],
            content["name"],
            content.get("replicates", 0),
        )


def _combined(grid: Grid) -> list[dict[str, Any]]:
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


BETAS = [0.0, 0.01, 0.025, 0.05, 0.1, 0.2]

DEFAULT_SWEEP = Sweep(
    grids=(
        {"sampler": ["rns"]},
        {"sampler": ["auc_ns"], "beta": BETAS},
        {"sampler": ["auc_ns"], "updater": ["one_bp"], "beta": BETAS},
    ),
    baselines=("most_popular",),
    name="Default comparison",
)
"""What a first start trains: most popular, RNS, and AUC-NS over beta from 0, which is DNS, alone and with OneBP.

39 trained runs."""
