"""An organization, read through the Dataverse Web API with the service's own token."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.rest import HttpRequest

from setup_kit.service import http
from setup_kit.service.errors import OutsideError

API = "/api/data/v9.2/"
# Rows a page; a row of 250 columns is about 10 kB of JSON. A number with many divisors, so that a page is a whole
# number of statements at the destination.
PAGE_SIZE = 240

SYSTEM_ADMINISTRATOR = "627090ff-40a3-4053-8790-584edc5be201"  # role template, the same in every organization

LOOKUP_TYPE = "Microsoft.Dynamics.CRM.lookuplogicalname"
FORMATTED = "OData.Community.Display.V1.FormattedValue"

# Never exported, though change tracking may be on.
_NEVER = frozenset({"activitypointer"})

_METADATA = "Microsoft.Dynamics.CRM."
_OPTION_SETS = (
    ("PicklistAttributeMetadata", "OptionSet($select=Name,IsGlobal,Options),GlobalOptionSet($select=Name,Options)"),
    ("StateAttributeMetadata", "OptionSet($select=Name,Options)"),
    ("StatusAttributeMetadata", "OptionSet($select=Name,Options)"),
    ("BooleanAttributeMetadata", "OptionSet($select=Name,IsGlobal,TrueOption,FalseOption)"),
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OrganizationFacts:
    id: str
    name: str
    version: str
    tenant_id: str | None
    enabled: bool


@dataclass(frozen=True)
class EntityFacts:
    """What decides whether an entity can be exported."""

    logical_name: str
    display_name: str
    entity_set: str
    primary_id: str
    change_tracking: bool
    can_be_tracked: bool
    private: bool
    intersect: bool

    @property
    def public(self) -> bool:
        return bool(self.entity_set) and not self.private and self.logical_name not in _NEVER

    @property
    def exportable(self) -> bool:
        return self.public and not self.intersect and self.change_tracking


@dataclass(frozen=True)
class ManyToMany:
    schema_name: str
    entity1: str
    entity2: str
    intersect: str


@dataclass(frozen=True)
class Caller:
    """A user of the organization, or an application of it."""

    enabled: bool
    administrator: bool


@dataclass(frozen=True)
class Page:
    """Rows, and on the last page the delta link, from which later changes are read."""

    rows: Sequence[Mapping[str, Any]]
    delta: str | None


class Organization:
    """Thread-safe. Every method raises OutsideError when the organization refuses or does not answer."""

    def __init__(self, url: str, identity: TokenCredential, ca_file: Path | None) -> None:
        self.url = url.rstrip("/")
        self._client = http.client(self.url, ca_file, identity, self.url)

    def close(self) -> None:
        self._client.close()

    def facts(self) -> OrganizationFacts:
        version = self._get("RetrieveVersion()")["Version"]
        detail = self._get(
            "RetrieveCurrentOrganization(AccessType=@p1)?@p1=Microsoft.Dynamics.CRM.EndpointAccessType'Default'"
        )["Detail"]
        return OrganizationFacts(
            id=str(detail["OrganizationId"]).lower(),
            name=detail.get("FriendlyName") or detail.get("UniqueName") or "",
            version=version,
            tenant_id=detail.get("TenantId"),
            # *Assumed*: an organization in administration mode says Disabled here.
            enabled=str(detail.get("State", "Enabled")) in {"Enabled", "0"},
        )

    def caller(self, *, object_id: str, application_id: str | None) -> Caller | None:
        """The user with that Entra object id, or the application user with that application id.

        An application user has both ids where Dataverse made it itself, and may have only one of them.
        """
        which = f"azureactivedirectoryobjectid eq {object_id}"
        if application_id:
            which += f" or applicationid eq {application_id}"
        found = self._get(
            f"systemusers?$select=fullname,isdisabled&$filter={quote(which)}"
            "&$expand=systemuserroles_association($select=name,_roletemplateid_value)"
        )["value"]
        if not found:
            return None
        roles = found[0].get("systemuserroles_association", [])
        return Caller(
            enabled=not found[0].get("isdisabled"),
            administrator=any(str(role.get("_roletemplateid_value")).lower() == SYSTEM_ADMINISTRATOR for role in roles),
        )

    def entities(self) -> dict[str, EntityFacts]:
        """Every entity by logical name."""
        answer = self._get(
            "EntityDefinitions?$select=LogicalName,DisplayName,EntitySetName,PrimaryIdAttribute,ChangeTrackingEnabled,"
            "CanChangeTrackingBeEnabled,IsPrivate,IsIntersect"
        )
        return {
            entity["LogicalName"]: EntityFacts(
                logical_name=entity["LogicalName"],
                display_name=label(entity.get("DisplayName")) or entity["LogicalName"],
                entity_set=entity.get("EntitySetName") or "",
                primary_id=entity.get("PrimaryIdAttribute") or "",
                change_tracking=bool(entity.get("ChangeTrackingEnabled")),
                can_be_tracked=bool(_managed(entity.get("CanChangeTrackingBeEnabled"))),
                private=bool(entity.get("IsPrivate")),
                intersect=bool(entity.get("IsIntersect")),
            )
            for entity in answer["value"]
        }

    def relationships(self) -> dict[str, ManyToMany]:
        """Every N:N relationship by schema name."""
        answer = self._get(
            f"RelationshipDefinitions/{_METADATA}ManyToManyRelationshipMetadata"
            "?$select=SchemaName,Entity1LogicalName,Entity2LogicalName,IntersectEntityName"
        )
        return {
            found["SchemaName"]: ManyToMany(
                found["SchemaName"],
                found["Entity1LogicalName"],
                found["Entity2LogicalName"],
                found["IntersectEntityName"],
            )
            for found in answer["value"]
        }

    def definition(self, logical_name: str) -> Mapping[str, Any]:
        """An entity's definition with its attributes, as the Web API words them."""
        answer: Mapping[str, Any] = self._get(
            f"EntityDefinitions(LogicalName='{quote(logical_name)}')"
            "?$select=LogicalName,EntitySetName,PrimaryIdAttribute,ChangeTrackingEnabled&$expand=Attributes"
        )
        return answer

    def option_sets(self, logical_name: str) -> list[Mapping[str, Any]]:
        """Attributes of an entity that have options, with them, each with its `@odata.type`."""
        found: list[Mapping[str, Any]] = []
        for kind, expand in _OPTION_SETS:
            answer = self._get(
                f"EntityDefinitions(LogicalName='{quote(logical_name)}')/Attributes/{_METADATA}{kind}"
                f"?$select=LogicalName&$expand={expand}"
            )
            found += [{**attribute, "@odata.type": f"#{_METADATA}{kind}"} for attribute in answer["value"]]
        return found

    def pages(self, entity_set: str) -> Iterator[Page]:
        """All rows of an entity set, with change tracking."""
        link: str | None = f"{self.url}{API}{entity_set}"
        while link:
            answer = self._get(
                link,
                f'odata.track-changes,odata.maxpagesize={PAGE_SIZE},odata.include-annotations="{LOOKUP_TYPE},{FORMATTED}"',
            )
            yield Page(answer["value"], answer.get("@odata.deltaLink"))
            link = answer.get("@odata.nextLink")

    def _get(self, path: str, prefer: str | None = None) -> Any:
        url = path if path.startswith("https://") else f"{self.url}{API}{path}"
        if not url.startswith(self.url + "/"):
            # The token would go elsewhere.
            raise OutsideError(f"organization {self.url}", "it answered with a link to another host")
        request = HttpRequest("GET", url, headers={"Prefer": prefer} if prefer else {})
        try:
            response = self._client.send_request(request)
        except ClientAuthenticationError as error:
            raise OutsideError(f"organization {self.url}", f"no token for it: {error.message}", 401) from error
        except AzureError as error:
            raise OutsideError(f"organization {self.url}", f"it does not answer: {error.message}") from error
        body = response.text()
        if response.status_code != 200:
            raise OutsideError(f"organization {self.url}", _refusal(response.status_code, body), response.status_code)
        return json.loads(body, parse_float=Decimal)


def find_relationship(name: str, relationships: Mapping[str, ManyToMany]) -> ManyToMany | None:
    """By schema name or by the intersect entity's name, in any case."""
    for found in relationships.values():
        if name.lower() in {found.schema_name.lower(), found.intersect.lower()}:
            return found
    return None


def _refusal(status: int, body: str) -> str:
    try:
        error = json.loads(body)["error"]
        return f"it answered {status}: {error.get('message') or error.get('code')}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"it answered {status}"


def _managed(value: Any) -> Any:
    """The value of a managed property, which the Web API wraps in an object."""
    return value.get("Value") if isinstance(value, Mapping) else value


def label(value: Any) -> str | None:
    """The text of a Label in its user's language, else in the first one it has."""
    if not isinstance(value, Mapping):
        return None
    chosen = value.get("UserLocalizedLabel") or next(iter(value.get("LocalizedLabels") or ()), None)
    return chosen.get("Label") if chosen else None


def parse_version(text: str) -> tuple[int, ...]:
    """An organization's version such as 9.2.24081.196, as numbers to compare."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:4])
