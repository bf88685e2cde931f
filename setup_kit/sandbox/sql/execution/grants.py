"""GRANT, DENY and REVOKE."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import builtin_permissions, errors, unsupported
from setup_kit.sandbox.sql import permissions as p
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language import statements_security as ss
from setup_kit.sandbox.sql.permissions import Permissions, Securable
from setup_kit.sandbox.sql.storage.catalog import (
    DBO_ID,
    FIXED_ROLES,
    INFORMATION_SCHEMA_ID,
    OBJECT,
    SYS_ID,
    Catalog,
    Permission,
    fold,
)
from setup_kit.sandbox.sql.storage.catalog_writer import CatalogWriter

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session


def change_permissions(session: Session, statement: ss.ChangePermissions) -> None:
    securable = find_securable(session, statement.securable_class, statement.securable)
    held = _acting(session, statement.grantor)
    names = [_permission(held, written, securable) for written in statement.permissions]
    grantees = [_grantee(session, written) for written in statement.principals]
    special = {DBO_ID, INFORMATION_SCHEMA_ID, SYS_ID, session.permissions.principal_id, held.owner(securable)}
    if special.intersection(grantees):  # told without failing, and nothing is changed
        session.reply.message(4624, 2, 0, errors.error(4624).message, statement.line)
        return
    grantors = [_grantor(held, name, securable, statement) for name in names]
    for grantee in grantees:
        for name, grantor in zip(names, grantors, strict=True):
            row = Permission(securable.securable_class, securable.id, grantee, grantor, name, "G")
            _change(session, statement, row)


def find_securable(session: Session, securable_class: str, name: s.Name | None, verb: str = "find") -> Securable:
    """The securable that ON names, if the caller may know of it (15151, with `verb`); without ON the database."""
    held, catalog = session.permissions, session.catalog
    found: Securable | None = None
    if securable_class == "DATABASE":
        if name is None or fold(name.name) == fold(session.database.name):
            return p.THE_DATABASE
        raise errors.not_found("find", "database", name.name)
    assert name is not None  # noqa: S101 - only the database is left out
    if securable_class == "SCHEMA":
        schema = catalog.schema(name.name)
        found = p.of_schema(schema.id) if schema else None
    elif securable_class in ("USER", "ROLE"):
        principal = catalog.principal(name.name)
        right = principal is not None and (principal.kind == "R") == (securable_class == "ROLE")
        found = p.of_principal(principal) if principal is not None and right else None
    else:
        types = catalog.types_by_name if securable_class == "TYPE" else catalog.objects_by_name
        for where in [name.schema] if name.schema else [session.default_schema, "dbo"]:
            schema = catalog.schema(where)
            held_there = types.get((schema.id, fold(name.name))) if schema else None
            if held_there is not None:
                found = p.of_object(held_there)
                break
    if found is None or not (held.holds_any(found) or held.in_role("db_securityadmin")):
        raise errors.not_found(verb, securable_class.lower(), name.name)
    return found


def _acting(session: Session, name: str | None) -> Permissions:
    """The permissions of whoever the statement is carried out for: the caller, or the principal after AS (15151)."""
    if name is None:
        return session.permissions
    found = session.catalog.principal(name)
    held = session.permissions
    if found is None or not (held.in_role("db_securityadmin") or held.may_stand_for(found)):
        raise errors.not_found("find", "user", name)
    return Permissions(session.catalog, found.id, session.database.name)


def _permission(held: Permissions, written: str, securable: Securable) -> str:
    """The permission's name; 102 for one that this class does not have, 4606 for one that this object does not."""
    name = p.canonical(written, securable, held)
    if name is not None:
        return name
    if securable.securable_class == OBJECT and builtin_permissions.exists("OBJECT", written):
        raise errors.error(4606, written)
    if written in ("ALL", "ALL PRIVILEGES"):
        raise unsupported.refused("ALL")
    raise errors.incorrect_syntax(f"{written}..." if written in builtin_permissions.CODES else written)


def _grantor(held: Permissions, name: str, securable: Securable, statement: ss.ChangePermissions) -> int:
    """In whose name it is changed; else 4613 on the database, 15151 for anything in it."""
    grantor = held.grantor(name, securable, denies=statement.label == "DENY")
    if grantor is not None:
        return grantor
    if statement.grantor is not None or statement.securable is None or statement.securable_class == "DATABASE":
        raise errors.error(4613)
    raise errors.not_found("find", statement.securable_class.lower(), statement.securable.name)


def _grantee(session: Session, name: str) -> int:
    found = session.catalog.principal(name)
    if found is None:
        raise errors.not_found("find", "user", name)
    if found.id in FIXED_ROLES.values():
        raise errors.error(4617)
    return found.id


def _change(session: Session, statement: ss.ChangePermissions, row: Permission) -> None:
    """One permission of one grantee, of which there is one row. What the grantee has handed on by the grant option is
    taken back with it: by CASCADE, else 4611.
    """
    writer = CatalogWriter(session.connection)
    if statement.label == "GRANT":
        writer.set_permission(replace(row, state="W" if statement.grant_option else "G"))
        return
    rows = session.catalog.permissions_by_grantee.get(row.grantee, ())
    found = next((one for one in rows if _about(one) == _about(row)), None)
    revokes = statement.label == "REVOKE"
    if revokes and (found is None or found.grantor != row.grantor):
        return  # a REVOKE takes back only what its grantor granted
    if found is not None and found.state == "W":
        if not statement.cascade:
            raise errors.error(4611)
        for other in _handed_on(session.catalog, row):
            writer.remove_permission(other)
    elif statement.option_only:
        return
    if revokes and not statement.option_only:
        writer.remove_permission(row)
    else:
        writer.set_permission(replace(row, state="G" if revokes else "D"))


def _about(row: Permission) -> tuple[int, int, str]:
    return row.securable_class, row.major_id, row.permission


def _handed_on(catalog: Catalog, row: Permission) -> list[Permission]:
    """The grants that rest on a grant with the grant option, one after another."""
    found: list[Permission] = []
    wanted = [row.grantee]
    while wanted:
        grantor = wanted.pop()
        for other in catalog.permissions:
            if (
                _about(other) == _about(row)
                and other.grantor == grantor
                and other.grantee != grantor
                and other not in found
            ):
                found.append(other)
                wanted.append(other.grantee)
    return found
