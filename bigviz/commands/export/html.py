"""`bigviz html`: documents as pages that need no server."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.filesize import decimal

from bigviz.commands.document_inputs import output_paths
from bigviz.commands.interruptible import INTERRUPTED, interruptible
from bigviz.commands.progress_bars import stage_bars
from bigviz.common.errors import BadInput, Cancelled
from bigviz.common.printable import printable
from bigviz.document.spec import Document
from bigviz.export.html.export import MAX_SIZE, check_depth, export_html
from bigviz.export.html.tiles import write_tiles
from bigviz.server.run.index_options import Storage, bytes_of_text
from bigviz.server.run.loading import engine_of

__all__ = ["write_pages"]

_LEAST: Final = 2_000_000


def write_pages(
    documents: Sequence[Document],
    output: Path | None,
    depth: int | None,
    max_size: str | None,
    tiles: Path | None,
    store_dir: Path | None,
) -> int:
    """Write a page for each document, and their tiles below `tiles`: the exit status. Says on standard output what was
    written, and how deep it goes. A file that is not complete is not left behind."""
    check_depth(depth)
    size = _size(max_size)
    if tiles is not None and len(documents) > 1:
        raise BadInput("--tiles is for one document: export the others with commands of their own.", "tiles")
    paths = output_paths(documents, output, (".html", ".htm"))
    engine = engine_of(Storage.of(store_dir, None, "auto"))
    for made, path in zip(documents, paths, strict=True):
        try:
            with interruptible() as cancel, stage_bars() as tell:
                found = export_html(made, path, engine, depth=depth, max_size=size, progress=tell, cancel=cancel)
                if tiles is not None:
                    write_tiles(made, found, tiles, engine, tell, cancel)
        except Cancelled:
            print(f"Interrupted: {printable(str(path))} was not written.", file=sys.stderr)
            return INTERRUPTED
        print(printable(f"{path}: {decimal(found.size)}. {found.words()}."))
    return 0


def _size(text: str | None) -> int:
    if text is None:
        return MAX_SIZE
    size = bytes_of_text(text, "max-size")
    if size < _LEAST:
        message = f"--max-size is 2MB or more, since the page itself may take half of that; got {text}."
        raise BadInput(message, "max-size", text)
    return size
