"""Arrays in a body: bytes and back, and bodies of another size."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.wire.arrays import pack_arrays, read_arrays
from bigviz.wire.frames import ProtocolError

DTYPES = tuple(map(np.dtype, ("<i4", "<f8", "u1")))


@pytest.mark.parametrize("length", [0, 1, 2, 7, 8, 9])
def test_arrays_come_back_in_their_dtypes_and_each_begins_at_a_multiple_of_8(length: int):
    random = np.random.default_rng(length)
    arrays = [random.integers(0, 100, length), random.standard_normal(length), random.integers(0, 255, length)]
    body = pack_arrays(arrays, DTYPES)
    assert len(body) == sum((length * dtype.itemsize + 7) // 8 * 8 for dtype in DTYPES)
    for sent, found, dtype in zip(arrays, read_arrays(body, length, DTYPES), DTYPES, strict=True):
        assert found.dtype == dtype and found.tolist() == sent.tolist()


def test_a_body_of_another_size_is_refused():
    body = pack_arrays([np.zeros(3)] * 3, DTYPES)
    for wrong, length in ((body[:-8], 3), (body + bytes(8), 3), (body, 5), (body, 1 << 40)):
        with pytest.raises(ProtocolError, match="rows in a body of"):
            read_arrays(wrong, length, DTYPES)
