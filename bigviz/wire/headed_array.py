"""Arrays that become bodies of files without a copy: there is room for the file's header before their first value.

To put a header before 256 KiB as bytes are joined takes a quarter of a millisecond, in which no other thread of Python
runs.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["with_head", "zeros"]

Array = npt.NDArray[Any]

_ROOM: Final = 128  # bytes: the header of a `.npy` file but for the longest shapes, and a multiple of every alignment


def zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """A C-contiguous array of zeros with room before it."""
    wanted = np.dtype(dtype)
    whole = np.zeros(_ROOM + int(np.prod(shape)) * wanted.itemsize, np.uint8)
    return whole[_ROOM:].view(wanted).reshape(shape)


def with_head(array: Array, head: bytes) -> memoryview:
    """A header and then the values in C order: as they lie in memory where they have room for the header, which is used
    up, and otherwise a copy."""
    whole = array.base
    if not (len(head) == _ROOM and isinstance(whole, np.ndarray) and _is_all_but_the_room(array, whole)):
        whole = np.empty(len(head) + array.nbytes, np.uint8)
        np.copyto(whole[len(head) :].view(array.dtype).reshape(array.shape), array)  # others run meanwhile
    whole[: len(head)] = np.frombuffer(head, np.uint8)
    return whole.data


def _is_all_but_the_room(array: Array, whole: Array) -> bool:
    is_it = whole.dtype == np.uint8 and whole.ndim == 1 and whole.size == _ROOM + array.nbytes
    return is_it and array.flags.c_contiguous and array.ctypes.data == whole.ctypes.data + _ROOM
