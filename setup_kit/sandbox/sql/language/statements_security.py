"""Statements on logins, users, roles, permissions, owners and databases."""

from __future__ import annotations

from dataclasses import dataclass, field

from setup_kit.sandbox.sql.language.statements import Name, Statement


@dataclass(frozen=True)
class CreateLogin(Statement):
    label = "CREATE LOGIN"
    alone_in_azure = True
    login: str
    password: str | None = field(repr=False)


@dataclass(frozen=True)
class AlterLogin(Statement):
    label = "ALTER LOGIN"
    alone_in_azure = True
    login: str
    password: str | None = field(default=None, repr=False)
    old_password: str | None = field(default=None, repr=False)
    new_name: str | None = None
    disabled: bool | None = None


@dataclass(frozen=True)
class DropLogin(Statement):
    label = "DROP LOGIN"
    alone_in_azure = True
    login: str


@dataclass(frozen=True)
class AlterServerRole(Statement):
    """ADD MEMBER, or DROP MEMBER."""

    label = "ALTER SERVER ROLE"
    role: str
    member: str
    add: bool


@dataclass(frozen=True)
class CreateUser(Statement):
    """`login` for a user of a login, `password` for a contained user, `external` FROM EXTERNAL PROVIDER."""

    label = "CREATE USER"
    user: str
    login: str | None
    password: str | None = field(repr=False)
    default_schema: str | None
    without_login: bool
    external: bool
    object_id: str | None = None


@dataclass(frozen=True)
class AlterUser(Statement):
    label = "ALTER USER"
    user: str
    new_name: str | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    old_password: str | None = field(default=None, repr=False)
    default_schema: str | None = None


@dataclass(frozen=True)
class DropUser(Statement):
    label = "DROP USER"
    user: str
    if_exists: bool


@dataclass(frozen=True)
class CreateRole(Statement):
    label = "CREATE ROLE"
    role: str
    owner: str | None


@dataclass(frozen=True)
class AlterRole(Statement):
    label = "ALTER ROLE"
    role: str
    add: str | None = None
    drop: str | None = None
    new_name: str | None = None


@dataclass(frozen=True)
class DropRole(Statement):
    label = "DROP ROLE"
    role: str
    if_exists: bool


@dataclass(frozen=True)
class ChangePermissions(Statement):
    """GRANT, DENY or REVOKE. `securable_class`: DATABASE, SCHEMA, OBJECT, TYPE, USER or ROLE; `securable` None for the
    database; `grantor` after AS; `option_only` for GRANT OPTION FOR.
    """

    label: str = field()  # type: ignore[misc]
    permissions: tuple[str, ...]
    securable_class: str
    securable: Name | None
    principals: tuple[str, ...]
    grant_option: bool = False
    option_only: bool = False
    cascade: bool = False
    grantor: str | None = None


@dataclass(frozen=True)
class AlterAuthorization(Statement):
    """`securable_class`: SCHEMA, OBJECT, TYPE or ROLE; `owner` None for SCHEMA OWNER."""

    label = "ALTER AUTHORIZATION"
    securable_class: str
    securable: Name
    owner: str | None


@dataclass(frozen=True)
class AlterSchema(Statement):
    """ALTER SCHEMA … TRANSFER of an OBJECT or a TYPE."""

    label = "ALTER SCHEMA"
    schema: str
    securable_class: str
    securable: Name


@dataclass(frozen=True)
class CreateDatabase(Statement):
    label = "CREATE DATABASE"
    alone_in_azure = True
    database: str
    contained: bool = False


@dataclass(frozen=True)
class DropDatabase(Statement):
    label = "DROP DATABASE"
    alone_in_azure = True
    database: str
    if_exists: bool


@dataclass(frozen=True)
class AlterDatabase(Statement):
    """`database` None for CURRENT. READ_COMMITTED_SNAPSHOT is ON or OFF; on a machine also CONTAINMENT PARTIAL or NONE,
    and USER is SINGLE_USER or MULTI_USER.
    """

    label = "ALTER DATABASE"
    database: str | None
    option: str
    value: str


@dataclass(frozen=True)
class AlterScopedConfiguration(Statement):
    label = "ALTER DATABASE"
    option: str
    value: str
