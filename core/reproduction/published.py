"""The published tables: figures as their authors published them, none of ours.

Here: numbers, where they are from, and which look like misprints. Not here: what is trained for a row (plan.py).
All are shares of lists of ten on test, the epoch chosen on test (docs/metrics.md, protocol paper): optimistic figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MEASURES = ("precision@10", "recall@10", "f1@10", "ndcg@10", "ohr@10", "ocr@10", "ucr@10", "uhr@10")
"""The columns of the AUC-NS paper's tables, in its order."""

AUC_NS_PAPER = "arXiv 2306.01348"
ONE_BP_PAPER = "arXiv 2403.18227"


@dataclass(frozen=True, slots=True)
class Published:
    """One row of a published table."""

    encoder: str
    method: str
    """Its name there."""
    modules: Mapping[str, str]
    """What it is here: building modules by name, those left out being MF, RNS, BPR and two-sided."""
    figures: Mapping[str, float]
    """By metric."""
    sic: frozenset[str] = frozenset()
    """Metrics whose figure looks like a misprint: shown, never judged by."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is typed: figures in the order of MEASURES."""

    method: str
    figures: tuple[float, ...]
    modules: Mapping[str, str] = field(default_factory=dict)
    sic: tuple[str, ...] = ()


def _table(encoder: str, rows: tuple[Row, ...]) -> tuple[Published, ...]:
    return tuple(
        Published(
            encoder,
            row.method,
            {"encoder": encoder, **row.modules},
            dict(zip(MEASURES, row.figures, strict=True)),
            frozenset(row.sic),
        )
        for row in rows
    )


RNS, PNS, DNS, FAIR_STATIC, AUC_NS = (
    {"sampler": sampler} for sampler in ("rns", "pns", "dns", "fair_static", "auc_ns")
)
IPS_CN, MACR, SAM_REG, CAUS_E, BC = ({"loss": loss} for loss in ("ips_cn", "macr", "sam_reg", "cause", "bc"))

ML_100K: tuple[Published, ...] = (
    *_table(
        "mf",
        (
            Row("RNS", (0.3074, 0.1992, 0.2003, 0.3698, 0.6924, 0.0101, 0.9286, 0.6895), RNS),
            Row("FairStatic", (0.2804, 0.2033, 0.1986, 0.3510, 0.5846, 0.6445, 0.8737, 0.7212), FAIR_STATIC),
            Row("DNS", (0.3241, 0.2114, 0.2124, 0.3865, 0.6756, 0.0138, 0.9284, 0.6694), DNS),
            Row("PNS", (0.3415, 0.2180, 0.2230, 0.4026, 0.6443, 0.2890, 0.9105, 0.6761), PNS),
            Row("IPS-CN", (0.2472, 0.1462, 0.1487, 0.1538, 0.6695, 0.5888, 0.8746, 0.8277), IPS_CN, ("ndcg@10",)),
            Row("MACR", (0.3350, 0.2206, 0.2226, 0.3977, 0.6522, 0.2590, 0.9071, 0.6744), MACR),
            Row("SAM-REG", (0.3363, 0.2201, 0.2228, 0.3986, 0.6447, 0.3201, 0.8946, 0.6855), SAM_REG),
            Row("CausE", (0.3356, 0.2196, 0.2223, 0.3968, 0.6478, 0.2988, 0.9064, 0.6760), CAUS_E),
            Row("BC-Loss", (0.3388, 0.2219, 0.2243, 0.4050, 0.6507, 0.2195, 0.9151, 0.6635), BC),
            Row("AUC-NS", (0.3600, 0.2310, 0.2359, 0.4295, 0.6361, 0.0460, 0.9243, 0.6398), AUC_NS),
        ),
    ),
    *_table(
        "lightgcn",
        (
            Row("RNS", (0.3194, 0.2096, 0.2103, 0.3805, 0.6801, 0.0182, 0.9285, 0.6715), RNS),
            Row("DNS", (0.3303, 0.2179, 0.2186, 0.3950, 0.6695, 0.0260, 0.9269, 0.6595), DNS),
            Row("PNS", (0.3487, 0.2270, 0.2301, 0.4119, 0.6411, 0.2335, 0.9103, 0.6652), PNS),
            Row("MACR", (0.3390, 0.2191, 0.2221, 0.4002, 0.6532, 0.1713, 0.9178, 0.6668), MACR),
            Row("FairStatic", (0.3077, 0.2117, 0.2109, 0.3753, 0.6199, 0.5816, 0.8886, 0.7015), FAIR_STATIC),
            Row("IPS-CN", (0.2836, 0.1846, 0.1863, 0.3386, 0.6758, 0.4930, 0.8910, 0.7422), IPS_CN),
            Row("SAM-REG", (0.3439, 0.2236, 0.2267, 0.4082, 0.6370, 0.3318, 0.8960, 0.6765), SAM_REG),
            Row(
                "CausE",
                (0.3536, 0.2318, 0.2344, 0.4200, 0.6264, 0.6264, 0.9000, 0.6611),
                CAUS_E,
                ("ohr@10", "ocr@10"),
            ),
            Row("BC-Loss", (0.3080, 0.2073, 0.2062, 0.3709, 0.6917, 0.0321, 0.9269, 0.6738), BC),
            Row("AUC-NS", (0.3654, 0.2377, 0.2411, 0.4410, 0.6330, 0.0781, 0.9193, 0.6331), AUC_NS),
        ),
    ),
)
"""AUC-NS paper, MovieLens 100K."""

ML_1M: tuple[tuple[str, str, float], ...] = (
    ("mf", "RNS", 0.3523),
    ("mf", "PNS", 0.3802),
    ("mf", "AUC-NS", 0.4077),
    ("lightgcn", "RNS", 0.3680),
    ("lightgcn", "CausE", 0.3810),
    ("lightgcn", "AUC-NS", 0.4063),
)
"""AUC-NS paper, MovieLens 1M: encoder, method, NDCG@10. Nothing is trained for them: their split is not at hand."""
