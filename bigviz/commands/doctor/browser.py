"""Whether there is a browser that programs can drive: only for `bigviz bench` and the tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from bigviz.commands.bench.browser import INSTALLED, NAMES
from bigviz.commands.doctor.finding import Finding

__all__ = ["browser"]


def browser() -> Iterator[Finding]:
    """The system's Chromium, or playwright, which may bring its own."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if INSTALLED and path:
        yield Finding("browser", "Chromium", path)
        return
    what = "playwright's, if it was installed" if INSTALLED else "not used: playwright is not installed"
    remedy = "Only for `bigviz bench` and tests: pip install 'bigviz[browser]' && playwright install chromium"
    yield Finding("browser", "Chromium", what, "note", remedy)
