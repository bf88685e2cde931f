"""What statements are, as values; here those on data, of flow and of the session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from sqlglot import exp

from setup_kit.sandbox.sql.values.types import SqlType


@dataclass(frozen=True)
class Name:
    """An object's name: `schema` None means the user's default schema, `database` None the current one."""

    name: str
    schema: str | None = None
    database: str | None = None

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


#: A type as it is written: one of the system's, or the name of an alias type or table type.
DeclaredType = SqlType | Name


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
