"""What a report is of: a data set, settings, two metrics, a rule, and which figures are shown.

Here: the request, and how names given by people become ids. Not here: the report.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.decisions.rule import Rule
from core.errors import Refused, Unknown
from core.evaluation.metrics import METRICS, parse_key
from core.models.choices import PROTOCOLS
from core.warehouse import decide, queries
from core.warehouse.database import Warehouse
from core.warehouse.queries import Split

DEFAULT_BASELINE = "rns"
ACCURACY, BIAS = "ndcg@10", "aplt@10"


@dataclass(frozen=True, slots=True)
class Request:
    """What a report is of. Variants by id, all of them finished under the protocol; make it by `make_request`."""

    dataset: str
    accuracy: str = ACCURACY
    bias: str = BIAS
    split: Split = "validation"
    protocol: str = "validation"
    baseline: str | None = None
    a: str | None = None
    b: str | None = None
    rule: Rule | None = None
    """What decides: of the same two metrics."""

    @property
    def k(self) -> int:
        """The length of the lists that groups, deciles and tables are of: the metrics' own, else 10."""
        lengths = [k for k in (parse_key(self.accuracy)[1], parse_key(self.bias)[1]) if k]
        return lengths[0] if lengths else 10

    @property
    def pins(self) -> dict[str, str]:
        """A and B, as far as they are given."""
        return {name: variant for name, variant in (("A", self.a), ("B", self.b)) if variant}

    @property
    def compared(self) -> tuple[str, ...]:
        """The baseline and the pins, each once."""
        return tuple(dict.fromkeys(v for v in (self.baseline, self.a, self.b) if v))


def make_request(
    w: Warehouse,
    dataset: str,
    accuracy: str = ACCURACY,
    bias: str = BIAS,
    split: Split | None = None,
    protocol: str = "validation",
    baseline: str | None = None,
    a: str | None = None,
    b: str | None = None,
    rule: Rule | None = None,
) -> Request:
    """A request of what is there. dataset: an id; baseline, a, b: label, method, id or the id's beginning.

    Without a split it is validation, and test where a protocol has figures on nothing else. Without a baseline it is
    RNS where that is finished. Without A, and with a rule, A is what the rule recommends.
    Raises Unknown for what is not there, Refused for what does not go together.
    """
    split = split or ("validation" if protocol == decide.PROTOCOL else "test")
    _check(accuracy, bias, split, protocol, rule)
    variants = queries.variants(w, dataset, protocol)
    if variants.empty:
        raise Refused(
            f"There is no finished run of this data set under protocol {protocol}. Train some, say by "
            "`python -m core sweep`."
        )
    base = queries.named(variants, baseline) if baseline else _default_baseline(variants)
    one, other = (queries.named(variants, name) if name else None for name in (a, b))
    if rule and one is None:
        one = decide.judged(w, dataset, rule, base).recommended
    if one and one == other:
        raise Refused("A and B are the same setting. Give two, or leave one out.")
    return Request(dataset, accuracy, bias, split, protocol, base, one, other, rule)


def _check(accuracy: str, bias: str, split: str, protocol: str, rule: Rule | None) -> None:
    for key, kind in ((accuracy, "accuracy"), (bias, "popularity")):
        name = parse_key(key)[0]
        if name not in METRICS or METRICS[name].kind != kind:
            known = [n for n, metric in METRICS.items() if metric.kind == kind]
            raise Refused(f"{key} is no metric of {kind}. Choose one of {', '.join(known)}, with @5, @10 or @20.")
    if protocol not in PROTOCOLS:
        raise Unknown("protocol", protocol, PROTOCOLS)
    if split not in {"test", "validation"}:
        raise Unknown("split", split, ("test", "validation"))
    if protocol != "validation" and split == "validation":
        raise Refused(f"Protocol {protocol} has figures on test only. Leave --split out.")
    if rule and protocol != decide.PROTOCOL:
        raise Refused(
            f"Protocol {protocol} leaves nothing to decide on but the test split. Decide under protocol "
            f"{decide.PROTOCOL}, or leave the rule out."
        )


def _default_baseline(variants: pd.DataFrame) -> str | None:
    found = variants.loc[variants["method"] == DEFAULT_BASELINE, "variant"]
    return str(found.iloc[0]) if len(found) else None
