from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.api import mean
from bigviz.common.errors import BadInput, BigvizError, NotFound, Unplottable
from bigviz.data.dataset import Dataset

MakeDataset = Callable[..., Dataset]


@pytest.fixture(scope="module")
def trips(dataset: MakeDataset) -> Dataset:
    return dataset(
        x=[1.0],
        y=[2],
        when=pa.array([1], pa.timestamp("s")),
        kind=["a"],
        fare=pa.array([1], pa.decimal128(5, 2)),
        nested=[[1]],
    )


@pytest.mark.parametrize(
    "layer",
    [
        Layer("points", "x", "y"),
        Layer("points", "when", "kind", "min(when)", "datetime"),
        Layer("points", "x", "y", "by(kind, mean(fare))", "log", "log", "full"),
        Layer("points", "x", "y", mean("fare"), "mercator", "mercator"),
        Layer("line", "when", "y", "any", "datetime"),
        Layer("points", "x", "y", "count(kind)"),
    ],
    ids=str,
)
def test_good_layers_pass(trips: Dataset, layer: Layer) -> None:
    layer.check(trips)


BAD: list[tuple[dict[str, Any], type[BigvizError], str]] = [
    ({"glyph": "bars"}, BadInput, "glyph"),
    ({"root": "half"}, BadInput, "root"),
    ({"xaxis": "cubic"}, BadInput, "xaxis"),
    ({"yaxis": "cubic"}, BadInput, "yaxis"),
    ({"xaxis": "mercator"}, BadInput, "xaxis"),
    ({"x": "xx"}, NotFound, "x"),
    ({"y": "nested"}, Unplottable, "y"),
    ({"x": "when", "xaxis": "log"}, BadInput, "xaxis"),
    ({"y": "kind", "yaxis": "log"}, BadInput, "yaxis"),
    ({"agg": "sum(kind)"}, BadInput, "agg"),
    ({"agg": "sum(when)"}, BadInput, "agg"),
    ({"agg": "min(kind)"}, BadInput, "agg"),
    ({"agg": "by(x)"}, BadInput, "agg"),
    ({"agg": "mean(far)"}, NotFound, "agg"),
    ({"agg": "median(x)"}, BadInput, "agg"),
    ({"glyph": "line", "agg": "count"}, BadInput, "agg"),
    ({"glyph": "line", "agg": "mean(x)"}, BadInput, "agg"),
]


@pytest.mark.parametrize(("change", "error", "field"), BAD, ids=lambda value: str(value))
def test_bad_layers_name_the_field(
    trips: Dataset, change: dict[str, Any], error: type[BigvizError], field: str
) -> None:
    with pytest.raises(error) as caught:
        Layer(**{"glyph": "points", "x": "x", "y": "y", **change}).check(trips)
    assert caught.value.field == field and type(caught.value) is error


def test_the_key_tells_layers_apart() -> None:
    base = Layer("points", "x", "y")
    assert base.key() == Layer("points", "x", "y", "count").key()
    assert Layer("points", "x", "y", "mean( fare )").key() == Layer("points", "x", "y", mean("fare")).key()
    others = [Layer("points", "y", "x"), Layer("points", "x", "y", "any"), Layer("points", "x", "y", root="full")]
    assert len({base.key(), *(other.key() for other in others)}) == 4
