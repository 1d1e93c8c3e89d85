"""The rule of a decision: what must not be given up, or what must be reached, and which metric is best then.

Here: the rule, what it says of one value, and how it is written as JSON. Not here: settings and paths (judge.py), its
words (core/charts/decision.py).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from core.errors import BadInput
from core.evaluation.metrics import METRICS, parse_key, sign_of

Kind = Literal["give_up", "reach"]
KINDS: tuple[Kind, ...] = get_args(Kind)
DEFAULT_GIVE_UP = 1.0
"""Percent of the accuracy metric."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a setting must keep to, and by which metric the best of those that do is found.

    give_up: the accuracy metric may be worse than the baseline's by `amount` percent of it at most; the best popularity
    metric wins. reach: the popularity metric must be `amount` at least (at most, where lower is better); the best
    accuracy wins. Raises BadInput for a number that says nothing, Unknown for a metric.
    """

    kind: Kind
    amount: float
    """give_up: percent of the baseline's value, 0 to 100. reach: a value of the popularity metric."""
    accuracy: str
    bias: str
    """Metric keys, such as "ndcg@10"."""
    sure: bool = False
    """Must the whole 95 % interval keep to it, not only the mean?"""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput("rule", f"{self.kind!r} is no kind of rule", f"Choose one of {', '.join(KINDS)}.")
        for key in (self.accuracy, self.bias):
            if parse_key(key)[0] not in METRICS:
                raise BadInput("rule", f"{key} describes one decile of items", "Choose a metric of the whole.")
        if not math.isfinite(self.amount):
            raise BadInput("rule", "the amount is no number", "Give a number, such as 1 for one percent.")
        if self.kind == "give_up" and not 0 <= self.amount <= 100:
            raise BadInput("rule", f"{self.amount:g} % cannot be given up", "Give a percentage from 0 to 100.")

    @property
    def constrained(self) -> str:
        """The metric that is bounded."""
        return self.accuracy if self.kind == "give_up" else self.bias

    @property
    def wanted(self) -> str:
        """The metric that is to be as good as the bound allows."""
        return self.bias if self.kind == "give_up" else self.accuracy

    def bound(self, of_baseline: float) -> float:
        """The constrained metric's worst value that keeps to the rule; of_baseline: the baseline's, for give_up.

        >>> Rule("give_up", 1.0, "ndcg@10", "aplt@10").bound(0.4)
        0.396
        """
        if self.kind == "reach":
            return self.amount
        return of_baseline - sign_of(self.accuracy) * abs(of_baseline) * self.amount / 100

    def keeps(self, value: float, of_baseline: float) -> bool:
        """Does a value of the constrained metric keep to the rule? A missing one does not.

        >>> Rule("reach", 0.05, "ndcg@10", "aplt@10").keeps(0.06, float("nan"))
        True
        """
        bound = self.bound(of_baseline)
        return bool((value - bound) * sign_of(self.constrained) >= -1e-12 * abs(bound))  # NaN compares as False

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Rule:
        """What `to_json` wrote."""
        return cls(**document)
