"""An object in a store, or a file on an HTTP server, read by ranges as the one that it was when it was opened."""

from __future__ import annotations

import errno
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Final, Self

import pyarrow as pa

from bigviz.common.byte_cache import ByteCache
from bigviz.common.errors import NotFound, TooLarge, Unreadable
from bigviz.common.threads.waits import wait_for
from bigviz.data.formats.stable_file import Ahead, StableFile
from bigviz.data.remote.address import Address, address_of
from bigviz.data.remote.facts import Facts
from bigviz.data.remote.failures import failure_of, is_changed, is_outside
from bigviz.data.remote.read_ahead import RangeReader
from bigviz.data.remote.stores import store_of
from bigviz.data.remote.transfers import host_of

__all__ = ["ObjectFile"]

_PAGE: Final = 1 << 16
_SMALL: Final = 1 << 22  # what is read outside of announced ranges, such as a footer: kept up to this size
_COPIED: Final = 1 << 23
_OF_FREE: Final = 0.9  # of what is free on a disk copies take no more
_PAGES: Final[ByteCache[memoryview]] = ByteCache(1 << 26)


@dataclass(frozen=True)
class ObjectFile(StableFile):
    """An object as it was when it was first opened: each range must come from the same one.

    The same one means ETag and size; where a server has no ETags, size and time of writing. Each request names the ETag
    (`If-Match`), and each answer is compared, since not all servers look at it. `path` is the address without what may
    be secret in it, and viewers may read it.
    """

    etag: str | None
    address: Address = field(repr=False, compare=False)
    _opened: object = field(default_factory=object, repr=False, compare=False)  # pages are kept for this one alone

    @classmethod
    def at(cls, path: str) -> Self:
        """The object at an address now. Raises `NotFound`, `BadInput` or `Unreadable`."""
        return cls.first_seen(address_of(path))

    @classmethod
    def first_seen(cls, address: Address) -> Self:
        """The same of an address that is taken apart."""
        store = store_of(address.store)

        async def asked() -> tuple[bytes, Facts]:
            try:
                return await store.part(address.key, 0, _PAGE, None)
            except store.errors as error:
                if not is_outside(error):
                    raise
                return b"", Facts(address.key, 0, None, 0)

        head, facts = wait_for(host_of(address.host).ask(address, asked, partial(store.words, address)))
        found = cls.listed(address, facts)
        found._require(head, min(_PAGE, facts.size))
        found._keep(0, head)
        return found

    @classmethod
    def listed(cls, address: Address, facts: Facts) -> Self:
        """The object that a list of its store told of."""
        digest = hashlib.blake2b(f"{address.root}\0{address.key}".encode(errors="surrogateescape"), digest_size=7)
        inode = int.from_bytes(digest.digest())
        return cls(address.shown, -1, inode, facts.size, facts.mtime_ns, facts.mtime_ns, facts.etag, address)

    @property
    def place(self) -> str:
        """The address without what may be secret in it, followed by a digest of what its query names."""
        chosen = self.address.chosen
        return f"{self.path}#{chosen}" if chosen else self.path

    @property
    def host(self) -> str:
        return self.address.host

    @property
    def identity(self) -> list[str | int]:
        """Address, size and ETag; the time of writing where there is no ETag."""
        return [self.place, self.size, self.etag or self.mtime_ns]

    @contextmanager
    def open(self, ahead: Ahead | None = None) -> Iterator[pa.NativeFile]:
        """The object for pyarrow. The ranges of `ahead` are fetched before they are asked for, in blocks.

        Raises `Unreadable` if it is not the same any more, or cannot be read.
        """
        reader = RangeReader(self.size, ahead() if ahead else (), self._ahead, self._pages)
        try:
            with pa.PythonFile(reader, mode="r") as handle:
                yield handle
        except Exception as error:
            if reader.failure is None or error is reader.failure:
                raise
            raise reader.failure from error  # what pyarrow made of it
        finally:
            reader.close()

    @contextmanager
    def descriptor(self) -> Iterator[int]:
        """A copy of all of it in an unnamed temporary file, for readers that take no other. Raises `TooLarge` where
        that would fill the disk."""
        if self.size > _OF_FREE * shutil.disk_usage(tempfile.gettempdir()).free:
            raise self._no_room()
        with tempfile.TemporaryFile(prefix="bigviz-") as copy:
            with self.open(lambda: [(0, self.size)]) as handle:
                while block := handle.read(_COPIED):
                    self._write(copy, block)
            copy.flush()
            copy.seek(0)
            yield copy.fileno()

    def check(self) -> None:
        """Raise `Unreadable` if it is not the same any more, or cannot be asked for."""
        if self.size:
            self._fetch(0, 1)

    def _fetch(self, start: int, stop: int) -> bytes:
        """Bytes of the same object, from the store."""
        return wait_for(host_of(self.address.host).ask(self.address, partial(self._part, start, stop), self._words))

    def _ahead(self, start: int, stop: int) -> Future[bytes]:
        """The same of bytes that are needed later."""
        return host_of(self.address.host).ask_ahead(self.address, partial(self._part, start, stop), self._words)

    async def _part(self, start: int, stop: int) -> bytes:
        strong = self.etag if self.etag and not self.etag.startswith("W/") else None
        data, facts = await store_of(self.address.store).part(self.address.key, start, stop, strong)
        seen = facts.size, facts.etag, self.mtime_ns if facts.etag else facts.mtime_ns
        if seen != (self.size, self.etag, self.mtime_ns):
            raise self._changed()
        self._require(data, stop - start)
        return data

    def _words(self, error: Exception) -> Exception:
        """What became of the object, for what a request raised."""
        if not isinstance(error, store_of(self.address.store).errors):
            return error
        if is_changed(error) or is_outside(error):
            return self._changed()
        failure = failure_of(error, self.address)
        return self._gone() if isinstance(failure, NotFound) else failure

    def _require(self, data: bytes, size: int) -> None:
        if len(data) != size:
            came = f"{len(data):,}" if len(data) < size else "more"
            raise Unreadable(
                f"{self.path} cannot be read: {size:,} bytes were asked for and {came} came. Its server, or a proxy "
                "before it, is at fault.",
                got=self.path,
            )

    def _pages(self, start: int, stop: int) -> bytes:
        """The same for small parts that are likely to be asked for again: whole pages of them are kept."""
        if stop - start > _SMALL:
            return self._fetch(start, stop)
        first, last = start // _PAGE, -(-stop // _PAGE)
        kept = [_PAGES.get((self._opened, number)) for number in range(first, last)]
        if any(page is None for page in kept):
            data = self._fetch(first * _PAGE, min(last * _PAGE, self.size))
            self._keep(first, data)
        else:
            data = b"".join(page for page in kept if page is not None)
        return data[start - first * _PAGE : stop - first * _PAGE]

    def _keep(self, first: int, data: bytes) -> None:
        for number in range(-(-len(data) // _PAGE)):
            page = data[number * _PAGE : (number + 1) * _PAGE]
            _PAGES.put((self._opened, first + number), memoryview(page))

    def _write(self, copy: IO[bytes], block: bytes) -> None:
        try:
            copy.write(block)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise self._no_room() from error

    def _no_room(self) -> TooLarge:
        return TooLarge(
            f"{self.path} has to be copied to be read ({self.size:,} bytes), and {tempfile.gettempdir()} has no room "
            "for it. Set TMPDIR to a directory that has, or convert it to Parquet, which is read by parts.",
            got=self.path,
        )
