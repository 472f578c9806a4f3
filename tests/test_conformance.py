"""The published rules, checked from outside: a real `bigviz serve`, its routes and its socket, against oracles of
`fractions` and plain Python that share no code with the package. One process, workers that it starts, and those of a
Dask cluster have to pass the same tests; `make test-cluster` runs all of them on all three."""

from __future__ import annotations

import io
import json
import math
import re
import struct
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import datashader
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from websockets.sync.client import ClientConnection, connect

from .dask_cluster import dask_cluster
from .oracles import codes, decoded, drawn, expected, extent_of, frame, numbers, pixel_column, root
from .patience import PATIENCE
from .tables import FAR, LAT, ROWS, TABLES, kinds
from .unoptimised import unoptimised


class Served:
    """What a client sees of the server: routes and a socket."""

    def __init__(self, port: int, tables: dict[str, pa.Table]) -> None:
        self.origin, self.tables = f"http://127.0.0.1:{port}", tables

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> tuple[int, Any, bytes]:
        text = urllib.parse.urlencode({key: value for key, value in query.items() if value is not None})
        request = urllib.request.Request(f"{self.origin}/{path}{'?' if text else ''}{text}", headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def body(self, path: str, **query: Any) -> bytes:
        status, _, body = self.get(path, **query)
        assert status == 200, (path, query, body)
        return body

    def json(self, path: str, **query: Any) -> Any:
        return json.loads(self.body(path, **query))

    def npy(self, path: str, **query: Any) -> np.ndarray:
        return np.load(io.BytesIO(self.body(path, **query)), allow_pickle=False)

    def arrow(self, path: str, **query: Any) -> pa.Table:
        return pa.ipc.open_file(self.body(path, **query)).read_all()


SERVERS = ("one process", "workers", "a scheduler")
ON_SCHEDULER = {  # of the tests of a cluster, those that `make test` runs
    "test_far_rows", "test_a_table_without_rows", "test_categories_are_planes_sorted_by_label",
    "test_rows_of_a_half_open_window", "test_the_socket_says_what_the_routes_say",
}  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "served" not in metafunc.fixturenames:
        return
    here = {SERVERS[0], SERVERS[2]} if metafunc.function.__name__ in ON_SCHEDULER else {SERVERS[0]}
    kinds = [pytest.param(kind, marks=[] if kind in here else pytest.mark.big) for kind in SERVERS]
    metafunc.parametrize("served", kinds, indirect=True, scope="module")


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, names = tmp_path_factory.mktemp("conformance"), []
    for name, make in TABLES.items():
        pq.write_table(make(), folder / f"{name}.parquet", row_group_size=700)
        names.append(str(folder / f"{name}.parquet"))
    with ExitStack() as stack:
        command = [sys.executable, "-m", "bigviz", "serve", *names, "--port", "0", "--no-browser"]
        command += cluster_words(request.param, tmp_path_factory.mktemp("cluster"), stack)
        process = stack.enter_context(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        )
        stack.callback(process.kill)
        assert process.stdout is not None
        port = next(int(found[1]) for line in process.stdout if (found := re.search(r"http://127.0.0.1:(\d+)", line)))
        reader = threading.Thread(target=process.stdout.read, daemon=True)
        reader.start()
        tables = {name: pq.read_table(folder / f"{name}.parquet") for name in TABLES}
        yield Served(port, tables)
        process.terminate()
        reader.join()


def cluster_words(kind: str, folder: Path, stack: ExitStack) -> list[str]:
    """What `bigviz serve` is told of the workers of a kind of server, which live as long as `stack`."""
    if kind == SERVERS[0]:
        return []
    if kind == SERVERS[1]:
        return ["--workers", "2"]
    return ["--scheduler", stack.enter_context(dask_cluster(folder)).address]


NAMES = kinds().column_names
PAIRS = [(name, "plain", "linear") for name in NAMES] + [("plain", name, "linear") for name in NAMES[::6]]
PAIRS += [("positive", "i8", "log"), ("odd", "positive", "log")]


@pytest.mark.parametrize(("x", "y", "space"), PAIRS)
def test_roots_and_tiles(served: Served, x: str, y: str, space: str) -> None:
    table, rng = served.tables["kinds"], np.random.default_rng(1)
    asked = {"x": x, "y": y, "agg": "count", "glyph": "points", "xaxis": space, "yaxis": space}
    if space == "linear":
        del asked["xaxis"], asked["yaxis"]
    answer = served.json("kinds/layers/0/tilejson.json", **asked)
    both = [numbers(table[name], space) for name in (x, y)]
    rows = [(u, v) for u, v in zip(*both, strict=True) if u is not None and v is not None]
    assert (answer["rows"], answer["rows_outside"], answer["rows_far"]) == (ROWS, ROWS - len(rows), 0)
    roots = [root([row[axis] for row in rows]) for axis in (0, 1)]
    assert extent_of(answer) == roots
    kind = str if pa.types.is_temporal(table[x].type) else (int, float)
    assert isinstance(answer["extent"][0], kind)
    if not rows:
        assert answer["range"] is None
    else:
        ends = [pick(row[axis] for row in rows) for pick in (min, max) for axis in (0, 1)]
        assert [Fraction(end) for end in answer["range"]] == ends
    cx, cy = (codes(values, *found) for values, found in zip(both, roots, strict=True))
    places = [(0, 0, 0, 0), (1, 1, 1, 1)]
    for zx, zy in ((24, 24), (24, 0), (int(rng.integers(25)), int(rng.integers(25)))):
        inside = np.flatnonzero((cx >= 0) & (cy >= 0))
        row = int(rng.choice(inside)) if len(inside) else 0
        places.append((zx, zy, int(cx[row] >> (32 - zx)) % 2**zx, (1 << zy) - 1 - int(cy[row] >> (32 - zy)) % 2**zy))
    for zx, zy, i, j in places:
        plane = served.npy(f"kinds/layers/0/tiles/{zx},{zy}/{i}/{j}.npy", **asked)
        assert plane.dtype == np.uint32
        np.testing.assert_array_equal(plane, expected(cx, cy, (zx, zy, i, j)))


def test_tiles_sum_to_the_rows_and_parents_to_their_children(served: Served) -> None:
    asked = {"x": "at_1_2", "y": "plain", "agg": "count", "glyph": "points"}

    def tile(z: int, i: int, j: int) -> np.ndarray:
        return served.npy(f"far/layers/0/tiles/{z}/{i}/{j}.npy", **asked)

    answer = served.json("far/layers/0/tilejson.json", **asked)
    for z in range(3):
        tiles = {(i, j): tile(z, i, j) for i in range(1 << z) for j in range(1 << z)}
        assert sum(plane.sum() for plane in tiles.values()) == FAR - answer["rows_outside"] - answer["rows_far"]
        parents = {place: tile(z - 1, *place) for place in {(i // 2, j // 2) for i, j in tiles}} if z else {}
        for (i, j), parent in parents.items():
            children = [[tiles[2 * i + a, 2 * j + b] for a in (0, 1)] for b in (0, 1)]
            np.testing.assert_array_equal(parent, np.block(children).reshape(256, 2, 256, 2).sum(axis=(1, 3)))


@pytest.mark.parametrize(
    ("x", "count"),
    [("at_0_3", 3), ("at_3_0", 3), ("at_1_2", 3), ("at_0_4", 0), ("at_2_2", 0), ("near", 0), ("beyond", 3)],
)
def test_far_rows(served: Served, x: str, count: int) -> None:
    asked = {"x": x, "y": "plain", "agg": "count", "glyph": "points"}
    answer = served.json("far/layers/0/tilejson.json", **asked)
    whole = served.json("far/layers/0/tilejson.json", **asked, root="full")
    every = sorted(v for v in numbers(served.tables["far"][x]) if v is not None)
    inner = [v for v in every if abs(v) <= 1] if count else every
    assert extent_of(answer)[0] == root(inner) and extent_of(whole)[0] == root(every)
    assert (answer["rows_far"], whole["rows_far"]) == (count, 0)
    for extra, left in (({}, count), ({"root": "full"}, 0)):
        assert served.npy("far/layers/0/tiles/0/0/0.npy", **asked, **extra).sum() == FAR - left


@pytest.mark.parametrize("agg", ["count", "mean(x)", "max(y)", "by(word)"])
def test_a_table_without_rows(served: Served, agg: str) -> None:
    answer = served.json("blank/layers/0/tilejson.json", agg=agg)
    assert (answer["extent"], answer["range"], answer["rows"]) == ([0, 0, 1, 1], None, 0)
    window = {"x0": 0, "x1": 1, "y0": 0, "y1": 1, "width": 3, "height": 2}
    more = (0,) if agg.startswith("by") else ()
    assert served.npy("blank/layers/0/tiles/3/1/1.npy", agg=agg).shape == (256, 256, *more)
    assert served.npy("blank/layers/0/image.npy", agg=agg, **window).shape == (2, 3, *more)
    assert served.arrow("blank/layers/0/tiles/0/0/0.arrow", agg=agg).num_columns == 1 - len(more)
    for picture in ("tiles/0/0/0.png", "image.png"):
        assert served.body(f"blank/layers/0/{picture}", agg=agg, **window)[:4] == b"\x89PNG"
    assert served.arrow("blank/layers/0/rows.arrow", agg=agg, x0=0, x1=1, y0=0, y1=1).num_rows == 0


def test_mercator(served: Served) -> None:
    """Borders belong to the north, 180 is -180, and what mercator does not know is outside."""
    asked = {"x": "lon", "y": "lat", "xaxis": "mercator", "yaxis": "mercator", "agg": "count", "glyph": "points"}
    answer = served.json("globe/layers/0/tilejson.json", **asked)
    assert answer["extent"] == [0, 0, 1, 1] and answer["rows_outside"] == 4
    assert answer["bounds"] == pytest.approx([-180, -LAT, 180, LAT], abs=1e-9)
    tiles = {(i, j): served.npy(f"globe/layers/0/tiles/1/{i}/{j}.npy", **asked) for i in (0, 1) for j in (0, 1)}
    found = {(i, j, int(r), int(c), int(t[r, c])) for (i, j), t in tiles.items() for r, c in np.argwhere(t)}
    assert found == {(0, 0, 255, 0, 2), (1, 0, 255, 0, 1), (1, 0, 0, 128, 1), (0, 1, 255, 128, 1), (1, 1, 255, 255, 1)}


VALUES = ["odd", "f32", "f16", "i8", "i64", "u64", "flag", "date", "ms", "ns", "span", "time"]


@pytest.mark.parametrize("name", VALUES)
def test_reductions(served: Served, name: str) -> None:
    """min and max keep the column's type, sums of small integers are int64, empty cells are 0, NaN or null."""
    column = served.tables["kinds"][name]
    rows = [numbers(served.tables["kinds"][axis]) for axis in ("edges", "plain")]
    cx, cy = (codes(values, *root([v for v in values if v is not None])) >> 28 for values in rows)
    asked = {"x": "edges", "y": "plain", "glyph": "points"}
    groups: dict[int, list[Any]] = {}
    temporal = pa.types.is_temporal(column.type)
    stored = column.cast(pa.int32()) if temporal and column.type.bit_width == 32 else column
    for gx, gy, value in zip(cx, cy, (stored.cast(pa.int64()) if temporal else column).to_pylist(), strict=True):
        if value is not None and value == value:
            groups.setdefault(int((15 - gy) * 16 + gx), []).append(value)
    # Tiles of level 0 have 256 cells a side; 16 by 16 of them are one group.
    for reduction in ("min", "max") if temporal else ("min", "max", "sum", "mean"):
        table = served.arrow("kinds/layers/0/tiles/0/0/0.arrow", **asked, agg=f"{reduction}({name})")
        assert {k: table.schema.metadata[k] for k in (b"z", b"i", b"j")} == {b"z": b"0", b"i": b"0", b"j": b"0"}
        cells, kind = table.column(0), table.schema.field(0).type
        assert len(cells) == 65_536
        plane = served.npy("kinds/layers/0/tiles/0/0/0.npy", **asked, agg=f"{reduction}({name})")
        if reduction in ("min", "max"):
            assert kind == column.type
            raw = cells.cast(pa.int32()) if temporal and kind.bit_width == 32 else cells
            grid = np.array((raw.cast(pa.int64()) if temporal else raw).to_pylist(), object).reshape(16, 16, 16, 16)
            pick = min if reduction == "min" else max
            for group, members in groups.items():
                block = grid[group // 16, :, group % 16, :].ravel()
                assert pick(v for v in block if v is not None and v == v) == pick(members)
            empty = np.isnat(plane) if plane.dtype.kind in "mM" else np.isnan(plane)
            assert int((~empty).sum()) == len(cells) - cells.null_count
        elif reduction == "sum":
            grid = plane.reshape(16, 16, 16, 16).sum(axis=(1, 3)).ravel()
            if name in ("i8", "flag"):
                assert plane.dtype == np.int64 and kind == pa.int64()
                assert grid.tolist() == [sum(groups.get(group, [])) for group in range(256)]
            else:
                assert plane.dtype == np.float64
                size = max(abs(float(v)) for vs in groups.values() for v in vs if abs(v) < math.inf)
                want = [float(sum(map(Fraction, vs))) if np.isfinite(vs).all() else sum(vs) for vs in groups.values()]
                np.testing.assert_allclose(grid[list(groups)], want, rtol=1e-9, atol=1e-9 * size)
        else:
            assert plane.dtype == np.float64 and 0 < np.isnan(plane).sum() < 65_536


def test_categories_are_planes_sorted_by_label(served: Served) -> None:
    table = served.tables["kinds"]
    asked = {"x": "edges", "y": "plain", "agg": "by(word)", "glyph": "points"}
    planes = served.npy("kinds/layers/0/tiles/0/0/0.npy", **asked)
    words = table["word"].to_pylist()
    labels = sorted({word for word in words if word is not None})
    assert planes.shape == (256, 256, len(labels)) and planes.dtype == np.uint32
    assert served.arrow("kinds/layers/0/tiles/0/0/0.arrow", **asked).column_names == labels
    axes = [numbers(table[name]) for name in ("edges", "plain")]
    cx, cy = (codes(values, *root([v for v in values if v is not None])) for values in axes)
    for at, label in enumerate(labels):
        mine = np.array([word == label for word in words])
        np.testing.assert_array_equal(planes[..., at], expected(np.where(mine, cx, -1), cy, (0, 0, 0, 0)))


@pytest.mark.parametrize("agg", ["count", "max(i8)", "mean(f32)"])
def test_images_are_datashaders(served: Served, agg: str) -> None:
    name, _, column = agg.rstrip(")").partition("(")
    frame = served.tables["kinds"].select(["edges", "plain", "i8", "f32"]).to_pandas()
    window = {"x0": -1.5, "x1": 2.0, "y0": -0.7, "y1": float(frame["plain"].max())}
    spans = ((window["x0"], window["x1"]), (window["y0"], window["y1"]))
    reduction = getattr(datashader, name)(*([column] if column else []))
    with unoptimised():
        want = datashader.Canvas(37, 23, *spans).points(frame, "edges", "plain", reduction).values[::-1]
    asked = {"x": "edges", "y": "plain", "agg": agg, "glyph": "points", "width": 37, "height": 23}
    np.testing.assert_array_equal(served.npy("kinds/layers/0/image.npy", **asked, **window), want)


@pytest.mark.parametrize("y", ["y", "gaps", "dense"])
@pytest.mark.parametrize("x", ["years", "close", "twice", "unsorted"])
def test_columns_ink_the_pixels_of_all_rows(served: Served, x: str, y: str) -> None:
    table, rng, height = served.tables["lines"], np.random.default_rng(2), 40
    xs, ys = numbers(table[x]), numbers(table[y])
    order = sorted(range(ROWS), key=lambda row: (xs[row], row))
    low, high = min(v for v in ys if v is not None), max(v for v in ys if v is not None) + 1
    level = [None if v is None else (v - low) * height // (high - low) for v in ys]
    temporal = pa.types.is_temporal(table[x].type)
    for width in (1, 40, 700):
        first, last = sorted(rng.choice(ROWS, 2, replace=False))
        x0, x1 = xs[order[first]], xs[order[last]]
        sent = (str(x0), str(x1)) if temporal else (repr(float(x0)), repr(float(x1)))
        found = served.arrow(
            "lines/layers/0/columns.arrow", x=x, y=y, glyph="line", agg="any", x0=sent[0], x1=sent[1], width=width
        )
        assert found.column_names == ["column", "run", "row", x, y]
        assert found.schema.types == [pa.int32(), pa.int32(), pa.int64(), table[x].type, table[y].type]
        rows, runs = found["row"].to_pylist(), found["run"].to_pylist()
        assert rows == sorted(set(rows), key=lambda row: (xs[row], row)) and runs == sorted(runs)
        assert found.select([x, y]).combine_chunks().equals(table.take(rows).select([x, y]).combine_chunks())
        place = {row: pixel_column(xs[row], x0, x1, width, temporal) for row in order}
        inside = [-1 if xs[row] < x0 else width if xs[row] > x1 else place[row] for row in rows]
        assert found["column"].to_pylist() == inside
        there = [row for row in order if level[row] is not None]
        at = [xs[row] for row in there]
        left, right = there[: bisect_left(at, x0)][-1:], there[bisect_right(at, x1) :][:1]
        assert [row for row, column in zip(rows, inside, strict=True) if column in (-1, width)] == [*left, *right]
        held: dict[int, set[int]] = {}
        run = 0
        for row in order:
            run += level[row] is None
            if level[row] is not None and x0 <= xs[row] <= x1:
                held.setdefault(place[row], set()).add(run)
        flagged = sorted(column for column, its in held.items() if len(its) > 2)
        assert json.loads(found.schema.metadata[b"flagged"]) == flagged
        everything = drawn([None if level[r] is None else (place[r], level[r]) for r in order], width, height)
        reply: list[tuple[int, int] | None] = []
        for number, row in enumerate(rows):
            reply += [None] if number and runs[number] != runs[number - 1] else []
            reply.append((place[row], level[row]))
        same = (everything == drawn(reply, width, height)).all(axis=0)
        assert set(np.flatnonzero(~same).tolist()) <= set(flagged)


def test_rows_of_a_half_open_window(served: Served) -> None:
    table = served.tables["kinds"]
    xs, ys = numbers(table["edges"]), numbers(table["ns"])
    y0, y1 = (sorted(v for v in ys if v is not None)[at] for at in (100, 1500))
    want = {k for k in range(ROWS) if -1 <= xs[k] < 2 and ys[k] is not None and y0 <= ys[k] < y1}
    asked = {"x": "edges", "y": "ns", "agg": "mean(f16)", "glyph": "points", "x0": -1, "x1": 2, "y0": y0, "y1": y1}
    whole = served.arrow("kinds/layers/0/rows.arrow", **asked)
    rows = whole["row"].to_pylist()
    assert set(rows) == want and len(rows) == len(want) and whole.schema.field("row").type == pa.int64()
    names = ["edges", "ns", "f16"]
    assert whole.column_names == ["row", *names]
    assert whole.select(names).combine_chunks().equals(table.take(rows).select(names).combine_chunks())
    some = served.arrow("kinds/layers/0/rows.arrow", **asked, limit=5)
    assert some["row"].to_pylist() == rows[:5], "the store's order does not depend on the limit"
    assert int(some.schema.metadata[b"matched"]) == int(whole.schema.metadata[b"matched"]) == len(want)


def test_etags_cover_all_that_changes_a_tile(served: Served) -> None:
    path, tags = "kinds/layers/0/tiles/1/0/0.npy", set()
    queries = [{"x": "f32"}, {"x": "f16"}, {"y": "f32"}, {"agg": "max(i8)"}, {"agg": "min(i8)"}, {"xaxis": "log"}]
    for query in [*queries, {"root": "full"}, {"glyph": "line", "agg": "any"}]:
        asked = {"x": "positive", "y": "plain", "agg": "count", "glyph": "points", **query}
        status, headers, _ = served.get(path, **asked)
        assert status == 200 and headers["ETag"].startswith('"') and headers["ETag"] not in tags
        tags.add(headers["ETag"])
        status, again, body = served.get(path, {"If-None-Match": headers["ETag"]}, **asked)
        assert (status, again["ETag"], body) == (304, headers["ETag"], b"")


def ask(socket: ClientConnection, **message: Any) -> list[tuple[int, Any, bytes]]:
    """Send a message; the frames that answer it up to `layer` or `done`."""
    socket.send(json.dumps(message))
    out = []
    while True:
        kind, request, answer, body = frame(socket.recv(20))
        assert kind != 7, answer
        if request == message["id"]:
            out.append((kind, answer, body))
            if kind in (2, 6):
                return out


def test_the_socket_says_what_the_routes_say(served: Served) -> None:
    def define(dataset: str, **more: str) -> dict[str, str]:
        plain = {"glyph": "points", "agg": "count", "xaxis": "linear", "yaxis": "linear", "root": "default"}
        return {**plain, "dataset": dataset, **more}

    def query(definition: dict[str, str]) -> dict[str, str]:
        return {key: value for key, value in definition.items() if key != "dataset"}

    places = [[0, 0, 0, 0], [1, 1, 0, 1], [2, 1, 1, 0], [24, 24, 0, 0]]
    with connect(f"{served.origin.replace('http', 'ws')}/kinds/ws", origin=served.origin, max_size=2**20) as socket:
        socket.recv(20)
        for number, agg in enumerate(["count", "max(i8)", "mean(f32)", "sum(flag)"], 1):
            definition = define("kinds", x="f32", y="edges", agg=agg)
            answers = ask(socket, op="layer", id=number, figure=0, layer=0, definition=definition)
            facts = answers[-1][1]
            told = served.json("kinds/layers/0/tilejson.json", **query(definition))
            assert all(facts[key] == told[key] for key in ("extent", "range", "rows", "rows_outside", "rows_far"))
            start, exponent = facts["root"]["x"]
            assert (Fraction(start), exponent) == extent_of(told)[0]
            layers = [{"layer": 0, "definition": definition, "tiles": places, "prefetch": []}]
            found = {}
            for kind, _, body in ask(socket, op="view", id=100 + number, figure=0, layers=layers):
                if kind == 4:
                    zx, zy, _, i, j = struct.unpack_from("<BBHII", body)
                    found[zx, zy, i, j] = decoded(body, 0)
            assert sorted(found) == sorted(map(tuple, places))
            for (zx, zy, i, j), plane in found.items():
                want = served.npy(f"kinds/layers/0/tiles/{zx},{zy}/{i}/{j}.npy", **query(definition))
                want = want.astype(np.float64)
                if agg in ("count", "sum(flag)"):
                    plane = np.nan_to_num(plane)
                np.testing.assert_array_equal(plane, want)
    with connect(f"{served.origin.replace('http', 'ws')}/lines/ws", origin=served.origin, max_size=2**20) as socket:
        socket.recv(20)
        definition = define("lines", glyph="line", agg="any", x="close", y="gaps", xaxis="datetime")
        x0, x1 = "1500000000000000500", "1500000000000006000"
        layers = [{"layer": 0, "definition": definition, "columns": {"x0": x0, "x1": x1, "width": 50}}]
        ((_, facts, body),) = [f for f in ask(socket, op="view", id=9, figure=0, layers=layers) if f[0] == 5]
        want = served.arrow("lines/layers/0/columns.arrow", **query(definition), x0=x0, x1=x1, width=50)
        n, at = facts["n"], 0
        for name, dtype in (("column", "<i4"), ("run", "<i4"), ("row", "<f8"), ("close", "<f8"), ("gaps", "<f8")):
            values = np.frombuffer(body, dtype, n, at)
            at += -(-values.nbytes // 8) * 8
            column = want[name].cast(pa.int64()) if name == "close" else want[name]
            origin = int(facts["xorigin"]) if name == "close" else 0
            assert [int(v) + origin if name == "close" else v for v in values.tolist()] == column.to_pylist()
        assert facts["yorigin"] == "0" and facts["flagged"] == json.loads(want.schema.metadata[b"flagged"])
