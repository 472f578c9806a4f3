"""How many parts of an image's rows have planes of their own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.aggregate.glyphs.image_parts import part_count
from bigviz.aggregate.reductions.parse import parse


@pytest.mark.parametrize("text", ["count", "max(v)", "mean(v)", "by(k, sum(v))"])
@given(rows=st.integers(0, 1 << 32), cells=st.integers(1, 1 << 28), threads=st.integers(1, 256))
def test_parts_pay_for_their_planes(text: str, rows: int, cells: int, threads: int) -> None:
    reduction = parse(text)
    count = part_count(rows, cells, reduction, threads)
    assert count == 1 or (2 * rows >= count * cells and count * cells <= 1 << 27)
    if reduction.traits.float_order:
        assert count == part_count(rows, cells, reduction, 1) <= 8
    else:
        assert count <= threads
