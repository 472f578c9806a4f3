"""What a `brush` message asks for, checked for its form: layers and numbers are still as they came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.server.access.gate import Need
from bigviz.server.jobs.wanted import ColumnsWant
from bigviz.server.limits import Limits
from bigviz.server.request_values import whole
from bigviz.server.websocket.message_parts import columns_of, end_of, list_of, object_of
from bigviz.wire.frames import MAX_LEVEL

if TYPE_CHECKING:
    from bigviz.aggregate.layer import Layer
    from bigviz.data.dataset import Dataset
    from bigviz.tiles.interface import Span, SpanSource, TotalTarget

__all__ = [
    "KEYS", "AskedBrush", "BrushRequest", "Drag", "NumberWant", "OtherWant", "ShapeWant", "TargetWant", "read_brush",
]  # fmt: skip

KEYS: Final = (
    "op", "id", "figure", "layer", "definition", "seq", "box", "range", "labels", "targets", "others", "numbers",
    "control", "prepare",
)  # fmt: skip
_SHAPES: Final = ("box", "range", "labels")
_MOST_SEQ: Final = (1 << 53) - 1
_MOST_NUMBER: Final = (1 << 16) - 1
_MOST_TARGETS: Final = 64
_MOST_OTHERS: Final = 8
_MOST_LABELS: Final = 4_096
_LONGEST_NAME: Final = 64
_FARTHEST: Final = 1 << (MAX_LEVEL + 8)


@dataclass(frozen=True)
class ShapeWant:
    """A box (x0, y0, x1, y1) or a range (x0, x1), whose ends are as they came, or labels."""

    kind: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class TargetWant:
    """A layer of a figure and what it shows: a `view` of cells (points), `columns` (a line, a histogram), or bars."""

    figure: int
    layer: int
    definition: Any
    view: tuple[int, int, int, int, int, int] | None = None
    columns: ColumnsWant | None = None


@dataclass(frozen=True)
class OtherWant:
    """A brush that rests on another figure. It filters those of `figures`; None: all but its own."""

    figure: int
    definition: Any
    shape: ShapeWant
    figures: tuple[int, ...] | None = None

    def filters(self, figure: int) -> bool:
        """Whether it filters a figure."""
        return figure != self.figure and (self.figures is None or figure in self.figures)


@dataclass(frozen=True)
class NumberWant:
    """A live figure, with the values of the controls in its filter."""

    control: str
    values: Any


@dataclass(frozen=True)
class BrushRequest:
    """A step of a brush; without a `shape` it is prepared, or closed. With a `control` the brush is the range that the
    filters of its targets compare with that control's value."""

    need: ClassVar[Need] = Need.shown()

    id: int
    figure: int
    layer: int
    definition: Any
    seq: int
    shape: ShapeWant | None
    targets: tuple[TargetWant, ...]
    others: tuple[OtherWant, ...]
    numbers: tuple[NumberWant, ...] = ()
    control: str | None = None
    prepare: bool = False

    @property
    def only_prepares(self) -> bool:
        """Nothing is shown yet."""
        return self.prepare if self.control is not None else self.shape is None

    @property
    def closes(self) -> bool:
        """It ends the brush."""
        return self.shape is None and not self.targets


@dataclass(frozen=True)
class Drag:
    """The range of a column that a control has in filters now; without a shape it has no value, and all rows are in."""

    source: SpanSource
    shape: Span | None


@dataclass(frozen=True)
class AskedBrush:
    """A `brush` message with its layers resolved, all of one dataset, and live figures by their ids. With a `drag` that
    is the brush, and targets have the rest of their filters; else it is over a layer, and has a shape unless it is only
    prepared."""

    dataset: Dataset
    layer: Layer
    shape: ShapeWant | None
    targets: tuple[tuple[TargetWant, Layer], ...]
    others: tuple[tuple[OtherWant, Layer], ...]
    drag: Drag | None = None
    numbers: tuple[tuple[str, TotalTarget], ...] = ()


def read_brush(value: dict[str, Any], request: int, limits: Limits) -> BrushRequest:
    """A message whose keys are known. Raises BadInput."""
    figure = whole(value.get("figure", 0 if "control" in value else None), "figure", 0, _MOST_NUMBER)
    layer = whole(value.get("layer", 0), "layer", 0, _MOST_NUMBER)
    seq = whole(value.get("seq"), "seq", 0, _MOST_SEQ)
    targets = list_of(value.get("targets"), "targets", _MOST_TARGETS)
    others = list_of(value.get("others", []), "others", _MOST_OTHERS)
    numbers = list_of(value.get("numbers", []), "numbers", _MOST_TARGETS)
    shape = _shape(value, "")
    control, prepare = _control(value, shape is not None)
    return BrushRequest(
        request,
        figure,
        layer,
        value.get("definition"),
        seq,
        shape,
        tuple(_target(each, f"targets[{at}]", limits) for at, each in enumerate(targets)),
        tuple(_other(each, f"others[{at}]") for at, each in enumerate(others)),
        tuple(_number(each, f"numbers[{at}]") for at, each in enumerate(numbers)),
        control,
        prepare,
    )


def _control(value: dict[str, Any], has_shape: bool) -> tuple[str | None, bool]:
    """The control that moves the brush, and whether that is only prepared."""
    control, prepare = value.get("control"), value.get("prepare", False)
    if control is not None and (not isinstance(control, str) or len(control) > _LONGEST_NAME):
        raise BadInput(f"control is the id of a control, got {echoed(control, 60)}.", "control")
    if not isinstance(prepare, bool):
        raise BadInput(f"prepare is true or false, got {echoed(prepare, 60)}.", "prepare")
    if control is not None and has_shape:
        raise BadInput("A control has a brush of its own: leave box, range and labels out.", "control")
    if control is None and prepare:
        raise BadInput("prepare goes with a control: other brushes are prepared without a shape.", "prepare")
    return control, prepare


def _shape(value: dict[str, Any], path: str) -> ShapeWant | None:
    given = [kind for kind in _SHAPES if value.get(kind) is not None]
    if not given:
        return None
    if len(given) > 1:
        raise BadInput(f"A brush is one of {', '.join(_SHAPES)}, got {' and '.join(given)}.", path or given[1])
    (kind,) = given
    found, where = value[kind], f"{path}.{kind}" if path else kind
    if kind == "labels":
        labels = list_of(found, where, _MOST_LABELS)
        if not all(isinstance(label, str) for label in labels):
            raise BadInput(f"{where} is a list of texts, got {echoed(found, 60)}.", where)
        return ShapeWant(kind, tuple(labels))
    size = 4 if kind == "box" else 2
    if not isinstance(found, list) or len(found) != size:
        raise BadInput(f"{where} is a list of {size} numbers, got {echoed(found, 60)}.", where)
    return ShapeWant(kind, tuple(end_of(end, where) for end in found))


def _target(value: Any, path: str, limits: Limits) -> TargetWant:
    found = object_of(value, path, ("figure", "layer", "definition", "view", "columns"))
    figure, layer = (whole(found.get(key), f"{path}.{key}", 0, _MOST_NUMBER) for key in ("figure", "layer"))
    return TargetWant(
        figure, layer, found.get("definition"), _view(found.get("view"), f"{path}.view", limits),
        columns_of(found.get("columns"), f"{path}.columns", limits),
    )  # fmt: skip


def _view(value: Any, path: str, limits: Limits) -> tuple[int, int, int, int, int, int] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 6 or not all(type(number) is int for number in value):
        raise BadInput(f"{path} is [zx, zy, left, top, width, height], got {echoed(value, 60)}.", path)
    zx, zy, left, top, width, height = value
    if not (0 <= zx <= MAX_LEVEL and 0 <= zy <= MAX_LEVEL and max(abs(left), abs(top)) <= _FARTHEST):
        raise BadInput(f"{path} is of levels 0 to {MAX_LEVEL}, got {echoed(value, 60)}.", path)
    if not (width >= 1 and height >= 1 and width * height <= limits.image_cells):
        raise BadInput(f"{path} has 1 to {limits.image_cells:,} cells, got {width} x {height}.", path)
    return zx, zy, left, top, width, height


def _other(value: Any, path: str) -> OtherWant:
    found = object_of(value, path, ("figure", "layer", "definition", "figures", *_SHAPES))
    shape = _shape(found, path)
    if shape is None:
        raise BadInput(f"{path} has none of {', '.join(_SHAPES)}.", path)
    figures = found.get("figures")
    if figures is not None:
        listed = list_of(figures, f"{path}.figures", _MOST_TARGETS)
        figures = tuple(whole(each, f"{path}.figures", 0, _MOST_NUMBER) for each in listed)
    figure = whole(found.get("figure"), f"{path}.figure", 0, _MOST_NUMBER)
    return OtherWant(figure, found.get("definition"), shape, figures)


def _number(value: Any, path: str) -> NumberWant:
    found = object_of(value, path, ("control", "values"))
    control = found.get("control")
    if not isinstance(control, str) or len(control) > _LONGEST_NAME:
        raise BadInput(f"{path}.control is the id of a control, got {echoed(control, 60)}.", f"{path}.control")
    return NumberWant(control, found.get("values", {}))
