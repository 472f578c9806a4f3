"""A `layer` answer: what it says of a plane's cells, and whole numbers to their last digit."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.server.jobs.layer_json import layer_answer, tilejson_facts
from bigviz.tiles.engine import Engine

from . import golden_traits as golden

NO_TIMES = False, False
SAFE = 2**53 - 1


def test_the_golden_traits_are_what_the_code_sends():
    assert golden.FILE.read_text() == golden.text()


def test_values_are_told_as_what_their_column_holds():
    traits = golden.traits()
    kinds = {agg: traits[agg]["value"]["kind"] for agg in ("count", "any", "sum(n)", "sum(v)", "mean(n)", "max(cost)")}
    assert kinds == {
        "count": "integer",
        "any": "bool",
        "sum(n)": "integer",
        "sum(v)": "float",
        "mean(n)": "float",
        "max(cost)": "decimal",
    }
    stamp = {"kind": "timestamp", "type": "timestamp[s, tz=Europe/Paris]", "unit": "s", "zone": "Europe/Paris"}
    assert traits["min(t)"]["value"] == traits["by(k, max(t))"]["value"] == stamp
    assert [traits[agg]["value"]["unit"] for agg in ("max(day)", "first(clock)", "last(took)")] == ["D", "us", "ms"]


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (0, 99),
        (-SAFE, SAFE),
        (SAFE - 99, SAFE + 1),
        (1_700_000_000_000_000_001, 1_700_000_000_000_000_100),
        (-(2**63), -(2**63) + 3),
        (2**64 - 100, 2**64 - 1),
    ],
)
def test_whole_numbers_keep_their_last_digit(low: int, high: int) -> None:
    ends = pa.array([low, high], pa.uint64() if high >= 2**63 else pa.int64())
    info = Engine().info(bv.open(pa.table({"x": ends, "y": [0.5, 1e300]})), Layer("points", "x", "y"))
    answer = json.loads(json.dumps(layer_answer(info, NO_TIMES)))
    for key, exact in (("range", (low, high)), ("extent", (info.root_x.start, info.root_x.stop))):
        got = answer[key][0], answer[key][2]
        assert tuple(map(int, got)) == exact
        assert [isinstance(end, str) for end in got] == [abs(end) > SAFE for end in exact]
        assert np.isfinite(answer[key][1]), "floats stay numbers, however large"
    told = json.loads(json.dumps(tilejson_facts(info, NO_TIMES, "complete")))
    assert (told["range"][0], told["range"][2]) == (low, high)
    assert (told["extent"][0], told["extent"][2]) == (info.root_x.start, info.root_x.stop)
