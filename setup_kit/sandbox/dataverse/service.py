"""What the organization answers: finds the part that a path means, and lets it read or write in one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from setup_kit.sandbox.dataverse import customizations, errors, filters, pages, tokens, users, values
from setup_kit.sandbox.dataverse.database import Database
from setup_kit.sandbox.dataverse.definitions import Definitions
from setup_kit.sandbox.dataverse.expansion import expand
from setup_kit.sandbox.dataverse.options import Options, Preferences
from setup_kit.sandbox.dataverse.organization import Organization
from setup_kit.sandbox.dataverse.records import Records
from setup_kit.sandbox.dataverse.rows import RowWriter
from setup_kit.sandbox.dataverse.schema import Column, Table
from setup_kit.sandbox.dataverse.tokens import Segment
from setup_kit.sandbox.entra import Caller

DEFINITIONS = ("EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSetDefinitions")
# EndpointType's members, each with the path below the organization's address.
ENDPOINTS = {
    "WebApplication": "/",
    "OrganizationService": "/XRMServices/2011/Organization.svc",
    "OrganizationDataService": "/XRMServices/2011/OrganizationData.svc",
}


@dataclass(frozen=True)
class Request:
    method: str
    root: str  # the service root, without a slash at its end
    path: Sequence[Segment]
    options: Options
    preferences: Preferences
    body: object
    headers: Mapping[str, str]  # names in lower case
    query: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What is sent back; `body` is JSON text, or plain text for a count."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    plain: bool = False


class Service:
    def __init__(self, organization: Organization, database: Database) -> None:
        self._organization = organization
        self._database = database
        self._schema = database.schema
        self._definitions = Definitions(database)

    def answer(self, request: Request, caller: Caller) -> Answer:
        """Raises WebApiError."""
        if request.method == "GET":
            with self._database.read() as connection:
                return self._get(request, connection, users.identify(connection, caller))
        with self._database.write() as connection:
            return self._write(request, connection, users.identify(connection, caller))

    # Reading

    def _get(self, request: Request, connection: sqlite3.Connection, user: users.User) -> Answer:
        if not request.path:
            return _json(request, "", {"value": self._service_document()})
        first, rest = request.path[0], request.path[1:]
        if first.name in DEFINITIONS:
            fragment, body = self._definitions.answer(request.path, request.options)
            return _json(request, fragment, body)
        function = self._function(first, request, user) if not rest else None
        if function is not None:
            return _json(request, f"Microsoft.Dynamics.CRM.{first.name}Response", function)
        table = self._schema.by_entity_set.get(first.name)
        if table is None:
            raise errors.unknown_segment(first.name)
        if first.key is not None:
            return self._one(request, connection, table, self._record_id(table, first.key), rest)
        if rest:
            if rest[0].name == "$count" and len(rest) == 1:
                total = pages.count(self._database, connection, table, request.options)
                return Answer(body=str(total), plain=True)
            raise errors.unknown_segment(rest[0].name)
        return self._collection(request, connection, table)

    def _service_document(self) -> list[dict[str, str]]:
        return [{"name": name, "kind": "EntitySet", "url": name} for name in sorted(self._schema.by_entity_set)]

    def _function(self, segment: Segment, request: Request, user: users.User) -> dict[str, Any] | None:
        if segment.name == "WhoAmI":
            return {"BusinessUnitId": user.business_unit, "UserId": user.id, "OrganizationId": self._organization.id}
        if segment.name == "RetrieveVersion":
            return {"Version": self._database.condition().version}
        if segment.name != "RetrieveCurrentOrganization":
            return None
        given = tokens.arguments(segment.key or "", dict(request.query)).get("AccessType", "")
        if given not in tuple(
            f"Microsoft.Dynamics.CRM.EndpointAccessType'{name}'" for name in ("Default", "Internet", "Intranet")
        ):
            raise errors.bad_query("The parameter 'AccessType' must be a Microsoft.Dynamics.CRM.EndpointAccessType.")
        return {"Detail": self._detail()}

    def _detail(self) -> dict[str, Any]:
        condition = self._database.condition()
        unique = f"org{self._organization.id[:8]}"
        return {
            "OrganizationId": self._organization.id,
            "FriendlyName": self._organization.name,
            "OrganizationVersion": condition.version,
            "EnvironmentId": self._organization.id,
            "DatacenterId": "695014e1-bafd-4d7e-9d3d-2261d4aaf780",
            "Geo": "EMEA",
            "TenantId": self._organization.tenant_id,
            "UrlName": unique,
            "UniqueName": unique,
            # Assumed: no public source shows administration mode in the Web API; OrganizationState has these two words.
            "State": "Disabled" if condition.administration_mode else condition.state,
            "Endpoints": {
                "Count": len(ENDPOINTS),
                "IsReadOnly": False,
                "Keys": list(ENDPOINTS),
                "Values": [self._organization.url + path for path in ENDPOINTS.values()],
            },
        }

    def _record_id(self, table: Table, key: str) -> str:
        found = tokens.key_id(key) or tokens.key_id(key.removeprefix(f"{table.primary_id}="))
        if found is None:
            raise errors.not_here(f"The key '{key}' (alternate keys)")
        return found

    def _one(
        self,
        request: Request,
        connection: sqlite3.Connection,
        table: Table,
        record_id: str,
        rest: Sequence[Segment],
        status: int = 200,
    ) -> Answer:
        if rest:
            raise errors.not_here(f"The path '{rest[0].name}' below a record")
        writer = RowWriter(self._schema, table, self._columns(table, request.options.select), request.preferences)
        statement = f'SELECT {writer.select_list} FROM "{table.name}" WHERE "{table.primary_id}" = ?'  # noqa: S608
        row = connection.execute(statement, (record_id,)).fetchone()
        if row is None:
            raise errors.no_record(table.name, record_id)
        texts = expand(self._schema, connection, writer, table, [row], request.options.expand, request.preferences)
        context = f"{request.root}/$metadata#{table.entity_set}{_shape(request.options)}/$entity"
        headers = _applied(request.preferences)
        if "versionnumber" in table.by_name:
            headers["ETag"] = f'W/"{writer.value(row, "versionnumber")}"'
        return Answer(status, f'{{"@odata.context":{json.dumps(context)},{texts[0][1:]}', headers)

    def _collection(self, request: Request, connection: sqlite3.Connection, table: Table) -> Answer:
        wanted = request.options
        writer = RowWriter(self._schema, table, self._columns(table, wanted.select), request.preferences)
        page = pages.read(self._database, connection, table, writer.select_list, wanted, request.preferences)
        texts = expand(self._schema, connection, writer, table, page.rows, wanted.expand, request.preferences)
        url = f"{request.root}/{table.entity_set}"
        gone = json.dumps(f"{request.root}/$metadata#{table.entity_set}/$deletedEntity")
        texts += [f'{{"@odata.context":{gone},"id":"{record_id}","reason":"deleted"}}' for record_id in page.deleted]
        context = f"{request.root}/$metadata#{table.entity_set}{_shape(wanted)}{'/$delta' if page.is_delta else ''}"
        head = [f'"@odata.context":{json.dumps(context)}']
        if page.count is not None:
            head.append(f'"@odata.count":{page.count}')
        tail = []
        if page.next is not None:
            tail.append(f'"@odata.nextLink":{json.dumps(pages.link(url, wanted, skiptoken=page.next.token()))}')
        if page.delta_token is not None:
            # The documented answer has the delta link before the rows.
            head.append(f'"@odata.deltaLink":{json.dumps(pages.link(url, wanted, deltatoken=page.delta_token))}')
        members = [*head, f'"value":[{",".join(texts)}]', *tail]
        return Answer(body=f"{{{','.join(members)}}}", headers=_applied(request.preferences))

    def _columns(self, table: Table, select: tuple[str, ...] | None) -> Sequence[Column]:
        """The chosen columns; the key always comes along."""
        if select is None:
            return table.row_columns
        columns = {filters.column_of(table, name).name: None for name in select}
        columns[table.primary_id] = None
        return [table.by_name[name] for name in columns]

    # Writing

    def _write(self, request: Request, connection: sqlite3.Connection, user: users.User) -> Answer:
        if not request.path:
            raise errors.not_supported(request.method, "the service root")
        first, rest = request.path[0], request.path[1:]
        if first.name in DEFINITIONS:
            return self._define(request, user)
        if first.name in customizations.ACTIONS and not rest:
            return self._publish(first.name, request, user)
        table = self._schema.by_entity_set.get(first.name)
        if table is None:
            raise errors.unknown_segment(first.name)
        if rest:
            raise errors.not_here(f"{request.method} of the path '{rest[0].name}' below a record")
        if not table.writable:
            raise errors.not_supported(request.method, table.name)
        verb = {"POST": "Create", "PATCH": "Write", "DELETE": "Delete"}.get(request.method)
        if verb is None or (first.key is None) != (verb == "Create"):
            raise errors.not_supported(request.method, first.name)
        if not user.is_administrator:
            raise errors.missing_privilege(user.id, f"prv{verb}{table.display_name}", table.name, table.type_code)
        records = Records(self._database, connection, user.id)
        if first.key is None:
            record_id = records.create(table, values.read(self._schema, connection, table, request.body))
            return self._written(request, connection, table, record_id, 201)
        record_id = self._record_id(table, first.key)
        row = records.find(table, record_id)
        self._check_version(request, table, record_id, row)
        if verb == "Delete":
            if not records.delete(table, record_id):
                raise errors.no_record(table.name, record_id)
            return Answer(204)
        given = values.read(self._schema, connection, table, request.body)
        if row is None:
            records.create(table, given | {table.primary_id: record_id})
        else:
            records.update(table, row, given)
        return self._written(request, connection, table, record_id, 200 if row else 201)

    def _written(
        self, request: Request, connection: sqlite3.Connection, table: Table, record_id: str, status: int
    ) -> Answer:
        if request.preferences.representation:
            return self._one(request, connection, table, record_id, (), status)
        return Answer(204, headers={"OData-EntityId": f"{request.root}/{table.entity_set}({record_id})"})

    def _check_version(self, request: Request, table: Table, record_id: str, row: Mapping[str, Any] | None) -> None:
        match, none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
        if none_match == "*" and row is not None:
            raise errors.duplicate_record()
        if match is None:
            return
        if row is None:
            raise errors.no_record(table.name, record_id)
        if match != "*" and match != f'W/"{row["versionnumber"]}"':
            raise errors.wrong_version()

    def _define(self, request: Request, user: users.User) -> Answer:
        """Definitions are changed as a whole: PATCH is refused, PUT takes over what may change here."""
        first, rest = request.path[0], request.path[1:]
        if first.name != "EntityDefinitions" or rest or first.key is None:
            raise errors.not_here(f"{request.method} of {first.name}")
        if request.method != "PUT":
            raise errors.not_supported(request.method, "EntityMetadata")
        if not user.is_administrator:
            raise errors.missing_privilege(user.id, "prvWriteEntity", "entity", 9800)
        merge = request.headers.get("mscrm.mergelabels", "false").lower()
        if merge not in ("true", "false"):
            # Assumed: no public source shows how another value is refused.
            raise errors.bad_query("The header 'MSCRM.MergeLabels' must be true or false.")
        self._definitions.put(self._definitions.table(first.key), request.body, merge_labels=merge == "true")
        return Answer(204)

    def _publish(self, action: str, request: Request, user: users.User) -> Answer:
        if request.method != "POST":
            raise errors.not_supported(request.method, action)
        if not user.is_administrator:
            raise errors.missing_privilege(user.id, "prvPublishCustomization", "entity", 9800)
        self._definitions.customizations.publish(action, request.body)
        return Answer(204)


def _json(request: Request, fragment: str, body: Mapping[str, Any]) -> Answer:
    context = f"{request.root}/$metadata" + (f"#{fragment}" if fragment else "")
    return Answer(body=json.dumps({"@odata.context": context} | dict(body), ensure_ascii=False))


def _applied(preferences: Preferences) -> dict[str, str]:
    return {"Preference-Applied": preferences.applied} if preferences.applied else {}


def _shape(options: Options) -> str:
    """The chosen properties and expanded ones, as `@odata.context` names them."""
    parts = list(options.select or ())
    parts += [f"{item.name}({','.join(item.options.select or ())})" for item in options.expand]
    return f"({','.join(parts)})" if parts else ""
