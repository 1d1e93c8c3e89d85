"""Frames as the warehouse's queries give them, made up. No pytest, no database."""

import pandas as pd


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
