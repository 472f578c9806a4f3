"""`bigviz user`, `bigviz token` and `bigviz secret`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bigviz.cli import cli
from bigviz.library import passwords
from bigviz.library.library import Library

from ...server.running import Running, running


@pytest.fixture(scope="module", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        passwords._nobodys.cache_clear()
        yield
    passwords._nobodys.cache_clear()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "my library"


def ran(directory: Path, *words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, [*words, "--library", str(directory)], input=stdin)


@pytest.fixture
def library(directory: Path) -> Iterator[Library]:
    """Open while the commands write to it, as it is in a server."""
    with Library.open(directory, serve=True) as found:
        yield found


def test_adding_users(directory: Path, library: Library):
    made = ran(directory, "user", "add", "ada", "--admin")
    assert made.exit_code == 0 and made.stdout == "Added the admin ada.\n"
    assert f"`bigviz user link ada --library '{directory}'`" in made.stderr
    assert ran(directory, "user", "add", "bob", "--password-stdin", stdin="pass word \nmore\n").exit_code == 0
    assert library.users.check("bob", "pass word ") and [each.admin for each in library.users.entries()] == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (["user", "add", "ada"], "", "There is a user 'ada' already."),
        (["user", "add", "a b"], "", "The name of a user has 1 to 64 letters"),
        (["user", "add", "bob", "--password-stdin"], "", "A password has at least 8 characters"),
        (["user", "remove", "bob"], "", "There is no user 'bob'."),
        (["user", "password", "ada"], "", "give it with --password-stdin."),
        (["user", "password", "bob", "--password-stdin"], "password\n", "There is no user 'bob'."),
        (["user", "link", "bob"], "", "There is no user 'bob'."),
        (["user", "link", "ada", "--url", "plots.example.org"], "", "--url begins with http:// or https://"),
        (["token", "create", "--user", "bob", "--scope", "read"], "", "There is no user 'bob'."),
        (["token", "create", "--user", "ada", "--days", "0"], "", "more than 0 and at most 36,500 days"),
        (["token", "revoke", "nothing"], "", "There is no token 'nothing'."),
    ],
)
def test_mistakes(directory: Path, library: Library, words: list[str], stdin: str, said: str):
    library.users.add("ada")
    failed = ran(directory, *words, stdin=stdin)
    assert failed.exit_code == 1 and failed.stdout == ""
    assert failed.stderr.startswith("Error: ") and said in failed.stderr and "Traceback" not in failed.stderr


def test_a_scope_that_is_none(directory: Path):
    assert ran(directory, "token", "create", "--user", "ada", "--scope", "all").exit_code == 2


def test_listing_users(directory: Path, library: Library):
    assert ran(directory, "user", "list").stdout == "NAME  KIND  PASSWORD  SINCE  DOCUMENTS  BYTES\n"
    library.users.add("ada", admin=True)
    library.users.add("bartholomew", password="password")
    library.documents.put("plot", {"title": "h"}, title="h", datasets=(), author="ada")
    lines = ran(directory, "user", "list").stdout.splitlines()
    assert lines[1].split()[-2:] == ["1", "13"] and lines[2].split()[-2:] == ["0", "0"]
    assert [line.split()[:2] for line in lines] == [["NAME", "KIND"], ["ada", "admin"], ["bartholomew", "user"]]
    assert "no password" in lines[1] and "no password" not in lines[2]
    assert len({line.index(word) for line, word in zip(lines, ("KIND", "admin", "user"), strict=True)}) == 1


def test_removing_and_passwords(directory: Path, library: Library):
    library.users.add("ada", password="old one.")
    session = library.sessions.create("ada")
    assert ran(directory, "user", "password", "ada", "--password-stdin", stdin="new one.\r\n").exit_code == 0
    assert library.users.check("ada", "new one.") and library.sessions.find(session) is None
    gone = ran(directory, "user", "remove", "ada")
    assert gone.stdout == "Removed the user ada.\n" and "without a login" in gone.stderr
    assert library.users.count() == 0


def test_a_password_is_typed_twice_at_a_terminal(directory: Path, library: Library, monkeypatch):
    monkeypatch.setattr("bigviz.commands.plot_server.people._has_terminal", lambda: True)
    assert ran(directory, "user", "add", "ada", stdin="number one\nother\nnumber two\nnumber two\n").exit_code == 0
    assert library.users.check("ada", "number two")
    assert ran(directory, "user", "add", "bob", stdin="\n").exit_code == 0
    assert library.users.find("bob").password is False
    done = ran(directory, "user", "password", "bob", stdin="\nx y z w v\nx y z w v\n")
    assert done.exit_code == 0 and "x y z w v" not in done.output and library.users.check("bob", "x y z w v")


def test_a_link(directory: Path, library: Library, monkeypatch: pytest.MonkeyPatch):
    library.users.add("ada")
    printed = ran(directory, "user", "link", "ada").stdout
    (secret,) = re.fullmatch(r"http://127\.0\.0\.1:5006/_/link/([\w-]{43})\n", printed).groups()
    assert library.users.use_link(secret) == "ada"
    printed = ran(directory, "user", "link", "ada", "--url", "https://plots.example.org/p/").stdout
    assert printed.startswith("https://plots.example.org/p/_/link/")
    monkeypatch.setenv("BIGVIZ_URL", "http://127.0.0.1:5007")
    assert ran(directory, "user", "link", "ada").stdout.startswith("http://127.0.0.1:5007/_/link/")


def test_tokens(directory: Path, library: Library):
    library.users.add("ada")
    library.users.add("bob")
    made = ran(directory, "token", "create", "--user", "ada", "--scope", "write", "--days", "30")
    secret = made.stdout.split()[-1]
    assert made.stdout == f"{secret}\n" and secret not in made.stderr
    entry = library.tokens.find(secret)
    assert (entry.user, entry.scope, round((entry.expires - entry.created) / 86_400)) == ("ada", "write", 30)
    ran(directory, "token", "create", "--user", "bob")
    listed = ran(directory, "token", "list").stdout.splitlines()
    assert len(listed) == 3 and listed[0].split("  ")[0] == "ID" and secret not in "".join(listed)
    (row,) = ran(directory, "token", "list", "--user", "ada").stdout.splitlines()[1:]
    assert row.split()[:3] == [entry.id, "ada", "write"]
    assert ran(directory, "token", "revoke", entry.id).stdout == f"Revoked the token {entry.id}.\n"
    assert library.tokens.find(secret) is None


def test_a_secret_is_another_one_each_time():
    made = {CliRunner().invoke(cli, ["secret"]).stdout for _ in range(3)}
    assert len(made) == 3 and all(re.fullmatch(r"[\w-]{43}\n", each) for each in made)


@pytest.fixture
def served(library: Library) -> Iterator[Running]:
    library.users.add("root", admin=True)
    with running([], library=library) as found:
        found.await_event("loaded")
        yield found


def asked(served: Running, token: Path, *words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, [*words, "--url", served.url, "--token-file", str(token)], input=stdin)


@pytest.fixture
def token(library: Library, served: Running, tmp_path: Path) -> Path:
    path = tmp_path / "token.txt"
    path.write_text(library.tokens.create("root", "admin", 1)[1])
    return path


def test_users_of_a_server(served: Running, token: Path, library: Library):
    made = asked(served, token, "user", "add", "ada")
    assert (
        made.stdout == "Added the user ada.\n"
        and f"--url {served.url.rstrip('/')} --token-file {token}`" in made.stderr
    )
    assert asked(served, token, "user", "password", "ada", "--password-stdin", stdin="long enough\n").exit_code == 0
    assert library.users.check("ada", "long enough")
    assert [line.split()[:3] for line in asked(served, token, "user", "list").stdout.splitlines()[1:]] == [
        ["ada", "user", "password"], ["root", "admin", "no"],
    ]  # fmt: skip
    link = asked(served, token, "user", "link", "ada").stdout
    assert link.startswith(f"{served.url}_/link/") and library.users.use_link(link.split("/")[-1].strip()) == "ada"
    assert asked(served, token, "user", "remove", "ada").stdout == "Removed the user ada.\n"
    assert library.users.names() == ["root"]


def test_tokens_of_a_server(served: Running, token: Path, library: Library, tmp_path: Path):
    library.users.add("ada")
    secret = asked(served, token, "token", "create", "--user", "ada", "--scope", "admin").stdout.strip()
    assert library.tokens.find(secret).user == "ada"
    mine = tmp_path / "mine.txt"
    mine.write_text(secret)
    own = asked(served, mine, "token", "create", "--days", "2")  # no admin's
    assert library.tokens.find(own.stdout.strip()).user == "ada" and " of ada, scope read" in own.stderr
    rows = [line.split() for line in asked(served, mine, "token", "list").stdout.splitlines()[1:]]
    assert rows == [
        line.split() for line in asked(served, token, "token", "list", "--user", "ada").stdout.splitlines()[1:]
    ]
    assert len(rows) == 2 and {row[1] for row in rows} == {"ada"}
    assert asked(served, mine, "token", "revoke", rows[0][0]).exit_code == 0
    refused = asked(served, mine, "user", "list")
    assert refused.exit_code == 1 and refused.stdout == "" and refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["user", "list", "--library", ".", "--url", "http://127.0.0.1:1"], "give one of them"),
        (["user", "list", "--token-file", "none.txt"], "is for the server that --url names"),
        (["token", "create", "--library", "{library}"], "Whose token?"),
    ],
)
def test_places_that_are_none(directory: Path, words: list[str], said: str):
    failed = CliRunner().invoke(cli, [word.format(library=directory) for word in words])
    assert failed.exit_code == 1 and said in failed.stderr and not Path("none.txt").exists()
