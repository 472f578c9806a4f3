"""A line over a series on the disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bigviz.aggregate.spaces import space
from bigviz.data.column import Column
from bigviz.data.dataset import Dataset
from bigviz.data.errors import Unreadable
from bigviz.data.numbers import axis_dtype
from bigviz.tiles.axis import Axis
from bigviz.tiles.layer import Layer
from bigviz.tiles.line import LineLayer
from bigviz.tiles.store.manifest import read_manifest
from bigviz.tiles.store.seriesfile import open_series

__all__ = ["open_stored_line"]


def open_stored_line(folder: Path, dataset: Dataset, layer: Layer) -> LineLayer:
    """The line of a layer from its store: nothing is read but the store's small files.

    Its axes know their columns' types, and the labels of categories, but no rows. Raises Unreadable for what is
    damaged.
    """
    manifest = read_manifest(folder, files=False)
    if manifest is None:
        raise Unreadable(f"{folder} is not a whole store.", got=str(folder))
    series, survey = open_series(folder, manifest.facts)
    columns = [_without_rows(dataset, name) for name in (layer.x, layer.y)]
    return LineLayer(
        Axis(columns[0], space(layer.xaxis, "x")), Axis(columns[1], space(layer.yaxis, "y")), survey, series
    )


def _without_rows(dataset: Dataset, name: str) -> Column:
    info = dataset.info(name)
    labels = dataset.labels(name) if info.kind == "category" else None
    return Column(info, np.empty(0, axis_dtype(info.type)), None, labels)
