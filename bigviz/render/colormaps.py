"""The colour maps a page may choose from: 256 RGB triples each, colorcet's perceptually uniform ones."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import colorcet
import numpy as np
import numpy.typing as npt

from bigviz.common.errors import BadInput

__all__ = ["CATEGORICAL", "NAMES", "body", "lut"]

_SEQUENTIAL: Final = (
    "fire", "bmy", "bgy", "bgyw", "bmw", "kbc", "kgy", "kbgyw", "blues", "gray", "dimgray", "isolum", "rainbow",
)  # fmt: skip
_DIVERGING: Final = ("coolwarm", "gwv", "bwy", "cwr", "bky", "bkr", "bjy")
_CYCLIC: Final = ("colorwheel", "cyclic_isoluminant")
_BLIND_SAFE: Final = {"cbl1": "CET_CBL1", "cbl2": "CET_CBL2", "cbtl1": "CET_CBTL1", "cbtl2": "CET_CBTL2"}
CATEGORICAL: Final = ("glasbey", "glasbey_light", "glasbey_dark", "glasbey_category10")
_SOURCES: Final = {name: name for name in (*_SEQUENTIAL, *_DIVERGING, *_CYCLIC)} | _BLIND_SAFE
NAMES: Final = (*_SOURCES, *CATEGORICAL)
"""In the order of the page's menu; categorical ones, whose colours have no order, last."""


@cache
def lut(name: str) -> npt.NDArray[np.uint8]:
    """The colours of a map, (256, 3) uint8, from the low end up. BadInput for an unknown name."""
    if name not in NAMES:
        raise BadInput(f"cmap is one of {', '.join(NAMES)}, got {name[:60]!r}.", "cmap", name)
    colours: Any = colorcet.palette[_SOURCES.get(name, name)]
    table = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours], np.uint8)
    table.flags.writeable = False
    return table


def body() -> bytes:
    """The body of a hello: 768 bytes for each of `NAMES`, in order."""
    return b"".join(lut(name).tobytes() for name in NAMES)
