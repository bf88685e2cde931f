"""Whether tables of an earlier export are in the way of a run."""

from __future__ import annotations

from collections.abc import Iterable

from setup_kit.engine.graph import ordered
from setup_kit.engine.resource import Check, Finding, Node
from setup_kit.errors import KitError
from setup_kit.resources.doctor.outlook import Outlook
from setup_kit.resources.left_tables import LeftTables


class Leftovers(Check):
    """The check of a plan by itself, with no more read for it than the outlook reads."""

    kind = "leftovers"

    def __init__(self, name: str, nodes: Iterable[Node], outlook: Outlook, *, needs: Iterable[Node] = ()) -> None:
        super().__init__(name, needs=needs)
        self._checks = [node for node in ordered(nodes) if isinstance(node, LeftTables)]
        self._outlook = outlook

    def run(self) -> list[Finding]:
        self._outlook.plan()
        try:
            return [finding for check in self._checks for finding in check.alone()]
        except KitError:
            # That the service does not answer is the preflight's to say.
            return []
