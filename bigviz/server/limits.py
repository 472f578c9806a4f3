"""Every bound of the server in one place. Sizes are bytes, times seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["Limits"]

_MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one client may ask for. The defaults are the ones that `docs/protocol.md` and the routes promise."""

    header_seconds: float = 10.0  # to send a request's headers, and to keep an idle connection; Tornado's own: 3600
    body_seconds: float = 10.0
    header_bytes: int = 16 << 10
    body_bytes: int = 64 << 10
    selection_bytes: int = 512 << 10  # of a selection's JSON: a lasso has up to 5,000 points
    downloads: int = 4  # of selections that one user, or one address without credentials, reads at a time
    document_bytes: int = 8 * _MIB  # of a document's JSON
    upload_bytes: int = 1 << 40  # of an uploaded table
    append_bytes: int = 64 * _MIB  # of rows that are appended by one request
    appends_bytes: int = 512 * _MIB  # of all such bodies that are under way; the next one is answered 429
    watches: int = 16  # streams of batches that one user, or one address without credentials, reads on
    upload_seconds: float = 86_400.0  # for it to come in, without a pause of `body_seconds`
    check_bytes: int = 2 << 30  # memory for checking one uploaded table
    connections: int = 2_000
    connections_per_address: int = 200
    requests_per_second: float = 1_000.0  # HTTP requests of one address, and of one user
    requests_burst: float = 4_000.0
    all_messages_per_second: float = 2_000.0  # on all sockets of one address or user
    all_messages_burst: float = 8_000.0
    login_wait_address: float = 60.0  # the longest wait between wrong passwords from one address
    login_wait_user: float = 5.0  # and for one user: others must not be able to lock them out
    write_seconds: float = 60.0  # for a client to take in a whole HTTP answer

    message_bytes: int = 64 << 10  # a longer text is answered by an error
    frame_bytes: int = 256 << 10  # a longer websocket frame ends the connection (1009)
    messages_per_second: float = 64.0
    messages_burst: float = 256.0
    malformed_per_minute: int = 10
    ping_seconds: float = 20.0
    unread_bytes: int = 64 * _MIB  # more output than this waiting for a browser closes its connection (4008)
    unread_soft_bytes: int = 1 * _MIB  # from here on its tiles wait
    labels_bytes: int = 24 * _MIB  # a `layer` answer with more is refused: two of them may wait
    stalled_seconds: float = 15.0  # without one byte taken in while output waits: cut off (4008)
    slowest_bytes: float = 16 << 10  # a second, that a browser must also read, and a body must come with

    tiles_per_view: int = 1_024
    layers_per_view: int = 64
    columns_width: int = 16_384
    image_side: int = 16_384
    image_cells: int = 1 << 24
    brush_cells: int = 1 << 25  # of the targets of a brush, over all planes
    brushes_cells: int = 1 << 27  # of those of all connections; the next one is told to try again
    answer_bytes: int = 512 * _MIB  # of all HTTP answers that are computed or sent; the next one is answered 503
    rows: int = 50_000
    queued_requests: int = 1_000  # HTTP layer requests that wait or run; the next one is answered 503
    index_wait_seconds: float = 30.0  # for tilejson.json to wait until the index is ready
    builds: int = 16  # indexes that are built or wait to be, beyond the published layers' own
    builds_per_address: int = 8  # of these; a figure of eight lines gets another x at once

    def told(self) -> dict[str, float]:
        """What a page must keep to, as sent in the first message on its socket."""
        return {name: getattr(self, name) for name in _TOLD}


_TOLD: Final = (
    "messages_per_second", "messages_burst", "layers_per_view", "tiles_per_view", "columns_width", "image_side", "rows",
)  # fmt: skip
