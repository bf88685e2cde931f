"""Options of the destination database that Resource Manager does not know: row versioning and parallelism."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from setup_kit.engine.resource import Action, Change, Node, Removal, Resource, Severity
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.resources.destination import Destination
from setup_kit.resources.secret_state import SecretState
from setup_kit.sqlserver.session import Session
from setup_kit.sqlserver.sessions import SqlSessions
from setup_kit.sqlserver.templates import render

_QUERY = """
SELECT d.is_read_committed_snapshot_on, CAST(c.value AS int)
FROM sys.databases AS d CROSS JOIN sys.database_scoped_configurations AS c
WHERE d.name = DB_NAME() AND c.name = N'MAXDOP'
"""

SNAPSHOT = "read_committed_snapshot"
MAXDOP = "maxdop"


@dataclass(frozen=True)
class OptionsState:
    read_committed_snapshot: bool
    maxdop: int


class DatabaseOptions(Resource[OptionsState]):
    kind = "database_options"

    def __init__(
        self,
        environment: Environment,
        sessions: SqlSessions,
        database: Resource[Any],
        secret: Resource[SecretState],
        operator_rule: Node,
    ) -> None:
        self._wanted = environment.sql.database
        super().__init__(self._wanted.name, within=database, needs=(secret, operator_rule))
        self._destination = Destination(environment, sessions, secret)

    def read(self) -> OptionsState | None:
        return self._read(self._destination.reader())

    def diff(self, observed: OptionsState | None) -> list[Change]:
        wanted = self._wanted
        changes = []
        if observed is None or observed.read_committed_snapshot != wanted.read_committed_snapshot:
            changes.append(
                Change(
                    self.address,
                    Action.UPDATE,
                    SNAPSHOT,
                    None if observed is None else observed.read_committed_snapshot,
                    wanted.read_committed_snapshot,
                    f"{_why_snapshot(wanted.read_committed_snapshot)}; "
                    "transactions that are open at the switch are rolled back",
                )
            )
        if observed is None or observed.maxdop != wanted.maxdop:
            changes.append(
                Change(
                    self.address,
                    Action.UPDATE,
                    MAXDOP,
                    None if observed is None else observed.maxdop,
                    wanted.maxdop,
                    _why_maxdop(wanted.maxdop),
                )
            )
        return changes

    def severity(self, change: Change) -> Severity:
        return Severity.LOW

    def evidence(self, observed: OptionsState) -> str:
        snapshot = "on" if observed.read_committed_snapshot else "off"
        return f"{SNAPSHOT} {snapshot}, {MAXDOP} {observed.maxdop}"

    def apply(self, change: Change) -> OptionsState:
        session = self._destination.administrator()
        doing = f"set {change.target} of database {self.name!r}"
        if change.target == SNAPSHOT:
            batch = render("set_read_committed_snapshot", enabled=self._wanted.read_committed_snapshot)
        else:
            batch = render("set_maxdop", maxdop=self._wanted.maxdop)
        session.run(batch, doing=doing)
        return self._read(session)

    def removal(self, observed: OptionsState) -> Removal:
        return Removal(kept="options of a database that stays")

    def delete(self, observed: OptionsState) -> None:
        """Options go with their database."""

    def _read(self, session: Session) -> OptionsState:
        doing = f"read the options of database {self.name!r}"
        rows = session.rows(_QUERY, doing=doing)
        if not rows:
            raise KitError(
                f"could not {doing} ({session.label})",
                why="the database does not list its own options",
                remedy="run the same command again",
            )
        snapshot, maxdop = rows[0]
        return OptionsState(bool(snapshot), int(maxdop))


def _why_snapshot(enabled: bool) -> str:
    if enabled:
        return "readers of the destination and the service's writes do not block each other then"
    return "the environment file says so; recommended is on: readers and the service's writes block each other then"


def _why_maxdop(processors: int) -> str:
    reason = "the service's many small merges do not profit from several processors"
    return reason if processors == 1 else f"the environment file says so; recommended is 1: {reason}"
