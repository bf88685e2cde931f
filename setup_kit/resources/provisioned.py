"""What an environment consists of, as it was last read: the facts that a report draws."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from setup_kit.engine.graph import ordered
from setup_kit.engine.resource import Node
from setup_kit.environment.models import Environment
from setup_kit.resources.activation import Activation
from setup_kit.resources.database import Database
from setup_kit.resources.firewall import FirewallRules
from setup_kit.resources.grants import Grants
from setup_kit.resources.machine_database import MachineDatabase
from setup_kit.resources.profile import ExportProfile
from setup_kit.resources.secret import ConnectionSecret
from setup_kit.resources.service_principal import ServicePrincipal
from setup_kit.resources.sql_machine import SqlMachine
from setup_kit.resources.sql_server import SqlServer
from setup_kit.resources.user import ExportUser
from setup_kit.resources.vault import Vault
from setup_kit.resources.vault_access import ServiceVaultAccess

Facts = dict[str, Any]
N = TypeVar("N", bound=Node)


def provisioned(environment: Environment, nodes: Iterable[Node]) -> Facts:
    """A section for each thing, with `there` and the names of the resources whose findings are about it.

    What is not there, or could not be read, is named as the environment file names it.
    """
    every = ordered(nodes)

    def find(kind: type[N]) -> N:
        return next(node for node in every if isinstance(node, kind))

    principal, profile, activation = find(ServicePrincipal), find(ExportProfile), find(Activation)
    vault, secret, access = find(Vault), find(ConnectionSecret), find(ServiceVaultAccess)
    user, grants = find(ExportUser), find(Grants)
    where = (
        _machine(find(SqlMachine), find(MachineDatabase))
        if environment.sql.machine is not None
        else _server(find(SqlServer), find(FirewallRules), find(Database))
    )
    dynamics, export_user = environment.dynamics, environment.sql.export_user
    return {
        "organization": {
            "there": True,
            "name": dynamics.organization_url.removeprefix("https://").rstrip("/"),
            "id": str(dynamics.organization_id),
            "tenant": str(environment.tenant),
        },
        "service": {
            "there": principal.observed is not None,
            "name": principal.observed.name if principal.observed else "Data Export Service",
            "application": str(environment.export_service.application_id),
            "object_id": principal.observed.object_id if principal.observed else None,
        },
        "profile": {
            "there": profile.observed is not None,
            "name": profile.name,
            "state": activation.observed.words if activation.observed else None,
            "entities": list(environment.profile.entities),
            "relationships": list(environment.profile.relationships),
            "prefix": environment.profile.prefix,
        },
        "key_vault": {
            "there": vault.observed is not None and not vault.observed.soft_deleted,
            "name": vault.name,
            "uri": vault.observed.uri if vault.observed else None,
            "authorization": str(environment.key_vault.authorization),
        },
        "secret": {
            "there": secret.observed is not None and not secret.observed.recoverable,
            "name": secret.name,
            "enabled": secret.observed.enabled if secret.observed else None,
            "expires_on": (
                f"{secret.observed.expires_on:%Y-%m-%d}" if secret.observed and secret.observed.expires_on else None
            ),
            "access": access.evidence(access.observed) if access.observed else None,
        },
        **where,
        "user": {
            "there": user.observed is not None,
            "name": user.observed.name if user.observed else user.name,
            "schema": export_user.schema_name,
            "authentication": str(export_user.authentication),
            "grants": grants.held(grants.observed) if grants.observed else None,
            "wanted": grants.wanted,
        },
    }


def _server(server: SqlServer, firewall: FirewallRules, database: Database) -> Facts:
    return {
        "sql_server": {
            "there": server.observed is not None,
            "name": server.name,
            "machine": False,
            "address": server.observed.fqdn if server.observed else None,
            "minimal_tls": server.observed.minimal_tls if server.observed else None,
        },
        "firewall": [
            {"name": rule.name, "range": rule.range, "named": firewall.names(rule.name)}
            for rule in (firewall.observed or {}).values()
        ],
        "database": {
            "there": database.observed is not None,
            "name": database.name,
            "evidence": database.evidence(database.observed) if database.observed else None,
        },
    }


def _machine(machine: SqlMachine, database: MachineDatabase) -> Facts:
    """Its firewall is None: it is set elsewhere, and not looked at."""
    return {
        "sql_server": {
            "there": machine.observed is not None,
            "name": machine.name.partition(",")[0],
            "machine": True,
            "address": machine.name,
            "version": machine.observed.version if machine.observed else None,
        },
        "firewall": None,
        "database": {
            "there": database.observed is not None,
            "name": database.name,
            "evidence": database.evidence(database.observed) if database.observed else None,
        },
    }
