"""Why a script failed, and where, for its author: file, line and message."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from bigviz.apps.own_modules import is_own
from bigviz.common.errors import BigvizError
from bigviz.common.printable import encodable, printable

__all__ = ["Failure", "ScriptFailed", "failure_of"]

_LONGEST_MESSAGE: Final = 2_000
_LONGEST_TRACE: Final = 20_000


@dataclass(frozen=True)
class Failure:
    """`file` is relative to the script's directory where it lies below it, `line` counts from 1; None if no line of the
    author's is to blame. `files` are the author's files whose change may fix it; some may not exist."""

    file: str
    line: int | None
    message: str
    trace: str
    files: frozenset[str]


class ScriptFailed(BigvizError):
    """A script raised something, or made nothing to show. `files` are watched until it is fixed."""

    several_lines = True

    def __init__(self, failure: Failure, files: frozenset[str] = frozenset()) -> None:
        place = failure.file if failure.line is None else f"{failure.file}, line {failure.line}"
        super().__init__(f"{place}: {failure.message}", "path", failure.file)
        self.failure = failure
        self.files = files

    @property
    def told(self) -> str:
        """The error as a terminal shows it: bigviz's own as a sentence, others with their traceback."""
        if isinstance(self.__cause__, BigvizError):
            return f"Error: {self.message}"
        return printable(self.failure.trace, keep="\n")


def failure_of(error: BaseException, script: str) -> Failure:
    """What the author of `script` (an absolute path) needs to know about an error that it raised."""
    directory = os.path.dirname(os.path.realpath(script))
    own = [place for place in _places(error) if place[0] == script or is_own(place[0], directory)]
    file, line = own[-1] if own else (script, None)
    if isinstance(error, BigvizError):
        message = error.message
    else:
        message = "".join(traceback.format_exception_only(error)[-1:]).strip()
    return Failure(
        _shortened(_shown(file, script, directory), _LONGEST_MESSAGE),
        line,
        _shortened(message, _LONGEST_MESSAGE),
        _trace(error, script),
        frozenset({file for file, _ in own} | _missing(error, directory)),
    )


def _shown(file: str, script: str, directory: str) -> str:
    if file == script:
        return os.path.basename(script)
    named = file.startswith(os.path.join(directory, ""))
    return os.path.relpath(file if named else os.path.realpath(file), directory)


def _places(error: BaseException | None) -> Iterator[tuple[str, int]]:
    """(file, line) of all frames that an error came through, those of its causes first, the innermost last."""
    if error is None:
        return
    yield from _places(error.__cause__ or (None if error.__suppress_context__ else error.__context__))
    for frame, line in traceback.walk_tb(error.__traceback__):
        yield os.path.abspath(frame.f_code.co_filename), line
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        yield os.path.abspath(error.filename), error.lineno


def _missing(error: BaseException, directory: str) -> set[str]:
    """Where a module that was not found would be, if it is the author's."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return set()
    place = os.path.join(directory, *error.name.split("."))
    return {f"{place}.py", os.path.join(place, "__init__.py")}


def _trace(error: BaseException, script: str) -> str:
    """The traceback as Python prints it, from the script's own frame on."""
    kept: TracebackType | None = error.__traceback__
    while kept is not None and os.path.abspath(kept.tb_frame.f_code.co_filename) != script:
        kept = kept.tb_next
    lines = traceback.format_exception(type(error), error, kept)
    return _shortened("".join(lines), _LONGEST_TRACE)


def _shortened(text: str, most: int) -> str:
    """The text as UTF-8 can hold it, with its middle left out where it has more than `most` characters."""
    text = encodable(text)
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters …\n{text[-half:]}"
