"""A document with the initial values of its controls put in, for exports, which have no server to ask."""

from __future__ import annotations

from dataclasses import replace

from bigviz.document.controls.values import initial_values
from bigviz.document.filter_text import bound_filter
from bigviz.document.spec import ControlNode, Document, FigureSpec, LayerSpec, LayoutSpec, Node, mapped
from bigviz.document.substitute import substituted

__all__ = ["settled"]

_WORDS = ("markdown",)


def settled(document: Document) -> Document:
    """The document with the values that its controls have at first in its layers and filters. Of the controls only
    words are left, and boxes that held nothing else are gone."""
    if not document.controls:
        return document
    values = initial_values(document)

    def layer(spec: LayerSpec) -> LayerSpec:
        own = substituted(spec, values)
        return replace(own, filter=bound_filter(document, own.filter, values))

    def figure(spec: FigureSpec) -> FigureSpec:
        return replace(spec, layers=tuple(layer(each) for each in spec.layers))

    kept = {name: each for name, each in document.controls.items() if each.type in _WORDS}
    layout = _left(document.layout, frozenset(kept))
    assert layout is not None  # a document has a figure
    return replace(document, controls=kept, layout=mapped(layout, figure))


def _left(node: Node, kept: frozenset[str]) -> Node | None:
    if isinstance(node, FigureSpec):
        return node
    if isinstance(node, ControlNode):
        return node if node.control in kept else None
    children = [_left(child, kept) for child in node.children]
    titles = node.titles and tuple(title for title, child in zip(node.titles, children, strict=True) if child)
    found = tuple(child for child in children if child is not None)
    return LayoutSpec(node.id, node.type, found, node.columns, titles) if found else None
