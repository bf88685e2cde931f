"""What of an organization can be exported, seen from the organization, the service and the environment file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from setup_kit.resources.build import House

ON, OFF, IMPOSSIBLE = "on", "off", "not possible"


@dataclass(frozen=True)
class ExportableEntity:
    """`offered`: the service exports it; `in_file`: it is among profile.entities."""

    entity: str
    display_name: str
    change_tracking: str
    offered: bool
    in_file: bool


@dataclass(frozen=True)
class ExportableRelationship:
    """`entities` are its two ends; `in_file`: it is among profile.relationships."""

    relationship: str
    entities: tuple[str, str]
    intersect_entity: str
    in_file: bool


def entities(house: House, pattern: str, *, every: bool) -> list[ExportableEntity]:
    """Those that the service exports, or would once their changes are tracked; with `every`, all of the organization.

    `pattern` is part of a name, or with * and ? a pattern of it; empty for all.
    """
    offered = {entity.logical_name for entity in house.export_client.metadata.entities()}
    named = set(house.environment.profile.entities)
    like = matching(pattern)
    found = []
    for table in house.organization.tables():
        possible = table.tracks_changes or table.can_track_changes
        usable = table.logical_name in offered or (possible and not table.tracks_changes and not table.intersect)
        if (every or usable) and (like(table.logical_name) or like(table.display_name)):
            tracking = ON if table.tracks_changes else OFF if possible else IMPOSSIBLE
            name = table.logical_name
            found.append(ExportableEntity(name, table.display_name, tracking, name in offered, name in named))
    return found


def relationships(house: House, pattern: str) -> list[ExportableRelationship]:
    """The N:N relationships that the service exports; `pattern` as for entities, or of one of its entities."""
    named = set(house.environment.profile.relationships)
    like = matching(pattern)
    return [
        ExportableRelationship(each.schema_name, each.entities, each.intersect_entity, each.schema_name in named)
        for each in sorted(house.export_client.metadata.relationships(), key=lambda each: each.schema_name)
        if any(map(like, (each.schema_name, *each.entities)))
    ]


def matching(pattern: str) -> Callable[[str], bool]:
    """Whether a name has the pattern as a part or, where it holds * or ?, is like it; in any case."""
    wanted = pattern.casefold()
    if set(wanted) & set("*?"):
        return lambda name: fnmatchcase(name.casefold(), wanted)
    return lambda name: wanted in name.casefold()
