"""The thirteen permissions of the export user."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from setup_kit.engine.resource import Action, Change, Finding, Node, Removal, Resource, Severity, Status
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.resources.destination import Destination
from setup_kit.resources.secret_state import SecretState
from setup_kit.resources.user import ExportUser
from setup_kit.sqlserver.grants import CONNECT, GRANTS, Grant, Scope
from setup_kit.sqlserver.quoting import quote_identifier
from setup_kit.sqlserver.sessions import SqlSessions
from setup_kit.sqlserver.templates import Batch, render

_PERMISSIONS = """
SELECT p.class, p.type, p.permission_name, p.state, s.name,
  CASE WHEN p.class = 1 THEN OBJECT_SCHEMA_NAME(p.major_id) END, CASE WHEN p.class = 1 THEN OBJECT_NAME(p.major_id) END
FROM sys.database_permissions AS p
JOIN sys.database_principals AS u ON u.principal_id = p.grantee_principal_id
LEFT JOIN sys.schemas AS s ON p.class = 3 AND s.schema_id = p.major_id
WHERE u.name = ?
"""
_ROLES = """
SELECT r.name
FROM sys.database_role_members AS m
JOIN sys.database_principals AS r ON r.principal_id = m.role_principal_id
JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id
WHERE u.name = ?
"""

# state in sys.database_permissions
_DENIED = "D"
_GRANTED = "G"
_WITH_GRANT_OPTION = "W"

# class in sys.database_permissions, as far as a user may be granted anything in it
_CLASSES = {0: "the database", 1: "an object", 3: "schema", 4: "another user or role", 6: "a type"}


@dataclass(frozen=True)
class Permission:
    """A row of sys.database_permissions. `scope` is its class; `schema` and `entity` name a schema or an object."""

    scope: int
    code: str
    name: str
    state: str
    schema: str = ""
    entity: str = ""

    @property
    def label(self) -> str:
        where = _CLASSES.get(self.scope, f"something of class {self.scope}")
        named = ".".join(part for part in (self.schema, self.entity) if part)
        return f"{self.name} on {where} {named}".rstrip()

    @property
    def securable(self) -> str:
        """What follows the permission's name in REVOKE; empty for the database, and where nothing names it here."""
        if self.scope == Scope.SCHEMA:
            return f" ON SCHEMA::{quote_identifier(self.schema)}"
        if self.entity:
            return f" ON OBJECT::{quote_identifier(self.schema)}.{quote_identifier(self.entity)}"
        return ""


@dataclass(frozen=True)
class GrantsState:
    """What the user that was created then holds and is denied."""

    user_created: datetime
    permissions: frozenset[Permission]


class Grants(Resource[GrantsState]):
    kind = "grants"
    together = True
    wanted = len(GRANTS)

    def __init__(
        self,
        environment: Environment,
        sessions: SqlSessions,
        user: ExportUser,
        schema: Resource[Any] | None,
        secret: Resource[SecretState],
        operator_rule: Node,
    ) -> None:
        needs = [node for node in (schema, secret, operator_rule) if node is not None]
        super().__init__(environment.sql.export_user.name, within=user, needs=needs)
        self._destination = Destination(environment, sessions, secret)
        self.rests_on = secret
        self._user = user

    def read(self) -> GrantsState | None:
        rows = self._destination.reader().rows(
            _PERMISSIONS, self._destination.user, doing=f"read the grants of {self._destination.user!r}"
        )
        permissions = frozenset(
            Permission(scope, code.strip(), name, state.strip(), schema or of_object or "", entity or "")
            for scope, code, name, state, schema, of_object, entity in rows
        )
        return GrantsState(self._user_created(), permissions)

    def diff(self, observed: GrantsState | None) -> list[Change]:
        # A user that was made anew since the grants were read holds nothing of them.
        if observed is not None and observed.user_created != self._user_created():
            observed = None
        changes = []
        # CREATE USER grants CONNECT by itself: only where the user was there can it be missing.
        for grant in GRANTS if observed is None else (CONNECT, *GRANTS):
            states = self._states(observed, grant)
            target = grant.label(self._destination.schema)
            if _DENIED in states:
                why = "a denial wins over every grant: it is revoked, then the permission is granted"
                changes.append(Change(self.address, Action.UPDATE, target, "denied", "granted", why))
            elif not states & {_GRANTED, _WITH_GRANT_OPTION}:
                why = (
                    "the export service needs it" if grant is not CONNECT else "nobody signs in as the user without it"
                )
                changes.append(Change(self.address, Action.CREATE, target, None, "granted", why))
        return changes

    def apply(self, change: Change) -> GrantsState:
        return self.apply_all((change,))

    def apply_all(self, changes: Sequence[Change]) -> GrantsState:
        by_label = {grant.label(self._destination.schema): grant for grant in (CONNECT, *GRANTS)}
        statements = []
        for change in changes:
            if change.action is Action.UPDATE:
                statements.append(self._statement("revoke", by_label[change.target]))
            statements.append(self._statement("grant", by_label[change.target]))
        labels = ", ".join(change.target for change in changes)
        self._send("grant", statements, f"grant {labels} to {self._destination.user!r}")
        grants = [by_label[change.target] for change in changes]
        if CONNECT in grants:
            self._destination.sessions.login_changed()
        return self._with(grants)

    def removal(self, observed: GrantsState) -> Removal:
        """They go with the user, or stay with it."""
        user = self._user.observed
        kept = self._user.removal(user).kept if user is not None else ""
        return Removal(kept=kept) if kept else super().removal(observed)

    def delete(self, observed: GrantsState) -> None:
        statements = [self._statement("revoke", grant) for grant in GRANTS if self._states(observed, grant)]
        if statements:
            self._send("revoke", statements, f"revoke the grants of {self._destination.user!r}")

    def evidence(self, observed: GrantsState) -> str:
        names = ", ".join(grant.label(self._destination.schema) for grant in self._held(observed))
        return f"{self.held(observed)} of {self.wanted} grants: {names}"

    def held(self, observed: GrantsState) -> int:
        """How many of the thirteen the user holds, not counting one that is denied."""
        return len(self._held(observed))

    def _held(self, observed: GrantsState) -> list[Grant]:
        every = [(grant, self._states(observed, grant)) for grant in GRANTS]
        return [grant for grant, states in every if states and _DENIED not in states]

    def audit(self, observed: GrantsState) -> list[Finding]:
        """Whatever the user may do beyond the contract: it is the kit's own, so nobody else needs it to.

        A denial beyond it takes something away that the service does not need: a warning.
        """
        findings = []
        known = (CONNECT, *GRANTS)
        user = quote_identifier(self._destination.user)
        for permission in sorted(observed.permissions, key=lambda item: item.label):
            label, securable = permission.label, permission.securable
            revoke = f"REVOKE {permission.name}{securable} FROM {user} CASCADE"
            if any(self._is(permission, grant) for grant in known):
                if permission.state == _WITH_GRANT_OPTION:
                    keeping = f"REVOKE GRANT OPTION FOR {permission.name}{securable} FROM {user} CASCADE"
                    message = f"may pass {label} on to others"
                    findings.append(self._beyond("grants.grant_option", message, keeping, label))
            elif permission.state == _DENIED:
                findings.append(self._denied(f"is denied {label}", revoke, label))
            else:
                message = f"holds {label}, which it does not need"
                findings.append(self._beyond("grants.superfluous", message, revoke, label))
        doing = f"read the roles of {self._destination.user!r}"
        for (role,) in sorted(self._destination.reader().rows(_ROLES, self._destination.user, doing=doing)):
            message = f"is a member of {role}, which gives it more than the service needs"
            drop = f"ALTER ROLE {quote_identifier(role)} DROP MEMBER {user}"
            findings.append(self._beyond("grants.role", message, drop, f"role {role}"))
        return findings

    def _beyond(self, check: str, message: str, statement: str, seen: str) -> Finding:
        message = f"the user {self._destination.user!r} {message}"
        evidence = f"seen: {seen}; wanted: the {len(GRANTS)} grants alone"
        return Finding(check, Status.FAILED, self.address, message, self._by_hand(statement), evidence)

    def _denied(self, message: str, statement: str, seen: str) -> Finding:
        message = f"the user {self._destination.user!r} {message}"
        remedy = self._by_hand(statement)
        return Finding("grants.denied", Status.WARNING, self.address, message, remedy, f"seen: {seen}", Severity.LOW)

    def _by_hand(self, statement: str) -> str:
        """The command with which an administrator sends the statement; the kit takes nothing away unasked."""
        address = self._destination.sessions.address
        words = ["sqlcmd", "-S", str(address), "-d", self._destination.database, "-G", "-Q", statement]
        return shlex.join(words)

    def _is(self, permission: Permission, grant: Grant) -> bool:
        if (permission.scope, permission.code) != (grant.scope, grant.code):
            return False
        return grant.scope is Scope.DATABASE or permission.schema.casefold() == self._destination.schema.casefold()

    def _states(self, observed: GrantsState | None, grant: Grant) -> frozenset[str]:
        rows = () if observed is None else observed.permissions
        return frozenset(row.state for row in rows if self._is(row, grant))

    def _statement(self, verb: str, grant: Grant) -> str:
        user, permission = self._destination.user, grant.permission
        if grant.scope is Scope.DATABASE:
            return render(f"{verb}_on_database", permission=permission, name=user).text
        return render(f"{verb}_on_schema", permission=permission, schema=self._destination.schema, name=user).text

    def _send(self, name: str, statements: Sequence[str], doing: str) -> None:
        """One batch: from far away each would take its time."""
        self._destination.administrator().run(Batch(name, ";\n".join(statements)), doing=doing)

    def _with(self, grants: Sequence[Grant]) -> GrantsState:
        created = self._user_created()
        held: frozenset[Permission] = frozenset()
        if self.observed is not None and self.observed.user_created == created:
            rows = self.observed.permissions
            held = frozenset(row for row in rows if not any(self._is(row, grant) for grant in grants))
        schema = self._destination.schema
        given = {
            Permission(
                int(grant.scope), grant.code, grant.permission, _GRANTED, schema if grant.scope is Scope.SCHEMA else ""
            )
            for grant in grants
        }
        return GrantsState(created, held | given)

    def _user_created(self) -> datetime:
        user = self._user.observed
        if user is None:
            raise KitError(
                f"the user {self._destination.user!r} does not exist", remedy="run `setup-kit apply`, which creates it"
            )
        return user.created
