"""Which coding a browser gets, and bytes in it."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from bigviz.common.web.content_coding import chosen, encoded_file


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", None),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0", "gzip"),
        ("GZIP ; q=0.5", "gzip"),
        ("identity", None),
        ("*", "br"),
        ("*;q=0.1, br;q=0.0", "gzip"),
        ("*;q=0", None),
        ("gzip;q=nonsense,,;", None),
        ("gzip;q=1.2.3", None),
    ],
)
def test_the_first_that_the_browser_takes(header: str, wanted: str | None):
    assert chosen(header, ("br", "gzip")) == wanted


def test_brotli_stands_beside_a_file_that_is_no_newer(tmp_path: Path):
    script, beside = tmp_path / "a.js", tmp_path / "a.js.br"
    script.write_bytes(b"let a = 1;\n" * 1_000)
    beside.write_bytes(b"brotli")
    os.utime(beside, ns=(2 * 10**18, 2 * 10**18))
    body, name, coding = encoded_file(script, "text/javascript", "gzip, br")
    assert (body, coding) == (b"brotli", "br")
    os.utime(beside, (1, 1))
    zipped, other, coding = encoded_file(script, "text/javascript", "gzip, br")
    assert coding == "gzip" and other != name and gzip.decompress(zipped) == script.read_bytes()
    assert encoded_file(script, "image/png", "gzip, br")[2] is None
    script.write_bytes(b"short")
    assert encoded_file(script, "text/javascript", "gzip")[::2] == (b"short", None)
