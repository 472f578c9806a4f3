"""The colour maps a page may choose from: 256 RGB triples each, perceptually uniform, colorcet's and matplotlib's."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import colorcet
import numpy as np
import numpy.typing as npt

from bigviz.common.did_you_mean import hint
from bigviz.common.errors import BadInput
from bigviz.render.matplotlib_colormaps import MATPLOTLIB

__all__ = ["CATEGORICAL", "CATEGORIES", "NAMES", "aliases", "body", "canonical", "lut"]

_SEQUENTIAL: Final = (
    "fire", "bmy", "bgy", "bgyw", "bmw", "kbc", "kgy", "kbgyw", "blues", "gray", "dimgray", "isolum", "rainbow",
)  # fmt: skip
_DIVERGING: Final = ("coolwarm", "gwv", "bwy", "cwr", "bky", "bkr", "bjy")
_CYCLIC: Final = ("colorwheel", "cyclic_isoluminant")
_BLIND_SAFE: Final = {"cbl1": "CET_CBL1", "cbl2": "CET_CBL2", "cbtl1": "CET_CBTL1", "cbtl2": "CET_CBTL2"}
CATEGORIES: Final = "glasbey_category10"  # the default colours of categories; the page's own
CATEGORICAL: Final = ("glasbey", "glasbey_light", "glasbey_dark", "glasbey_category10")
_SOURCES: Final = {name: name for name in (*_SEQUENTIAL, *_DIVERGING, *_CYCLIC)} | _BLIND_SAFE
NAMES: Final = (*_SOURCES, *MATPLOTLIB, *CATEGORICAL)
"""In the order of the page's menu; categorical ones, whose colours have no order, last."""


def canonical(name: object) -> str:
    """The name in `NAMES` of a map under any name it has in colorcet, matplotlib or Bokeh, in any case of letters:
    "linear_kryw_0_100_c71" and "CET_L3" are "fire", "grey" is "gray", "Viridis256" is "viridis".

    Raises BadInput for another name; a map of other colours is never taken in its place.
    """
    found = aliases().get(name.casefold()) if isinstance(name, str) else None
    if found is None:
        text = str(name)[:60]
        raise BadInput(f"cmap is one of {', '.join(NAMES)}, got {text!r}.{hint(text, list(NAMES))}", "cmap", text)
    return found


@cache
def aliases() -> dict[str, str]:
    """Every name of every map, in lower case, with its name in `NAMES`."""
    table = {"grey": "gray", "dimgrey": "dimgray"} | {f"{name}256": name for name in MATPLOTLIB}
    maps: Any = colorcet.palette
    offered = {tuple(maps[_SOURCES.get(name, name)]): name for name in (*_SOURCES, *CATEGORICAL)}
    for other, colours in maps.items():
        if (name := offered.get(tuple(colours))) is not None:
            table[other.casefold()] = name
    return table | {name.casefold(): name for name in NAMES}


@cache
def lut(name: str) -> npt.NDArray[np.uint8]:
    """The colours of a map, (256, 3) uint8, from the low end up. BadInput for an unknown name."""
    name = canonical(name)
    if name in MATPLOTLIB:
        table = np.frombuffer(bytes.fromhex(MATPLOTLIB[name]), np.uint8).reshape(256, 3)
    else:
        colours: Any = colorcet.palette[_SOURCES.get(name, name)]
        table = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours], np.uint8)
    table.flags.writeable = False
    return table


def body() -> bytes:
    """The body of a hello: 768 bytes for each of `NAMES`, in order."""
    return b"".join(lut(name).tobytes() for name in NAMES)
