"""Pages of what a caller may see, against the same rules in Python."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bigviz.common.errors import BadInput
from bigviz.library import items
from bigviz.library.access import ANYONE, OPERATOR, Caller
from bigviz.library.library import Library
from bigviz.library.listing import cursor, page

USERS = ("ann", "Bob", "carl")
TITLES = ("", "Zürich", "ZU\u0308RICH taxis", "Straße", "taxis 1%", "taxis _2", "Ärger", "zebra")


def filled(library: Library, count: int, seed: int = 1) -> list[dict[str, Any]]:
    """`count` items in one transaction, and what they are."""
    rng, made = random.Random(seed), []
    with library._database.write() as db:
        for number in range(count):
            entry: dict[str, Any] = {
                "name": f"{rng.choice('aAbBzé')}{number}",
                "title": rng.choice(TITLES),
                "owner": rng.choice([*USERS, None]),
                "updated": 1000.0 + rng.randrange(20) / 3,
                "public": rng.random() < 0.2,
                "roles": {user: "viewer" for user in USERS if rng.random() < 0.1},
            }
            item = items.create(db, "document", entry["name"], entry["title"], entry["owner"], entry["updated"])
            db.execute("UPDATE items SET public = ? WHERE id = ?", (entry["public"], item.id))
            for user, role in entry["roles"].items():
                db.execute("INSERT INTO roles VALUES (?, ?, ?)", (item.id, user, role))
            made.append(entry)
        items.create(db, "dataset", "another kind", "taxis", "ann", 2000.0)
    return made


def is_visible(entry: dict[str, Any], caller: Caller) -> bool:
    own = caller.user is not None and (entry["owner"] == caller.user or caller.user in entry["roles"])
    return caller.admin or entry["public"] or own


def pages(library: Library, caller: Caller, **options: Any) -> list[str]:
    names, after = [], None
    while True:
        found, after = library.documents.page(caller, after=after, **options)
        names += [entry.name for entry in found]
        assert len(names) == len(set(names))
        if after is None:
            return names
        assert len(found) == options["limit"]


@pytest.mark.parametrize("caller", [OPERATOR, ANYONE, Caller("ann"), Caller("Bob"), Caller("nobody")])
def test_pages_hold_what_the_caller_may_see_in_order(library, caller):
    seen = [entry for entry in filled(library, 150) if is_visible(entry, caller)]
    fold = str.casefold  # of these names and titles the same as the normal form's, but for the decomposed one
    keys = {
        "updated": lambda e: (-e["updated"], e["name"]),
        "name": lambda e: (fold(e["name"]), e["name"]),
        "title": lambda e: (fold(e["title"].replace("U\u0308", "ü")), e["name"]),
        "owner": lambda e: (e["owner"] or "", e["name"]),
    }
    for sort, key in keys.items():
        expected = [entry["name"] for entry in sorted(seen, key=key)]
        for limit in (1, 7, 1_000):
            assert pages(library, caller, sort=sort, limit=limit) == expected


@pytest.mark.parametrize(
    ("q", "titles"),
    [
        ("zürich", {"Zürich", "ZU\u0308RICH taxis"}),
        ("TAXIS zu\u0308r", {"ZU\u0308RICH taxis"}),
        ("strasse", {"Straße"}),
        ("1%", {"taxis 1%"}),
        ("_2", {"taxis _2"}),
        ("  ", set(TITLES)),
        ("'\"); --", set()),
        ("\ud800", set()),
    ],
)
def test_every_word_is_looked_for_in_any_case(library, q, titles):
    made = filled(library, 60)
    found = pages(library, OPERATOR, q=q, limit=100)
    assert set(found) == {entry["name"] for entry in made if entry["title"] in titles}


def test_names_and_owners_are_searched(library):
    made = filled(library, 60)
    assert set(pages(library, OPERATOR, q="BOB", limit=100)) == {e["name"] for e in made if e["owner"] == "Bob"}
    assert pages(library, OPERATOR, q=made[31]["name"].upper(), limit=100) == [made[31]["name"]]
    hidden = next(entry for entry in made if not is_visible(entry, ANYONE))
    assert pages(library, ANYONE, q=hidden["name"], limit=100) == []


def test_a_page_begins_after_the_last_one_whatever_came_and_went(library):
    made = sorted(filled(library, 30), key=lambda e: (e["name"].casefold(), e["name"]))
    names = [entry["name"] for entry in made]
    first, after = library.documents.page(OPERATOR, sort="name", limit=10)
    library.documents.delete(names[9])
    library.documents.put("aaa", {}, title="", datasets=(), author=None)
    second, _ = library.documents.page(OPERATOR, sort="name", limit=10, after=after)
    assert [entry.name for entry in first + second] == names[:20]


@pytest.mark.parametrize(
    "after", ["", "x", "é", "bnVsbA", cursor("name", "a", "a"), cursor("updated", float("nan"), "a"), "A" * 10_000]
)
def test_what_is_no_cursor_of_this_order_is_refused(library, after):
    with pytest.raises(BadInput, match="`next` of a page") as error:
        library.documents.page(OPERATOR, after=after)
    assert error.value.field == "after"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1_001}, "limit"),
        ({"sort": "id; DROP TABLE items"}, "sort"),
        ({"q": "x" * 1_001}, "q"),
        ({"q": "x " * 33}, "q"),
    ],
)
def test_other_options_are_refused(library, options, field):
    with pytest.raises(BadInput) as error:
        library.documents.page(OPERATOR, **options)
    assert error.value.field == field


def test_what_a_caller_may_not_see_costs_nothing(library):
    """Ten of a thousand: found from the owner, the roles and the public ones, not by looking at every item."""
    with library._database.write() as db:
        for number in range(1_000):
            items.create(db, "document", f"d{number}", "", "ann" if number % 100 else "bob", float(number))
    found, after = library.documents.page(Caller("bob"))
    assert [entry.name for entry in found] == [f"d{number}" for number in range(900, -1, -100)] and after is None
    with library._database.read() as db:
        seen: list[str] = []
        db.set_trace_callback(seen.append)
        page(db, "document", Caller("bob"), "", "updated", 50, None)
        db.set_trace_callback(None)
        (statement,) = seen
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert "SEARCH items USING INTEGER PRIMARY KEY (rowid=?)" in plan
    assert not [step for step in plan if step.startswith("SCAN items")]
