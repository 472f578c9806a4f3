"""`bigviz png`: documents as pictures."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from bigviz.commands.document_inputs import output_paths
from bigviz.commands.interruptible import INTERRUPTED, interruptible
from bigviz.commands.progress_bars import stage_bars
from bigviz.common.bounded_repr import echoed
from bigviz.common.disk.atomic_file import written_aside
from bigviz.common.errors import BadInput, Cancelled
from bigviz.common.jit import told_of_compiling
from bigviz.common.printable import printable
from bigviz.document.spec import Document
from bigviz.export.png.document import MOST_PIXELS, own_size, picture
from bigviz.export.png.view_text import ViewText, read_view
from bigviz.server.run.index_options import Storage
from bigviz.server.run.loading import engine_of

__all__ = ["Look", "write_pictures"]

_SIZE: Final = re.compile(r"([1-9][0-9]{0,4})\s*[xX*]\s*([1-9][0-9]{0,4})")
_USUAL: Final = (1600, 900)
_LEAST_DPR, _MOST_DPR = 0.5, 8.0
_CSS_DPI: Final = 96  # CSS pixels an inch


@dataclass(frozen=True)
class Look:
    """How pictures are drawn: `size` None is each document's own."""

    size: tuple[int, int] | None
    dpr: float
    view: ViewText
    theme: str

    @classmethod
    def of(cls, size: str | None, dpr: float, view: str | None, theme: str) -> Look:
        """The same from the command line's words. Raises BadInput."""
        if not _LEAST_DPR <= dpr <= _MOST_DPR:
            raise BadInput(f"--dpr is {_LEAST_DPR:g} to {_MOST_DPR:g}, got {dpr:g}.", "dpr", dpr)
        found = None if size is None else _SIZE.fullmatch(size.strip())
        if size is not None and found is None:
            raise BadInput(f"--size is a width and a height, as 1600x900; got {echoed(size, 40)}.", "size", size[:40])
        sides = None if found is None else (int(found[1]), int(found[2]))
        if sides is not None:
            _check(sides, dpr)
        return cls(sides, dpr, read_view(view), theme)

    def size_of(self, document: Document) -> tuple[int, int]:
        """The size of a document's picture in CSS pixels."""
        size = self.size or own_size(document) or _USUAL
        _check(size, self.dpr)
        return size


def write_pictures(documents: Sequence[Document], output: Path | None, look: Look, store_dir: Path | None) -> int:
    """Write a PNG for each document, see `output_paths`: the exit status. Says on standard output which. A picture that
    is not complete is not left behind."""
    paths = output_paths(documents, output, (".png",))
    engine = engine_of(Storage.of(store_dir, None, "existing"))
    with told_of_compiling(_say_compiling):
        for made, path in zip(documents, paths, strict=True):
            size = look.size_of(made)
            try:
                with interruptible() as cancel, stage_bars() as tell:
                    pixels = picture(engine, made, size, look.dpr, look.theme, look.view, tell, cancel)
            except Cancelled:
                print(f"Interrupted: {printable(str(path))} was not written.", file=sys.stderr)
                return INTERRUPTED
            with written_aside(path) as file:
                Image.fromarray(pixels).save(file, "PNG", dpi=(_CSS_DPI * look.dpr, _CSS_DPI * look.dpr))
            print(printable(f"{path}: {pixels.shape[1]} x {pixels.shape[0]} pixels."))
    return 0


def _say_compiling() -> None:
    print("Compiling what draws: the first picture on a machine takes some ten seconds longer.", file=sys.stderr)


def _check(size: tuple[int, int], dpr: float) -> None:
    width, height = size
    pixels = round(width * dpr) * round(height * dpr)
    if pixels > MOST_PIXELS:
        raise BadInput(
            f"A picture has at most {MOST_PIXELS:,} pixels, and {width} x {height} at --dpr {dpr:g} has {pixels:,}: "
            "make --size or --dpr smaller.",
            "size",
            f"{width}x{height}",
        )
