"""The unix socket: who may connect, what is replaced, and that it counts as this machine."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import unix_connect

from bigviz.common.errors import BadInput
from bigviz.document.spec import Document
from bigviz.server.run.unix_socket import UnixSocket
from bigviz.wire.frames import Type, parse

from ...patience import PATIENCE
from ..certificates import Certificates
from ..people import People
from ..running import Running, running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bigviz.sock"


@pytest.fixture(scope="module")
def unix(documents: list[Document], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    path = tmp_path_factory.mktemp("sockets") / "bigviz.sock"
    with running(documents[:1], unix_socket=path, address="0.0.0.0") as found:
        yield found
    assert not path.exists()


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as error:
        UnixSocket(path)
    assert error.value.field == "unix-socket" and str(path) in error.value.message
    return error.value.message


def test_its_user_alone_may_connect_whatever_the_umask_is(path: Path):
    before = os.umask(0)
    try:
        made = UnixSocket(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made.socket.close()


def test_a_socket_that_was_left_behind_is_replaced(path: Path):
    UnixSocket(path).socket.close()
    assert path.is_socket()
    made = UnixSocket(path)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    made.remove()
    made.socket.close()
    assert not path.exists()


def test_one_that_a_server_listens_at_is_refused_and_stays(path: Path):
    made = UnixSocket(path)
    before = path.stat().st_ino
    assert "A server listens at" in refused(path)
    assert path.stat().st_ino == before
    made.socket.close()


def test_one_whose_server_is_too_busy_to_accept_is_refused(path: Path):
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(str(path))
        busy.listen(0)
        clients = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        try:
            for each in clients:
                each.setblocking(False)
                each.connect_ex(str(path))
            assert "A server listens at" in refused(path)
        finally:
            for each in clients:
                each.close()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_socket_is_not_touched(path: Path, kind: str):
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(path.with_name("elsewhere"))
    else:
        path.write_text("precious")
    assert "is no socket" in refused(path)
    assert path.is_dir() if kind == "folder" else path.is_symlink() if kind == "link" else path.read_text()


def test_where_none_can_be_made(tmp_path: Path):
    assert "there is no directory" in refused(tmp_path / "nowhere" / "bigviz.sock")
    assert "too long" in refused(tmp_path / ("x" * 120))


def test_another_servers_socket_is_not_removed(path: Path):
    first = UnixSocket(path)
    path.unlink()
    second = UnixSocket(path)
    first.remove()
    assert path.is_socket()
    for each in (first, second):
        each.socket.close()


def test_whoever_connects_is_the_operator_and_no_address_is_listened_at(unix: Running):
    """`address` names all interfaces, and without users nobody would be let in there."""
    me = json.loads(unix.get("/_/api/me").body)
    assert me["kind"] == "operator" and me["admin"]
    told, path = unix.await_event("listening"), str(unix.server.options.unix_socket)
    assert told == {"url": f"unix:{path}", "unix_socket": path}
    assert unix.server.url == told["url"] and unix.server.port == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "127.0.0.1"}, 200), ({"Host": "[::1]"}, 200), ({"Host": "localhost:5006"}, 403),
        ({"Host": "evil.example"}, 403), ({"X-Forwarded-For": "127.0.0.1"}, 401), ({"Forwarded": "for=_x"}, 401),
    ],
)  # fmt: skip
def test_names_and_proxies_are_told_apart_as_at_a_loopback_address(unix: Running, headers: dict[str, str], status: int):
    assert unix.get("/_/api/me", **headers).status == status


def test_the_websocket(unix: Running):
    path = str(unix.server.options.unix_socket)
    with unix_connect(path, "ws://localhost/points/ws", origin="http://localhost", compression=None) as connection:
        kinds = []
        while Type.HELLO not in kinds:
            kinds.append(parse(connection.recv(PATIENCE)).type)


def test_with_users_nobody_is_the_operator(documents: list[Document], path: Path, tmp_path: Path):
    people = People.at(tmp_path / "library")
    with people.library, running(documents[:1], library=people.library, unix_socket=path) as server:
        assert server.get("/_/api/me").status == 401
        assert json.loads(server.get("/_/api/me", **people.bearer("viewer")).body)["user"] == "viewer"


def test_a_proxy_at_the_socket_is_trusted_as_one_at_127_0_0_1(documents: list[Document], path: Path):
    options = {"allow_anonymous": True, "trusted_proxies": ["127.0.0.1"], "allow_hosts": ["plots.example.org"]}
    with running(documents[:1], unix_socket=path, **options) as server:
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "plots.example.org"}
        answer = json.loads(server.get("/points/layers/0/tilejson.json", **headers).body)
        assert answer["tiles"][0].startswith("https://plots.example.org/points/")


def test_tls_is_for_addresses(documents: list[Document], path: Path, certificates: Certificates):
    options = {"unix_socket": path, **certificates.options}
    with pytest.raises(BadInput, match="--certificate is for"), running(documents[:1], **options):
        pass
    assert not path.exists()
