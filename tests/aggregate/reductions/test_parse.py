"""Reductions to text and back, and the errors for mistakes."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bigviz.aggregate.reductions import api as r
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.reductions.parse import NAMES, parse
from bigviz.common.errors import BadInput

COMMON = settings(max_examples=300)
COLUMNS = st.text(max_size=12)
PLAIN = st.one_of(
    st.sampled_from([r.count(), r.any()]),
    st.builds(
        lambda make, column: make(column),
        st.sampled_from([r.count, r.any, r.sum, r.mean, r.min, r.max, r.first, r.last]),
        COLUMNS,
    ),
)


@COMMON
@given(st.one_of(PLAIN, st.builds(r.by, COLUMNS, PLAIN)))
@example(r.mean(" a, b) `c` "))
@example(r.by("'", r.min('"')))
@example(r.sum("\n"))
def test_text_reads_back(reduction: Reduction) -> None:
    assert parse(str(reduction)) == reduction


@pytest.mark.parametrize(
    ("text", "reduction"),
    [
        ("count", r.count()),
        ("count()", r.count()),
        ("any", r.any()),
        ("count(fare)", r.count("fare")),
        (" mean ( trip distance ) ", r.mean("trip distance")),
        ("sum('a,b')", r.sum("a,b")),
        ('min("say ""no""")', r.min('say "no"')),
        ("max(`a``b`)", r.max("a`b")),
        ("last(``)", r.last("")),
        ("first(größe)", r.first("größe")),
        ("by(kind)", r.by("kind")),
        ("count_cat(kind)", r.by("kind")),
        ("by(kind, mean(fare))", r.by("kind", r.mean("fare"))),
        ("by(kind,count)", r.by("kind")),
    ],
)
def test_forms(text: str, reduction: Reduction) -> None:
    assert parse(text) == reduction


@pytest.mark.parametrize(
    ("text", "at", "problem"),
    [
        ("", 1, "ends too soon"),
        ("  ", 1, "ends too soon"),
        ("mode(x)", 1, "expected one of count, any, sum"),
        ("mean", 1, "mean needs a column, as in mean(column)"),
        ("by", 1, "by needs a column"),
        ("mean(", 6, "ends too soon"),
        ("mean()", 6, "expected a column's name"),
        ("meen(x)", 1, "first, last, by. Did you mean 'mean'?"),
        ("mean(fare", 10, "expected ')'"),
        ("mean(weight (g))", 13, 'is quoted, as in mean("weight (g)")'),
        ("mean(a, b)", 7, "expected ')'"),
        ("mean(a) b", 9, "expected nothing more"),
        ("mean(`a)", 6, "expected a name"),
        ("by(k, by(j))", 1, "without categories"),
        ("by(k, sum)", 7, "sum needs a column"),
        ("(x)", 1, "expected one of"),
    ],
)
def test_mistakes_are_placed(text: str, at: int, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert f"character {at}: " in caught.value.message
    assert problem in caught.value.message
    assert caught.value.field == "agg" and caught.value.got == text


@COMMON
@given(st.text(alphabet="count mean(by,)`'\"a", max_size=24))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        reduction = parse(text)
    except BadInput:
        return
    assert parse(str(reduction)) == reduction


def test_long_text_is_refused() -> None:
    with pytest.raises(BadInput, match="at most 4096 characters"):
        parse("mean(" + "x" * 5000 + ")")


def test_every_name_is_public() -> None:
    assert all(hasattr(r, name) for name in NAMES)
