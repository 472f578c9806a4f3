"""Tables and documents that the server's tests share, and one server for those that change nothing on it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.document.layout import column
from bigviz.document.spec import Document

from .certificates import Certificates
from .running import Running, running

ROWS = 100_000


@pytest.fixture(scope="session")
def table() -> pa.Table:
    """Points with numbers of several kinds; `t` ascends a millisecond a row, `gap` has nulls."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=ROWS).astype(np.float32)
    label = np.array(["a", "b", "<b>c</b>"])[rng.integers(0, 3, ROWS)]
    t = 1_700_000_000_000_000_000 + np.arange(ROWS) * 1_000_000
    return pa.table(
        {
            "x": x,
            "y": (x + rng.normal(size=ROWS)).astype(np.float64),
            "n": rng.integers(-50, 50, ROWS),
            "value": rng.random(ROWS).astype(np.float32) + 1,
            "label": pa.array(label).dictionary_encode(),
            "t": pa.array(t, pa.timestamp("ns", "Europe/Paris")),
            "gap": pa.array(np.cumsum(rng.normal(size=ROWS)), mask=rng.random(ROWS) < 0.01),
            "pair": pa.array([[1, 2]] * ROWS),
        }
    )


@pytest.fixture(scope="session")
def dataset(table: pa.Table) -> bv.Dataset:
    return bv.open(table, name="rows")


@pytest.fixture(scope="session")
def documents(dataset: bv.Dataset) -> list[Document]:
    points = figure(title="Points").points(dataset, "x", "y")
    line = figure(title="Line").line(dataset, "t", "gap")
    other = figure(title="Mean", x_range=points.x_range).points(dataset, "x", "n", agg="mean(value)", cmap="bgy")
    return [
        document(points, id="points"),
        document(column(points, line, other), title="All of them", id="all of them & <more>"),
        document(line, id="line"),
        document(figure(title="By").points(dataset, "x", "y", agg="by(label)"), id="by"),
    ]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.at(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def served(documents: list[Document]) -> Iterator[Running]:
    with running(documents) as found:
        yield found
