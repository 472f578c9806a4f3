"""All findings, in order, and how they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from bigviz.commands.doctor.browser import browser
from bigviz.commands.doctor.finding import Finding
from bigviz.commands.doctor.kernels import kernels
from bigviz.commands.doctor.library import library
from bigviz.commands.doctor.limits import limits
from bigviz.commands.doctor.places import place
from bigviz.commands.doctor.versions import versions
from bigviz.common.errors import BadInput
from bigviz.common.printable import printable
from bigviz.library.storage.directory import default_directory
from bigviz.tiles.store.catalog.quota import default_root

__all__ = ["findings", "sound", "to_json", "to_text"]

_MARKS: Final = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


def findings(store: Path | None, library_: Path | None) -> list[Finding]:
    """What is found here; a directory that is None is the user's."""
    return [*versions(), *kernels(), *_places(store, library_), *limits(), *browser()]


def sound(found: Iterable[Finding]) -> bool:
    """Whether nothing must be mended."""
    return all(each.state != "problem" for each in found)


def to_json(found: list[Finding]) -> dict[str, Any]:
    """`{ok, findings: [{section, name, value, state, remedy}]}`."""
    return {"ok": sound(found), "findings": [asdict(each) for each in found]}


def to_text(found: list[Finding]) -> str:
    """A section each, and below what is no "ok" its remedy."""
    lines, section = [], ""
    for each in found:
        if each.section != section:
            section = each.section
            lines.append(section)
        lines.append(f"  {_MARKS[each.state]}  {printable(each.name)}: {printable(each.value)}")
        if each.remedy is not None:
            lines.append(f"           -> {printable(each.remedy)}")
    problems = sum(each.state == "problem" for each in found)
    end = "Nothing has to be mended." if not problems else f"{problems} {'problem' if problems == 1 else 'problems'}."
    return "\n".join([*lines, end])


def _places(store: Path | None, library_: Path | None) -> Iterator[Finding]:
    for name, option, given, default, local in (
        ("indexes", "--store-dir", store, default_root, False),
        ("library", "--library", library_, default_directory, True),
    ):
        directory = _directory(given, default)
        if isinstance(directory, BadInput):
            yield Finding("disk", name, "no directory", "note", directory.message)
            continue
        yield from place(name, option, directory, local=local)
        if local:
            yield from library(directory)


def _directory(given: Path | None, default: Callable[[], Path]) -> Path | BadInput:
    try:
        return given.absolute() if given is not None else default()
    except BadInput as error:
        return error
