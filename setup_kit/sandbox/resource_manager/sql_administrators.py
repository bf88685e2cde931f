"""Microsoft.Sql/servers/administrators and /azureADOnlyAuthentications: who administers a server through Entra."""

from __future__ import annotations

from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.resource_manager.arm import Answer, ArmError, Call, Route, not_found
from setup_kit.sandbox.resource_manager.operations import Operations
from setup_kit.sandbox.resource_manager.sql_servers import SERVER, SERVERS, TYPE, SqlServers, administrator_of
from setup_kit.sandbox.state import Document, State


class SqlAdministrators:
    def __init__(self, state: State, latency: Latency, operations: Operations, servers: SqlServers) -> None:
        self._state = state
        self._latency = latency
        self._operations = operations
        self._servers = servers
        operations.effect("server.administrator", self._administered)

    def routes(self) -> list[Route]:
        administrator = SERVER + "/administrators/{administrator}"
        only = SERVER + "/azureADOnlyAuthentications/{authentication}"
        read = TYPE + "/read"
        return [
            Route("GET", SERVER + "/administrators", read, "arm.get", self._list_administrators),
            Route("GET", administrator, read, "arm.get", self._get_administrator),
            Route("PUT", administrator, TYPE + "/administrators/write", "arm.accept", self._put_administrator),
            Route("DELETE", administrator, TYPE + "/administrators/delete", "arm.accept", self._delete_administrator),
            Route("GET", SERVER + "/azureADOnlyAuthentications", read, "arm.get", self._list_only),
            Route("GET", only, read, "arm.get", self._get_only),
            Route("PUT", only, TYPE + "/azureADOnlyAuthentications/write", "arm.accept", self._put_only),
            Route("DELETE", only, TYPE + "/azureADOnlyAuthentications/delete", "arm.accept", self._delete_only),
        ]

    async def _list_administrators(self, call: Call) -> Answer:
        server = self._servers.find_parent(call, "read", TYPE + "/administrators")
        return Answer(200, {"value": [self._administrator_body(server)] if server["administrator"] else []})

    async def _get_administrator(self, call: Call) -> Answer:
        server = self._servers.find_parent(call, "read", TYPE + "/administrators")
        if not server["administrator"]:
            raise not_found(call.group, TYPE + "/administrators", f"{server['name']}/ActiveDirectory")
        return Answer(200, self._administrator_body(server))

    async def _put_administrator(self, call: Call) -> Answer:
        server = self._servers.find_parent(call, "write", TYPE + "/administrators")
        change = {"administrator": administrator_of(call.properties)}
        return await self._administer(call, server, "CreateActiveDirectoryAdministrator", change)

    async def _delete_administrator(self, call: Call) -> Answer:
        server = self._servers.find_parent(call, "delete", TYPE + "/administrators")
        if not server["administrator"]:
            return Answer(204)
        if server["entra_only"]:
            raise ArmError(
                400,
                "AADAdminCannotBeDeletedWithAADOnlyAuthEnabled",
                "The Microsoft Entra administrator cannot be removed while Microsoft Entra-only authentication is on.",
            )
        return await self._administer(call, server, "DropActiveDirectoryAdministrator", {"administrator": None})

    async def _list_only(self, call: Call) -> Answer:
        server = self._servers.find_parent(call, "read", TYPE + "/azureADOnlyAuthentications")
        return Answer(200, {"value": [self._only_body(server)]})

    async def _get_only(self, call: Call) -> Answer:
        return Answer(
            200, self._only_body(self._servers.find_parent(call, "read", TYPE + "/azureADOnlyAuthentications"))
        )

    async def _put_only(self, call: Call) -> Answer:
        server = self._servers.find_parent(call, "write", TYPE + "/azureADOnlyAuthentications")
        wanted = bool(call.properties.get("azureADOnlyAuthentication"))
        if wanted and not server["administrator"]:
            raise ArmError(
                400,
                "AADAdminNotConfigured",
                "Microsoft Entra-only authentication needs a Microsoft Entra administrator on the server.",
            )
        return await self._administer(call, server, "UpsertAADOnlyAuthentication", {"entra_only": wanted})

    async def _delete_only(self, call: Call) -> Answer:
        server = self._servers.find_parent(call, "delete", TYPE + "/azureADOnlyAuthentications")
        return await self._administer(call, server, "DropAADOnlyAuthentication", {"entra_only": False})

    async def _administer(self, call: Call, server: Document, operation: str, change: Document) -> Answer:
        self._servers.check_idle(server["name"])
        started = await self._operations.start(
            operation,
            "server.administrator",
            {"server": server["name"], "change": change},
            target=f"server/{server['name']}",
            seconds=self._latency.seconds("server.administrator"),
        )
        return self._operations.accepted(started, call, "administrator", server["location"], 1)

    async def _administered(self, arguments: Document) -> None:
        server = self._state.get(SERVERS, arguments["server"])
        if server is not None:
            self._state.put(SERVERS, arguments["server"], {**server, **arguments["change"]})

    def _administrator_body(self, server: Document) -> Document:
        return {
            "properties": {
                "administratorType": "ActiveDirectory",
                **{key: value for key, value in server["administrator"].items() if key != "principalType"},
                "azureADOnlyAuthentication": server["entra_only"],
            },
            "id": f"{self._servers.id_of(server)}/administrators/ActiveDirectory",
            "name": "ActiveDirectory",
            "type": TYPE + "/administrators",
        }

    def _only_body(self, server: Document) -> Document:
        return {
            "properties": {"azureADOnlyAuthentication": server["entra_only"]},
            "id": f"{self._servers.id_of(server)}/azureADOnlyAuthentications/Default",
            "name": "Default",
            "type": TYPE + "/azureADOnlyAuthentications",
        }
