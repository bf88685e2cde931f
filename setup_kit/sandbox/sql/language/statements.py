"""The statements of T-SQL that this server carries out, as values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from sqlglot import exp

from setup_kit.sandbox.sql.values.types import SqlType


@dataclass(frozen=True)
class Name:
    """An object's name: `schema` None means the user's default schema."""

    name: str
    schema: str | None = None

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, kw_only=True)
class Statement:
    """`label` is the statement's class as the request log names it; `alone` says it must be its batch's only one,
    `alone_in_azure` that Azure SQL Database wants it so.
    """

    label: ClassVar[str] = ""
    alone: ClassVar[bool] = False
    alone_in_azure: ClassVar[bool] = False
    line: int = 1


# Data


@dataclass(frozen=True)
class Output:
    """The OUTPUT clause of a change: expressions over `inserted` and `deleted`, and where they go INTO."""

    items: tuple[exp.Expr, ...]
    into: exp.Table | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query(Statement):
    """SELECT, INSERT, UPDATE, DELETE or MERGE; of changes `top` (a percentage where `percent`) and `output`."""

    tree: exp.Expr
    label: str = field()  # type: ignore[misc]
    top: exp.Expr | None = None
    percent: bool = False
    output: Output | None = None
    recursion: int = 100  # OPTION (MAXRECURSION)


@dataclass(frozen=True)
class Assign(Statement):
    """SELECT @variable = value, …: `targets` are (variable, operator), "" for a plain "=", one for each column."""

    label = "SELECT"
    tree: exp.Expr
    targets: tuple[tuple[str, str], ...]
    recursion: int = 100


@dataclass(frozen=True)
class SelectInto(Statement):
    """SELECT … INTO a new table."""

    label = "SELECT INTO"
    tree: exp.Expr
    table: Name


@dataclass(frozen=True)
class InsertExecute(Statement):
    """INSERT … EXEC: the rows of every result go into `table`; `columns` () for all of its."""

    label = "INSERT"
    table: exp.Table
    columns: tuple[str, ...]
    execute: Execute


@dataclass(frozen=True)
class InsertBulk(Statement):
    """Says which columns the rows of a bulk load will have, in the message that follows."""

    label = "INSERT BULK"
    table: Name
    columns: tuple[str, ...]
    options: frozenset[str]


@dataclass(frozen=True)
class BulkRows(Statement):
    """The rows of a bulk load; `source` gives their message piece by piece, and nothing at its end."""

    label = "INSERT BULK"
    source: Callable[[], bytes]


@dataclass(frozen=True)
class Truncate(Statement):
    label = "TRUNCATE TABLE"
    table: Name


# Flow, variables and session


@dataclass(frozen=True)
class Block(Statement):
    label = "BEGIN"
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class If(Statement):
    label = "IF"
    condition: exp.Expr
    then: Statement
    otherwise: Statement | None


@dataclass(frozen=True)
class While(Statement):
    label = "WHILE"
    condition: exp.Expr
    body: Statement


@dataclass(frozen=True)
class Try(Statement):
    label = "BEGIN TRY"
    body: tuple[Statement, ...]
    handler: tuple[Statement, ...]


@dataclass(frozen=True)
class Leave(Statement):
    """BREAK, CONTINUE or RETURN."""

    label = "RETURN"
    kind: str
    value: exp.Expr | None = None


@dataclass(frozen=True)
class Declare(Statement):
    label = "DECLARE"
    variables: tuple[tuple[str, DeclaredType, exp.Expr | None], ...]


@dataclass(frozen=True)
class DeclareTable(Statement):
    label = "DECLARE"
    variable: str
    columns: tuple[ColumnDefinition, ...]
    constraints: tuple[Constraint, ...]


@dataclass(frozen=True)
class SetVariable(Statement):
    """SET @variable = value; `operator` of a compound assignment, such as +=, without the equals sign."""

    label = "SET"
    variable: str
    value: exp.Expr
    operator: str = ""


@dataclass(frozen=True)
class SetOption(Statement):
    label = "SET"
    option: str
    value: str


@dataclass(frozen=True)
class SetIdentityInsert(Statement):
    label = "SET"
    table: Name
    on: bool


@dataclass(frozen=True)
class Print(Statement):
    label = "PRINT"
    value: exp.Expr


@dataclass(frozen=True)
class Raise(Statement):
    """RAISERROR (`number` None) or THROW (`rethrow` where it stands alone)."""

    label = "RAISERROR"
    message: exp.Expr | None
    severity: exp.Expr | None
    state: exp.Expr | None
    number: exp.Expr | None = None
    arguments: tuple[exp.Expr, ...] = ()
    rethrow: bool = False
    options: frozenset[str] = frozenset()


@dataclass(frozen=True)
class WaitFor(Statement):
    """WAITFOR DELAY or WAITFOR TIME."""

    label = "WAITFOR"
    kind: str
    value: exp.Expr


@dataclass(frozen=True)
class Execute(Statement):
    """EXEC of a procedure; or of a text, which then is `text`."""

    label = "EXECUTE"
    procedure: Name | None
    arguments: tuple[tuple[str, exp.Expr, bool], ...]
    text: exp.Expr | None = None
    status: str | None = None


@dataclass(frozen=True)
class Use(Statement):
    label = "USE"
    database: str


@dataclass(frozen=True)
class Transaction(Statement):
    """BEGIN, COMMIT, ROLLBACK or SAVE."""

    label = "TRANSACTION"
    action: str
    name: str = ""


def inner(statement: Statement) -> tuple[Statement, ...]:
    """The statements that stand inside one of flow."""
    match statement:
        case Block():
            return statement.body
        case If():
            return (statement.then, *((statement.otherwise,) if statement.otherwise is not None else ()))
        case While():
            return (statement.body,)
        case Try():
            return statement.body + statement.handler
        case _:
            return ()


# Tables and other objects


#: A type as it is written: one of the system's, or the name of an alias type or table type.
DeclaredType = SqlType | Name


@dataclass(frozen=True)
class ColumnDefinition:
    """`computed` is the expression of a computed column, whose type is found when the table is made."""

    name: str
    type: DeclaredType
    nullable: bool | None = None
    identity: tuple[int, int] | None = None
    default_name: str | None = None
    default_text: str | None = None
    computed: str | None = None


@dataclass(frozen=True)
class KeyDefinition:
    """`kind`: PK or UQ; `columns` by name; `clustered` is read and has no meaning here."""

    kind: str
    columns: tuple[str, ...]
    name: str | None = None


@dataclass(frozen=True)
class CheckDefinition:
    """`columns`: the column that it was written with, if any."""

    text: str
    columns: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True)
class ForeignKeyDefinition:
    """`references` () for the primary key of `table`; actions are NO ACTION, CASCADE, SET NULL or SET DEFAULT."""

    columns: tuple[str, ...]
    table: Name
    references: tuple[str, ...]
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"
    name: str | None = None


@dataclass(frozen=True)
class DefaultDefinition:
    """ADD [CONSTRAINT name] DEFAULT value FOR column."""

    column: str
    text: str
    name: str | None = None


Constraint = KeyDefinition | CheckDefinition | ForeignKeyDefinition | DefaultDefinition


@dataclass(frozen=True)
class CreateTable(Statement):
    label = "CREATE TABLE"
    table: Name
    columns: tuple[ColumnDefinition, ...]
    constraints: tuple[Constraint, ...]


@dataclass(frozen=True)
class AlterTable(Statement):
    label = "ALTER TABLE"
    table: Name
    add_columns: tuple[ColumnDefinition, ...] = ()
    add_constraints: tuple[Constraint, ...] = ()
    alter_column: ColumnDefinition | None = None
    drop_columns: tuple[str, ...] = ()
    drop_constraints: tuple[str, ...] = ()
    if_exists: bool = False


@dataclass(frozen=True)
class DropObject(Statement):
    """`kind`: TABLE, VIEW, PROCEDURE or TYPE."""

    label: str = field()  # type: ignore[misc]
    kind: str
    names: tuple[Name, ...]
    if_exists: bool


@dataclass(frozen=True)
class CreateIndex(Statement):
    label = "CREATE INDEX"
    index: str
    table: Name
    columns: tuple[str, ...]
    unique: bool
    where: str | None = None


@dataclass(frozen=True)
class DropIndex(Statement):
    label = "DROP INDEX"
    index: str
    table: Name
    if_exists: bool


@dataclass(frozen=True)
class CreateView(Statement):
    label = "CREATE VIEW"
    alone = True
    view: Name
    columns: tuple[str, ...]
    query: exp.Expr
    definition: str
    alter: bool = False
    or_alter: bool = False


@dataclass(frozen=True)
class ParameterDefinition:
    name: str
    type: DeclaredType
    default: exp.Expr | None
    output: bool
    readonly: bool = False


@dataclass(frozen=True)
class CreateProcedure(Statement):
    label = "CREATE PROCEDURE"
    alone = True
    procedure: Name
    parameters: tuple[ParameterDefinition, ...]
    body: tuple[Statement, ...]
    definition: str
    alter: bool = False
    or_alter: bool = False


@dataclass(frozen=True)
class CreateType(Statement):
    """A table type."""

    label = "CREATE TYPE"
    type: Name
    columns: tuple[ColumnDefinition, ...]
    constraints: tuple[Constraint, ...]


@dataclass(frozen=True)
class CreateAliasType(Statement):
    label = "CREATE TYPE"
    type: Name
    base: SqlType
    nullable: bool


@dataclass(frozen=True)
class CreateSchema(Statement):
    label = "CREATE SCHEMA"
    alone = True
    schema: str
    owner: str | None


@dataclass(frozen=True)
class DropSchema(Statement):
    label = "DROP SCHEMA"
    schema: str
    if_exists: bool


# Logins, users, roles, permissions


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


# Databases


@dataclass(frozen=True)
class CreateDatabase(Statement):
    label = "CREATE DATABASE"
    alone_in_azure = True
    database: str


@dataclass(frozen=True)
class DropDatabase(Statement):
    label = "DROP DATABASE"
    alone_in_azure = True
    database: str
    if_exists: bool


@dataclass(frozen=True)
class AlterDatabase(Statement):
    """`database` None for CURRENT; only READ_COMMITTED_SNAPSHOT is known."""

    label = "ALTER DATABASE"
    database: str | None
    option: str
    value: str


@dataclass(frozen=True)
class AlterScopedConfiguration(Statement):
    label = "ALTER DATABASE"
    option: str
    value: str
