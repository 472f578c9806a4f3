"""Arrays with room for a header before them."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.wire.headed_array import with_head, zeros

HEAD = bytes(range(128))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint32, np.float64, "M8[ns]"])
def test_what_has_room_is_not_copied(dtype):
    array = zeros((5, 7), dtype)
    assert array.shape == (5, 7) and array.dtype == dtype and array.flags.c_contiguous and array.flags.writeable
    assert not array.view(np.uint8).any()
    array.view(np.uint8)[:] = 3
    body = with_head(array, HEAD)
    assert bytes(body) == HEAD + array.tobytes()
    array.view(np.uint8)[-1, -1] = 9
    assert body[-1] == 9


WHOLE = zeros((4, 6), np.int32)
WHOLE[:] = np.arange(24).reshape(4, 6)
OTHERS = {
    "without room": np.arange(24, dtype=np.int32).reshape(4, 6),
    "a part": WHOLE[:2],
    "the other way round": WHOLE[::-1],
    "transposed": WHOLE.T,
    "none": np.zeros((4, 0), np.uint32),
    "numbers of 16 bytes": np.arange(3, dtype=np.complex128),
}


@pytest.mark.parametrize("name", OTHERS)
def test_others_are_copied_in_c_order(name: str):
    array, before = OTHERS[name], WHOLE.tobytes()
    assert bytes(with_head(array, HEAD)) == HEAD + array.tobytes()
    assert bytes(with_head(array, HEAD * 2)) == HEAD * 2 + array.tobytes()
    assert WHOLE.tobytes() == before
