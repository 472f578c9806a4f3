"""Those who ask and read nothing, over real sockets."""

from __future__ import annotations

import gc
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import ref

import pytest

from bench.load.socket import Opcode, frame_of
from bigviz.server.limits import Limits

from ...patience import PATIENCE, until
from ..running import Running, running
from ..wire import Browser

STALLED = Limits(stalled_seconds=0.5)


@pytest.fixture(scope="module")
def strict(documents) -> Iterator[Running]:
    """A server that cuts off soon."""
    with running(documents[:1], limits=STALLED) as found:
        yield found


@contextmanager
def connected(server: Running, receive_bytes: int) -> Iterator[socket.socket]:
    """A websocket whose kernel has room for so many bytes."""
    host = f"127.0.0.1:{server.server.port}"
    lines = ["GET /points/ws HTTP/1.1", f"Host: {host}", f"Origin: http://{host}", "Upgrade: websocket"]
    lines += ["Connection: Upgrade", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13"]
    with socket.socket() as raw:
        raw.settimeout(PATIENCE)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        raw.connect(("127.0.0.1", server.server.port))
        raw.sendall("\r\n".join([*lines, "", ""]).encode())
        yield raw


def asked(server: Running, level: int) -> bytes:
    """A message that asks for all tiles of a level."""
    with Browser(server.url, "points") as other:
        other.layer()
        tiles = [[level, level, i, j] for i in range(1 << level) for j in range(1 << level)]
        layers = [{"layer": 0, "definition": other.definition(), "tiles": tiles}]
    return frame_of(Opcode.TEXT, json.dumps({"op": "view", "id": 1, "figure": 0, "layers": layers}).encode())


def test_one_who_reads_nothing_is_cut_off_and_all_that_waited_is_let_go(strict: Running):
    message = asked(strict, 4)
    with connected(strict, 4_096) as raw:
        assert raw.recv(12) == b"HTTP/1.1 101"
        (viewer,) = strict.on_loop(lambda: list(strict.server.site.viewers))
        while b"dataset" not in raw.recv(4_096):  # in hello: nothing may be sent before
            pass
        raw.sendall(message)
        strict.await_event("disconnected", document="points", code=4008)
        with pytest.raises(ConnectionResetError):
            while raw.recv(1 << 16):
                pass
    assert not strict.on_loop(lambda: strict.server.site.lookout._watched)
    gone = ref(viewer)
    del viewer
    until(lambda: strict.on_loop(gc.collect) >= 0 and gone() is None)  # once the last of its tasks has ended
    assert not strict.on_loop(lambda: strict.server.site.viewers)
    assert 'closed_total{code="4008"} 1.0' in strict.get("/metrics").body.decode()


def test_one_whose_machine_takes_all_in_costs_nothing_and_stays(strict: Running):
    """It reads nothing but the greeting, and its kernel has room for a tile."""
    message = asked(strict, 0)
    site = strict.server.site
    with connected(strict, 1 << 20) as raw:
        assert raw.recv(12) == b"HTTP/1.1 101"
        while b"dataset" not in raw.recv(4_096):
            pass
        (viewer,) = strict.on_loop(lambda: list(site.viewers))
        before = viewer.outbox.sent
        raw.sendall(message)
        until(lambda: strict.on_loop(lambda: viewer.outbox.sent > before and site.lookout._timer is None))
        assert strict.on_loop(lambda: viewer.transport.unread()) == 0
        assert viewer in site.viewers


def test_one_who_asks_on_and_answers_no_ping_is_counted_too(documents):
    """It reads, and says something more often than it is pinged."""
    cancel = frame_of(Opcode.TEXT, b'{"op": "cancel", "id": 1, "figure": 0}')
    with running(documents[:1], limits=Limits(ping_seconds=0.2)) as server, connected(server, 1 << 20) as raw:
        raw.settimeout(0.05)
        closing = bytes([0x80 | Opcode.CLOSE])
        received = b""
        while closing + b"\x10\x03\xe8ping timed out" not in received:
            raw.sendall(cancel)
            try:
                received = received[-100:] + raw.recv(1 << 16)
            except TimeoutError:
                continue
        raw.close()
        server.await_event("disconnected", document="points", code=4008)
