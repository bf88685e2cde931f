"""Microsoft.Sql/servers: logical servers."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Any

from setup_kit.sandbox import access, passwords
from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.resource_manager.arm import (
    GROUP,
    Answer,
    ArmError,
    Call,
    Route,
    not_found,
    parent_not_found,
    same_location,
    tags_of,
)
from setup_kit.sandbox.resource_manager.groups import check_location, check_registered
from setup_kit.sandbox.resource_manager.listeners import Listeners
from setup_kit.sandbox.resource_manager.operations import Operations
from setup_kit.sandbox.state import Document, State
from setup_kit.sandbox.subscription import SERVERS as SERVERS_QUOTA
from setup_kit.sandbox.subscription import conditions

SERVERS = "servers"  # key: name; group, location, tags, login, password (hash), administrator, entra_only, …
DATABASES = "databases"  # key: server/name in lower case
RULES = "firewall-rules"  # key: server/name in lower case
TAKEN = "taken-names"  # key: server/name or vault/name: names that somebody else in the world has

SERVER = GROUP + "/providers/Microsoft.Sql/servers/{server}"
TYPE = "Microsoft.Sql/servers"
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
# Azure's page on logical servers names these as reserved.
RESERVED_LOGINS = frozenset(
    {
        *("admin", "administrator", "sa", "root", "dbmanager", "loginmanager", "dbo", "guest", "public", "sys"),
        "information_schema",
    }
)


class SqlServers:
    def __init__(
        self, state: State, latency: Latency, operations: Operations, listeners: Listeners, subscription: str
    ) -> None:
        self._state = state
        self._latency = latency
        self._operations = operations
        self._listeners = listeners
        self._subscription = subscription
        operations.effect("server.put", self._stored)
        operations.effect("server.delete", self._removed)

    def routes(self) -> list[Route]:
        servers = "/providers/Microsoft.Sql/servers"
        locations = "/subscriptions/{subscription}/providers/Microsoft.Sql/locations/{location}/{kind}"
        read, write = TYPE + "/read", TYPE + "/write"
        return [
            Route("GET", locations + "AzureAsyncOperation/{operation}", "", "arm.get", self._operations.status),
            Route("GET", locations + "OperationResults/{operation}", "", "arm.get", self._operations.result),
            Route(
                "POST",
                "/subscriptions/{subscription}/providers/Microsoft.Sql/checkNameAvailability",
                "Microsoft.Sql/checkNameAvailability/action",
                "arm.get",
                self._available,
            ),
            Route("GET", "/subscriptions/{subscription}" + servers, read, "arm.get", self._list),
            Route("GET", GROUP + servers, read, "arm.get", self._list),
            Route("GET", SERVER, read, "arm.get", self._get),
            Route("PUT", SERVER, write, "arm.accept", self._put),
            Route("PATCH", SERVER, write, "arm.accept", self._patch),
            Route("DELETE", SERVER, TYPE + "/delete", "arm.accept", self._delete),
        ]

    def find(self, call: Call) -> Document:
        """The server that a call is about. Raises ArmError when it is not there."""
        server = self._in_group(call)
        if server is None:
            raise not_found(call.group, TYPE, call.name("server"))
        return server

    def find_parent(self, call: Call, action: str, kind: str) -> Document:
        """As `find`, for a call about something inside the server."""
        server = self._in_group(call)
        if server is None:
            parent = self.id_of({"group": call.group, "name": call.name("server")})
            raise parent_not_found(action, kind, parent)
        return server

    def _in_group(self, call: Call) -> Document | None:
        server = self._state.get(SERVERS, call.name("server").lower())
        return server if server is not None and server["group"].lower() == call.group.lower() else None

    def in_group(self, group: str) -> list[Document]:
        """The bodies of a resource group's servers and databases, for the list of resources."""
        bodies = []
        for name, server in self._state.list(SERVERS):
            if server["group"].lower() == group.lower():
                bodies.append(self.body(server))
                bodies += [
                    {
                        "id": f"{self.id_of(server)}/databases/{each['name']}",
                        "name": f"{name}/{each['name']}",
                        "type": TYPE + "/databases",
                        "location": server["location"],
                        "tags": each.get("tags", {}),
                    }
                    for _, each in self._state.list(DATABASES, name + "/")
                ]
        return bodies

    async def remove_group(self, group: str) -> None:
        for name, server in self._state.list(SERVERS):
            if server["group"].lower() == group.lower():
                await self._removed({"server": name})

    def id_of(self, server: Document) -> str:
        return f"/subscriptions/{self._subscription}/resourceGroups/{server['group']}/providers/{TYPE}/{server['name']}"

    def body(self, server: Document, expand: str = "") -> Document:
        properties: Document = {
            "administratorLogin": server["login"],
            "version": "12.0",
            "state": "Ready",
            "fullyQualifiedDomainName": self._listeners.server_address(server["name"]),
            "privateEndpointConnections": [],
            "minimalTlsVersion": server["minimal_tls"],
            "publicNetworkAccess": server["public_access"],
            "restrictOutboundNetworkAccess": "Disabled",
        }
        if server["administrator"] and expand.lower() == "administrators/activedirectory":
            properties["administrators"] = {
                "administratorType": "ActiveDirectory",
                **server["administrator"],
                "azureADOnlyAuthentication": server["entra_only"],
            }
        return {
            "kind": "v12.0",
            "properties": properties,
            "location": server["location"],
            "tags": server["tags"],
            "id": self.id_of(server),
            "name": server["name"],
            "type": TYPE,
        }

    async def _available(self, call: Call) -> Answer:
        name = str(call.body.get("name", ""))
        if not NAME.fullmatch(name):
            return Answer(
                200,
                {
                    "available": False,
                    "message": _invalid_name(name),
                    "name": name,
                    "reason": "Invalid",
                },
            )
        if self._taken(name) or self._state.get(SERVERS, name):
            message = "Specified server name is already used"
            return Answer(200, {"available": False, "message": message, "name": name, "reason": "AlreadyExists"})
        return Answer(200, {"available": True, "name": name})

    def _taken(self, name: str) -> bool:
        return self._state.get(TAKEN, f"server/{name}") is not None

    async def _list(self, call: Call) -> Answer:
        group = call.names.get("group", "").lower()
        expand = call.query.get("$expand", "")
        found = [
            self.body(server, expand)
            for _, server in self._state.list(SERVERS)
            if not group or server["group"].lower() == group
        ]
        return Answer(200, {"value": found})

    async def _get(self, call: Call) -> Answer:
        return Answer(200, self.body(self.find(call), call.query.get("$expand", "")))

    async def _put(self, call: Call) -> Answer:
        name = call.name("server")
        check_registered(self._state, "Microsoft.Sql", self._subscription)
        if not NAME.fullmatch(name):
            raise ArmError(400, "InvalidServerName", _invalid_name(name))
        location = check_location(call.body.get("location"), "ResourceType")
        self.check_idle(name)
        kept = self._state.get(SERVERS, name)
        if kept is not None and kept["group"].lower() == call.group.lower():
            if not same_location(kept["location"], location):
                raise ArmError(
                    400,
                    "InvalidResourceLocation",
                    f"The resource '{name}' already exists in location '{kept['location']}' in resource group"
                    f" '{kept['group']}'. A resource with the same name cannot be created in location '{location}'."
                    " Please select a new resource name.",
                    gateway=True,
                )
            return await self._update(call, kept, tags_of(call.body))
        return await self._create(call, name, location)

    async def _create(self, call: Call, name: str, location: str) -> Answer:
        self._check_quota(location)
        properties = call.properties
        administrator = properties.get("administrators") or {}
        entra_only = bool(administrator.get("azureADOnlyAuthentication"))
        login, password = str(properties.get("administratorLogin") or ""), properties.get("administratorLoginPassword")
        if not entra_only and not (login and password):
            missing = "AdministratorLogin" if not login else "Password"
            raise invalid_value(missing)
        if login.lower() in RESERVED_LOGINS or not re.fullmatch(r"[^\s'\"<>|:*?\\/#&;,%=@!^$()+]*", login):
            raise ArmError(400, "InvalidLoginName", "The provided login name is invalid.")
        server: Document = {
            "name": name,
            "group": call.group,
            "location": location,
            "tags": tags_of(call.body),
            # A server without a SQL administrator shows a name that the cloud made up.
            "login": login or f"CloudSA{secrets.token_hex(4)}",
            "password": await self._hash(str(password), login) if password and not entra_only else None,
            "administrator": administrator_of(administrator) if administrator else None,
            "entra_only": entra_only,
            "minimal_tls": str(properties.get("minimalTlsVersion") or "1.2"),
            "public_access": str(properties.get("publicNetworkAccess") or "Enabled"),
        }
        return await self._start_put(call, server, "server.create")

    def _check_quota(self, location: str) -> None:
        """Raises ArmError when the region has no room for one more server of the subscription."""
        there = [each for _, each in self._state.list(SERVERS) if same_location(each["location"], location)]
        if len(there) >= conditions(self._state).quota(SERVERS_QUOTA):
            # The number and the text are those of SQL Database's error; that Resource Manager says so is assumed.
            message = f"Cannot move or create server. Subscription '{self._subscription}' will exceed server quota."
            raise ArmError(400, "40652", message)

    async def _update(self, call: Call, kept: Document, tags: dict[str, str]) -> Answer:
        properties = call.properties
        login = properties.get("administratorLogin")
        if login and login != kept["login"]:
            raise invalid_value("AdministratorLogin")
        server = {**kept, "tags": tags}
        password = properties.get("administratorLoginPassword")
        if password:
            server["password"] = await self._hash(str(password), kept["login"])
        server["minimal_tls"] = str(properties.get("minimalTlsVersion") or kept["minimal_tls"])
        server["public_access"] = str(properties.get("publicNetworkAccess") or kept["public_access"])
        # `administrators` counts at creation only; afterwards it has a resource of its own, as the API says.
        return await self._start_put(call, server, "server.update")

    async def _patch(self, call: Call) -> Answer:
        kept = self.find(call)
        self.check_idle(kept["name"])
        return await self._update(call, kept, tags_of(call.body) if "tags" in call.body else kept["tags"])

    async def _hash(self, password: str, login: str) -> dict[str, str] | None:
        """The hash, or None for a password that the cloud turns down once the operation runs."""
        if not passwords.is_complex(password, login):
            return None
        return await asyncio.to_thread(passwords.hashed, password)

    async def _start_put(self, call: Call, server: Document, operation: str) -> Answer:
        started = await self._operations.start(
            "UpsertLogicalServer",
            "server.put",
            {"server": server},
            target=f"server/{server['name']}",
            seconds=self._latency.seconds(operation),
        )
        return self._operations.accepted(started, call, "server", server["location"], 1)

    async def _stored(self, arguments: Document) -> None:
        server = arguments["server"]
        name = server["name"]
        kept = self._state.get(SERVERS, name)
        if self._taken(name) or (kept is not None and kept["group"].lower() != server["group"].lower()):
            raise ArmError(400, "NameAlreadyExists", f"The name '{name}' already exists. Choose a different name.")
        if kept is None and conditions(self._state).closes(server["location"]):
            raise ArmError(
                400,
                "RegionDoesNotAllowProvisioning",
                f"Location '{server['location']}' is not accepting creation of new Windows Azure SQL Database servers"
                " at this time.",
            )
        if server["password"] is None and not server["entra_only"]:
            raise ArmError(
                400,
                "PasswordNotComplex",
                "Password validation failed. The password does not meet policy requirements because it is not complex"
                " enough.",
            )
        self._state.put(SERVERS, name, server)
        if kept is None:
            self._state.put(DATABASES, f"{name}/master", {"name": "master"})
        await self._listeners.open_server(name)

    async def _delete(self, call: Call) -> Answer:
        server = self._in_group(call)
        if server is None:
            return Answer(204)
        self.check_idle(server["name"])
        started = await self._operations.start(
            "DropLogicalServer",
            "server.delete",
            {"server": server["name"]},
            target=f"server/{server['name']}",
            seconds=self._latency.seconds("server.delete"),
        )
        return self._operations.accepted(started, call, "server", server["location"], 15)

    async def _removed(self, arguments: Document) -> None:
        name = arguments["server"]
        await self._listeners.remove_server(name)
        for kind in (RULES, DATABASES):
            for key, _ in self._state.list(kind, name + "/"):
                self._state.delete(kind, key)
        server = self._state.get(SERVERS, name)
        if server is not None:
            access.forget(self._state, self.id_of(server))
        self._state.delete(SERVERS, name)

    def check_idle(self, name: str) -> None:
        """Raises ArmError while an operation is under way on the server."""
        if self._operations.running(f"server/{name}"):
            raise ArmError(
                409, "ConflictingServerOperation", f"An operation is currently in progress for the server '{name}'."
            )


def administrator_of(given: dict[str, Any]) -> Document:
    """An Entra administrator as it is kept. Raises ArmError when login or object id is missing."""
    if not given.get("login") or not given.get("sid"):
        raise invalid_value("Login" if not given.get("login") else "Sid")
    kept = {"login": str(given["login"]), "sid": str(given["sid"]).lower(), "tenantId": given.get("tenantId")}
    if given.get("principalType"):
        kept["principalType"] = given["principalType"]
    return kept


def _invalid_name(name: str) -> str:
    return (
        f"Invalid server name '{name}'. It can only be made up of lowercase letters 'a'-'z', the numbers 0-9 and the"
        " hyphen. The hyphen may not lead or trail in the name, and the name has 1 to 63 characters."
    )


def invalid_value(parameter: str) -> ArmError:
    """What SQL's provider says of a parameter that it does not take."""
    return ArmError(
        400,
        "InvalidParameterValue",
        f"Invalid value given for parameter {parameter}. Specify a valid parameter value.",
    )
