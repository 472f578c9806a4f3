"""What answers for an address: a store of objects, or a server of the web."""

from __future__ import annotations

from functools import lru_cache

from bigviz.data.remote.address import Address
from bigviz.data.remote.object_store import Store
from bigviz.data.remote.s3_bucket import S3Bucket, amazon_bucket, google_bucket
from bigviz.data.remote.web_server import WebServer

__all__ = ["bucket_of", "store_of"]


@lru_cache(256)
def store_of(address: Address) -> Store | S3Bucket | WebServer:
    """The store at `Address.store`; its connections are kept."""
    if address.on_web:
        return WebServer(address)
    own = (
        amazon_bucket(address) if address.scheme == "s3" else google_bucket(address) if address.scheme == "gs" else None
    )
    return own or Store(address)


def bucket_of(address: Address) -> Store | S3Bucket:
    """The same of an address in a store, which has lists."""
    found = store_of(address.store)
    assert not isinstance(found, WebServer)
    return found
