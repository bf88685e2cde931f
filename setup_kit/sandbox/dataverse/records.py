"""Creates, changes and deletes rows: stamps them, keeps what follows from a change, and remembers deletions."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from setup_kit.sandbox.dataverse import errors
from setup_kit.sandbox.dataverse.database import Database
from setup_kit.sandbox.dataverse.schema import ACTIVITIES, Column, Table
from setup_kit.sandbox.dataverse.seed.maker import in_base_currency


class Records:
    """Writes inside one transaction, on behalf of one user."""

    def __init__(self, database: Database, connection: sqlite3.Connection, user_id: str) -> None:
        self._database = database
        self._schema = database.schema
        self._connection = connection
        self._user_id = user_id

    def find(self, table: Table, record_id: str) -> dict[str, Any] | None:
        """The stored columns of a row."""
        names = ", ".join(f'"{name}"' for name in table.stored_columns)
        statement = f'SELECT {names} FROM "{table.name}" WHERE "{table.primary_id}" = ?'  # noqa: S608
        row = self._connection.execute(statement, (record_id,)).fetchone()
        return None if row is None else dict(zip(table.stored_columns, row, strict=True))

    def create(self, table: Table, values: Mapping[str, Any]) -> str:
        """The new row's id, which `values` may give. Raises WebApiError when there is a row of that id."""
        record_id = str(values.get(table.primary_id) or uuid.uuid4())
        if self.find(table, record_id) is not None:
            raise errors.duplicate_record()
        now = _now()
        row: dict[str, Any] = dict.fromkeys(table.stored_columns)
        row |= {column.name: 0 for column in table.columns_of_type("Boolean") if column.in_rows}
        given = {"ownerid": self._user_id, "owneridtype": "systemuser"} if "ownerid" in table.by_name else {}
        given |= {"createdon": now, "modifiedon": now, "createdby": self._user_id, "modifiedby": self._user_id}
        if table.kind == "activity":
            given["activitytypecode"] = table.name
        row |= {name: value for name, value in given.items() if name in row}
        row |= values
        row[table.primary_id] = record_id
        self._follow(table, row, {*given, *values, "statecode"})
        row["versionnumber"] = self._database.next_version(self._connection)
        names = ", ".join(f'"{name}"' for name in row)
        statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({", ".join("?" * len(row))})'  # noqa: S608
        self._connection.execute(statement, list(row.values()))
        # Assumed: a row that comes back under its old id is a new row to its readers, not a deleted one as well.
        self._connection.execute("DELETE FROM deleted WHERE name = ? AND id = ?", (table.name, record_id))
        return record_id

    def update(self, table: Table, row: dict[str, Any], values: Mapping[str, Any]) -> None:
        """Change a row that `find` gave. As in Dataverse, writing the same values counts as a change too."""
        record_id = row[table.primary_id]
        changed = dict(row) | {name: value for name, value in values.items() if name != table.primary_id}
        changed |= {name: value for name, value in self._stamp().items() if name in row}
        self._follow(table, changed, set(values))
        self._set(table, record_id, {name: value for name, value in changed.items() if value != row[name]})

    def delete(self, table: Table, record_id: str) -> bool:
        """Delete a row with what belongs to it; other rows lose their lookups to it. False when there is none."""
        if self.find(table, record_id) is None:
            return False
        waiting = [(table, record_id)]
        while waiting:
            kind, gone = waiting.pop()
            statement = f'DELETE FROM "{kind.name}" WHERE "{kind.primary_id}" = ?'  # noqa: S608
            if self._connection.execute(statement, (gone,)).rowcount:
                self._remember(kind, gone)
                waiting.extend(self._let_go(kind, gone))
        return True

    def _let_go(self, target: Table, gone: str) -> list[tuple[Table, str]]:
        """Clear lookups to a deleted row, and give the rows that go with it: parental relationships and pairs."""
        following: list[tuple[Table, str]] = []
        for table in self._schema.tables.values():
            if table.kind == "activities":
                continue
            for column in table.row_columns:
                if target.name not in column.targets:
                    continue
                kind = f" AND \"{column.name}type\" = '{target.name}'" if len(column.targets) > 1 else ""
                statement = f'SELECT "{table.primary_id}" FROM "{table.name}" WHERE "{column.name}" = ?{kind}'  # noqa: S608
                for (record_id,) in self._connection.execute(statement, (gone,)).fetchall():
                    if _parental(column):
                        following.append((table, record_id))
                    else:
                        emptied = {column.name: None} | ({f"{column.name}type": None} if kind else {})
                        self._set(table, record_id, emptied)
        for relationship in self._schema.relationships_of(target.name):
            table = self._schema.tables[relationship.intersect_table]
            side = relationship.attribute1 if relationship.table1 == target.name else relationship.attribute2
            statement = f'SELECT "{table.primary_id}" FROM "{table.name}" WHERE "{side}" = ?'  # noqa: S608
            following += [(table, row[0]) for row in self._connection.execute(statement, (gone,))]
        return following

    def _remember(self, table: Table, record_id: str) -> None:
        version = self._database.next_version(self._connection)
        statement = "INSERT OR REPLACE INTO deleted VALUES (?, ?, ?)"
        self._connection.execute(statement, (table.name, record_id, version))

    def _set(self, table: Table, record_id: str, values: Mapping[str, Any]) -> None:
        version = self._database.next_version(self._connection)
        given = dict(values) | {"versionnumber": version}
        assignments = ", ".join(f'"{name}" = ?' for name in given)
        statement = f'UPDATE "{table.name}" SET {assignments} WHERE "{table.primary_id}" = ?'  # noqa: S608
        self._connection.execute(statement, [*given.values(), record_id])

    def _stamp(self) -> dict[str, Any]:
        return {"modifiedon": _now(), "modifiedby": self._user_id}

    def _follow(self, table: Table, row: dict[str, Any], given: set[str]) -> None:
        """Fill what follows from other columns: status from state, owner's kind and unit, names, base amounts."""
        if "statecode" in given and "statecode" in row:
            self._status(table, row, given)
        if "ownerid" in given and "ownerid" in row:
            self._owner(row)
        if table.name in ("contact", "lead", "systemuser"):
            row["fullname"] = " ".join(part for part in (row["firstname"], row["lastname"]) if part) or None
        if "transactioncurrencyid" in row:
            self._amounts(table, row)

    def _status(self, table: Table, row: dict[str, Any], given: set[str]) -> None:
        state = row["statecode"] = row["statecode"] or 0
        statuses = table.by_name["statuscode"].option_set
        if statuses is None:
            return
        valid = [option.value for option in statuses.options if option.state in (state, None)]
        if row["statuscode"] not in valid:
            if "statuscode" in given:
                raise errors.WebApiError(
                    400,
                    "0x80048408",
                    f"{row['statuscode']} is not a valid status code on {table.name}"
                    f" with state code {state} and Id {row[table.primary_id]}.",
                )
            row["statuscode"] = valid[0]

    def _owner(self, row: dict[str, Any]) -> None:
        kind = row["owneridtype"]
        table = self._schema.tables[kind]
        statement = f'SELECT businessunitid FROM "{kind}" WHERE "{table.primary_id}" = ?'  # noqa: S608
        found = self._connection.execute(statement, (row["ownerid"],)).fetchone()
        row["owninguser"] = row["ownerid"] if kind == "systemuser" else None
        row["owningteam"] = row["ownerid"] if kind == "team" else None
        row["owningbusinessunit"] = found[0] if found else None

    def _amounts(self, table: Table, row: dict[str, Any]) -> None:
        bases = [column for column in table.row_columns if column.base_of]
        if not bases:
            return
        if row["transactioncurrencyid"] is None and any(row[column.base_of or ""] is not None for column in bases):
            row["transactioncurrencyid"] = self._connection.execute(
                "SELECT basecurrencyid FROM organization"
            ).fetchone()[0]
        if row["transactioncurrencyid"] is None:
            return
        statement = "SELECT exchangerate FROM transactioncurrency WHERE transactioncurrencyid = ?"
        rate = self._connection.execute(statement, (row["transactioncurrencyid"],)).fetchone()[0]
        row["exchangerate"] = rate
        for column in bases:
            amount = row[column.base_of or ""]
            row[column.name] = None if amount is None else str(in_base_currency(Decimal(amount), Decimal(rate)))


def _parental(column: Column) -> bool:
    """Rows that go with their customer or with the row they regard, as Dataverse's standard relationships have it."""
    return column.type == "Customer" or (column.name == "regardingobjectid" and column.table in ACTIVITIES)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
