"""Names of documents."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.common.errors import BadInput
from bigviz.document.names import RESERVED, check_name, free_name, from_path


@pytest.mark.parametrize("name", ["trips", "Trips 2024", "a.b-c_d", "日本", "a=b", "100%", "?", "<b>", "a" * 200])
def test_names_that_may_be(name):
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "a/b", "/", "a\\b", "a\0", "a\nb", "\u2028", "a" * 201, *sorted(RESERVED)]
)
def test_names_that_may_not(name):
    with pytest.raises(BadInput) as error:
        check_name(name)
    assert error.value.field == "name"


@given(st.text(max_size=30))
def test_a_checked_name_is_one_segment_of_an_address(name: str):
    try:
        check_name(name)
    except BadInput:
        return
    assert unquote(quote(name, safe="")) == name and "/" not in quote(name, safe="")
    assert name not in ("_", "healthz", "metrics", ".", "..")


def test_free_names_count_up():
    taken: set[str] = set()
    for expected in ("a", "a-2", "a-3"):
        name = free_name("a", taken)
        assert name == expected
        taken.add(name)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("trips.parquet", "trips"),
        ("/data/trips.2024.parquet", "trips"),
        ("trips/*.parquet", "trips"),
        ("trips/part-*.parquet", "part"),
        ("trips/", "trips"),
        ("data/trips/year=2024", "trips"),
        ("data/trips/year=*/*.parquet", "trips"),
        ("*.parquet", "data"),
        ("/", "data"),
        ("../..", "data"),
        ("my trips.arrow", "my trips"),
        ("metrics.csv", "data"),
        ("x/_.parquet", "x"),
        (".hidden.parquet", "hidden.parquet"),
        ("a\\b.parquet", "b"),
        ("a" * 300 + ".csv", "a" * 200),
    ],
)
def test_from_path(path, name):
    assert from_path(path) == name


@given(st.text(max_size=60))
def test_every_path_has_a_name(path: str):
    assert check_name(from_path(path))
