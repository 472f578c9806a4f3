"""A value in an error message: short, whatever it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.common.bounded_repr import echoed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON, st.integers(1, 200))
def test_it_is_never_long(value: Any, most: int) -> None:
    """A character may take ten in an escape."""
    assert len(echoed(value, most)) <= 10 * most + 3


@pytest.mark.parametrize("value", [None, True, -3, 2.5, "a", "it's", [1, 2], {"a": [1]}])
def test_what_is_short_is_told_whole(value: object) -> None:
    assert echoed(value) == repr(value)


def test_what_is_nested_deeper_than_python_goes() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    assert len(echoed(value)) < 100
    while value:
        value = value[0]
    assert echoed("x" * 101) == f"{'x' * 100!r}…"
