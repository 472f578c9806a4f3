"""The roots of rows that keep coming are those of one survey of all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bigviz as bv
from bigviz.aggregate.axis import Axis
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.workers import Crew
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.survey import survey
from bigviz.tiles.segments.stream_index import StreamIndex

from ...growing import Growing

FLOATS = st.sampled_from([0.0, -0.0, 1.5, -2.25, 1e-300, 1e300, 5e307, float("nan"), float("inf"), 3.7, 1e9, -9999.0])
INTEGERS = st.sampled_from([0, 1, -1, 7, 2**53 + 1, -(2**53) - 1, 2**62, -(2**63), 2**63 - 1, -9999, 1000]) | st.none()
KINDS = {
    "float": (pa.float64(), FLOATS | st.none()),
    "integer": (pa.int64(), INTEGERS),
    "unsigned": (pa.uint64(), st.sampled_from([0, 1, 2**63, 2**64 - 1, 1 << 40]) | st.none()),
    "small": (pa.int8(), st.integers(-128, 127)),
    "date": (pa.date32(), st.integers(-10_000, 30_000)),
    "single": (pa.float32(), st.floats(width=32)),
}


def checked(tables: list[pa.Table], xaxis: str = "linear", merges: bool = False) -> Any:
    """Grow through all tables, and compare each version's survey."""
    growing = Growing(tables[0])
    for root in ("default", "full"):
        index = StreamIndex(OrderSpec("x", "y", xaxis, "linear", root))
        growing = Growing(tables[0])
        for number, table in enumerate([None, *tables[1:]]):
            if table is not None:
                growing.append(table)
            found = index.version(growing.version(), Crew(1))
            fresh = bv.open(growing.table)
            axes = Axis(fresh.column("x"), space(xaxis, "x")), Axis(fresh.column("y"), space("linear", "y"))
            assert found is not None and found.survey == survey(*axes, root == "default", Crew(1))
            while merges and number % 2 and index.merge_once(Crew(1)):
                pass
    return found


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_awkward_values_in_any_batches(kind: str, data: Any) -> None:
    type_, values = KINDS[kind]
    sizes = data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=6))
    tables = []
    for size in sizes:
        column = data.draw(st.lists(values, min_size=size, max_size=size))
        tables.append(pa.table({"x": pa.array(column, type_), "y": pa.array(np.arange(size) * 0.1)}))
    checked(tables, merges=True)


@pytest.mark.parametrize("seed", range(6))
def test_far_rows_come_and_become_too_many_or_too_few(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tables = []
    for _ in range(8):
        size = int(rng.integers(1, 6000))
        x = rng.normal(size=size) * 10.0 ** rng.integers(-3, 4)
        far = rng.random(size) < rng.choice([0, 0.0005, 0.002, 0.5])
        x[far] = rng.choice([1e12, -1e15, 1e30], int(far.sum()))
        y = rng.integers(0, 1000, size)
        y[rng.random(size) < rng.choice([0, 0.0004])] = rng.choice([-(2**62), 2**61])
        tables.append(pa.table({"x": x, "y": y}))
    checked(tables)


def test_logarithms_have_their_own_numbers() -> None:
    rng = np.random.default_rng(0)
    tables = [pa.table({"x": 10 ** rng.normal(size=300) - 0.5, "y": rng.normal(size=300)}) for _ in range(4)]
    checked(tables, "log")


def test_a_version_that_was_given_up_leaves_nothing_behind() -> None:
    rng = np.random.default_rng(7)
    growing = Growing(pa.table({"x": rng.normal(size=3_000), "y": rng.normal(size=3_000)}))
    index = StreamIndex(OrderSpec("x", "y"))
    index.version(growing.version(), Crew(1))
    growing.append(pa.table({"x": [1e9, 2.0], "y": [0.0, 1e9]})).roll(10)
    dataset = growing.version()
    for looks in range(1, 6):
        with pytest.raises(Cancelled):
            index.version(dataset, Crew(1, cancel=Soon(looks)))
    made, other = index.version(dataset, Crew(1)), StreamIndex(OrderSpec("x", "y"))
    growing.roll(10)
    expected = other.version(Growing(growing.table).version(), Crew(1))
    assert made is not None and expected is not None and made.survey == expected.survey


class Soon(Cancel):
    """A flag that is up after so many looks."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def check(self) -> None:
        self.looks -= 1
        if self.looks <= 0:
            raise Cancelled()
