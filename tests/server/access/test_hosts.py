"""Host and Origin: equality of parsed parts, and nothing near it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.common.errors import BadInput
from bigviz.server.access.hosts import Hosts, is_loopback, parse_host, parse_origin

LOCAL = Hosts.of("127.0.0.1", 5006)
PROXIED = Hosts.of("127.0.0.1", 5006, ["plots.example.org", "[2001:db8::1]:8080"], ["https://app.example.com"])
label = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("localhost", ("localhost", None)),
        ("LOCALHOST:5006", ("localhost", 5006)),
        ("plots.example.org.", ("plots.example.org", None)),
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("[::1]:5006", ("::1", 5006)),
        ("[0:0:0::1]", ("::1", None)),
        ("a_b.example", ("a_b.example", None)),
        ("", None),
        (":80", None),
        ("a:", None),
        ("a:0", None),
        ("a:65536", None),
        ("a:80:80", None),
        ("a:+80", None),
        ("a b", None),
        ("a..b", None),
        ("-a", None),
        ("*", None),
        ("*.example.org", None),
        ("user@host", None),
        ("host/path", None),
        ("[::1", None),
        ("[127.0.0.1]", None),
        ("[fe80::1%eth0]", None),
        ("::1", None),
        ("bücher.example", None),
        ("a" * 400, None),
    ],
)
def test_parse_host(text, parsed):
    assert parse_host(text) == parsed


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("http://localhost", ("http", "localhost", 80)),
        ("HTTPS://Localhost:443", ("https", "localhost", 443)),
        ("http://[::1]:5006", ("http", "::1", 5006)),
        ("null", None),
        ("", None),
        ("ftp://localhost", None),
        ("http:/localhost", None),
        ("http://localhost/", None),
        ("http://user@localhost", None),
        ("http://localhost#a", None),
        ("http://localhost\\@evil", None),
        ("file://", None),
        ("javascript://localhost", None),
    ],
)
def test_parse_origin(text, parsed):
    assert parse_origin(text) == parsed


@given(st.text(max_size=50))
def test_noise_is_parsed_or_not_but_never_raises(text: str):
    for parse in (parse_host, parse_origin):
        parse(text)
    assert not LOCAL.allows_origin(text)


def test_a_loopback_server_answers_to_its_own_names_only():
    for name in ("127.0.0.1", "localhost", "[::1]"):
        assert LOCAL.allows_host(f"{name}:5006") and LOCAL.allows_origin(f"http://{name}:5006")
        assert not LOCAL.allows_host(name) and not LOCAL.allows_host(f"{name}:5007")
        assert not LOCAL.allows_origin(f"https://{name}:5006") and not LOCAL.allows_origin(f"http://{name}")
    assert not LOCAL.allows_host(None) and not LOCAL.allows_origin(None)


def test_port_80_is_the_one_that_may_be_left_out():
    hosts = Hosts.of("127.0.0.1", 80)
    assert (
        hosts.allows_host("localhost") and hosts.allows_host("localhost:80") and hosts.allows_origin("http://localhost")
    )


@given(st.sampled_from(["plots.example.org", "127.0.0.1", "localhost"]), label, st.sampled_from(["", ":5006", ":80"]))
def test_a_label_more_or_less_is_another_host(name: str, extra: str, port: str):
    for other in (f"{extra}.{name}", f"{name}.{extra}", f"{extra}{name}", f"{name}{extra}", name.partition(".")[2]):
        assert not PROXIED.allows_host(other + port)
        for scheme in ("http", "https"):
            assert not PROXIED.allows_origin(f"{scheme}://{other}{port}")


def test_allowed_by_hand():
    for host in ("plots.example.org", "plots.example.org:80", "plots.example.org:443", "plots.example.org:5006"):
        assert PROXIED.allows_host(host)
    assert not PROXIED.allows_host("plots.example.org:8080")
    assert PROXIED.allows_host("[2001:db8::1]:8080") and not PROXIED.allows_host("[2001:db8::1]")
    for origin in ("http://plots.example.org", "https://plots.example.org", "http://plots.example.org:5006"):
        assert PROXIED.allows_origin(origin)
    assert PROXIED.allows_origin("https://app.example.com") and not PROXIED.allows_host("app.example.com")
    assert not PROXIED.allows_origin("http://app.example.com")


def test_what_is_told_to_the_operator_can_be_given_back():
    texts = PROXIED.host_texts()
    assert "plots.example.org" in texts and "[2001:db8::1]:8080" in texts and texts == sorted(texts)
    assert all(PROXIED.allows_host(text) for text in texts)
    assert all(PROXIED.allows_origin(text) for text in PROXIED.origin_texts())


@pytest.mark.parametrize("host", ["*", "http://a", "a/b", "a:x"])
def test_hosts_that_cannot_be_parsed(host):
    with pytest.raises(BadInput, match="allow-host"):
        Hosts.of("127.0.0.1", 1, [host])


@pytest.mark.parametrize("origin", ["*", "a.example", "http://a/", "null"])
def test_origins_that_cannot_be_parsed(origin):
    with pytest.raises(BadInput, match="allow-origin"):
        Hosts.of("127.0.0.1", 1, [], [origin])


def test_an_open_server_answers_to_the_machines_name():
    hosts = Hosts.of("0.0.0.0", 5006)
    assert hosts.allows_host("localhost:5006") and not hosts.allows_host("evil.example:5006")
    assert Hosts.of("192.0.2.7", 5006).allows_host("192.0.2.7:5006")


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True), ("localhost", True), ("0.0.0.0", False),
     ("::", False), ("10.0.0.1", False), ("example.org", False), ("", False), ("localhost.evil.example", False)],
)  # fmt: skip
def test_is_loopback(address, loopback):
    assert is_loopback(address) == loopback


@pytest.mark.parametrize(
    ("origins", "host", "scheme"),
    [
        (("https://plots.example.org",), "plots.example.org", "https"),
        (("https://plots.example.org",), "plots.example.org:443", "https"),
        (("https://plots.example.org",), "plots.example.org.evil.com", "http"),
        (("https://plots.example.org:8443",), "plots.example.org:8443", "https"),
        (("https://plots.example.org:8443",), "plots.example.org", "http"),
        (("http://plots.example.org",), "plots.example.org", "http"),
        ((), "127.0.0.1:5006", "http"),
        (("https://plots.example.org",), "not a host", "http"),
    ],
)
def test_the_scheme_is_that_of_the_allowed_origin(origins: tuple[str, ...], host: str, scheme: str):
    hosts = Hosts.of("127.0.0.1", 5006, ("plots.example.org",), origins)
    assert hosts.scheme_of(host) == scheme


def test_with_tls_all_is_https_and_443_is_the_port_that_may_be_left_out():
    hosts = Hosts.of("127.0.0.1", 443, ["plots.example.org"], ["http://app.example.com"], tls=True)
    for name in ("127.0.0.1", "localhost", "plots.example.org"):
        assert hosts.allows_host(name) and hosts.allows_host(f"{name}:443") and hosts.scheme_of(name) == "https"
        assert hosts.allows_origin(f"https://{name}") and not hosts.allows_origin(f"http://{name}")
        assert not hosts.allows_origin(f"http://{name}:443")
    assert hosts.allows_origin("http://app.example.com")
    assert not Hosts.of("127.0.0.1", 80, tls=True).allows_host("localhost")
