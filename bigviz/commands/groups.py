"""Groups of commands: errors as one line, and commands that are imported when they are asked for."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import click

from bigviz.common.errors import BigvizError

__all__ = ["ErrorLines", "Lazy"]


class ErrorLines(click.Group):
    """Turns bigviz's own errors, and the operating system's, into one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BigvizError as error:
            raise click.ClickException(error.message) from error
        except OSError as error:
            if error.filename is None or error.strerror is None:
                raise
            raise click.ClickException(f"{os.fsdecode(error.filename)}: {error.strerror.lower()}.") from error


class Lazy(click.Group):
    """The group `name` of a module, which is imported when the group's help or one of its commands is asked for."""

    def __init__(self, name: str, module: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help)
        self._module = module

    def _group(self) -> click.Group:
        found: click.Group = getattr(import_module(self._module), str(self.name))
        self.help = found.help
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._group().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._group().get_command(ctx, cmd_name)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self._group()
        super().format_help(ctx, formatter)
