"""`bigviz user` and `bigviz token`: the people of a library and their tokens. A server that runs notices at once."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from bigviz.commands.text_table import day, print_table
from bigviz.common.errors import BadInput
from bigviz.library.library import Library
from bigviz.library.tokens import SCOPES, Scope, TokenEntry

__all__ = ["token", "user"]

_LONGEST_PASSWORD = 10_000  # characters of the line that is read; the library says how long one may be


def _library(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--library",
        "directory",
        metavar="DIR",
        type=click.Path(file_okay=False, path_type=Path),
        help="The library (default: in the user's data directory).",
    )(command)


def _password_stdin(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
    )(command)


@click.group()
def user() -> None:
    """Add, list and remove the users of a library; set passwords, make login links.

    While a library has no users, a server answers whoever runs it on the same machine, without a login. As soon as it
    has one, everybody signs in.

    \b
    bigviz user add ada --admin
    bigviz user link ada
    """


@user.command()
@click.argument("name")
@click.option("--admin", is_flag=True, help="May see and change everything.")
@_password_stdin
@_library
def add(name: str, admin: bool, password_stdin: bool, directory: Path | None) -> None:
    """Add a user.

    At a terminal it asks for a password; without one, only a login link lets the user in.

    \b
    bigviz user add ada --admin
    pass show ada | bigviz user add ada --password-stdin
    """
    password = _password(password_stdin, optional=True)
    with Library.open(directory) as library:
        library.users.add(name, admin=admin, password=password)
    click.echo(f"Added {'the admin' if admin else 'the user'} {name}.")
    if password is None:
        where = "" if directory is None else f" --library {shlex.quote(str(directory))}"
        click.echo(f"There is no password: `bigviz user link {name}{where}` prints a link that lets them in.", err=True)


@user.command("list", short_help="List the users.")
@_library
def list_users(directory: Path | None) -> None:
    """List the users: name, whether an admin, whether there is a password, and since when.

    \b
    bigviz user list
    """
    with Library.open(directory) as library:
        entries = library.users.entries()
    rows = [
        (
            each.name,
            "admin" if each.admin else "user",
            "password" if each.password else "no password",
            day(each.created),
        )
        for each in entries
    ]
    print_table(("NAME", "KIND", "PASSWORD", "SINCE"), rows)


@user.command()
@click.argument("name")
@_library
def remove(name: str, directory: Path | None) -> None:
    """Remove a user, with tokens, sessions and roles. What nobody else owns then belongs to the admins.

    \b
    bigviz user remove ada
    """
    with Library.open(directory) as library:
        library.users.remove(name)
        left = library.users.count()
    click.echo(f"Removed the user {name}.")
    if not left:
        click.echo("No users are left: a server answers whoever runs it, without a login.", err=True)


@user.command()
@click.argument("name")
@_password_stdin
@_library
def password(name: str, password_stdin: bool, directory: Path | None) -> None:
    """Set a user's password. It ends their sessions; tokens stay valid.

    \b
    bigviz user password ada
    """
    new = _password(password_stdin, optional=False)
    with Library.open(directory) as library:
        library.users.set_password(name, str(new))
    click.echo(f"Set the password of {name}.")


@user.command()
@click.argument("name")
@click.option(
    "--url", metavar="URL", default="http://127.0.0.1:5006", show_default=True, help="The server, as the user types it."
)
@_library
def link(name: str, url: str, directory: Path | None) -> None:
    """Print a link that signs a user in, once and within 15 minutes.

    \b
    bigviz user link ada --url https://plots.example.org
    """
    if not url.startswith(("http://", "https://")):
        raise BadInput(f"--url begins with http:// or https://, got {url!r}.", "url", url)
    with Library.open(directory) as library:
        secret = library.users.make_link(name)
    click.echo(f"{url.rstrip('/')}/_/link/{secret}")


@click.group()
def token() -> None:
    """Make, list and revoke tokens, which scripts show instead of a password.

    \b
    bigviz token create --user ada --scope write --days 90 > token.txt
    bigviz publish app.py sales --token-file token.txt
    """


@token.command()
@click.option("--user", "name", metavar="NAME", required=True, help="Whose token it is.")
@click.option("--scope", type=click.Choice(SCOPES), default="read", show_default=True, help="What it allows.")
@click.option("--days", metavar="N", type=float, default=90, show_default=True, help="How long it is valid.")
@_library
def create(name: str, scope: Scope, days: float, directory: Path | None) -> None:
    """Make a token, and print it. This is the only time that it is shown.

    A token never allows more than its user may: `read` to see, `write` to publish and upload too, `append` to add rows
    and nothing else, `admin` everything.

    \b
    bigviz token create --user ada --scope write --days 90
    """
    with Library.open(directory) as library:
        entry, secret = library.tokens.create(name, scope, days)
    click.echo(f"Token {entry.id} of {name}, scope {scope}, until {day(entry.expires)}:", err=True)
    click.echo(secret)


@token.command("list")
@click.option("--user", "name", metavar="NAME", help="Only this user's.")
@_library
def list_tokens(name: str | None, directory: Path | None) -> None:
    """List tokens: id, user, scope, when they were made, expire, and were used last.

    \b
    bigviz token list --user ada
    """
    with Library.open(directory) as library:
        entries = library.tokens.entries(name)
    print_table(("ID", "USER", "SCOPE", "MADE", "EXPIRES", "LAST USED"), map(_token_row, entries))


@token.command()
@click.argument("id")
@_library
def revoke(id: str, directory: Path | None) -> None:
    """Revoke a token: requests that bring it are refused from now on.

    \b
    bigviz token revoke 3f9a01c27b44
    """
    with Library.open(directory) as library:
        library.tokens.revoke(id)
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
