from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa
import pytest

from bigviz.common.errors import Unreadable
from bigviz.data.remote import read_ahead
from bigviz.data.remote.read_ahead import RangeReader, blocks_of

POOL = ThreadPoolExecutor(8)
DATA = random.Random(5).randbytes(100_000)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "_BLOCK", 1_000)
    monkeypatch.setattr(read_ahead, "_HOLE", 300)


def begun(fetch: Callable[[int, int], bytes]) -> Callable[[int, int], Future[bytes]]:
    return lambda start, stop: POOL.submit(fetch, start, stop)


def test_blocks_cover_the_ranges_and_little_else():
    rng = random.Random(1)
    for _ in range(60):
        size = rng.randrange(1, 20_000)
        ranges = [
            (start := rng.randrange(-10, size + 10), start + rng.randrange(3_000)) for _ in range(rng.randrange(9))
        ]
        blocks = blocks_of(ranges, size)
        wanted = {at for start, stop in ranges for at in range(max(0, start), min(size, stop))}
        held = [at for start, stop in blocks for at in range(start, stop)]
        assert held == sorted(set(held)) and wanted <= set(held) <= set(range(size))
        assert all(0 < stop - start <= 1_000 for start, stop in blocks)
        runs = [at for at in held if at not in wanted]
        assert len(runs) <= 300 * len(ranges)


def test_what_is_read_is_what_is_there():
    rng = random.Random(2)
    asked: list[tuple[int, int]] = []

    def fetch(start: int, stop: int) -> bytes:
        asked.append((start, stop))
        return DATA[start:stop]

    for _ in range(50):
        ahead = [(start := rng.randrange(100_000), start + rng.randrange(9_000)) for _ in range(rng.randrange(5))]
        handle = pa.PythonFile(RangeReader(len(DATA), ahead, begun(fetch), fetch), mode="r")
        assert handle.size() == len(DATA)
        for _ in range(30):
            start = rng.choice([rng.randrange(100_001), *(begin for begin, _ in ahead)])
            count = rng.randrange(5_000)
            assert handle.read_at(count, start) == DATA[start : start + count]
        handle.seek(99_990)
        assert handle.read(100) == DATA[99_990:] and handle.read(1) == b""
        handle.close()
    assert all(0 <= start < stop <= len(DATA) for start, stop in asked)


def test_announced_blocks_are_under_way_while_one_is_awaited():
    asked = threading.Semaphore(0)
    go = threading.Event()

    def fetch(start: int, stop: int) -> bytes:
        asked.release()
        go.wait()
        return DATA[start:stop]

    reader = RangeReader(len(DATA), [(0, 50_000)], begun(fetch), fetch)
    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.append(reader.read(500)))
    thread.start()
    for _ in range(4):
        asked.acquire()  # one that was asked for, and three ahead
    go.set()
    thread.join()
    assert found == [DATA[:500]]
    reader.close()


def test_the_first_failure_is_kept_and_raised_again():
    def fetch(start: int, stop: int) -> bytes:
        raise Unreadable(f"no {start}")

    reader = RangeReader(len(DATA), [(0, 500)], begun(fetch), fetch)
    with pytest.raises(Unreadable, match="no 0"):
        reader.read(10)
    reader.seek(5_000)
    with pytest.raises(Unreadable, match="no 5000"):
        reader.read(10)
    assert reader.failure is not None and reader.failure.message == "no 0"
