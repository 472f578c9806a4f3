"""`bigviz user` and `bigviz token`: people and their tokens, of a library or, by `--url`, of a server."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from bigviz.client.connect import DEFAULT_URL
from bigviz.commands.plot_server.people_at import People, people_at
from bigviz.commands.text_table import day, print_table
from bigviz.common.errors import BadInput
from bigviz.library.tokens import SCOPES, Scope, TokenEntry

__all__ = ["token", "user"]

_LONGEST_PASSWORD = 10_000  # characters of the line that is read; the library says how long one may be


def _with_people(command: Callable[..., None]) -> Callable[..., None]:
    """Call the command with `people`, those of the place that the options name."""

    @wraps(command)
    def run(directory: Path | None, url: str | None, token_file: Path | None, **words: Any) -> None:
        with people_at(directory, url, token_file) as people:
            command(people=people, **words)

    return _where(run)


def _where(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed((
        click.option("--library", "directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
                     help="The library (default: in the user's data directory)."),
        click.option("--url", metavar="URL", help="A plot server, in place of a library of this machine."),
        click.option("--token-file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
                     help="A file with your token for --url, of scope admin (default: BIGVIZ_TOKEN)."),
    )):  # fmt: skip
        command = option(command)
    return command


def _password_stdin(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
    )(command)


@click.group()
def user() -> None:
    """Add, list and remove users; set passwords, make login links.

    They are those of a library on this machine, whose server notices at once, or with --url those of a server, for
    admins. While a library has no users, a server answers whoever runs it on the same machine, without a login. As
    soon as it has one, everybody signs in.

    \b
    bigviz user add ada --admin
    bigviz user link ada
    """


@user.command()
@click.argument("name")
@click.option("--admin", is_flag=True, help="May see and change everything.")
@_password_stdin
@_with_people
def add(name: str, admin: bool, password_stdin: bool, people: People) -> None:
    """Add a user.

    At a terminal it asks for a password; without one, only a login link lets the user in.

    \b
    bigviz user add ada --admin
    bigviz user add bob --url https://plots.example.org --token-file token.txt
    pass show ada | bigviz user add ada --password-stdin
    """
    password = _password(password_stdin, optional=True)
    people.add(name, admin, password)
    click.echo(f"Added {'the admin' if admin else 'the user'} {name}.")
    if password is None:
        command = f"bigviz user link {name}{people.options}"
        click.echo(f"There is no password: `{command}` prints a link that lets them in.", err=True)


@user.command("list", short_help="List the users.")
@_with_people
def list_users(people: People) -> None:
    """List the users: name, whether an admin, whether there is a password, since when, and what each one keeps.

    \b
    bigviz user list
    """
    rows = [
        (
            each.name,
            "admin" if each.admin else "user",
            "password" if each.password else "no password",
            day(each.created),
            f"{kept.documents:,}",
            f"{kept.bytes:,}",
        )
        for each, kept in people.entries()
    ]
    print_table(("NAME", "KIND", "PASSWORD", "SINCE", "DOCUMENTS", "BYTES"), rows)


@user.command()
@click.argument("name")
@_with_people
def remove(name: str, people: People) -> None:
    """Remove a user, with tokens, sessions and roles. What nobody else owns then belongs to the admins.

    \b
    bigviz user remove ada
    """
    people.remove(name)
    click.echo(f"Removed the user {name}.")
    if not people.entries():
        click.echo("No users are left: a server answers whoever runs it, without a login.", err=True)


@user.command()
@click.argument("name")
@_password_stdin
@_with_people
def password(name: str, password_stdin: bool, people: People) -> None:
    """Set a user's password. It ends their sessions; tokens stay valid.

    \b
    bigviz user password ada
    """
    new = _password(password_stdin, optional=False)
    people.set_password(name, str(new))
    click.echo(f"Set the password of {name}.")


@user.command()
@click.argument("name")
@_where
def link(name: str, directory: Path | None, url: str | None, token_file: Path | None) -> None:
    """Print a link that signs a user in, once and within 15 minutes.

    With a token it is made by the server at --url. Without, it is made in a library of this machine, and --url is the
    server's address as the user types it (default: BIGVIZ_URL, else http://127.0.0.1:5006).

    \b
    bigviz user link ada --url https://plots.example.org
    """
    if directory is None and url is not None and (token_file is not None or os.environ.get("BIGVIZ_TOKEN")):
        with people_at(None, url, token_file) as people:
            click.echo(people.make_link(name))
        return
    address = os.environ.get("BIGVIZ_URL") or DEFAULT_URL if url is None else url
    if not address.startswith(("http://", "https://")):
        raise BadInput(f"--url begins with http:// or https://, got {address!r}.", "url", address)
    with people_at(directory, None, token_file) as people:
        click.echo(f"{address.rstrip('/')}/_/link/{people.make_link(name)}")


@click.group()
def token() -> None:
    """Make, list and revoke tokens, which scripts show instead of a password.

    \b
    bigviz token create --user ada --scope write --days 90 > token.txt
    bigviz publish app.py sales --token-file token.txt
    """


@token.command()
@click.option("--user", "name", metavar="NAME", help="Whose token it is (with --url: your own).")
@click.option("--scope", type=click.Choice(SCOPES), default="read", show_default=True, help="What it allows.")
@click.option("--days", metavar="N", type=float, default=90, show_default=True, help="How long it is valid.")
@_with_people
def create(name: str | None, scope: Scope, days: float, people: People) -> None:
    """Make a token, and print it. This is the only time that it is shown.

    A token never allows more than its user may: `read` to see, `write` to publish and upload too, `append` to add rows
    and nothing else, `admin` everything.

    \b
    bigviz token create --user ada --scope write --days 90
    bigviz token create --scope read --url https://plots.example.org --token-file token.txt
    """
    entry, secret = people.create_token(name, scope, days)
    click.echo(f"Token {entry.id} of {entry.user}, scope {scope}, until {day(entry.expires)}:", err=True)
    click.echo(secret)


@token.command("list")
@click.option("--user", "name", metavar="NAME", help="Only this user's (with --url: your own).")
@_with_people
def list_tokens(name: str | None, people: People) -> None:
    """List tokens: id, user, scope, when they were made, expire, and were used last.

    \b
    bigviz token list --user ada
    """
    print_table(("ID", "USER", "SCOPE", "MADE", "EXPIRES", "LAST USED"), map(_token_row, people.tokens(name)))


@token.command()
@click.argument("id")
@_with_people
def revoke(id: str, people: People) -> None:
    """Revoke a token: requests that bring it are refused from now on.

    \b
    bigviz token revoke 3f9a01c27b44
    """
    people.revoke(id)
    click.echo(f"Revoked the token {id}.")


def _password(from_stdin: bool, optional: bool) -> str | None:
    """The password from standard input, or typed twice; None where none is given and none is needed."""
    if from_stdin:
        return sys.stdin.readline(_LONGEST_PASSWORD).rstrip("\r\n")
    if _has_terminal():
        return _typed(optional)
    if optional:
        return None
    raise BadInput("There is no terminal to type the password at: give it with --password-stdin.", "password")


def _typed(optional: bool) -> str | None:
    """A password typed twice alike; None for an empty one where none is needed."""
    words = "Password (empty: none, only login links)" if optional else "New password"
    while True:
        first: str = click.prompt(words, hide_input=True, default="" if optional else None, show_default=False)
        if not first:
            return None
        if click.prompt("Repeat it", hide_input=True, default="", show_default=False) == first:
            return first
        click.echo("They differ: try again.", err=True)


def _has_terminal() -> bool:
    return sys.stdin.isatty()


def _token_row(entry: TokenEntry) -> Sequence[str]:
    expires = "expired" if entry.expired else day(entry.expires)
    used = "never" if entry.last_used is None else day(entry.last_used)
    return entry.id, entry.user, entry.scope, day(entry.created), expires, used
