"""Views on keys, defaults, checks and foreign keys. "Object Catalog Views" of the SQL Server documentation."""

from __future__ import annotations

from collections.abc import Iterator

from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.object_facts import (
    Constraint,
    constraints,
    default_definition,
    numbered_indexes,
    referenced_index,
)
from setup_kit.sandbox.sql.compiler.views import Registry, Rows
from setup_kit.sandbox.sql.compiler.views_objects import OBJECT, constraint_row
from setup_kit.sandbox.sql.storage.catalog import Check, Column, ForeignKey

REGISTRY = Registry()

_ACTIONS = {"NO ACTION": 0, "CASCADE": 1, "SET NULL": 2, "SET DEFAULT": 3}


@REGISTRY.view("sys.key_constraints", OBJECT + ", unique_index_id int, is_system_named bit, is_enforced bit = 1")
def _keys(runtime: Runtime) -> Rows:
    for found in constraints(runtime, "PK", "UQ"):
        number = next(number for number, key in numbered_indexes(found.table) if key.id == found.id)
        yield *constraint_row(found), number, found.is_system_named


@REGISTRY.view(
    "sys.default_constraints", OBJECT + ", parent_column_id int, definition nvarchar(max), is_system_named bit"
)
def _defaults(runtime: Runtime) -> Rows:
    for found in constraints(runtime, "D"):
        if isinstance(found.part, Column):
            definition = default_definition(found.part.default_text)
            yield *constraint_row(found), found.part.id, definition, found.is_system_named


@REGISTRY.view(
    "sys.check_constraints",
    OBJECT + ", is_disabled bit = 0, is_not_for_replication bit = 0, is_not_trusted bit = 0, parent_column_id int, "
    "definition nvarchar(max), uses_database_collation bit = 1, is_system_named bit",
)
def _checks(runtime: Runtime) -> Rows:
    """`parent_column_id` 0: of the table."""
    for found in constraints(runtime, "C"):
        if isinstance(found.part, Check):
            column = found.part.columns[0] if found.part.columns else 0
            yield *constraint_row(found), column, f"({found.part.text})", found.is_system_named


def foreign_keys(runtime: Runtime) -> Iterator[tuple[Constraint, ForeignKey]]:
    for found in constraints(runtime, "F"):
        if isinstance(found.part, ForeignKey):
            yield found, found.part


@REGISTRY.view(
    "sys.foreign_keys",
    OBJECT + ", referenced_object_id int, key_index_id int, is_disabled bit = 0, is_not_for_replication bit = 0, "
    "is_not_trusted bit = 0, delete_referential_action tinyint, delete_referential_action_desc nvarchar(60), "
    "update_referential_action tinyint, update_referential_action_desc nvarchar(60), is_system_named bit",
)
def _foreign_keys(runtime: Runtime) -> Rows:
    for found, key in foreign_keys(runtime):
        actions = [(_ACTIONS[action], action.replace(" ", "_")) for action in (key.on_delete, key.on_update)]
        index, _ = referenced_index(runtime, key)
        yield *constraint_row(found), key.table, index, *actions[0], *actions[1], found.is_system_named


@REGISTRY.view(
    "sys.foreign_key_columns",
    "constraint_object_id int, constraint_column_id int, parent_object_id int, parent_column_id int, "
    "referenced_object_id int, referenced_column_id int",
)
def _foreign_key_columns(runtime: Runtime) -> Rows:
    for found, key in foreign_keys(runtime):
        for number, (own, other) in enumerate(zip(key.columns, key.references, strict=True), 1):
            yield found.id, number, found.table.id, own, key.table, other
