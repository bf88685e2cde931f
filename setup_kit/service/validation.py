"""Checks everything that a profile needs before it can run, and reports all that is missing, not the first thing only.

The list is the one of the service's documentation: organization, change tracking, secret, destination.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from setup_kit.service.dataverse import EntityFacts, ManyToMany, Organization, find_relationship, parse_version
from setup_kit.service.description import Choice, Description
from setup_kit.service.destination import Destination, Lacking, read_connection_string
from setup_kit.service.errors import OutsideError, Problem
from setup_kit.service.settings import Settings
from setup_kit.service.store import Store
from setup_kit.service.vault import Vaults
from setup_kit.sqlserver.connection import (
    CANNOT_OPEN_DATABASE,
    FIREWALL,
    LOGIN_FAILED,
    ConnectionString,
    ConnectionStringError,
    SqlError,
)

OLDEST_VERSION = (8, 2)  # December 2016 update

# A paused database wakes within a minute or so, and a connection may break: validation tries again, with a bound.
ATTEMPTS = 5
PAUSE = 3.0  # seconds
TIMED_OUT = "HYT00"  # SQLSTATE

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Check:
    """One group of checks and what it found; no problems means that it passed."""

    name: str
    problems: tuple[Problem, ...]


class Validator:
    def __init__(self, settings: Settings, store: Store, vaults: Vaults) -> None:
        self._settings = settings
        self._store = store
        self._vaults = vaults
        self._pause = threading.Event()

    def checks(self, description: Description, organization: Organization, organization_id: str) -> list[Check]:
        """Runs every group; one that fails keeps none of the others from running, unless it needs what is missing."""
        checks = [
            Check("Name", self._name(description, organization_id)),
            Check("PrivacyTerms", self._privacy_terms(organization_id)),
        ]
        tables = {choice.name: choice.name for choice in (*description.entities, *description.relationships)}
        try:
            checks.append(Check("Organization", _organization(organization)))
            relationships = organization.relationships() if description.relationships else {}
            checks.append(Check("Entities", _entities(description, organization.entities(), relationships)))
            tables |= {
                choice.name: found.intersect
                for choice in description.relationships
                if (found := find_relationship(choice.name, relationships))
            }
        except OutsideError as error:
            message = f"The service cannot read the organization {organization.url}: {error.why}."
            checks.append(Check("Organization", (Problem("OrganizationUnreadable", organization.url, message),)))
        reading = self._vaults.read(description.key_vault_uri, organization_id)
        checks.append(Check("Secret", reading.problems))
        if reading.value is not None:
            try:
                target = read_connection_string(reading.value)
            except ConnectionStringError as error:
                problem = Problem(
                    "ConnectionString",
                    description.key_vault_uri,
                    f"The secret {description.key_vault_uri} holds no usable connection string: {error}.",
                )
                checks.append(Check("ConnectionString", (problem,)))
            else:
                checks.append(Check("Destination", tuple(self._destination(description, target, tables))))
        return checks

    def _name(self, description: Description, organization_id: str) -> tuple[Problem, ...]:
        own = (description.id or "").lower()
        taken = any(
            profile.id != own and profile.description.name.casefold() == description.name.casefold()
            for profile in self._store.profiles(organization_id)
        )
        if not taken:
            return ()
        return (
            Problem(
                "NameTaken",
                description.name,
                f"The organization has another profile named '{description.name}'; names are unique.",
            ),
        )

    def _privacy_terms(self, organization_id: str) -> tuple[Problem, ...]:
        if self._store.accepted_privacy_terms(organization_id):
            return ()
        message = f"The privacy terms have not been accepted for organization {organization_id}."
        return (Problem("PrivacyTerms", organization_id, message),)

    def _destination(
        self, description: Description, target: ConnectionString, tables: Mapping[str, str]
    ) -> list[Problem]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with Destination(target, self._settings.sql_certificate) as destination:
                    return self._database(description, destination, tables)
            except SqlError as error:
                # A time-out has waited long enough already.
                if attempt == ATTEMPTS or not error.transient or error.state == TIMED_OUT:
                    return [_refused(target, error)]
                _log.info("destination not available (%s), attempt %s", error, attempt)
                self._pause.wait(PAUSE)
        raise AssertionError("unreachable")

    def _database(self, description: Description, destination: Destination, tables: Mapping[str, str]) -> list[Problem]:
        lacking = destination.lacking(description.schema)
        if not destination.has_schema(description.schema):
            message = (
                f"The schema {description.schema} does not exist in database {lacking.database},"
                f" or the database user '{lacking.user}' holds nothing on it."
            )
            return [*_database_problems(lacking), Problem("SchemaNotFound", description.schema, message)]
        problems = [*_database_problems(lacking), *_schema_problems(lacking, description.schema)]
        existing = destination.objects(description.schema)
        # Tables that this very profile made are its own.
        own = self._store.tables(description.id.lower()) if description.id else frozenset()
        for name in tables.values():
            table = description.table(name)
            if table.lower() in existing and table.lower() not in own:
                problems.append(
                    Problem(
                        "TableExists",
                        f"{description.schema}.{table}",
                        f"There is already an object named '{table}' in the database, in schema {description.schema}:"
                        " drop it, or choose another prefix.",
                    )
                )
        return problems


def _organization(organization: Organization) -> tuple[Problem, ...]:
    facts = organization.facts()
    problems = []
    if parse_version(facts.version) < OLDEST_VERSION:
        message = f"The organization {facts.name} is version {facts.version}; 8.2 (December 2016 update) is needed."
        problems.append(Problem("OrganizationVersion", facts.version, message))
    if not facts.enabled:
        message = f"The organization {facts.name} is in administration mode or disabled."
        problems.append(Problem("OrganizationMode", facts.id, message))
    return tuple(problems)


def _entities(
    description: Description, entities: Mapping[str, EntityFacts], relationships: Mapping[str, ManyToMany]
) -> tuple[Problem, ...]:
    problems = [_entity_problem(choice.name, entities) for choice in description.entities]
    problems += [_relationship_problem(choice, relationships, entities) for choice in description.relationships]
    return tuple(problem for problem in problems if problem is not None)


def _entity_problem(name: str, entities: Mapping[str, EntityFacts]) -> Problem | None:
    entity = entities.get(name)
    if entity is None:
        return Problem("EntityNotFound", name, f"The entity '{name}' does not exist in the organization.")
    if not entity.public or entity.intersect:
        return Problem("EntityNotExportable", name, f"The entity '{name}' cannot be exported.")
    if not entity.change_tracking:
        remedy = "switch it on first" if entity.can_be_tracked else "and it cannot be switched on for this entity"
        return Problem("ChangeTracking", name, f"Change tracking is off for the entity '{name}': {remedy}.")
    return None


def _relationship_problem(
    choice: Choice, relationships: Mapping[str, ManyToMany], entities: Mapping[str, EntityFacts]
) -> Problem | None:
    found = find_relationship(choice.name, relationships)
    if found is None:
        return Problem("RelationshipNotFound", choice.name, f"There is no N:N relationship named '{choice.name}'.")
    for side in (found.entity1, found.entity2):
        problem = _entity_problem(side, entities)
        if problem is not None:
            message = f"The relationship '{choice.name}' cannot be exported: {problem.message}"
            return Problem("RelationshipNotExportable", choice.name, message)
    return None


def _database_problems(lacking: Lacking) -> list[Problem]:
    return [
        Problem(
            "DatabasePermission",
            permission,
            f"The database user '{lacking.user}' lacks {permission} on database {lacking.database}.",
        )
        for permission in lacking.on_database
    ]


def _schema_problems(lacking: Lacking, schema: str) -> list[Problem]:
    return [
        Problem(
            "SchemaPermission",
            permission,
            f"The database user '{lacking.user}' lacks {permission} on schema {schema}.",
        )
        for permission in lacking.on_schema
    ]


def _refused(target: ConnectionString, error: SqlError) -> Problem:
    server = target.address.host
    if error.number == FIREWALL:
        address = error.client_address or "(not named)"
        message = f"The firewall of the server {server} does not admit the service's address {address}"
        return Problem("Firewall", error.client_address or server, f"{message} ({FIREWALL}): {error.message}")
    if error.number == LOGIN_FAILED:
        message = f"The server {server} refused the login '{target.user}' of the connection string"
        return Problem("LoginFailed", target.user or "", f"{message} ({LOGIN_FAILED}): {error.message}")
    if error.number == CANNOT_OPEN_DATABASE:
        message = f"The login '{target.user}' cannot open the database {target.database} on {server}"
        return Problem("DatabaseNotOpen", target.database, f"{message} ({CANNOT_OPEN_DATABASE}): {error.message}")
    return Problem("Destination", server, f"The destination {server} refused the service: {error}")
