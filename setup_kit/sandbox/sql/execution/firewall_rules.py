"""The procedures that set firewall rules: the server's, which Resource Manager holds, and the database's, kept in it.

"sp_set_firewall_rule" and the three beside it in the documentation of Azure SQL Database.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.execution.arguments import Outcome, coerce, leading
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.storage.catalog_writer import CatalogWriter
from setup_kit.sandbox.sql.tds.parameters import Parameter
from setup_kit.sandbox.sql.values import types as t

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session

_MOST_RULES, _LONGEST_NAME, _LONGEST_ADDRESS = 256, 128, 50


def _set_server_rule(session: Session, given: Sequence[Parameter]) -> Outcome:
    name, start, end = _read_rule("sp_set_firewall_rule", given)
    _check_administrator(session)
    rules = session.instance.policy.firewall_rules()
    if len(rules) >= _MOST_RULES and fold(name) not in {fold(rule.name) for rule in rules}:
        raise errors.error(40611, _MOST_RULES)
    session.instance.policy.set_firewall_rule(name, start, end)
    return Outcome()


def _delete_server_rule(session: Session, given: Sequence[Parameter]) -> Outcome:
    (name,) = _texts("sp_delete_firewall_rule", ("name",), given)
    _check_administrator(session)
    session.instance.policy.delete_firewall_rule(name)
    return Outcome()


def _set_database_rule(session: Session, given: Sequence[Parameter]) -> Outcome:
    name, start, end = _read_rule("sp_set_database_firewall_rule", given)
    with session.transactions.writes():
        rules = session.catalog_now().firewall_rules
        session.permissions.require("CONTROL")
        if len(rules) >= _MOST_RULES and fold(name) not in {fold(rule.name) for rule in rules}:
            raise errors.error(40611, _MOST_RULES)
        CatalogWriter(session.connection).set_firewall_rule(name, start, end)
    return Outcome()


def _delete_database_rule(session: Session, given: Sequence[Parameter]) -> Outcome:
    (name,) = _texts("sp_delete_database_firewall_rule", ("name",), given)
    with session.transactions.writes():
        session.catalog_now()
        session.permissions.require("CONTROL")
        CatalogWriter(session.connection).remove_firewall_rule(name)
    return Outcome()


def _check_administrator(session: Session) -> None:
    """The server's rules are set in master (40634), by its administrators alone (15247 is *assumed*)."""
    if fold(session.database.name) != "master":
        raise errors.error(40634)
    if not session.is_server_administrator:
        raise errors.not_permitted()


def _texts(procedure: str, names: Sequence[str], given: Sequence[Parameter]) -> list[str]:
    found = leading(procedure, names, given, len(names))
    values = [coerce(parameter.type, parameter.value, t.nvarchar(4000)) for parameter in found]
    name = str(values[0] or "")
    if not name:
        raise errors.error(40618)
    if len(name) > _LONGEST_NAME:
        raise errors.error(40617, name[:_LONGEST_NAME], _LONGEST_NAME)
    return [str(value or "") for value in values]


def _read_rule(procedure: str, given: Sequence[Parameter]) -> tuple[str, str, str]:
    """Name, first and last address; 40609 or 40610 for what is no IPv4 address."""
    name, *ends = _texts(procedure, ("name", "start_ip_address", "end_ip_address"), given)
    addresses = []
    for text in ends:
        if len(text) > _LONGEST_ADDRESS:
            raise errors.error(40610, text[:_LONGEST_ADDRESS], _LONGEST_ADDRESS)
        try:
            addresses.append(ipaddress.IPv4Address(text))
        except ValueError:
            raise errors.error(40609, text) from None
    if addresses[0] > addresses[1]:
        raise errors.error(40614)
    return name, str(addresses[0]), str(addresses[1])


PROCEDURES: dict[str, Callable[[Session, Sequence[Parameter]], Outcome]] = {
    "sp_set_firewall_rule": _set_server_rule,
    "sp_delete_firewall_rule": _delete_server_rule,
    "sp_set_database_firewall_rule": _set_database_rule,
    "sp_delete_database_firewall_rule": _delete_database_rule,
}
