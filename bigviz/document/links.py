"""Linked brushing: which figures a brush in one of them filters, or highlights rows in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from bigviz.common.errors import BadInput
from bigviz.document.controls.control import Control
from bigviz.document.json_values import instance, list_of, one_of, text
from bigviz.document.spec import LINK_MODES, Document, FigureSpec, LinkMode, LinkSpec

__all__ = ["Link", "check_links", "linked_figures", "links"]

_MOST_LINKS: Final = 100
_MOST_FIGURES: Final = 64


class Linked(Protocol):
    """A figure as the caller made it."""

    @property
    def title(self) -> str | None:
        """Its title."""

    @property
    def links(self) -> list[Link]:
        """The links that it is in."""


@dataclass(eq=False)
class Link:
    """A link as the caller made it; the figures that are in it hold it."""

    mode: LinkMode
    figures: list[Linked] = field(default_factory=list)
    numbers: list[Control] = field(default_factory=list)


links = list_of(
    lambda value, path: instance(
        LinkSpec,
        {
            "figures": list_of(text, _MOST_FIGURES, 2),
            "mode": one_of(LINK_MODES),
            "numbers": list_of(text, _MOST_FIGURES),
        },
        value,
        path,
    ),
    _MOST_LINKS,
)
"""The reader of a document's `links`. Raises BadInput."""


def check_links(document: Document) -> None:
    """Raise BadInput for a link of a figure that does not exist, that is in two links, or that shares no table with
    another figure of its link, so that no brush would reach it."""
    known, linked = {figure.id: figure for figure in document.figures()}, set[str | tuple[str, str]]()
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
        for name in link.numbers:
            spec = document.controls.get(name)
            if spec is None or spec.type != "number":
                raise BadInput(
                    f"A link names a number {name!r} that is not in `controls`.", f"links[{at}].numbers", name
                )
            if ("", name) in linked:
                raise BadInput(f"Number {name!r} is linked twice.", f"links[{at}].numbers", name)
            linked.add(("", name))
        _check_tables(document, at, [known[name] for name in link.figures])


def _check_tables(document: Document, at: int, figures: Sequence[FigureSpec]) -> None:
    """Raise BadInput for a figure or a number that no brush reaches: a brush selects rows of the table of its figure's
    first layer, and reaches layers over the same table."""
    brushed = [figure.layers[0].dataset if figure.layers else None for figure in figures]
    shown = [{layer.dataset for layer in figure.layers} for figure in figures]
    numbers = document.links[at].numbers
    counted = {document.controls[name].dataset for name in numbers}
    for number, figure in enumerate(figures):
        others = [each for each in range(len(figures)) if each != number]
        brushes = any(brushed[number] in shown[each] for each in others) or brushed[number] in counted
        if not brushes and not any(brushed[each] in shown[number] for each in others):
            title = f" ({figure.title})" if figure.title else ""
            its = " and ".join(map(repr, sorted(shown[number]))) or "no table"
            raise BadInput(
                f"Figure {figure.id!r}{title} is linked and shows {its}, which no other figure of the link does: a "
                "brush selects rows of one table. Link figures of one table, opened once with bigviz.open.",
                f"links[{at}].figures",
                figure.id,
            )
    for name in numbers:
        if document.controls[name].dataset not in brushed:
            raise BadInput(
                f"Number {name!r} is linked and is of {document.controls[name].dataset!r}, whose rows no figure of the "
                "link selects. Give it the table of a figure's first layer, opened once with bigviz.open.",
                f"links[{at}].numbers",
                name,
            )


def linked_figures(
    figures: Iterable[Linked], names: Mapping[int, str], controls: Iterable[tuple[Control, str]]
) -> list[dict[str, Any]]:
    """The links of a document's figures as JSON values; `names` are their ids there by `id()` of each, `controls` those
    in the layout with their ids. A figure that is shown by itself has none. Raises BadInput for a link of which
    something is not in the document."""
    links = {id(link): link for figure in figures for link in figure.links}
    if len(names) == 1:
        return []
    for link in links.values():
        for figure in link.figures:
            if id(figure) not in names:
                raise BadInput(
                    f"Figure {figure.title!r} is linked and is not in the layout: put it there, or link those alone "
                    "that are.",
                    "links",
                    figure.title,
                )
    numbers = {id(control): name for control, name in controls}
    return [_link(link, names, numbers) for link in links.values()]


def _link(link: Link, names: Mapping[int, str], numbers: Mapping[int, str]) -> dict[str, Any]:
    its = {id(figure) for figure in link.figures}
    out = {"figures": [name for key, name in names.items() if key in its], "mode": link.mode}
    for number in link.numbers:
        if id(number) not in numbers:
            raise BadInput(
                f"Number {number.id!r} is linked and is not in the layout: put it there.", "links", number.id
            )
    return {**out, "numbers": [numbers[id(each)] for each in link.numbers]} if link.numbers else out
