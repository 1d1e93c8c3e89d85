"""How charts speak: numbers to three digits, axis titles with their direction, which split and protocol.

Here: words that several charts share. Not here: a chart's own takeaway, which stands beside the chart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.evaluation.metrics import METRICS, key_title, parse_key
from core.models.choices import PROTOCOLS

SMALLEST = 1e-6
"""What is smaller is written with a power of ten."""


def number(value: float) -> str:
    """Three significant digits, as in every table: 0.439, 12.3, 1,682; with a power of ten where zeros would bury them.

    >>> [number(x) for x in (0.43912, 12.345, 1681.6, 0.0, 2.5612e-26)]
    ['0.439', '12.3', '1,682', '0', '2.56e-26']
    """
    if value == 0:
        return "0"
    if abs(value) < SMALLEST:
        return f"{value:.3g}"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def signed(value: float) -> str:
    """A difference, with its sign.

    >>> signed(0.0081), signed(-0.02), signed(0.0)
    ('+0.00810', '-0.0200', '0')
    """
    return f"{'+' if value > 0 else ''}{number(value)}"


def percent(share: float) -> str:
    """A share as a percentage.

    >>> percent(0.4123)
    '41.2 %'
    """
    return f"{number(100 * share)} %"


def p_value(p: float) -> str:
    """A p-value in a sentence or a tooltip: digits beyond the third say nothing of it.

    >>> p_value(0.0312), p_value(0.00002), p_value(1.0)
    ('0.031', '<0.001', '1')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}".rstrip("0").rstrip(".")


def listed(words: Sequence[str]) -> str:
    """Words as in a sentence.

    >>> listed(["RNS"]), listed(["RNS", "DNS", "AUC-NS"])
    ('RNS', 'RNS, DNS and AUC-NS')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def capitalised(words: str) -> str:
    """With a capital at the beginning, the rest as it is.

    >>> capitalised("test split, NDCG@10")
    'Test split, NDCG@10'
    """
    return words[:1].upper() + words[1:]


def better(key: str) -> str:
    """Which direction of a metric is better: "higher" or "lower"."""
    return METRICS[parse_key(key)[0]].better


def metric_name(key: str) -> str:
    """What a sentence calls a metric: as short as it can be told.

    >>> metric_name("ndcg@10"), metric_name("arp@10"), metric_name("auc")
    ('NDCG@10', 'mean popularity of the list (ARP@10)', 'AUC')
    """
    about = METRICS[parse_key(key)[0]]
    words = key_title(key).removesuffix(f", {about.unit}")
    proper = about.title[:2].isupper() or about.title.startswith("Gini")  # a man's name
    return words if proper else words[0].lower() + words[1:]


def axis_title(key: str) -> str:
    """Title, cutoff, unit and direction.

    >>> axis_title("ndcg@10"), axis_title("aplt@10")
    ('NDCG@10 (higher is better)', 'Cold share of the list (APLT@10), higher is better')
    """
    title = key_title(key)
    return f"{title}, {better(key)} is better" if "(" in title else f"{title} ({better(key)} is better)"


def provenance(split: str, protocol: str, reading: str = "epoch") -> str:
    """Where numbers are from: the split, and what chose their epoch.

    >>> provenance("test", "paper", "per-metric")
    'test split, chosen on test: optimistic; each metric at its own best epoch'
    """
    chosen = PROTOCOLS[protocol].label + (": optimistic" if protocol == "paper" else "")
    return f"{split} split, {chosen}" + ("; each metric at its own best epoch" if reading == "per-metric" else "")
