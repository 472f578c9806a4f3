"""What Google's and Azure's servers answer when they are asked for lists of objects, as far as obstore reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

__all__ = ["listed"]

MODIFIED: Final = "Mon, 30 Nov 2026 12:00:00 GMT"


def listed(target: str, files: Mapping[str, bytes], etag: str) -> bytes | None:
    """The list that a request asks for, of `files` by "bucket/key"; None for one that asks for an object."""
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if "list-type" not in query and query.get("comp") != "list":
        return None
    bucket = unquote(parts.path).strip("/") + "/"
    keys = [path.removeprefix(bucket) for path in sorted(files) if path.startswith(bucket)]
    below = [key for key in keys if key.startswith(query.get("prefix", ""))]
    start, delimiter = len(query.get("prefix", "")), query.get("delimiter")
    objects = [key for key in below if delimiter is None or delimiter not in key[start:]]
    folders = {key[: key.index(delimiter, start) + 1] for key in below if delimiter and delimiter in key[start:]}
    sizes = [(escape(key), len(files[bucket + key])) for key in objects]
    answer = _of_google if "list-type" in query else _of_azure
    return answer(sizes, sorted(map(escape, folders)), escape(etag)).encode()


def _of_google(objects: Sequence[tuple[str, int]], folders: Sequence[str], etag: str) -> str:
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-11-30T12:00:00.000Z</LastModified><ETag>{etag}</ETag>"
        f"<Size>{size}</Size></Contents>"
        for key, size in objects
    )
    prefixes = "".join(f"<CommonPrefixes><Prefix>{each}</Prefix></CommonPrefixes>" for each in folders)
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}{prefixes}</ListBucketResult>"


def _of_azure(objects: Sequence[tuple[str, int]], folders: Sequence[str], etag: str) -> str:
    """Azure's lists have ETags without quotation marks."""
    bare = etag.strip('"')
    blobs = "".join(
        f"<Blob><Name>{key}</Name><Properties><Last-Modified>{MODIFIED}</Last-Modified><Etag>{bare}</Etag>"
        f"<Content-Length>{size}</Content-Length><Content-Type>a/b</Content-Type></Properties></Blob>"
        for key, size in objects
    )
    prefixes = "".join(f"<BlobPrefix><Name>{each}</Name></BlobPrefix>" for each in folders)
    return f"<EnumerationResults><Blobs>{blobs}{prefixes}</Blobs><NextMarker/></EnumerationResults>"
