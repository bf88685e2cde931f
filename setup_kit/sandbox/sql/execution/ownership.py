"""ALTER AUTHORIZATION and ALTER SCHEMA … TRANSFER: who owns what, and in which schema it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql import permissions as p
from setup_kit.sandbox.sql.execution import grants
from setup_kit.sandbox.sql.language import statements_security as ss
from setup_kit.sandbox.sql.storage.catalog import OBJECT, PRINCIPAL, SCHEMA, TYPE, Principal, fold
from setup_kit.sandbox.sql.storage.catalog_writer import CatalogWriter

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session

_LAST_SYSTEM_SCHEMA = 4  # dbo, guest, INFORMATION_SCHEMA and sys have the first numbers


def find_owner(session: Session, name: str) -> Principal:
    """A principal that the caller may make an owner: 15151 for one that is not there or for whom it may not stand."""
    found = session.catalog.principal(name)
    if found is None or not session.permissions.may_stand_for(found):
        raise errors.not_found("find", "principal", name)
    return found


def alter_authorization(session: Session, statement: ss.AlterAuthorization) -> None:
    """Needs TAKE OWNERSHIP; what was granted on it goes."""
    securable = grants.find_securable(session, statement.securable_class, statement.securable)
    if not session.permissions.holds("TAKE OWNERSHIP", securable):
        raise errors.not_found("find", statement.securable_class.lower(), statement.securable.name)
    if securable.securable_class == SCHEMA and securable.id <= _LAST_SYSTEM_SCHEMA:
        raise errors.error(15150, "alter", "schema", statement.securable.name)
    owner = find_owner(session, statement.owner) if statement.owner is not None else None
    writer = CatalogWriter(session.connection)
    match securable.securable_class:
        case 1 | 6:
            writer.set_object_owner(securable.id, owner.id if owner else None)
        case 3 | 4 if owner is None:
            raise errors.incorrect_syntax("SCHEMA OWNER")
        case 3 if owner is not None:
            writer.set_schema_owner(securable.id, owner.id)
            for held in session.catalog.objects.values():
                if held.schema_id == securable.id and held.owner is None:
                    writer.remove_permissions(TYPE if held.is_type else OBJECT, held.id)
        case 4 if owner is not None:
            if session.catalog.principals[securable.id].fixed:
                raise errors.error(15150, "alter", "role", statement.securable.name)
            writer.change_principal(securable.id, owner=owner.id)
    if securable.securable_class != PRINCIPAL:
        writer.remove_permissions(securable.securable_class, securable.id)


def transfer(session: Session, statement: ss.AlterSchema) -> None:
    """Needs CONTROL of what is moved and ALTER on the schema it moves to; what was granted on it goes."""
    schema = session.catalog.schema(statement.schema)
    held = session.permissions
    if schema is None or not held.holds("ALTER", p.of_schema(schema.id)):
        raise errors.not_found("alter", "schema", statement.schema)
    securable = grants.find_securable(session, statement.securable_class, statement.securable, "transfer")
    if not held.holds("CONTROL", securable):
        raise errors.not_found("transfer", statement.securable_class.lower(), statement.securable.name)
    found = session.catalog.objects[securable.id]
    taken = session.catalog.types_by_name if found.is_type else session.catalog.objects_by_name
    if schema.id != found.schema_id and (schema.id, fold(found.name)) in taken:
        raise errors.error(15530, found.name)
    writer = CatalogWriter(session.connection)
    writer.move_object(found.id, schema.id)
    writer.remove_permissions(securable.securable_class, found.id)
