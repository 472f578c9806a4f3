"""Errors about columns, to callers who may use only what a document shows."""

from __future__ import annotations

import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.data.filters.check import check
from bigviz.data.filters.parse import parse
from bigviz.server.jobs.usage import EVERYTHING, Usage

DATASET = bv.open(pa.table({"shown": [1], "points": [[1]], "secret": [2]}))


@pytest.mark.parametrize("filter_", ["shown = 1 and nothing = 1", "shown = 1 and points = 1"])
def test_a_filter_s_error_names_other_columns_only_to_who_may_know_them(filter_: str):
    with pytest.raises(bv.BadInput, match="secret"), EVERYTHING.discretion("d"):
        check(parse(filter_), DATASET)
    with pytest.raises(bv.BadInput) as caught, Usage({"d": frozenset({"shown", "points"})}).discretion("d"):
        check(parse(filter_), DATASET)
    assert "secret" not in caught.value.message and caught.value.at == 14
    with (
        pytest.raises(bv.BadInput, match="compare it with a number"),
        Usage({"d": frozenset({"shown"})}).discretion("d"),
    ):
        check(parse("shown = 'a'"), DATASET)


def test_what_all_of_several_callers_may_use():
    one = Usage({"d": frozenset({"a", "b"}), "e": frozenset({"a"})}, frozenset({"e"}))
    other = Usage({"d": frozenset({"b", "c"})}, frozenset({"d"}))
    least = Usage.least([one, EVERYTHING, other])
    assert least == Usage({"d": frozenset({"b"}), "e": frozenset({"a"})}, frozenset({"d", "e"}))
    assert Usage.least([EVERYTHING, EVERYTHING]) == EVERYTHING
