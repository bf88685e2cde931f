"""One organization a test: a copy of a database that is filled once, behind the real application on a real socket."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from setup_kit.sandbox.dataverse import Database, application
from setup_kit.sandbox.dataverse.application import open_database
from tests.sandbox.dataverse.harness import Client, check_token, organization


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("organization") / "organization.sqlite"
    open_database(organization("http://127.0.0.1:1"), path).close()
    return path


@pytest.fixture
def state_path(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled, tmp_path / "organization.sqlite"))


@pytest.fixture
def client(state_path: Path) -> Iterator[Client]:
    """The organization of `state_path`, served; its `database` is a second look at the same state, to change it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[web.AppRunner, str]:
        # The port is needed for the organization's own address, so it is taken before the application is made.
        server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        url = f"http://127.0.0.1:{port}"
        runner = web.AppRunner(application(organization(url), state_path, check_token))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return runner, url

    runner, url = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    database = Database(state_path)
    try:
        yield Client(url, database)
    finally:
        database.close()
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
