"""A pytest plug-in that runs datashader's own tests against bigviz's Canvas: `make test-datashader`."""

from __future__ import annotations

import datashader

import bigviz


def pytest_configure() -> None:
    """Put bigviz's Canvas in the place of datashader's, before the tests make canvases as they are imported."""
    datashader.Canvas = bigviz.Canvas
