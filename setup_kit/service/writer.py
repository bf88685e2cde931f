"""Writes pages of records, each page one transaction, and finds the records that the destination does not take."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from setup_kit.service.description import RetryPolicy
from setup_kit.service.destination import Destination
from setup_kit.service.store import Failure
from setup_kit.service.tables import Table, rows, sql_time
from setup_kit.sqlserver.connection import SqlError

NEW = "New"  # the change type of a record that is written for the first time

# Errors that the next record would meet as well: they end the entity instead of being counted record by record.
# Invalid object name; permission denied (three); the database is full, its log is full, its size quota is reached.
_FATAL = frozenset({208, 229, 230, 262, 1105, 9002, 40544, 40549})

_log = logging.getLogger(__name__)


class Cancelled(Exception):  # noqa: N818 (no error)
    """The profile was deactivated, or the service stops."""


class EntityFailedError(Exception):
    """The entity cannot be exported; the text is the reason for the failure log."""


def check_cancelled(cancelled: threading.Event) -> None:
    if cancelled.is_set():
        raise Cancelled


class Writer:
    """Writes one entity's records on a connection of its own, which it makes anew after it broke."""

    def __init__(
        self,
        *,
        connect: Callable[[], Destination],
        entity: str,
        table: Table,
        schema: str,
        retry: RetryPolicy,
        cancelled: threading.Event,
    ) -> None:
        self._connect = connect
        self._entity = entity
        self._table = table
        self._schema = schema
        self._retry = retry
        self._cancelled = cancelled
        self._destination: Destination | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._disconnect()

    def write(self, records: Sequence[Mapping[str, Any]]) -> list[Failure]:
        """Writes all records that can be written, and returns the failures of the others.

        Raises EntityFailedError when no record can be written, Cancelled between two attempts.
        """
        batch = rows(self._table, records, sql_time(datetime.now(UTC)))
        if not batch:
            return []
        try:
            self._insert(batch)
        except SqlError as error:
            _log.info("%s: a page was refused (%s), now record by record", self._table.name, error.number)
            return self._one_by_one(batch)
        return []

    def _one_by_one(self, batch: Sequence[tuple[Any, ...]]) -> list[Failure]:
        failures = []
        for row in batch:
            try:
                self._insert([row])
            except SqlError as error:
                # The same value would be refused again, so it is not retried; *assumed*, as the service retried all.
                failures.append(Failure(self._entity, str(row[0]), datetime.now(UTC), NEW, error.message))
        return failures

    def _insert(self, batch: Sequence[tuple[Any, ...]]) -> None:
        """Inserts all or none, with the profile's retries of transient errors; errors of the values are raised."""
        for attempt in range(self._retry.maximum + 1):
            check_cancelled(self._cancelled)
            try:
                destination = self._destination or self._connect()
                self._destination = destination
                # A connection that broke may have broken after the commit.
                if attempt and destination.contains(self._table, self._schema, str(batch[0][0])):
                    return
                destination.insert(self._table, self._schema, batch)
            except SqlError as error:
                if error.number in _FATAL:
                    raise EntityFailedError(str(error)) from error
                if not error.transient:
                    raise
                self._disconnect()
                if attempt == self._retry.maximum:
                    raise EntityFailedError(str(error)) from error
                _log.info("%s: retry %s after: %s", self._table.name, attempt + 1, error)
                self._cancelled.wait(self._retry.interval)
            else:
                return

    def _disconnect(self) -> None:
        destination, self._destination = self._destination, None
        if destination is not None:
            try:
                destination.close()
            except SqlError as error:
                _log.debug("%s: closing a broken connection: %s", self._table.name, error)
