"""The golden axes and bars of `tests/golden/axes.json`, which `tests/js/axes/golden-cases.js` writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bigviz.export.axes.axis import Axis

CASES: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).resolve().parents[2] / "golden" / "axes.json").read_text()
)


def axis_of(options: dict[str, Any]) -> Axis:
    column = options["column"]
    return Axis(
        options["kind"],
        options["side"],
        column["column"],
        column["kind"],
        zone=options.get("zone"),
        labels=options.get("categories"),
    )
