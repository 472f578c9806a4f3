"""How many parts of an image's rows have planes of their own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.aggregate.glyphs.image_parts import is_banded, part_count
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


def test_bands_are_for_large_grids_and_for_few_rows_a_cell() -> None:
    screen, rows = 1024 * 768, 10**7
    assert not any(is_banded(rows, screen, parse(text), 2) for text in ("count", "max(v)", "mean(v)"))
    assert not is_banded(rows, 8 * screen, parse("by(k)"), 2)
    assert is_banded(rows, 8 * screen, parse("by(k, mean(v))"), 1)
    assert is_banded(rows, 1 << 25, parse("count"), 1)
    assert is_banded(rows, 1920 * 1080, parse("mean(v)"), 2)  # no part would have four rows a cell
    assert not is_banded(1 << 20, 1 << 25, parse("count"), 2)
