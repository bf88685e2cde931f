"""What the export user must hold: the thirteen permissions that the Data Export Service's documentation lists.

Codes and names as `sys.database_permissions` has them in `type` (char(4), with trailing blanks) and `permission_name`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Scope(IntEnum):
    """`class` in sys.database_permissions."""

    DATABASE = 0
    SCHEMA = 3


@dataclass(frozen=True)
class Grant:
    permission: str
    code: str
    scope: Scope

    def label(self, schema: str) -> str:
        """How it is named to people: "CREATE TABLE", "INSERT on schema dbo"."""
        return self.permission if self.scope is Scope.DATABASE else f"{self.permission} on schema {schema}"


DATABASE_GRANTS = (
    Grant("CREATE TABLE", "CRTB", Scope.DATABASE),
    Grant("CREATE TYPE", "CRTY", Scope.DATABASE),
    Grant("CREATE VIEW", "CRVW", Scope.DATABASE),
    Grant("CREATE PROCEDURE", "CRPR", Scope.DATABASE),
    Grant("ALTER ANY USER", "ALUS", Scope.DATABASE),
    Grant("VIEW DATABASE STATE", "VWDS", Scope.DATABASE),
)

SCHEMA_GRANTS = (
    Grant("ALTER", "AL", Scope.SCHEMA),
    Grant("REFERENCES", "RF", Scope.SCHEMA),
    Grant("INSERT", "IN", Scope.SCHEMA),
    Grant("DELETE", "DL", Scope.SCHEMA),
    Grant("UPDATE", "UP", Scope.SCHEMA),
    Grant("SELECT", "SL", Scope.SCHEMA),
    Grant("EXECUTE", "EX", Scope.SCHEMA),
)

GRANTS = DATABASE_GRANTS + SCHEMA_GRANTS

# CREATE USER grants it by itself. It is one of the contract's only in that nothing works without it.
CONNECT = Grant("CONNECT", "CO", Scope.DATABASE)

PERMISSIONS = frozenset(grant.permission for grant in (*GRANTS, CONNECT))
