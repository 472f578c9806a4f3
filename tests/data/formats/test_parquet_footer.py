"""Footers that pyarrow refuses for one column are taken without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.common.errors import Unplottable, Unreadable
from bigviz.data.formats import parquet_footer as pf
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.open import open as open_table

from .damage import outcomes

PRECISION = 8  # the number of that field in an element of the schema


def footer_of(path: Path) -> bytes:
    return pf.read_footer(StableFile.at(str(path)))


def set_precision(path: Path, name: str, precision: int) -> None:
    """Declare another number of digits for a decimal; its column can then not be read by anybody."""
    footer = footer_of(path)
    head, elements, rest = pf._split(footer)
    changed = [
        [
            field._replace(body=pf._encode_varint(pf._zigzag(precision))) if field.number == PRECISION else field
            for field in element
            if not (of_name(element) == name and field.number == 10)  # the logical type says it again
        ]
        if of_name(element) == name
        else element
        for element in elements
    ]
    new = head + pf._encode_schema(changed[0], pf._columns(changed)) + rest
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 8 - len(footer)] + new + len(new).to_bytes(4, "little") + b"PAR1")


def of_name(element: Any) -> str:
    return next(field.body[1:].decode() for field in element if field.number == 4)


@pytest.fixture(params=[True, False], ids=["arrow schema", "no arrow schema"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "t.parquet"
    nested = pa.array([{"d": 1, "e": [2]}] * 3, pa.struct([("d", pa.decimal128(7, 2)), ("e", pa.list_(pa.int8()))]))
    table = pa.table(
        {
            "first": nested,
            "price": pa.array([1, 2, 3]).cast(pa.decimal128(30, 2)),
            "x": [1.5, 2.5, 3.5],
            "t": pa.array([1, 2, 3], pa.duration("s")),
            "s": ["a", "b", None],
            "tail": nested,
        }
    )
    pq.write_table(table, path, store_schema=request.param)
    return path


@pytest.mark.parametrize("fields", [1, 14, 15, 16, 300])
def test_a_footer_is_put_together_as_it_was(tmp_path: Path, fields: int) -> None:
    path = tmp_path / "t.parquet"
    types = [pa.int8(), pa.string(), pa.list_(pa.struct([("a", pa.map_(pa.string(), pa.int8()))])), pa.decimal128(9, 1)]
    types += [pa.timestamp("us", "UTC"), pa.time32("ms"), pa.float16(), pa.uuid()]
    schema = pa.schema([(f"c{at}", types[at % len(types)]) for at in range(fields)])
    pq.write_table(schema.empty_table(), path)
    footer = footer_of(path)
    head, elements, rest = pf._split(footer)
    columns = pf._columns(elements)
    assert len(columns) == fields
    assert head + pf._encode_schema(elements[0], columns) + rest == footer


def test_a_decimal_that_no_reader_knows(path: Path) -> None:
    set_precision(path, "price", 99)
    with pytest.raises((ValueError, OSError, NotImplementedError)):
        pq.ParquetFile(path)
    dataset = open_table(path)
    assert dataset.schema.names == ["first", "price", "x", "t", "s", "tail"]
    assert dataset.column("x").values.tolist() == [1.5, 2.5, 3.5]
    assert dataset.column("s").categories == ("a", "b")
    assert dataset.take(np.array([2]), ["first", "x", "tail"]).num_rows == 1
    words = r"'price' of 't' cannot be read by pyarrow .*(99|DECIMAL|[Dd]ecimal|precision).*can be plotted: 'x'"
    for use in (dataset.column, dataset.info, lambda name: dataset.arrow([name])):
        with pytest.raises(Unplottable, match=words) as caught:
            use("price")
        assert "damaged" not in caught.value.message
    assert len(dataset.notes) == 1 and dataset.notes[0].startswith("Column 'price' cannot be read by pyarrow")


def test_a_part_of_a_struct_that_no_reader_knows(path: Path) -> None:
    set_precision(path, "d", 99)
    dataset = open_table(path)
    assert dataset.column("x").values.tolist() == [1.5, 2.5, 3.5]
    assert [info.name for info in dataset.columns() if not info.readable] == ["first", "tail"]
    assert dataset.take(np.array([0]), ["price"])["price"].to_pylist()[0] == 1


def test_few_odd_columns_among_many(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    array = pa.array([1, 2]).cast(pa.decimal128(20, 0))
    pq.write_table(pa.table({f"c{at}": array for at in range(300)}), path)
    for name in ("c0", "c150", "c299"):
        set_precision(path, name, 0)
    dataset = open_table(path)
    assert [info.name for info in dataset.columns() if not info.readable] == ["c0", "c150", "c299"]
    assert dataset.column("c151").values.tolist() == [1, 2]
    for at in range(300):
        set_precision(path, f"c{at}", 0)
    with pytest.raises(Unreadable, match="cannot be read as Parquet"):
        open_table(path)


def test_damage_to_a_footer_that_is_mended(path: Path) -> None:
    """No error but bigviz's own, and never the end of the process."""
    set_precision(path, "price", 99)
    size = len(footer_of(path))
    found = outcomes(path, 11, 150, [1, 1, 3], lambda source: -8 - 1 - source.randrange(size))
    assert found["read"] > 5 and found["Unreadable"] > 20
