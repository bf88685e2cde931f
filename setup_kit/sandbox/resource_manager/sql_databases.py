"""Microsoft.Sql/servers/databases."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.resource_manager.arm import Answer, ArmError, Call, Route, not_found, tags_of
from setup_kit.sandbox.resource_manager.listeners import Listeners
from setup_kit.sandbox.resource_manager.operations import Operations
from setup_kit.sandbox.resource_manager.sql_servers import DATABASES, SERVER, TYPE, SqlServers
from setup_kit.sandbox.resource_manager.sql_tiers import size_of, tier_of
from setup_kit.sandbox.state import Document, State

DATABASE_TYPE = TYPE + "/databases"
# Azure's naming rules: neither may hold one of these, nor end with a dot (nor, for a database, a blank).
FORBIDDEN = re.compile(r"[<>*%&:\\/?]")
RESERVED = frozenset(["master", "model", "msdb", "tempdb", "resource"])


class SqlDatabases:
    def __init__(
        self, state: State, latency: Latency, operations: Operations, listeners: Listeners, servers: SqlServers
    ) -> None:
        self._state = state
        self._latency = latency
        self._operations = operations
        self._listeners = listeners
        self._servers = servers
        operations.effect("database.put", self._stored)
        operations.effect("database.delete", self._removed)

    def routes(self) -> list[Route]:
        database = SERVER + "/databases/{database}"
        return [
            Route("GET", SERVER + "/databases", DATABASE_TYPE + "/read", "arm.get", self._list),
            Route("GET", database, DATABASE_TYPE + "/read", "arm.get", self._get),
            Route("PUT", database, DATABASE_TYPE + "/write", "arm.accept", self._put),
            Route("PATCH", database, DATABASE_TYPE + "/write", "arm.accept", self._patch),
            Route("DELETE", database, DATABASE_TYPE + "/delete", "arm.accept", self._delete),
        ]

    def _body(self, server: Document, database: Document) -> Document:
        identifier = f"{self._servers.id_of(server)}/databases/{database['name']}"
        common: Document = {"location": server["location"], "id": identifier, "name": database["name"]}
        if database["name"] == "master":
            properties = {"collation": "SQL_Latin1_General_CP1_CI_AS", "maxSizeBytes": 32212254720, "status": "Online"}
            objective = {"currentServiceObjectiveName": "System0", "requestedServiceObjectiveName": "System0"}
            return {
                **common,
                "type": DATABASE_TYPE,
                "kind": "v12.0,system",
                "sku": {"name": "System", "tier": "System", "capacity": 0},
                "properties": {**properties, **objective},
            }
        tier = tier_of(database["sku"])
        return {
            **common,
            "type": DATABASE_TYPE,
            "kind": "v12.0,user" + (",vcore" if "family" in tier.sku else ""),
            "sku": tier.sku,
            "tags": database["tags"],
            "properties": {
                "collation": database["collation"],
                "maxSizeBytes": database["size"],
                "status": "Online",
                "databaseId": database["id"],
                "creationDate": database["created"],
                "currentServiceObjectiveName": tier.objective,
                "requestedServiceObjectiveName": tier.objective,
                "currentSku": tier.sku,
                "catalogCollation": "SQL_Latin1_General_CP1_CI_AS",
                "zoneRedundant": False,
                "readScale": "Enabled" if tier.sku["tier"] in ("Premium", "BusinessCritical") else "Disabled",
                "requestedBackupStorageRedundancy": "Geo",
                "currentBackupStorageRedundancy": "Geo",
                "isLedgerOn": False,
            },
        }

    def _key(self, call: Call) -> str:
        return f"{call.name('server').lower()}/{call.name('database').lower()}"

    def _find(self, call: Call) -> tuple[Document, Document]:
        server = self._servers.find_parent(call, "read", DATABASE_TYPE)
        database = self._state.get(DATABASES, self._key(call))
        if database is None:
            raise not_found(call.group, DATABASE_TYPE, f"{server['name']}/{call.name('database')}")
        return server, database

    async def _list(self, call: Call) -> Answer:
        server = self._servers.find_parent(call, "read", DATABASE_TYPE)
        found = self._state.list(DATABASES, f"{server['name']}/")
        return Answer(200, {"value": [self._body(server, database) for _, database in found]})

    async def _get(self, call: Call) -> Answer:
        return Answer(200, self._body(*self._find(call)))

    async def _put(self, call: Call) -> Answer:
        name = call.name("database")
        server = self._servers.find_parent(call, "write", DATABASE_TYPE)
        if name.lower() in RESERVED:
            raise ArmError(400, "40636", f"Cannot use reserved database name '{name}' in this operation.")
        if not 1 <= len(name) <= 128 or FORBIDDEN.search(name) or name[-1] in ". " or name[0] == " ":
            raise ArmError(
                400,
                "InvalidDatabaseName",
                f"The database name '{name}' is not valid: it has 1 to 128 characters, none of <>*%&:\\/? among them,"
                " and does not end with a period or a blank.",
            )
        if call.properties.get("createMode", "Default") != "Default":
            mode = call.properties["createMode"]
            raise ArmError(501, "NotImplementedInSandbox", f"The sandbox does not know createMode {mode}.")
        kept = self._state.get(DATABASES, self._key(call))
        tags = tags_of(call.body) if "tags" in call.body or kept is None else kept["tags"]
        return await self._write(call, server, kept, tags)

    async def _patch(self, call: Call) -> Answer:
        server, kept = self._find(call)
        if kept["name"] == "master":
            raise ArmError(400, "40636", "Cannot use reserved database name 'master' in this operation.")
        return await self._write(call, server, kept, tags_of(call.body) if "tags" in call.body else kept["tags"])

    async def _write(self, call: Call, server: Document, kept: Document | None, tags: dict[str, str]) -> Answer:
        name = call.name("database")
        if self._operations.running(f"database/{self._key(call)}"):
            raise ArmError(400, "45505", f"An upsert operation is already in progress for the database '{name}'.")
        sku = call.body.get("sku") or (kept["sku"] if kept else None)
        tier = tier_of(sku)
        asked = call.properties.get("maxSizeBytes")
        if asked is None and kept is not None and kept["size"] <= tier.largest_size:
            asked = kept["size"]
        collation = call.properties.get("collation")
        if kept is not None and collation and collation != kept["collation"]:
            raise ArmError(400, "InvalidParameterValue", "The collation of a database cannot be changed.")
        database: Document = {
            "name": kept["name"] if kept else name,
            "tags": tags,
            "sku": tier.sku,
            "size": size_of(tier, asked),
            "collation": collation or (kept["collation"] if kept else "SQL_Latin1_General_CP1_CI_AS"),
            "id": kept["id"] if kept else str(uuid.uuid4()),
            "created": kept["created"] if kept else datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        started = await self._operations.start(
            "UpdateLogicalDatabase" if kept else "CreateLogicalDatabase",
            "database.put",
            {"server": server["name"], "database": database},
            target=f"database/{self._key(call)}",
            seconds=self._latency.seconds("database.update" if kept else "database.create"),
        )
        return self._operations.accepted(started, call, "database", server["location"], 15)

    async def _stored(self, arguments: Document) -> None:
        server, database = arguments["server"], arguments["database"]
        await self._listeners.create_database(server, database["name"])
        self._state.put(DATABASES, f"{server}/{database['name'].lower()}", database)

    async def _delete(self, call: Call) -> Answer:
        server = self._servers.find_parent(call, "delete", DATABASE_TYPE)
        database = self._state.get(DATABASES, self._key(call))
        if database is None:
            return Answer(204)
        if database["name"] == "master":
            raise ArmError(400, "40636", "Cannot use reserved database name 'master' in this operation.")
        started = await self._operations.start(
            "DropLogicalDatabase",
            "database.delete",
            {"server": server["name"], "database": database["name"]},
            target=f"database/{self._key(call)}",
            seconds=self._latency.seconds("database.delete"),
        )
        return self._operations.accepted(started, call, "database", server["location"], 15)

    async def _removed(self, arguments: Document) -> None:
        server, name = arguments["server"], arguments["database"]
        self._state.delete(DATABASES, f"{server}/{name.lower()}")
        await self._listeners.drop_database(server, name)
