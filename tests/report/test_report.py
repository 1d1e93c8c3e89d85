"""The report: the same bytes everywhere, nothing that could run or is of the machine, the warehouse's numbers."""

import json
import re
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pyarrow as pa
import pytest

from core import report as made
from core.charts import files
from core.charts.decision import PREMATURE
from core.charts.text import number, percent
from core.datasets import store
from core.decisions import store as decisions
from core.decisions.rule import Rule
from core.errors import DamagedArtifact, Refused, Unknown
from core.evaluation.metrics import METRICS, key_title
from core.jobs.added_lists import add_lists
from core.report.html import VOID, Markup, el, escaped, table
from core.report.mathml import mathml
from core.report.page import POLICY, command, facts, without_paths
from core.settings import PROJECT
from core.warehouse import decide, queries
from core.warehouse.database import Warehouse
from tests.pages import results
from tests.tiny import ITEMS, tiny_dataset, tiny_prepared

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\u202e'
STRONG, MIDDLE = (f"AUC-NS β {beta}, dim 8, epochs 6" for beta in ("0.2", "0.05"))
RULE = Rule("give_up", 50.0, "ndcg@10", "aplt@10")


class Page(HTMLParser):
    """A page as a browser takes it: elements with attributes, and the text."""

    def __init__(self, content: bytes):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(content.decode("utf-8"))

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)


@pytest.fixture
def tiny(settings):
    return results.trained(settings)


@pytest.fixture
def warehouse(settings, tiny):
    w = Warehouse.open(settings, own=False)
    yield w
    w.close()


def full(w, info, **more):
    return made.make_request(w, info.id, **{"a": STRONG, "b": MIDDLE, "rule": RULE, **more})


# ---------------------------------------------------------------- the bytes


def test_the_same_results_give_the_same_bytes_in_another_process_and_cache(settings, tiny, warehouse, tmp_path):
    asked = full(warehouse, tiny)
    first = made.report(warehouse, asked)
    assert made.report(warehouse, asked) == first
    moved = tmp_path / "elsewhere"
    settings.cache.rename(moved)
    words = command(facts(Warehouse.open(replace(settings, cache=moved), own=False), asked), asked)
    assert "--a" in words
    out = tmp_path / "again.html"
    argv = [sys.executable, *words.replace("report.html", str(out)).split()[1:]]
    environment = {"LONGTAIL_CACHE": str(moved), "PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    subprocess.run(argv, cwd=PROJECT, env=environment, check=True, capture_output=True)
    assert out.read_bytes() == first


def test_nothing_of_the_moment_or_the_machine_is_in_it(settings, warehouse, tiny):
    text = made.report(warehouse, full(warehouse, tiny)).decode()
    assert str(settings.cache) not in text
    assert str(PROJECT) not in text
    for folder in settings.runs.iterdir():
        meta = json.loads((folder / "meta.json").read_text())
        assert str(int(meta["created"])) not in text
        assert f"{meta['seconds']:.6f}"[:8] not in text


def test_nothing_is_fetched_and_nothing_could_run(warehouse, tiny):
    content = made.report(warehouse, full(warehouse, tiny))
    page = Page(content)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "img", "link", "iframe", "object", "embed", "form", "a", "base"}
    assert any(tag == "meta" and given.get("content") == POLICY for tag, given in page.elements)
    assert "script-src" not in POLICY  # falls back to default-src 'none'
    for _, given in page.elements:
        assert not [name for name in given if name.startswith("on")]
        assert not [name for name in ("src", "href", "xlink:href") if name in given]
    assert not re.findall(r"url\((?!#)|@import", content.decode())
    assert page.open == []


def test_two_charts_share_no_id(warehouse, tiny):
    page = Page(made.report(warehouse, full(warehouse, tiny)))
    ids = [given["id"] for _, given in page.elements if given.get("id")]
    assert len(ids) == len(set(ids))
    used = set(re.findall(r'url\(#([^)"]+)\)', made.report(warehouse, full(warehouse, tiny)).decode()))
    assert used <= set(ids)


def test_anybodys_text_stays_text(settings, tmp_path):
    """A list's name, titles of items and of the data set, its notes, source and licence."""
    prepared = tiny_prepared()
    about = replace(prepared.about, title=HOSTILE, source=HOSTILE, licence=HOSTILE, notes=(HOSTILE,))
    titles = pa.array([f"{n} {HOSTILE}" for n in range(ITEMS)])
    info = store.publish(settings, replace(prepared, about=about, attributes={"title": titles}))
    results.train(settings, info)
    lists = tmp_path / "lists.csv"
    rows = [f"u{u:02d},i{i:02d},{r}" for u in range(60) for r, i in enumerate(range(70, 80), start=1)]
    lists.write_text("user,item,rank\n" + "\n".join(rows) + "\n")
    added = add_lists(settings, info, lists, "Theirs").lists
    meta = added.folder / "meta.json"
    meta.write_text(json.dumps({**json.loads(meta.read_text()), "name": HOSTILE}))
    w = Warehouse.open(settings, own=False)
    asked = made.make_request(w, info.id, a=HOSTILE, b=STRONG, rule=RULE)
    content = made.report(w, asked)
    w.close()
    page = Page(content)
    assert not {tag for tag, _ in page.elements} & {"script", "img"}
    assert not [name for _, given in page.elements for name in given if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") > 10  # shown, in tables and in charts
    assert re.search(r"\d+ \"><script>", page.text)  # an item that moves
    assert "\u202e" not in content.decode()
    for svg in re.findall(r"<svg.*?</svg>", content.decode(), flags=re.DOTALL):
        assert not {e.tag.rpartition("}")[2] for e in ET.fromstring(svg).iter()} & {"script", "img"}


# ---------------------------------------------------------------- what it tells


def test_its_numbers_are_the_warehouses(warehouse, tiny):
    asked = full(warehouse, tiny, split="validation")
    text = Page(made.report(warehouse, asked)).text
    variants = queries.variants(warehouse, tiny.id)
    for variant in asked.compared:
        found = queries.metrics_of(warehouse, variant)
        found = found[(found["split"] == "validation") & (found["reading"] == "epoch")].set_index("metric")
        for key in ("ndcg@10", "aplt@10", "gini@10", "coverage@10"):
            assert number(found.loc[key, "mean"]) in text, key
        row = variants.set_index("variant").loc[variant]
        for run in row["runs"]:
            assert run in text
        assert row["label"] in text
    for field in ("beta", "epochs", "early stopping"):
        assert field in text
    assert tiny.id in text
    facts_of = queries.datasets(warehouse).iloc[0]
    assert percent(facts_of["density"]) in text
    assert "made up for tests" in text
    assert "numpy" in text


def test_every_section_is_there(warehouse, tiny):
    page = made.report(warehouse, full(warehouse, tiny)).decode()
    heads = re.findall(r"<h2>(.*?)</h2>", page)
    assert heads == [
        "Decision", "Trade-off", "Settings", "Comparison", "Who pays", "Items that move", "Training",
        "How it is measured", "Data", "What made these numbers",
    ]  # fmt: skip
    assert re.findall(r'<figure id="([^"]*)"', page) == ["trade-off", "groups", "lift", "found", "exposure", "learning"]
    for _, given in Page(page.encode()).elements:
        if given.get("role") == "img":
            assert len(given["aria-label"]) > 30


def test_a_decision_is_chosen_on_validation_and_reported_on_test(warehouse, tiny):
    on_test = Page(made.report(warehouse, full(warehouse, tiny, split="test"))).text
    assert "Chosen on validation" in on_test
    assert PREMATURE in on_test
    assert "validation split: NDCG@10" in on_test
    assert "test split: NDCG@10" in on_test
    on_validation = Page(made.report(warehouse, full(warehouse, tiny))).text  # unless another split is asked for
    assert "validation split: NDCG@10" in on_validation
    assert "test split" not in on_validation


def test_a_saved_decision_is_told_with_its_day_its_reason_and_its_test_figures(settings, warehouse, tiny):
    found = facts(warehouse, full(warehouse, tiny))
    labels = dict(zip(found.variants["variant"], found.variants["label"], strict=True))
    chosen, baseline = found.judged.recommended, found.judged.baseline
    kept = decisions.save(
        settings, decide.decision(warehouse, tiny.id, RULE, labels, chosen, baseline, f"For sales. {HOSTILE}")
    )
    with sqlite3.connect(settings.state) as db:  # late in the evening of Greenwich, the next day in Tokyo
        db.execute("UPDATE decision SET saved = ?", (datetime(2026, 3, 1, 23, 30, tzinfo=UTC).timestamp(),))
    page = Page(made.report(warehouse, full(warehouse, tiny)))
    assert 'Decided on 1 March 2026: For sales. "><script>alert(1)</script>' in page.text
    assert f"test split: NDCG@10 {number(kept.of('test')[0]['value'])}" in page.text
    assert PREMATURE not in page.text
    assert "script" not in {tag for tag, _ in page.elements}
    on_test = Page(made.report(warehouse, full(warehouse, tiny, split="test"))).text
    assert PREMATURE not in on_test
    assert "On that day" not in on_test  # today's figures are the same
    other = Page(made.report(warehouse, full(warehouse, tiny, rule=replace(RULE, amount=49.0)))).text
    assert "Decided on" not in other
    older = replace(kept, figures=[{**row, "value": 0.25} for row in kept.figures])
    decisions.delete(settings, kept.id)
    decisions.restore(settings, older)
    then = Page(made.report(warehouse, full(warehouse, tiny, split="test"))).text
    assert "On that day: " in then
    assert "NDCG@10 0.250" in then
    assert "Now: " in then


def test_without_a_the_recommended_setting_is_a(warehouse, tiny):
    asked = made.make_request(warehouse, tiny.id, rule=RULE)
    found = facts(warehouse, asked)
    assert asked.a == found.judged.recommended
    assert asked.a != asked.baseline


def test_alone_it_tells_the_chart_and_how_to_get_more(warehouse, tiny):
    page = made.report(warehouse, made.make_request(warehouse, tiny.id)).decode()
    assert "<h2>Answer</h2>" in page
    assert "No setting was chosen for a comparison" in page
    assert 'id="learning"' not in page


def test_without_a_baseline_a_and_b_are_compared(settings):
    info = tiny_dataset(settings)
    results.train(settings, info, replace(results.SHORT, grids=results.SHORT.grids[1:], baselines=()))
    w = Warehouse.open(settings, own=False)
    asked = made.make_request(w, info.id, a=STRONG, b=MIDDLE)
    assert asked.baseline is None
    page = made.report(w, asked).decode()
    w.close()
    assert f"B ({MIDDLE}) against A ({STRONG})" in page
    assert 'id="groups"' not in page
    assert 'id="exposure"' in page


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"a": "nothing"}, Unknown),
        ({"a": "rns", "b": "RNS"}, Refused),
        ({"accuracy": "aplt@10"}, Refused),
        ({"bias": "ndcg@10"}, Refused),
        ({"split": "train"}, Unknown),
        ({"protocol": "nonsense"}, Unknown),
        ({"protocol": "refit"}, Refused),  # nothing trained under it
        ({"protocol": "paper", "split": "validation"}, Refused),
        ({"protocol": "paper", "rule": RULE}, Refused),
    ],
)
def test_what_cannot_be_reported_is_refused(warehouse, tiny, given, error):
    with pytest.raises(error) as refused:
        made.make_request(warehouse, tiny.id, **given)
    assert str(refused.value).endswith((".", "?"))


def test_a_damaged_run_is_told(settings, warehouse, tiny):
    asked = full(warehouse, tiny)
    run = queries.variants(warehouse, tiny.id).set_index("variant").loc[asked.a, "first_run"]
    (settings.runs / run / "meta.json").write_text("{")
    with pytest.raises(DamagedArtifact, match=run):
        made.report(warehouse, asked)


# ---------------------------------------------------------------- its parts


@pytest.mark.parametrize("name", METRICS)
def test_every_equation_is_drawn(name):
    element = ET.fromstring(mathml(METRICS[name].equation))
    assert element.tag == "math"
    assert not re.search(r"[\\{}_^]", "".join(element.itertext()).replace("{u", "").replace("{r", "").replace("}", ""))


def test_an_equation_by_hand():
    assert mathml(r"\frac{a_1}{2} \sum_{i \in R} p") == (
        '<math display="block"><mrow><mfrac><mrow><msub><mi>a</mi><mn>1</mn></msub></mrow><mrow><mn>2</mn></mrow>'
        '</mfrac><munder><mo largeop="true">∑</mo>'
        "<mrow><mi>i</mi><mo>∈</mo><mi>R</mi></mrow></munder><mi>p</mi></mrow></math>"
    )


@pytest.mark.parametrize("equation", [r"\unknown{x}", "a}"])
def test_an_equation_that_is_not_known_is_refused(equation):
    with pytest.raises(ValueError, match=r"known|brace"):
        mathml(equation)


def test_only_markup_is_not_escaped():
    assert el("p", "<b>", Markup("<i></i>"), None) == "<p>&lt;b&gt;<i></i></p>"
    assert escaped("a\x00\x1bb\ud800") == "a\ufffd\ufffdb\ufffd"
    assert 'title="&quot;&lt;"' in el("p", title='"<')


def test_a_table_names_its_rows_and_columns():
    page = Page(table(["What", "n"], [["a", "1"]], "Caption").encode())
    scopes = [given.get("scope") for tag, given in page.elements if tag == "th"]
    assert scopes == ["col", "col", "row"]


def test_paths_of_a_machine_are_shortened():
    told = {
        "imported from /home/me/a b/shop.csv": "imported from a b/shop.csv",
        r"C:\data\x.csv, 3 rows": "x.csv, 3 rows",
        "https://example.org/a/b.zip": "https://example.org/a/b.zip",
        "ml-100k/ml-100k.inter": "ml-100k/ml-100k.inter",
        "~/data/x": "x",
        "0.2 for test, 1/2": "0.2 for test, 1/2",
    }
    assert {text: without_paths(text) for text in told} == told


def test_the_pages_colours_are_those_that_the_style_turns():
    css = (PROJECT / "core" / "report" / "style.css").read_text(encoding="utf-8")
    for colour in (files.INK, files.GRID):
        assert f'"{colour}"' in css
    assert key_title("ndcg@10") == "NDCG@10"
