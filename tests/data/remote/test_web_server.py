"""An HTTP server of which nothing is believed: what it sends with errors, where it leads, and whose it is."""

from __future__ import annotations

import asyncio
import ssl
from email.message import Message
from urllib.parse import urlsplit

import pytest
import trustme

from bigviz.common.errors import Unreadable
from bigviz.data.remote import http_connection
from bigviz.data.remote.address import address_of
from bigviz.data.remote.http_connection import Connection, Head, Place
from bigviz.data.remote.object_file import ObjectFile
from bigviz.data.remote.web_server import WebError, WebServer, _public_number

from .range_server import Fault, RangeServer, range_server

DATA = bytes(range(256)) * 400


def read(address: str) -> bytes:
    with ObjectFile.at(address).open() as handle:
        return bytes(handle.read())


@pytest.mark.parametrize("fault", ["endless 403", "endless 503"])
def test_what_comes_with_an_error_is_not_read(web: RangeServer, fault: Fault):
    web.files["a.bin"] = DATA
    web.always = fault
    with pytest.raises(Unreadable, match=fault.split()[1]):
        read(web.at("a.bin"))
    assert web.sent < 1 << 27  # what lies in buffers of three requests


def test_it_may_lead_to_another_of_its_own_files(web: RangeServer):
    web.files["b.bin"] = DATA
    web.leads = {"/a.bin": "/c.bin", "/c.bin": web.at("b.bin"), "/round": "/round"}
    assert read(web.at("a.bin?X-Amz-Signature=secret", "me:secret@")) == DATA
    assert [each.path for each in web.requests[:3]] == ["/a.bin?X-Amz-Signature=secret", "/c.bin", "/b.bin"]
    assert all("authorization" in each.headers and "referer" not in each.headers for each in web.requests)
    with pytest.raises(Unreadable, match="leads on to another address, and from there to no answer"):
        read(web.at("round"))


@pytest.mark.parametrize(
    "place",
    ["http://127.0.0.1:{port}/a.bin", "http://localhost:{port}/a.bin", "http://[::ffff:127.0.0.1]:{port}/a.bin",
     "//127.1:{port}/a.bin", "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://[::1]/",
     "http://[64:ff9b::10.0.0.1]/"],
)  # fmt: skip
def test_it_may_not_lead_to_what_only_this_machine_can_reach(web: RangeServer, place: str):
    with range_server(a_bin=DATA) as canary:
        web.leads = {"/a.bin": place.format(port=canary.port)}
        with pytest.raises(Unreadable, match="which is no public address") as caught:
            read(web.at("a.bin?signature=secret", "me:secret@"))
        assert canary.requests == [] and "secret" not in caught.value.message


def elsewhere(here: str, there: str, number: str | None = None) -> tuple[str, str | None]:
    """Where an address leads, by a server's word."""
    head = Message()
    head["Location"] = there
    found = asyncio.run(WebServer(address_of(here))._elsewhere(urlsplit(here), Head(302, head), number))
    return found[0].geturl(), found[1]


def test_to_public_addresses_it_may():
    assert elsewhere("https://a.example/t", "https://8.8.8.8/t?x=1") == ("https://8.8.8.8/t?x=1", "8.8.8.8")
    assert elsewhere("http://10.0.0.1/t", "https://10.0.0.1/t") == ("https://10.0.0.1/t", None)
    assert elsewhere("http://a.example/t", "/u", "8.8.8.8") == ("http://a.example/u", "8.8.8.8")
    with pytest.raises(Unreadable, match="less secure"):
        elsewhere("https://a.example/t", "http://8.8.8.8/t")
    for there in ("ftp://8.8.8.8/", "file:///etc/passwd", "http://me:pass@8.8.8.8/", "http://8.8.8.8:x/",
                  "http://8.8.8.8/ü", "http://[::1/"):  # fmt: skip
        with pytest.raises(WebError, match="without a usable Location"):
            elsewhere("http://a.example/t", there)


def test_public_numbers():
    for number in ("8.8.8.8", "2001:4860:4860::8888"):
        assert asyncio.run(_public_number(urlsplit(f"http://[{number}]" if ":" in number else f"http://{number}"))) == (
            number
        )
    for number in ("0.0.0.0", "100.64.0.1", "192.168.0.1", "224.0.0.1", "[fe80::1]", "[2002:7f00:1::]",
                   "[::127.0.0.1]", "[fec0::1]", "[64:ff9b:1::7f00:1]"):  # fmt: skip
        assert asyncio.run(_public_number(urlsplit(f"http://{number}"))) is None


def test_what_leads_on_to_itself_is_the_machine_that_was_asked(web: RangeServer, monkeypatch: pytest.MonkeyPatch):
    """Its name may be that of another machine by then."""
    web.files["b.bin"] = DATA
    web.leads = {"/a.bin": "/b.bin"}
    places = list[Place]()
    made = Connection.to

    async def noted(place: Place) -> Connection:
        places.append(place)
        return await made(place)

    monkeypatch.setattr(Connection, "to", noted)
    monkeypatch.setattr(Connection, "is_idle", False)
    assert read(web.at("a.bin").replace("127.0.0.1", "localhost")) == DATA
    assert {(each.host, each.number) for each in places} == {("localhost", None), ("localhost", "127.0.0.1")}


def test_addresses_in_other_letters(web: RangeServer):
    web.files["ü/日本.bin"] = DATA
    assert read(web.at("ü/日本.bin?q=é#part")) == read(web.at("%C3%BC/%E6%97%A5%E6%9C%AC.bin?q=%C3%A9")) == DATA
    assert {each.path for each in web.requests} == {"/%C3%BC/%E6%97%A5%E6%9C%AC.bin?q=%C3%A9"}
    assert address_of("https://München.example/").host == "https://xn--mnchen-3ya.example"


def test_a_head_of_nonsense(web: RangeServer):
    """An ETag that would be another header of the next request, and a time that no clock shows."""
    web.files["a.bin"] = DATA
    web.etag, web.modified = '"a"\r\n Cookie: secret', "Mon, 01 Jan 99999999999999 00:00:00 GMT"
    assert read(web.at("a.bin")) == DATA
    assert all("if-match" not in each.headers for each in web.requests)


def test_through_a_proxy(web: RangeServer, monkeypatch: pytest.MonkeyPatch):
    web.files["a.bin"] = DATA
    monkeypatch.setenv("http_proxy", web.at("", "me:pass@"))
    monkeypatch.delenv("no_proxy", raising=False)
    assert read("http://no-such-host.invalid/a.bin") == DATA
    assert {each.path for each in web.requests} == {"http://no-such-host.invalid/a.bin"}
    assert all(each.headers["proxy-authorization"].startswith("Basic ") for each in web.requests)
    monkeypatch.setenv("http_proxy", f"127.0.0.1:{web.port}")  # as other tools take it
    assert read("http://other-host.invalid/a.bin") == DATA


def test_certificates(tmp_path, monkeypatch: pytest.MonkeyPatch):
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with range_server(tls, a_bin=DATA) as server:
        http_connection._tls.cache_clear()
        with pytest.raises(Unreadable, match="certificate of its server is not trusted here"):
            read(server.at("a.bin"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        http_connection._tls.cache_clear()
        assert read(server.at("a.bin")) == DATA
    http_connection._tls.cache_clear()
