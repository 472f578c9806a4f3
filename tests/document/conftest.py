"""A small table with a column of every kind that matters to a figure."""

from __future__ import annotations

import pyarrow as pa
import pytest

import bigviz as bv


def made(name: str) -> bv.Dataset:
    table = pa.table(
        {
            "a": [1.0, 2.0, 3.0],
            "b": [4, 5, 6],
            "when": pa.array([0, 1, 2], pa.timestamp("s", "Europe/Paris")),
            "word": ["u", "v", "u"],
            "list": [[1], [2], [3]],
        }
    )
    return bv.open(table, name=name)


@pytest.fixture
def rows() -> bv.Dataset:
    return made("rows")


@pytest.fixture
def other() -> bv.Dataset:
    return made("rows")
