"""What the service made in the destination for one profile: tables, and the types and procedures that serve them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from setup_kit.engine.resource import Action, Change, Node, Removal, Resource
from setup_kit.environment.models import Environment
from setup_kit.resources.destination import Destination
from setup_kit.resources.profile import table_name
from setup_kit.resources.secret_state import SecretState
from setup_kit.sqlserver.sessions import SqlSessions
from setup_kit.sqlserver.templates import render

# `marked`: the two columns that the service gives every table of rows, and nobody else would.
_QUERY = """
SELECT 'procedure', p.name, 0
FROM sys.procedures AS p JOIN sys.schemas AS s ON s.schema_id = p.schema_id WHERE LOWER(s.name) = ?
UNION ALL
SELECT 'type', t.name, 0
FROM sys.types AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id WHERE LOWER(s.name) = ? AND t.is_table_type = 1
UNION ALL
SELECT 'table', t.name, (SELECT COUNT(*) FROM sys.columns AS c
    WHERE c.object_id = t.object_id AND c.name IN (N'SinkCreatedOn', N'SinkModifiedOn'))
FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id WHERE LOWER(s.name) = ?
"""
_MARKED = 2

# What uses another goes before it.
_ORDER = ("procedure", "type", "table")

_SYSTEM_TABLES = frozenset(
    name.casefold()
    for name in (
        "GlobalOptionsetMetadata",
        "OptionsetMetadata",
        "StateMetadata",
        "StatusMetadata",
        "TargetMetadata",
        "AttributeMetadata",
        "DeleteLog",
    )
)
_PROCEDURE = re.compile(r"(spMerge\w+|Upsert(Attribute|GlobalOptionSet|OptionSet|State|Status|Target)Metadata)", re.I)
_TYPE = re.compile(r"(\w+Type|(State|Status|OptionSet|Target|Attribute)MetadataList)", re.I)


@dataclass(frozen=True)
class ExportedObject:
    kind: str
    name: str


class ExportedObjects(Resource[tuple[ExportedObject, ...]]):
    """Nothing that a plan asks for: it is in the graph of a removal that was told to drop the objects.

    They are known by the profile's prefix, which they bear in its schema, and tables of rows by the service's columns.
    Where there is no prefix, other objects look alike: only those of entities that the environment file names count.
    """

    kind = "exported_objects"

    def __init__(
        self,
        environment: Environment,
        sessions: SqlSessions,
        database: Resource[Any],
        schema: Resource[Any] | None,
        secret: Resource[SecretState],
        operator_rule: Node,
    ) -> None:
        needs = [node for node in (schema, secret, operator_rule) if node is not None]
        super().__init__(environment.profile.name, within=database, needs=needs)
        self._destination = Destination(environment, sessions, secret)
        self.rests_on = secret
        self._schema = environment.profile.schema_name
        self._prefix = environment.profile.prefix
        self._entities = [name.casefold() for name in environment.profile.entities]
        # Set for a removal of what a few entities left behind: only what serves these.
        self.only: frozenset[str] | None = None

    def read(self) -> tuple[ExportedObject, ...] | None:
        schema = self._schema.lower()
        doing = f"list the objects of the export in the schema {self._schema!r}"
        rows = self._destination.administrator().rows(_QUERY, schema, schema, schema, doing=doing)
        found = [ExportedObject(kind, name) for kind, name, marks in rows if self._exported(kind, name, marks)]
        return tuple(sorted(found, key=lambda each: (_ORDER.index(each.kind), each.name))) or None

    def serves(self, entity: str) -> bool:
        """Whether something of this entity is there."""
        start = len(table_name(self._prefix, ""))
        return any(each.name[start:].casefold() in _names(each.kind, [entity]) for each in self.observed or ())

    def diff(self, observed: tuple[ExportedObject, ...] | None) -> list[Change]:
        return []

    def apply(self, change: Change) -> tuple[ExportedObject, ...]:
        kept = []
        for each in self.observed or ():
            if self._label(each) == change.target:
                self._drop(each)
            else:
                kept.append(each)
        return tuple(kept)

    def removal(self, observed: tuple[ExportedObject, ...]) -> Removal:
        return Removal(
            tuple(
                Change(self.address, Action.DELETE, self._label(each), each.name, destructive=True) for each in observed
            )
        )

    def delete(self, observed: tuple[ExportedObject, ...]) -> None:
        for each in observed:
            self._drop(each)

    def _drop(self, each: ExportedObject) -> None:
        batch = render(f"drop_exported_{each.kind}", schema=self._schema, name=each.name)
        self._destination.administrator().run(batch, doing=f"drop the {self._label(each)}")

    def _label(self, each: ExportedObject) -> str:
        return f"{each.kind} {self._schema}.{each.name}"

    def _exported(self, kind: str, name: str, marks: int) -> bool:
        start = table_name(self._prefix, "").casefold()
        if not name.casefold().startswith(start):
            return False
        base = name[len(start) :]
        if self.only is not None:
            return base.casefold() in _names(kind, self.only) and (kind != "table" or marks == _MARKED)
        if kind == "table":
            known = bool(self._prefix) or base.casefold() in self._entities
            return base.casefold() in _SYSTEM_TABLES or (marks == _MARKED and known)
        if kind == "procedure":
            return _PROCEDURE.fullmatch(base) is not None and self._of_an_entity(base, "spMerge", "")
        return _TYPE.fullmatch(base) is not None and self._of_an_entity(base, "", "Type")

    def _of_an_entity(self, base: str, start: str, end: str) -> bool:
        """Whether, without a prefix, the name of an object that serves an entity is that of one in the file."""
        if self._prefix or base.casefold().endswith(("metadata", "metadatalist")):
            return True
        return base.casefold() in _serving(self._entities, start, end)


def _names(kind: str, entities: Iterable[str]) -> set[str]:
    """The names, without the prefix, of the objects of a kind that serve these entities."""
    if kind == "table":
        return {name.casefold() for name in entities}
    return _serving(entities, "spMerge", "") if kind == "procedure" else _serving(entities, "", "Type")


def _serving(entities: Iterable[str], start: str, end: str) -> set[str]:
    return {f"{start}{name}{middle}{end}".casefold() for name in entities for middle in ("", "Id")}
