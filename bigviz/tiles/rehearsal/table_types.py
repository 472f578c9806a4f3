"""What kernels depend on of a table and its layers, as one line of JSON and back."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import pyarrow as pa

from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
from bigviz.data.filters.tree import ColumnName, Expression, Node
from bigviz.tiles.rehearsal.small_table import chosen_fields

__all__ = ["TableTypes", "types_of"]

_MOST_LAYERS = 8


@dataclass(frozen=True)
class TableTypes:
    """Columns, and layers of a table that has them; `stored` if its indexes are on the disk."""

    schema: pa.Schema
    layers: tuple[Layer, ...]
    stored: bool

    def to_json(self) -> str:
        """One line."""
        layers = [{**asdict(layer), "agg": str(layer.reduction)} for layer in self.layers]
        schema = base64.b64encode(self.schema.serialize().to_pybytes()).decode()
        return json.dumps({"schema": schema, "layers": layers, "stored": self.stored})

    def shape(self) -> str:
        """What is rehearsed, with the number of a column in the place of its name: no kernel depends on names."""
        numbers = {name: number for number, name in enumerate(self.schema.names)}
        layers = [(*_shape_of(layer, numbers), _shape(layer.expression, numbers)) for layer in self.layers]
        return repr((self.schema.types, layers, self.stored))

    @classmethod
    def from_json(cls, text: str) -> TableTypes:
        """What `to_json` wrote."""
        found = json.loads(text)
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(found["schema"])))
        return cls(schema, tuple(Layer(**each) for each in found["layers"]), found["stored"])


def _shape_of(layer: Layer, numbers: dict[str, int]) -> tuple[object, ...]:
    reduction = layer.reduction
    names = *layer.axis_columns, *reduction.sources
    kinds = type(reduction).__name__, type(reduction.plane).__name__, reduction.plane.column is None
    others = layer.glyph, layer.xaxis, layer.yaxis, layer.root, layer.bins, layer.sort
    return others, kinds, [numbers.get(name) for name in names]


def _shape(piece: object, numbers: dict[str, int]) -> object:
    """A piece of a filter, with all that is in it."""
    if isinstance(piece, ColumnName):
        return numbers.get(piece.name)
    if isinstance(piece, tuple):
        return [_shape(each, numbers) for each in piece]
    if isinstance(piece, (Expression, Node)):
        held = [getattr(piece, each.name) for each in fields(piece) if each.compare]
        return type(piece).__name__, [_shape(each, numbers) for each in held]
    return piece


def types_of(dataset: Dataset, layers: Sequence[Layer], stored: bool) -> TableTypes:
    """Those of a table, of the first 8 layers."""
    used = [name for layer in layers for name in layer.columns]
    return TableTypes(chosen_fields(dataset.schema, used), tuple(dict.fromkeys(layers))[:_MOST_LAYERS], stored)
