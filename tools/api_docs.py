"""Writes docs/api.md from the docstrings of bigviz's public names: `make docs`."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import bigviz

GROUPS = {
    "Tables": ("open", "Dataset"),
    "Plots": ("figure", "Figure", "row", "column", "grid", "tabs", "link", "document", "Document", "load"),
    "Controls": (
        "select", "multiselect", "radio", "checkbox", "slider", "range_slider", "date_range", "text_input", "button",
        "table", "markdown", "number",
    ),
    "Serving": ("serve", "show"),
    "Apps": ("on_open", "on_close"),
    "Publishing": ("connect", "Connection", "embed"),
    "Canvas": ("Canvas",),
    "Reductions": ("count", "any", "sum", "mean", "min", "max", "first", "last", "by", "count_cat"),
    "Errors": (
        "BigvizError", "BadInput", "NotFound", "Unauthorized", "Forbidden", "Conflict", "OutOfDate", "TooLarge",
        "Unreadable", "Unplottable", "Busy", "TooMany", "NoSpace", "Gone",
        "Cancelled",
    ),
}  # fmt: skip
CONSTRUCTED = {"Canvas"}  # the other classes are made by functions


class _Dots:
    """A default that has no literal, in a signature."""

    def __repr__(self) -> str:
        return "..."


HEAD = """# Python API

`import bigviz as bv`. This page is generated from the docstrings by `make docs`; a test sees that it is up to date.

A *source* is a dataset or anything that `bv.open` takes. A reduction is an object (`bv.mean("fare")`) or its text
(`"mean(fare)"`): see [reference.md](reference.md#reductions).
"""


def page() -> str:
    """The whole page. Raises ValueError where a public name is in no group, or one in a group is not public."""
    listed = sorted(name for names in GROUPS.values() for name in names)
    if listed != bigviz.__all__:
        raise ValueError(f"GROUPS differ from bigviz.__all__ in {sorted(set(listed) ^ set(bigviz.__all__))}")
    lines = (f"- [{group}](#{group.lower()}): `{'`, `'.join(names)}`" for group, names in GROUPS.items())
    contents = [textwrap.fill(line, 120, subsequent_indent="  ", break_on_hyphens=False) for line in lines]
    parts = [HEAD, "\n".join(contents)]
    for group, names in GROUPS.items():
        parts += [f"## {group}", *(entry(name, found(name)) for name in names)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def found(name: str) -> Any:
    """What a public name stands for; not the package that `bigviz.document` is once a module of it was imported."""
    return getattr(import_module(bigviz._HOME[name]), name)


def entry(name: str, thing: Any) -> str:
    """The heading, signature and docstring of a public name, and under a class those of its members."""
    title = f"### {name}"
    if not inspect.isclass(thing):
        return "\n\n".join([title, signature(f"bv.{name}", thing), text(thing)])
    parts = [title, signature(f"bv.{name}", thing)] if name in CONSTRUCTED else [title]
    return "\n\n".join([*parts, text(thing), *members(thing)])


def members(cls: type) -> Iterator[str]:
    """The public methods and properties that a class defines, or a base of the same name, in the order of the
    source."""
    owners = [owner for owner in reversed(cls.__mro__) if owner.__name__ == cls.__name__]
    for name, thing in {name: thing for owner in owners for name, thing in vars(owner).items()}.items():
        if name.startswith("_"):
            continue
        if isinstance(thing, property):
            yield text(thing, f"`.{name}`: ")
        elif inspect.isfunction(thing):
            yield f"{signature(f'.{name}', thing, skip=1)}\n\n{text(thing)}"


def signature(name: str, thing: Any, skip: int = 0) -> str:
    """The call as a listing, with its defaults and without types, which the docstring gives."""
    parameters = [plain(each) for each in inspect.signature(thing).parameters.values()][skip:]
    return f"```python\n{broken(f'{name}{inspect.Signature(parameters)}')}\n```"


def plain(parameter: inspect.Parameter) -> inspect.Parameter:
    """The parameter without its type; a default that has no literal is `...`."""
    literal = parameter.default is None or isinstance(parameter.default, str | int | float | tuple | type)
    default = parameter.default if literal else _Dots()
    return parameter.replace(annotation=inspect.Parameter.empty, default=default)


def broken(call: str, width: int = 100) -> str:
    """A call over several lines where one is too long, split at its commas."""
    if len(call) <= width:
        return call
    lines, indent = [], " " * (call.index("(") + 1)
    for part in call.split(", "):
        if lines and len(lines[-1]) + len(part) + 2 <= width:
            lines[-1] += f", {part}"
        else:
            lines.append(part if not lines else indent + part)
    return ",\n".join(lines)


def text(thing: Any, begin: str = "") -> str:
    """The docstring after `begin`. Raises ValueError without one: every public name says what it is."""
    if not thing.__doc__:
        raise ValueError(f"{thing!r} has no docstring")
    paragraphs = (begin + inspect.cleandoc(thing.__doc__)).replace("\n- ", "\n\n- ").split("\n\n")
    return "\n\n".join(filled(each) for each in paragraphs)


def filled(paragraph: str) -> str:
    """A paragraph, or an item of a list, in lines of at most 120 characters."""
    words = " ".join(paragraph.split())
    indent = "  " if words.startswith("- ") else ""
    return textwrap.fill(words, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page())
