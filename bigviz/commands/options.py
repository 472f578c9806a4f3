"""Options that several commands share. Imports stand inside the functions, as in cli.py: help loads nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from bigviz.aggregate.layer_options import AXIS_KINDS, GLYPHS

if TYPE_CHECKING:
    from bigviz.data.formats.delimited.dialect import CsvOptions

__all__ = [
    "check_one_place", "csv", "csv_options", "documents", "drawing", "index", "listening", "maps", "on_server",
    "output", "rows", "stores",
]  # fmt: skip

Option = Callable[[Callable[..., None]], Callable[..., None]]

_FILE = click.Path(dir_okay=False, path_type=Path)
_MOST_ROWS: Final = 2**32 - 1  # that a table may have


def _rows(ctx: click.Context, param: click.Parameter, text: str) -> int:
    """A number of rows as people write it: 10000000, 10_000_000 or 1e7."""
    try:
        number = Decimal(text)
        if 1 <= number <= _MOST_ROWS and number == int(number):  # NaN compares with an error
            return int(number)
    except InvalidOperation:
        pass
    raise click.BadParameter(f"{text!r} is no whole number of rows from 1 to {_MOST_ROWS:,}, such as 1000000 or 1e6.")


def rows(help: str) -> Option:
    """The option of commands that write sample tables: how many rows they have."""
    return click.option("--rows", default="1e7", show_default=True, metavar="N", callback=_rows, help=help)


def _index_mode(ctx: click.Context, param: click.Parameter, word: str | None) -> str | None:
    """The mode of indexing; a former name of one gives a hint on standard error."""
    from bigviz.server.run.index_options import renamed_mode

    mode, hint = (None, None) if word is None else renamed_mode(word)
    if hint:
        click.echo(hint, err=True)
    return mode


def index(**settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option `--index`, without its former words in the help."""
    modes = click.Choice(("auto", "existing", "never", "asked"))
    return click.option("--index", type=modes, metavar="[auto|existing|never]", callback=_index_mode, **settings)


def _bytes(ctx: click.Context, param: click.Parameter, text: str | None) -> int | None:
    """A size as people write it."""
    from bigviz.server.run.index_options import bytes_of_text

    return None if text is None else bytes_of_text(text, str(param.name).replace("_", "-"))


def stores(
    *names: str, most: str = "a quarter of the free space"
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options of every command that uses indexes on disk; `names` are those of the directory option."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        directory = click.Path(file_okay=False, path_type=Path)
        for option in reversed((
            click.option(*names, "store_dir", metavar="DIR", type=directory,
                         help="Where indexes are kept (default: the user's cache directory)."),
            click.option("--store-limit", metavar="SIZE", callback=_bytes,
                         help=f"Largest total size of all indexes: 20GB (default: {most})."),
        )):  # fmt: skip
            command = option(command)
        return command

    return add


def listening(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of every command that listens."""
    for option in reversed((*_place(), *_people(), *_kept())):
        command = option(command)
    return command


def _place() -> tuple[Option, ...]:
    """Where it listens."""
    return (
        click.option("--port", default=5006, show_default=True, type=click.IntRange(0, 65_535),
                     help="Port; 0 takes any free one."),
        click.option("--address", default="127.0.0.1", show_default=True, help="Where to listen."),
        click.option("--num-procs", default=1, show_default=True, type=click.IntRange(0, 64), metavar="N",
                     help="Processes that share the port; 0 takes one a core."),
        click.option("--unix-socket", metavar="PATH", type=_FILE,
                     help="Listen at a unix socket (mode 0600), and at no --address and --port."),
        click.option("--certificate", metavar="FILE", type=_FILE,
                     help="Speak TLS with this certificate (PEM, with those between it and the root), and --key."),
        click.option("--key", metavar="FILE", type=_FILE,
                     help="The private key of --certificate (PEM, without a passphrase)."),
        click.option("--prefix", default="", help="Path in front of all addresses, for proxies: /plots"),
        click.option("--public-url", metavar="URL",
                     help="Where browsers reach the server, behind a proxy: https://plots.example.org/plots"),
    )  # fmt: skip


def _people() -> tuple[Option, ...]:
    """Who is answered, and how many at a time."""
    return (
        click.option("--allow-host", multiple=True, metavar="HOST[:PORT]", help="Also answer under this name."),
        click.option("--allow-origin", multiple=True, metavar="ORIGIN",
                     help="Also let pages of this origin show public plots."),
        click.option("--secret-file", metavar="FILE", type=_FILE,
                     help="Sign the tokens of private plots in other pages with this secret (bigviz secret)."),
        click.option("--allow-anonymous", is_flag=True,
                     help="Let everyone who can reach --address see the tables served and public documents."),
        click.option("--no-basemaps", "basemaps", is_flag=True, flag_value=False, default=True,
                     help="Let no page fetch the tiles of a map, which tells their host who looks."),
        click.option("--auth", metavar="MODULE:FUNCTION", help="A function that names the user of a request."),
        click.option("--auth-header", metavar="NAME", help="A header in which a trusted proxy names the user."),
        click.option("--trusted-proxy", multiple=True, metavar="ADDRESS",
                     help="Believe what a proxy at this address or network says of a request (X-Forwarded-...)."),
        click.option("--max-connections", default=2_000, show_default=True, type=click.IntRange(1), metavar="N",
                     help="Connections at a time; each viewer has one. Also raise `ulimit -n`."),
        click.option("--max-connections-per-address", default=200, show_default=True, type=click.IntRange(1),
                     metavar="N", help="Of these, from one address: behind a proxy all viewers have the proxy's."),
    )  # fmt: skip


def _kept() -> tuple[Option, ...]:
    """What it runs and keeps."""
    return (
        click.option("--browser/--no-browser", default=True, help="Open a browser (the default) or not."),
        click.option("--log-json", is_flag=True, help="Print events as JSON, one object per line."),
        click.option("--dev", is_flag=True,
                     help="Run apps again when their files change, and show their errors whole."),
        click.option("--app-memory", metavar="SIZE", callback=_bytes,
                     help="Memory that the process of an app may take (default: half of all memory)."),
        click.option("--callback-seconds", default=10.0, show_default=True, type=click.FloatRange(0.05), metavar="N",
                     help="How long a callback of an app may take."),
        click.option("--session-seconds", default=300.0, show_default=True, type=click.FloatRange(0), metavar="N",
                     help="How long values and selections of a page are kept for it to come back."),
        click.option("--shared", is_flag=True,
                     help="Let all who look at a document see each other's controls and views."),
        stores("--store-dir"),
        index(default="auto", show_default=True,
               help="Index large tables on disk (auto), only use existing indexes (existing), or neither."),
        click.option("--library", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
                     help="Also keep published documents here, and serve them (without a PATH: in the user's data "
                          "directory)."),
        click.option("--keep-versions", default=100, show_default=True, type=click.IntRange(1), metavar="N",
                     help="Versions to keep of each published document."),
        click.option("--user-quota", metavar="SIZE", default="10GB", show_default=True, callback=_bytes,
                     help="How much a user who is no admin may keep, in datasets and documents."),
        click.option("--durability", default="fsync", show_default=True, type=click.Choice(("fsync", "os")),
                     help="What holds once appended rows are acknowledged: a power cut, or a kill alone."),
        click.option("--cache", metavar="SIZE", callback=_bytes,
                     help="Memory for tiles, and for rows without an index on disk (default: half of all memory)."),
    )  # fmt: skip


def drawing(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which columns of a table are drawn, and how."""
    for option in reversed((
        click.option("--x", metavar="COLUMN", help="Column of the x axis (default: chosen for you)."),
        click.option("--y", metavar="COLUMN", help="Column of the y axis (default: chosen for you)."),
        click.option("--agg", metavar="REDUCTION",
                     help="count, any; sum(c), mean(c), min(c), max(c), first(c) or last(c) of column c; by(c)."),
        click.option("--glyph", type=click.Choice(GLYPHS), help="Points, one line in x order, or bars of --x."),
        click.option("--filter", metavar="EXPRESSION", help="Draw these rows only: \"fare > 10 and kind = 'taxi'\"."),
        click.option("--xaxis", type=click.Choice(AXIS_KINDS), help="Scale of x (default: datetime or linear)."),
        click.option("--yaxis", type=click.Choice(AXIS_KINDS), help="Scale of y."),
    )):  # fmt: skip
        command = option(command)
    return command


def maps(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a map below longitudes and latitudes."""
    for option in reversed((
        click.option("--basemap", metavar="URL",
                     help="Map tiles below longitudes and latitudes: https://tile.example/{z}/{x}/{y}.png"),
        click.option("--attribution", metavar="TEXT", help="Who made the map of --basemap."),
    )):  # fmt: skip
        command = option(command)
    return command


def csv(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say how CSV files are written."""
    for option in reversed((
        click.option("--header", type=click.Choice(("yes", "no")),
                     help="Whether the first line of a CSV file holds names (default: detected)."),
        click.option("--delimiter", metavar="CHARACTER",
                     help="What separates the cells of a CSV file: one character, or tab (default: detected)."),
    )):  # fmt: skip
        command = option(command)
    return command


def csv_options(header: str | None, delimiter: str | None) -> CsvOptions:
    """What the options of `csv` say; None is detected."""
    from bigviz.data.formats.delimited.dialect import CsvOptions

    return CsvOptions(None if header is None else header == "yes", delimiter)


def on_server(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which plot server is meant, and who asks."""
    for option in reversed((
        click.option("--url", metavar="URL",
                     help="The plot server (default: BIGVIZ_URL, else http://127.0.0.1:5006)."),
        click.option("--token-file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
                     help="A file with your token (default: BIGVIZ_TOKEN; none for a server of your own)."),
    )):  # fmt: skip
        command = option(command)
    return command


def documents(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say where the tables and documents are that a command draws."""
    directory = click.Path(file_okay=False, path_type=Path)
    for option in reversed((
        click.option("--table", multiple=True, metavar="NAME=PATH",
                     help="The table of a dataset that a document only names."),
        click.option("--library", metavar="DIR", type=directory,
                     help="Where published documents are (default: in the user's data directory)."),
        click.option("--store-dir", metavar="DIR", type=directory,
                     help="Where indexes are kept (default: the user's cache directory)."),
    )):  # fmt: skip
        command = option(command)
    return command


def output(default: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option of commands that write documents to files; `default` says where to without it."""
    words = f"Write it there; for several PATHs a directory (default: {default})."
    return click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help=words)


def check_one_place() -> None:
    """UsageError for a port or an address beside a unix socket: what is open at one would not be meant to be."""
    ctx = click.get_current_context()
    for name in ("address", "port"):
        if ctx.params["unix_socket"] and ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--unix-socket takes the place of --address and --port: leave out --{name}.")
