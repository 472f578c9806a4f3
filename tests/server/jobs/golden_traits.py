"""The golden traits of `tests/golden/traits.json`: what a `layer` answer says of the planes of each reduction.

python -m tests.server.jobs.golden_traits         # writes the file anew
"""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from bigviz.aggregate.reductions.parse import parse
from bigviz.aggregate.value_kind import value_kind
from bigviz.data.open import open as open_source
from bigviz.server.jobs.layer_json import traits_answer

FILE = Path(__file__).resolve().parents[2] / "golden" / "traits.json"
TABLE = pa.table(
    {
        "v": pa.array([1.5], pa.float32()),
        "n": pa.array([1], pa.int16()),
        "u": pa.array([2**64 - 1], pa.uint64()),
        "cost": pa.array([Decimal("1.25")], pa.decimal128(9, 2)),
        "b": pa.array([True]),
        "t": pa.array([0], pa.timestamp("s", "Europe/Paris")),
        "day": pa.array([datetime.date(2026, 1, 1)], pa.date32()),
        "clock": pa.array([0], pa.time64("us")),
        "took": pa.array([0], pa.duration("ms")),
        "k": pa.array(["a"]),
    }
)
AGGS = (
    "count", "count(v)", "any", "any(k)", "sum(v)", "sum(n)", "sum(b)", "sum(cost)", "sum(took)", "mean(v)",
    "mean(n)", "mean(t)", "mean(day)", "mean(clock)", "mean(took)", "min(v)", "max(u)", "max(b)", "max(cost)",
    "first(n)", "last(v)", "min(t)", "max(day)", "first(clock)", "last(took)", "by(k)", "by(k, any)", "by(k, sum(n))",
    "by(k, mean(v))", "by(k, mean(t))", "by(k, min(v))", "by(k, max(t))", "by(k, first(v))",
)  # fmt: skip


def traits() -> dict[str, Any]:
    """AGG -> its traits, over the columns of `TABLE`."""
    dataset = open_source(TABLE)
    found = {agg: parse(agg) for agg in AGGS}
    return {agg: traits_answer(each, value_kind(each, dataset)) for agg, each in found.items()}


def text() -> str:
    lines = [f"{json.dumps(agg)}: {json.dumps(each)}" for agg, each in traits().items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(text())
