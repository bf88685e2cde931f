"""The destination database in SQL Server on a virtual machine, made by T-SQL.

What the kit made carries an extended property, named as the tag of what it makes in Azure: it comes and goes with the
database, is there for a database administrator to see, and needs no other place to be kept in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from setup_kit.engine.resource import Action, Change, Finding, Removal, Resource, Value
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.resources import tags
from setup_kit.resources.destination import Destination
from setup_kit.resources.ownership import audit_owner, check_made_by_kit, check_owner, not_own
from setup_kit.resources.secret_state import SecretState
from setup_kit.resources.sql_machine import SqlMachine
from setup_kit.sqlserver.session import Session
from setup_kit.sqlserver.sessions import SqlSessions
from setup_kit.sqlserver.templates import render

_THERE = "SELECT state_desc FROM sys.databases WHERE name = ?"
_DATABASE = """
SELECT d.collation_name, d.containment, CAST(p.value AS nvarchar(128))
FROM sys.databases AS d LEFT JOIN sys.extended_properties AS p ON p.class = 0 AND p.name = ?
WHERE d.database_id = DB_ID()
"""

CONTAINMENT = "containment"
NONE, PARTIAL = "none", "partial"


@dataclass(frozen=True)
class MachineDatabaseState:
    """`owner`: the environment that the kit made it for; None when it was made by other means."""

    collation: str
    contained: bool
    owner: str | None

    @property
    def tags(self) -> Mapping[str, str]:
        return {} if self.owner is None else {tags.OWNER: self.owner}


class MachineDatabase(Resource[MachineDatabaseState]):
    kind = "database"
    holds_data = True

    def __init__(
        self,
        environment: Environment,
        sessions: SqlSessions,
        machine: SqlMachine,
        secret: Resource[SecretState],
        *,
        owner: str,
    ) -> None:
        super().__init__(environment.sql.database.name, within=machine, needs=(secret,))
        self._destination = Destination(environment, sessions, secret)
        self._owner = owner

    def read(self) -> MachineDatabaseState | None:
        session = self._destination.as_export_user()
        return self._state(session) if session is not None else self.find()

    def find(self) -> MachineDatabaseState | None:
        """As the administrator, who sees the database when nobody else may open it."""
        rows = self._destination.master().rows(_THERE, self.name, doing=f"look for the database {self.name!r}")
        if not rows:
            return None
        if rows[0][0] != "ONLINE":
            raise KitError(
                f"the database {self.name!r} cannot be opened",
                why=f"its state is {rows[0][0]}",
                remedy="bring it online, then run the same command again",
            )
        return self._state(self._destination.administrator())

    def _state(self, session: Session) -> MachineDatabaseState:
        doing = f"read who made the database {self.name!r}"
        ((collation, containment, owner),) = session.rows(_DATABASE, tags.OWNER, doing=doing)
        return MachineDatabaseState(collation, bool(containment), owner)

    def diff(self, observed: MachineDatabaseState | None) -> list[Change]:
        contained = self._destination.contained
        if observed is None:
            detail: dict[str, Value] = {CONTAINMENT: PARTIAL if contained else NONE, "made for": self._owner}
            return [Change(self.address, Action.CREATE, detail=detail)]
        changes = []
        if contained and not observed.contained:
            why = "only a contained database has users with a password of their own; nobody loses anything by it"
            changes.append(Change(self.address, Action.UPDATE, CONTAINMENT, NONE, PARTIAL, why))
        check_owner(self, observed.tags, self._owner, changes)
        return changes

    def apply(self, change: Change) -> MachineDatabaseState:
        master = self._destination.master()
        contained = self._destination.contained
        if change.action is Action.CREATE:
            batch = render(
                "create_database", name=self.name, contained=contained, property=tags.OWNER, owner=self._owner
            )
            master.run(batch, doing=f"create the database {self.name!r}")
        else:
            batch = render("set_containment", name=self.name)
            master.run(batch, doing=f"make the database {self.name!r} a contained one")
        return self._state(self._destination.administrator())

    def evidence(self, observed: MachineDatabaseState) -> str:
        made = f"made by setup-kit for {observed.owner}" if observed.owner else "not made by setup-kit"
        return f"collation {observed.collation}, {made}"

    def audit(self, observed: MachineDatabaseState) -> list[Finding]:
        return audit_owner(self, observed.tags, self._owner)

    @property
    def own(self) -> bool:
        return self.observed is not None and not not_own(self.observed.tags, self._owner)

    def removal(self, observed: MachineDatabaseState) -> Removal:
        kept = not_own(observed.tags, self._owner)
        return Removal(kept=kept) if kept else Removal((self.deletion("with all that was exported into it"),))

    def delete(self, observed: MachineDatabaseState) -> None:
        check_made_by_kit(self, observed.tags)
        self._destination.sessions.login_changed()  # which ends this run's own sessions of the export user
        batch = render("drop_database", name=self.name)
        self._destination.master().run(batch, doing=f"drop the database {self.name!r}")
