"""Where a resource lies, which never changes."""

from __future__ import annotations

from setup_kit.engine.resource import Finding, Node, Severity, Status


def audit_location(node: Node, observed: str, wanted: str) -> list[Finding]:
    """A warning when an existing resource lies elsewhere than new ones would. "West Europe" is "westeurope"."""
    if _key(observed) == _key(wanted):
        return []
    return [
        Finding(
            f"{node.kind}.location",
            Status.WARNING,
            node.address,
            f"{node.name} lies in {observed}, the environment file says {wanted}; a resource cannot be moved",
            "accept it, or name another resource in the environment file",
            f"seen: {observed}; wanted: {wanted}",
            Severity.LOW,
        )
    ]


def _key(location: str) -> str:
    return "".join(location.split()).lower()
