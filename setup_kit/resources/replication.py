"""Counts rows at the source and at the destination: the plainest proof that the export arrived."""

from __future__ import annotations

from dataclasses import dataclass

from setup_kit.environment.models import Environment
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.organization import OrganizationClient
from setup_kit.resources.destination import Destination
from setup_kit.sqlserver.quoting import quote_identifier


@dataclass(frozen=True)
class Replicated:
    """Rows of one entity or N:N relationship, here and there."""

    name: str
    table: str
    source: int
    destination: int


def count_replicated(
    environment: Environment, organization: OrganizationClient, client: ExportServiceClient, destination: Destination
) -> list[Replicated]:
    """One entry for each entity and relationship of the profile. Counts above 5,000 at the source read 5,000.

    Source of that limit: Dataverse's `$count` (Web API, "Query data", count of rows).
    """
    wanted = {name: name for name in environment.profile.entities}
    if environment.profile.relationships:
        known = {found.schema_name: found.intersect_entity for found in client.metadata.relationships()}
        wanted |= {name: known[name] for name in environment.profile.relationships}
    session = destination.reader()
    prefix = environment.profile.prefix
    found = []
    for name, entity in wanted.items():
        table = f"{prefix}_{entity}" if prefix else entity
        query = (
            f"SELECT COUNT_BIG(*) FROM {quote_identifier(environment.profile.schema_name)}.{quote_identifier(table)}"  # noqa: S608
        )
        rows = session.rows(query, doing=f"count the rows of {table!r}")
        found.append(Replicated(name, table, organization.count_rows(entity), int(rows[0][0])))
    return found
