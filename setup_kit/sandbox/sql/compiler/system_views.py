"""All views of the schemas `sys` and `INFORMATION_SCHEMA`, and the table functions of `sys`, by name."""

from __future__ import annotations

from setup_kit.sandbox.sql.compiler import (
    information_schema,
    views_columns,
    views_constraints,
    views_firewall,
    views_indexes,
    views_objects,
    views_procedures,
    views_security,
    views_server,
    views_sessions,
    views_system,
)
from setup_kit.sandbox.sql.compiler.views import SystemView
from setup_kit.sandbox.sql.storage.catalog import fold

_ALL: dict[str, SystemView] = {
    key: view
    for module in (
        views_server,
        views_sessions,
        views_firewall,
        views_security,
        views_objects,
        views_constraints,
        views_columns,
        views_indexes,
        information_schema,
        views_system,
        views_procedures,
    )
    for key, view in module.REGISTRY.entries.items()
}

#: Views that are found without a schema, and under dbo too: they are older than the schema sys.
_OLD = frozenset({"sysobjects", "sysusers"})


def find(schema: str, name: str) -> SystemView | None:
    if fold(schema) in ("", "dbo") and fold(name) in _OLD:
        schema = "sys"
    found = _ALL.get(f"{fold(schema)}.{fold(name)}") if schema else None
    return found if found is not None and not found.arguments else None


def find_function(schema: str, name: str) -> SystemView | None:
    """A table function; those of `sys` are found without a schema too."""
    found = _ALL.get(f"sys.{fold(name)}") if fold(schema) in ("", "sys") else None
    return found if found is not None and found.arguments else None


def get(key: str) -> SystemView:
    return _ALL[key]
