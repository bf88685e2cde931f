"""The sandbox's process: one directory, one lock, one event loop with every part in it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

from setup_kit.sandbox import certificates, founding
from setup_kit.sandbox.cloud import Cloud
from setup_kit.sandbox.faults import Faults
from setup_kit.sandbox.files import write_private
from setup_kit.sandbox.latency import Latency, Pace, set_pace
from setup_kit.sandbox.ports import Ports, PortTaken
from setup_kit.sandbox.process import DOCUMENT, LOG, VERSION, AlreadyRunning, Lock, SandboxError, say_ready
from setup_kit.sandbox.requests import REQUESTS, RequestLog
from setup_kit.sandbox.state import State

logger = logging.getLogger(__name__)

PROBE = 0.2  # seconds, far more than a look at the lock takes


async def run(
    directory: Path, port_base: int | None, latency: float, ready: Callable[[], None], records: float = 1.0
) -> None:
    """Serve the sandbox in `directory` until SIGTERM or SIGINT; `ready` is called once everything answers.

    `latency` times the real cloud's durations is how long operations take, `records` times the usual records what a new
    organization begins with. Raises SandboxError when another sandbox has the directory, or another process one of its
    ports.
    """
    directory = _prepare(directory)
    lock = Lock(directory)
    if not lock.take():
        # Whoever asks whether a sandbox is running holds the lock for a moment as well.
        await asyncio.sleep(PROBE)
    if not lock.take():
        lock.release()
        raise AlreadyRunning(f"a sandbox is already running in {directory}")
    handler = _log_to(directory / LOG)
    try:
        await _serve(directory, port_base, latency, ready, records)
    except PortTaken as taken:
        raise SandboxError(str(taken)) from taken
    except founding.OtherFormat as other:
        raise SandboxError(
            f"the sandbox in {directory} was made by another version of setup-kit;"
            " take another directory, or remove this one"
        ) from other
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
        lock.release()


def _prepare(directory: Path) -> Path:
    # Whatever a part writes is for the owner only, also where it does not say so itself.
    os.umask(0o077)
    directory = directory.absolute()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    return directory


async def _serve(
    directory: Path, port_base: int | None, latency: float, ready: Callable[[], None], records: float
) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    state = State(directory / "state.db")
    log = RequestLog(directory / REQUESTS)
    try:
        foundation = founding.found(state)
        tls = certificates.prepare(directory / "tls")
        ports = Ports(state, port_base)
        set_pace(directory, Pace("cloud", latency) if latency else Pace("none"))
        pace, faults = Latency(directory=directory), Faults(directory)
        cloud = Cloud(directory, state, foundation, tls, ports, pace, log, faults, records)
        try:
            await cloud.start()
            _write(directory, cloud, os.getpid())
            logger.info("ready in process %d", os.getpid())
            say_ready()
            ready()
            await stopping.wait()
            logger.info("stopping")
        finally:
            await cloud.stop()
            _write(directory, cloud, None)
    finally:
        log.close()
        state.close()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _write(directory: Path, cloud: Cloud, pid: int | None) -> None:
    document = {"version": VERSION, "pid": pid, **cloud.document()}
    write_private(directory / DOCUMENT, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())


def _log_to(path: Path) -> logging.Handler:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.setLevel(logging.INFO)
    root = logging.getLogger()
    root.addHandler(handler)
    logging.getLogger("setup_kit").setLevel(logging.INFO)
    return handler
