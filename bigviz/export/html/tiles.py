"""Tiles as files for a static host, at the addresses that a server has them: `layers/L/tiles/Z/I/J.png` and `.npy`, and
`layers/L/tilejson.json`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Final

from bigviz.common.cancel import Cancel
from bigviz.common.disk.atomic_file import written_aside
from bigviz.common.errors import BadInput
from bigviz.common.progress import Progress
from bigviz.document.spec import Document
from bigviz.export.html.export import Exported, KeptLayer
from bigviz.export.html.kept_tiles import KeptTiles
from bigviz.server.access.principal import Principal
from bigviz.server.http.layer_bodies import LayerBodies
from bigviz.server.jobs.layer_ref import Asked
from bigviz.server.jobs.service import Backend
from bigviz.server.limits import Limits
from bigviz.server.metrics import Metrics
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.interface import Engine
from bigviz.wire.frames import Bytes

__all__ = ["write_tiles"]

_DEEPEST: Final = 4  # of layers that the page holds as rows, or as a line
_CALLER: Final = Principal("export", admin=True, kind="operator")
_TEMPLATE: Final = "tiles/{z}/{x}/{y}.png"


def write_tiles(
    made: Document, exported: Exported, directory: Path, engine: Engine, progress: Progress, cancel: Cancel
) -> None:
    """Write the tiles of every layer, without those that hold nothing, down to the level that the page holds (4 where
    it holds rows or a line). Raises BadInput where that cannot be done, and Cancelled."""
    asyncio.run(_write(made, exported, directory, engine, progress, cancel))


async def _write(
    made: Document, exported: Exported, directory: Path, engine: Engine, progress: Progress, cancel: Cancel
) -> None:
    backend, bodies = Backend(engine, Limits(), Metrics()), LayerBodies()
    try:
        for number, each in enumerate(exported.layers):
            asked = backend.asked(made, number, lambda name: None)
            await _layer(backend, bodies, asked, each, directory / "layers" / str(number), progress, cancel)
    finally:
        backend.close()


async def _layer(
    backend: Backend,
    bodies: LayerBodies,
    asked: Asked,
    each: KeptLayer,
    folder: Path,
    progress: Progress,
    cancel: Cancel,
) -> None:
    engine = backend.engine
    await backend.info(asked.dataset, asked.layer, whole=True)  # colours of pictures may be others before
    deepest = each.kept.inside()["deepest"] if isinstance(each.kept, KeptTiles) else _DEEPEST
    about = bodies.tilejson(backend, asked, each.subject.info, _TEMPLATE)
    _write_file(folder / "tilejson.json", json.dumps({**about, "maxzoom": deepest}, indent=1).encode())
    shading = bodies.shading(asked, lambda name: None)
    level = [TileKey(0, 0, 0, 0)]
    for z in range(deepest + 1):
        filled = []
        for number, key in enumerate(level):
            cancel.check()
            tile = engine.tile(asked.dataset, asked.layer, key, cancel)
            if any(plane.filled for plane in tile.planes):
                filled.append(key)
                place = (key.zx, key.zy, key.i, key.j)
                _, picture, _ = await bodies.picture(backend, _CALLER, asked, place, shading)
                _, numbers = await bodies.tile(backend, _CALLER, asked, place, "npy")
                for extension, body in (("png", picture), ("npy", numbers)):
                    _write_file(folder / "tiles" / str(z) / str(key.i) / f"{key.j}.{extension}", body)
            progress(f"tiles of level {z}", (number + 1) / len(level), 0)
        level = [key.quarter(number) for key in filled for number in range(4)]


def _write_file(path: Path, body: Bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{path.parent} cannot be made: {(error.strerror or str(error)).lower()}.", "tiles") from error
    with written_aside(path, sync=False) as file:
        file.write(body)
