"""The grammar: what is read, how it is written again, where a mistake is said to be; any text at all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bigviz.common.errors import BadInput
from bigviz.data.filters.parse import FUNCTIONS, MOST_DEEP, MOST_NODES, parse
from bigviz.data.filters.tree import And, Arithmetic, ColumnName, Compare, Expression, Node, Number, walk

from .trees import conditions


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a=1", "a = 1"),
        ("a == 1", "a = 1"),
        ("NOT a>1 AND b Between 1 and 2", "not a > 1 and b between 1 and 2"),
        ("(a or b) and c", "(a or b) and c"),
        ("a or (b and c)", "a or b and c"),
        ("(a and b) and (c and d)", "a and b and c and d"),
        ("not (a and b)", "not (a and b)"),
        ("not not a", "not not a"),
        ("(not a) = b", "(not a) = b"),
        ("a - (b - c) - d = 0", "a - (b - c) - d = 0"),
        ("a * (b + c) % 2 = 0", "a * (b + c) % 2 = 0"),
        ("-a + - -b = 0", "-a + -(-b) = 0"),
        ("--5 = 0", "5 = 0"),
        ("-5 * -a = 0", "-5 * -a = 0"),
        ("x in (1, 'b', true)", "x in (1, 'b', true)"),
        ("x not in $kinds", "x not in ($kinds)"),
        ("x is not null", "x is not null"),
        ('name = "it\'s ""so"""', "name = 'it''s \"so\"'"),
        ("`odd ``name` > `and`", "`odd ``name` > `and`"),
        ("`fare` > $max_fare", "fare > $max_fare"),
        ("a > $x-1", "a > $x - 1"),
        ("Year(t) = 2024 and STARTS_WITH(s, 'a')", "year(t) = 2024 and starts_with(s, 'a')"),
        ("year = 1 and `in` = 2", "year = 1 and `in` = 2"),
        ("a = .5 or a = 1. or a = 1.50 or a = 1e3", "a = 0.5 or a = 1.0 or a = 1.5 or a = 1000.0"),
        ("a = 1e300 or a = 2.5E-12", "a = 1.0e300 or a = 0.0000000000025"),
        ("a = 1e18 or a = 1000000000000000000.0", "a = 1.0e18 or a = 1.0e18"),
        ("größe > 1 and 値 < 2", "größe > 1 and 値 < 2"),
        ("a\n\t>\r\n1", "a > 1"),
        ("delay between $d and kind = 'a'", "delay between $d and kind = 'a'"),
        ("delay between $a and $b", "delay between $a and $b"),
        ("delay between $d and not b and c", "delay between $d and not b and c"),
        ("delay between $d and (b or c) or d", "delay between $d and (b or c) or d"),
        ("delay between $d and b + 1 > 2", "delay between $d and b + 1 > 2"),
    ],
)
def test_canonical_text(text: str, canonical: str):
    expression = parse(text)
    assert str(expression) == canonical
    assert parse(canonical) == expression


def test_precedence_and_places():
    expression = parse("a + 2 * b > -1.50 and c")
    root = expression.root
    assert isinstance(root, And) and root.at == 18
    compare = root.items[0]
    assert isinstance(compare, Compare) and (compare.op, compare.at) == (">", 10)
    assert compare.left == Arithmetic("+", ColumnName("a"), Arithmetic("*", Number(2), ColumnName("b")))
    assert compare.right == Number(Decimal("-1.5")) and compare.right.at == 12


@given(conditions())
def test_what_is_written_is_read_as_the_same_tree(node: Node):
    expression = Expression(node)
    again = parse(str(expression))
    assert again == expression and str(again) == str(expression)
    text = str(expression)
    for each in walk(again.root):
        if isinstance(each, ColumnName):
            assert text.startswith(str(each), each.at)


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("", 0, "ends too early"),
        ("fare >", 6, "ends too early"),
        ("fare > > 1", 7, "Expected a value"),
        ("fare = 1 kind = 2", 9, "Expected an operator"),
        ("fare < 1 < 2", 9, "join them with and"),
        ("fare between 1", 14, "second value"),
        ("fare between 1 or 2", 15, "second value"),
        ("fare not 1", 9, "in or between"),
        ("fare is 1", 8, "null or not null"),
        ("fare is not 1", 12, "null or not null"),
        ("kind in ()", 9, "at least one"),
        ("kind in 'a'", 8, "list in parentheses"),
        ("(fare = 1", 0, r"\) is missing"),
        ("fare = 1)", 8, "no beginning"),
        ("fare = (1, 2)", 9, "Expected an operator"),
        ("name = 'abc", 7, "' is missing"),
        ("`abc", 0, "` is missing"),
        ("a <> 1", 2, "!="),
        ("a & b", 2, "and"),
        ("a || b", 2, "or"),
        ("!a", 0, "not"),
        ("a.b = 1", 1, "back quotes"),
        ("a = 2 ^ 3", 6, "powers"),
        ("a[0] = 1", 1, "parentheses"),
        ("a; b", 1, "one expression"),
        ("a := 1", 2, "Times"),
        ("$ = 1", 0, r"\$kind"),
        ("1a = 2", 1, "A number does not end"),
        ("a = 1e401", 4, "400"),
        ("a = 1e99999999999", 4, "400"),
        ("a = 9e307000", 4, "400"),
        ("a = 9e308", 4, "float64"),
        ("a = " + "9" * 101, 4, "100 digits"),
        ("yeer(t) = 1", 0, "Did you mean 'year'"),
        ("foo(t) = 1", 0, "floor"),
        ("contains(a)", 0, "two values"),
        ("year(a, b) = 1", 0, "one value"),
        ("a + not b", 4, "parentheses"),
        ("a = and", 4, "back quotes"),
        ("a = '\ud800'", 5, "UTF-16"),
    ],
)
def test_a_mistake_is_named_where_it_is(text: str, at: int, words: str):
    with pytest.raises(BadInput, match=words) as caught:
        parse(text)
    assert (caught.value.field, caught.value.at) == ("filter", at)


def test_limits_are_exact():
    inner = MOST_DEEP
    parse("(" * inner + "a" + ")" * inner + " = 1")
    assert str(parse("not " * (MOST_DEEP - 1) + "a")).count("not") == MOST_DEEP - 1
    parse(" or ".join(["a"] * (MOST_NODES - 1)))
    parse("a = '" + "x" * 9_994 + "'")
    for text in (
        "(" * (inner + 1) + "a" + ")" * (inner + 1) + " = 1",
        "not " * MOST_DEEP + "a",
        "-" * 1_000 + "a = 1",
        "not " * 2_000 + "a",
        "abs(" * 65 + "a" + ")" * 65 + " = 1",
        " or ".join(["a"] * MOST_NODES),
        "+".join(["a"] * 66) + " = 1",
        "a = '" + "x" * 9_995 + "'",
        " or ".join(["a=1"] * 1_000_000),
    ):
        with pytest.raises(BadInput) as caught:
            parse(text)
        assert caught.value.field == "filter" and caught.value.at is not None
        assert 0 <= caught.value.at <= len(text)


WORDS = [
    "a", "b", "`c d`", "$x", "$y", "'text'", '"t"', "1", "2.5", "1e9", "and", "or", "not", "between", "in", "is",
    "null", "true", "false", "=", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "(", ")", ",", *FUNCTIONS,
    "\n", "''", "é", "$", "`", "'", "\x00", "__import__",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join))
@example("a between $x and a between $x and (a between $x and a = 1) = true")
@example("a between $x and " * 50 + "a = 1")
@example("(a between $x and " * 60 + "a" + ") = true" * 60)
def test_any_words_are_read_or_refused(text: str):
    _read_or_refused(text)


@given(st.text(st.sampled_from("ab1.$`'\"()=<>!+-*/%,\\ \n\t\x00\ud800é\u2028\uff41\uff11²"), max_size=200))
def test_any_text_is_read_or_refused(text: str):
    _read_or_refused(text)


def _read_or_refused(text: str) -> None:
    try:
        expression = parse(text)
    except BadInput as error:
        assert error.field == "filter" and error.at is not None and 0 <= error.at <= len(text)
    else:
        assert parse(str(expression)) == expression
