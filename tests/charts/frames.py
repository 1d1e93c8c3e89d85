"""Frames as the warehouse's queries give them, made up. No pytest, no database."""

import math

import pandas as pd

from core.models.choices import BASELINES, METHODS
from core.models.fields import OWN_FIELDS
from core.models.variant import Variant, make_variant


def point(variant, method, x, y, strength=None, path=None, order=0, **more):
    """A row of `queries.trade_off`; three seeds around x and y unless told otherwise."""
    labels = {"rns": "RNS", "dns": "DNS", "auc_ns": "AUC-NS", "most_popular": "Most popular", "random": "Random"}
    row = {
        "variant": variant, "label": f"{labels[method]} β {strength:g}" if strength else labels[method],
        "method": method, "method_label": labels[method], "baseline": method in {"most_popular", "random"},
        "path": path or variant, "strength": float("nan") if strength is None else strength, "symbol": "β",
        "also_on": False, "seeds": 3, "x": x, "y": y, "x_low": x - 0.002, "x_high": x + 0.002, "y_low": y - 0.003,
        "y_high": y + 0.003, "x_sd": 0.002, "y_sd": 0.003, "order": order,
    }  # fmt: skip
    return row | more


POINTS = pd.DataFrame(
    [
        point("pop", "most_popular", 0.0, 0.19, seeds=1),
        point("dns", "auc_ns", 0.04, 0.44, 0.0, "curve", 0, also_on=True, label="DNS (AUC-NS β 0)"),
        point("auc1", "auc_ns", 0.06, 0.43, 0.1, "curve", 1),
        point("auc2", "auc_ns", 0.10, 0.40, 0.2, "curve", 2),
        point("dns", "dns", 0.04, 0.44, label="DNS (AUC-NS β 0)"),
        point("rns", "rns", 0.05, 0.41),
    ]
)
"""Four settings on two methods' ground, the curve of AUC-NS from DNS on, and a baseline far below."""


def chances(points=POINTS, **of_variants):
    """A frame of `verdicts.verdicts` for these points, the baseline RNS: all alike but for what is given by variant."""
    usual = {
        "x_difference": 0.01, "x_difference_low": 0.004, "x_difference_high": 0.016, "x_p": 0.012,
        "y_difference": 0.02, "y_difference_low": 0.01, "y_difference_high": 0.03, "y_p": 0.0002,
        "verdict": "win-win", "front": 0.5,
    }  # fmt: skip
    nothing = {key: math.nan for key in usual if key[1] == "_"}
    rows = []
    for row in points[~points["also_on"]].to_dict("records"):
        ends = {
            f"{a}_{end}": row[a] + s for a, w in (("x", 0.004), ("y", 0.008)) for end, s in (("from", -w), ("to", w))
        }
        own = {**nothing, "verdict": "baseline"} if row["variant"] == "rns" else {}
        rows.append({"variant": row["variant"], **ends, **usual, **own, **of_variants.get(row["variant"], {})})
    return pd.DataFrame(rows)


def every_method(encoders=("mf",), penalties=("rns", "auc_ns", "one_bp+auc_ns")):
    """`queries.trade_off` after a sweep of every method over its strengths, with all references: made-up values.

    penalties: the methods that are re-ranked with every strength. Paths are as in the warehouse, their first point an
    `also_on` row where another method equals it.
    """
    asked = [
        {**METHODS[m], "encoder": encoder, **({s[0].field: value} if s else {})}
        for encoder in encoders
        for m in METHODS
        for s in [make_variant("d", **METHODS[m]).strength]
        for value in (s[0].grid if s else (0,))
    ]
    asked += [
        {**METHODS[m], "baseline": "pop_penalty", OWN_FIELDS["pop_penalty"]: value}
        for m in penalties
        for value in BASELINES["pop_penalty"].strength.grid
    ]
    asked += [{"baseline": b} for b in BASELINES if b != "pop_penalty"]
    variants = {(v := make_variant("d", **choices)).id: v for choices in asked}
    rows = [_every_row(variant, n) for n, variant in enumerate(variants.values())]
    for variant in list(variants.values()):
        off = variant.at_off()
        if off and off.id in variants and off.path() != variant.path():
            rows.append({**_every_row(off, list(variants).index(off.id)), **_on_path(variant), "also_on": True})
    frame = pd.DataFrame(rows).drop_duplicates(["variant", "path"])
    frame["order"] = frame.groupby("path")["strength"].rank(method="first").sub(1).fillna(0).astype("int64")
    return frame.reset_index(drop=True)


def _every_row(v: Variant, n: int):
    place, strength = METHOD_PLACES.setdefault(v.method, len(METHOD_PLACES)), v.strength
    angle, far = 2.4 * place, 0.06 * strength[1] / strength[0].grid[-1] if strength else 0.0
    x, y = 0.05 + 0.003 * place + far, 0.42 + 0.015 * math.sin(angle) - far * (0.4 + 0.3 * math.cos(angle + n / 9))
    row = point(v.id, "rns", x, y, strength[1] if strength else None, v.path())
    return row | {
        "label": v.label, "method": v.method, "method_label": v.method_label,
        "baseline": v.baseline not in {None, "pop_penalty"}, "symbol": strength[0].symbol if strength else None,
    }  # fmt: skip


def _on_path(v: Variant):
    found = v.strength
    assert found
    return {
        "path": v.path(), "strength": found[0].off, "method": v.method, "method_label": v.method_label,
        "symbol": found[0].symbol,
    }  # fmt: skip


METHOD_PLACES: dict[str, int] = {}
"""Where each method lies: in the order in which they are first asked for."""

SEEDS = pd.DataFrame(
    [
        {
            "variant": v,
            "label": v,
            "method": m,
            "path": v,
            "strength": 0.0,
            "run": f"{v}{s}",
            "seed": s,
            "x": 0.05,
            "y": 0.4,
        }
        for v, m in (("auc1", "auc_ns"), ("rns", "rns"), ("pop", "most_popular"))
        for s in (0, 1)
    ]
)


def items(counts, hot):
    """A frame of `queries.item_popularity`: descending counts, the first `hot` ones hot."""
    return pd.DataFrame(
        {
            "item": range(len(counts)), "item_id": [f"i{n}" for n in range(len(counts))],
            "title": [f"Title {n}" if n else None for n in range(len(counts))], "count": counts,
            "rank": range(1, len(counts) + 1), "hot": [n < hot for n in range(len(counts))],
        }
    )  # fmt: skip


def history(label="RNS", method="rns", protocol="validation", seeds=(0, 1), chosen=10):
    """A frame of `queries.history`: three epochs, accuracy .2, .3, .25 plus a hundredth a seed."""
    rows = [
        {
            "run": f"{label}{seed}", "variant": label, "label": label, "method": method, "protocol": protocol,
            "seed": seed, "epoch": epoch, "seconds": epoch / 10, "loss": 1 / epoch, "metric": metric + seed / 100,
            "chosen": epoch == chosen,
        }
        for seed in seeds
        for epoch, metric in ((5, 0.2), (10, 0.3), (15, 0.25))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def exposure(label, top):
    """A frame of `queries.exposure` for one setting: the top decile gets `top`, decile 1 the rest."""
    shares = [1 - top] + [0.0] * 8 + [top]
    return pd.DataFrame(
        {"variant": label, "label": label, "method": "rns", "decile": range(1, 11), "share": shares, "low": shares,
         "high": shares, "seeds": 1, "train_share": [0.1] + [0.0] * 8 + [0.9], "test_share": [0.1] * 10}
    )  # fmt: skip
