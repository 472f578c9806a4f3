"""The PATHs of the command line: names and paths of tables, or one script. Files are looked for, not opened."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from contextlib import suppress

import click

from bigviz.common.errors import BadInput, NotFound
from bigviz.data.paths import nearest_path
from bigviz.data.remote.address import address_of, is_remote, shown_source
from bigviz.data.walk import expand
from bigviz.document.names import check_name, free_name, from_path

__all__ = ["check_no_tables", "named_paths", "named_script", "tables_and_scripts", "with_scripts"]

_BESIDE_SCRIPTS = (".py", ".md", ".txt", ".toml", ".cfg", ".json", ".yaml", ".yml")


def named_paths(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """(document name, path) of each `PATH` or `NAME=PATH`, in order; a path may be an address (`s3://…`).

    Names that collide get -2, -3; two given ones that collide raise BadInput. A path with nothing at it raises
    NotFound, so that a mistyped one is reported before anything is started.
    """
    found: list[tuple[str, str]] = []
    given = set()
    for argument in arguments:
        name, path = _split(argument)
        if is_remote(path):
            shown = address_of(path).shown  # what is there is seen when it is opened
            if path.endswith(".py"):
                raise BadInput(f"{shown} is elsewhere: scripts are run from this machine only.", "path", shown)
        elif not os.path.exists(path) and not (glob.has_magic(path) and expand(path, [])):
            raise NotFound(f"There is nothing at {path}.{_hint(path)}", "path", path)
        if name is not None:
            if name in given:
                raise BadInput(f"The name {name!r} is given to two paths.", "name", name)
            given.add(check_name(name))
        found.append((name or "", path))
    names = set(given)
    out = []
    for name, path in found:
        each = name or free_name(from_path(os.path.abspath(path) if path in (".", "..") else shown_source(path)), names)
        names.add(each)
        out.append((each, path))
    return out


def tables_and_scripts(
    paths: Sequence[str], follow: Sequence[str]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(document name, path) of each table, those that are followed last, and of each script. Raises what `named_paths`
    does, and UsageError for a script that is to be followed."""
    if any(path.endswith(".py") for path in follow):
        raise click.UsageError("--follow is for data files: --dev runs a script again when it changes.")
    named = named_paths((*with_scripts(paths), *follow))
    scripts = [each for each in named if each[1].endswith(".py")]
    return [each for each in named if not each[1].endswith(".py")], scripts


def check_no_tables(columns: Sequence[str | None], header: str | None, delimiter: str | None) -> None:
    """UsageError for options of tables where there are scripts alone."""
    if any(columns):
        raise click.UsageError("Options of columns and axes are for data files: the script says what it shows.")
    if header or delimiter:
        raise click.UsageError("--header and --delimiter are for CSV files: the script passes them to bigviz.open.")


def named_script(arguments: Sequence[str]) -> tuple[str, str] | None:
    """(document name, path) of a script, if one is to be served; BadInput for a script together with other paths."""
    scripts = [argument for argument in arguments if argument.endswith(".py")]
    if not scripts:
        return None
    if len(arguments) > 1:
        raise BadInput("A script is served alone: start another server for the other paths.", "path", scripts[0])
    name, path = _split(scripts[0])
    if not os.path.isfile(path):
        raise NotFound(f"There is no script at {path}.", "path", path)
    return check_name(name) if name else from_path(path), path


def with_scripts(arguments: Sequence[str]) -> list[str]:
    """The arguments with each directory of scripts replaced by its scripts: by `main.py` under the directory's name, if
    there is one, else by all that do not begin with `_`. A directory that holds other files than Python's and text is
    one of tables."""
    found: list[str] = []
    for argument in arguments:
        name, path = _split(argument)
        scripts = _scripts_in(path)
        main = os.path.join(path, "main.py")
        if main in scripts:
            found.append(f"{name or from_path(os.path.abspath(path))}={main}")
        elif scripts and name is not None:
            raise BadInput(f"{path} holds {len(scripts)} scripts, each under its own name: leave out {name}=.", "name")
        else:
            found += scripts or [argument]
    return found


def _scripts_in(path: str) -> list[str]:
    if not os.path.isdir(path):
        return []
    files = sorted(each.name for each in os.scandir(path) if each.is_file() and not each.name.startswith((".", "_")))
    if not all(each.endswith(_BESIDE_SCRIPTS) for each in files):
        return []
    return [os.path.join(path, each) for each in files if each.endswith(".py")]


def _hint(path: str) -> str:
    """What may help with a path that has nothing at it, with a space before it."""
    with suppress(OSError):
        close = nearest_path(path)
        return f" Did you mean {close}?" if close else ""
    return ""


def _split(argument: str) -> tuple[str | None, str]:
    """NAME=PATH apart; a path that exists as it is, or has a hive partition in it (`a/year=2024`), stays whole."""
    name, equals, path = argument.partition("=")
    if not equals or not path or "/" in name or "\\" in name or os.path.exists(argument):
        return None, argument
    return name, path
