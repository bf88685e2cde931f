"""An environment's document from what was found: the file that asks for exactly what there is."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from setup_kit.azure.databases import Database
from setup_kit.azure.firewall_rules import AZURE_SERVICES, AZURE_SERVICES_ADDRESS, Rule
from setup_kit.azure.sql_servers import Server
from setup_kit.engine.graph import ordered
from setup_kit.engine.planner import Plan
from setup_kit.engine.resource import Node
from setup_kit.environment import export_names, names
from setup_kit.environment.fields import REGIONS
from setup_kit.environment.regions import SERVICE_ADDRESSES, regions_near, service_addresses
from setup_kit.resources import tags
from setup_kit.resources.activation import Activation, ActivationState
from setup_kit.resources.database import GIB
from setup_kit.resources.database_options import DatabaseOptions
from setup_kit.resources.discovery import Found
from setup_kit.resources.firewall import OPERATOR_PREFIX, SERVICE_PREFIX
from setup_kit.resources.user import ExportUser

Document = dict[str, Any]


def document_of(
    found: Found, entities: Iterable[str], profile_name: str, administrator: str = "", organization_url: str = ""
) -> tuple[Document, list[str]]:
    """What the file is to say of what was found, beside cloud, tenant, subscription and addresses; and notes on it.

    The organization's address tells which of the service's regions are near it. `entities` and `profile_name` are for
    an organization that has no profile yet; `administrator` is the SQL login of a machine.
    """
    notes: list[str] = []
    user = found.user.removesuffix(export_names.SUFFIX)
    profile: Document = {"name": profile_name, "entities": list(entities)}
    if found.profile is not None:
        there = found.profile.description
        profile = {
            "name": there.name,
            "prefix": there.prefix,
            "schema": there.schema,
            "entities": list(there.entities),
            "relationships": list(there.relationships),
            "retry": {"count": there.retry_count, "interval_seconds": there.interval_seconds},
            "delete_log": there.delete_log,
        }
    document: Document = {
        "location": found.server.location if found.server is not None else found.vault.location,
        "resource_group": found.group,
        "tags": _shared_tags(found),
        "sql": {
            **_place(found, administrator, regions_near(organization_url, found.organization.geography), notes),
            "export_user": {**({"name": user} if user else {}), "schema": profile.get("schema", "dbo")},
        },
        "key_vault": {
            "name": found.vault.name,
            "authorization": "rbac" if found.vault.rbac else "access_policy",
            "secret": found.secret,
        },
        "profile": profile,
    }
    return document, notes


def amend(document: Document, plan: Plan) -> list[str]:
    """Adds what only a look into the database, and at how far the profile is, has told. Returns notes on the rest."""
    notes = []
    for node in ordered(plan.nodes):
        if isinstance(node, DatabaseOptions):
            if node.observed is None:
                notes.append(f"the options of the database are not known: {_reason(plan, node)}")
            else:
                document["sql"]["database"]["read_committed_snapshot"] = node.observed.read_committed_snapshot
                document["sql"]["database"]["maxdop"] = node.observed.maxdop
        elif isinstance(node, ExportUser):
            if node.observed is None:
                notes.append(f"how the export user signs in is not known: {_reason(plan, node)}")
            else:
                way = "contained" if node.observed.contained else "login"
                document["sql"]["export_user"]["authentication"] = way
        elif isinstance(node, Activation) and isinstance(node.observed, ActivationState):
            document["profile"]["activate"] = _activate(node.observed)
    return notes


def _activate(state: ActivationState) -> str:
    if not state.active:
        return "none"
    return "all" if state.data else "metadata"


def _reason(plan: Plan, node: Node) -> str:
    if node in plan.failures:
        return str(plan.failures[node])
    if node in plan.blocked:
        return f"{plan.blocked[node].address}: {plan.failures[plan.blocked[node]]}"
    planned = plan.planned.get(node)
    return planned.reason if planned is not None and planned.reason else "it is not there"


def _place(found: Found, administrator: str, near: Collection[str], notes: list[str]) -> Document:
    """Server or machine, who administers it, database and firewall; `near` are the regions of the service."""
    if found.server is None or found.database is None:
        host, port = found.machine or ("", 0)
        return {
            "machine": {"host": host, "port": port},
            "administrator": {"sql_login": administrator},
            "database": {"name": found.on_machine},
        }
    firewall = _firewall(found.rules, near, notes)
    database = found.database
    return {
        "server": found.server.name,
        "administrator": _administrator(found.server),
        "database": {"name": database.name, "sku": database.sku, **_size(database, notes)},
        "firewall": firewall,
    }


def _administrator(server: Server) -> Document:
    if server.entra is not None:
        return {"entra_group": {"name": server.entra.name, "object_id": server.entra.object_id}}
    return {"sql_login": server.login}


def _size(database: Database, notes: list[str]) -> Document:
    """Whole gigabytes; what has no largest size says nothing."""
    size = database.max_bytes
    if size is None:
        return {}
    whole = max(1, -(-size // GIB))
    if size != whole * GIB:
        notes.append(f"the database may grow to {size / GIB:g} GB, and the file says {whole}: apply would raise it")
    return {"max_size_gb": whole}


def _shared_tags(found: Found) -> dict[str, str]:
    """Those that all have: the file's tags are set on each. The kit's own is not the file's."""
    shared = dict(found.group_tags)
    tagged = [each for each in (found.server, found.database, found.vault) if each is not None]
    for each in (thing.tags for thing in tagged):
        shared = {name: value for name, value in shared.items() if _value(each, name) == value}
    return {name: value for name, value in shared.items() if name.lower() != tags.OWNER}


def _value(of: Mapping[str, str], name: str) -> str | None:
    return next((value for each, value in of.items() if each.lower() == name.lower()), None)


def _firewall(rules: Iterable[Rule], near: Collection[str], notes: list[str]) -> Document:
    """The section. Where the service's rules for a region near the organization are there, they are taken."""
    there = {rule.name.lower(): rule for rule in rules if not rule.name.lower().startswith(OPERATOR_PREFIX)}
    azure = there.pop(AZURE_SERVICES.lower(), None)
    fitting = [region for region in REGIONS if _admitted(region, there)]
    region = max(fitting, key=lambda each: (each in near, len(service_addresses(each))), default=None)
    for served in service_addresses(region) if region else ():
        there.pop(_service_rule(served))
    others = [there.pop(name) for name in map(_service_rule, SERVICE_ADDRESSES) if region and name in there]
    if others:
        sure = region in near and not any(rule.name.lower() in map(_service_rule, near) for rule in others)
        why = (
            f"the service calls from {region} for this organization"
            if sure
            else f"the file names one region of the service, and says {region}; correct sql.firewall.service_region if"
            " it is another"
        )
        notes.append(
            f"left out, because {why}: firewall rules {', '.join(rule.name for rule in others)}; they stay until they"
            f" are removed: {'; '.join(f'setup-kit firewall remove {shlex.quote(rule.name)}' for rule in others)}"
        )
    unnamed = sorted(rule.name for rule in there.values() if not _can_be_named(rule))
    if unnamed:
        notes.append(f"left out, because a file cannot name them: firewall rules {', '.join(unnamed)}; they stay")
    given = [
        {"name": rule.name, "start": rule.start, "end": rule.end} for rule in there.values() if _can_be_named(rule)
    ]
    return {"allow_azure_services": azure is not None, "service_region": region, "rules": given}


def _admitted(region: str, there: Mapping[str, Rule]) -> bool:
    """Whether the kit's own rules for the service in this region are there."""
    return all(
        (rule := there.get(_service_rule(served))) is not None and rule.start == rule.end == address
        for served, address in service_addresses(region).items()
    )


def _service_rule(region: str) -> str:
    return SERVICE_PREFIX + region.lower().replace(" ", "-")


def _can_be_named(rule: Rule) -> bool:
    if names.everybody(rule.start, rule.end) or AZURE_SERVICES_ADDRESS in (rule.start, rule.end):
        return False
    try:
        names.firewall_rule(rule.name)
    except ValueError:
        return False
    return True
