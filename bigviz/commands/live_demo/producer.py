"""`bigviz demo --live`: a plot server with a library of its own, and a producer that appends to it: ticks of a
simulated market, and what a field of simulated sensors measures."""

from __future__ import annotations

import threading
import time
import webbrowser
from collections.abc import Iterator
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any, Final

import click

from bigviz.client.connect import connect
from bigviz.commands.live_demo.simulation import READING_SCHEMA, TICK_SCHEMA, Field, Market
from bigviz.commands.serve import ended, nothing, served
from bigviz.common.daemon_thread import start_daemon
from bigviz.common.errors import BadInput, BigvizError
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.document.layout import column

__all__ = ["Producer", "serve_live"]

WHAT_TO_LOOK_AT: Final = """\
What to look at:
  market  trades of the last minute, a thousand a second: the window moves on with them. Drag it aside, and it stays;
          the arrow at its edge, or the key L, goes back to the newest trades.
  field   1,500 sensors, each in the colour of what it told last.
Their rows are appended as those of any producer are, to a library that is gone when this ends. Ctrl-C ends it."""

_INTERVAL: Final = 0.1  # seconds between appends
_HISTORY: Final = 90.0  # seconds of trades that are there from the start
_KEPT_ROWS: Final = 10_000_000
_NAME: Final = "live"


class Producer:
    """Makes both streams on a server, publishes their plots, and appends to the streams until `stop`. Where another one
    has done so before, it goes on where that one ended."""

    def __init__(self, url: str) -> None:
        self.server = connect(url)
        self._stopping = threading.Event()

    def publish(self) -> str | None:
        """Make the streams, with some rows, and the document: its address; None where another one has."""
        stream = partial(self.server.stream, order_by="time", rollover_rows=_KEPT_ROWS)
        self.ticks = stream("ticks", TICK_SCHEMA)
        self.readings = stream("readings", READING_SCHEMA)
        self.market, self.field = Market(), Field()
        self.now = time.time()
        if any(each["name"] == _NAME for each in self.server.documents()):
            self._go_on()
            return None
        self.ticks.append(self.market.between(self.now - _HISTORY, self.now))
        self.readings.append(self.field.between(self.now - 3, self.now))
        market = figure(title="Market", x_axis_type="datetime", follow="60s", y_label="price")
        market.line("ticks", x="time", y="price")
        field = figure(title="Field")
        field.points(
            "readings", x="x", y="y", agg="last(value)", cmap="coolwarm", how="linear", low=-1.5, high=1.5, size=9
        )
        made = self.server.publish(_NAME, document(column(market, field), title="bigviz live demo"), public=True)
        return str(made["url"])

    def run(self) -> None:
        """Append what has happened since, ten times a second."""
        for start, end in self._steps():
            self.ticks.append(self.market.between(start, end))
            self.readings.append(self.field.between(start, end))

    def _go_on(self) -> None:
        """Begin with the last trade that is there, and what has happened since."""
        version = next(each["version"] for each in self.server.datasets() if each["name"] == "ticks")
        with self.server.watch("ticks", version - 1) as appends:
            last = next(appends).rows
        if last.num_rows:
            self.market = Market(price=last["price"][-1].as_py())
            self.now = last["time"].cast("int64")[-1].as_py() / 1e6

    def _steps(self) -> Iterator[tuple[float, float]]:
        while not self._stopping.wait(_INTERVAL):
            start, self.now = self.now, max(self.now, time.time())
            yield start, self.now

    @property
    def is_stopping(self) -> bool:
        """`stop` was called."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End `run` soon."""
        self._stopping.set()


def serve_live(listening: dict[str, Any]) -> None:
    """Serve the demo until a signal ends it, and end this process. Its library is in a temporary directory. Of several
    processes the one that writes streams has the producer, whose rows come to any of them."""
    if listening["unix_socket"] is not None or listening["library"] is not None:
        raise BadInput("--live has a library of its own and an address: leave out --library and --unix-socket.")
    browser = listening["browser"]
    producers: list[Producer] = []

    def produce(url: str) -> None:
        producer = Producer(url)
        producers.append(producer)
        try:
            address = producer.publish()
            if address is not None:
                click.echo(f"live plots are at {address}", err=True)
            if address is not None and browser:
                webbrowser.open(address)
            producer.run()
        except BigvizError as error:
            if not producer.is_stopping:
                click.echo(f"Error: nothing is appended any more: {error.message}", err=True)

    def opened(url: str) -> None:
        start_daemon("bigviz-live-demo", produce, url)

    click.echo(WHAT_TO_LOOK_AT, err=True)
    with TemporaryDirectory(prefix="bigviz-live-", ignore_cleanup_errors=True) as library:
        listening = {**listening, "library": library, "browser": False, "index": "never"}
        status = served([], nothing, listening, opened=opened)
        for producer in producers:
            producer.stop()
    ended(status)
