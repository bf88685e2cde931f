"""Writes pages of records, each page one transaction, and finds the records that the destination does not take."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from setup_kit.service.description import RetryPolicy
from setup_kit.service.destination import Destination
from setup_kit.service.failure_log import Failure, Folder
from setup_kit.service.tables import Table, rows, sql_time
from setup_kit.sqlserver.connection import SqlError

NEW = "New"  # the change type of a record that is written for the first time

# Errors that the next record would meet as well: they end the entity instead of being counted record by record.
# Invalid object name; permission denied (three); the database is full, its log is full, its size quota is reached.
_FATAL = frozenset({208, 229, 230, 262, 1105, 9002, 40544, 40549})

# What the conversion of a value raises that is none of its column's type.
UNREADABLE = (ValueError, TypeError, AttributeError, ArithmeticError)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Row:
    """A record of the organization, and what of it is written."""

    record: Mapping[str, Any]
    values: tuple[Any, ...]


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

        Records that are refused are tried again as the profile's retry policy says, all of a page together.
        Raises EntityFailedError when no record can be written, Cancelled between two attempts.
        """
        read, failures = self._read(records)
        refused = self._write(read)
        for attempt in range(self._retry.maximum):
            if not refused:
                break
            self._cancelled.wait(self._retry.interval)
            _log.info("%s: retry %s of %s refused records", self._table.name, attempt + 1, len(refused))
            refused = self._one_by_one([row for row, _ in refused])
        return failures + [self._failure(row.record, error.message) for row, error in refused]

    def _read(self, records: Sequence[Mapping[str, Any]]) -> tuple[list[_Row], list[Failure]]:
        """Records as the table's rows; one with a value that means nothing there fails by itself."""
        now = sql_time(datetime.now(UTC))
        try:
            values = rows(self._table, records, now)
            return [_Row(record, row) for record, row in zip(records, values, strict=True)], []
        except UNREADABLE:
            read, failures = [], []
        for record in records:
            try:
                read.append(_Row(record, rows(self._table, [record], now)[0]))
            except UNREADABLE as error:
                reason = f"The record cannot be read: {type(error).__name__}: {error}"
                failures.append(self._failure(record, reason, Folder.UNPROCESSABLE))
        return read, failures

    def _write(self, batch: Sequence[_Row]) -> list[tuple[_Row, SqlError]]:
        """The rows that were refused, and why."""
        if not batch:
            return []
        try:
            self._insert([row.values for row in batch])
        except SqlError as error:
            _log.info("%s: a page was refused (%s), now record by record", self._table.name, error.number)
            return self._one_by_one(batch)
        return []

    def _one_by_one(self, batch: Sequence[_Row]) -> list[tuple[_Row, SqlError]]:
        refused = []
        for row in batch:
            try:
                self._insert([row.values])
            except SqlError as error:
                refused.append((row, error))
        return refused

    def _failure(self, record: Mapping[str, Any], reason: str, folder: Folder = Folder.DATA) -> Failure:
        record_id = record.get(self._table.columns[0].source or "")
        return Failure(self._entity, str(record_id), datetime.now(UTC), NEW, reason, folder, record)

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
                    raise EntityFailedError(error.message) from error
                if not error.transient:
                    raise
                self._disconnect()
                if attempt == self._retry.maximum:
                    raise EntityFailedError(error.message) from error
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
