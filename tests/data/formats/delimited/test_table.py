"""CSV as it is found: every shape means what it says here, and what DuckDB reads where its answer loses nothing."""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from bigviz.common.errors import Unreadable
from bigviz.data.formats.delimited import tokenizer
from bigviz.data.open import open as open_table

from .shapes import REFUSED, SHAPES, Row, shape


def plain(value: Any) -> Any:
    """A value as it compares: stamps without their unit, NaN as None (a missing number)."""
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime()
    return None if isinstance(value, float) and math.isnan(value) else value


def rows_in(table: pa.Table) -> list[Row]:
    return [tuple(plain(value) for value in row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A buffer has room for many lines of the most bytes, so that is as little as will do, here and for DuckDB."""
    monkeypatch.setattr(tokenizer, "_LONG_LINE", 1 << 24)
    path = tmp_path / "t.csv"
    made = shape(name)
    path.write_bytes(made.data)
    dataset = open_table(path)
    assert tuple(dataset.schema.names) == made.names
    assert dataset.num_rows == len(made.rows)
    assert rows_in(dataset.arrow(made.names)) == list(made.rows)
    assert len(dataset.assumed) == 1
    if made.duckdb:
        most = max(1 << 16, len(made.data))
        sizes = f"max_line_size={most}, buffer_size={4 * most}"
        read = duckdb.connect().sql(f"SELECT * FROM read_csv(?, {sizes})", params=[str(path)])
        assert rows_in(read.to_arrow_table()) == list(made.rows)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_where_and_why(tmp_path: Path, name: str) -> None:
    data, words = REFUSED[name]
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(Unreadable, match=words) as caught:
        open_table(path)
    assert str(path) in caught.value.message


def test_the_order_of_rows_is_the_files(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n,pad\n" + "".join(f"{row},{'abcdefghij' * 8}\n" for row in range(800_000)))  # several blocks
    values = open_table(path).column("n").values
    assert np.array_equal(values, np.arange(800_000))


LETTERS = ["a", "1", ",", ";", "\t", "|", '"', "\n", "\r\n", "é", " ", "#", "'", "-", ".", "漢", '""', "\\", "%", "$"]


@pytest.mark.parametrize("seed", range(30))
def test_what_pythons_csv_writes_is_read_as_it_was(tmp_path: Path, seed: int) -> None:
    """Words of letters that mean something to a reader of CSV, under every separator, line end and way to quote."""
    chance = random.Random(seed)
    columns = chance.randint(2, 5)

    def word(most: int) -> str:
        return f"w{''.join(chance.choice(LETTERS) for _ in range(chance.randint(0, most)))}z"

    made: list[Callable[[], Any]] = [
        lambda: chance.randint(-99, 99),
        lambda: chance.randint(-99, 99) + 0.5,
        lambda: chance.choice(["left", "right"]),
        lambda: word(8),
    ]
    kinds = [chance.choice(made) for _ in range(columns)]
    rows = [tuple(kind() for kind in kinds) for _ in range(chance.randint(1, 30))]
    names = [f"{number}{word(2)}" for number in range(columns)]
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
        quoting = chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
        end = chance.choice(["\n", "\r\n"])
        writer = csv.writer(file, delimiter=chance.choice(",;\t|"), lineterminator=end, quoting=quoting)
        writer.writerow(names)
        writer.writerows(rows)
    dataset = open_table(tmp_path / "t.csv", header=True)
    assert dataset.schema.names == names
    assert rows_in(dataset.arrow(names)) == rows
