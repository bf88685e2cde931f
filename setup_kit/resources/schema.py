"""The destination schema, where it is not dbo, which every database has."""

from __future__ import annotations

from typing import Any

from setup_kit.engine.resource import Action, Change, Node, Removal, Resource
from setup_kit.environment.models import Environment
from setup_kit.resources.destination import Destination
from setup_kit.resources.exported_objects import ExportedObjects
from setup_kit.resources.secret_state import SecretState
from setup_kit.sqlserver.session import Session
from setup_kit.sqlserver.sessions import SqlSessions
from setup_kit.sqlserver.templates import render

_CONTENTS = """
SELECT RTRIM(type), name FROM sys.objects WHERE schema_id = SCHEMA_ID(?) AND parent_object_id = 0 AND type <> 'TT'
UNION ALL
SELECT 'TT', name FROM sys.types WHERE schema_id = SCHEMA_ID(?)
"""
# type in sys.objects, as far as the service makes any.
_KINDS = {"U": "table", "P": "procedure", "TT": "type"}
EXPORTED = "holds what was exported: only --drop-objects or --include-data takes it away"
_QUERY = "SELECT name FROM sys.schemas WHERE name = ?"


class ExportSchema(Resource[str]):
    """Its state is its name."""

    kind = "schema"

    def __init__(
        self,
        environment: Environment,
        sessions: SqlSessions,
        database: Resource[Any],
        secret: Resource[SecretState],
        operator_rule: Node,
    ) -> None:
        super().__init__(environment.sql.export_user.schema_name, within=database, needs=(secret, operator_rule))
        self._destination = Destination(environment, sessions, secret)
        self._database = database
        # Set for a removal that drops what the service made in the schema.
        self.dropping: ExportedObjects | None = None

    def read(self) -> str | None:
        session = self._destination.as_export_user()
        # A user sees only the schemas that it holds something on: not seen does not mean not there.
        if session is not None and self._exists(session):
            return self.name
        return self.name if self._exists(self._destination.administrator()) else None

    def diff(self, observed: str | None) -> list[Change]:
        if observed is not None:
            return []
        return [Change(self.address, Action.CREATE, after=self.name, why="the export service writes its tables there")]

    def apply(self, change: Change) -> str:
        batch = render("create_schema", schema=self.name)
        self._destination.administrator().run(batch, doing=f"create the schema {self.name!r}")
        return self.name

    def removal(self, observed: str) -> Removal:
        if not self._database.own:
            return Removal(kept="not known to be made by setup-kit")
        left = self._contents()
        if left and self.dropping is None:
            return Removal(kept=EXPORTED)
        if self.dropping is not None:
            left -= {(each.kind, each.name) for each in self.dropping.find() or ()}
        if left:
            more = ", ".join(f"{kind} {name}" for kind, name in sorted(left))
            return Removal(kept=f"there is more in it than what the service made: {more}")
        return Removal((self.deletion("nothing is left in it"),))

    def delete(self, observed: str) -> None:
        self._destination.administrator().run(
            render("drop_schema", schema=observed), doing=f"drop the schema {observed!r}"
        )

    def _contents(self) -> set[tuple[str, str]]:
        """Kind and name of all that keeps the schema from being dropped."""
        doing = f"list what is in the schema {self.name!r}"
        rows = self._destination.administrator().rows(_CONTENTS, self.name, self.name, doing=doing)
        return {(_KINDS.get(code, "object"), name) for code, name in rows}

    def _exists(self, session: Session) -> bool:
        return bool(session.rows(_QUERY, self.name, doing=f"look for the schema {self.name!r}"))
