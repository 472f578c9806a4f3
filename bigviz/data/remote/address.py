"""Addresses of files that are elsewhere: what the operator types, and what others may see of it."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import blake2b
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit, urlunsplit

from bigviz.common.errors import BadInput
from bigviz.common.printable import encodable

__all__ = ["Address", "address_of", "is_remote", "shown_source"]

_REMOTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_STORES = {
    "s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "abfs", "abfss": "abfss",
    "iceberg": "iceberg",  # not a store: a catalog of tables
}  # fmt: skip
_OF_SIGNATURES = {
    "x-amz-signature": re.compile("x-amz-.*"),
    "x-goog-signature": re.compile("x-goog-.*"),
    "signature": re.compile("signature|expires|policy|key-pair-id|awsaccesskeyid|googleaccessid"),
    "sig": re.compile("s(ig|e|t|p|pr|v|r|s|rt|i|ip|dd|k[a-z]{1,4}|aoid|uoid|cid|es)"),
}
_SENT = "".join(map(chr, range(0x21, 0x7F)))  # as it stands; all else is percent-encoded
_EXPECTED = "s3://BUCKET/KEY, gs://BUCKET/KEY, az://CONTAINER/KEY, abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY, "


@dataclass(frozen=True)
class Address:
    """A file or a directory in a store: `root` is the store's address, and `key` what it is called there.

    Of a file on an HTTP server `root` is the whole address, and `key` is empty. `root` and `authorization` (a header)
    may hold secrets; `shown` never does.
    """

    scheme: str
    root: str = field(repr=False)
    key: str
    shown: str
    authorization: str | None = field(default=None, repr=False)

    @property
    def on_web(self) -> bool:
        """True for a file on an HTTP server, which can list nothing."""
        return self.scheme in ("http", "https")

    @property
    def chosen(self) -> str:
        """A digest of what the query of an address on the web says, which may name the object, but for a signature,
        which is another one each time; "" where that is nothing."""
        query = urlsplit(self.root).query if self.on_web else ""
        pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
        names = {name.lower() for name, _ in pairs}
        of_signatures = [those for name, those in _OF_SIGNATURES.items() if name in names]
        pairs = [pair for pair in pairs if not any(those.fullmatch(pair[0].lower()) for those in of_signatures)]
        return blake2b(repr(pairs).encode(), digest_size=8).hexdigest() if pairs else ""

    @property
    def store(self) -> Address:
        """The address of the store alone."""
        return self if self.on_web else self.within("")

    @property
    def host(self) -> str:
        """What answers for it, without what may be secret: a bucket, or the host of an address on the web."""
        if not self.on_web:
            return self.root
        parts = urlsplit(self.root)
        return f"{parts.scheme}://{parts.netloc.lower()}"  # `root` has no user and password

    def within(self, key: str) -> Address:
        """Another key in the same store, which is none on the web."""
        return Address(self.scheme, self.root, key, f"{self.root}/{key}" if key else self.root)


def is_remote(source: str) -> bool:
    """Whether a text is an address with a scheme, and no path on this machine."""
    return _REMOTE.match(source) is not None


def shown_source(source: str) -> str:
    """A path as it is; an address without what may be secret in it: user, password, query and fragment."""
    found = _REMOTE.match(source)
    if found is None or found[1].lower() in _STORES:
        return source
    rest = re.split(r"[?#]", source[found.end() :], maxsplit=1)[0]
    host, slash, path = rest.partition("/")
    host = host.rpartition("@")[2]
    port = re.fullmatch(r"[^:]*|.*:\d*|\[.*\]", host)
    if port is None or (":" in host and "@" in source[found.end() + len(host) :]):
        return f"{found[0]}…"  # a password with one of /?# in it, perhaps: nothing is sure to be none of it
    return f"{found[0]}{host}{slash}{path}"


def address_of(source: str) -> Address:
    """Take an address apart. Raises `BadInput` for schemes that bigviz does not read, and for what is no address."""
    found = _REMOTE.match(source)
    scheme = found[1].lower() if found else ""
    if scheme in ("http", "https"):
        return _on_web(source)
    if found is None or scheme not in _STORES:
        raise BadInput(
            f"bigviz reads no addresses that begin with {scheme}://. Expected a path, {_EXPECTED}or https://HOST/PATH.",
            field="source",
            got=shown_source(source),
        )
    return _in_store(_STORES[scheme], source[found.end() :])


def _in_store(scheme: str, rest: str) -> Address:
    """An address of an object store: its key is written as it is, not percent-encoded."""
    bucket, _, key = rest.partition("/")
    shown = f"{scheme}://{rest}"
    if "@" in bucket and not scheme.startswith("abfs"):
        raise BadInput(
            f"An address of {scheme}:// holds no user or password: give them as the store's own tools take them, in "
            "the environment or in their files.",
            field="source",
        )
    if encodable(rest) != rest:
        shown = f"{scheme}://{encodable(rest)}"
        raise BadInput(f"{shown} has bytes that are not UTF-8, as all keys in stores are.", "source", shown)
    if not bucket or "\0" in rest:
        raise BadInput(f"{shown} names no bucket or container. Expected {scheme}://NAME/KEY.", "source", shown)
    *above, last = key.split("/")
    if "" in above or {".", ".."} & {*above, last}:
        raise BadInput(
            f"{shown} has an empty step, or one of dots, in its key: name the object without them.", "source", shown
        )
    return Address(scheme, f"{scheme}://{bucket}", key, shown)


def _on_web(source: str) -> Address:
    shown = shown_source(source)
    try:
        parts = urlsplit(source)
        host, port = _named(parts.hostname or ""), parts.port
    except ValueError:  # whose message may hold a part of a password
        raise BadInput(f"{shown} is no address. Expected https://HOST:PORT/PATH.", "source", shown) from None
    if not host or any(letter.isspace() or not letter.isprintable() for letter in source):
        raise BadInput(f"{shown} is no address. Expected {parts.scheme}://HOST/PATH.", "source", shown)
    host = f"[{host}]" if ":" in host else host
    place = host if port is None else f"{host}:{port}"
    path, query = (quote(each, _SENT) for each in (parts.path or "/", parts.query))
    root = urlunsplit(SplitResult(parts.scheme, place, path, query, ""))
    return Address(parts.scheme, root, "", shown, _basic(parts))


def _named(host: str) -> str:
    """A host as DNS has it. Raises ValueError."""
    return host if host.isascii() else host.encode("idna").decode()


def _basic(parts: SplitResult) -> str | None:
    """The header of a user and password in an address."""
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + b64encode(pair.encode()).decode()
