"""What the kit made, and what was there or made for another environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from setup_kit.engine.resource import Change, Finding, Node, Status
from setup_kit.errors import KitError
from setup_kit.resources import tags


def audit_owner(node: Node, observed: Mapping[str, str], owner: str) -> list[Finding]:
    """A warning when the resource was made for another environment, which may change it too."""
    other = tags.owner_of(observed)
    if other is None or other == owner:
        return []
    return [
        Finding(
            f"{node.kind}.shared",
            Status.WARNING,
            node.address,
            f"{node.name} was made for the environment {other!r} and is used by this one, {owner!r}, too",
            "make sure that both environment files ask for the same",
            f"tag {tags.OWNER}: {other}",
        )
    ]


def check_owner(node: Node, observed: Mapping[str, str], owner: str, changes: Sequence[Change]) -> None:
    """Raises KitError where the resource was made for another environment and this one would change it.

    Two files that disagree would change it back and forth with each apply.
    """
    other = tags.owner_of(observed)
    if not changes or other is None or other == owner:
        return
    parts = ", ".join(change.target or f"all of it ({change.before} → {change.after})" for change in changes)
    raise KitError(
        f"{node.address} was made for the environment {other!r}, so this one, {owner!r}, does not change it",
        why=f"it would have to change here: {parts}",
        remedy=f"have this file ask for what is there; or change it with setup-kit apply -e {other}; or, if the"
        f" environment {other!r} is gone, set the resource's tag {tags.OWNER!r} to {owner!r}",
    )


def of_another(observed: Mapping[str, str], owner: str) -> bool:
    """Whether it was made for another environment, which may use what is in it."""
    return tags.owner_of(observed) not in (None, owner)


def not_own(observed: Mapping[str, str], owner: str) -> str:
    """Why the resource is not this environment's to delete; empty where it is."""
    made_for = tags.owner_of(observed)
    if made_for is None:
        return "not made by setup-kit"
    return "" if made_for == owner else f"made for the environment {made_for!r}"


def check_made_by_kit(node: Node, observed: Mapping[str, str]) -> None:
    """Raises KitError unless the kit made the resource: only then may it take it away."""
    if tags.owner_of(observed) is None:
        raise KitError(
            f"{node.address} was not made by setup-kit, so setup-kit does not delete it",
            why=f"it has no tag {tags.OWNER!r}",
            remedy="delete it by hand if it is not needed any more",
        )
