"""What a tile's answer depends on besides its coordinates: layer, caller, kind of file, colours."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from bigviz.common.errors import NotFound

if TYPE_CHECKING:
    from bigviz.render.level_values import LevelSource
    from bigviz.render.shade import Shading
    from bigviz.server.access.principal import Principal
    from bigviz.server.http.layer_bodies import LayerBodies
    from bigviz.server.jobs.layer_ref import Asked
    from bigviz.server.jobs.service import Backend
    from bigviz.tiles.interface import Engine
    from bigviz.wire.frames import Bytes

__all__ = ["MOST_LEVEL", "Place", "TileQuestion", "etag_of", "place_of"]

Place = tuple[int, int, int, int]
"""(zx, zy, i, j)"""

MOST_LEVEL: Final = 24
_COLOURS: Final = 2  # another number where colours of the same levels are chosen otherwise than before


@dataclass(frozen=True)
class TileQuestion:
    """A layer as somebody may see it, the kind of file, and for a picture its colours; `doubled` has twice the pixels.

    `levels` is where the values come from that the colours are chosen by (None where they depend on no other tile): a
    picture that was drawn while the index was built may have others than one that is drawn later.
    """

    backend: Backend
    bodies: LayerBodies
    principal: Principal
    asked: Asked
    extension: str
    shading: Shading | None
    doubled: bool = False
    levels: LevelSource | None = None

    def is_of(self, engine: Engine) -> bool:
        """Whether an engine would name its answers as they were named."""
        asked = self.asked
        if engine.etag(asked.dataset, asked.layer) != asked.etag:
            return False
        return self.levels is None or self.bodies.source_now(engine, asked) == self.levels

    @property
    def kind(self) -> str:
        """The content type of its answers."""
        return self.bodies.KINDS[self.extension]

    async def tag(self, place: Place) -> str:
        """The ETag of a tile, which is the name of its body too."""
        version = self.asked.etag
        if self.extension == "npy":  # colours depend on other tiles, and an Arrow file names its version
            version = await self.backend.tile_tag(self.principal, self.asked, place)
        return self._name(version, place, self.levels)

    def kept(self, tag: str) -> Bytes | None:
        """The body of that name, if it is kept."""
        return self.backend.engine.kept_body(tag)

    async def size(self) -> int:
        """Bytes that a body may take, once the layer can be answered for."""
        return await self.bodies.tile_bytes(self.backend, self.principal, self.asked, self.extension)

    async def answer(self, place: Place, tag: str) -> tuple[Bytes, TileQuestion]:
        """The body of a tile, which is kept under its name, and the question that it answers: one of other `levels`
        than this one where these have changed since."""
        bodies, principal, asked = self.bodies, self.principal, self.asked
        if self.shading is None:
            _, body = await bodies.tile(self.backend, principal, asked, place, self.extension, tag)
            return body, self
        name_of = partial(self._name, asked.etag, place)
        _, body, levels = await bodies.picture(
            self.backend, principal, asked, place, self.shading, self.doubled, name_of
        )
        return body, self if levels == self.levels else replace(self, levels=levels)

    def _name(self, version: str, place: Place, levels: LevelSource | None) -> str:
        parts = version, self.extension, place, self.shading, self.doubled
        return etag_of(*parts) if levels is None else etag_of(*parts, levels, _COLOURS)


def etag_of(*parts: object) -> str:
    """A strong ETag, without its quotes, of all that an answer depends on."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def place_of(level: str, i: str, j: str) -> Place:
    """The place of a tile's address. NotFound, which says what exists, for any other address."""
    levels = level.split(",")
    numbers = [*levels, *levels] if len(levels) == 1 else levels
    if any(len(text) > 9 for text in (*numbers, i, j)) or len(numbers) != 2:
        raise NotFound(f"There is no such tile: levels are 0 to {MOST_LEVEL}.", "tile")
    zx, zy = map(int, numbers)
    if max(zx, zy) > MOST_LEVEL:
        raise NotFound(f"Levels are 0 to {MOST_LEVEL}, got {max(zx, zy)}.", "z", max(zx, zy))
    for field, text, z in (("i", i, zx), ("j", j, zy)):
        if int(text) >= 1 << z:
            raise NotFound(f"{field} is 0 to {(1 << z) - 1} at level {z}, got {int(text)}.", field, int(text))
    return zx, zy, int(i), int(j)
