"""Picks nodes of a graph by patterns of their addresses."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from setup_kit.engine.graph import ordered
from setup_kit.engine.resource import Node
from setup_kit.errors import UsageError


def select(nodes: Iterable[Node], patterns: Iterable[str]) -> tuple[Node, ...]:
    """The nodes whose address is like one of the patterns ("grants/*"), needs first; all nodes without a pattern.

    What they need comes along wherever a graph is planned. Case does not matter. Raises UsageError for a pattern that
    no address is like.
    """
    every = ordered(nodes)
    picked: set[Node] = set()
    for pattern in patterns:
        found = {node for node in every if _like(node.address, pattern)}
        if not found:
            addresses = "\n".join(node.address for node in every)
            raise UsageError(
                f"no resource's address is like {pattern!r}",
                why=f"the addresses are\n{addresses}",
                remedy="give one of them, or a pattern such as 'grants/*' in quotes",
            )
        picked |= found
    return tuple(node for node in every if node in picked) if picked else tuple(every)


def _like(address: str, pattern: str) -> bool:
    # Names of databases may hold what a pattern gives a meaning to.
    address, pattern = address.casefold(), pattern.casefold()
    return address == pattern or fnmatchcase(address, pattern)
