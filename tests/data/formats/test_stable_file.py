"""What is opened is a regular file and stays the same one, or the error says what happened."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from bigviz.common.errors import BadInput, NotFound, Unreadable
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.open import open as open_table
from tests.old_times import give_old_time

TABLE = pa.table({"x": np.arange(100.0), "y": np.arange(100)})


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    path = tmp_path / "t.parquet"
    pq.write_table(TABLE, path)
    return path


def test_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.parquet")
    with pytest.raises(BadInput, match="is a FIFO"):
        open_table(tmp_path / "pipe.parquet")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/urandom"])
def test_devices_are_refused(path: str, tmp_path: Path) -> None:
    link = tmp_path / "t.parquet"
    link.symlink_to(path)
    for name in (path, link):
        with pytest.raises(BadInput, match="is a character device"):
            open_table(name)


def test_a_socket_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        with pytest.raises((BadInput, Unreadable), match="/s "):
            open_table(tmp_path / "s")


def test_a_file_without_permission(parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(Unreadable, match="permission denied"):
        StableFile.at(str(parquet))


def test_links_are_followed_and_compared(parquet: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.parquet"
    link.symlink_to(parquet)
    dataset = open_table(link)
    assert dataset.column("x").values[99] == 99
    dataset.check()
    other = tmp_path / "other.parquet"
    pq.write_table(TABLE, other)
    link.unlink()
    link.symlink_to(other)
    with pytest.raises(Unreadable, match=r"changed since it was opened.*restart or reopen"):
        dataset.check()


def test_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").symlink_to(tmp_path / "nothing")
    with pytest.raises(NotFound, match=r"t\.parquet"):
        open_table(tmp_path / "t.parquet")


def swap_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def rewrite(path: Path) -> None:
    """The same size and inode; only the time tells."""
    data = path.read_bytes()
    path.write_bytes(data)
    os.utime(path, ns=(1, 1))


def rewrite_with_its_old_time(path: Path) -> None:
    """Other bytes in the middle; size, inode, time, head and tail are as they were."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(status.st_size // 3)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    give_old_time(path, status)


def replace(path: Path) -> None:
    other = path.with_name("other")
    pq.write_table(TABLE, other)
    os.replace(other, path)


@pytest.mark.parametrize("change", [Path.unlink, swap_fifo, truncate, rewrite, rewrite_with_its_old_time, replace])
@pytest.mark.parametrize("kind", ["parquet", "arrow", "arrows"])
def test_a_file_that_changes_keeps_what_was_read(tmp_path: Path, kind: str, change: object) -> None:
    path = tmp_path / f"t.{kind}"
    if kind == "parquet":
        pq.write_table(TABLE, path)
    else:
        with (ipc.new_file if kind == "arrow" else ipc.new_stream)(str(path), TABLE.schema) as writer:
            writer.write_table(TABLE)
    dataset = open_table(path)
    before = dataset.column("x").values
    change(path)  # type: ignore[operator]
    with pytest.raises(Unreadable, match=f"{path} (changed|is gone) since it was opened"):
        dataset.check()
    with pytest.raises(Unreadable, match=f"{path} (changed|is gone) since it was opened"):
        dataset.column("y")
    assert dataset.column("x").values is before
    assert dataset.take(np.array([7]), ["x"])["x"].to_pylist() == [7.0]


def test_a_file_that_changes_while_it_is_read(parquet: Path) -> None:
    file = StableFile.at(str(parquet))
    with pytest.raises(Unreadable, match="changed since"), file.open() as handle:
        handle.read(4)
        rewrite(parquet)


def test_swapping_the_path_while_it_is_opened_never_blocks(parquet: Path) -> None:
    """A loop swaps file and FIFO under the name; every opening ends, with the file or with an error."""
    stop = threading.Event()
    aside = parquet.with_name("aside")
    os.mkfifo(aside)

    def swap() -> None:
        third = parquet.with_name("third")
        while not stop.is_set():
            os.rename(parquet, third)
            os.rename(aside, parquet)
            os.rename(third, aside)

    thread = threading.Thread(target=swap)
    thread.start()
    opened = 0
    try:
        for _ in range(300):
            with suppress(NotFound, BadInput, Unreadable):
                opened += open_table(parquet).num_rows == 100
    finally:
        stop.set()
        thread.join()
    assert opened <= 300


def test_descriptors_are_closed(parquet: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        dataset = open_table(parquet)
        dataset.column("x")
        dataset.check()
    truncate(parquet)
    for _ in range(5):
        with pytest.raises(Unreadable):
            open_table(parquet)
    assert len(os.listdir("/proc/self/fd")) == before


def test_without_dev_fd(parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some containers have no /dev/fd: the file is read through Python then."""
    exists = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: not str(path).startswith("/dev/fd/") and exists(path))
    before = len(os.listdir("/proc/self/fd"))
    assert open_table(parquet).column("x").values.sum() == 4950
    assert len(os.listdir("/proc/self/fd")) == before
