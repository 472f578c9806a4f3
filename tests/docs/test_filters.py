"""docs/filters.md: its listing, and each example and rule, as they are there."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import bigviz as bv
from bigviz.data.filters.bind import bind
from bigviz.data.filters.parse import FUNCTIONS, parse

from .markdown import ROOT, listings, section, tables, words

PAGE = ROOT / "docs" / "filters.md"


def _trips() -> bv.Dataset:
    names: dict[str, Any] = {}
    exec(compile(listings(PAGE)[0].text, PAGE.name, "exec"), names)
    trips: bv.Dataset = names["trips"]
    return trips


TRIPS = _trips()


def code(cell: str) -> str:
    """The one piece of code of a cell, which may itself hold back quotes."""
    found = re.fullmatch(r"``\s(.*)\s``|`(.*)`", cell)
    assert found is not None, cell
    return found[1] or found[2]


def kept(filter_: str) -> list[int]:
    stops = TRIPS.take(range(TRIPS.num_rows), ["first stop"])["first stop"].to_pylist()  # type: ignore[arg-type]
    rows = TRIPS.where(filter_).to_arrow(columns=["first stop"])["first stop"].to_pylist()
    return [stops.index(stop) for stop in rows]


@pytest.mark.parametrize("row", tables(section(PAGE, "Rules"))[0], ids=lambda row: row[1])
def test_rules(row: list[str]):
    _, example, rows = row
    assert kept(code(example)) == [int(each) for each in rows.split(", ") if each]


@pytest.mark.parametrize("row", tables(section(PAGE, "The language"))[0], ids=lambda row: row[1])
def test_examples_of_the_grammar(row: list[str]):
    assert TRIPS.where(code(row[1])).count() > 0


def test_all_functions_are_there():
    named = [
        name for row in tables(section(PAGE, "The language"))[1] for cell in words(row[0]) for name in cell.split()
    ]
    assert sorted(named) == sorted(FUNCTIONS)


@pytest.mark.parametrize("row", tables(section(PAGE, "Controls"))[0], ids=str)
def test_controls(row: list[str]):
    filter_, values, is_ = row
    bound = bind(parse(code(filter_)), json.loads(code(values)))
    assert is_ == "every row" if bound is None else str(bound) == code(is_)


@pytest.mark.parametrize("row", tables(section(PAGE, "Errors"))[0], ids=lambda row: row[0])
def test_errors(row: list[str]):
    filter_, at, error = row
    with pytest.raises(bv.BadInput) as caught:
        TRIPS.where(code(filter_))
    assert caught.value.at == int(at) and code(error) in caught.value.message
