"""Pages over the operator's documents and the library's together, against one sorted list of all."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bigviz.common.errors import BadInput
from bigviz.library.access import ANYONE, OPERATOR, Caller
from bigviz.library.library import Library
from bigviz.library.names import search_key
from bigviz.server.documents.merged_pages import ListedDocument, Size, documents_page

NAMES = ("a", "B", "b c", "ç", "D", "e", "E2", "f", "Straße", "z")


def served(name: str, updated: float) -> ListedDocument:
    return ListedDocument(name, f"T {name}", None, True, "viewer", None, 1, 1, updated)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory):
    clock = iter(range(1, 1_000))
    with Library.open(tmp_path_factory.mktemp("listing") / "library", now=lambda: float(next(clock))) as found:
        for at, name in enumerate(NAMES):
            found.documents.put(name, {"n": at}, title=f"T {name}", datasets=["given", "none"], author="ann")
            if at % 3 == 0:
                found.access.set("document", name, True, {})
        yield found


def everything(library: Library, own: list[ListedDocument], caller: Caller, **wanted: object) -> list[str]:
    names, after = [], None
    given = frozenset(each.name for each in own)
    for _ in range(100):
        page, after = documents_page(library, own, given, {}, caller, after=after, **wanted)  # type: ignore[arg-type]
        assert len(page) <= wanted["limit"]
        names += [each.name for each in page]
        if after is None:
            return names
    raise AssertionError("pages without end")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    own=st.dictionaries(st.sampled_from([*NAMES, "aa", "F", "zz", "b d"]), st.integers(0, 60), max_size=6),
    sort=st.sampled_from(["updated", "name", "title", "owner"]),
    limit=st.integers(1, 8),
    q=st.sampled_from(["", "b", "T e", "STRASSE", "none such"]),
    admin=st.booleans(),
)
def test_pages_are_one_list(library, own, sort, limit, q, admin):
    caller = OPERATOR if admin else ANYONE
    given = [served(name, float(updated)) for name, updated in own.items()]
    found = everything(library, given, caller, sort=sort, limit=limit, q=q)
    kept = [
        library.documents.entry(name) for at, name in enumerate(NAMES) if (admin or at % 3 == 0) and name not in own
    ]
    every = [(each.name, each.title, each.owner or "", each.updated) for each in (*given, *kept)]
    words = search_key(q).split()
    fitting = [each for each in every if all(word in search_key(f"{each[0]} {each[1]}\n{each[2]}") for word in words)]
    keys = {"updated": lambda e: -e[3], "name": lambda e: search_key(e[0]), "title": lambda e: search_key(e[1])}
    key = keys.get(sort, lambda e: e[2])
    assert found == [name for name, *_ in sorted(fitting, key=lambda each: (key(each), each[0]))]


def test_sizes_are_those_of_all_tables(library):
    page, _ = documents_page(library, [], (), {"given": Size(5, 7, 2), "none": Size(1, None, 3)}, OPERATOR, limit=1)
    assert (page[0].rows, page[0].bytes, page[0].columns, page[0].tables) == (6, None, 5, 2)
    assert page[0].to_json().keys() == {
        "name", "title", "owner", "public", "role", "version", "rows", "bytes", "updated",
    }  # fmt: skip


def test_without_a_library():
    own = [served("b", 1.0), served("a", 2.0)]
    page, following = documents_page(None, own, ("a", "b"), {}, ANYONE, sort="name", limit=1)
    assert [each.name for each in page] == ["a"] and following is not None
    page, following = documents_page(None, own, ("a", "b"), {}, ANYONE, sort="name", limit=1, after=following)
    assert [each.name for each in page] == ["b"] and following is None
    with pytest.raises(BadInput):
        documents_page(None, own, (), {}, ANYONE, after="x")
