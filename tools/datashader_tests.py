"""A pytest plug-in that runs datashader's own tests against bigviz's Canvas: `make test-datashader`."""

from __future__ import annotations

import os
from typing import Any

import datashader

import bigviz


def pytest_configure() -> None:
    """Put bigviz's Canvas in the place of datashader's, before the tests make canvases as they are imported."""
    datashader.Canvas = bigviz.Canvas


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Of some runs at once each takes its share of the tests: `SHARE=0/2` every other one. pytest-xdist cannot deal
    them out, since their names, those of an installed package, are no paths."""
    run, runs = os.environ.get("SHARE", "0/1").split("/")
    items[:] = items[int(run) :: int(runs)]
