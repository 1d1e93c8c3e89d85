"""plan.toml: what is written asks for the same runs when read, and nothing that is read does any harm."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import __version__
from core.errors import BadInput
from core.models import RESULT_VERSION, plan
from core.models.choices import BASELINES, PROTOCOLS
from core.models.fields import FIELDS
from core.models.plan import one_line, parse_plan, plan_text, read_plan
from core.models.sweep import DEFAULT_SWEEP, Sweep

WORDS = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=30)
VALUES = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), WORDS)
GRIDS = st.dictionaries(st.sampled_from(sorted(FIELDS)), st.lists(VALUES, min_size=1, max_size=4), max_size=4)
SWEEPS = st.builds(
    Sweep,
    grids=st.lists(GRIDS, min_size=1, max_size=3).map(tuple),
    baselines=st.lists(st.sampled_from(sorted(BASELINES)), unique=True, max_size=3).map(tuple),
    seeds=st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=4).map(tuple),
    protocol=st.sampled_from(sorted(PROTOCOLS)),
    name=WORDS,
    replicates=st.integers(0, 30),
)


def read(text, where="plan.toml"):
    return parse_plan(text.encode("utf-8") if isinstance(text, str) else text, where)


def as_numbers(sweep):
    """The sweep with typed numbers as numbers, as they are written."""
    grids = tuple({k: [plan._typed(k, v) for v in vs] for k, vs in grid.items()} for grid in sweep.grids)
    return Sweep(grids, sweep.baselines, sweep.seeds, sweep.protocol, one_line(sweep.name), sweep.replicates)


@given(SWEEPS, WORDS)
def test_what_is_written_is_read_again(sweep, dataset):
    found = read(plan_text(sweep, dataset, "27eb3e65d044923b"))
    assert found.sweep == as_numbers(sweep)
    assert (found.dataset, found.dataset_id) == (one_line(dataset), "27eb3e65d044923b")
    assert (found.program, found.result_version, found.warning) == (__version__, RESULT_VERSION, "")


def test_the_default_comparison_asks_for_the_same_runs():
    found = read(plan_text(DEFAULT_SWEEP, "ml-100k", "d"))
    assert [run.id for run in found.sweep.runs("d")] == [run.id for run in DEFAULT_SWEEP.runs("d")]


def test_what_a_form_types_asks_for_the_same_runs_and_reads_like_numbers():
    typed = Sweep(({"sampler": ["auc_ns"], "beta": ["0.05", "1e-3"], "dim": ["8"], "init_sigma": ["xavier", "0.1"],
                    "optimizer": ["adam"], "lr_decay": ["60:0.1 80:0.1"]},))  # fmt: skip
    text = plan_text(typed, "d", "d")
    grid = tomllib.loads(text)["grids"][0]
    assert (grid["beta"], grid["dim"], grid["lr_decay"]) == ([0.05, 0.001], [8], ["60:0.1 80:0.1"])
    assert [run.id for run in read(text).sweep.runs("d")] == [run.id for run in typed.runs("d")]


def test_a_hostile_name_stays_a_name():
    name = '"]\nseeds = [9]\n[[grids]]\\ \x7f #'
    text = plan_text(Sweep(({"sampler": ["rns"]},), name=name), name, "d")
    assert tomllib.loads(text)["name"] == tomllib.loads(text)["dataset"] == name.replace("\n", " ").replace("\x7f", " ")
    assert set(tomllib.loads(text)) <= set(plan.KEYS)
    assert tomllib.loads(text)["seeds"] == [0, 1, 2]


def test_another_version_is_told():
    other = plan_text(DEFAULT_SWEEP, "d", "d").replace(f"result_version = {RESULT_VERSION}", "result_version = 999")
    assert "999" in read(other).warning
    assert read("baselines = ['random']\n").warning == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"\xff\xfe", "it is no plan"),
        ("seeds = [0", "it is no plan"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        ("seeds = [" + "9" * 5000 + "]", "it is no plan"),
        ("# " + "x" * 2**20, "larger than 1024 kB"),
        ("protocol = ['validation']\n", "there is no such protocol"),
        ("baselines = [{x = 1}]\n", "there is no such baseline"),
        ("seeds = [true]\n", "whole numbers"),
        (f"seeds = [{2**63}]\n", "whole numbers"),
        ("replicates = -1\nbaselines = ['random']\n", "whole number"),
        ("name = 3\nbaselines = ['random']\n", "no line of up to"),
        (f"name = '{'x' * 201}'\nbaselines = ['random']\n", "no line of up to"),
        ('dataset = "a\\u001b[2J"\nbaselines = ["random"]\n', "no line of up to"),
        ("result_version = 1.5\nbaselines = ['random']\n", "whole number"),
        ("[[grids]]\nbeta = [[0.1]]\n", "is no value"),
        ("[[grids]]\nbeta = 2020-01-01\n", "is no value"),
        ("[[grids]]\nbeta = true\n", "is no value"),
        ("[grids]\nbeta = {a = 1}\n", "is no value"),
        ("seeds = []\n", "whole numbers"),
    ],
)
def test_a_damaged_or_hostile_file_is_refused_in_a_sentence(text, says):
    with pytest.raises(BadInput) as refused:
        read(text, "theirs.toml")
    sentence = str(refused.value)
    assert says in sentence
    assert sentence.startswith("theirs.toml")
    assert sentence.endswith(".")
    assert len(sentence) < 500


def test_a_plan_of_more_runs_than_anybody_has_is_refused_before_they_are_made():
    values = ", ".join(map(str, range(1000)))
    with pytest.raises(BadInput, match="3,000,000,000 runs"):
        read(f"[[grids]]\nbeta = [{values}]\nlr = [{values}]\ndim = [{values}]\n")


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_be_refused(content):
    try:
        found = parse_plan(content, "x")
    except BadInput:
        return
    assert isinstance(found.sweep, Sweep)


def test_a_folder_is_no_plan(tmp_path):
    with pytest.raises(BadInput, match="it is no plan"):
        read_plan(tmp_path)
    with pytest.raises(BadInput, match="it is no plan"):
        read_plan(tmp_path / "nowhere.toml")


def test_line_ends_of_another_system_do_not_matter():
    text = plan_text(DEFAULT_SWEEP, "d", "d")
    assert read(text.replace("\n", "\r\n")) == read(text)
