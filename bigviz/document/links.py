"""Linked brushing: which figures a brush in one of them filters, or highlights rows in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bigviz.common.errors import BadInput
from bigviz.document.json_values import instance, list_of, one_of, text
from bigviz.document.spec import LINK_MODES, Document, LinkMode, LinkSpec

__all__ = ["Link", "check_links", "linked_figures", "links"]

_MOST_LINKS: Final = 100
_MOST_FIGURES: Final = 64


@dataclass(eq=False)
class Link:
    """A link as the caller made it; the figures that are in it hold it."""

    mode: LinkMode
    figures: list[object] = field(default_factory=list)


links = list_of(
    lambda value, path: instance(
        LinkSpec, {"figures": list_of(text, _MOST_FIGURES, 2), "mode": one_of(LINK_MODES)}, value, path
    ),
    _MOST_LINKS,
)
"""The reader of a document's `links`. Raises BadInput."""


def check_links(document: Document) -> None:
    """Refuses links of figures that there are not, and of a figure that is in two. Raises BadInput."""
    known, linked = {figure.id for figure in document.figures()}, set[str]()
    for at, link in enumerate(document.links):
        for name in link.figures:
            if name not in known:
                raise BadInput(
                    f"A link names a figure {name!r} that is not in the layout.", f"links[{at}].figures", name
                )
            if name in linked:
                raise BadInput(
                    f"Figure {name!r} is linked twice: put all figures that go together into one link.",
                    f"links[{at}].figures",
                    name,
                )
            linked.add(name)


def linked_figures(held: Iterable[tuple[str, Sequence[Link]]]) -> list[dict[str, Any]]:
    """The links of a document's figures, given by id with those that they are in, as JSON values: figures of other
    documents are left out."""
    found: dict[int, tuple[Link, list[str]]] = {}
    for name, each in held:
        for link in each:
            found.setdefault(id(link), (link, []))[1].append(name)
    return [{"figures": names, "mode": link.mode} for link, names in found.values() if len(names) > 1]
