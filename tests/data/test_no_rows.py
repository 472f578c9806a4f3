"""Tables without rows, and without batches: every type of column has no values, and none raises."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc
import pytest

from bigviz.commands.info import summary
from bigviz.common.errors import Unplottable
from bigviz.data.dataset import Dataset
from bigviz.data.default_columns import choose
from bigviz.data.open import open as open_table

VALUES = [pa.float64(), pa.string(), pa.int8(), pa.timestamp("s"), pa.bool_(), pa.decimal128(5, 2), pa.binary(2)]
VALUES += [pa.null(), pa.float16(), pa.time32("s"), pa.date64(), pa.decimal32(3, 1), pa.string_view(), pa.binary_view()]
VALUES += [pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int8(), pa.float64())]
TYPES = [*VALUES, *(pa.run_end_encoded(pa.int32(), type_) for type_ in VALUES)]
TYPES += [pa.dictionary(pa.uint64(), pa.string()), pa.uuid(), pa.bool8(), pa.json_(), pa.month_day_nano_interval()]
TYPES += [pa.list_(pa.int8()), pa.list_view(pa.int8()), pa.fixed_shape_tensor(pa.int8(), [2]), pa.struct([])]


@pytest.mark.parametrize("how", ["memory", "file", "stream"])
@pytest.mark.parametrize("type_", TYPES, ids=str)
def test_a_column_of_no_rows(type_: pa.DataType, how: str, tmp_path: Path) -> None:
    schema = pa.schema([("r", type_), ("x", pa.float64())])
    path = str(tmp_path / "t.arrow")
    if how != "memory":
        with (ipc.new_file if how == "file" else ipc.new_stream)(path, schema):
            pass
    table = pa.table([pa.chunked_array([], each.type) for each in schema], schema=schema)

    def fresh() -> Dataset:
        return open_table(table if how == "memory" else path)

    dataset = fresh()
    if dataset.columns()[0].plottable:
        assert len(dataset.column("r")) == len(fresh().head("r")) == len(dataset.head("r")) == 0
        assert all(
            len(column) == 0 for number in range(len(dataset.chunks())) for _, (column,) in dataset.read(number, ["r"])
        )
        if dataset.info("r").kind == "category":
            assert fresh().labels("r") == ()
    for each in (dataset, fresh()):
        taken = each.take(np.zeros(0, np.int64), ["r", "x"])
        assert taken.num_rows == each.arrow(["r"]).num_rows == 0 and taken.schema == schema
    with suppress(Unplottable):  # of types that cannot be plotted
        assert {choose(dataset).x, choose(dataset).y} == {"r", "x"}
    if how != "memory":
        assert "0 rows, 2 columns" in summary(path, tmp_path)


@pytest.mark.parametrize("loaded", [False, True])
def test_runs_and_dictionaries_that_pyarrow_cannot_make(tmp_path: Path, loaded: bool) -> None:
    """There is no run-end encoding of dictionaries, and no cast from numbers to a dictionary of them."""
    labels = pa.array(["a", "b", None]).dictionary_encode()
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3, 7], pa.int16()), labels)
    numbers = pa.array([0.5, 2.5, None, 0.5, 2.5, 2.5, 0.5]).dictionary_encode()
    decimals = pc.run_end_encode(pa.array([1, 1, 2, None, None, 3, 3]).cast(pa.decimal128(25, 2)))
    table = pa.table({"runs": runs, "numbers": numbers, "decimals": decimals})
    path = tmp_path / "t.arrow"
    with ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
    dataset = open_table(path)
    if loaded:
        for name in table.column_names:
            dataset.column(name)
    rows = np.array([6, 1, 2, 2])
    taken = dataset.take(rows, table.column_names)
    assert taken.schema == table.schema
    assert taken.to_pylist() == [table.to_pylist()[row] for row in rows]
    assert dataset.column("runs").categories == ("a", "b")
    assert dataset.column("decimals").values[:3].tolist() == [1, 1, 2]
