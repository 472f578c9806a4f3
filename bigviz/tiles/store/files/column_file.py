"""Files of one column: Arrow IPC files of one record batch, written around a hole, filled in any order, then mapped.

Any Arrow reader opens them. The body is the column's numbers as they are in memory, so a position in the file follows
from a position in the column.
"""

from __future__ import annotations

import errno
import mmap
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc as ipc

from bigviz.common.errors import Unreadable
from bigviz.common.jit import frozen
from bigviz.data.columns.arrow_arrays import fixed_view

__all__ = ["ColumnFile", "map_column", "write_column"]

Array = npt.NDArray[Any]


class ColumnFile:
    """A column of `rows` numbers that is being written; `shift` rows more have room after it until `finish`.

    Made if it is not there or has another size, else continued: what was written stays, finished or not. Raises
    OSError, at once if the disk has no room for all of it.
    """

    def __init__(self, path: Path, dtype: np.dtype[Any], rows: int, shift: int = 0) -> None:
        self.path, self.dtype, self.rows = path, dtype, rows
        self._head, self._tail = _around(dtype, rows)
        size = len(self._head) + (rows + shift) * dtype.itemsize
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            finished = self._place(rows) + len(self._tail)
            if os.fstat(self._descriptor).st_size not in (size, finished):
                os.ftruncate(self._descriptor, 0)
                _allocate(self._descriptor, size)
            _write_all(self._descriptor, self._head, 0)
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._descriptor)

    def write(self, start: int, values: Array) -> None:
        """Put numbers, contiguous and of the column's dtype, at the rows from `start` on. Any thread may."""
        _write_all(self._descriptor, values.view(np.uint8).data, self._place(start))

    def read(self, start: int, out: Array) -> None:
        """Fill `out` with the numbers from `start` on. Any thread may."""
        view = out.view(np.uint8).data
        at, done = self._place(start), 0
        while done < len(view):
            got = os.preadv(self._descriptor, [view[done:]], at + done)
            if got == 0:
                raise Unreadable(f"{self.path} is shorter than it was written.", got=str(self.path))
            done += got

    def sync(self) -> None:
        """Bring what was written to the disk."""
        os.fdatasync(self._descriptor)

    def finish(self, rows: int | None = None) -> None:
        """Make it an Arrow file of `rows` numbers (default: all, without the room after them)."""
        if rows is not None and rows != self.rows:
            self.rows = rows
            # The head of no rows is the whole file, and the only one of another length.
            self._head, self._tail = _around(self.dtype, rows)
            _write_all(self._descriptor, self._head, 0)
        end = self._place(self.rows)
        os.ftruncate(self._descriptor, end)
        _write_all(self._descriptor, self._tail, end)

    def _place(self, row: int) -> int:
        return len(self._head) + row * self.dtype.itemsize


def write_column(path: Path, values: Array) -> None:
    """Write a column that is in memory."""
    with ColumnFile(path, values.dtype, len(values)) as file:
        if len(values):
            file.write(0, np.ascontiguousarray(values))
        file.finish()


def map_column(path: Path, dtype: np.dtype[Any]) -> Array:
    """The numbers of a file that bigviz wrote, mapped and read-only. Raises Unreadable if it holds something else."""
    try:
        batch = ipc.open_file(pa.memory_map(str(path))).get_batch(0)
        column = batch.column(0)
    except (OSError, ValueError, IndexError, pa.ArrowException) as error:
        raise Unreadable(f"{path} is damaged: {error}.", got=str(path)) from error
    if batch.num_columns != 1 or column.type != _arrow_type(dtype) or column.null_count:
        raise Unreadable(f"{path} is damaged: it does not hold {dtype} numbers.", got=str(path))
    return frozen(fixed_view(column, dtype))


def _arrow_type(dtype: np.dtype[Any]) -> pa.DataType:
    return pa.from_numpy_dtype(dtype)


class _Hole:
    """A sink that keeps what is written before and after the column, which pyarrow passes on as a buffer."""

    def __init__(self) -> None:
        self.parts = [b""]
        self.closed = False
        self._at = 0

    def write(self, data: pa.Buffer | bytes) -> int:
        if isinstance(data, pa.Buffer):
            self.parts.append(b"")
        else:
            self.parts[-1] += data
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def _around(dtype: np.dtype[Any], rows: int) -> tuple[bytes, bytes]:
    """What comes before and after the numbers in an Arrow file of one column."""
    # Memory that is never touched and cannot be written to, so it may be larger than the machine's.
    held = mmap.mmap(-1, max(rows * dtype.itemsize, 1), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ)
    column = pa.Array.from_buffers(_arrow_type(dtype), rows, [None, pa.py_buffer(held)], null_count=0)
    sink = _Hole()
    options = ipc.IpcWriteOptions(allow_64bit=True)  # for more than 2^31 - 1 rows
    with ipc.new_file(pa.PythonFile(sink, mode="w"), pa.schema([("column", column.type)]), options=options) as writer:
        writer.write_batch(pa.record_batch([column], names=["column"]))
    return sink.parts[0], b"".join(sink.parts[1:])


def _allocate(descriptor: int, size: int) -> None:
    """Reserve a file's blocks, so that a full disk is noticed now; some file systems cannot."""
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise
        os.ftruncate(descriptor, size)


def _write_all(descriptor: int, data: bytes | memoryview, at: int) -> None:
    view = memoryview(data)
    while len(view):
        done = os.pwrite(descriptor, view, at)
        view, at = view[done:], at + done
