"""What is believed of proxies, and of whom it is believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bigviz.common.errors import BadInput
from bigviz.document.spec import Document
from bigviz.library.library import Library
from bigviz.server.access.proxies import Proxies, is_forwarded, stripped_prefix

from ..running import Running, running
from ..wire import Browser
from .requests import request

PROXIES = Proxies.of(["10.0.0.5", "192.168.0.0/16", "::1"])


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.0.0.5", True), ("10.0.0.50", False), ("10.0.0.6", False), ("192.168.7.7", True), ("::1", True),
        ("127.0.0.1", False), ("", False), ("10.0.0.5.evil.example", False),
    ],
)  # fmt: skip
def test_addresses_are_compared_as_addresses(address: str, trusted: bool):
    assert PROXIES.trusts(address) is trusted


@pytest.mark.parametrize("text", ["proxy.example.org", "10.0.0.0/33", "", "10.0.0.5/24"])
def test_what_is_no_address(text: str):
    with pytest.raises(BadInput, match="--trusted-proxy"):
        Proxies.of([text])


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9", "203.0.113.9"),  # the first was written by the client
        ("203.0.113.9, 192.168.1.1", "203.0.113.9"),
        ("127.0.0.1, 203.0.113.9, 192.168.1.1, 10.0.0.5", "203.0.113.9"),
        ("203.0.113.9, nonsense", "10.0.0.5"),
        ("nonsense, 203.0.113.9", "203.0.113.9"),
        ("192.168.1.1", "192.168.1.1"),
        ("", "10.0.0.5"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_client_is_the_last_hop_that_is_no_proxy(hops: str, client: str):
    found = request(address="10.0.0.5", X_Forwarded_For=hops)
    assert PROXIES.apply(found)
    assert found.remote_ip == client


def test_several_headers_are_one_list():
    found = request(address="10.0.0.5")
    found.headers.add("X-Forwarded-For", "1.1.1.1")
    found.headers.add("X-Forwarded-For", "203.0.113.9")
    PROXIES.apply(found)
    assert found.remote_ip == "203.0.113.9"


def test_scheme_and_host():
    found = request(address="10.0.0.5", X_Forwarded_Proto="https", X_Forwarded_Host="plots.example.org")
    PROXIES.apply(found)
    assert (found.protocol, found.host, found.headers["Host"]) == ("https", "plots.example.org", "plots.example.org")


@pytest.mark.parametrize(
    "headers", [{"X_Forwarded_Proto": "javascript"}, {"X_Forwarded_Host": "a b"}, {"X_Forwarded_Host": "evil/../"}]
)
def test_what_cannot_be_parsed_changes_nothing(headers: dict[str, str]):
    found = request(address="10.0.0.5", **headers)
    PROXIES.apply(found)
    assert (found.protocol, found.headers["Host"]) == ("http", "127.0.0.1:5006")


@pytest.mark.parametrize(
    ("told", "path"),
    [
        ("/plots", "/plots"), ("/plots/", "/plots"), ("/a/b-1", "/a/b-1"), ("/evil, /plots", "/plots"), ("", ""),
        ("/", ""), ("plots", ""), ("//evil.example", ""), ("/a b", ""), ("/..%2f", ""), ("https://evil.example", ""),
        ('/"><script>', ""),
    ],
)  # fmt: skip
def test_the_path_that_a_proxy_has_stripped(told: str, path: str):
    assert stripped_prefix(request(address="10.0.0.5", X_Forwarded_Prefix=told)) == path


def test_others_are_not_believed():
    headers = {"X_Forwarded_For": "127.0.0.1", "X_Forwarded_Proto": "https", "X_Forwarded_Host": "localhost"}
    found = request(address="203.0.113.9", **headers)
    assert not PROXIES.apply(found)
    assert (found.remote_ip, found.protocol, found.headers["Host"]) == ("203.0.113.9", "http", "127.0.0.1:5006")


@pytest.mark.parametrize(
    "name",
    [
        "Forwarded",
        "X_Forwarded_For",
        "x_forwarded_proto",
        "X_FORWARDED_ANYTHING",
        "Via",
        "X_Real_IP",
        "Client_IP",
    ],
)
def test_forwarded_requests_are_told(name: str):
    assert is_forwarded(request(**{name: ""})) and not is_forwarded(request(X_Forwarding="1"))


def test_nginx_as_it_comes_is_a_proxy():
    assert is_forwarded(request(version="1.0"))


@pytest.mark.parametrize(("trusted", "scheme"), [(["127.0.0.1"], "https"), ([], "http")])
def test_addresses_in_answers_have_the_scheme_that_a_trusted_proxy_tells(
    documents: list[Document], trusted: list[str], scheme: str
):
    with running(documents[:1], trusted_proxies=trusted, allow_anonymous=True) as server:
        answer = server.get("/points/layers/0/tilejson.json", X_Forwarded_Proto="https")
        assert json.loads(answer.body)["tiles"][0].startswith(f"{scheme}://127.0.0.1:{server.server.port}/points/")


def cookie_path(server: Running, **headers: str) -> str:
    """Where the browser that signs in sends its session's cookie."""
    form = b"username=ada&password=correct+horse+battery+staple"
    kind = {"Content_Type": "application/x-www-form-urlencoded"}
    found = server.get("/_/login", "POST", form, **kind, **headers).headers["Set-Cookie"]
    assert ("; Secure" in found) is (headers.get("X_Forwarded_Proto") == "https" or "plots.example.org" in str(headers))
    return found.partition("Path=")[2].partition(";")[0]


def test_addresses_have_the_path_that_a_trusted_proxy_has_stripped(documents: list[Document], tmp_path: Path):
    headers = {"X_Forwarded_Prefix": "/plots", "X_Forwarded_Proto": "https"}
    with Library.open(tmp_path / "library") as library:
        library.users.add("ada", password="correct horse battery staple")
        for trusted, front in ((["127.0.0.1"], "/plots/own"), ([], "/own")):
            options: dict[str, Any] = {"trusted_proxies": trusted, "allow_anonymous": True, "prefix": "/own"}
            with running(documents[:1], library=library, **options) as server:
                answer = server.get("/own/points/layers/0/tilejson.json", **headers)
                scheme = "https" if trusted else "http"
                base = f"{scheme}://127.0.0.1:{server.server.port}{front}"
                assert json.loads(answer.body)["tiles"] == [f"{base}/points/layers/0/tiles/{{z}}/{{x}}/{{y}}.png"]
                assert json.loads(server.get("/own/_/api/openapi.json", **headers).body)["servers"] == [
                    {"url": f"{front}/_/api"}
                ]


def test_addresses_are_those_of_the_public_url(documents: list[Document], tmp_path: Path):
    with Library.open(tmp_path / "library") as library:
        library.users.add("ada", password="correct horse battery staple")
        public = "https://plots.example.org/plots"
        with running(documents[:1], library=library, public_url=public, allow_anonymous=True) as server:
            host = {"Host": "plots.example.org"}
            for asked in (host, {}):
                answer = server.get("/points/layers/0/tilejson.json?cmap=bgy", **asked)
                tiles = f"{public}/points/layers/0/tiles/{{z}}/{{x}}/{{y}}.png?cmap=bgy"
                assert json.loads(answer.body)["tiles"] == [tiles]
            assert cookie_path(server, **host, Origin="https://plots.example.org") == "/plots/"
            assert cookie_path(server) == "/"
            assert server.get("/healthz", Host="plots.example.org.evil.example").status == 403
            with Browser(server.url, "points", origin="https://plots.example.org") as browser:
                assert browser.document["id"] == "points"
