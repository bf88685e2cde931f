"""GRANT, DENY and REVOKE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql import permissions as p
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.permissions import Securable
from setup_kit.sandbox.sql.storage.catalog import (
    DATABASE,
    DBO_ID,
    FIXED_ROLES,
    INFORMATION_SCHEMA_ID,
    SCHEMA,
    SYS_ID,
    CatalogWriter,
    Permission,
    fold,
)

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session


def _find_securable(session: Session, statement: s.ChangePermissions) -> Securable:
    name = statement.securable
    if statement.securable_class == DATABASE:
        if name is not None and fold(name.name) != fold(session.database.name):
            raise errors.not_found("find", "database", name.name)
        return p.THE_DATABASE
    assert name is not None  # noqa: S101 - only the database is left out
    if statement.securable_class == SCHEMA:
        schema = session.catalog.schema(name.name)
        securable = p.of_schema(schema.id) if schema else None
        kind = "schema"
    else:
        found = session.catalog.object(name.schema or session.default_schema, name.name)
        if found is None and name.schema is None:
            found = session.catalog.object("dbo", name.name)
        securable = p.of_object(found) if found else None
        kind = "object"
    if securable is None or not session.permissions.holds_any(securable):
        raise errors.not_found("find", kind, name.name)
    return securable


def change_permissions(session: Session, statement: s.ChangePermissions) -> None:
    securable = _find_securable(session, statement)
    names = []
    for written in statement.permissions:
        name = p.canonical(written, securable, session.permissions)
        if name is None:
            if " ".join(written.split()) in p.CODES:
                raise errors.SqlError(
                    4606, f"Granted or revoked privilege {written} is not compatible with object.", ends_batch=True
                )
            raise errors.incorrect_syntax(written)
        names.append(name)
    for name in names:
        if not session.permissions.may_grant(name, securable):
            _refuse_grant(session, statement, securable)
    grantees = []
    for written in statement.principals:
        found = session.catalog.principal(written)
        if found is None or not session.permissions.sees_principal(found.id):
            raise errors.not_found("find", "user", written)
        if found.id in (DBO_ID, INFORMATION_SCHEMA_ID, SYS_ID, session.permissions.principal_id):
            # The text is SQL Server's, its number assumed.
            raise errors.SqlError(
                4624, "Cannot grant, deny, or revoke permissions to sa, dbo, entity owner, information_schema, sys, or "
                "yourself.",
            )  # fmt: skip
        if found.id in FIXED_ROLES.values():
            raise errors.SqlError(4617, "Cannot grant, deny or revoke permissions to or from special roles.")
        grantees.append(found.id)
    _write_permissions(session, statement, securable, names, grantees)


def _write_permissions(
    session: Session, statement: s.ChangePermissions, securable: Securable, names: list[str], grantees: list[int]
) -> None:
    writer = CatalogWriter(session.connection)
    grantor = DBO_ID if session.permissions.holds("CONTROL") else session.permissions.principal_id
    for grantee in grantees:
        for name in names:
            if statement.label == "REVOKE":
                writer.remove_permission(securable.securable_class, securable.id, grantee, name)
                continue
            state = "D" if statement.label == "DENY" else "W" if statement.grant_option else "G"
            writer.set_permission(Permission(securable.securable_class, securable.id, grantee, grantor, name, state))


def _refuse_grant(session: Session, statement: s.ChangePermissions, securable: Securable) -> None:
    """4613 on the database; 15151 for a securable that the caller has no hold of."""
    if securable.securable_class == DATABASE:
        raise errors.SqlError(4613, "Grantor does not have GRANT permission.")
    kind = "schema" if securable.securable_class == SCHEMA else "object"
    raise errors.not_found("find", kind, statement.securable.name if statement.securable else "")
