"""A sweep: grids of choices, baselines and seeds, as asked for on a page, on the command line or in a plan file.

Here: how a request becomes variants and runs, each once. Not here: which of them are cached or queued (jobs/).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import BadVariant
from core.models.variant import Run, Variant, make_variant

Grid = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Sweep:
    """A request for runs. Each grid maps field names to values; every combination is a variant."""

    grids: tuple[Grid, ...] = ()
    baselines: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2)
    protocol: str = "validation"
    name: str = ""

    def variants(self, dataset: str) -> list[Variant]:
        """The variants asked for on that data set, each once, in that order. Raises BadVariant with every reason."""
        found: dict[str, Variant] = {}
        reasons: dict[str, None] = {}
        requests = [{"baseline": b} for b in self.baselines]
        for grid in self.grids:
            requests += [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
        for request in requests:
            try:
                variant = make_variant(dataset, self.protocol, **request)
                found.setdefault(variant.id, variant)
            except BadVariant as error:
                reasons.update(dict.fromkeys(error.reasons))
        if reasons:
            raise BadVariant(reasons)
        return list(found.values())

    def runs(self, dataset: str) -> list[Run]:
        """Each variant with each seed; seeds vary slowest, so that every point has a first seed early.

        A baseline without chance in it ("most_popular") is run with the first seed only.
        """
        variants = self.variants(dataset)
        found: dict[str, Run] = {}
        for seed in self.seeds:
            for variant in variants:
                run = Run(variant, self.seeds[0] if variant.baseline == "most_popular" else seed)
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
        )


DEFAULT_SWEEP = Sweep(
    grids=({"sampler": ["rns"]}, {"sampler": ["auc_ns"], "beta": [0.0, 0.01, 0.025, 0.05, 0.1, 0.2]}),
    baselines=("most_popular",),
    name="Default comparison",
)
"""What a first start trains: most popular, RNS, and the AUC-NS curve from beta 0, which is DNS. 21 trained runs."""
