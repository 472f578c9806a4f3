"""A Chromium that is driven over its DevTools socket, with nothing watched but what is asked for.

Playwright has a page's traffic reported: each frame of a websocket is written out in base64 by the page's process,
handed on by the browser's, and read by a driver in a process of its own. Nobody's page does that, and on a few cores it
is most of what a drag that gets a megabyte at each step costs the browser.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any, Final

from tornado.websocket import WebSocketClientConnection, websocket_connect

from bigviz.commands.bench.browser import FLAGS, NAMES
from bigviz.common.errors import NotFound

__all__ = ["Tab", "opened_tab"]

_FLAGS: Final = (
    "--headless", "--no-sandbox", "--remote-debugging-port=0", "--disable-extensions", "--no-default-browser-check",
    "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--mute-audio",
    "--disable-renderer-backgrounding", "--disable-breakpad", "--password-store=basic",
)  # fmt: skip
_ADDRESS: Final = re.compile(rb"DevTools listening on (ws://\S+)")
_SECONDS_TO_START: Final = 60.0
_SECONDS_TO_END: Final = 10.0
_LONGEST: Final = 64 << 20  # bytes of an answer
_LOOK: Final = 0.05


class Tab:
    """One page. All calls are on the event loop that it was opened on."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        self._session: str | None = None
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._reading = asyncio.ensure_future(self._read())

    async def open(self, width: int, height: int) -> None:
        """Make the page, of a size in CSS pixels."""
        target = await self.call("Target.createTarget", url="about:blank")
        found = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = found["sessionId"]
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **size)
        await self.call("Page.enable")

    async def call(self, method: str, **parameters: Any) -> Any:
        """The answer to a command of the protocol. Raises RuntimeError where it is an error."""
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        message = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        await self._connection.write_message(json.dumps(message))
        return await answer

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression, or what its promise gives. Raises RuntimeError where it throws."""
        found = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"].get("exception", {}).get("description", expression))
        return found["result"].get("value")

    async def until(self, expression: str, seconds: float) -> None:
        """Wait until an expression is true. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while not await self.evaluate(expression):
            if time.monotonic() > end:
                raise TimeoutError(f"not within {seconds:g} s: {expression}")
            await asyncio.sleep(_LOOK)

    async def mouse(self, kind: str, x: float, y: float, held: bool) -> None:
        """A `mouseMoved`, `mousePressed` or `mouseReleased` of the left button, through the browser's own input."""
        button = "none" if kind == "mouseMoved" and not held else "left"
        place = {"x": x, "y": y, "button": button, "buttons": int(held), "clickCount": int(kind != "mouseMoved")}
        await self.call("Input.dispatchMouseEvent", type=kind, **place)

    async def close(self) -> None:
        """End the browser."""
        self._session = None
        with suppress(Exception):
            await asyncio.wait_for(self.call("Browser.close"), _SECONDS_TO_END)
        self._reading.cancel()
        self._connection.close()

    async def _read(self) -> None:
        while (text := await self._connection.read_message()) is not None:
            message = json.loads(text)
            answer = self._answers.pop(message.get("id", 0), None)
            if answer is None or answer.done():
                continue
            if "error" in message:
                answer.set_exception(RuntimeError(str(message["error"])))
            else:
                answer.set_result(message["result"])
        for answer in self._answers.values():
            answer.cancel()


@asynccontextmanager
async def opened_tab(width: int, height: int) -> AsyncIterator[Tab]:
    """An empty page in a Chromium of its own. NotFound without one."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise NotFound("There is no Chromium: install the system's.")
    with tempfile.TemporaryDirectory(prefix="bench-chromium-", ignore_cleanup_errors=True) as folder:
        arguments = (*_FLAGS, *FLAGS, f"--user-data-dir={folder}", "about:blank")
        process = await asyncio.create_subprocess_exec(path, *arguments, stderr=asyncio.subprocess.PIPE)
        assert process.stderr is not None
        drain = None
        try:
            url = await asyncio.wait_for(_address(process.stderr), _SECONDS_TO_START)
            drain = asyncio.ensure_future(process.stderr.read())  # so that it never waits for a reader
            tab = Tab(await websocket_connect(url, max_message_size=_LONGEST))
            try:
                await tab.open(width, height)
                yield tab
            finally:
                await tab.close()
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            if drain is not None:
                await drain


async def _address(said: asyncio.StreamReader) -> str:
    """The address that a browser prints."""
    async for line in said:
        if found := _ADDRESS.search(line):
            return found[1].decode()
    raise NotFound("The Chromium has ended by itself.")
