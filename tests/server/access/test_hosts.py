"""Host and Origin: equality of parsed parts, and nothing near it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.common.errors import BadInput
from bigviz.server.access.hosts import Hosts, is_loopback

LOCAL = Hosts.of("127.0.0.1", 5006)
PROXIED = Hosts.of("127.0.0.1", 5006, ["plots.example.org", "[2001:db8::1]:8080"], ["https://app.example.com"])
label = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)


@given(st.text(max_size=50))
def test_noise_is_no_origin(text: str):
    assert not LOCAL.allows_origin(text) and not PROXIED.lets_in(text)


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


@given(label, st.sampled_from(["", ".", "-"]), st.sampled_from(["", ":443", ":80", ":8443"]))
def test_no_label_makes_an_allowed_origin_of_another(extra: str, between: str, port: str):
    """CVE-2026-21883 and its mirror image: an allowed origin is one scheme, host and port."""
    for name in (f"{extra}{between}app.example.com", f"app.example.com{between}{extra}", "example.com", "com"):
        assert not PROXIED.lets_in(f"https://{name}{port}")
    for other in (
        f"http://app.example.com{port}",
        f"https://app.example.com@{extra}",
        f"https://app.example.com/{extra}",
    ):
        assert not PROXIED.lets_in(other)
    assert PROXIED.lets_in(f"https://app.example.com{port}") == (port in ("", ":443"))


def test_own_origins_are_none_that_the_operator_named():
    assert not PROXIED.lets_in("http://127.0.0.1:5006") and PROXIED.named_texts() == ["https://app.example.com"]
    assert not PROXIED.lets_in(None) and not PROXIED.lets_in("null")


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


@pytest.mark.parametrize("origin", ["*", "https://*.example.org", "a.example", "http://a/", "null"])
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
