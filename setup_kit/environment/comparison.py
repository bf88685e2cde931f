"""How two environments differ: what each has of its own by nature, and what looks forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from setup_kit.environment import shape, targets
from setup_kit.environment.document import Mapping, Place, find
from setup_kit.environment.inheritance import read_with_parents
from setup_kit.environment.loading import Loaded, load
from setup_kit.environment.models import Environment, Section
from setup_kit.environment.problems import displayed
from setup_kit.errors import UsageError

# Names, addresses and ids of one environment alone; with a section goes all that is in it.
OWN = frozenset(
    {
        "cloud",
        "tenant",
        "subscription",
        "location",
        "resource_group",
        "tags",
        "sql.server",
        "sql.machine",
        "sql.administrator",
        "sql.database.name",
        "sql.firewall.service_region",
        "sql.firewall.rules",
        "key_vault.name",
        "dynamics",
        "export_service",
        "profile.name",
    }
)
# Of these no two environments can have the same: they would take each other's place.
NEVER_SHARED = ("sql.server", "key_vault.name", "dynamics.organization_url", "dynamics.organization_id")


@dataclass(frozen=True)
class Difference:
    """A key whose values differ; `own` where that is in the nature of the key. Lists are compared without their order.

    A place is None where the value is a default that no file says.
    """

    key: str
    before: Any
    after: Any
    own: bool
    before_place: Place | None
    after_place: Place | None


@dataclass(frozen=True)
class Comparison:
    before: Loaded
    after: Loaded
    differences: tuple[Difference, ...]
    shared: tuple[tuple[str, Any], ...]  # keys, with the value, that are the same in both and must not be

    @property
    def forgotten(self) -> tuple[Difference, ...]:
        return tuple(each for each in self.differences if not each.own)

    @property
    def alike(self) -> bool:
        """Whether there is nothing to look at."""
        return not self.forgotten and not self.shared


def compare(before: str, after: str) -> Comparison:
    """Two environments by name or path, each with all that it extends. Raises as `load` does, and if both are one."""
    first, second = load(before), load(after)
    if first.path.samefile(second.path):
        raise UsageError(
            f"{before} and {after} are the same environment: {displayed(first.path)}",
            why="with itself nothing can differ",
            remedy="name the one that it is promoted to",
        )
    roots = read_with_parents(first.path).root, read_with_parents(second.path).root
    one, other = dict(_values(first.environment)), dict(_values(second.environment))
    differences = tuple(
        Difference(key, one.get(key), other.get(key), _is_own(key), _place(roots[0], key), _place(roots[1], key))
        for key in dict.fromkeys([*one, *other])
        if _unordered(one.get(key)) != _unordered(other.get(key))
    )
    shared = tuple((key, one[key]) for key in NEVER_SHARED if one.get(key) is not None and one[key] == other.get(key))
    if _same(one, other, "sql.machine.host", "sql.machine.port", "sql.database.name"):
        shared = (("sql.database.name", one["sql.database.name"]), *shared)
    return Comparison(first, second, differences, shared)


def _values(environment: Environment) -> Iterator[tuple[str, Any]]:
    """Every key that is no section, dotted, with its value as JSON has it."""

    left_out = targets.left_out(machine=environment.sql.machine is not None)

    def of(section: Section, plain: dict[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        for key in shape.keys(type(section)):
            if (*above, key) in left_out:
                continue
            value = getattr(section, _attribute(type(section), key))
            path = (*above, key)
            if isinstance(value, Section):
                yield from of(value, plain[key], path)
            else:
                yield ".".join(path), plain[key]

    return of(environment, environment.model_dump(mode="json", by_alias=True), ())


def _attribute(section: type[Section], key: str) -> str:
    return next(name for name, field in section.model_fields.items() if (field.alias or name) == key)


def _same(one: dict[str, Any], other: dict[str, Any], *keys: str) -> bool:
    return all(one.get(key) is not None and one[key] == other.get(key) for key in keys)


def _is_own(key: str) -> bool:
    return any(key == own or key.startswith(f"{own}.") for own in OWN)


def _place(root: Mapping, key: str) -> Place | None:
    node, place = find(root, tuple(key.split(".")))
    return place if node is not None else None


def _unordered(value: Any) -> Any:
    return sorted(value, key=str) if isinstance(value, list) else value
