"""`decide` and `decisions`: what a rule recommends on validation, kept with its test figures."""

import pytest

from core.decisions import store
from tests.cli.test_compare import variants  # noqa: F401
from tests.tiny import tiny_dataset


def test_the_rule_is_kept_to_and_test_is_not_told(command, variants) -> None:  # noqa: F811
    found = command("decide", "tiny", "--budget", "10", "--json").json
    assert found["recommended"] == variants["both"] and found["baseline"] == variants["rns"]
    assert found["outside"] == [variants["traded"]]  # 0.25 of 0.30 is a sixth less
    assert list(found["figures"]) == ["validation"] and found["decision"] is None
    assert [row["metric"] for row in found["figures"]["validation"]] == ["ndcg@10", "aplt@10"]
    assert command("decide", "tiny", "--budget", "20", "--json").json["recommended"] == variants["traded"]


def test_in_words_it_says_the_rule_the_answer_and_the_split(command, variants) -> None:  # noqa: F811
    said = command("decide", "tiny", "--reach", "0.12").out
    assert said.startswith("The rule: reach a cold share of the list (APLT@10) of 0.120 or more at the best NDCG@10.")
    assert "validation split" in said and "test split" not in said


def test_a_saved_one_tells_test_and_can_be_forgotten(command, settings, variants) -> None:  # noqa: F811
    said = command("decide", "tiny", "--budget", "10", "--save", "--note", "for the board").out
    assert "test split" in said and "Kept as decision 1." in said
    (kept,) = store.decisions(settings)
    assert (kept.variant, kept.note) == (variants["both"], "for the board")
    (listed,) = command("decisions", "--json").json
    assert listed["decision"] == 1 and listed["variant"] == variants["both"] and listed["note"] == "for the board"
    assert command("decisions", "other", "--json").json == []
    answer = command("decisions", "--forget", "1")
    assert "Forgotten: decision 1" in answer.err and store.decisions(settings) == []
    assert command("decisions", "--forget", "1").code == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--budget", "-1"), "cannot be given up"),
        (("--budget", "1", "--reach", "1"), "not allowed with"),
        (("--reach", "0.9", "--save"), "there is nothing to save. The nearest is"),
        (("--accuracy", "aplt@10"), "no metric of accuracy"),
        (("--baseline", "nobody"), "nobody"),
    ],
)
def test_what_cannot_be_is_refused(command, variants, options, said) -> None:  # noqa: F811
    answer = command("decide", "tiny", *options)
    assert answer.code == 2 and said in answer.err


def test_nothing_trained_is_told(command, settings) -> None:
    tiny_dataset(settings)
    answer = command("decide", "tiny")
    assert answer.code == 2 and "no finished run" in answer.err and "core sweep" in answer.err
