"""A database with the objects of the permission table, and a user whose rights change from one case to the next."""

from __future__ import annotations

from collections.abc import Mapping

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types

from tests.sandbox.sql import permission_model as model
from tests.sandbox.sql.conftest import Server
from tests.sandbox.sql.permission_table import SETUP, Row


class Ground:
    def __init__(self, server: Server) -> None:
        self.database = server.database()
        self.admin = server.connect(self.database)
        for statement in SETUP:
            self.admin.execute(statement)
        self.name, password = server.user(self.database)
        self.user = server.connect(self.database, self.name, password, autocommit=False)
        self._held: dict[str, dict[str, str]] = {}

    def close(self) -> None:
        self.user.close()
        self.admin.close()

    def hold(self, principal: str, wanted: Mapping[str, str]) -> None:
        """Let a principal hold exactly this: "GRANT" or "DENY" of a right, "MEMBER" of a fixed role."""
        held = self._held.get(principal, {})
        gone = {right: state for right, state in held.items() if wanted.get(right) != state}
        new = {right: state for right, state in wanted.items() if held.get(right) != state}
        statements = [
            f"ALTER ROLE {right} DROP MEMBER {principal}" if state == "MEMBER" else f"REVOKE {right} FROM {principal}"
            for right, state in gone.items()
        ] + [
            f"ALTER ROLE {right} ADD MEMBER {principal}" if state == "MEMBER" else f"{state} {right} TO {principal}"
            for right, state in new.items()
        ]
        if statements:
            self.admin.execute("SET NOCOUNT ON; BEGIN TRAN; " + "; ".join(statements) + "; COMMIT")
        self._held[principal] = dict(wanted)

    def run(self, row: Row) -> str:
        """What the user is told: "" when the statement went through; it is undone."""
        if not row.in_transaction:
            self.user.autocommit = True
        try:
            cursor = self.user.execute(row.statement)
            if cursor.description:
                cursor.fetchall()
            cursor.close()
            if row.undo:
                self.user.execute(row.undo)
        except pyodbc.Error as error:
            return str(error.args[1])
        finally:
            self.user.rollback()
            self.user.autocommit = False
        return ""

    def expected(self, row: Row) -> list[str]:
        """What the user may be told, text and number: none where every need is met."""
        held = self._held.values()
        unmet = [need for need in row.needs if not any(model.holds(way, *held) for way in need.ways)]
        return [
            f"{need.text.format(database=self.database)} ({need.number})"
            for need in unmet
            if need.number == unmet[0].number
        ]

    def check(self, row: Row) -> None:
        """Run a statement as the user and compare what it is told with what the table says."""
        told, expected = self.run(row), self.expected(row)
        shown = f"{row.statement} with {self._held}: {told or 'no error'}"
        if expected:
            assert any(one in told for one in expected), shown
        else:
            assert not told, shown
