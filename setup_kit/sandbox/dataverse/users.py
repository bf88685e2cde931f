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
    people = [("azureactivedirectoryobjectid", item, SYSTEM_ADMINISTRATOR) for item in organization.administrators]
    people += [("applicationid", item, SERVICE_READER) for item in organization.applications]
    unit = connection.execute("SELECT businessunitid FROM businessunit WHERE parentbusinessunitid IS NULL").fetchone()[
        0
    ]
    for column, value, role in sorted(people):
        known = connection.execute(f'SELECT 1 FROM systemuser WHERE "{column}" = ?', (value.lower(),))  # noqa: S608
        if known.fetchone() is None:
            _add(database, connection, column, value.lower(), role, unit, organization.id)


def _add(
    database: Database,
    connection: sqlite3.Connection,
    column: str,
    value: str,
    role: str,
    unit: str,
    organization_id: str,
) -> None:
    user_id = stable_id("user", value)
    name = f"# {role}" if column == "applicationid" else role
    row = {
        "systemuserid": user_id,
        column: value,
        "fullname": name,
        "firstname": "#" if column == "applicationid" else "System",
        "lastname": name.removeprefix("# "),
        "domainname": f"{value}@contoso.example",
        "internalemailaddress": f"{value}@contoso.example",
        "businessunitid": unit,
        "organizationid": organization_id,
        "createdby": stable_id("SYSTEM"),
        "modifiedby": stable_id("SYSTEM"),
        "createdon": "2019-03-01T08:00:00Z",
        "modifiedon": "2019-03-01T08:00:00Z",
        "accessmode": 4 if column == "applicationid" else 0,  # 4: non-interactive
        "isdisabled": 0,
        "islicensed": 0,
        "setupuser": 0,
        "isintegrationuser": 0,
        "versionnumber": database.next_version(connection),
    }
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO systemuser ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608
    connection.execute(
        "INSERT INTO systemuserroles (systemuserroleid, systemuserid, roleid, versionnumber) VALUES (?, ?, ?, ?)",
        (stable_id("user role", value), user_id, stable_id("role", role), database.next_version(connection)),
    )
