"""What a request for a tile asks, apart from the tile's place."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bigviz.common.errors import NotFound

if TYPE_CHECKING:
    from bigviz.render.shade import Shading
    from bigviz.server.access.principal import Principal
    from bigviz.server.http.layer_bodies import LayerBodies
    from bigviz.server.jobs.layer_ref import Asked
    from bigviz.server.jobs.service import Backend
    from bigviz.wire.frames import Bytes

__all__ = ["MOST_LEVEL", "Place", "TileQuestion", "etag_of", "place_of"]

Place = tuple[int, int, int, int]
"""(zx, zy, i, j)"""

MOST_LEVEL: Final = 24


@dataclass(frozen=True)
class TileQuestion:
    """A layer as somebody may see it, the kind of file, and for a picture its colours; `doubled` has twice the
    pixels."""

    backend: Backend
    bodies: LayerBodies
    principal: Principal
    asked: Asked
    extension: str
    shading: Shading | None
    doubled: bool = False

    @property
    def kind(self) -> str:
        """The content type of its answers."""
        return self.bodies.KINDS[self.extension]

    async def tag(self, place: Place) -> str:
        """The ETag of a tile, which is the name of its body too."""
        version = self.asked.etag
        if self.extension == "npy":  # colours depend on other tiles, and an Arrow file names its version
            version = await self.backend.tile_tag(self.principal, self.asked, place)
        return etag_of(version, self.extension, place, self.shading, self.doubled)

    def kept(self, tag: str) -> Bytes | None:
        """The body of that name, if it is kept."""
        return self.backend.engine.kept_body(tag)

    async def size(self) -> int:
        """Bytes that a body may take, once the layer can be answered for."""
        return await self.bodies.tile_bytes(self.backend, self.principal, self.asked, self.extension)

    async def answer(self, place: Place, tag: str) -> tuple[str, Bytes]:
        """The content type and the body of a tile, which is kept under its name."""
        bodies, principal, asked = self.bodies, self.principal, self.asked
        if self.shading is None:
            return await bodies.tile(self.backend, principal, asked, place, self.extension, tag)
        return await bodies.picture(self.backend, principal, asked, place, self.shading, self.doubled, tag)


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
