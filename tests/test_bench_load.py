"""Viewers of `bench/load`: their frames, their walks, and how their work is divided; a few of them look at a server."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from websockets.frames import Frame
from websockets.frames import Opcode as Theirs

import bigviz as bv
from bench.load.__main__ import table
from bench.load.clients import Job, Outcome, Process
from bench.load.crowd import job_of, merged, shared
from bench.load.machine import sources
from bench.load.pressing import Skipper
from bench.load.socket import Opcode, Reader, frame_of, head_of
from bench.load.walks import home_view, walk
from bench.report import Figure
from bigviz.commands.bench.window import Window, tiles
from bigviz.wire.frames import Type, frames, json_parts

from .patience import PATIENCE

DEFINITION = {"dataset": "rows", "glyph": "points", "x": "x", "y": "y", "agg": "count", "root": "default"}
DEFINITION |= {"xaxis": "linear", "yaxis": "linear"}
HOME = Window(-2.0, 2.0, -2.0, 2.0)
ROOTS = ((-2.0, 2), (-2.0, 2))
ROWS = [(0.1, 0.2), (-1.5, 1.5), (1.9, -0.3)]


def sent(frame: bytes) -> tuple[int, bytes]:
    """What another library reads of a client's frame."""
    rest = bytearray(frame)

    def exactly(count: int):
        taken = bytes(rest[:count])
        assert len(taken) == count
        del rest[:count]
        return taken
        yield

    parsing = Frame.parse(exactly, mask=True)
    with pytest.raises(StopIteration) as ended:
        next(parsing)
    assert not rest
    return ended.value.value.opcode, bytes(ended.value.value.data)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_frames_are_what_another_library_reads(size: int):
    payload = bytes(number % 251 for number in range(size))
    assert sent(frame_of(Opcode.TEXT, payload)) == (Theirs.TEXT, payload)


@pytest.mark.parametrize("piece", [1, 3, 1 << 20])
def test_a_reader_takes_any_pieces(piece: int):
    payloads = [(Theirs.BINARY, b"x" * size) for size in (0, 125, 126, 70_000)] + [(Theirs.PING, b"?")]
    data = b"".join(Frame(opcode, payload).serialize(mask=False) for opcode, payload in payloads)
    reader = Reader()
    found = [frame for at in range(0, len(data), piece) for frame in reader.feed(data[at : at + piece])]
    assert found == [(int(opcode), payload) for opcode, payload in payloads]


@pytest.mark.parametrize("piece", [1, 3, 1 << 20])
def test_a_skipper_sees_how_frames_begin(piece: int):
    payloads = [(Theirs.BINARY, bytes([size % 251]) * size) for size in (0, 4, 125, 126, 70_000)]
    payloads += [(Theirs.PING, b"longer than is looked at"), (Theirs.BINARY, b"BVZ1.")]
    data = b"".join(Frame(opcode, payload).serialize(mask=False) for opcode, payload in payloads)
    skipper = Skipper()
    found = [each for at in range(0, len(data), piece) for each in skipper.feed(memoryview(data)[at : at + piece])]
    assert found == [(opcode, load if opcode == Theirs.PING else load[:5]) for opcode, load in payloads]


def test_the_head_of_a_frame():
    (frame,) = frames(Type.DONE, json_parts({}), sequence=1, epoch=7, request=123_456, layer=5, figure=9)
    assert head_of(frame) == (Type.DONE, 123_456)
    with pytest.raises(ValueError, match="at least"):
        head_of(frame[:20])


def test_a_walk_asks_for_what_a_page_lacks():
    messages = [json.loads(text) for text in walk(DEFINITION, HOME, ROOTS, ROWS, 60, seed=1)]
    views = [(tiles(Window(**layer["window"]), *ROOTS), layer["tiles"]) for m in messages for layer in m["layers"]]
    assert len(views) == 60
    had: set[tuple[int, ...]] = set()
    for number, (shown, asked) in enumerate(views):
        wanted = [tuple(each) for each in asked]
        assert wanted and set(wanted) <= set(shown)
        if number < 15:  # at the first place, about
            assert wanted == [key for key in shown if key not in had]
        had.update(wanted)
    assert walk(DEFINITION, HOME, ROOTS, ROWS, 60, seed=1) == [json.dumps(message) for message in messages]
    assert walk(DEFINITION, HOME, ROOTS, ROWS, 60, seed=2) != [json.dumps(message) for message in messages]


def test_a_job_is_divided_among_processes():
    job = replace(job_of("stay", "http://127.0.0.1:5006/a%20b/", 401, rate=90.0), messages=[["a"], ["b"], ["c"]])
    assert (job.port, job.path) == (5006, "/a%20b/ws")
    parts = shared(job, 2)
    assert [part.count for part in parts] == [201, 200] and [part.rate for part in parts] == [45.0, 45.0]
    assert [part.messages for part in parts] == [[["a"], ["c"]], [["b"]]]
    assert not set(parts[0].sources) & set(parts[1].sources)
    assert [part.rate for part in shared(replace(job, kind="views"), 2)] == [90.0, 90.0]


def test_no_address_has_more_viewers_than_a_server_takes():
    for viewers in (1, 150, 151, 10_000):
        found = sources(viewers)
        assert len(set(found)) == len(found) and -(-viewers // len(found)) <= 150
        assert all(0 < int(each.split(".")[3]) < 255 for each in found)


def test_outcomes_are_added_up():
    one = Outcome({"101": 2}, 2, [1.0], replaced=1, failed=2, dropped=3)
    assert merged([one, Outcome({"101": 1, "503": 1}, 1, [2.0])]) == Outcome(
        {"101": 3, "503": 1}, 3, [1.0, 2.0], replaced=1, failed=2, dropped=3
    )


def test_the_table_says_what_is_kept():
    rows = table([Figure("a", "ms", [3.0], "max", 2.0), Figure("b", "", [0], "max", 0), Figure("c", "s", [1.0])])
    assert [line.split() for line in rows.splitlines()[1:]] == [
        ["a", "3", "ms", "2", "ms", "NO"],
        ["b", "0", "0", "yes"],
        ["c", "1", "s"],
    ]


@pytest.mark.parametrize("kind", ["stay", "first", "views", "churn"])
def test_viewers_of_a_real_server(kind: str):
    rows = {"x": [number / 50 - 2 for number in range(200)], "y": [0.0, 1.0] * 100}
    plot = bv.document(bv.figure().points(bv.open(rows, name="rows"), x="x", y="y"), id="plot")
    handle = bv.serve(plot, port=0, block=False, quiet=True)
    messages = [[home_view(DEFINITION, HOME, ROOTS)] * 2]
    try:
        outcome = asyncio.run(asyncio.wait_for(looked(job_of(kind, handle.url, 3), messages), PATIENCE))
    finally:
        handle.stop()
    assert outcome["statuses"] == {"101": 3} and outcome["greeted"] == 3 and not outcome["failed"]
    assert outcome["dropped"] == 0
    answered = len(outcome["milliseconds"]) + outcome["replaced"]
    assert answered == {"stay": 0, "first": 3, "views": 6, "churn": 0}[kind]


async def looked(job: Job, messages: list[list[str]]) -> dict[str, object]:
    process = Process(replace(job, messages=messages, rate=20.0, seconds=0.1))
    await process.arrive()
    await process.work()
    await process.leave()
    return process.outcome
