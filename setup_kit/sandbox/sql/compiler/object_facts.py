"""What the catalog does not keep of objects and shows all the same: numbers, constraints of every kind, texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.language import parser
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language import statements_objects as so
from setup_kit.sandbox.sql.storage.catalog import FIRST_OBJECT_ID, Check, Column, DatabaseObject, ForeignKey, Key, fold
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType

KINDS = {
    "U": "USER_TABLE", "V": "VIEW", "P": "SQL_STORED_PROCEDURE", "TT": "TYPE_TABLE", "PK": "PRIMARY_KEY_CONSTRAINT",
    "UQ": "UNIQUE_CONSTRAINT", "D": "DEFAULT_CONSTRAINT", "C": "CHECK_CONSTRAINT", "F": "FOREIGN_KEY_CONSTRAINT",
}  # fmt: skip


def visible(runtime: Runtime, *kinds: str) -> list[DatabaseObject]:
    """The objects of these kinds that the caller may know of."""
    return [o for o in runtime.catalog.objects.values() if o.kind in kinds and runtime.permissions.sees(o)]


# Constraints


@dataclass(frozen=True, slots=True)
class Constraint:
    """`kind` as in sys.objects: PK, UQ, D default, C check, F foreign key."""

    table: DatabaseObject
    id: int
    name: str
    kind: str
    part: Key | Column | Check | ForeignKey

    @property
    def is_system_named(self) -> int:
        """Names that SQL Server makes begin with the kind and two underscores."""
        prefix = {"D": "DF", "C": "CK", "F": "FK"}.get(self.kind, self.kind)
        return int(self.name.startswith(f"{prefix}__"))


def constraints_of(found: DatabaseObject) -> Iterator[Constraint]:
    for key in found.keys:
        if key.kind in ("PK", "UQ"):
            yield Constraint(found, key.id, key.name, key.kind, key)
    for check in found.checks:
        yield Constraint(found, check.id, check.name, "C", check)
    for foreign in found.foreign_keys:
        yield Constraint(found, foreign.id, foreign.name, "F", foreign)
    for column in found.columns:
        if column.default_text is not None:
            yield Constraint(found, default_id(found, column), column.default_name or "", "D", column)


def constraints(runtime: Runtime, *kinds: str) -> Iterator[Constraint]:
    """Those of every table that the caller may know of; of these kinds, or of all."""
    for found in visible(runtime, "U"):
        for constraint in constraints_of(found):
            if not kinds or constraint.kind in kinds:
                yield constraint


def referenced_index(runtime: Runtime, foreign: ForeignKey) -> tuple[int, str]:
    """The index_id and the name of the key that a foreign key refers to."""
    target = runtime.catalog.objects[foreign.table]
    return next(
        (number, key.name)
        for number, key in numbered_indexes(target)
        if key.kind != "IX" and set(key.columns) == set(foreign.references)
    )


# Numbers


def default_id(table: DatabaseObject, column: Column) -> int:
    """The object_id of a column's default; below those of all other objects. 0 where there is none."""
    return 100_000_000 + (table.id - FIRST_OBJECT_ID) // 16 * 1024 + column.id if column.default_text else 0


def type_id(found: DatabaseObject) -> int:
    """The user_type_id of a type that a user made."""
    return 257 + (found.id - FIRST_OBJECT_ID) // 16


def numbered_indexes(found: DatabaseObject) -> Iterator[tuple[int, Key]]:
    """The keys and indexes of a table with their index_id: 1 for the primary key, which is clustered, else from 2."""
    primary = [key for key in found.keys if key.kind == "PK"]
    others = [key for key in found.keys if key.kind != "PK"]
    yield from enumerate(primary, 1)
    yield from enumerate(others, 2)


def storage_index(found: DatabaseObject) -> int:
    """The index_id that holds a table's rows: 1 for a clustered index, 0 for a heap."""
    return int(any(key.kind == "PK" for key in found.keys))


# Parameters


@dataclass(frozen=True, slots=True)
class Parameter:
    """A procedure's parameter; `made` is the alias type or the table type that it was declared with."""

    name: str
    type: SqlType
    made: DatabaseObject | None
    output: bool
    readonly: bool


def parameters_of(runtime: Runtime, found: DatabaseObject) -> Iterator[Parameter]:
    """The parameters of a procedure, read from its definition; one whose type is gone is left out."""
    statement = parser.parse_batch(found.definition or "")[0]
    for one in statement.parameters if isinstance(statement, so.CreateProcedure) else ():
        if isinstance(one.type, SqlType):
            yield Parameter(f"@{one.name}", one.type, None, one.output, one.readonly)
            continue
        made = _type_made(runtime, found, one.type)
        if made is not None:
            kind = made.columns[0].type if made.kind == "AT" else t.TABLE
            yield Parameter(f"@{one.name}", kind, made, one.output, one.readonly)


def _type_made(runtime: Runtime, found: DatabaseObject, name: s.Name) -> DatabaseObject | None:
    """The alias or table type of a name in a procedure: in the schema given, else in the procedure's, then in dbo."""
    for place in [name.schema] if name.schema else [runtime.catalog.schemas[found.schema_id].name, "dbo"]:
        schema = runtime.catalog.schema(place)
        made = runtime.catalog.types_by_name.get((schema.id, fold(name.name))) if schema else None
        if made is not None:
            return made
    return None


# Texts


def default_definition(text: str | None) -> str | None:
    """A default as the catalog shows it: in parentheses, a number in two pairs, built-in functions in small letters."""
    if text is None:
        return None
    inner = text.strip()
    while inner.startswith("(") and inner.endswith(")") and _closes_at_end(inner):
        inner = inner[1:-1].strip()
    if re.fullmatch(r"[+-]?\d+(\.\d*)?", inner):
        inner = f"({inner})"
    elif match := re.fullmatch(r"(\w+)(\(.*\))", inner, re.DOTALL):
        inner = match[1].lower() + match[2]
    return f"({inner})"


def _closes_at_end(text: str) -> bool:
    """Whether the parenthesis that the text begins with closes at its end."""
    depth, quoted = 0, False
    for at, char in enumerate(text):
        if char == "'":
            quoted = not quoted
        elif not quoted:
            depth += {"(": 1, ")": -1}.get(char, 0)
            if depth == 0:
                return at == len(text) - 1
    return False
