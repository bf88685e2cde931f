"""Users of the organization: who a caller is here, and what its roles allow."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from setup_kit.sandbox.dataverse import errors
from setup_kit.sandbox.dataverse.database import Database
from setup_kit.sandbox.dataverse.organization import Organization
from setup_kit.sandbox.dataverse.schema import stable_id
from setup_kit.sandbox.dataverse.seed.foundation import (
    SERVICE_READER,
    SYSTEM_ADMINISTRATOR,
    SYSTEM_ADMINISTRATOR_TEMPLATE,
)
from setup_kit.sandbox.entra import Caller

NON_INTERACTIVE = 4  # systemuser.accessmode
WHO = """
SELECT u.systemuserid, u.businessunitid, u.isdisabled, EXISTS (
  SELECT 1 FROM systemuserroles AS ur JOIN role AS r ON r.roleid = ur.roleid
  WHERE ur.systemuserid = u.systemuserid AND r.roletemplateid = ?)
FROM systemuser AS u WHERE u.azureactivedirectoryobjectid = ? OR u.applicationid = ?
ORDER BY u.azureactivedirectoryobjectid IS NOT ? LIMIT 1
"""


@dataclass(frozen=True)
class User:
    id: str
    business_unit: str
    is_administrator: bool


def identify(connection: sqlite3.Connection, caller: Caller) -> User:
    """The user that a caller is, by its object id or as an application user. Raises WebApiError for a stranger."""
    object_id, app_id = caller.object_id.lower(), caller.app_id.lower()
    row = connection.execute(WHO, (SYSTEM_ADMINISTRATOR_TEMPLATE, object_id, app_id, object_id)).fetchone()
    if row is None:
        raise errors.not_a_member()
    if row[2]:
        raise errors.disabled_user(row[0])
    return User(row[0], row[1], bool(row[3]))


def admit(database: Database, connection: sqlite3.Connection, organization: Organization) -> None:
    """Make the users that the organization's administrators and applications need, where they are not there yet."""
    for object_id in sorted(organization.administrators):
        known = {"azureactivedirectoryobjectid": object_id.lower()}
        app_id = organization.application_ids.get(object_id)
        if app_id is not None:
            known["applicationid"] = app_id.lower()
        _admit(database, connection, organization, known, SYSTEM_ADMINISTRATOR)
    for app_id in sorted(organization.applications):
        _admit(database, connection, organization, {"applicationid": app_id.lower()}, SERVICE_READER)


def _admit(
    database: Database, connection: sqlite3.Connection, organization: Organization, known: dict[str, str], role: str
) -> None:
    """A user with the Entra ids `known` and with `role`; one that has the first of the ids is left as it is."""
    column, value = next(iter(known.items()))
    statement = f'SELECT 1 FROM systemuser WHERE "{column}" = ?'  # noqa: S608 (a name of our own)
    if connection.execute(statement, (value,)).fetchone() is not None:
        return
    is_application = "applicationid" in known
    user_id, system = stable_id("user", value), stable_id("SYSTEM")
    unit = connection.execute("SELECT businessunitid FROM businessunit WHERE parentbusinessunitid IS NULL").fetchone()
    row = known | {
        "systemuserid": user_id,
        "fullname": f"# {role}" if is_application else role,
        "firstname": "#" if is_application else "",
        "lastname": role,
        "domainname": f"{value}@contoso.example",
        "internalemailaddress": f"{value}@contoso.example",
        "businessunitid": unit[0],
        "organizationid": organization.id,
        "createdby": system,
        "modifiedby": system,
        "createdon": "2019-03-01T08:00:00Z",
        "modifiedon": "2019-03-01T08:00:00Z",
        "accessmode": NON_INTERACTIVE if is_application else 0,
        "isdisabled": 0,
        "islicensed": 0,
        "setupuser": 0,
        "isintegrationuser": 0,
        "versionnumber": database.next_version(connection),
    }
    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO systemuser ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608
    connection.execute(
        "INSERT INTO systemuserroles (systemuserroleid, systemuserid, roleid, versionnumber) VALUES (?, ?, ?, ?)",
        (stable_id("user role", value), user_id, stable_id("role", role), database.next_version(connection)),
    )
