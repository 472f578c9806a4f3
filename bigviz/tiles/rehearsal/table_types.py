"""What kernels depend on of a table and its layers, as one line of JSON and back."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa

from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
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

    @classmethod
    def from_json(cls, text: str) -> TableTypes:
        """What `to_json` wrote."""
        found = json.loads(text)
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(found["schema"])))
        return cls(schema, tuple(Layer(**each) for each in found["layers"]), found["stored"])


def types_of(dataset: Dataset, layers: Sequence[Layer], stored: bool) -> TableTypes:
    """Those of a table, of the first 8 layers."""
    used = [name for layer in layers for name in layer.columns]
    return TableTypes(chosen_fields(dataset.schema, used), tuple(dict.fromkeys(layers))[:_MOST_LAYERS], stored)
