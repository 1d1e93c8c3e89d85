"""The report as a page: its sections in order, from the decision to what made the numbers.

Here: which section tells what. Not here: the numbers (facts.py), the charts (figures.py), elements (html.py).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from core import __version__
from core.charts import compare_answer, decision
from core.charts.text import capitalised, number, p_value, percent, provenance, signed
from core.charts.trade_off import Question
from core.charts.trade_off_answer import answer
from core.evaluation.metrics import METRICS, key_title, parse_key
from core.models import RESULT_VERSION, differences
from core.models.choices import PROTOCOLS
from core.report.facts import Facts, facts
from core.report.figures import learning_figure, trade_off_figure, who_pays_figures
from core.report.html import Markup, el, joined, table
from core.report.mathml import mathml
from core.report.request import Request
from core.uncertainty.weights import RESAMPLES
from core.warehouse import decide
from core.warehouse.database import Warehouse

MOST_ROWS = 500
"""Settings in the table of points: more are left to `results`, which is said."""
ITEMS = 10  # that gain, and that lose, most
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_PATH = re.compile(r"(?<![\w:/.~-])~?(?:/[^\s,;()\"']+)+|(?<!\w)[A-Za-z]:\\[^\s,;()\"']+")
READ = (
    "Each mark is one setting: the mean over its seeds. A line joins a method's settings in the order of its debias "
    f"strength. Bars are 95 % intervals of that mean by {RESAMPLES:,} resamples of the users; faint dots are single "
    "seeds. All settings are measured on the same users, so that bars that overlap may still differ: the verdict says. "
    "A verdict puts users and seeds together, is against the baseline, and is corrected for all settings compared "
    "(Holm); a mark in the shaded region is better on both axes. Lit marks are on the Pareto front in at least 5 % of "
    "the resamples."
)

SYMBOLS = (
    "Symbols: U the evaluated users (those with held-out items), R the first k items shown to user u, T the user's "
    "held-out items, I the catalogue, H its hot items and C its cold ones, p the users who took item i in train, c the "
    "lists that show item i, P the items user u took in train."
)


def report(w: Warehouse, asked: Request) -> bytes:
    """The report of a request, as a file of HTML in UTF-8: the same bytes for the same results, on every machine.

    Raises Unknown, Refused, and DamagedArtifact for a run's file.
    """
    found = facts(w, asked)
    main = el(
        "main",
        joined(
            (
                _head(found, asked),
                _decision(found, asked),
                el("section", el("h2", "Trade-off"), trade_off_figure(found, asked), el("p", READ, class_="quiet")),
                _points(found, asked),
                _compared(found, asked),
                _who_pays(found, asked),
                _items(found, asked),
                _learning(found, asked),
                _how(found, asked),
                _data(found),
                _made(found, asked),
            )
        ),
    )
    title = f"{found.data['title']}: {key_title(asked.accuracy)} against {key_title(asked.bias)}"
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
        el("style", _style()),
    )
    return f"<!DOCTYPE html>\n{el('html', head, el('body', main), lang='en')}\n".encode()


@cache
def _style() -> Markup:
    return Markup((Path(__file__).parent / "style.css").read_text(encoding="utf-8"))


# ---------------------------------------------------------------- what was found


def _head(found: Facts, asked: Request) -> Markup:
    badges = [el("span", f"{asked.split} split", class_="badge"), el("span", _protocol(asked), class_="badge")]
    badges += [el("span", "simulated data", class_="badge")] if found.data["simulated"] else []
    names = {"base": ("Baseline", asked.baseline), "a": ("A", asked.a), "b": ("B", asked.b)}
    pins = [
        el("span", f"{name}: {found.label(variant)}", class_=f"badge {look}")
        for look, (name, variant) in names.items()
        if variant
    ]
    line = f"{key_title(asked.accuracy)} against {key_title(asked.bias)}. Longtail Lab {__version__}."
    warning = None
    if asked.protocol == "paper":
        warning = el("p", "Chosen on test: every figure here is optimistic.", class_="card warning")
    elif asked.protocol == decide.PROTOCOL and asked.split == "test" and found.kept is None:
        warning = el("p", f"{decision.PREMATURE}.", class_="card warning")
    return el("header", el("h1", str(found.data["title"])), el("p", line), el("p", *badges, *pins), warning)


def _protocol(asked: Request) -> str:
    return f"protocol {asked.protocol}: {PROTOCOLS[asked.protocol].label}"


def _decision(found: Facts, asked: Request) -> Markup:
    """What the rule recommends; without a rule, who beats the baseline."""
    if asked.rule is None or found.judged is None:
        question = Question(asked.bias, asked.accuracy, asked.split, asked.protocol)
        told = answer(found.points, found.found, question, asked.baseline)
        return el("section", el("h2", "Answer"), _card(told.lead + ".", told.rest, told.train))
    advice = decision.advice(found.judged, asked.rule)
    baseline = found.label(found.judged.baseline) if found.judged.baseline else "the baseline"
    rule = decision.rule_text(asked.rule, baseline)
    lines = [f"The rule: {rule}. {advice.rest} Chosen on validation."]
    title = str(found.data["title"])
    recommended = found.label(found.judged.recommended)
    sentences = {
        split: decision.sentence(recommended, baseline, asked.rule, rows, split, title)
        for split, rows in found.figures.items()
    }
    if found.kept is None:
        lines += sentences.values()
    else:
        lines.append(decision.decided(found.kept))
        for split in decide.SPLITS:
            lines += decision.then_and_now(found.kept, split, title, sentences.get(split))
    return el("section", el("h2", "Decision"), _card(advice.lead + ".", *lines))


def _card(*lines: str) -> Markup:
    return el("div", *(el("p", line) for line in lines if line), class_="card")


def _points(found: Facts, asked: Request) -> Markup:
    """Every setting on the chart."""
    marks = found.marks()
    rule = None
    if found.judged is not None:
        rows = found.judged.rows.set_index("variant")
        rule = {v: _kept(rows.loc[v], found.judged.possible) if v in rows.index else "-" for v in marks["variant"]}
    heads = ["Setting", "Verdict", *(["Rule"] if rule else []), "Seeds", "P(front)"]
    for key in (asked.accuracy, asked.bias):
        heads += [_short(key), "95 % interval", "seed sd", "p (Holm)"]
    body = []
    for row in marks.head(MOST_ROWS).to_dict("records"):
        cells = [str(row["label"]), _word(row["verdict"]), *([rule[row["variant"]]] if rule else [])]
        cells += [str(row["seeds"]), _share(row["front"])]
        for axis in ("y", "x"):
            ends = _between(row[f"{axis}_from"], row[f"{axis}_to"])
            cells += [_n(row[axis]), ends, _n(row[f"{axis}_sd"]), _p(row[f"{axis}_p"])]
        body.append(cells)
    numbers = 3 if rule else 2
    caption = f"All {len(marks)} settings. Verdict: against {found.label(asked.baseline)}, on both axes."
    left_out = None
    if len(marks) > MOST_ROWS:
        left_out = el("p", f"The first {MOST_ROWS}; `python -m core results` has all of them.", class_="quiet")
    return el("section", el("h2", "Settings"), table(heads, body, caption, numbers), left_out)


def _kept(row: Any, possible: bool) -> str:
    if not row["keeps"]:
        return "outside" if possible else "-"
    return "beyond the turn" if row["beyond"] else "keeps"


def _compared(found: Facts, asked: Request) -> Markup | None:
    """What differs in the settings, and every metric, two by two."""
    if not found.pairs:
        return el("section", el("h2", "Comparison"), el("p", _NOTHING)) if not asked.pins else None
    parts = [el("h2", "Comparison")]
    names = {variant: name for name, variant in reversed([("baseline", asked.baseline), *asked.pins.items()])}
    for (first, second), rows in found.pairs.items():
        title = f"{_named(found, names, second)} against {_named(found, names, first)}"
        parts += [el("h3", title), *_answered(found, asked, first, second, rows)]
        parts.append(_settings(found, names, first, second))
        parts.append(_metrics(rows, f"Every metric: {title}"))
    return el("section", joined(parts))


_NOTHING = "No setting was chosen for a comparison: give A, or B, or a rule that recommends one."


def _named(found: Facts, names: dict[str | None, str], variant: str) -> str:
    name = names[variant]
    return f"{name} {found.label(variant)}" if name == "baseline" else f"{name} ({found.label(variant)})"


def _answered(found: Facts, asked: Request, first: str, second: str, rows: pd.DataFrame) -> list[Markup]:
    """The sentence of the page Compare, where A and B are compared."""
    if (first, second) != (asked.a, asked.b):
        return []
    sides = [
        compare_answer.Side(str(row["label"]), str(row["method"]), int(row["seeds"]))
        for row in (found.row(v) for v in (first, second))
    ]
    keys = (asked.accuracy, asked.bias)
    told = compare_answer.answer(
        rows, keys, (sides[0], sides[1]), str(found.data["title"]), asked.split, asked.protocol
    )
    return [el("p", told.text)]


def _settings(found: Facts, names: dict[str | None, str], first: str, second: str) -> Markup:
    fields = [json.loads(found.row(v)["fields"]) for v in (first, second)]
    different = [row for row in differences.settings(*fields) if row.differs]
    kinds = [differences.reference(one) for one in fields]
    if any(kinds):
        told = [
            f"{_named(found, names, v)} is a reference: {kind}."
            for v, kind in zip((first, second), kinds, strict=True)
            if kind
        ]
        return el("p", f"{' '.join(told)} There are no settings to set beside each other.", class_="quiet")
    if not different:
        return el("p", "No setting differs.", class_="quiet")
    heads = ["Setting", found.label(first), found.label(second), "Default", "What it is"]
    body = [[row.name, row.first, row.second, row.default, row.what] for row in different]
    return table(heads, body, "The settings that differ; all others are equal.", numbers=len(heads))


def _metrics(rows: pd.DataFrame, caption: str) -> Markup:
    heads = ["Metric", "Better", "Verdict", "From", "To", "Difference", "95 % interval", "Change", "p"]
    body = []
    for row in rows.to_dict("records"):
        change = "-" if pd.isna(row["relative"]) else f"{signed(100 * row['relative'])} %"
        ends = _between(row["low"], row["high"])
        numbers = [_n(row["first"]), _n(row["second"]), _signed(row["difference"]), ends, change, _p(row["p"])]
        body.append([key_title(row["metric"]), row["better"], _word(row["verdict"]), *numbers])
    about = "p and verdict are of each metric by itself, over users and seeds."
    return table(heads, body, f"{caption}. {about}", numbers=3)


def _who_pays(found: Facts, asked: Request) -> Markup | None:
    figures = who_pays_figures(found, asked)
    if not figures:
        return None
    parts = [el("h2", "Who pays"), *figures]
    if found.groups is not None:
        heads = ["Setting", "Users", "Verdict", "Number", _short(asked.accuracy), "Change", "95 % interval", "Lift"]
        body = [
            [row["label"], row["user_group"], _word(row["verdict"]), str(row["users"]), _n(row["value"]),
             _share(row["relative"]), _between(100 * row["low"], 100 * row["high"], " %"), _share(row["lift"])]
            for row in found.groups.to_dict("records")
        ]  # fmt: skip
        parts.append(table(heads, body, "User groups, by the share of popular items in what they took", numbers=3))
    if found.deciles is not None:
        shares = ("recall", "share", "train_share", "test_share")
        heads = ["Setting", "Decile", "Items", "Found", "Share shown", "Share of train", f"Share of {asked.split}"]
        body = [
            [row["label"], str(row["decile"]), str(row["items"]), *(_share(row[name]) for name in shares)]
            for row in found.deciles.to_dict("records")
        ]
        parts.append(table(heads, body, "Items by popularity; decile 10 is the most popular"))
    return el("section", joined(parts))


def _items(found: Facts, asked: Request) -> Markup | None:
    """Which items the second of the last pair shows to more users, and to fewer."""
    if found.items is None:
        return None
    first, second = list(found.pairs)[-1]
    parts = [el("h2", "Items that move")]
    order = found.items.sort_values(["change", "item_id"], ascending=[False, True], kind="stable")
    for title, rows in (("gain", order.head(ITEMS)), ("lose", order.iloc[::-1].head(ITEMS))):
        moved = rows[rows["change"] > 0] if title == "gain" else rows[rows["change"] < 0]
        body = [
            [str(row["title"] if isinstance(row["title"], str) else row["item_id"]), str(row["decile"]),
             _share(row["popularity"]), _share(row["first"]), _share(row["second"]), _share(row["change"])]
            for row in moved.to_dict("records")
        ]  # fmt: skip
        heads = ["Item", "Decile", "Taken by", f"Shown by {found.label(first)}", f"By {found.label(second)}", "Change"]
        caption = f"Items that {title} most, in lists of {asked.k}: shares of the users"
        parts.append(table(heads, body, caption) if body else None)  # type: ignore[arg-type]
    return el("section", joined(parts))


def _learning(found: Facts, asked: Request) -> Markup | None:
    drawn = learning_figure(found, asked) if asked.pins else None
    return el("section", el("h2", "Training"), drawn) if drawn else None


# ---------------------------------------------------------------- how it was made


def _how(found: Facts, asked: Request) -> Markup:
    """The protocol, and what every metric here means."""
    keys = [asked.accuracy, asked.bias]
    others = list(dict.fromkeys(key for rows in found.pairs.values() for key in rows["metric"] if key not in keys))
    chosen = capitalised(provenance(asked.split, asked.protocol))
    parts = [
        el("h2", "How it is measured"),
        el("p", f"{chosen}. {PROTOCOLS[asked.protocol].line}"),
        el("p", SYMBOLS, class_="quiet"),
        *(_metric(key) for key in [*keys, *others]),
    ]  # fmt: skip
    return el("section", joined(parts))


def _metric(key: str) -> Markup:
    about = METRICS[parse_key(key)[0]]
    text = f"{about.how_to_read} {about.direction.capitalize()}; {about.range_text}. {about.empty}"
    over = "Mean over users" if about.per_user else "Over all lists together"
    source = el("p", f"{over}. Source: {about.source}.", class_="quiet")
    return el("div", el("h3", key_title(key)), el("p", text), mathml(about.equation), source)


def _data(found: Facts) -> Markup:
    about = found.data
    facts_of = {
        "Name": str(about["name"]),
        "Id (a hash of the interactions with their splits)": str(about["dataset"]),
        "Users": f"{about['users']:,}",
        "Items": f"{about['items']:,}",
        "Interactions": f"{about['interactions']:,}",
        "Train, validation, test": ", ".join(f"{about[name]:,}" for name in ("train", "validation", "test")),
        "Density": percent(about["density"]),
        "Gini of train popularity": number(about["gini"]),
        "Prepared": without_paths(str(about["prepared_how"])),
        "Source": without_paths(str(about["source"])),
        "Licence": str(about["licence"]),
        "Citation": str(about["citation"]),
    }
    rows = [[name, text] for name, text in facts_of.items() if text]
    notes = [el("li", without_paths(str(note))) for note in about["notes"]]
    return el(
        "section", el("h2", "Data"), table(["What", "Value"], rows, numbers=2), el("ul", *notes) if notes else None
    )


def without_paths(text: str) -> str:
    """The text with the last part only of paths that begin at a root: those are of one machine.

    >>> without_paths("the mirror /srv/data/ml-100k, ml-100k/ml-100k.inter"), without_paths("https://files.org/a/b.zip")
    ('the mirror ml-100k, ml-100k/ml-100k.inter', 'https://files.org/a/b.zip')
    """
    return _PATH.sub(lambda path: re.split(r"[/\\]", path.group().rstrip("/\\"))[-1], text)


def _made(found: Facts, asked: Request) -> Markup:
    """Settings in full, runs and seeds, versions, and the command that makes this file."""
    parts = [el("h2", "What made these numbers")]
    if asked.compared:
        parts.append(_all_settings(found, asked))
    runs = [
        [row["label"], str(row["seed"]), _whole(row["epoch"]), str(row["engine"]), row["run"]]
        for row in found.runs.to_dict("records")
    ]
    if runs:
        heads = ["Setting", "Seed", "Epoch", "Engine", "Run"]
        parts.append(table(heads, runs, "The runs compared; a run's id is a hash of all that its result follows from"))
    versions = [
        [f"{count} run{'s' if count != 1 else ''}", ", ".join(f"{n} {v}" for n, v in of_runs)]
        for of_runs, count in found.versions.items()
    ]
    caption = "What trained the runs of all settings on the chart"
    parts.append(table(["Runs", "Versions (results: the number of this program's results)"], versions, caption, 2))
    made = f"Made by Longtail Lab {__version__}, whose results have number {RESULT_VERSION}, by:"
    parts += [el("p", made), el("pre", command(found, asked))]
    return el("section", joined(parts))


def _all_settings(found: Facts, asked: Request) -> Markup:
    """Every setting of what is compared, whether it differs or not."""
    fields = [json.loads(found.row(variant)["fields"]) for variant in asked.compared]
    names = [name for name in dict.fromkeys(key for of in fields for key in of) if name != "dataset"]
    rows = [[name.replace("_", " "), *(_value(of.get(name)) for of in fields)] for name in names]
    heads = ["Setting", *(f"{found.label(variant)} ({variant})" for variant in asked.compared)]
    return table(heads, rows, "All settings", numbers=len(heads))


def command(found: Facts, asked: Request) -> str:
    """The command that writes the same bytes."""
    words = ["python", "-m", "core", "report", str(found.data["dataset"]), "--out", "report.html"]
    given: dict[str, str | None] = {"a": asked.a, "b": asked.b, "baseline": asked.baseline}
    given |= {"accuracy": asked.accuracy, "bias": asked.bias, "split": asked.split, "protocol": asked.protocol}
    if asked.rule:
        given["budget" if asked.rule.kind == "give_up" else "reach"] = f"{asked.rule.amount!r}"
    words += [word for option, value in given.items() if value for word in (f"--{option}", value)]
    return shlex.join(words + (["--sure"] if asked.rule and asked.rule.sure else []))


# ---------------------------------------------------------------- cells


def _short(key: str) -> str:
    title = key_title(key)
    return title[title.index("(") + 1 : -1] if title.endswith(")") else title


def _word(value: Any) -> str:
    return value if isinstance(value, str) else "-"


def _n(value: Any) -> str:
    return "-" if pd.isna(value) else number(float(value))


def _signed(value: Any) -> str:
    return "-" if pd.isna(value) else signed(float(value))


def _p(value: Any) -> str:
    return "-" if pd.isna(value) else p_value(float(value))


def _share(value: Any) -> str:
    return "-" if pd.isna(value) else percent(float(value))


def _whole(value: Any) -> str:
    return "-" if pd.isna(value) else str(int(value))


def _between(low: Any, high: Any, unit: str = "") -> str:
    return "-" if pd.isna(low) or pd.isna(high) else f"{number(float(low))} to {number(float(high))}{unit}"


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else without_paths(str(value))
