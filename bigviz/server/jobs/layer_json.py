"""What a layer is, in JSON: the answer to a `layer` message and the fields of TileJSON that are bigviz's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from bigviz import __version__
from bigviz.aggregate.layer import MOST_CATEGORIES
from bigviz.aggregate.spaces import MERCATOR_X, MERCATOR_Y, MOST_LATITUDE
from bigviz.common.web.safe_numbers import safe
from bigviz.data.columns.column import ColumnInfo, own_name
from bigviz.data.dataset import Dataset
from bigviz.document.spec import Document
from bigviz.render import colormaps
from bigviz.server.controls.options import options_answer
from bigviz.server.jobs.usage import EVERYTHING, Usage
from bigviz.server.limits import Limits
from bigviz.server.open_datasets import dataset_of
from bigviz.wire.frames import VERSION

if TYPE_CHECKING:
    from bigviz.aggregate.reductions.base import Reduction
    from bigviz.aggregate.value_kind import ValueKind
    from bigviz.tiles.interface import DensePart, LayerInfo, Number
    from bigviz.tiles.readiness import Readiness

__all__ = ["INDEX", "datasets_answer", "hello", "layer_answer", "map_bounds", "tilejson_facts", "traits_answer"]

Position = int | float | str

_MARGIN: Final = 2.0**-30  # of the world, 4 cm: rows on the border of a tile are not left out with it
_SCREEN: Final = 4.0  # tiles that all rows fit on, side by side
_DEEPEST: Final = 16  # to begin with, where rows are one place
_TOO_MANY: Final = f"has more than {MOST_CATEGORIES} different values, the most that by shows"


INDEX: Final[dict[Readiness, str]] = {
    "none": "none",
    "building": "building",
    "sampled": "building",
    "answering": "building",
    "complete": "ready",
    "scanned": "none",
}


def hello(
    document: Document, limits: Limits, of_many: Mapping[str, Collection[str]], usage: Usage = EVERYTHING
) -> dict[str, Any]:
    """The JSON of the first message on a socket: the document, what can be plotted of its datasets as far as the
    caller may use them, and how much a page may ask for. `of_many`: columns of each dataset that have too many values
    for `by`. The options of controls that are the values of a column are read here if they were not before."""
    return {
        "protocol": VERSION,
        "server": f"bigviz {__version__}",
        "document": document.to_json(),
        "options": options_answer(document),
        "datasets": datasets_answer(document, of_many, usage),
        "cmaps": list(colormaps.NAMES),
        "cmap_aliases": colormaps.aliases(),
        "limits": limits.told(),
    }


def layer_answer(
    info: LayerInfo,
    datetime: tuple[bool, bool],
    readiness: Readiness = "complete",
    dense: DensePart | None = None,
) -> dict[str, Any]:
    """The JSON of a `layer` answer; `datetime` says which axes, x and y, are of nanoseconds.

    Whole numbers beyond 2^53 are decimal strings too: a browser's JSON numbers are doubles.
    """
    return {
        "extent": _box(info.extent, datetime, safe),
        "range": None if info.range is None else _box(info.range, datetime, safe),
        "dense": None if dense is None else {"box": _box(dense.box, datetime, safe), "rows": dense.rows},
        "root": {
            "x": [info.root_x.start_text, info.root_x.exponent],
            "y": [info.root_y.start_text, info.root_y.exponent],
        },
        "rows": info.rows,
        "rows_outside": info.rows_outside,
        "rows_far": info.rows_far,
        "rows_kept": info.rows_kept,
        "version": info.version,
        "index": INDEX[readiness],
        "provisional": readiness == "sampled",
        "reduction": str(info.reduction),
        "planes": None if info.planes is None else list(info.planes),
        "traits": traits_answer(info.reduction, info.value),
        "x": _axis(info.x, info.x_categories),
        "y": _axis(info.y, info.y_categories),
        "sorted": info.sorted,
    }


def tilejson_facts(info: LayerInfo, datetime: tuple[bool, bool], readiness: Readiness) -> dict[str, Any]:
    """As `layer_answer`, with every whole number as a JSON integer, written out exactly; times are strings too."""
    return {
        **layer_answer(info, datetime, readiness),
        "extent": _box(info.extent, datetime, _as_it_is),
        "range": None if info.range is None else _box(info.range, datetime, _as_it_is),
    }


def map_bounds(info: LayerInfo | None) -> dict[str, Any]:
    """`bounds` (west, south, east, north) in degrees: of the rows of a mercator layer, or of the whole world where
    there are none or the index is being built; then `center` (degrees, degrees, zoom) is left out."""
    box = None if info is None else info.range
    if box is None:
        return {"bounds": [-180.0, -MOST_LATITUDE, 180.0, MOST_LATITUDE]}
    west, south, east, north = (min(max(end, 0.0), 1.0) for end in _grown(*map(float, box)))
    zoom = math.floor(math.log2(_SCREEN / max(east - west, north - south)))
    return {
        "bounds": [*_degrees(west, south), *_degrees(east, north)],
        "center": [*_degrees((west + east) / 2, (south + north) / 2), min(max(zoom, 0), _DEEPEST)],
    }


def _grown(west: float, south: float, east: float, north: float) -> tuple[float, ...]:
    return west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN


def _degrees(x: float, y: float) -> tuple[float, float]:
    latitude = MERCATOR_Y.value(y)
    return MERCATOR_X.value(x), min(max(latitude, -MOST_LATITUDE), MOST_LATITUDE)


def _box(
    numbers: tuple[Number, ...], datetime: tuple[bool, bool], write: Callable[[Number], Position]
) -> list[Position]:
    """x0, y0, x1, y1 for JSON: decimal strings on axes of nanoseconds."""
    return [str(int(number)) if datetime[at % 2] else write(number) for at, number in enumerate(numbers)]


def _as_it_is(number: Number) -> Position:
    return number


def datasets_answer(
    document: Document, of_many: Mapping[str, Collection[str]], usage: Usage = EVERYTHING
) -> dict[str, Any]:
    """What a caller may know of a document's datasets, by name."""
    return {
        name: _dataset(dataset_of(document, name), name, of_many.get(name, ()), usage) for name in document.datasets
    }


def _dataset(dataset: Dataset, name: str, of_many: Collection[str], usage: Usage) -> dict[str, Any]:
    shown = set(usage.within(name, (each.name for each in dataset.columns())))
    columns = [
        {
            "name": c.name,
            "kind": c.kind,
            "type": str(c.type) if c.readable else "unknown",
            "zone": c.zone,
            "plottable": c.plottable,
            "reason": c.reason,
            "by_reason": _TOO_MANY if c.name in of_many else None,
        }
        for c in dataset.columns()
        if c.name in shown
    ]
    return {
        "rows": dataset.num_rows,
        "version": dataset.version,
        "columns": columns,
        "notes": [] if name in usage.columns else list(dataset.notes),  # they name other columns too
    }


def traits_answer(reduction: Reduction, value: ValueKind) -> dict[str, Any]:
    """What a plane's cells mean."""
    traits = reduction.traits
    return {
        "plane": str(reduction.plane),
        "by": None if reduction.category is None else own_name(reduction.category),
        "counts": traits.counts,
        "additive": traits.additive,
        "pixel": traits.pixel,
        "total": traits.total,
        "value": asdict(value),
    }


def _axis(info: ColumnInfo, categories: tuple[str, ...] | None) -> dict[str, Any]:
    return {"column": info.name, "kind": info.kind, "zone": info.zone, "categories": categories}
