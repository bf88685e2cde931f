"""A headless Chromium, driven over its DevTools protocol; as a program: prints its path, or ends with 1."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# Seconds: on a busy machine a browser takes its time to start.
PATIENCE = 60.0
QUIET = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
)


def executable() -> str:
    """Raises FileNotFoundError when none is installed."""
    for name in (*NAMES, *PLACES):
        found = shutil.which(name)
        if found is not None:
            return found
    raise FileNotFoundError("Chromium is not installed; ./run test installs it (Debian: chromium)")


class Page:
    """One tab. `requests` are the addresses that it asked for, `complaints` what its console and its log said."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._events: list[str] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command of the protocol; what happens meanwhile is noted."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            message = await self._next()
            if message.get("id") == self._number:
                assert "error" not in message, message
                return dict(message["result"])

    async def happens(self, event: str) -> None:
        """Returns when the event has come since the last call of `happens`."""
        while event not in self._events:
            await self._next()
        self._events.clear()

    async def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = await asyncio.wait_for(self._socket.receive_json(), PATIENCE)
        method, parameters = str(message.get("method", "")), message.get("params", {})
        if method:
            self._events.append(method)
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(str(parameters))
        return message

    async def open(self, address: str, width: int = 1200, height: int = 900, *, scheme: str = "light") -> None:
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await self.resize(width, height)
        await self.call("Page.navigate", url=address)
        await self.happens("Page.loadEventFired")

    async def resize(self, width: int, height: int = 900) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **size)

    async def value(self, expression: str) -> Any:
        """What a JavaScript expression comes to."""
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def pdf(self) -> bytes:
        answer = await self.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        return base64.b64decode(answer["data"])

    async def screenshot(self) -> bytes:
        """The whole page as PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot", captureBeyondViewport=True))["data"])


@asynccontextmanager
async def browsing(folder: Path) -> AsyncIterator[Page]:
    """A new browser with one empty tab; its profile is kept in `folder`."""
    # Chromium's own sandbox does not work for root, which containers run as.
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [executable(), *QUIET, *root, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=nothing, stderr=asyncio.subprocess.PIPE)
    try:
        port = await asyncio.wait_for(_port(process), PATIENCE)
        async with aiohttp.ClientSession(trust_env=False) as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                tab = next(target for target in await answer.json() if target["type"] == "page")
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _port(process: asyncio.subprocess.Process) -> int:
    assert process.stderr is not None
    said = []
    async for line in process.stderr:
        said.append(line.decode(errors="replace"))
        found = re.search(r"DevTools listening on ws://127\.0\.0\.1:(\d+)/", said[-1])
        if found:
            return int(found[1])
    raise RuntimeError("Chromium ended: " + "".join(said))


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{executable()}\n")
    except FileNotFoundError as error:
        sys.exit(str(error))
