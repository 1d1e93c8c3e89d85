"""The table: metric, ours, each library's value, agreement or the reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from benchmarks.metric_libraries.data import Seen
from benchmarks.metric_libraries.differences import DIFFERENCES
from core.evaluation.metrics import METRICS, metric_key, parse_key

TOLERANCE = 1e-9
SHOWN = 10

Values = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Library to list to metric key to value."""


@dataclass
class Verdict:
    """What the comparison found."""

    compared: int = 0
    recomputed: int = 0
    unexplained: list[str] = field(default_factory=list)
    """A sentence for each value that is neither ours nor what a difference says it should be."""


def judge(seen: Mapping[str, Seen], values: Values) -> tuple[Verdict, set[tuple[str, str]]]:
    """Compares every value, at every cut; and the (library, metric) that differ, with their reason in DIFFERENCES."""
    verdict, differing = Verdict(), set()
    for library, by_list in values.items():
        for name, by_key in by_list.items():
            for key, theirs in by_key.items():
                metric, k = parse_key(key)
                verdict.compared += 1
                ours = seen[name].evaluation.metrics.get(key, float("nan"))
                if abs(theirs - ours) <= TOLERANCE:
                    continue
                differing.add((library, metric))
                known = DIFFERENCES.get((library, metric))
                expected = known.theirs(seen[name], k or 0) if known else float("nan")
                if abs(theirs - expected) <= TOLERANCE:
                    verdict.recomputed += 1
                else:
                    verdict.unexplained.append(
                        f"{library}, {key} of {name}: {theirs!r}, ours {ours!r}, by its definition {expected!r}."
                    )
    return verdict, differing


def render(seen: Mapping[str, Seen], values: Values, differing: set[tuple[str, str]]) -> str:
    """Markdown: three rows a metric, a column a library, and the reasons below."""
    notes = {pair: number for number, pair in enumerate((p for p in DIFFERENCES if p in differing), 1)}
    rows = []
    for metric in METRICS.values():
        key = metric_key(metric.name, SHOWN if metric.at_k else None)
        if not any(key in by_key for by_list in values.values() for by_key in by_list.values()):
            continue
        for name, one in seen.items():
            cells = [
                _cell(values[library].get(name, {}).get(key), notes.get((library, metric.name))) for library in values
            ]
            rows.append((f"`{key}`", name, _cell(one.evaluation.metrics.get(key)), *cells))
    told = "".join(f"{number}. {library}: {DIFFERENCES[library, _].why}.\n" for (library, _), number in notes.items())
    return _table(("metric", "lists", "ours", *values), rows) + f"\n{told}"


def without_library(values: Values) -> list[str]:
    """Names of our metrics that no library gave."""
    given = {parse_key(key)[0] for by_list in values.values() for by_key in by_list.values() for key in by_key}
    return [name for name in METRICS if name not in given]


def _cell(value: float | None, note: int | None = None) -> str:
    mark = f" [{note}]" if note and value is not None else ""
    return "" if value is None else f"{value:.6f}{mark}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
