"""Tables in the cells of an image instead of their own numbers, for datashader where it writes outside its image.

datashader clips a segment to the window and takes the cells of both ends from what comes out. Where the segment is long
beside a cell, the rounding of its coordinates is more than a cell, and the end lies outside the window: on a
logarithmic axis, where it may fall below 0, any number of bytes before the image. So do infinite vertices, unsigned
columns (their differences wrap around), and windows so narrow that the map itself is off by a cell. And what limits a
line of a width on a logarithmic axis is taken from the ends of the window, not from their logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from datashader.datatypes import RaggedArray, RaggedDtype
from datashader.utils import mesh

from bigviz.aggregate.canvas.axes import span_of_ends
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.common.jit import frozen, jit

__all__ = ["Side", "check_geometries", "drawn_in_cells", "places", "triangles_in_cells", "unsafe"]

Array = npt.NDArray[Any]
Draw = Callable[[dict[str, Any], Any, dict[str, Any]], Any]

_FAR: Final = 2.0**40  # cells: a segment from there is clipped with an error of 2^-10 of a cell
_STEEP: Final = 2.0**22  # cells on y: datashader walks along the edge of an area from there, for 4 ms
_NEAR: Final = 2.0**-20  # of a cell: how far outside numbers are, at least, that are outside
_ROUNDING: Final = 2.0**-45  # that of the end of a clipped segment, of its coordinates
_NARROW_ROUNDING: Final = 2.0**-20  # the same in float32
_LEAST_NARROW: Final = 1e-4  # decades a cell, that logarithms in float32 keep apart


@dataclass(frozen=True)
class Side:
    """What is drawn along an axis: its cells, the lowest and the highest number, and whether its columns have floats of
    less than 64 bits, or unsigned integers."""

    bins: Bins
    ends: tuple[float, float]
    narrow: bool
    wraps: bool

    def is_safe(self, clips: bool) -> bool:
        """Whether datashader stays within the image; `clips` for segments."""
        bins, (low, high) = self.bins, (self.bins.low, self.bins.high)
        if low > high:
            return True  # nothing is in the window
        if bins.log:
            low, high = math.log10(low), math.log10(high)
        first, last = low * bins.scale + bins.shift, high * bins.scale + bins.shift
        if not (first > -1 and int(last) <= bins.size == round(last)):
            return False
        if bins.log and self.narrow and (high - low) / bins.size < _LEAST_NARROW:
            return False
        most = max(map(abs, self.ends))
        rounding = max(2.0, most) * (_NARROW_ROUNDING if self.narrow else _ROUNDING)
        return not clips or (not self.wraps and most < math.inf and rounding <= self._cell())

    def is_far(self) -> bool:
        """Whether some number is millions of cells away."""
        return not max(map(abs, self.ends)) <= _STEEP * self._cell()

    def _cell(self) -> float:
        """The width of a cell, on a logarithmic axis that of the one before the window."""
        bins = self.bins
        if not bins.log:
            return (bins.high - bins.low) / bins.size
        return -bins.low * math.expm1((math.log(bins.low) - math.log(bins.high)) / bins.size)


def unsafe(options: dict[str, Any], glyph: str, source: Any, arguments: dict[str, Any]) -> tuple[Side, Side] | None:
    """Both sides of what `datashader.Canvas(**options)` draws of a frame of pandas or Dask, or of an xarray.Dataset, by
    the method `glyph`, where it may write outside its image; None where it does not.

    So it is taken to be where the columns are not of numbers: datashader refuses them, or they are of geometries.
    Raises BadInput for windows that cannot be divided.
    """
    if glyph not in ("points", "line", "area") or arguments.get("geometry") is not None:
        return None
    x = _side(options, "x", source, [arguments.get("x")], glyph)
    y = _side(options, "y", source, [arguments.get("y"), arguments.get("y_stack")], glyph)
    if x is None or y is None:
        return None
    wide = bool(arguments.get("line_width") or arguments.get("antialias"))
    safe = (
        x.is_safe(glyph != "points")
        and y.is_safe(glyph != "points")
        and not (glyph == "area" and (y.bins.log or y.is_far()))
    )
    return None if safe and not (wide and (x.bins.log or y.bins.log)) else (x, y)


def drawn_in_cells(
    draw: Draw, options: dict[str, Any], glyph: str, source: Any, arguments: dict[str, Any], sides: tuple[Side, Side]
) -> Any:
    """The image of a frame for which there are `unsafe` sides, by `draw(options, source, arguments)`, which calls
    datashader.

    Segments are straight between cells: on a logarithmic axis between logarithms. Vertices at 0 and below there, and
    those at an infinity, are gaps. Those further away than 2^40 cells are drawn as if they were that far, and of areas
    those further above or below than 2^22.
    """
    base = _baseline(sides[1].bins) if glyph == "area" and arguments.get("y_stack") is None else 0.0
    given: dict[str, Any] = dict(arguments)
    made: dict[str, tuple[Any, Bins, float]] = {}
    kinds = {"x": "line" if glyph == "area" else glyph}
    for role, side in (("x", sides[0]), ("y", sides[1]), ("y_stack", sides[1])):
        columns, shift = arguments.get(role), base if role == "y" else 0.0
        if isinstance(columns, np.ndarray):
            given[role] = places(columns, side.bins, kinds.get(role, glyph)) - shift
        elif columns is not None:
            names = {f"{role} in cells {at}": column for at, column in enumerate(_listed(columns))}
            made |= {name: (column, side.bins, shift) for name, column in names.items()}
            given[role] = list(names) if isinstance(columns, list | tuple) else next(iter(names))

    def place(part: pd.DataFrame) -> pd.DataFrame:
        placed = {
            name: _placed(part[column], bins, kinds.get(name.partition(" ")[0], glyph), shift)
            for name, (column, bins, shift) in made.items()
        }
        return part.assign(**placed)

    if isinstance(source, xr.Dataset):
        moved = _in_dataset(source, made, glyph)
    else:
        moved = place(source) if isinstance(source, pd.DataFrame) else source.map_partitions(place)
    width, height = (side.bins.size for side in sides)
    window = {"x_range": (0.0, float(width)), "y_range": (-base, height - base)}
    image = draw({**options, **window, "x_axis_type": "linear", "y_axis_type": "linear"}, moved, given)
    return _labelled(image, options, sides, arguments, given)


def triangles_in_cells(draw: Draw, options: dict[str, Any], vertices: Any, arguments: dict[str, Any]) -> Any:
    """The image of a mesh of triangles, by `draw` as for `drawn_in_cells`; vertices that a logarithmic axis has not
    belong to no triangle. As datashader draws it where both axes are linear."""
    if "log" not in (options["x_axis_type"], options["y_axis_type"]):
        return draw(options, vertices, arguments)
    joined = arguments.get("mesh")
    if joined is None:
        joined = mesh(vertices, arguments["simplices"])
    names = list(joined.columns[:2])
    x, y = (_side(options, role, joined, [name], "trimesh") for role, name in zip("xy", names, strict=True))
    if x is None or y is None:
        raise BadInput("The first two columns of vertices must be numbers: their places.", "vertices")
    sides = x, y

    def place(part: pd.DataFrame) -> pd.DataFrame:
        part = part.copy()
        for name, side in zip(names, sides, strict=True):
            part[name] = places(part[name].to_numpy(), side.bins, "line")
        known = part[names].notna().all(axis=1).to_numpy().reshape(-1, 3).all(axis=1)
        return part[np.repeat(known, 3)]

    moved = place(joined) if isinstance(joined, pd.DataFrame) else joined.map_partitions(place)
    window = {f"{role}_range": (0.0, float(side.bins.size)) for role, side in zip("xy", sides, strict=True)}
    linear = {"x_axis_type": "linear", "y_axis_type": "linear"}
    image = draw({**options, **window, **linear}, vertices, {**arguments, "mesh": moved})
    given = dict(zip("xy", names, strict=True))
    return _labelled(image, options, sides, given, given)


def check_geometries(options: dict[str, Any], glyph: str, source: Any, arguments: dict[str, Any]) -> None:
    """Raise BadInput where datashader may write outside the image of a column of geometries, whose vertices are not
    given to it in cells."""
    geometries = source[arguments["geometry"]]
    bounds = getattr(geometries, "total_bounds", None)
    if bounds is None:
        return  # datashader says what it expects
    ends = [float(end) for end in (bounds.compute() if hasattr(bounds, "compute") else bounds)]
    if glyph == "polygons" and any(np.isnan(each).any() for each in _coordinates(geometries)):
        raise BadInput(
            "datashader cannot draw polygons whose coordinates are not all known: some are NaN. Leave these polygons, "
            "or these vertices, out.",
            "geometry",
        )
    wide = bool(arguments.get("line_width") or arguments.get("antialias"))
    for axis, role in enumerate("xy"):
        low, high = options[f"{role}_range"] or span_of_ends(ends[axis], ends[axis + 2])
        log, size = options[f"{role}_axis_type"] == "log", options["plot_width" if role == "x" else "plot_height"]
        bins = Bins(float(low), float(high), size, log, f"{role}_range", descending=True)
        side = Side(bins, (ends[axis], ends[axis + 2]), narrow=False, wraps=False)
        if not side.is_safe(glyph == "line") or (wide and log):
            raise BadInput(
                f"datashader cannot draw these geometries in {role}_range {echoed((low, high))}: they reach from "
                f"{ends[axis]:g} to {ends[axis + 2]:g}, too far for its arithmetic. Take a wider range, or a linear "
                "axis.",
                f"{role}_range",
            )


def _placed(column: pd.Series[Any], bins: Bins, glyph: str, shift: float) -> Any:
    """The places of a column's numbers; of a column of lists, lists of them."""
    if not isinstance(column.dtype, RaggedDtype):
        return places(column.to_numpy(), bins, glyph) - shift
    lists: Any = column.array
    flat = places(lists.flat_array, bins, glyph) - shift
    return RaggedArray({"start_indices": lists.start_indices, "flat_array": flat})


def _in_dataset(source: xr.Dataset, made: dict[str, tuple[Any, Bins, float]], glyph: str) -> xr.Dataset:
    """Lines of a Dataset, which share their x: the name of a dimension."""
    (x, (old, x_bins, _)), (y, (column, y_bins, _)) = made.items()
    numbers = source[old].to_numpy()
    found = source.rename({old: x}).assign_coords({x: (x, places(numbers, x_bins, glyph)), old: (x, numbers)})
    return found.assign({y: (found[column].dims, places(source[column].to_numpy(), y_bins, glyph))})


def _labelled(image: Any, options: dict[str, Any], sides: tuple[Side, Side], arguments: Any, given: Any) -> Any:
    """The image with the dimensions, coordinates and ranges that it has in the table's own numbers."""
    for role, side in zip("xy", sides, strict=True):
        dim = role
        if isinstance(given[role], str) and given[role] in image.dims:
            dim = arguments[role]
            image = image.rename({given[role]: dim})
        image = image.assign_coords({dim: side.bins.centres()})
        ends = options[f"{role}_range"] or (side.bins.low, side.bins.high)
        image = image.assign_attrs({f"{role}_range": ends})
    return image


def _side(options: dict[str, Any], role: str, source: Any, read: Sequence[Any], glyph: str) -> Side | None:
    """A side; None where what is drawn are not columns of numbers of a frame."""
    shared = [each for each in read if isinstance(each, np.ndarray)]
    columns = [name for each in read if each is not None and not isinstance(each, np.ndarray) for name in _listed(each)]
    known = [*source.variables, *source.dims] if isinstance(source, xr.Dataset) else getattr(source, "columns", ())
    if not (columns or shared) or any(name not in known for name in columns):
        return None
    dtypes = [source[name].dtype for name in columns] + [each.dtype for each in shared]
    dtypes = [dtype.subtype if isinstance(dtype, RaggedDtype) else dtype for dtype in dtypes]
    window = options[f"{role}_range"]
    if any(not isinstance(dtype, np.dtype) or dtype.kind not in "iuf" for dtype in dtypes):
        return None
    if any(isinstance(end, bool) or not isinstance(end, int | float | np.number) for end in window or ()):
        return None
    ends = (0.0, 0.0) if window and glyph == "points" else _ends(source, columns, shared)
    size = options["plot_width" if role == "x" else "plot_height"]
    low, high = window or span_of_ends(*ends)
    log = options[f"{role}_axis_type"] == "log"
    bins = Bins(float(low), float(high), size, log, f"{role}_range", descending=True)
    narrow = any(dtype.kind == "f" and dtype.itemsize < 8 for dtype in dtypes)
    return Side(bins, ends, narrow, any(dtype.kind == "u" for dtype in dtypes))


def _listed(columns: Any) -> list[Any]:
    return list(columns) if isinstance(columns, list | tuple) else [columns]


def _ends(source: Any, columns: Sequence[Any], shared: Sequence[Array]) -> tuple[float, float]:
    """The lowest and the highest of all numbers, infinities included; NaN where there is none."""
    lows, highs = ([float(end(each)) for each in shared if each.size] for end in (np.fmin.reduce, np.fmax.reduce))
    for name in dict.fromkeys(columns):
        if isinstance(source[name].dtype, RaggedDtype):
            numbers = [each.array.flat_array for each in _parts(source[name])]
            lows += [float(np.fmin.reduce(each)) for each in numbers if each.size]
            highs += [float(np.fmax.reduce(each)) for each in numbers if each.size]
            continue
        low, high = source[name].min(), source[name].max()
        lows.append(float(low.compute() if hasattr(low, "compute") else low))
        highs.append(float(high.compute() if hasattr(high, "compute") else high))
    return (float(np.fmin.reduce(lows)), float(np.fmax.reduce(highs))) if lows else (math.nan, math.nan)


def _coordinates(geometries: Any) -> Iterator[Array]:
    """The numbers of a column of geometries, of spatialpandas or of GeoPandas."""
    for part in _parts(geometries):
        numbers = getattr(part.array, "buffer_values", None)
        if numbers is None:
            numbers = import_module("shapely").get_coordinates(np.asarray(part.array, object))
        yield np.asarray(numbers, np.float64)


def _parts(column: Any) -> Iterable[Any]:
    """A column of pandas, or one after the other those of a column of Dask."""
    return [column] if isinstance(column, pd.Series) else (each.compute() for each in column.partitions)


def _baseline(bins: Bins) -> float:
    """The place of 0, to which an area reaches; below the image on a logarithmic axis."""
    return -1.0 if bins.log else float(np.clip(bins.shift, -_FAR, _FAR))


def places(values: Array, bins: Bins, glyph: str) -> Array:
    """The places of numbers in cells, float64: see `_place`. Of an "area" they are those on y, else on any axis."""
    far = _STEEP if glyph == "area" else _FAR
    out = np.empty(values.shape, np.float64)
    flat = np.ascontiguousarray(values, np.float64).reshape(-1)
    limits = np.array([bins.low, bins.high, bins.scale, bins.shift, bins.size, far], np.float64)
    _place(frozen(flat), limits, bins.log, glyph == "points", out.reshape(-1))
    return out


@jit
def _place(values: Array, limits: Array, log: bool, points: bool, out: Array) -> None:
    """Places of numbers, in cells, from 0 to the number of cells for those in the window; NaN for what is not drawn."""
    low, high, scale, shift, size, far = limits[0], limits[1], limits[2], limits[3], limits[4], limits[5]
    for k in range(values.size):
        value = values[k]
        known = abs(value) < math.inf and not (log and value <= 0.0)
        inside = low <= value <= high
        if not known or (points and not inside):
            out[k] = np.nan
            continue
        place = (math.log10(value) if log else value) * scale + shift
        if inside:
            out[k] = min(max(place, 0.0), size)
        elif value < low:
            out[k] = max(min(place, -_NEAR), -far)
        else:
            out[k] = min(max(place, size + _NEAR), far)
