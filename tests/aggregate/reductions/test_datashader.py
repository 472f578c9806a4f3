"""datashader's reduction objects in place of bigviz's."""

from __future__ import annotations

import datashader as ds
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from datashader.reductions import SpecialColumn

import bigviz as bv
from bigviz.aggregate.reductions.datashader import reduction_of
from bigviz.common.errors import BadInput

from ...unoptimised import unoptimised

OFFERED = [
    ds.count(), ds.count("v"), ds.any(), ds.any("v"), ds.sum("v"), ds.mean("v"), ds.min("v"), ds.max("v"),
    ds.first("v"), ds.last("v"), ds.by("c"), ds.by("c", ds.count()), ds.by("c", ds.mean("v")), ds.by("c", ds.any()),
    ds.count_cat("c"),
]  # fmt: skip


@pytest.mark.parametrize("agg", OFFERED, ids=repr)
def test_the_same_image_as_datashaders(agg: ds.reductions.Reduction):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.random(500), "y": rng.random(500), "v": rng.normal(size=500)})
    frame["c"] = pd.Categorical(np.array(["a", "b"])[rng.integers(0, 2, 500)])
    window = {"plot_width": 7, "plot_height": 5, "x_range": (0, 1), "y_range": (0, 1)}
    ours = bv.Canvas(**window).points(frame, "x", "y", agg)
    with unoptimised():
        theirs = ds.Canvas(**window).points(frame, "x", "y", agg)
    if "sum" in repr(agg) or "mean" in repr(agg):  # floats are added in another order
        xr.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
        assert ours.dtype == theirs.dtype
    else:
        xr.testing.assert_equal(ours, theirs)


@pytest.mark.parametrize(
    "agg",
    [
        ds.var("v"), ds.std("v"), ds.mode("v"), ds.where(ds.max("v"), "x"), ds.summary(a=ds.count()), ds.max_n("v", 3),
        ds.by("c", ds.var("v")), ds.by(ds.category_modulo("c", 3)), ds.by(ds.category_binning("v", 0, 1, 4)),
        ds.count(SpecialColumn.RowIndex), ds.count(self_intersect=False),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_not_offered_is_refused_by_name(agg: object):
    with pytest.raises(BadInput, match="bigviz offers datashader's count, any, sum,") as error:
        reduction_of(agg)
    assert error.value.field == "agg" and type(agg).__name__ in error.value.message


@pytest.mark.parametrize("agg", [3, None, ["count"], bv.count])
def test_what_is_no_reduction(agg: object):
    with pytest.raises(BadInput, match='agg is a reduction, such as "count"'):
        reduction_of(agg)


def test_in_figures():
    plot = bv.figure().points({"x": [1.0], "y": [2.0], "v": [3.0]}, "x", "y", agg=ds.mean("v"), cmap="Viridis")
    (layer,) = plot.layers
    assert layer.agg == "mean(v)" and layer.style["cmap"] == "viridis"
