"""Where the database may be: on a logical server of Azure SQL Database, or in SQL Server on a virtual machine.

A machine has its firewall, sizes and sign-ins from elsewhere, so what the file says of them for a logical server is
refused beside one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from setup_kit.environment.document import Entry, Mapping, Node, Path_, Scalar, find, given, problem_at
from setup_kit.environment.problems import Problem
from setup_kit.errors import UsageError

if TYPE_CHECKING:
    from setup_kit.environment.loading import Loaded

SERVER: Path_ = ("sql", "server")
MACHINE: Path_ = ("sql", "machine")

BOTH = (
    "names a second place for the database beside sql.server: give either server or machine "
    "(one that comes from the extended file is taken back by leaving its value empty)"
)
NEITHER = "is missing: name a logical server (sql.server), or SQL Server on a virtual machine (sql.machine)"

# Keys that only a logical server has, each with why a machine has none.
OF_LOGICAL_SERVERS: dict[Path_, str] = {
    ("sql", "administrator", "entra_group"): "its administrator is a SQL login: give sql_login",
    ("sql", "database", "sku"): "its database is as large and as fast as the machine",
    ("sql", "database", "max_size_gb"): "its database is as large and as fast as the machine",
    ("sql", "firewall"): "who reaches it is set in its network security group and its own firewall",
}


def problems(root: Node, *, whole: bool) -> Iterator[Problem]:
    """What is wrong with the choice between the two, and with what else is said beside it."""
    if not isinstance(find(root, ("sql",))[0], Mapping):
        return
    if given(root, MACHINE):
        if given(root, SERVER):
            yield problem_at(root, MACHINE, BOTH)
        for key, why in OF_LOGICAL_SERVERS.items():
            if given(root, key):
                yield problem_at(root, key, f"is of no use beside sql.machine: {why}")
    elif whole and not given(root, SERVER):
        yield problem_at(root, SERVER, NEITHER)


def taken_back(root: Node) -> Node:
    """The document without those of these keys that it leaves empty beside a machine: so an extended file's go."""
    if isinstance(root, Mapping) and given(root, MACHINE):
        for key in OF_LOGICAL_SERVERS:
            node = find(root, key)[0]
            if isinstance(node, Scalar) and node.value is None:
                root = _without(root, key)
    return root


def require_logical_server(loaded: Loaded) -> Loaded:
    """The environment as it is. Raises UsageError where its database is on a machine."""
    machine = loaded.environment.sql.machine
    if machine is not None:
        raise UsageError(
            f"the environment {loaded.name} has no logical server: its database is in SQL Server at {machine}",
            why="a machine is not made by setup-kit, and its firewall is set in its network security group and in"
            " itself",
            remedy=f"see what else there is: setup-kit plan -e {loaded.name}",
        )
    return loaded


def left_out(*, machine: bool) -> frozenset[Path_]:
    """Keys that a file does not say, by where its database is."""
    return frozenset((SERVER, *OF_LOGICAL_SERVERS)) if machine else frozenset((MACHINE,))


def _without(node: Mapping, key: Path_) -> Mapping:
    first, *rest = key
    entries = dict(node.entries)
    entry = entries.pop(str(first))
    if rest and isinstance(entry.node, Mapping):
        entries[str(first)] = Entry(entry.place, _without(entry.node, tuple(rest)))
    return Mapping(entries, node.place)
