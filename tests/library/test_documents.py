"""Documents under names: versions, conditions, restoring, deleting, and who is let in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bigviz.common.errors import BadInput, Forbidden, NotFound, OutOfDate, TooLarge
from bigviz.library.access import ANYONE, OPERATOR, Caller
from bigviz.library.documents import LARGEST, DocumentEntry, Put, VersionEntry
from bigviz.library.library import Library

ANN, BOB = Caller("ann"), Caller("bob")


def put(library: Library, name: str, value: dict[str, Any], **options: Any) -> Put:
    return library.documents.put(name, value, **{"title": "", "datasets": (), "author": "ann"} | options)


def test_each_change_is_a_version(library, clock):
    assert put(library, "a", {"n": 1}) == Put(1, created=True, changed=True)
    clock.now += 1
    assert put(library, "a", {"n": 2}, author="bob") == Put(2, created=False, changed=True)
    first, second = (library.documents.get("a", version) for version in (1, 2))
    assert (first.value, first.author) == ({"n": 1}, "ann") and (second.value, second.author) == ({"n": 2}, "bob")
    assert library.documents.get("a") == second and second.created == first.created + 1
    assert library.documents.versions("a") == [
        VersionEntry(2, "bob", clock.now, 7),
        VersionEntry(1, "ann", clock.now - 1, 7),
    ]


def test_equal_content_makes_none(library):
    put(library, "a", {"n": 1, "m": [1, {"x": 1, "y": 2}]})
    same = {"m": [1, {"y": 2, "x": 1}], "n": 1}
    assert put(library, "a", same) == Put(1, created=False, changed=False)
    assert put(library, "a", {**same, "n": 1.0}).changed  # another text in JSON
    assert put(library, "a", {**same, "n": 1.0}, title="T") == Put(3, created=False, changed=True)


def test_content_that_is_as_long_is_compared(library):
    put(library, "a", {"n": 1, "m": 1.0})
    assert put(library, "a", {"m": 1.0, "n": 1}) == Put(1, created=False, changed=False)
    assert put(library, "a", {"n": 1.0, "m": 1}) == Put(2, created=False, changed=True)


def test_what_refers_to_itself_is_no_json(library):
    value = {"a": []}
    value["a"].append(value)
    with pytest.raises(BadInput, match="A document is JSON"):
        put(library, "a", value)


def test_what_was_put_comes_back_exactly(library):
    value = {"z": 1, "a": [0.1, -0.0, 1e308, 2**70, None, True, "é\u0000\ud800 \U0001f600"], "": {}}
    put(library, "a", value, title="\ud800 title", datasets=("b", "a", "b"))
    found = library.documents.get("a")
    assert json.dumps(found.value) == json.dumps(value) and list(found.value) == list(value)
    assert found.title == "\\ud800 title" and library.documents.entry("a").datasets == ("b", "a", "b")


@pytest.mark.parametrize("value", [{"a": float("nan")}, {"a": float("inf")}, {"a": object()}, {"a": {(1, 2): 3}}])
def test_what_is_no_json_is_refused(library, value):
    with pytest.raises(BadInput, match="A document is JSON"):
        put(library, "a", value)
    assert library.documents.find("a") is None


def test_too_much_json_is_refused(library):
    with pytest.raises(TooLarge, match="16,777,216 bytes"):
        put(library, "a", {"a": "x" * LARGEST})


@pytest.mark.parametrize("name", ["", "_", "a/b", " a", "x" * 201, "a\n"])
def test_names_are_those_of_documents(library, name):
    with pytest.raises(BadInput):
        put(library, name, {})


def test_a_change_of_another_version_is_refused_with_the_one_that_is_there(library):
    with pytest.raises(OutOfDate, match="there is none") as error:
        put(library, "a", {}, expect=1)
    assert error.value.version is None
    put(library, "a", {"n": 1}, expect="absent")
    put(library, "a", {"n": 2}, expect=1)
    for expect in (1, 3, "absent"):
        with pytest.raises(OutOfDate, match="at version 2") as error:
            put(library, "a", {"n": 2}, expect=expect)
        assert (error.value.version, error.value.got) == (2, expect)
        with pytest.raises(OutOfDate):
            library.documents.restore("a", 1, "ann", expect=expect)
        with pytest.raises(OutOfDate):
            library.documents.delete("a", expect=expect)
    assert library.documents.entry("a").version == 2


def test_restoring_makes_a_new_version(library):
    put(library, "a", {"n": 1}, title="one", datasets=("d",))
    put(library, "a", {"n": 2}, title="two")
    assert library.documents.restore("a", 1, "bob") == Put(3, created=False, changed=True)
    found = library.documents.get("a")
    assert (found.value, found.title, found.author) == ({"n": 1}, "one", "bob")
    entry = library.documents.entry("a")
    assert (entry.title, entry.datasets, entry.owner) == ("one", ("d",), "ann")
    assert library.documents.restore("a", 1, "bob") == Put(3, created=False, changed=False)


@pytest.mark.parametrize("version", [0, -1, 3, 2**80])
def test_versions_that_are_not_there(library, version):
    put(library, "a", {"n": 1})
    put(library, "a", {"n": 2})
    with pytest.raises(NotFound, match="it is at version 2"):
        library.documents.get("a", version)
    with pytest.raises(NotFound):
        library.documents.restore("a", version, "ann")


def test_numbers_go_on_after_a_delete(library):
    put(library, "a", {"n": 1})
    put(library, "a", {"n": 2})
    id = library.views.put("a", "x=1")
    library.access.set("document", "a", True, {"bob": "writer"})
    library.documents.delete("a")
    assert library.documents.find("a") is None and library.views.get("a", id) is None
    assert put(library, "a", {"n": 2}, author="carl") == Put(3, created=True, changed=True)
    assert library.access.get("document", "a") == {"public": False, "users": {"carl": "owner"}}
    assert [each.version for each in library.documents.versions("a")] == [3]
    library.documents.delete("a")
    assert put(library, "a", {"n": 2}).version == 4


def test_what_is_not_there(library):
    for ask in (
        library.documents.get,
        library.documents.entry,
        library.documents.versions,
        library.documents.delete,
        lambda name: library.documents.restore(name, 1, None),
    ):
        for name in ("a", "\ud800", "a\x00"):
            with pytest.raises(NotFound, match="There is no document"):
                ask(name)
    assert library.documents.find("a") is None


def test_old_versions_go(library):
    for n in range(5):
        put(library, "a", {"n": n}, keep=3)
    assert [each.version for each in library.documents.versions("a")] == [5, 4, 3]
    library.documents.restore("a", 4, "ann", keep=1)
    assert [each.version for each in library.documents.versions("a")] == [6]
    for keep in (0, -1):
        with pytest.raises(BadInput):
            put(library, "a", {}, keep=keep)


def test_the_first_author_owns_it(library, clock):
    put(library, "a", {"n": 1}, title="A", datasets=("d",))
    put(library, "a", {"n": 2}, title="B", author="bob", datasets=("e", "f"))
    assert library.documents.entry("a") == DocumentEntry("a", "B", "ann", False, 2, clock.now, ("e", "f"))
    put(library, "o", {}, author=None)
    assert library.documents.entry("o").owner is None


def test_a_caller_is_checked_with_the_change(library):
    put(library, "a", {"n": 1})
    library.access.set("document", "a", False, {"bob": "writer", "carl": "viewer"})
    for nobody in (ANYONE, Caller("dora")):
        with pytest.raises(NotFound):
            put(library, "a", {"n": 2}, caller=nobody, expect=1)
        with pytest.raises(NotFound):
            library.documents.restore("a", 1, "x", caller=nobody)
        with pytest.raises(NotFound):
            library.documents.delete("a", caller=nobody)
    with pytest.raises(Forbidden, match=r"needs the role writer .* yours is viewer"):
        put(library, "a", {"n": 2}, caller=Caller("carl"))
    with pytest.raises(Forbidden, match=r"needs the role owner .* yours is writer"):
        library.documents.delete("a", caller=BOB)
    assert put(library, "a", {"n": 2}, caller=BOB).version == 2
    assert library.documents.restore("a", 1, "bob", caller=BOB).version == 3
    assert put(library, "a", {"n": 4}, caller=OPERATOR).version == 4
    assert put(library, "free", {}, caller=Caller("dora"), author="dora").created
    library.documents.delete("a", caller=ANN)
