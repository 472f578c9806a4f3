"""Where browsers reach a server that stands behind a proxy."""

from __future__ import annotations

import pytest

from bigviz.common.errors import BadInput
from bigviz.common.web.public_url import PublicUrl


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("https://plots.example.org", (("https", "plots.example.org", 443), "", "https://plots.example.org")),
        ("HTTPS://Plots.example.org/", (("https", "plots.example.org", 443), "", "https://plots.example.org")),
        ("http://[::1]:8080/a/b_1/", (("http", "::1", 8080), "/a/b_1", "http://[::1]:8080/a/b_1")),
    ],
)
def test_its_parts(text: str, parts: tuple[tuple[str, str, int], str, str]) -> None:
    found = PublicUrl.of(text)
    assert (found.origin, found.path, found.text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "", "plots.example.org", "ftp://plots.example.org", "https:///plots", "https://a b/", "https://me@x.org/",
        "https://x.org/?a=b", "https://x.org/#a", "https://x.org//a", "https://x.org/a b", "https://x.org/%2e%2e",
        "javascript://x.org/", "https://x.org\\@evil.example/",
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(BadInput, match="--public-url takes an address such as"):
        PublicUrl.of(text)


def test_which_host_it_names() -> None:
    secure, plain = PublicUrl.of("https://plots.example.org/a"), PublicUrl.of("http://plots.example.org:8080")
    assert secure.names("plots.example.org") and secure.names("Plots.example.org:443")
    assert plain.names("plots.example.org:8080")
    for other in (None, "", "plots.example.org:80", "x.plots.example.org", "plots.example.org.evil.example"):
        assert not secure.names(other) and not plain.names(other)
