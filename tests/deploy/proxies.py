"""nginx and Caddy as real processes, with the configurations of deploy/ as they are but for ports, names and files."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

from ..patience import PATIENCE, until
from ..server.certificates import Certificates
from ..server.running import Answer, asked

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"

_MAIN = """daemon off;
pid nginx.pid;
error_log stderr warn;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include {included};
}}
"""


@dataclass(frozen=True)
class Front:
    """A proxy that listens, and what a browser needs to believe its certificate."""

    port: int
    trust: ssl.SSLContext
    plain: int = 0  # the port at which it speaks HTTP

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/"

    def connection(self) -> HTTPSConnection:
        """A connection that is not open yet."""
        return HTTPSConnection("localhost", self.port, timeout=PATIENCE, context=self.trust)

    def get(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """One request on a connection of its own."""
        connection = self.connection()
        try:
            return asked(connection, path, method, body, headers)
        finally:
            connection.close()


def program(name: str) -> str:
    """The path of a program that tools/system-packages.sh brings."""
    folders = [str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"]
    found = shutil.which(name, path=os.pathsep.join(folders))
    assert found, f"these tests need {name}: tools/system-packages.sh brings it"
    return found


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def changed(name: str, changes: Mapping[str, str]) -> str:
    """A file of deploy/ with other words in it, each of which has to be there."""
    text = (DEPLOY / name).read_text()
    for old, new in changes.items():
        assert old in text, f"deploy/{name} has no {old!r}"
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, upstream: int, port: int, certificates: Certificates) -> Iterator[Front]:
    """nginx at `port`, in front of a server at `upstream`; it keeps its files in `folder`."""
    plain = free_port()
    changes = {
        "127.0.0.1:5006": f"127.0.0.1:{upstream}",
        "plots.example.org;": "localhost;",
        "listen [::]:80;": "",
        "listen [::]:443 ssl http2;": "",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "/etc/letsencrypt/live/plots.example.org/fullchain.pem": str(certificates.certificate),
        "/etc/letsencrypt/live/plots.example.org/privkey.pem": str(certificates.key),
        "/var/cache/nginx/bigviz": str(folder / "cache"),
    }
    (folder / "bigviz.conf").write_text(changed("nginx.conf", changes))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_MAIN.format(user=user, included=folder / "bigviz.conf"))
    command = [program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    with _running(command, folder, port):
        yield Front(port, certificates.trusting(), plain)


@contextmanager
def caddy(folder: Path, upstream: int, port: int, certificates: Certificates) -> Iterator[Front]:
    """Caddy at `port`, in front of a server at `upstream`; it keeps its files in `folder`."""
    site = f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n\nhttps://localhost:{port} {{\n"
    site += f"\tbind 127.0.0.1\n\ttls {certificates.certificate} {certificates.key}\n"
    changes = {"plots.example.org {\n": site, "127.0.0.1:5006": f"127.0.0.1:{upstream}"}
    (folder / "Caddyfile").write_text(changed("Caddyfile", changes))
    command = [program("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with _running(command, folder, port):
        yield Front(port, certificates.trusting())


PROXIES: Mapping[str, Callable[..., AbstractContextManager[Front]]] = {"nginx": nginx, "caddy": caddy}


@contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    """A process, from when it listens until the block ends; what it said is in the error if it ends before."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)

        def listens() -> bool:
            assert process.poll() is None, (folder / "log").read_text()
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", port)) == 0

        try:
            until(listens)
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)
