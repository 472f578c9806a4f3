"""Documents by name."""

from __future__ import annotations

import pyarrow as pa

from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.document.spec import Document
from bigviz.library.repository import OpenedDocuments


def made(name: str) -> Document:
    return document(figure().points(pa.table({"a": [1], "b": [2]}), "a", "b"), id=name)


def test_names_are_known_before_documents_are_open():
    found = OpenedDocuments(["b", "a"])
    assert list(found.names) == ["b", "a"] and found.get("a") is None


def test_documents_are_replaced_as_a_whole():
    found = OpenedDocuments(["b"])
    a, b, c = map(made, "abc")
    found.replace([b, a])
    assert list(found.names) == ["b", "a"] and found.get("a") is a and found.get("c") is None
    found.replace([c])
    assert list(found.names) == ["c"] and found.get("a") is None and found.get("c") is c
