"""The tables of choices: encoders, samplers, losses, updaters, optimizers, protocols, baselines, methods.

Here: each choice's name, label, one line of explanation, source, and its debias strength if it has one.
Widgets, the command line's options, "did you mean" and the tests are derived from these tables.
Not here: the rules themselves (samplers.py, losses.py, updaters.py, encoders.py, baselines.py), so that whoever
only lists choices need not wait for a compiler.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Strength:
    """The one parameter of a method that is its debias strength; larger means more debiasing."""

    field: str
    """The field of the variant."""
    symbol: str
    """How a label names it."""
    off: float
    """The value nearest to "off"."""
    off_is: str | None
    """The choice of the same table that it equals, exactly, at `off`; None where no value gives one."""
    grid: tuple[float, ...]
    """The default values of a sweep."""
    low: float
    high: float
    """Bounds of the values a sweep accepts."""
    what: str
    """What more of it does, in a sentence."""
    off_where: tuple[str, str] | None = None
    """A field and the value it must have for that to hold."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of a table of choices."""

    label: str
    line: str
    source: str
    code: int = 0
    """What compiled kernels know it by. Append only: part of a run's meaning."""
    strength: Strength | None = None


ENCODERS: dict[str, Choice] = {
    "mf": Choice(
        "MF",
        "Matrix factorisation: one embedding per user and item, their dot product is the score.",
        "Koren, Bell, Volinsky, Computer 42(8), 2009",
        code=0,
    ),
    "lightgcn": Choice(
        "LightGCN",
        "The same embeddings, averaged with those of their neighbours in the user-item graph, layer by layer.",
        "He et al., SIGIR 2020",
        code=1,
    ),
}

SAMPLERS: dict[str, Choice] = {
    "rns": Choice(
        "RNS", "Random negatives: uniform over the items a user has not taken.", "Rendle et al., UAI 2009", code=0
    ),
    "pns": Choice(
        "PNS",
        "Popularity negatives: drawn with probability proportional to popularity to a power.",
        "Mikolov et al., NeurIPS 2013",
        code=1,
        strength=Strength(
            "exponent",
            "exponent",
            0.0,
            "rns",
            (0.0, 0.25, 0.5, 0.75, 1.0),
            0.0,
            2.0,
            "A larger exponent shows popular items more often as negatives.",
        ),
    ),
    "dns": Choice(
        "DNS",
        "Dynamic negatives: of M uniform candidates, the one the model scores highest.",
        "Zhang et al., SIGIR 2013",
        code=2,
    ),
    "bns": Choice(
        "BNS",
        "Bayesian negatives: the candidate with the least sampling risk, popularity as prior of a false negative.",
        "Liu and Wang, ICDE 2023",
        code=3,
        strength=Strength(
            "false_negative_cost",
            "cost",
            5.0,
            None,
            (0.0, 1.0, 5.0, 10.0, 20.0),
            0.0,
            1000.0,
            "A larger cost picks harder candidates; 0 picks the easiest.",
        ),
    ),
    "auc_ns": Choice(
        "AUC-NS",
        "AUC-optimal negatives: the candidate that raises partial AUC most, under a popularity prior of strength beta.",
        "arXiv 2306.01348",
        code=4,
        strength=Strength(
            "beta",
            "β",
            0.0,
            "dns",
            (0.0, 0.01, 0.025, 0.05, 0.1, 0.2),
            0.0,
            10.0,
            "A larger beta trusts unpopular items less as negatives and pushes popular ones down, to a turning point.",
        ),
    ),
    "fair_static": Choice(
        "FairStatic",
        "A group of items, hot or cold, is drawn with a fixed probability, then an item uniformly inside it.",
        "static baseline of arXiv 2306.01348, after Chen et al., WWW 2023",
        code=5,
        strength=Strength(
            "group_shift",
            "shift",
            0.0,
            "rns",
            (0.0, 0.5, 1.0, 1.5),
            0.0,
            2.0,
            "A larger shift draws hot items more often as negatives; at 1 as often as they occur in train.",
        ),
    ),
}

LOSSES: dict[str, Choice] = {
    "bpr": Choice(
        "BPR",
        "Pairwise logistic loss: the positive should score above the negative.",
        "Rendle et al., UAI 2009",
        code=0,
    ),
    "infonce": Choice(
        "InfoNCE",
        "Sampled softmax: the positive should stand out among several negatives.",
        "van den Oord et al., arXiv 1807.03748",
        code=1,
    ),
    "ips_cn": Choice(
        "IPS-CN",
        "BPR with pairs weighted by inverse popularity of their positive, clipped and normalised.",
        "Bottou et al., JMLR 2013; Gruson et al., WSDM 2019",
        code=2,
        strength=Strength(
            "power",
            "power",
            0.0,
            "bpr",
            (0.0, 0.25, 0.5, 1.0),
            0.0,
            2.0,
            "A larger power gives pairs with unpopular positives more weight.",
        ),
    ),
    "var_bpr": Choice(
        "VarBPR",
        "Several positives and negatives a step, each weighted by what popularity and hardness say of it.",
        "Liu et al., arXiv 2503.11067",
        code=3,
        strength=Strength(
            "rarity",
            "rarity",
            0.0,
            None,
            (0.0, 0.2, 0.5, 1.0),
            0.0,
            5.0,
            "A larger exponent gives rare positives more weight.",
        ),
    ),
    "sam_reg": Choice(
        "SAM-REG",
        "BPR on pairs from both sides of the positive's popularity, without correlation of popularity and margin.",
        "Boratto, Fenu, Marras, Information Processing and Management 58(1), 2021",
        code=4,
        strength=Strength(
            "sam_weight",
            "r",
            0.0,
            "bpr",
            (0.0, 0.05, 0.1, 0.3),
            0.0,
            1.0,
            "A larger r weighs the correlation of popularity and margin more, and BPR less.",
            ("sam", "off"),
        ),
    ),
    "cause": Choice(
        "CausE",
        "Two tables of items, as logged and as if items were shown evenly, kept close to each other.",
        "Bonner and Vasile, RecSys 2018, in the BPR form of Zhang et al., NeurIPS 2022",
        code=5,
        strength=Strength(
            "cause_weight",
            "weight",
            0.0,
            None,
            (0.0, 0.05, 0.5),
            0.0,
            100.0,
            "A larger weight ties the logged items closer to the evenly shown ones.",
        ),
    ),
    "macr": Choice(
        "MACR",
        "Learns what items and users score by themselves, and takes that effect out when it ranks.",
        "Wei et al., KDD 2021",
        code=6,
        strength=Strength(
            "macr_c",
            "c",
            0.0,
            None,
            (0.0, 1.0, 2.0, 5.0, 10.0, 30.0),
            0.0,
            1000.0,
            "A larger c takes more of an item's own effect out; 0 takes out nothing.",
        ),
    ),
    "bc": Choice(
        "BC-Loss",
        "Cosine InfoNCE with a margin for pairs that popularity alone does not explain.",
        "Zhang et al., NeurIPS 2022",
        code=7,
        strength=Strength(
            "margin_scale",
            "margin",
            0.0,
            None,
            (0.0, 0.25, 0.5, 1.0),
            0.0,
            5.0,
            "A larger scale widens the margin of pairs that popularity does not explain; 0 is cosine InfoNCE.",
        ),
    ),
}

COMPILED_LOSSES = ("bpr", "infonce", "ips_cn", "var_bpr")
"""Losses that the compiled engine has; autograd has all."""

UPDATERS: dict[str, Choice] = {
    "two_bp": Choice("two-sided", "Gradients reach both towers: the usual way.", "-", code=0),
    "one_bp": Choice(
        "OneBP",
        "Gradients reach the item tower only; users follow by moving aggregation of the items they took.",
        "arXiv 2403.18227",
        code=1,
    ),
}

OPTIMIZERS: dict[str, Choice] = {
    "sgd": Choice(
        "SGD", "Plain stochastic gradient descent: compiled and pair by pair where it can be, else in batches.", "-"
    ),
    "adam": Choice("Adam", "Steps scaled by the gradients' moments, in batches.", "Kingma and Ba, ICLR 2015"),
}

BASELINES: dict[str, Choice] = {
    "most_popular": Choice("Most popular", "The most popular items that the user has not taken.", "-"),
    "random": Choice("Random", "Items in random order, a new one for each user and seed.", "-"),
    "item_knn": Choice(
        "ItemKNN",
        "Items whose users resemble those of the items taken, by cosine.",
        "Sarwar et al., WWW 2001; Deshpande and Karypis, TOIS 22(1), 2004",
    ),
    "ease": Choice("EASE", "A linear model of items on items, solved in closed form.", "Steck, WWW 2019"),
    "pop_penalty": Choice(
        "Popularity penalty",
        "Re-ranks a trained setting: the logarithm of popularity is taken off its scores.",
        "the usual post-processing; Abdollahpouri et al., FLAIRS 2019, compare such re-ranking",
        strength=Strength(
            "penalty_strength",
            "penalty",
            0.0,
            None,
            (0.0, 0.02, 0.05, 0.1, 0.2, 0.5),
            0.0,
            100.0,
            "A larger penalty takes more off popular items' scores; 0 is the setting itself.",
        ),
    ),
}

LISTS = "lists"
"""The method of lists that somebody added: nothing that could be trained, but drawn beside what was."""

PROTOCOLS: dict[str, Choice] = {
    "validation": Choice(
        "chosen on validation", "Trained on train; the epoch is chosen on validation, test is read once.", "-"
    ),
    "refit": Choice(
        "refit", "Trained on train and validation for the epochs that validation chose; test is read once.", "-"
    ),
    "paper": Choice(
        "chosen on test",
        "Trained on train and validation; the best epoch is chosen on test, as both papers did: optimistic.",
        "-",
    ),
}

DUPLICATES: dict[str, Choice] = {
    "in_order": Choice("in order", "Every pair moves its user, in the order of training.", "arXiv 2403.18227"),
    "one": Choice(
        "one a batch", "One pair of a batch moves its user, the last one, as in the authors' program.", "its code"
    ),
}

L2_FORMS: dict[str, Choice] = {
    "dense": Choice(
        "dense", "Every row decays at every step, as Adam's weight_decay in both papers' programs.", "their code"
    ),
    "batch": Choice("batch", "Half the squared norm of the batch's rows over its size, as BC-Loss's.", "its code"),
}

SAM: dict[str, Choice] = {
    "on": Choice("on", "A pair's negative is more and less popular than its positive in turn.", "Boratto et al. 2021"),
    "off": Choice("off", "Negatives come from the sampler.", "-"),
}

VAR_FORMS: dict[str, Choice] = {
    "margin": Choice("margin", "The logistic loss of the weighted margin.", "arXiv 2503.11067"),
    "exact": Choice("exact", "The weighted sum of the logistic losses of every margin.", "arXiv 2503.11067"),
}

METHODS: dict[str, dict[str, str]] = {
    **{sampler: {"sampler": sampler} for sampler in SAMPLERS},
    **{loss: {"loss": loss} for loss in LOSSES if loss != "bpr"},
    "one_bp+auc_ns": {"updater": "one_bp", "sampler": "auc_ns"},
    "one_bp+dns": {"updater": "one_bp", "sampler": "dns"},
    "one_bp+infonce": {"updater": "one_bp", "loss": "infonce"},
}
"""What people call a method, by `Variant.method`: the modules that differ from MF, RNS, BPR and two-sided."""


def method_label(method: str) -> str:
    """A method's key, as `Variant.method` spells it, in words; a part that has no row here stays as it is.

    >>> method_label("one_bp+dns"), method_label("ease")
    ('OneBP + DNS', 'EASE')
    """
    tables = (BASELINES, ENCODERS, UPDATERS, LOSSES, SAMPLERS)
    names = {key: row.label for table in tables for key, row in table.items()}
    return " + ".join(names.get(part, part) for part in method.split("+"))
