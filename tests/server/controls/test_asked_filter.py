"""Filters of requests: what they become, and what a caller without a role on the dataset gets of them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.common.errors import BadInput, Forbidden
from bigviz.document.spec import Document
from bigviz.server.jobs import layer_ref
from bigviz.server.jobs.usage import EVERYTHING, Usage

TABLE = pa.table({"x": [1.0, 2.0, 3.0], "y": [1, 2, 3], "kind": ["a", "b", "c"], "secret": [7, 8, 9]})
GUEST = Usage({"d": frozenset({"x", "y", "kind"})}, frozenset({"d"}))
DEFINITION = {"dataset": "d", "glyph": "points", "x": "x", "y": "y"}


def shown(*filters: str) -> Document:
    source = bv.open(TABLE, name="d")
    plot = bv.figure()
    for each in filters:
        plot.points(source, "x", "y", filter=each)
    return bv.document(plot, id="doc")


def of_message(document: Document, usage: Usage, **more: Any) -> str:
    return layer_ref.read({**DEFINITION, **more}, document, usage).resolve(document, usage)[1].filter


def of_route(document: Document, usage: Usage, number: int = 0, **query: str) -> str:
    base = layer_ref.published(document, *document.layers()[number])
    return layer_ref.overridden(base, document, query.get, usage).resolve(document, usage)[1].filter


def test_a_filter_is_taken_in_its_canonical_text() -> None:
    document = shown("")
    assert of_message(document, EVERYTHING, filter="  y>1  AND kind=='a'") == "y > 1 and kind = 'a'"
    assert of_message(document, EVERYTHING, filter="") == of_message(document, EVERYTHING) == ""
    assert of_route(document, EVERYTHING, filter="y>=2") == "y >= 2"


def test_a_route_s_filter_takes_the_place_of_the_published_one() -> None:
    document = shown("y > 1")
    assert of_route(document, EVERYTHING) == "y > 1"
    assert of_route(document, EVERYTHING, filter="kind = 'b'") == "kind = 'b'"
    assert of_route(document, EVERYTHING, filter="") == ""


def test_a_guest_gets_rows_of_the_document_s_layers_alone() -> None:
    document = shown("y > 1", "kind = 'a'")
    assert of_route(document, GUEST) == "y > 1"
    assert of_route(document, GUEST, 1, filter="x < 3") == "kind = 'a' and x < 3"
    assert of_route(document, GUEST, filter="x < 3 or y < 2") == "y > 1 and (x < 3 or y < 2)"
    assert of_route(document, GUEST, filter="") == "y > 1"
    assert of_message(document, GUEST, filter="kind = 'a'") == "kind = 'a'"
    assert of_message(document, GUEST) == "y > 1 or kind = 'a'"
    assert of_message(document, GUEST, filter="x < 3") == "(y > 1 or kind = 'a') and x < 3"
    free = shown("y > 1", "")
    assert (
        of_message(free, GUEST, filter="x < 3") == "x < 3"
        and of_route(free, GUEST, filter="x < 3") == "y > 1 and x < 3"
    )


def test_a_guest_is_not_told_which_other_columns_there_are() -> None:
    """In double quotes they are texts, which are told from columns only where the document names these."""
    document = shown("")
    for name in ("secret", "nothing"):
        assert of_message(document, GUEST, filter=f'"{name}" = "b" or x < 3') == f"'{name}' = 'b' or x < 3"
    with pytest.raises(BadInput, match="is written kind"):
        of_message(document, GUEST, filter='"kind" = "b"')
    with pytest.raises(BadInput, match="is written secret"):
        of_message(document, EVERYTHING, filter='"secret" = "b"')


@pytest.mark.parametrize("text", ["secret = 7", "y > 1 or secret > 0", "nothing = 1"])
def test_a_guest_names_the_document_s_columns_alone(text: str) -> None:
    document = shown("y > 1")
    for ask in (of_route, of_message):
        with pytest.raises(Forbidden) as error:
            ask(document, GUEST, filter=text)
        assert error.value.field == "filter" and "secret" not in error.value.message


@pytest.mark.parametrize(
    ("text", "at"),
    [("x" * 10_001, 10_000), ("y  >", 4), ("y>1 and  kind > 3", 16), ("y  >  'a'", 6), ("other = 1", 0)],
)
def test_mistakes_are_told_with_the_place_in_what_was_written(text: str, at: int) -> None:
    document = shown("y > 1")
    for ask in (of_route, of_message):
        with pytest.raises(BadInput) as error:
            ask(document, EVERYTHING, filter=text)
        assert (error.value.field, error.value.at) == ("filter", at)
