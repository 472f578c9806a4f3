"""The page of who may see a document or dataset."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from ..people import People
from ..running import Answer, Running, running

PATH = "/_/documents/secret/access"


@pytest.fixture
def people(tmp_path) -> Iterator[People]:
    found = People.at(tmp_path / "library")
    yield found
    found.library.close()


@pytest.fixture
def server(people: People, documents) -> Iterator[Running]:
    with running(documents[:1], library=people.library) as found:
        yield found


def sent(server: Running, who: dict[str, str], path: str = PATH, **fields: str) -> Answer:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    return server.get(path, "POST", urlencode(fields).encode(), **form, **who)


def test_the_page(server: Running, people: People):
    page = server.get(PATH, **people.bearer("owner"))
    text = page.body.decode()
    assert page.status == 200 and page.headers["Referrer-Policy"] == "same-origin"
    assert f'value="http://127.0.0.1:{server.server.port}/secret/"' in text
    for user, role in {"owner": "owner", "viewer": "viewer", "writer": "writer"}.items():
        assert f'<th scope="row">{user}</th><td>{role}</td>' in text
    assert "Make public" in text and "stranger" not in text


def test_making_it_public_and_private(server: Running, people: People):
    who = people.bearer("owner")
    answer = sent(server, who, action="public")
    assert (answer.status, answer.headers["Location"]) == (303, "access")
    assert people.library.access.get("document", "secret")["public"] and server.get("/secret/").status == 200
    assert b"Make private" in server.get(PATH, **who).body
    assert sent(server, who, action="private").status == 303 and server.get("/secret/").status == 302


def test_giving_and_taking_roles(server: Running, people: People):
    who, stranger = people.bearer("owner"), people.bearer("stranger")
    assert sent(server, who, action="give", user=" stranger ", role="writer").status == 303
    assert server.get("/secret/", **stranger).status == 200
    assert sent(server, who, action="take", user="stranger").status == 303
    assert server.get("/secret/", **stranger).status == 404
    assert people.library.access.get("document", "secret")["users"]["writer"] == "writer"


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "give", "user": "nobody", "role": "viewer"},
        {"action": "give", "user": "Viewer", "role": "viewer"},
        {"action": "give", "user": "<script>", "role": "viewer"},
        {"action": "give", "user": "stranger", "role": "king"},
        {"action": "give", "user": "stranger"},
        {"action": "other"},
        {},
    ],
)
def test_what_cannot_be(server: Running, people: People, fields: dict[str, str]):
    before = people.library.access.get("document", "secret")
    answer = sent(server, people.bearer("owner"), **fields)
    assert answer.status == 400 and b'role="alert"' in answer.body and b"<script>alert" not in answer.body
    assert people.library.access.get("document", "secret") == before


def test_somebody_has_to_own_it(server: Running, people: People):
    assert sent(server, people.bearer("owner"), action="give", user="owner", role="viewer").status == 400
    assert sent(server, people.bearer("owner"), action="give", user="stranger", role="owner").status == 303
    assert server.get(PATH, **people.bearer("stranger")).status == 200


@pytest.mark.parametrize("name", ["viewer", "writer", "stranger"])
def test_only_owners_and_admins_decide(server: Running, people: People, name: str):
    assert sent(server, people.bearer(name), action="public").status == (404 if name == "stranger" else 403)
    assert sent(server, people.bearer("admin"), action="public").status == 303


def test_names_are_text(server: Running, people: People):
    name = '"><img src=x onerror=alert(1)>'
    people.library.documents.put(name, {"title": name}, title=name, datasets=(), author="owner")
    quoted = "%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"
    page = server.get(f"/_/documents/{quoted}/access", **people.bearer("owner"))
    assert page.status == 200 and b"<img src=x" not in page.body and b"&lt;img src=x" in page.body


def test_a_table_of_the_command_line(server: Running, people: People):
    page = server.get("/_/documents/points/access", **people.bearer("admin"))
    assert page.status == 200 and b"Every user: it was named on the command line" in page.body
    assert sent(server, people.bearer("admin"), "/_/documents/points/access", action="public").status == 409


def test_names_that_others_vouch_for_need_no_account(documents, people: People):
    options = {"auth_header": "X-Remote-User", "trusted_proxies": ["127.0.0.1"], "library": people.library}
    with running(documents[:1], **options) as server:
        owner = {"X_Remote_User": "owner"}
        assert sent(server, owner, action="give", user="somebody.new", role="viewer").status == 303
        assert server.get("/secret/", X_Remote_User="somebody.new").status == 200
