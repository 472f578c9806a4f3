"""Roles on documents and datasets, and public ones."""

from __future__ import annotations

import pytest

from bigviz.common.errors import BadInput, Forbidden, NotFound
from bigviz.library.access import ANYONE, OPERATOR, Caller
from bigviz.library.library import Library


def made(library: Library, owner: str | None = "ann", name: str = "a") -> None:
    library.documents.put(name, {}, title="", datasets=(), author=owner)


def roles(library: Library, name: str = "a") -> dict[str | None, str | None]:
    return {user: library.access.role("document", name, user) for user in ("ann", "bob", "carl", "dora", None)}


def test_what_is_new_is_its_owners(library):
    made(library)
    assert library.access.get("document", "a") == {"public": False, "users": {"ann": "owner"}}
    assert roles(library) == {"ann": "owner", "bob": None, "carl": None, "dora": None, None: None}


def test_roles_and_public(library):
    made(library)
    library.access.set("document", "a", True, {"bob": "writer", "carl": "owner"})
    assert roles(library) == {"ann": "owner", "bob": "writer", "carl": "owner", "dora": "viewer", None: "viewer"}
    assert library.access.get("document", "a") == {
        "public": True,
        "users": {"ann": "owner", "bob": "writer", "carl": "owner"},
    }
    library.access.set("document", "a", False, {"carl": "viewer"})
    assert roles(library) == {"ann": "owner", "bob": None, "carl": "viewer", "dora": None, None: None}


def test_what_get_says_can_be_set_again(library):
    made(library)
    library.access.set("document", "a", True, {"bob": "writer", "carl": "owner"})
    said = library.access.get("document", "a")
    library.access.set("document", "a", said["public"], said["users"])
    assert library.access.get("document", "a") == said and library.documents.entry("a").owner == "ann"


def test_somebody_owns_it(library):
    made(library)
    with pytest.raises(BadInput, match="leave ann owner"):
        library.access.set("document", "a", False, {"ann": "viewer"})
    library.access.set("document", "a", False, {"ann": "viewer", "carl": "owner", "bob": "owner"})
    assert library.documents.entry("a").owner == "bob"
    assert roles(library) == {"ann": "viewer", "bob": "owner", "carl": "owner", "dora": None, None: None}


def test_the_operators_may_be_given_away(library):
    made(library, owner=None)
    assert library.access.get("document", "a") == {"public": False, "users": {}}
    library.access.set("document", "a", False, {"bob": "viewer"})
    assert library.documents.entry("a").owner is None
    library.access.set("document", "a", False, {"bob": "owner"})
    assert library.documents.entry("a").owner == "bob"


@pytest.mark.parametrize(
    ("users", "got"),
    [({"bob": "reader"}, "reader"), ({"": "viewer"}, ""), ({"b b": "viewer"}, "b b"), ({"-b": "viewer"}, "-b")],
)
def test_what_is_no_role_or_no_name_is_refused(library, users, got):
    made(library)
    with pytest.raises(BadInput) as error:
        library.access.set("document", "a", True, users)
    assert (error.value.field, error.value.got) == ("users", got)
    assert library.access.get("document", "a")["public"] is False


def test_what_is_not_there(library):
    assert library.access.role("document", "a", "ann") is None
    assert library.access.role("document", "\ud800", "\ud800") is None
    with pytest.raises(NotFound):
        library.access.get("document", "a")
    with pytest.raises(NotFound):
        library.access.set("document", "a", True, {})
    made(library)
    with pytest.raises(NotFound):
        library.access.get("dataset", "a")  # the same name of another kind


def test_only_owners_and_admins_set_it(library):
    made(library)
    library.access.set("document", "a", False, {"bob": "writer"})
    with pytest.raises(Forbidden):
        library.access.set("document", "a", True, {}, caller=Caller("bob"))
    with pytest.raises(NotFound):
        library.access.set("document", "a", True, {}, caller=ANYONE)
    library.access.set("document", "a", True, {}, caller=Caller("ann"))
    library.access.set("document", "a", False, {}, caller=OPERATOR)
    assert library.access.role("document", "a", None) is None
