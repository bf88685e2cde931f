"""Views that list the system's own views beside what users made: sys.all_objects, sys.all_columns, sys.all_views."""

from __future__ import annotations

from collections.abc import Iterator

from setup_kit.sandbox.sql.compiler import (
    information_schema,
    views_columns,
    views_constraints,
    views_firewall,
    views_indexes,
    views_objects,
    views_security,
    views_server,
    views_sessions,
)
from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.views import Registry, Rows, SystemView
from setup_kit.sandbox.sql.storage.catalog import INFORMATION_SCHEMA, SYS_SCHEMA, Column, fold
from setup_kit.sandbox.sql.values import types as t

REGISTRY = Registry()


def system_views() -> Iterator[tuple[int, SystemView]]:
    """Every system view with its object_id, which is negative."""
    number = -100
    modules = (
        views_server, views_sessions, views_firewall, views_security, views_objects, views_constraints, views_columns,
        views_indexes, information_schema,
    )  # fmt: skip
    for registry in (*(module.REGISTRY for module in modules), REGISTRY):
        for view in registry.entries.values():
            if not view.arguments:
                yield number, view
                number -= 1


def schema_id(view: SystemView) -> int:
    return SYS_SCHEMA if fold(view.schema) == "sys" else INFORMATION_SCHEMA


def columns_of(view: SystemView) -> Iterator[Column]:
    for number, column in enumerate(view.columns, 1):
        yield Column(number, column.name, column.type, nullable=True)


_OBJECT = views_objects.OBJECT.replace("is_ms_shipped bit = 0", "is_ms_shipped bit")


@REGISTRY.view("sys.all_objects", _OBJECT)
def _all_objects(runtime: Runtime) -> Rows:
    for row in views_objects.objects(runtime):
        yield *row, 0
    yield from _own_views(runtime)


def _own_views(runtime: Runtime) -> Rows:
    made = t.round_to_datetime(runtime.catalog.principals[1].created)
    for number, view in system_views():
        yield view.name, number, None, schema_id(view), 0, "V ", "VIEW", made, made, 1


@REGISTRY.view("sys.all_views", _OBJECT)
def _all_views(runtime: Runtime) -> Rows:
    for row in views_objects.views(runtime):
        yield *row, 0
    yield from _own_views(runtime)


@REGISTRY.view("sys.all_columns", views_columns.COLUMN)
def _all_columns(runtime: Runtime) -> Rows:
    yield from views_columns.columns(runtime)
    for number, view in system_views():
        for column in columns_of(view):
            yield views_columns.column_row(number, column, 0)
