"""The labels of colour bars, and the values that they stand for: what the page's own modules make of the same ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bigviz.aggregate.value_kind import ValueKind
from bigviz.export.axes.values import ValueWords
from bigviz.export.png.chrome.colour_bar import labels_of
from bigviz.render.norm import Norm, Percentile

from ..axes.golden_axes import CASES


@pytest.mark.parametrize("case", CASES["bars"], ids=lambda case: f"{case['kind']['kind']} {case['how']}")
def test_labels(case: dict[str, Any]) -> None:
    high = None if case["percentile"] is None else Percentile(case["percentile"])
    norm = Norm(np.array([float(each) for each in case["values"]]), case["how"], None, high, case["counts"])
    assert [norm.low, norm.high] == [float(end) for end in case["ends"]]
    for place, value in case["at"]:
        assert norm.value(place) == pytest.approx(value, rel=1e-11)
    found = labels_of(norm, ValueWords(ValueKind(**case["kind"])), 8, 300, 15)
    assert [label for _, label in found] == [label for _, label in case["labels"]]
    assert [place for place, _ in found] == pytest.approx([place for place, _ in case["labels"]], rel=1e-9)
