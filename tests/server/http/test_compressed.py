"""Files and pages come compressed to browsers that take that."""

from __future__ import annotations

import gzip

from ..running import Running


def test_files_and_pages_are_compressed_for_those_who_take_it(served: Running):
    for path in ("/_/static/style.css", "/_/static/main.js", "/points/"):
        plain, zipped = served.get(path), served.get(path, Accept_Encoding="gzip, deflate")
        assert gzip.decompress(zipped.body) == plain.body and len(zipped.body) < len(plain.body) / 2
        assert zipped.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
        assert zipped.headers["Etag"] != plain.headers["Etag"], "they are other bytes"
        for answer in (plain, zipped):
            assert "Accept-Encoding" in answer.headers["Vary"] and "Accept-Ranges" not in answer.headers
        again = served.get(path, Accept_Encoding="gzip", If_None_Match=zipped.headers["Etag"])
        assert (again.status, again.body) == (304, b"")
        part = served.get(path, Range="bytes=0-9")
        assert (part.status, part.body) == (200, plain.body), "a whole answer is one to any Range"
