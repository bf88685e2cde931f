"""Answers about definitions: `EntityDefinitions`, `RelationshipDefinitions`, `GlobalOptionSetDefinitions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from setup_kit.sandbox.dataverse import errors, filters, metadata, tokens
from setup_kit.sandbox.dataverse.customizations import Customizations
from setup_kit.sandbox.dataverse.database import Database
from setup_kit.sandbox.dataverse.options import Expand, Options
from setup_kit.sandbox.dataverse.schema import Column, Table
from setup_kit.sandbox.dataverse.tokens import Segment

Item = dict[str, Any]
CHOICE_KINDS = frozenset(f"{kind}AttributeMetadata" for kind in ("Picklist", "State", "Status", "Boolean"))
# The types whose members the organization's columns are; a cast to another known one gives an empty list.
ATTRIBUTE_KINDS = frozenset(
    f"{kind}AttributeMetadata"
    for kind in (
        "BigInt", "Boolean", "DateTime", "Decimal", "Double", "EntityName", "File", "Image", "Integer", "Lookup",
        "ManagedProperty", "Memo", "Money", "MultiSelectPicklist", "Picklist", "State", "Status", "String",
        "UniqueIdentifier",
    )
)  # fmt: skip


class Definitions:
    def __init__(self, database: Database) -> None:
        self.customizations = Customizations(database)
        self._schema = database.schema
        self._made: dict[str, dict[str, Item]] = {}

    def answer(self, path: Sequence[Segment], options: Options) -> tuple[str, Item]:
        """The fragment of `@odata.context`, and the body, for a path below the service root. Raises WebApiError."""
        first, rest = path[0], path[1:]
        if first.name == "EntityDefinitions":
            return self._entities(first, rest, options)
        if first.name == "RelationshipDefinitions":
            return self._relationships(first, rest, options)
        return self._option_sets(first, rest, options)

    def table(self, key: str | None) -> Table:
        """The table that a key such as `LogicalName='account'` or a MetadataId names. Raises WebApiError."""
        key = key or ""
        found_id = tokens.key_id(key) or tokens.key_id(_named(key, "MetadataId"))
        if found_id is not None:
            for table in self._schema.tables.values():
                if table.id == found_id:
                    return table
            raise errors.no_definition("", found_id)
        name = _text(_named(key, "LogicalName"))
        if name is None:
            raise errors.bad_query(f"The key '{key}' names no entity definition.")
        if name not in self._schema.tables:
            raise errors.no_definition(name)
        return self._schema.tables[name]

    def put(self, table: Table, body: object, *, merge_labels: bool) -> None:
        """Changes a definition, unpublished. Raises WebApiError."""
        if isinstance(body, Mapping):
            known = set(self._entity_metadata(table)) | _COLLECTIONS
            unknown = {name for name in body if "@" not in name} - known
            if unknown:
                raise errors.unknown_property(sorted(unknown)[0], "EntityMetadata")
        self.customizations.put(table, body, merge_labels=merge_labels)

    def _entities(self, first: Segment, rest: Sequence[Segment], options: Options) -> tuple[str, Item]:
        if first.key is None:
            items = [
                self._entity(table, options)
                for table in self._schema.tables.values()
                if options.filter is None or filters.test(options.filter, self._entity_metadata(table))
            ]
            return f"EntityDefinitions{_shape(options)}", {"value": _top(items, options)}
        table = self.table(first.key)
        place = f"EntityDefinitions('{table.name}')"
        if not rest:
            return f"EntityDefinitions{_shape(options)}/$entity", self._entity(table, options)
        if rest[0].name == "Attributes":
            return self._attributes(table, rest, options, place)
        if rest[0].name == "ManyToManyRelationships" and len(rest) == 1:
            return f"{place}/ManyToManyRelationships", {"value": self._many_to_many(table, options)}
        if rest[0].name in ("ManyToOneRelationships", "OneToManyRelationships") and len(rest) == 1:
            return f"{place}/{rest[0].name}", {"value": _listed(self._one_to_many(table, rest[0].name), options)}
        if len(rest) == 1 and rest[0].key is None:
            name = rest[0].name
            found = self._entity_metadata(table)
            if name in found:
                value = found[name]
                return f"{place}/{name}", dict(value) if isinstance(value, dict) else {"value": value}
        raise errors.unknown_segment(rest[0].name)

    def _entity_metadata(self, table: Table) -> Item:
        return self.customizations.entity(table)

    def _entity(self, table: Table, options: Options) -> Item:
        found = self._entity_metadata(table)
        _check_names(options.select, frozenset(found), "EntityMetadata")
        item = metadata.select(found, options.select)
        for expand in options.expand:
            item[expand.name] = self._expanded(table, expand)
        return item

    def _expanded(self, table: Table, expand: Expand) -> list[Item]:
        if expand.name == "Attributes":
            return [
                self._attribute(table, column, expand.options) for column in self._chosen(table, None, expand.options)
            ]
        if expand.name == "ManyToManyRelationships":
            return self._many_to_many(table, expand.options)
        if expand.name in ("ManyToOneRelationships", "OneToManyRelationships"):
            return _listed(self._one_to_many(table, expand.name), expand.options)
        if expand.name == "Keys":
            return []
        raise errors.unknown_property(expand.name, "EntityMetadata")

    # Attributes

    def _attributes(self, table: Table, path: Sequence[Segment], options: Options, place: str) -> tuple[str, Item]:
        first, cast = path[0], path[1].name if len(path) > 1 else None
        kind = None
        if cast is not None:
            kind = cast.removeprefix(f"{metadata.PREFIX}.")
            if kind not in ATTRIBUTE_KINDS or kind == cast:
                raise errors.unknown_segment(cast)
        place = f"{place}/Attributes" + (f"/{cast}" if cast else "")
        if first.key is None:
            if len(path) > 2:
                raise errors.unknown_segment(path[2].name)
            chosen = self._chosen(table, kind, options)
            items = [self._attribute(table, column, options, kind) for column in chosen]
            return f"{place}{_shape(options)}", {"value": _top(items, options)}
        column = self._column(table, first.key)
        if kind is not None and metadata.kind_of(column) != kind:
            raise errors.unknown_segment(f"{metadata.PREFIX}.{kind}")
        if len(path) == 3 and path[2].name == "OptionSet" and kind in CHOICE_KINDS:
            return f"{place}/OptionSet", metadata.option_set_of(column) or {}
        if len(path) > 2:
            raise errors.unknown_segment(path[2].name)
        return f"{place}{_shape(options)}/$entity", self._attribute(table, column, options, kind)

    def _column(self, table: Table, key: str) -> Column:
        wanted = tokens.key_id(key) or tokens.key_id(_named(key, "MetadataId"))
        name = _text(_named(key, "LogicalName"))
        for column in table.columns:
            if column.id == wanted or column.name == name:
                return column
        raise errors.WebApiError(
            404, "0x80044401", f"Could not find an attribute with specified name: {name or wanted} in {table.name}."
        )

    def _chosen(self, table: Table, kind: str | None, options: Options) -> list[Column]:
        return [
            column
            for column in table.columns
            if (kind is None or metadata.kind_of(column) == kind)
            and (options.filter is None or filters.test(options.filter, self._attribute_metadata(table, column)))
        ]

    def _attribute(self, table: Table, column: Column, options: Options, kind: str | None = None) -> Item:
        """With a cast, the type need not be said; without one, only what all types share can be selected by name."""
        found = self._attribute_metadata(table, column)
        known = metadata.COMMON if kind is None else frozenset(found)
        _check_names(options.select, known, kind or "AttributeMetadata")
        item = metadata.select(found, options.select)
        if kind is not None:
            item.pop("@odata.type")
        for expand in options.expand:
            if expand.name not in ("OptionSet", "GlobalOptionSet") or kind not in CHOICE_KINDS:
                raise errors.unknown_property(expand.name, kind or "AttributeMetadata")
            is_global = column.option_set is not None and column.option_set.is_global
            wanted = metadata.option_set_of(column)
            if expand.name == "GlobalOptionSet":
                item[expand.name] = wanted if is_global else None
            else:
                item[expand.name] = metadata.select(wanted or {}, expand.options.select)
        return item

    def _attribute_metadata(self, table: Table, column: Column) -> Item:
        made = self._made.get(table.name)
        if made is None:
            made = {item.name: metadata.attribute(table, item) for item in table.columns}
            self._made[table.name] = made
        return made[column.name]

    # Relationships and option sets

    def _many_to_many(self, table: Table, options: Options) -> list[Item]:
        found = [metadata.many_to_many(self._schema, item) for item in self._schema.relationships_of(table.name)]
        return _listed(found, options)

    def _one_to_many(self, table: Table, collection: str) -> list[Item]:
        side = "ReferencingEntity" if collection == "ManyToOneRelationships" else "ReferencedEntity"
        return [item for item in metadata.one_to_many(self._schema) if item[side] == table.name]

    def _relationships(self, first: Segment, rest: Sequence[Segment], options: Options) -> tuple[str, Item]:
        pairs = [metadata.many_to_many(self._schema, item) for item in self._schema.relationships]
        cast = rest[0].name.removeprefix(f"{metadata.PREFIX}.") if rest else None
        if cast not in (None, "ManyToManyRelationshipMetadata", "OneToManyRelationshipMetadata") or len(rest) > 1:
            raise errors.unknown_segment(rest[-1].name)
        place = "RelationshipDefinitions" + (f"/{rest[0].name}" if rest else "")
        items = [] if cast == "OneToManyRelationshipMetadata" else pairs
        if cast != "ManyToManyRelationshipMetadata":
            items = items + metadata.one_to_many(self._schema)
        if first.key is None:
            found = _listed(items, options)
            if cast is not None:
                for item in found:
                    item.pop("@odata.type", None)
            return f"{place}{_shape(options)}", {"value": found}
        wanted = tokens.key_id(first.key), _text(_named(first.key, "SchemaName"))
        for item in items:
            if item["MetadataId"] == wanted[0] or item["SchemaName"] == wanted[1]:
                return f"{place}{_shape(options)}/$entity", metadata.select(item, options.select)
        raise errors.WebApiError(404, "0x80040217", f"Could not find a relationship with key {first.key}.")

    def _option_sets(self, first: Segment, rest: Sequence[Segment], options: Options) -> tuple[str, Item]:
        if rest and rest[0].name != f"{metadata.PREFIX}.OptionSetMetadata":
            raise errors.unknown_segment(rest[0].name)
        items = [
            {"@odata.type": f"#{metadata.PREFIX}.OptionSetMetadata"} | metadata.option_set(item)
            for item in self._schema.option_sets.values()
        ]
        if first.key is None:
            if options.filter is not None:
                # The real one refuses `$filter` here too; its wording is assumed.
                raise errors.bad_query("The query parameter $filter is not supported")
            return f"GlobalOptionSetDefinitions{_shape(options)}", {"value": _listed(items, options)}
        wanted = tokens.key_id(first.key), _text(_named(first.key, "Name"))
        for item in items:
            if item["MetadataId"] == wanted[0] or item["Name"] == wanted[1]:
                return f"GlobalOptionSetDefinitions{_shape(options)}/$entity", metadata.select(item, options.select)
        raise errors.WebApiError(404, "0x80048403", f"Could not find an optionset with name {wanted[1] or wanted[0]}.")


_COLLECTIONS = frozenset(
    {"Attributes", "Keys", "ManyToManyRelationships", "ManyToOneRelationships", "OneToManyRelationships"}
)


def _check_names(names: tuple[str, ...] | None, known: frozenset[str], type_name: str) -> None:
    for name in names or ():
        if name not in known:
            raise errors.unknown_property(name, type_name)


def _listed(items: list[Item], options: Options) -> list[Item]:
    chosen = [item for item in items if options.filter is None or filters.test(options.filter, item)]
    for item in chosen[:1]:
        _check_names(options.select, frozenset(item), str(item["@odata.type"]).rpartition(".")[2])
    return _top([metadata.select(item, options.select) for item in chosen], options)


def _top(items: list[Item], options: Options) -> list[Item]:
    return items if options.top is None else items[: options.top]


def _shape(options: Options) -> str:
    """What `@odata.context` says of chosen properties."""
    parts = list(options.select or ())
    parts += [f"{item.name}({','.join(item.options.select or ())})" for item in options.expand]
    return f"({','.join(parts)})" if parts else ""


def _named(key: str, name: str) -> str:
    found, _, value = key.partition("=")
    return value.strip() if found.strip() == name else ""


def _text(literal: str) -> str | None:
    quoted = len(literal) > 1 and literal[0] == literal[-1] == "'"
    return tokens.unquote(literal) if quoted else None
