"""What a viewer drew around rows, as JSON, which reads numbers back as they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bigviz.tiles.selection.region import Lasso, Rectangle, Region, Strip

__all__ = ["region_facts", "region_of"]


def region_facts(region: Region) -> dict[str, Any]:
    """A region as JSON."""
    if isinstance(region, Rectangle):
        return {"x": region.x, "y": region.y}
    if isinstance(region, Strip):
        return {"x": region.x}
    if isinstance(region, Lasso):
        return {"vertices": region.polygon.vertices}
    raise TypeError(f"{region!r} is no region that can be sent")


def region_of(facts: Mapping[str, Any]) -> Region:
    """The region that `region_facts` told of."""
    if "vertices" in facts:
        return Lasso.of([(x, y) for x, y in facts["vertices"]])
    x = facts["x"][0], facts["x"][1]
    return Rectangle(x, (facts["y"][0], facts["y"][1])) if "y" in facts else Strip(x)
