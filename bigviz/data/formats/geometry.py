"""Columns of geometries, of which points are plotted: their x and y are columns of their own.

A column is recognised by GeoParquet's metadata (https://geoparquet.org), by GeoArrow's extension names, or by Parquet's
own logical types GEOMETRY and GEOGRAPHY.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from bigviz.data.columns.column import Unusable
from bigviz.data.columns.kinds import storage_type
from bigviz.data.columns.points import AXES, coordinates
from bigviz.data.formats.file_part import Part, Piece, admitted
from bigviz.data.formats.stable_file import StableFile

__all__ = ["CRS", "Geometry", "PointsPart", "geometries", "in_degrees", "with_points"]

CRS = b"bigviz:crs"
"""The key of a coordinate's field under which the name of its reference system is, where that is known."""

_MOST_METADATA = 1 << 24
_WKB_NAMES = ("geoarrow.wkb", "ogc.wkb")
_NAMES = "geoarrow."
_DEFAULT_CRS = "OGC:CRS84"  # GeoParquet's, where a file names none
_DEGREES = frozenset({b"OGC:CRS84", b"EPSG:4326"})  # x is the longitude in GeoParquet, whatever EPSG says
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Geometry:
    """A column of geometries: its position and name, and the names of its shapes ("Point", "Polygon Z"; none where
    nobody says). `crs` names its reference system ("OGC:CRS84", "EPSG:32633"); None where nobody says."""

    index: int
    name: str
    shapes: tuple[str, ...]
    crs: str | None = None

    @property
    def has_points(self) -> bool:
        """True if there may be points in it."""
        return not self.shapes or any(map(_is_point_name, self.shapes))

    def unusable(self) -> Unusable:
        """Why it cannot be plotted itself."""
        if not self.has_points:
            return Unusable(
                f"holds no points but {', '.join(self.shapes)}, and bigviz draws only points", readable=True
            )
        names = " and ".join(repr(f"{self.name}.{axis}") for axis in AXES)
        only = self.shapes and all(map(_is_point_name, self.shapes))
        others = "" if only else ", null for other shapes"
        system = "" if self.crs is None else f", in {self.crs}"
        return Unusable(f"holds geometries; the coordinates of its points are {names}{system}{others}", readable=True)


def geometries(schema: pa.Schema, native: Sequence[int] = ()) -> tuple[Geometry, ...]:
    """The columns of geometries that a schema declares in its metadata; `native` are those known already."""
    told = _geo_columns(schema.metadata or {})
    found = []
    for index, field in enumerate(schema):
        about = told.get(field.name)
        extension = _extension(field)
        if about is None and index not in native and not extension.startswith(_NAMES) and extension not in _WKB_NAMES:
            continue
        if schema.names.count(field.name) == 1:
            shapes = _shapes(about or {}, extension, storage_type(field.type))
            found.append(Geometry(index, field.name, shapes, None if about is None else _crs(about)))
    return tuple(found)


def in_degrees(field: pa.Field) -> bool:
    """Whether a column is known to hold degrees of longitude or latitude."""
    return (field.metadata or {}).get(CRS) in _DEGREES


def with_points(table: pa.Table) -> tuple[pa.Table, dict[int, Unusable]]:
    """A table with the coordinates of its points as columns, and its columns of geometries."""
    unusable = {}
    for each in geometries(table.schema):
        unusable[each.index] = each.unusable()
        for name, axis in _names(each, table.schema):
            column = table.column(each.index)
            arrays = [coordinates(chunk, axis) for chunk in admitted(column.chunks, f"Column {each.name!r}", True)]
            table = table.append_column(_field(each, name), pa.chunked_array(arrays, pa.float64()))
    return table, unusable


class PointsPart:
    """A file with the coordinates of its points as columns at the end. Each is computed as it is read. `points` has the
    column and the axis of each of them."""

    def __init__(self, part: Part, found: Sequence[Geometry]) -> None:
        self._part = part
        self._own = len(part.schema)
        self.points = {name: (each.name, axis) for each in found for name, axis in _names(each, part.schema)}
        self._points = [(each.index, axis) for each in found for _, axis in _names(each, part.schema)]
        fields = [_field(each, name) for each in found for name, _ in _names(each, part.schema)]
        self.schema = pa.schema([*part.schema, *fields])
        self.unusable: Mapping[int, Unusable] = {**part.unusable, **{each.index: each.unusable() for each in found}}
        self.file: StableFile = part.file
        self.num_rows: int = part.num_rows
        self.digest: bytes = part.digest
        self.pieces: Sequence[Piece] = part.pieces

    def direct(self, index: int) -> pa.ChunkedArray | None:
        """What the file has in memory."""
        return self._part.direct(index) if index < self._own else None

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        """As of the file; of coordinates, as `coordinates` says."""
        if index < self._own:
            yield from self._part.arrays(index, piece)
            return
        source, axis = self._points[index - self._own]
        what = f"Column {self.schema.names[source]!r} of {self.file.path}"
        for array in admitted(self._part.arrays(source, piece), what):
            yield coordinates(array, axis)


def _names(geometry: Geometry, schema: pa.Schema) -> list[tuple[str, int]]:
    """The columns to be made of a column: names and axes. None if the table has one of that name."""
    names = [(f"{geometry.name}.{axis}", number) for number, axis in enumerate(AXES)]
    taken = any(name in schema.names for name, _ in names)
    return names if geometry.has_points and not taken else []


def _field(geometry: Geometry, name: str) -> pa.Field:
    return pa.field(name, pa.float64(), metadata=None if geometry.crs is None else {CRS: geometry.crs})


def _crs(about: Mapping[str, Any]) -> str | None:
    """The name of a reference system, of which GeoParquet's metadata has a description (PROJJSON)."""
    crs = about.get("crs", _DEFAULT_CRS)
    if isinstance(crs, dict):
        own = crs.get("id")
        crs = f"{own.get('authority')}:{own.get('code')}" if isinstance(own, dict) else crs.get("name")
    return crs[:_LONGEST_NAME] if isinstance(crs, str) and crs.isprintable() and crs else None


def _geo_columns(metadata: Mapping[bytes, bytes]) -> dict[str, dict[str, Any]]:
    """What GeoParquet's metadata say of each column; nothing where they are damaged."""
    text = metadata.get(b"geo", b"")
    if len(text) > _MOST_METADATA:
        return {}
    try:
        told = json.loads(text or b"{}")
    except (ValueError, RecursionError):
        return {}
    columns = told.get("columns") if isinstance(told, dict) else None
    if not isinstance(columns, dict):
        return {}
    return {name: about for name, about in columns.items() if isinstance(about, dict)}


def _extension(field: pa.Field) -> str:
    if isinstance(field.type, pa.BaseExtensionType):
        return str(field.type.extension_name)
    name: bytes = (field.metadata or {}).get(b"ARROW:extension:name", b"")
    return name.decode(errors="replace")


def _shapes(about: Mapping[str, Any], extension: str, type_: pa.DataType) -> tuple[str, ...]:
    """The names of the shapes, if the metadata lists them; for types that hold no points, the name of the encoding."""
    listed = about.get("geometry_types", about.get("geometry_type"))  # one text in the first versions of GeoParquet
    listed = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
    shapes = tuple(shape for shape in listed if isinstance(shape, str) and shape.strip() and shape != "Unknown")
    if pt.is_binary(type_) or pt.is_large_binary(type_) or pt.is_binary_view(type_):
        return shapes
    if _is_point(type_):
        return ("Point",)
    others = tuple(shape for shape in shapes if not _is_point_name(shape))
    return others or (str(about.get("encoding", "")) or extension.removeprefix(_NAMES) or str(type_),)


def _is_point_name(shape: str) -> bool:
    """True for "Point", "Point Z", ..."""
    return shape.split()[0] == "Point"


def _is_point(type_: pa.DataType) -> bool:
    if pt.is_struct(type_):
        fields = [type_.get_field_index(axis) for axis in AXES]
        return all(at >= 0 and pt.is_float64(type_.field(at).type) for at in fields)
    return bool(pt.is_fixed_size_list(type_) and type_.list_size >= 2 and pt.is_float64(type_.value_type))
