"""Ids: equal content gives equal ids, different content different ones; prefixes find one id or say why not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Unknown
from core.ids import ID_LENGTH, by_prefix, content_id

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
contents = st.dictionaries(st.text(), scalars, max_size=6)


@given(contents)
def test_key_order_does_not_matter(content):
    assert content_id(dict(reversed(content.items()))) == content_id(content)


@given(contents, contents)
def test_different_content_has_a_different_id(a, b):
    # repr tells 1 from 1.0 and from True, which == does not
    assert (content_id(a) == content_id(b)) == (repr(sorted(a.items())) == repr(sorted(b.items())))


def test_an_id_is_a_safe_file_name():
    name = content_id({"name": "../../etc/passwd"})
    assert len(name) == ID_LENGTH
    assert set(name) <= set("0123456789abcdef")


def test_not_a_number_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        content_id({"lr": math.nan})


def test_prefixes():
    ids = ["abc1", "abd2", "abc"]
    assert by_prefix("run", "abd", ids) == "abd2"
    assert by_prefix("run", "abc", ids) == "abc"  # whole ids win over what they begin
    for asked in ("ab", "x", ""):
        with pytest.raises(Unknown):
            by_prefix("run", asked, ids)
