import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import Unknown
from core.evaluation.metrics import EXPOSURE_NAMES, METRICS, Metric, all_keys, key_title, metric_key, parse_key
from core.settings import PROJECT

DOCS = (PROJECT / "docs" / "metrics.md").read_text(encoding="utf-8")
DUE = {
    *("precision", "recall", "f1", "hit_rate", "ndcg", "map", "mrr", "auc"),
    *("ohr", "ocr", "uhr", "ucr", "fpr", "fnr", "arp", "aplt", "aclt", "gini", "coverage", "novelty"),
    *("pauc", "entropy", "entropy_norm", "popreo", "poprsp", "upd", "pri"),
    *("lift", "lift_niche", "lift_diverse", "lift_blockbuster"),
}


def described(row: Metric) -> str:
    """What docs/metrics.md has to say of a metric, word by word."""
    key = metric_key(row.name) + ("@k" if row.at_k else "")
    per = "per user" if row.per_user else "over all lists"
    unit = f", in {row.unit}" if row.unit else ""
    return (
        f"### `{key}`: {row.title}\n\n{row.how_to_read}\n\n```math\n{row.equation}\n```\n\n"
        f"{row.range_text}{unit}; {row.direction}; {per}; needs {row.needs}. {row.empty} Source: {row.source}.\n"
    )


def test_every_metric_that_is_due_has_a_row():
    assert set(METRICS) >= DUE


@pytest.mark.parametrize("row", METRICS.values(), ids=METRICS)
def test_docs_say_what_the_registry_says(row):
    assert described(row) in DOCS


def test_docs_describe_no_other_metric():
    headings = re.findall(r"^### `(\w+)(?:@k)?`:", DOCS, re.MULTILINE)
    assert [name for name in headings if name != "exposure_d1"] == list(METRICS)


@pytest.mark.parametrize("row", METRICS.values(), ids=METRICS)
def test_a_row_can_be_read(row):
    assert row.name == row.name.lower()
    assert row.equation.count("{") == row.equation.count("}")
    assert row.how_to_read.endswith(".") and 20 < len(row.how_to_read) < 200
    assert row.empty.endswith(".") and (row.ideal is None or row.range[0] < row.ideal)
    assert row.title and row.source and not row.source.endswith(".")


def test_titles_are_distinct():
    assert len({row.title for row in METRICS.values()}) == len(METRICS)


@pytest.mark.parametrize("key", [*all_keys(), *(metric_key(name, 10) for name in EXPOSURE_NAMES)])
def test_keys_come_back(key):
    assert metric_key(*parse_key(key)) == key
    assert key_title(key)


@pytest.mark.parametrize(
    "key", ["", "ndcg", "auc@10", "ndcg@", "ndcg@0", "ndcg@-5", "ndcg@ten", "NDCG@10", "exposure_d11@10"]
)
def test_what_is_no_key_is_refused(key):
    with pytest.raises(Unknown):
        parse_key(key)


def test_a_misspelt_key_is_told_the_near_ones():
    with pytest.raises(Unknown, match=r"Did you mean .*ndcg@10"):
        parse_key("ncdg@10")


@pytest.mark.parametrize("module", ["metrics", "groups", "measure", "lists", "who_pays"])
def test_reading_the_registry_waits_for_no_compiler(module):
    """Pages and the command line import these at start."""
    heavy = "{'numba', 'scipy', 'torch', 'pandas', 'sklearn'}"
    code = f"import sys, core.evaluation.{module}; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(PROJECT), capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
