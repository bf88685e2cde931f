"""Statements that make, change and drop tables, indexes, views, procedures, types and schemas; table variables."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from setup_kit.sandbox.sql.language.statements import DeclaredType, Name, Statement
from setup_kit.sandbox.sql.values.types import SqlType


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
class DeclareTable(Statement):
    """DECLARE @variable TABLE."""

    label = "DECLARE"
    variable: str
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
