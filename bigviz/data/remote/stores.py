"""What answers for an address: a store of objects, or a server of the web."""

from __future__ import annotations

from functools import lru_cache

from bigviz.data.remote.address import Address
from bigviz.data.remote.object_store import Store
from bigviz.data.remote.web_server import WebServer

__all__ = ["bucket_of", "store_of"]


@lru_cache(256)
def store_of(address: Address) -> Store | WebServer:
    """The store at `Address.store`; its connections are kept."""
    return WebServer(address) if address.on_web else Store(address)


def bucket_of(address: Address) -> Store:
    """The same of an address in a store, which has lists."""
    found = store_of(address.store)
    assert isinstance(found, Store)
    return found
