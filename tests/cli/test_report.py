"""`report`: the file, whole; what it answers; what it refuses."""

import pytest

from tests.cli.conftest import Command


def test_it_writes_one_file_and_says_so(reading: Command, tmp_path):
    out = tmp_path / "r.html"
    answer = reading("report", "tiny", "--out", out, "--a", "auc_ns", "--budget", "90", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["bytes"] == len(out.read_bytes())
    assert answer.json["rule"]["amount"] == 90
    assert answer.json["baseline"]
    assert out.read_bytes().startswith(b"<!DOCTYPE html>")
    assert list(tmp_path.iterdir()) == [out]


def test_again_gives_the_same_bytes_over_the_old_file(reading: Command, tmp_path):
    out = tmp_path / "r.html"
    out.write_text("old")
    reading("report", "tiny", "--out", out, "--reach", "0.01", "--sure")
    first = out.read_bytes()
    reading("report", "tiny", "--out", out, "--reach", "0.01", "--sure")
    assert out.read_bytes() == first


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--a", "nothing"), "finished setting"),
        (("--budget", "200"), "cannot be given up"),
        (("--budget", "nan"), "no number"),
        (("--sure",), "belongs to a rule"),
        (("--accuracy", "aplt@10"), "no metric of accuracy"),
        (("--accuracy", "ndcg"), "ndcg"),
        (("--protocol", "paper"), "no finished run"),
        (("--budget", "1", "--reach", "1"), "not allowed with"),
    ],
)
def test_what_is_refused_leaves_no_file(reading: Command, tmp_path, options, says):
    answer = reading("report", "tiny", "--out", tmp_path / "r.html", *options)
    assert answer.code == 2
    assert says in answer.err
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written(reading: Command, tmp_path):
    assert "no folder" in reading("report", "tiny", "--out", tmp_path / "nowhere" / "r.html").err
    assert "is a folder" in reading("report", "tiny", "--out", tmp_path).err
