"""No secret that was used while a server ran is in what it printed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bigviz.common.web.page_tokens import PageTokens
from bigviz.library.library import Library
from bigviz.library.secrets import new_secret

from ...patience import PATIENCE

PASSWORD = "correct-horse-battery-staple"
FAILING = """
def user_of(asked):
    raise RuntimeError("no login today")
"""


class Served:
    """A server in a process of its own, with what it printed."""

    def __init__(self, directory: Path, *options: str) -> None:
        command = [sys.executable, "-m", "bigviz", "serve", "t.parquet", "--port", "0", "--no-browser", "--log-json"]
        self.process = subprocess.Popen(
            [*command, "--library", "library", *options],
            cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.printed = ""
        while '"event": "loaded"' not in self.printed:
            line = self.process.stdout.readline()
            assert line, self.printed
            self.printed += line
            with suppress(ValueError):
                self.port = json.loads(line).get("port", getattr(self, "port", None))

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, str]:
        """The status of the answer, and the cookie that it sets."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, (answer.headers["Set-Cookie"] or "").partition(";")[0]

    def end(self) -> str:
        """All that it printed."""
        self.process.terminate()
        self.printed += self.process.communicate(timeout=PATIENCE)[0]
        return self.printed


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    pq.write_table(pa.table({"x": [1.0, 2.0], "y": [1.0, 2.0]}), tmp_path / "t.parquet")
    (tmp_path / "company_login.py").write_text(FAILING)
    yield tmp_path


def test_nothing_secret_is_printed(directory: Path):
    with Library.open(directory / "library") as library:
        library.users.add("ada", password=PASSWORD)
        token, link = library.tokens.create("ada", "admin", 1)[1], library.users.make_link("ada")
        expired = library.tokens.create("ada", "admin", 1e-9)[1]
    signing, origin = new_secret(), "https://www.example.org"
    (directory / "secret.txt").write_text(signing)
    page = PageTokens(signing).make("t", origin, 60.0)[0]
    other = PageTokens(new_secret()).make("t", origin, 60.0)[0]
    secrets = [PASSWORD, token, link, expired, "wrong-" + "x" * 37, "wrong-password", "hidden-in-the-query"]
    secrets += [signing, page, other]
    served = Served(directory, "--secret-file", "secret.txt", "--allow-origin", origin)
    try:
        for each, expected in ((page, 200), (other, 401)):
            assert served.ask("/t/", Authorization=f"Bearer {each}", Origin=origin)[0] == expected
            with (
                connect(
                    f"ws://127.0.0.1:{served.port}/t/ws?embed=1",
                    origin=f"http://127.0.0.1:{served.port}",
                    subprotocols=["bigviz", f"bigviz-token.{each}"],  # type: ignore[list-item]
                ) as socket,
                suppress(ConnectionClosed),
            ):
                socket.recv(PATIENCE)
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        assert served.ask("/_/login", "POST", urlencode({"username": "ada", "password": secrets[5]}), **form)[0] == 401
        status, cookie = served.ask("/_/login", "POST", urlencode({"username": "ada", "password": PASSWORD}), **form)
        assert status == 303 and len(cookie) > 43
        secrets.append(cookie.partition("=")[2])
        assert served.ask(f"/_/link/{link}")[0] == 200
        assert served.ask(f"/_/link/{link}", "POST", "")[0] == 303
        for each, expected in ((token, 200), (expired, 401), (secrets[4], 401)):
            assert served.ask("/t/", Authorization=f"Bearer {each}")[0] == expected
        for path in (f"/t/?token={token}&q={secrets[6]}", f"/{token}/", f"/t/layers/0/tilejson.json?x={token}"):
            served.ask(path, Cookie=cookie, Referer=f"http://127.0.0.1:{served.port}/_/link/{link}")
        own = f"http://127.0.0.1:{served.port}"
        with connect(f"ws{own[4:]}/t/ws?token={token}", origin=own, additional_headers={"Cookie": cookie}) as socket:
            socket.send(json.dumps({"op": token, "id": 1}))
            socket.send(token)
            socket.recv(PATIENCE)
        with Library.open(directory / "library") as library:
            library.users.remove("ada")  # the socket and the session end
        assert served.ask("/t/", Cookie=cookie)[0] == 200  # without users it is the operator's again
    finally:
        printed = served.end()
    assert '"event": "request"' in printed
    assert [each for each in secrets if each in printed] == []


def test_what_fails_on_the_way_prints_no_headers(directory: Path):
    served = Served(directory, "--auth", "company_login:user_of")
    try:
        headers = {"Cookie": "bigviz=secret-in-a-cookie", "X_Badge": "secret-in-a-header"}
        assert served.ask("/t/?token=secret-in-a-query", Accept="application/json", **headers)[0] == 401
    finally:
        printed = served.end()
    assert "no login today" in printed and "secret-in" not in printed
