"""Reads an entity set page by page, and what changed in it since a delta token.

A first reading with change tracking is of one moment: its pages show the rows that are not newer than that moment,
oldest version first, and the delta link at their end starts from it. What changes meanwhile comes with the delta link.
A delta shows new and changed rows, oldest version first, then those that were deleted.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from setup_kit.sandbox.dataverse import errors, filters
from setup_kit.sandbox.dataverse.database import Database
from setup_kit.sandbox.dataverse.filters import LARGEST
from setup_kit.sandbox.dataverse.options import MOST_ROWS, Options, Preferences
from setup_kit.sandbox.dataverse.schema import Table

TOKEN_TIME = "%m/%d/%Y %H:%M:%S"  # noqa: S105 (a format of times)
_DELTA_TOKEN = re.compile(r"(\d{1,18})!(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)")
_COOKIE = re.compile(r'<cookie pagenumber="(\d{1,9})" pagingcookie="([\w=-]*)" istracking="(True|False)" />')


@dataclass(frozen=True)
class Place:
    """Where the next page begins: after `last` (a key or version), or at row number `skip` of an ordered reading."""

    page: int = 1
    last: str | int | None = None
    skip: int = 0
    since: int | None = None  # the version a delta starts from
    until: int | None = None  # the version a tracked reading is of
    deletions: bool = False

    def token(self) -> str:
        """As the real one wraps it; what is inside is nobody's but the service's."""
        inner = base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()
        return f'<cookie pagenumber="{self.page}" pagingcookie="{inner}" istracking="{self.until is not None}" />'


@dataclass(frozen=True)
class Page:
    rows: Sequence[Sequence[Any]]
    deleted: Sequence[str]
    next: Place | None
    delta_token: str | None
    count: int | None
    is_delta: bool


def read(
    database: Database,
    connection: sqlite3.Connection,
    table: Table,
    select_list: str,
    options: Options,
    preferences: Preferences,
) -> Page:
    """One page; `connection` is in a transaction. Raises WebApiError."""
    place = _place(options.skip_token)
    tracked = preferences.track_changes or options.delta_token is not None or place.until is not None
    if not tracked:
        return _plain(connection, table, select_list, options, preferences, place)
    for name in ("$filter", "$orderby", "$expand", "$top"):
        if name in options.text:
            raise errors.not_with_tracking(name.removeprefix("$"))
    _check_tracking(database, table)
    if place.until is None:
        since = None if options.delta_token is None else _since(database, options.delta_token)
        place = Place(since=since, until=database.last_version())
    return _tracked(connection, table, select_list, options, preferences.page_size or MOST_ROWS, place)


def _check_tracking(database: Database, table: Table) -> None:
    if database.change_tracking(table):
        return
    raise errors.related_not_tracked(table.name) if table.kind == "intersect" else errors.not_tracked(table.name)


def _plain(
    connection: sqlite3.Connection,
    table: Table,
    select_list: str,
    options: Options,
    preferences: Preferences,
    place: Place,
) -> Page:
    conditions, values = conditions_of(options, table)
    count = None
    if options.count:
        statement = f'SELECT COUNT(*) FROM "{table.name}"{_where(conditions)}'  # noqa: S608 (names of our own schema)
        count = min(int(connection.execute(statement, values).fetchone()[0]), MOST_ROWS)
    key = f'"{table.primary_id}"'
    order = [f'"{filters.column_of(table, name).name}"{" DESC" if down else ""}' for name, down in options.order]
    if not order and place.last is not None:
        conditions, values = [*conditions, f"{key} > ?"], [*values, place.last]
    # $top is for the whole answer and turns paging off; more rows than a page holds are never given at once.
    size = MOST_ROWS if options.top is not None else preferences.page_size or MOST_ROWS
    most = size if options.top is None else min(size, options.top)
    statement = (
        f'SELECT {select_list}, {key} FROM "{table.name}"{_where(conditions)}'  # noqa: S608
        f" ORDER BY {', '.join([*order, key])} LIMIT ? OFFSET ?"
    )
    rows = connection.execute(statement, [*values, most + 1, place.skip if order else 0]).fetchall()
    following = None
    if len(rows) > most and options.top is None:
        rows = rows[:most]
        following = Place(place.page + 1, None if order else rows[-1][-1], place.skip + most if order else 0)
    return Page(rows[:most], (), following, None, count, False)


def _tracked(
    connection: sqlite3.Connection, table: Table, select_list: str, options: Options, size: int, place: Place
) -> Page:
    since, until = place.since, place.until
    rows: list[Sequence[Any]] = []
    deleted: list[str] = []
    last = place.last if place.last is not None else (since or 0)
    if not place.deletions:
        statement = (
            f'SELECT {select_list}, versionnumber FROM "{table.name}"'  # noqa: S608 (names of our own schema)
            " WHERE versionnumber > ? AND versionnumber <= ? ORDER BY versionnumber LIMIT ?"
        )
        rows = connection.execute(statement, (last, until, size + 1)).fetchall()
        if len(rows) > size:
            following = Place(place.page + 1, rows[size - 1][-1], since=since, until=until)
            return Page(
                rows[:size], (), following, None, _changes(connection, table, options, place), since is not None
            )
        last = since or 0
    if since is not None:
        room = size - len(rows)
        statement = (
            "SELECT id, version FROM deleted WHERE name = ? AND version > ? AND version <= ? ORDER BY version LIMIT ?"
        )
        found = connection.execute(statement, (table.name, last, until, room + 1)).fetchall()
        deleted = [row[0] for row in found[:room]]
        if len(found) > room:
            last = found[room - 1][1] if room else last
            following = Place(place.page + 1, last, since=since, until=until, deletions=True)
            return Page(rows, deleted, following, None, _changes(connection, table, options, place), True)
    token = f"{until}!{datetime.now(UTC).strftime(TOKEN_TIME)}"
    return Page(rows, deleted, None, token, _changes(connection, table, options, place), since is not None)


def _changes(connection: sqlite3.Connection, table: Table, options: Options, place: Place) -> int | None:
    """`@odata.count` of a tracked reading: all its rows and deletions."""
    return changes(connection, table, place.since, place.until) if options.count else None


def changes(connection: sqlite3.Connection, table: Table, since: int | None, until: int | None) -> int:
    statement = f'SELECT COUNT(*) FROM "{table.name}" WHERE versionnumber > ? AND versionnumber <= ?'  # noqa: S608
    total = int(connection.execute(statement, (since or 0, until)).fetchone()[0])
    if since is not None:
        statement = "SELECT COUNT(*) FROM deleted WHERE name = ? AND version > ? AND version <= ?"
        total += int(connection.execute(statement, (table.name, since, until)).fetchone()[0])
    return total


def count(database: Database, connection: sqlite3.Connection, table: Table, options: Options) -> int:
    """What `<entity set>/$count` answers: at most 5,000 rows, or the changes since a delta token."""
    if options.delta_token is not None:
        _check_tracking(database, table)
        return changes(connection, table, _since(database, options.delta_token), database.last_version())
    conditions, values = conditions_of(options, table)
    statement = f'SELECT COUNT(*) FROM "{table.name}"{_where(conditions)}'  # noqa: S608 (names of our own schema)
    return min(int(connection.execute(statement, values).fetchone()[0]), MOST_ROWS)


def conditions_of(options: Options, table: Table) -> tuple[list[str], list[Any]]:
    if options.filter is None:
        return [], []
    sql, values = filters.to_sql(options.filter, table)
    return [sql], values


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _since(database: Database, token: str) -> int:
    """The version that a delta token stands for."""
    match = _DELTA_TOKEN.fullmatch(token)
    try:
        made = datetime.strptime(match.group(2), TOKEN_TIME).replace(tzinfo=UTC) if match else None
    except ValueError:
        made = None
    if match is None or made is None or int(match.group(1)) > database.last_version():
        raise errors.bad_delta_token(token)
    if made < datetime.now(UTC) - timedelta(days=database.days_of_changes()):
        raise errors.expired_delta_token()
    return int(match.group(1))


def _place(token: str | None) -> Place:
    if token is None:
        return Place()
    match = _COOKIE.fullmatch(token)
    if match is None:
        raise errors.bad_skip_token()
    try:
        inner = json.loads(base64.urlsafe_b64decode(match.group(2)))
        place = Place(**inner)
    except (binascii.Error, ValueError, TypeError):
        raise errors.bad_skip_token() from None
    numbers = [place.page, place.skip, place.since or 0, place.until or 0]
    if not isinstance(place.last, str | None):
        numbers.append(place.last)
    if not all(type(number) is int and 0 <= number <= LARGEST for number in numbers):
        raise errors.bad_skip_token()
    return place


def link(url: str, options: Options, **changed: str | None) -> str:
    """The same address and options, with the given `$skiptoken` or `$deltatoken`."""
    given = {name: value for name, value in options.text.items() if name not in ("$skiptoken", "$deltatoken")}
    given |= {f"${name}": value for name, value in changed.items() if value is not None}
    query = "&".join(f"{name}={quote(value, safe=',()$:*')}" for name, value in given.items())
    return f"{url}?{query}"
