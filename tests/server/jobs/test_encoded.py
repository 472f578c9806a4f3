"""A line's columns on the wire: those that a page has already are not sent again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bigviz.server.jobs.encoded import LaidColumns, columns_update
from bigviz.tiles.interface import Cost
from bigviz.wire.columns import read_columns
from bigviz.wire.frames import Type, frames, parse

rows = st.lists(
    st.tuples(st.integers(-1, 2), st.integers(0, 1), st.integers(0, 2), st.just(0.5), st.sampled_from([0.0, 1.5]))
)
TYPES = (np.int32, np.int32, np.int64, np.float64, np.float64)


def laid(of: list[tuple[float, ...]]) -> LaidColumns:
    columns = zip(*of, strict=True) if of else [()] * 5
    arrays = tuple(np.array(each, kind) for each, kind in zip(columns, TYPES, strict=True))
    return LaidColumns(arrays, 0, 0, 2, [], Cost())


@given(rows, rows, st.integers(0, 5))
def test_a_page_has_the_new_columns_after_those_that_it_kept(before, more, cut):
    old, new = laid(before), laid(before[:cut] + more)
    sent = columns_update(new, old)
    (frame,) = frames(Type.COLUMNS, sent.parts, sequence=1, epoch=1)
    message = read_columns([parse(frame)])
    kept = message.info.get("kept", 0)
    assert kept >= min(cut, len(before))
    got = (message.column, message.run, message.row, message.x, message.y)
    for has, came, want in zip(old.arrays, got, new.arrays, strict=True):
        np.testing.assert_array_equal(np.concatenate([has[:kept], came]), want)


def test_columns_from_another_origin_or_of_another_type_are_sent_whole():
    old = laid([(0, 0, 0, 0.5, 1.5)] * 3)
    wide = replace(old, arrays=(*old.arrays[:4], old.arrays[4].astype(np.int64)))
    for other in (replace(old, xorigin=1), replace(old, yorigin=-1), wide):
        assert old.kept(other) == 0
    assert old.kept(old) == 3
