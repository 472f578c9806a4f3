"""Hosts and origins: what is one, and its parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.common.web.origins import origin_text, parse_host, parse_origin


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


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("HTTPS://App.Example.com:443", "https://app.example.com"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://a.example:80", "https://a.example:80"),
        ("http://[0:0::1]:80", "http://[::1]"),
    ],
)
def test_an_origin_as_browsers_write_it(text: str, canonical: str):
    found = parse_origin(text)
    assert found is not None and origin_text(found) == canonical
    assert parse_origin(canonical) == found
