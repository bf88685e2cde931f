"""What a compiled expression is: text for SQLite, the T-SQL type of its value, and where its inputs come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from setup_kit.sandbox.sql.compiler.server_facts import FirewallRule, OpenSession
from setup_kit.sandbox.sql.permissions import Permissions
from setup_kit.sandbox.sql.storage.catalog import Catalog, DatabaseObject
from setup_kit.sandbox.sql.storage.store import Database, ServerStore
from setup_kit.sandbox.sql.values import conversions
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Converter, SqlType, Stored

#: The type of a parameter that nothing declares (`sp_describe_undeclared_parameters`).
UNDECLARED = SqlType("undeclared")


class LocalTables(Protocol):
    def find(self, name: str) -> DatabaseObject | None: ...


class Runtime(Protocol):
    """What expressions ask of the session while a statement runs."""

    variables: dict[str, Stored]
    variable_types: dict[str, SqlType]
    identity: Stored
    database: Database
    server: ServerStore
    login_name: str
    login_sid: bytes
    application: str
    client_host: str
    spid: int
    row_count: int
    last_error: int
    statement_time: int
    caught: list[tuple[int, int, int, str, int, str]]

    @property
    def transaction_depth(self) -> int: ...
    @property
    def transaction_state(self) -> int: ...
    @property
    def local_tables(self) -> LocalTables: ...
    @property
    def catalog(self) -> Catalog: ...
    @property
    def permissions(self) -> Permissions: ...
    @property
    def options(self) -> Mapping[str, str]: ...
    @property
    def is_server_administrator(self) -> bool: ...
    @property
    def virtual_machine(self) -> bool: ...
    @property
    def contained_authentication(self) -> bool: ...
    @property
    def server_roles(self) -> frozenset[str]: ...
    def count_rows(self, table: DatabaseObject) -> int: ...
    def last_identity(self, table: DatabaseObject) -> int | None: ...
    def context(self, key: str) -> Stored: ...
    @property
    def nest_level(self) -> int: ...
    def sessions(self) -> Sequence[OpenSession]: ...
    def firewall_rules(self) -> Sequence[FirewallRule]: ...


Slot = Callable[[Runtime], Stored]
Function = Callable[..., Stored]  # takes the Runtime, then the values


@dataclass(frozen=True, slots=True)
class Bound:
    """A value. `slot` is set when it is known before the statement touches a row: a literal, a variable, a setting."""

    sql: str
    type: SqlType
    nullable: bool = True
    slot: Slot | None = None
    name: str = ""
    null: bool = False  # the literal NULL, which takes any type
    identity: bool = False
    undeclared: str = ""


@dataclass(frozen=True, slots=True)
class Demand:
    """A permission that a statement needs on an object; `owner` is whose the object is, `in_view` whether it is named
    in a view's query and not in the statement.
    """

    permission: str
    object: DatabaseObject
    owner: int
    in_view: bool = False


@dataclass(frozen=True, slots=True)
class SystemRows:
    """A system view or function that a statement reads: its rows go to the temporary table `table` beforehand."""

    table: str
    view: str
    arguments: tuple[Slot, ...]


@dataclass
class Program:
    """What compiling a statement gathers besides its text."""

    slots: list[Slot] = field(default_factory=list)
    functions: dict[str, tuple[int, Function]] = field(default_factory=dict)
    demands: list[Demand] = field(default_factory=list)
    system_rows: list[SystemRows] = field(default_factory=list)
    suggestions: dict[str, SqlType] = field(default_factory=dict)
    typed_variables: dict[str, SqlType] = field(default_factory=dict)  # those whose types the text depends on
    identity_insert: int = 0  # the table whose identity column an INSERT gives values for
    local_tables: dict[str, DatabaseObject] = field(default_factory=dict)  # #tables and table variables, by name
    volatile: bool = False  # whether values such as NEWID() may be computed beforehand: once for each row of VALUES
    _known: dict[tuple[object, ...], Bound] = field(default_factory=dict)
    branches: int = 0  # inside CASE and the like, where an input must not be computed unless its branch is taken

    def place(self, slot: Slot) -> str:
        """A placeholder for a value known at run time."""
        self.slots.append(slot)
        return f":v{len(self.slots)}"

    def values(self, runtime: Runtime) -> dict[str, Stored]:
        return {f"v{number}": slot(runtime) for number, slot in enumerate(self.slots, 1)}

    def from_slot(self, slot: Slot, kind: SqlType, *, nullable: bool = True, null: bool = False) -> Bound:
        return Bound(self.place(slot), kind, nullable, slot, null=null)

    def constant(self, value: Stored, kind: SqlType) -> Bound:
        """A value that is known now; equal ones share a placeholder."""
        key = (type(value), value, kind)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self.from_slot(lambda _: value, kind, nullable=value is None)
        return found

    def apply(self, label: str, function: Function, kind: SqlType, *inputs: Bound, folds: bool = True) -> Bound:
        """`function` over `inputs`: at once when all of them are known beforehand, else called by SQLite for each row.

        `label` names the function for SQLite: one label, one meaning, over the whole process.
        """
        slots = [bound.slot for bound in inputs]
        if (folds or self.volatile) and not self.branches and all(slot is not None for slot in slots):
            known = [slot for slot in slots if slot is not None]
            key = (label, *known)
            found = self._known.get(key) if known else None  # without inputs each call may have a value of its own
            if found is None:
                found = self.from_slot(lambda runtime: function(runtime, *[slot(runtime) for slot in known]), kind)
                self._known[key] = found
            return found
        self.functions[label] = (len(inputs), function)
        return Bound(f'"{label}"({", ".join(bound.sql for bound in inputs)})', kind)

    def convert(
        self, bound: Bound, target: SqlType, *, explicit: bool = False, style: int = 0, safe: bool = False
    ) -> Bound:
        """`bound` as `target`; raises where T-SQL has no such conversion."""
        if bound.undeclared:
            self.suggestions.setdefault(bound.undeclared, target)
            return replace(bound, type=target, undeclared="")
        if bound.null:
            return replace(bound, type=target, null=not explicit)
        convert = conversions.converter(bound.type, target, explicit=explicit, style=style)
        return self.converted(
            bound, target, convert, f"{'try ' if safe else ''}{bound.type} to {target} {style}", safe=safe
        )

    def converted(
        self, bound: Bound, target: SqlType, convert: Converter | None, label: str, *, safe: bool = False
    ) -> Bound:
        if convert is None:
            return replace(bound, type=target)
        if safe:
            convert = conversions.safe(convert)
        used = convert

        def function(_: Runtime, value: Stored) -> Stored:
            return None if value is None else used(value)

        return replace(self.apply(label, function, target, bound), nullable=bound.nullable or safe, name=bound.name)


def common_type(*bounds: Bound) -> SqlType:
    """The type that several values take together, by precedence (CASE, COALESCE, UNION, comparisons)."""
    found: SqlType | None = None
    for bound in bounds:
        if bound.null or bound.undeclared:
            continue
        found = bound.type if found is None else wider(found, bound.type)
    return found or (t.nvarchar(4000) if any(bound.undeclared for bound in bounds) else t.INT)


def wider(left: SqlType, right: SqlType) -> SqlType:
    if left == right:
        return left
    high, low = sorted((left, right), key=lambda kind: t.PRECEDENCE.index(kind.name))
    if high.name in ("decimal", "numeric") and low.name in (t.DECIMALS | set(t.INTEGERS)):
        (p1, s1), (p2, s2) = t.decimal_facets(high), t.decimal_facets(low)
        scale = max(s1, s2)
        return t.SqlType(high.name, precision=min(38, max(p1 - s1, p2 - s2) + scale), scale=scale)
    if high.name in t.SIZED and low.name in t.SIZED:
        length = t.MAX if t.MAX in (left.length, right.length) else max(left.length, right.length)
        fixed = left.name == right.name or length != t.MAX
        name = high.name
        if name in ("nchar", "char", "binary") and not fixed:
            name = {"nchar": "nvarchar", "char": "varchar", "binary": "varbinary"}[name]
        if name == "nchar" and low.name == "varchar":
            name = "nvarchar"
        if name in t.NATIONAL and length != t.MAX:
            length = min(length, 4000)
        return SqlType(name, length)
    if high.name == low.name and high.name in t.SCALED:
        return SqlType(high.name, scale=max(high.scale, low.scale))
    return high
