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


class Lazy(click.Command):
    """The command or group `where`, "module:name", which is imported when it, or its help, is asked for."""

    def __init__(self, name: str, where: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help)
        self._where = where

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        module, _, name = self._where.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command.make_context(info_name, args, parent, **extra)
