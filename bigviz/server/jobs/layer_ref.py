"""Which layer a request is about: the published one, changed by a query, or a whole definition from a message.

A definition names a dataset of the document, never a path. What it says is checked here as far as names and words go;
`layer_of` checks columns against the dataset.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, cast

from bigviz.aggregate.layer import Layer
from bigviz.common.bounded_repr import echoed
from bigviz.common.did_you_mean import nearest
from bigviz.common.errors import BadInput, BigvizError, NotFound
from bigviz.data.dataset import Dataset
from bigviz.document.spec import AXIS_KINDS, GLYPHS, ROOTS, Document, FigureSpec, LayerSpec
from bigviz.server.parse import choice

__all__ = ["Asked", "Definition", "dataset_of", "layer_of", "overridden", "published", "read", "times_of"]

_LONGEST: Final = 10_000
_WORDS: Final = {"glyph": GLYPHS, "xaxis": AXIS_KINDS, "yaxis": AXIS_KINDS, "root": ROOTS}
_COLUMN_OF: Final = {"xaxis": "x", "yaxis": "y"}


@dataclass(frozen=True)
class Definition:
    """A whole layer, as messages carry it."""

    dataset: str
    glyph: str
    x: str
    y: str
    agg: str
    xaxis: str = "linear"
    yaxis: str = "linear"
    root: str = "default"


def published(figure: FigureSpec, layer: LayerSpec) -> Definition:
    """The definition of a document's own layer."""
    kinds = (figure.x_axis.kind, figure.y_axis.kind)
    return Definition(layer.dataset, layer.glyph, layer.x, layer.y, layer.agg, *kinds, layer.root)


def overridden(base: Definition, document: Document, get: Callable[[str], str | None]) -> Definition:
    """The published definition with what the query says instead.

    Where another column is asked for and its axis is not, the axis is datetime for times, else linear; where another
    glyph is and the reduction is not, the reduction is the glyph's own (count, any).
    """
    names = [each.name for each in fields(Definition) if each.name != "dataset"]
    given = {name: text for name in names if (text := get(name)) is not None}
    changed = replace(base, **{name: _word(name, text) for name, text in given.items()})
    if "agg" not in given and changed.glyph != base.glyph:
        changed = replace(changed, agg="any" if changed.glyph == "line" else "count")
    if (changed.x, changed.y) != (base.x, base.y):
        missing = {name: "linear" for name in _COLUMN_OF if name not in given}
        if not ({base.xaxis, base.yaxis} & {"mercator"}):
            missing = {name: kind for name, kind in missing.items() if _moved(name, base, changed)}
        changed = replace(changed, **_spaces(dataset_of(document, base.dataset), replace(changed, **missing), missing))
    return changed


def read(value: Any, document: Document) -> Definition:
    """The definition in a message. Unknown keys, missing ones and other types than text raise BadInput.

    `agg` (count, any), the axes (datetime for times, else linear) and `root` ("default") may be absent.
    """
    if not isinstance(value, dict):
        raise BadInput("definition is an object.", "definition", echoed(value))
    names = [each.name for each in fields(Definition)]
    for key in value:
        if key not in names:
            raise BadInput(f"definition.{key}: unknown key; the keys are {', '.join(names)}.", f"definition.{key}", key)
    for key in ("dataset", "glyph", "x", "y"):
        if key not in value:
            raise BadInput(f"definition.{key} is missing.", f"definition.{key}")
    given = {key: _word(key, each) for key, each in value.items()}
    given.setdefault("agg", "any" if given["glyph"] == "line" else "count")
    found = Definition(**given)
    missing = [name for name in _COLUMN_OF if name not in given]
    return replace(found, **_spaces(dataset_of(document, found.dataset), found, missing))


def dataset_of(document: Document, name: str) -> Dataset:
    """The open dataset of that name in the document; NotFound with the nearest name otherwise."""
    found = document.sources.get(name)
    if found is None:
        guess = nearest(name, list(document.sources))
        hint = f"Did you mean {guess!r}?" if guess else f"It has {', '.join(document.sources)}."
        raise NotFound(f"The document has no dataset {echoed(name)}. {hint}", "dataset", name)
    return cast(Dataset, found)


def layer_of(definition: Definition, dataset: Dataset) -> Layer:
    """The layer to ask the engine for, checked against the dataset's schema; errors name the field."""
    each = definition
    layer = Layer(each.glyph, each.x, each.y, each.agg, each.xaxis, each.yaxis, each.root)
    layer.check(dataset)
    return replace(layer, agg=str(layer.reduction))  # one spelling, so that work is shared


def times_of(dataset: Dataset, layer: Layer) -> tuple[bool, bool]:
    """Whether positions on x and on y are int64 nanoseconds."""
    return dataset.info(layer.x).is_time, dataset.info(layer.y).is_time


def _moved(axis: str, base: Definition, changed: Definition) -> bool:
    column = _COLUMN_OF[axis]
    return bool(getattr(base, column) != getattr(changed, column))


def _spaces(dataset: Dataset, definition: Definition, axes: Any) -> dict[str, str]:
    """Axis -> datetime or linear, by what the axis's column holds."""
    out = {}
    for axis in axes:
        column = _COLUMN_OF[axis]
        try:
            info = dataset.info(getattr(definition, column))
        except BigvizError as error:
            error.field = column
            raise
        out[axis] = "datetime" if info.is_time else "linear"
    return out


def _word(key: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise BadInput(
            f"{key} is a text of at most {_LONGEST} characters, got {echoed(value, 60)}.", key, echoed(value, 60)
        )
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise BadInput(f"{key} holds half a character, got {echoed(value, 60)}.", key, echoed(value, 60))
    allowed: Mapping[str, Any] = _WORDS
    return choice(value, key, allowed[key]) if key in allowed else value


@dataclass(frozen=True)
class Asked:
    """The layer that a route is about, and the published one's style."""

    dataset: Dataset
    layer: Layer
    figure: FigureSpec
    style: LayerSpec
    etag: str

    @property
    def times(self) -> tuple[bool, bool]:
        """Whether x and y are axes of nanoseconds."""
        return times_of(self.dataset, self.layer)
