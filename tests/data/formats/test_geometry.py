"""Files and tables of geometries: the points of them are plotted, of others the reason is named."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from bigviz.commands.info import summary
from bigviz.common.errors import Unplottable, Unreadable
from bigviz.data.default_columns import Choice, choose
from bigviz.data.formats import parquet_footer as pf
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.open import open as open_table
from bigviz.server.run.loading import Columns, document_of
from tests.data.columns.test_points import wkb

LINE = struct.pack("<BII4d", 1, 2, 2, 0, 0, 1, 1)
XS, YS = [float(row % 360 - 180) for row in range(5000)], [row / 100 for row in range(5000)]
WKB = pa.array([wkb(x, y) for x, y in zip(XS, YS, strict=True)])
STRUCT = pa.StructArray.from_arrays([pa.array(XS), pa.array(YS)], ["x", "y"])


def table(array: pa.Array, about: object = None, extension: str | None = None, name: str = "geometry") -> pa.Table:
    """One column, with GeoParquet's metadata and GeoArrow's name."""
    field = pa.field(name, array.type, metadata={"ARROW:extension:name": extension} if extension else None)
    metadata = None if about is None else {"geo": json.dumps({"version": "1.1.0", "columns": {name: about}})}
    return pa.table([array], schema=pa.schema([field], metadata))


def points(**more: Any) -> dict[str, Any]:
    return {"encoding": "WKB", "geometry_types": ["Point"], **more}


SOURCES = {
    "WKB": table(WKB, points()),
    "large WKB": table(WKB.cast(pa.large_binary()), points(geometry_types=["Point", "Point Z"])),
    "of unknown shapes": table(WKB, points(geometry_types=[])),
    "GeoParquet 0.4": table(WKB, {"encoding": "WKB", "geometry_type": "Point"}),
    "GeoArrow's WKB": table(WKB, None, "geoarrow.wkb"),
    "struct": table(STRUCT, points(encoding="point")),
    "GeoArrow's struct": table(STRUCT, None, "geoarrow.point"),
    "GeoArrow's list": table(
        pa.array(list(zip(XS, YS, strict=True)), pa.list_(pa.float64(), 2)), None, "geoarrow.point"
    ),
}


@pytest.mark.parametrize("how", ["parquet", "arrow", "arrows", "memory"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_table_with_nothing_but_points(source: str, how: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{how}"
    if how == "parquet":
        pq.write_table(SOURCES[source], path, row_group_size=2048)
    elif how != "memory":
        with (ipc.new_file if how == "arrow" else ipc.new_stream)(str(path), SOURCES[source].schema) as writer:
            writer.write_table(SOURCES[source], 1024)
    dataset = open_table(SOURCES[source] if how == "memory" else path)
    assert dataset.schema.names == ["geometry", "geometry.x", "geometry.y"]
    assert dataset.column("geometry.x").values.tolist() == XS
    assert (choose(dataset).x, choose(dataset).y) == ("geometry.x", "geometry.y")
    got = [column for number in range(len(dataset.chunks())) for _, (column,) in dataset.read(number, ["geometry.y"])]
    assert np.concatenate([column.values for column in got]).tolist() == YS
    taken = dataset.take(np.array([4999, 7]), ["geometry.y", "geometry"]).to_pylist()
    assert [row["geometry.y"] for row in taken] == [YS[4999], YS[7]]
    assert taken[1]["geometry"] == SOURCES[source]["geometry"][7].as_py()
    with pytest.raises(
        Unplottable, match=r"'geometry' of .* holds geometries; .* points are 'geometry\.x' and 'geometry\.y'"
    ):
        dataset.column("geometry")
    if how == "parquet":
        text = summary(str(path), tmp_path)
        assert "points of geometry.x and geometry.y" in text and "Note: Column 'geometry' holds geometries" in text


@pytest.mark.parametrize(
    ("array", "about", "extension", "words"),
    [
        (pa.array([LINE, LINE]), points(geometry_types=["LineString", "Polygon Z"]), None, "LineString, Polygon Z"),
        (pa.array([[(1.0, 2.0)]], pa.list_(pa.struct([("x", pa.float64()), ("y", pa.float64())]))),
         {"encoding": "linestring", "geometry_types": ["LineString"]}, None, "LineString"),
        (pa.array([[[1.0, 2.0]]], pa.list_(pa.list_(pa.float64(), 2))), None, "geoarrow.multipoint", "multipoint"),
        (pa.array(["POINT (1 2)"]), None, "geoarrow.wkt", "wkt"),
    ],
)  # fmt: skip
def test_what_is_no_points_is_named_and_the_rest_opened(
    array: pa.Array, about: object, extension: str | None, words: str, tmp_path: Path
) -> None:
    source = table(array, about, extension).append_column("n", pa.array(range(len(array)), pa.int64()))
    pq.write_table(source, tmp_path / "t.parquet")
    for each in (source, tmp_path / "t.parquet"):
        dataset = open_table(each)
        assert dataset.schema.names == ["geometry", "n"] and dataset.column("n").values[0] == 0
        with pytest.raises(Unplottable, match=f"holds no points but {words}, and bigviz draws only points.*'n'"):
            dataset.column("geometry")
        assert dataset.take(np.array([0]), ["geometry"])["geometry"].to_pylist() == array.to_pylist()[:1]


def test_points_among_others() -> None:
    dataset = open_table(
        table(pa.array([wkb(1, 2), LINE, None, wkb(3, 4)]), points(geometry_types=["Point", "LineString"]))
    )
    assert str(dataset.column("geometry.x").values.tolist()) == "[1.0, nan, nan, 3.0]"
    assert dataset.notes[0].endswith("'geometry.x' and 'geometry.y', in OGC:CRS84, null for other shapes.")


def test_files_of_points_are_one_table(tmp_path: Path) -> None:
    pq.write_table(table(WKB.slice(0, 3), points()), tmp_path / "1.parquet")
    pq.write_table(table(STRUCT.slice(3, 2), points(encoding="point")), tmp_path / "2.parquet")
    pq.write_table(pa.table({"n": [1]}), tmp_path / "3.parquet")
    dataset = open_table(tmp_path)
    assert str(dataset.column("geometry.x").values.tolist()) == str([*XS[:5], np.nan])
    with pytest.raises(Unplottable, match=r"binary in .*struct.* no type holds both"):
        dataset.column("geometry")


def test_names_that_are_taken() -> None:
    both = table(WKB, points()).append_column("geometry.x", pa.array(YS))
    dataset = open_table(both)
    assert dataset.schema.names == ["geometry", "geometry.x"] and dataset.column("geometry.x").values.tolist() == YS


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"columns": 7}', '{"columns": {"geometry": 7}}', "[" * 100_000, "\udcff",
             '{"columns": {"geometry": {"geometry_types": [7, null, " "], "encoding": {}}}}', '{"columns": {"o": {}}}']
)  # fmt: skip
def test_metadata_that_make_no_sense(text: str, tmp_path: Path) -> None:
    raw = text.encode(errors="surrogateescape")
    source = pa.table({"geometry": WKB, "n": YS}).replace_schema_metadata({b"geo": raw})
    pq.write_table(source, tmp_path / "t.parquet")
    dataset = open_table(tmp_path / "t.parquet")
    assert dataset.column("n").values.tolist() == YS


def test_parquets_own_geometries(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"place": WKB, "n": YS}), path, store_schema=False)
    footer = pf.read_footer(StableFile.at(str(path)))
    head, elements, rest = pf._split(footer)
    geometry = pf._Field(10, 12, bytes([0x0C]) + pf._encode_varint(pf._zigzag(17)) + b"\0\0")  # LogicalType's field 17
    elements[1] = [*elements[1], geometry]
    footer_of = head + pf._encode_schema(elements[0], pf._columns(elements)) + rest
    data = path.read_bytes()
    path.write_bytes(data[: -8 - len(footer)] + footer_of + len(footer_of).to_bytes(4, "little") + b"PAR1")
    assert pq.ParquetFile(path).schema.column(0).logical_type.type == "GEOMETRY"
    dataset = open_table(path)
    assert dataset.column("place.x").values.tolist() == XS and dataset.column("place.y").values.tolist() == YS


def test_a_frame_that_makes_its_own_arrow_table() -> None:
    """As GeoPandas does."""

    class GeoFrame(pd.DataFrame):
        def to_arrow(self) -> pa.Table:
            return table(WKB, None, "geoarrow.wkb")

    assert open_table(GeoFrame({"geometry": [object()] * 5000})).column("geometry.y").values.tolist() == YS


def test_geometries_that_are_damaged(tmp_path: Path) -> None:
    path = tmp_path / "t.arrow"
    with ipc.new_file(str(path), SOURCES["WKB"].schema) as writer:
        writer.write_table(SOURCES["WKB"])
    data = path.read_bytes()
    ends = np.arange(5001, dtype=np.int32) * 21
    assert ends.tobytes() in data
    broken = ends.copy()
    broken[77] = 10**9
    path.write_bytes(data.replace(ends.tobytes(), broken.tobytes()))
    with pytest.raises(Unreadable, match="geometry"):
        open_table(path).column("geometry.x")


CRS84 = {"id": {"authority": "OGC", "code": "CRS84"}, "name": "WGS 84 (CRS84)"}


@pytest.mark.parametrize(
    ("about", "named", "geographic"),
    [
        ({}, "OGC:CRS84", True),  # GeoParquet's default
        ({"crs": CRS84}, "OGC:CRS84", True),
        ({"crs": {"id": {"authority": "EPSG", "code": 4326}}}, "EPSG:4326", True),
        ({"crs": {"id": {"authority": "EPSG", "code": 32633}}}, "EPSG:32633", False),
        ({"crs": {"name": "a local grid"}}, "a local grid", False),
        ({"crs": None}, None, False),
        ({"crs": {"id": ["x"], "name": 7}}, None, False),
        ({"crs": {"name": "a\nb"}}, None, False),
    ],
)
@pytest.mark.parametrize("how", ["parquet", "two files", "memory"])
def test_the_reference_system(
    about: dict[str, Any], named: str | None, geographic: bool, how: str, tmp_path: Path
) -> None:
    source: object = table(STRUCT, points(encoding="point", **about))
    for name in ("a", "b") if how == "two files" else ("a",) if how == "parquet" else ():
        pq.write_table(source, tmp_path / f"{name}.parquet")
    found = open_table(source if how == "memory" else tmp_path)
    assert choose(found) == Choice("geometry.x", "geometry.y", "points", geographic)
    (note,) = found.notes
    assert note.endswith(f"in {named}." if named else "'geometry.x' and 'geometry.y'.")


def test_files_in_two_reference_systems_are_in_none(tmp_path: Path) -> None:
    pq.write_table(table(STRUCT, points(encoding="point")), tmp_path / "a.parquet")
    utm = {"crs": {"id": {"authority": "EPSG", "code": 32633}}}
    pq.write_table(table(STRUCT, points(encoding="point", **utm)), tmp_path / "b.parquet")
    assert not choose(open_table(tmp_path)).geographic


def test_degrees_are_shown_on_a_map(tmp_path: Path) -> None:
    pq.write_table(table(STRUCT, points(encoding="point")), tmp_path / "a.parquet")
    (shown,) = document_of(open_table(tmp_path), "a", Columns()).figures()
    assert (shown.x_axis.kind, shown.y_axis.kind) == ("mercator", "mercator")
