"""Two lists of one user in words and numbers: by hand, and against sets."""

import math

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from core.charts.two_lists import Apart, apart, numbers, sentence


def listing(items, hits=(), popularity=0.1, hot=()):
    return pd.DataFrame(
        {
            "rank": range(1, len(items) + 1), "item_id": items, "hit": [item in hits for item in items],
            "popularity": popularity, "percentile": 2 * popularity, "hot": [item in hot for item in items],
        }
    )  # fmt: skip


@given(*[st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6)] * 2, st.sets(st.sampled_from("abcdefgh")))
def test_what_differs_equals_sets(a, b, taken):
    found = apart(listing(a, taken), listing(b, taken))
    assert found == Apart(
        common=len(set(a) & set(b)),
        moved=sum(a.index(item) != b.index(item) for item in set(a) & set(b)),
        new=len(set(b) - set(a)),
        dropped=len(set(a) - set(b)),
        hits=len(set(a) & taken),
        hits_lost=len((set(a) - set(b)) & taken),
        hits_won=len((set(b) - set(a)) & taken),
    )


def test_the_sentence():
    assert sentence(Apart(6, 3, 4, 4, 5, 2, 1)) == "6 in common, 3 of them moved, 4 new; 2 of A's 5 hits lost, 1 won."
    assert sentence(Apart(10, 0, 0, 0, 1, 0, 0)) == "10 in common, 0 of them moved, 0 new; 0 of A's 1 hit lost, 0 won."
    assert sentence(Apart(0, 0, 10, 10, 0, 0, 2)) == "0 in common, 10 new; A has no hit to lose, 2 won."


def test_the_numbers_with_their_difference():
    a, b = listing("abcd", hits="ab", popularity=0.25, hot="abc"), listing("defg", hits="g", popularity=0.125)
    found = numbers(a, b, "ndcg@10", 0.5, 0.25, held_out=1200)
    assert found.to_numpy().tolist() == [
        ["NDCG@10", "0.500", "0.250", "-0.250"],
        ["Hits of 1,200 held out", "2", "1", "-1"],
        ["Mean popularity", "25.0 %", "12.5 %", "-12.5 points"],
        ["Mean percentile", "50.0", "25.0", "-25.0"],
        ["Cold items", "1", "4", "+3"],
    ]


def test_the_numbers_of_a_list_that_is_missing_or_was_not_measured():
    found = numbers(listing("ab"), listing(""), "auc", math.nan, 0.5, 0).set_index("Measure")
    assert found.loc["AUC"].tolist() == ["-", "0.500", "-"]
    assert found.loc["Hits of 0 held out"].tolist() == ["0", "-", "-"]
    assert found.loc["Mean popularity", "B":].tolist() == ["-", "-"]
    same = numbers(listing("ab"), listing("ab"), "auc", 0.5, 0.5, 1).set_index("Measure")
    assert same["B - A"].tolist() == ["0", "0", "0 points", "0", "0"]
