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
    assert ran(directory, "user", "list").stdout == "NAME  KIND  PASSWORD  SINCE\n"
    library.users.add("ada", admin=True)
    library.users.add("bartholomew", password="password")
    lines = ran(directory, "user", "list").stdout.splitlines()
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


def test_a_link(directory: Path, library: Library):
    library.users.add("ada")
    printed = ran(directory, "user", "link", "ada").stdout
    (secret,) = re.fullmatch(r"http://127\.0\.0\.1:5006/_/link/([\w-]{43})\n", printed).groups()
    assert library.users.use_link(secret) == "ada"
    printed = ran(directory, "user", "link", "ada", "--url", "https://plots.example.org/p/").stdout
    assert printed.startswith("https://plots.example.org/p/_/link/")


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
