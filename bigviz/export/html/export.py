"""A document as one page that still zooms, without a server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.layer_options import BARS, BINS
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.disk.atomic_file import written_aside
from bigviz.common.errors import BadInput
from bigviz.common.progress import Progress, no_progress
from bigviz.document.bind import require_bound
from bigviz.document.controls.settled import settled
from bigviz.document.spec import Document, mapped
from bigviz.export.html.blocks import Blocks, packed
from bigviz.export.html.kept_layer import Kept, KeptBars, KeptLine, KeptRows, Subject
from bigviz.export.html.kept_tiles import KeptTiles
from bigviz.export.html.page import page_bytes, page_pieces
from bigviz.render import colormaps
from bigviz.server.jobs import layer_json
from bigviz.server.jobs.layer_ref import named_columns, published, times_of
from bigviz.server.jobs.usage import Usage
from bigviz.server.limits import Limits
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.interface import Engine
from bigviz.wire.frames import Type, frames, json_parts

__all__ = ["MAX_SIZE", "Exported", "KeptLayer", "check_depth", "export_html"]

MAX_SIZE: Final = 20_000_000
FORMAT: Final = 1
_UNLIMITED: Final = 1 << 62  # characters


@dataclass(frozen=True)
class KeptLayer:
    """A layer of an exported document: what it is of, its filter as the document has it, and what the page keeps."""

    subject: Subject
    dataset: str
    kept: Kept
    filter: str = ""


@dataclass(frozen=True)
class Exported:
    """What was written: the size of the file in bytes, and of each layer what is in it."""

    size: int
    layers: tuple[KeptLayer, ...]

    def words(self) -> str:
        """For people, on one line."""
        inside = [f"{each.subject.name}, {each.kept.words()}" for each in self.layers]
        return "; ".join(dict.fromkeys(inside))


def check_depth(depth: int | None) -> int | None:
    """The depth, if there are tiles of it. Raises BadInput."""
    if depth is not None and not 0 <= depth <= DEEPEST:
        raise BadInput(f"--depth is 0 to {DEEPEST}, got {depth}.", "depth", depth)
    return depth


def export_html(
    made: Document,
    path: Path,
    engine: Engine,
    *,
    depth: int | None = None,
    max_size: int = MAX_SIZE,
    progress: Progress = no_progress,
    cancel: Cancel = NEVER,
) -> Exported:
    """Write a document, bound to its datasets, as a page in one file.

    Layers of few rows are in it whole, others down to level `depth`, or, without one, as many whole levels as fit into
    `max_size` bytes, level by level over all layers; level 0 is always there. Maps below figures, which would be
    fetched, are left out, and so are controls, whose values are those of the document. A file at `path` is replaced
    when the new one is complete, or not at all. Raises what opening the layers does, NotFound for a dataset that is not
    there, and Cancelled.
    """
    require_bound(made)
    made = settled(made)
    made = replace(made, layout=mapped(made.layout, lambda figure: replace(figure, basemap=None)))
    layers = [_opened(made, place, engine, depth, progress, cancel) for place in _places(made)]
    blocks = Blocks()
    room = None if depth is not None else max_size - page_bytes()
    _grow([each.kept for each in layers], depth, room)
    index = {
        "format": FORMAT,
        "hello": blocks.add(packed(_hello(made))),
        "layers": [_entry(each, blocks) for each in layers],
    }
    progress("writing", 0.0, 0)
    with written_aside(path) as file:
        for piece in page_pieces(made.title or made.id, index, blocks):
            cancel.check()
            file.write(piece.encode())
        size = file.tell()
    progress("writing", 1.0, 0)
    return Exported(size, tuple(layers))


def _places(made: Document) -> Iterator[tuple[int, int]]:
    for number, figure in enumerate(made.figures()):
        for at in range(len(figure.layers)):
            yield number, at


def _opened(
    made: Document, place: tuple[int, int], engine: Engine, depth: int | None, progress: Progress, cancel: Cancel
) -> KeptLayer:
    figure = made.figures()[place[0]]
    spec = figure.layers[place[1]]
    dataset, layer = published(made, figure, spec).resolve(made)
    engine.publish(dataset, layer)
    engine.ensure(dataset, layer, progress, cancel)
    subject = Subject(*place, figure.title, dataset, layer, engine.info(dataset, layer), engine, cancel, progress)
    return KeptLayer(subject, spec.dataset, _kept(subject, depth), spec.filter)


def _kept(subject: Subject, depth: int | None) -> Kept:
    if subject.layer.glyph == "line":
        return KeptLine(subject)
    if subject.layer.glyph in BARS:
        return KeptBars(subject)
    scanned = subject.engine.readiness(subject.dataset, subject.layer) == "scanned"
    tiles = KeptTiles(subject, scanned) if depth is None else KeptTiles(subject, scanned, most=None)
    return KeptRows.of(subject) or tiles


def _grow(layers: list[Kept], depth: int | None, room: int | None) -> None:
    """Level by level over all layers; one that a level does not fit of gets no deeper ones."""
    growing = list(layers)
    for level in range((DEEPEST if depth is None else depth) + 1):
        for each in list(growing):
            more = each.grow(level, _UNLIMITED if room is None else room)
            if more is None:
                growing.remove(each)
            elif room is not None:
                room -= more


def _hello(made: Document) -> list[bytes]:
    """The greeting: of the datasets only the columns that are drawn."""
    usage = Usage({name: named_columns(made, name) for name in made.datasets})
    text = layer_json.hello(made, Limits(), {}, usage)
    parts = json_parts({**text, "offline": True}, colormaps.body())
    return frames(Type.HELLO, parts, sequence=1, epoch=1)


def _entry(each: KeptLayer, blocks: Blocks) -> dict[str, Any]:
    """A layer in the page's index."""
    subject, kept = each.subject, each.kept
    entry = kept.entry(blocks)
    dense = None if subject.layer.glyph != "points" else subject.engine.dense(subject.dataset, subject.layer)
    answer = layer_json.layer_answer(subject.info, times_of(subject.dataset, subject.layer), "complete", dense)
    told = json_parts({**answer, "inside": kept.inside()})
    return {
        "figure": subject.figure,
        "layer": subject.number,
        "definition": {"dataset": each.dataset, **_definition(replace(subject.layer, filter=each.filter))},
        "answer": blocks.add(packed(subject.framed(Type.LAYER, told))),
        **entry,
    }


def _definition(layer: Layer) -> dict[str, Any]:
    """A layer as its page defines it: what only some layers have is text, and left out where it is the default."""
    out = {**asdict(layer), "agg": layer.agg, "bins": str(layer.bins)}
    for key, default in (("bins", str(BINS)), ("sort", "label"), ("filter", "")):
        if out[key] == default:
            del out[key]
    return out
