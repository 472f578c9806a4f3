"""What a server and workers say to each other reads back as it was."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.layer import Layer
from bigviz.common.errors import BadInput
from bigviz.data.open import open as open_dataset
from bigviz.tiles.cluster.messages import (
    Answer,
    arrays_of,
    decoded,
    encoded,
    extent_facts,
    extent_of,
    layer_facts,
    layer_of,
    packed,
)
from bigviz.tiles.grid.order_spec import far_of
from bigviz.tiles.grid.survey import Extent


def test_arrays_read_back_and_none_stays_none() -> None:
    arrays = [np.arange(6, dtype=np.int32).reshape(2, 3), None, np.array([np.nan, -0.0]), np.zeros((0, 4), np.uint8)]
    facts, bodies = packed(arrays)
    answer = decoded(encoded(Answer({"arrays": facts}, bodies)))
    for found, expected in zip(arrays_of(answer.head["arrays"], answer.bodies), arrays, strict=True):
        if expected is None:
            assert found is None
        else:
            assert found is not None and found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)
            found[...] = 1  # its own memory


def test_an_array_of_objects_or_without_its_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="holds numbers"):
        arrays_of([["|O", [1]]], [b"12345678"])
    for bodies in ([], [b"1234"]):
        with pytest.raises(ValueError):
            arrays_of([["<i8", [1]]], bodies)


@pytest.mark.parametrize("low", [(1, 2), (0.1, -(1 << 62)), (float(np.float32(0.1)), 5e-324)])
def test_extents_read_back_to_the_bit(low: tuple[float, float]) -> None:
    extent = Extent(3, low, low)
    assert extent_of(json.loads(json.dumps(extent_facts(extent)))) == extent
    assert extent_of(json.loads(json.dumps(extent_facts(Extent())))) == Extent()


def test_only_a_layer_over_a_part_has_roots_that_are_given() -> None:
    roots = Root(-3, 4), Root(0, -20)
    layer = layer_of(layer_facts(Layer("points", "x", "y", "by(kind, mean(v))", filter="v > 1"), roots))
    assert str(layer.reduction) == "by(kind, mean(v))" and layer.filter == "v > 1"
    assert far_of(layer.root) == roots and far_of("default") is True and far_of("full") is False
    table = open_dataset({"x": [1.0], "y": [2.0], "kind": ["a"], "v": [1]})
    layer.check(table)
    with pytest.raises(BadInput, match="root is"):
        Layer("points", "x", "y", root=layer.root).check(table)
