"""Asynchronous operations: accepted with 202, carried out after the cloud's time, asked about until they are done.

Each is a document, so that one that was under way when the sandbox stopped goes on at the next start.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.resource_manager.arm import Answer, ArmError, Call
from setup_kit.sandbox.state import Document, State

logger = logging.getLogger(__name__)

OPERATIONS = "operations"  # key: operation id
KEPT = 24 * 3600.0  # seconds that a finished operation can be asked about

Effect = Callable[[Document], Awaitable[None]]


@dataclass
class Outcome:
    """A failure that is laid on the operation which a request begins; `taken` says that it has begun one."""

    code: str
    message: str
    taken: bool = False


OUTCOME: ContextVar[Outcome | None] = ContextVar("outcome", default=None)


class Operations:
    def __init__(self, state: State, latency: Latency, base: str) -> None:
        self._state = state
        self._latency = latency
        self._effects: dict[str, Effect] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._targets: dict[str, str] = {}
        self.base = base  # the subscription's address, without a slash at its end

    def effect(self, name: str, effect: Effect) -> None:
        """Say what the operations that are started with this name do when their time has come."""
        self._effects[name] = effect

    def running(self, target: str) -> str | None:
        """The name of the operation that is under way on `target`, if one is."""
        return self._targets.get(target)

    async def start(self, name: str, effect: str, arguments: Document, *, target: str, seconds: float) -> str:
        """Accept an operation and return its id; with no delay it is done when this returns.

        `arguments` must hold no secret in clear. An effect that raises ArmError makes the operation `Failed`.
        """
        operation = str(uuid.uuid4())
        now = time.time()
        document: Document = {
            "name": name,
            "effect": effect,
            "arguments": arguments,
            "target": target,
            "status": "InProgress",
            "started": now,
            "ready": now + seconds,
            "error": None,
        }
        failure = OUTCOME.get()
        if failure is not None:
            failure.taken = True
            document["failure"] = {"code": failure.code, "message": failure.message}
        self._forget(now)
        self._state.put(OPERATIONS, operation, document)
        self._targets[target] = name
        if seconds > 0:
            self._schedule(operation, document)
        else:
            await self._finish(operation, document)
        return operation

    def resume(self) -> None:
        """Go on with what was under way when the sandbox stopped."""
        for operation, document in self._state.list(OPERATIONS):
            if document["status"] == "InProgress":
                self._targets[document["target"]] = document["name"]
                self._schedule(operation, document)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def accepted(self, operation: str, call: Call, kind: str, location: str, retry_after: float) -> Answer:
        """SQL's 202: `{"operation","startTime"}` and two addresses, one for the status, one for the result."""
        document = self._document(operation)
        # Since 2023 the cloud signs these addresses; a client has to use them exactly as they are.
        signature = f"t={int(document['started'])}&c={secrets.token_urlsafe(24)}&s={secrets.token_urlsafe(24)}"
        query = f"api-version={call.api_version}&{signature}&h={secrets.token_urlsafe(16)}"
        place = f"{self.base}/providers/Microsoft.Sql/locations/{location}"
        return Answer(
            202,
            {"operation": document["name"], "startTime": _moment(document["started"])},
            {
                "Azure-AsyncOperation": f"{place}/{kind}AzureAsyncOperation/{operation}?{query}",
                "Location": f"{place}/{kind}OperationResults/{operation}?{query}",
                **self._latency.retry_after(retry_after),
            },
        )

    async def status(self, call: Call) -> Answer:
        """What an `Azure-AsyncOperation` address answers: always 200, a failure too."""
        document = self._document(call.name("operation"))
        body: Document = {
            "name": call.name("operation"),
            "status": document["status"],
            "startTime": _moment(document["started"]),
        }
        if document["error"] is not None:
            body["error"] = document["error"]
        # Not recorded on polls (assumed): without it the SDK's pollers wait their own thirty seconds.
        under_way = document["status"] == "InProgress"
        return Answer(200, body, self._latency.retry_after(1) if under_way else {})

    async def result(self, call: Call) -> Answer:
        """What a `Location` address answers: 202 until it is done, then 200, or 204 for what is gone."""
        document = self._document(call.name("operation"))
        if document["status"] == "InProgress":
            body = {"createdDateTime": _moment(document["started"]), "status": "NotStarted"}
            return Answer(202, body, {"Location": self._here(call), **self._latency.retry_after(1)})
        if document["error"] is not None:
            raise ArmError(400, document["error"]["code"], document["error"]["message"])
        body = {"createdDateTime": _moment(document["started"]), "status": document["status"]}
        return Answer(200, body)

    def _here(self, call: Call) -> str:
        origin = self.base.partition("/subscriptions/")[0]
        return f"{origin}{call.path}?api-version={call.api_version}"

    def _document(self, operation: str) -> Document:
        document = self._state.get(OPERATIONS, operation.lower())
        if document is None:
            raise ArmError(404, "OperationIdNotFound", f"The operation with Id {operation} could not be found.")
        return document

    def _schedule(self, operation: str, document: Document) -> None:
        task = asyncio.create_task(self._later(operation, document))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _later(self, operation: str, document: Document) -> None:
        await asyncio.sleep(max(document["ready"] - time.time(), 0))
        await self._finish(operation, document)

    async def _finish(self, operation: str, document: Document) -> None:
        error: Document | None = document.get("failure")
        try:
            if error is None:
                await self._effects[document["effect"]](document["arguments"])
        except ArmError as refused:
            error = refused.body()["error"]
        except Exception as fault:
            # A fault of the sandbox's own: the operation has to end, or its client would ask for ever.
            logger.exception("the operation %s failed", document["name"])
            error = {
                "code": "InternalServerError",
                "message": f"The sandbox met a {type(fault).__name__}; its log says more.",
            }
        finally:
            self._targets.pop(document["target"], None)
        status = "Failed" if error else "Succeeded"
        self._state.put(OPERATIONS, operation, {**document, "status": status, "error": error})

    def _forget(self, now: float) -> None:
        for operation, document in self._state.list(OPERATIONS):
            if document["status"] != "InProgress" and document["ready"] < now - KEPT:
                self._state.delete(OPERATIONS, operation)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
