"""What `bigviz serve` serves, in a thread of this process: a process of its own takes 2 s of CPU time to load what is
loaded here already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, chdir, contextmanager, nullcontext
from dataclasses import dataclass, fields
from glob import glob
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import pytest

from bigviz.cli import cli
from bigviz.data.catalog import Catalog
from bigviz.library.library import Library
from bigviz.server.documents.shelf import Shelf
from bigviz.server.library_threads import LibraryThreads
from bigviz.server.run import loading, process
from bigviz.server.run.options import Options
from bigviz.server.run.server import Load

from .server.running import Running, lasting, running


@contextmanager
def served(arguments: Sequence[str], cwd: Path) -> Iterator[Running]:
    """A server with these arguments of `bigviz serve`. Their paths begin at `cwd`, and those of scripts too, when they
    run for the first time."""
    has_scripts = any(word.endswith(".py") for word in arguments)
    options, names, load = _asked([_path(word, before, cwd) for before, word in pairwise(["", *arguments])])
    with ExitStack() as ending:
        with chdir(cwd) if has_scripts else nullcontext():
            serving = running([], names=names, load=lambda progress: _Brought.of(load(progress)), **_fields(options))
            found = ending.enter_context(serving)
            if has_scripts:
                found.await_event("loaded")
        yield found


def _path(word: str, before: str, cwd: Path) -> str:
    """A word of a command; a path or a glob from `cwd` as an absolute one."""
    is_path = before == "--library" or (not word.startswith("-") and glob(word, root_dir=cwd))
    return str(cwd / word) if is_path else word


@dataclass
class _Asked(BaseException):
    """What was to be served."""

    options: Options
    names: Sequence[str]
    load: Load


def _asked(arguments: Sequence[str]) -> tuple[Options, Sequence[str], Load]:
    """What `bigviz serve` would serve."""

    def run(options: Options, names: Sequence[str], load: Load, *_: Any, **__: Any) -> NoReturn:
        raise _Asked(options, names, load)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "run", run)
        try:
            cli.main(["serve", *arguments, "--no-browser"], standalone_mode=False)
        except _Asked as asked:
            return asked.options, asked.names, asked.load
    raise AssertionError("nothing is served")


@dataclass(frozen=True)
class _Brought(loading.Brought):
    """What is brought, with the processes that check uploads for all servers."""

    @classmethod
    def of(cls, brought: loading.Brought) -> _Brought:
        return cls(**_fields(brought))

    def shelf(self, library: Library, threads: LibraryThreads, options: Options) -> Shelf:
        keep, anonymous, quota = options.keep_versions, options.allow_anonymous, options.user_quota
        return Shelf(library, Catalog(), threads, lasting(options.limits.check_bytes), keep, anonymous, quota)


def _fields(value: Any) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in fields(value)}
