"""Views on firewall rules: sys.firewall_rules in master, sys.database_firewall_rules in every database."""

from __future__ import annotations

from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.views import Registry, Rows
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.values import types as t

REGISTRY = Registry()

_RULE = (
    "id int, name nvarchar(128), start_ip_address varchar(50), end_ip_address varchar(50), create_date datetime, "
    "modify_date datetime"
)


@REGISTRY.view("sys.firewall_rules", _RULE)
def _server_rules(runtime: Runtime) -> Rows:
    """For the server's administrators, in master. When a rule was made is not kept: the time is the server's own."""
    if fold(runtime.database.name) == "master" and runtime.is_server_administrator:
        made = t.round_to_datetime(runtime.database.created)
        for number, rule in enumerate(runtime.firewall_rules(), 1):
            yield number, rule.name, rule.start, rule.end, made, made


@REGISTRY.view("sys.database_firewall_rules", _RULE)
def _database_rules(runtime: Runtime) -> Rows:
    for rule in runtime.catalog.firewall_rules:
        made, changed = t.round_to_datetime(rule.created), t.round_to_datetime(rule.modified)
        yield rule.id, rule.name, rule.start, rule.end, made, changed
