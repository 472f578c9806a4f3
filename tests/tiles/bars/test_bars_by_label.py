"""Bars by label are what pandas makes of the column, in either order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.common.errors import TooLarge
from bigviz.tiles.engine import Engine

ROWS = 5_000


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    return pd.DataFrame(
        {
            "kind": pd.Series(rng.choice(["b", "a", "é", "B"], ROWS, p=[0.5, 0.3, 0.15, 0.05])).mask(
                rng.random(ROWS) < 0.1
            ),
            "whole": rng.integers(-3, 4, ROWS),
            "flag": rng.random(ROWS) < 0.3,
            "fare": np.where(rng.random(ROWS) < 0.2, np.nan, rng.gamma(2, 10, ROWS)),
            "side": rng.choice(["x", "y"], ROWS),
        }
    )


@pytest.mark.parametrize("x", ["kind", "whole", "flag"])
@pytest.mark.parametrize("agg", ["count", "mean(fare)", "sum(fare)", "max(fare)", "last(fare)"])
@pytest.mark.parametrize("sort", ["label", "value"])
def test_each_label_has_its_bar(frame: pd.DataFrame, x: str, agg: str, sort: str) -> None:
    dataset = bv.open(pa.Table.from_pandas(frame))
    layer = Layer("bar", x, "", agg, sort=sort)
    layer.check(dataset)
    bars = Engine(threads=2).bars(dataset, layer, 0, 1)
    groups = frame.groupby(x)
    want = groups.size() if agg == "count" else getattr(groups["fare"], agg.split("(")[0])()
    labels = [str(label) for label in sorted(want.index)]
    assert bars.names is not None and sorted(bars.names) == sorted(labels)
    found = dict(zip(bars.names, bars.values[0].tolist(), strict=True))
    assert found == pytest.approx({str(label): value for label, value in want.items()})
    if sort == "value":
        assert bars.values[0].tolist() == sorted(bars.values[0].tolist(), reverse=True)
    else:
        assert list(bars.names) == labels
    table = bars.table()
    assert table.column_names == ["label", "value"] and table.column("label").to_pylist() == list(bars.names)


def test_categories_are_stacked_and_facts_tell_labels_in_order(frame: pd.DataFrame) -> None:
    dataset, engine = bv.open(pa.Table.from_pandas(frame)), Engine(threads=1)
    layer = Layer("bar", "kind", "", "by(side)", sort="value")
    info, bars = engine.info(dataset, layer), engine.bars(dataset, layer, 0, 1)
    want = frame.groupby(["side", "kind"]).size()
    assert info.planes == ("x", "y") and info.x_categories == bars.names == ("b", "a", "é", "B")
    for at, side in enumerate("xy"):
        assert bars.values[at].tolist() == [want[side, label] for label in bars.names]
    assert info.rows_outside == frame["kind"].isna().sum()
    assert info.range == (0, 0, 3, bars.values.sum(axis=0).max())
    rows = engine.rows(dataset, layer, 1, 2, 0, 1, 4)
    assert rows.column("kind").to_pylist() == ["a"] * 4
    assert int(rows.schema.metadata[b"matched"]) == (frame["kind"] == "a").sum()


def test_too_many_labels_are_refused() -> None:
    dataset = bv.open(pa.table({"x": [str(k) for k in range(5_000)]}))
    with pytest.raises(TooLarge, match="at most 4,096 labels"):
        Engine(threads=1).bars(dataset, Layer("bar", "x", ""), 0, 1)
