"""The organization (Dataverse), as far as an export needs it: who and what it is, and how its tables are defined.

It lives beside the service's client because it shares its wire. All that is ever changed is whether a table's changes
are tracked.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from setup_kit import known_errors
from setup_kit.clouds import Cloud
from setup_kit.errors import KitError
from setup_kit.export_service.errors import without_secrets
from setup_kit.export_service.wire import Answer, Wire
from setup_kit.identity import Identity, scope_of
from setup_kit.known_errors import Words

API = "/api/data/v9.2"

_ODATA = {"OData-MaxVersion": "4.0", "OData-Version": "4.0"}
_SELECT = ",".join(
    (
        "LogicalName",
        "DisplayName",
        "EntitySetName",
        "PrimaryIdAttribute",
        "ChangeTrackingEnabled",
        "CanChangeTrackingBeEnabled",
        "IsIntersect",
    )
)


@dataclass(frozen=True)
class CurrentOrganization:
    """What an organization says of itself. `tenant_id`, `state` and `geography` are empty where it does not say."""

    id: str
    name: str
    version: tuple[int, ...]
    tenant_id: str = ""
    state: str = ""
    geography: str = ""


@dataclass(frozen=True)
class TableDefinition:
    """A table's (entity's) definition. `can_track_changes`: change tracking may be switched on.

    `intersect`: it holds the pairs of an N:N relationship.
    """

    logical_name: str
    entity_set: str
    primary_id: str
    tracks_changes: bool
    can_track_changes: bool
    display_name: str = ""
    intersect: bool = False


class OrganizationError(KitError):
    """The organization answered with an error; `code` is Dataverse's own ("0x80060888")."""

    def __init__(self, what: str, status: int, code: str, message: str, words: Words) -> None:
        super().__init__(what, **words, original=f"HTTP {status} {code}: {message}".replace(" :", ":"))
        self.status = status
        self.code = code


class OrganizationClient:
    """Calls an organization's Web API. Safe to use from several threads; connects at the first call.

    Errors are KitErrors: UnreachableError when it does not answer, OrganizationError when it answers with an error.
    """

    def __init__(self, identity: Identity, cloud: Cloud, url: str) -> None:
        self._identity = identity
        self._cloud = cloud
        self._lock = threading.Lock()
        self._wire: Wire | None = None
        self.url = url.rstrip("/")

    def current(self) -> CurrentOrganization:
        """Who this organization is, and its version."""
        detail = self._get(
            "RetrieveCurrentOrganization(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')"
        ).get("Detail", {})
        version = str(self._get("RetrieveVersion()").get("Version", ""))
        return CurrentOrganization(
            id=str(detail.get("OrganizationId", "")).lower(),
            name=str(detail.get("FriendlyName") or detail.get("UniqueName") or ""),
            version=tuple(int(part) for part in version.split(".") if part.isdecimal()),
            tenant_id=str(detail.get("TenantId") or "").lower(),
            state=str(detail.get("State") or ""),
            geography=str(detail.get("Geo") or ""),
        )

    def table(self, logical_name: str) -> TableDefinition | None:
        """None when the organization has no such table."""
        try:
            # Definitions are cached; this header has the newest ones read.
            found = self._get(_definition(logical_name), {"$select": _SELECT}, {"Consistency": "Strong"})
        except OrganizationError as error:
            if error.status == 404:
                return None
            raise
        return _table(found)

    def tables(self) -> list[TableDefinition]:
        """All tables, by logical name."""
        found = self._get("EntityDefinitions", {"$select": _SELECT}).get("value") or ()
        return sorted((_table(item) for item in found), key=lambda table: table.logical_name)

    def track_changes(self, logical_name: str) -> None:
        """Switches a table's change tracking on, and publishes that. Other unpublished changes of it go along.

        A definition is only ever written as a whole; merged, its labels in other languages stay.
        """
        name = _definition(logical_name)
        whole = self._get(name, headers={"Consistency": "Strong"})
        headers = {"MSCRM.MergeLabels": "true"}
        self._send("PUT", name, "change the definition", headers=headers, body=whole | {"ChangeTrackingEnabled": True})
        entities = f"<entities><entity>{escape(logical_name)}</entity></entities>"
        parameters = {"ParameterXml": f"<importexportxml>{entities}</importexportxml>"}
        self._send("POST", "PublishXml", "publish the changed definition", body=parameters)

    def has_rows(self, logical_name: str) -> bool:
        """Whether the table has any row that the caller may see. Raises KitError when it cannot be asked."""
        table = self._readable(logical_name)
        found = self._get(table.entity_set, {"$select": table.primary_id, "$top": "1"})
        return bool(found.get("value"))

    def changed_between(self, logical_name: str, since: datetime, until: datetime) -> datetime | None:
        """When the first row changed after `since` and no later than `until`; None when none did.

        Raises KitError when it cannot be asked, as for a table whose rows do not say when they changed.
        """
        table = self._readable(logical_name)
        query = {
            "$select": f"{table.primary_id},modifiedon",
            "$filter": f"modifiedon gt {_moment(since)} and modifiedon le {_moment(until)}",
            "$orderby": "modifiedon",
            "$top": "1",
        }
        rows = self._get(table.entity_set, query).get("value") or ()
        for row in rows:
            return datetime.fromisoformat(str(row["modifiedon"]))
        return None

    def count_rows(self, logical_name: str) -> int:
        """The number of rows that the caller may see, however many: counted page by page, 5,000 rows a page.

        Dataverse's own `$count` ends at 5,000, and its total record count is up to a day old.
        """
        table = self._readable(logical_name)
        headers = {"Prefer": "odata.maxpagesize=5000"}
        page = self._get(table.entity_set, {"$select": table.primary_id}, headers)
        count = len(page.get("value", ()))
        while link := page.get("@odata.nextLink"):
            page = self._follow(str(link), headers)
            count += len(page.get("value", ()))
        return count

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()

    def _readable(self, logical_name: str) -> TableDefinition:
        table = self.table(logical_name)
        if table is None or not table.entity_set:
            raise KitError(
                f"the organization has no table {logical_name} that can be asked for rows",
                remedy="see which it has: setup-kit org entities",
            )
        return table

    def _get(
        self, path: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        return self._read(f"{self.url}{API}/{path}", path.partition("(")[0], query, headers)

    def _follow(self, link: str, headers: Mapping[str, str]) -> dict[str, Any]:
        """The next page of an answer. The token goes to the organization only."""
        if not link.startswith(f"{self.url}/"):
            raise KitError(
                f"the organization {self.url} answered with a link to another host",
                remedy="check dynamics.organization_url, and whether a proxy on the way answers in its place",
                original=link,
            )
        return self._read(link, "the next page", None, headers)

    def _read(
        self, url: str, what: str, query: Mapping[str, str] | None, headers: Mapping[str, str] | None
    ) -> dict[str, Any]:
        answer = self._signed_in().send("GET", url, query, headers={**_ODATA, **(headers or {})})
        if answer.status != 200:
            raise _refused(self.url, f"answer {what}", answer)
        document = answer.json()
        if not isinstance(document, dict):
            raise KitError(
                f"the organization {self.url} answered something that is no object to {what}",
                remedy="check dynamics.organization_url, and whether a proxy on the way answers in its place",
            )
        return document

    def _send(
        self, method: str, path: str, what: str, *, body: object, headers: Mapping[str, str] | None = None
    ) -> None:
        url = f"{self.url}{API}/{path}"
        answer = self._signed_in().send(method, url, body=body, headers={**_ODATA, **(headers or {})})
        if answer.status not in (200, 204):
            raise _refused(self.url, what, answer)

    def _signed_in(self) -> Wire:
        with self._lock:
            if self._wire is None:
                # The audience of an organization is its own address.
                self._wire = Wire(self._cloud, self._identity.credential, scope_of(self.url))
            return self._wire


def _definition(logical_name: str) -> str:
    name = quote(logical_name.replace("'", "''"), safe="'")
    return f"EntityDefinitions(LogicalName='{name}')"


def _table(found: Mapping[str, Any]) -> TableDefinition:
    changeable = found.get("CanChangeTrackingBeEnabled")
    label = (found.get("DisplayName") or {}).get("UserLocalizedLabel") or {}
    return TableDefinition(
        logical_name=str(found.get("LogicalName") or ""),
        entity_set=str(found.get("EntitySetName") or ""),
        primary_id=str(found.get("PrimaryIdAttribute") or ""),
        tracks_changes=found.get("ChangeTrackingEnabled") is True,
        can_track_changes=isinstance(changeable, dict) and changeable.get("Value") is True,
        display_name=str(label.get("Label") or ""),
        intersect=found.get("IsIntersect") is True,
    )


def _moment(moment: datetime) -> str:
    """A moment as OData writes it, rounded up to whole seconds, as the rows' own are."""
    rounded = moment.astimezone(UTC) + timedelta(microseconds=(-moment.microsecond) % 1_000_000)
    return f"{rounded:%Y-%m-%dT%H:%M:%SZ}"


def _refused(url: str, what: str, answer: Answer) -> OrganizationError:
    code, message = _error(answer.text)
    known = known_errors.meaning("organization", code, answer.status, text=message, operation=what, organization=url)
    return OrganizationError(f"the organization {url} refused to {what}", answer.status, code, message, known.words)


def _error(text: str) -> tuple[str, str]:
    """Code and message of `{"error": {"code", "message"}}`; the text itself where it is nothing of the kind."""
    try:
        error = json.loads(text)["error"]
        return str(error.get("code", "")), str(error.get("message", ""))
    except (ValueError, TypeError, KeyError, AttributeError):
        return "", without_secrets(text.strip())[:500]
