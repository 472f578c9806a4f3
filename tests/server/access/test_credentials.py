"""What a request brings, and when it comes from the operator's own machine."""

from __future__ import annotations

import pytest

from bigviz.server.access.credentials import credentials_of, network_of

from .requests import request

COOKIE = "bigviz-5006"


@pytest.mark.parametrize(
    "change",
    [
        {"address": "192.0.2.7"},
        {"Host": "plots.example.org"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": ""},
        {"Forwarded": "for=127.0.0.1"},
        {"X_Forwarded_For": "127.0.0.1"},
        {"X_Forwarded_Proto": "https"},
        {"X_Forwarded_Host": "localhost"},
        {"X_Forwarded_Anything": ""},
        {"X_Real_IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"version": "1.0"},
        {"Authorization": "Bearer abc"},
    ],
)
def test_who_is_not_local(change: dict[str, str]):
    assert credentials_of(request(), COOKIE).local
    assert not credentials_of(request(**change), COOKIE).local


@pytest.mark.parametrize("host", ["127.0.0.1:5006", "localhost:5006", "localhost", "[::1]:5006", "127.8.9.1"])
def test_names_of_this_machine(host: str):
    assert credentials_of(request(address="::1", Host=host), COOKIE).local


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Bearer", ""),  # no token, but said to be one: it is wrong
        ("Basic YTpi", None),  # of a proxy in front
        ("", None),
    ],
)
def test_the_authorization_header(header: str, token: str | None):
    assert credentials_of(request(Authorization=header), COOKIE).token == token


def test_the_cookie():
    mine = request(Cookie=f"other=1; {COOKIE}=secret; bigviz-5007=2")
    assert credentials_of(mine, COOKIE).session == "secret"
    assert credentials_of(request(Cookie="bigviz-5007=2"), COOKIE).session is None


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Dest": "iframe"}]
)
def test_foreign_pages_use_no_cookie(headers: dict[str, str]):
    found = credentials_of(request(Cookie=f"{COOKIE}=secret", **headers), COOKIE)
    assert found.session is None and found.foreign


def test_a_token_goes_before_a_cookie():
    found = credentials_of(request(Cookie=f"{COOKIE}=secret", Authorization="Bearer abc"), COOKIE)
    assert (found.token, found.session) == ("abc", None)


def test_secrets_are_not_shown():
    assert "abc" not in repr(credentials_of(request(Authorization="Bearer abc"), COOKIE))
    assert "abc" not in repr(credentials_of(request(Cookie=f"{COOKIE}=abc"), COOKIE))


def test_an_ipv6_client_has_a_network():
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2::9") != network_of("2001:db8:1:3::4")
    assert network_of("192.0.2.7") == "192.0.2.7" and network_of("nonsense") == "nonsense"
