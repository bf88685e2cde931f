"""The parts of the local cloud, put together: which applications there are, and the ports that come and go."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path
from typing import Any

from aiohttp import web

from setup_kit import service
from setup_kit.sandbox import dataverse, entra_api, graph
from setup_kit.sandbox.certificates import Certificates
from setup_kit.sandbox.entra import Tokens
from setup_kit.sandbox.faults import Faults
from setup_kit.sandbox.faulty import Faulty
from setup_kit.sandbox.founding import LOCATION, SERVICE_ADDRESS, SERVICE_REGION, Foundation
from setup_kit.sandbox.key_vault.api import application as vault_application
from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.logical_server import LogicalServer
from setup_kit.sandbox.ports import HOST, Ports, PortTaken
from setup_kit.sandbox.process import ORGANIZATION_FILE
from setup_kit.sandbox.requests import RequestLog
from setup_kit.sandbox.resource_manager import ResourceManager
from setup_kit.sandbox.resource_manager.sql_servers import DATABASES, SERVERS
from setup_kit.sandbox.resource_manager.vaults import VAULTS
from setup_kit.sandbox.sql import SqlEndpoint
from setup_kit.sandbox.sql_machine import ADMINISTRATOR, SqlMachine
from setup_kit.sandbox.state import State
from setup_kit.sandbox.tenant import (
    GRAPH_AUDIENCE,
    RESOURCE_MANAGER_AUDIENCE,
    SERVICE_APP_ID,
    SERVICE_AUDIENCE,
    SQL_ADMINISTRATORS,
    SQL_AUDIENCE,
    VAULT_AUDIENCE,
    Tenant,
)
from setup_kit.sandbox.web import Site, slow
from setup_kit.secret import Secret

logger = logging.getLogger(__name__)

ORGANIZATION = "Contoso"


class Cloud:
    """Everything that listens. It is the Listeners of Resource Manager."""

    def __init__(
        self,
        directory: Path,
        state: State,
        foundation: Foundation,
        certificates: Certificates,
        ports: Ports,
        latency: Latency,
        log: RequestLog,
        faults: Faults,
        records: float,
    ) -> None:
        self._directory = directory
        self._state = state
        self._foundation = foundation
        self._certificates = certificates
        self._ports = ports
        self._latency = latency
        self._log = log
        self._faults = faults
        self._records = records
        self._tls = certificates.context()
        self._sites: list[Site] = []
        self._vaults: dict[str, Site] = {}
        self._servers: set[str] = set()
        # In this order, so that `--port-base` numbers them alike in every sandbox.
        self.authority, self.resource_manager, self.graph, self.organization, self.discovery = (
            f"https://{HOST}:{ports.of(part)}"
            for part in ("authority", "resource-manager", "graph", "organization", "discovery")
        )
        ports.of("machine")
        self._machine = SqlMachine(state)
        self._tenant = Tenant(state, foundation.tenant_id)
        self._tokens = Tokens(state, self._tenant, self.authority)
        self._sql = SqlEndpoint(
            directory / "sql",
            certificates.context(),
            lambda token: self._tokens.check(token, SQL_AUDIENCE),
            log,
            latency,
            SERVICE_ADDRESS,
            f"{self.authority}/{foundation.tenant_id}",
            faults,
        )
        self._manager = ResourceManager(
            state,
            self._tenant,
            self._tokens,
            latency,
            foundation.subscription_id,
            self,
            address=self.resource_manager,
            sign_in=f"{self.authority}/{foundation.tenant_id}",
        )

    async def start(self) -> None:
        """Open every port. Raises PortTaken when another process has one of them."""
        await self._serve("entra", "authority", self._entra())
        await self._serve("resource-manager", "resource-manager", self._manager.application())
        await self._serve("graph", "graph", graph.application(self._tenant, self._tokens, self._latency))
        for name, _ in self._state.list(SERVERS):
            await self.open_server(name)
        await self._open_machine()
        for name, vault in self._state.list(VAULTS):
            if vault["state"] == "Succeeded":
                await self.open_vault(name)
        self._manager.resume()
        await self._serve("dataverse", "organization", self._dataverse())
        # Last, because it calls the others, and so stopped first.
        await self._serve("export-service", "discovery", self._export_service())

    async def stop(self) -> None:
        await self._manager.close()
        for site in reversed(self._sites):
            await site.stop()
        await asyncio.gather(*(site.stop() for site in self._vaults.values()))
        await self._sql.close()

    def document(self) -> dict[str, Any]:
        """What sandbox.json says, but for the process."""
        foundation = self._foundation
        application = self._tenant.application(foundation.client_id) or {}
        return {
            "directory": str(self._directory),
            "authority": self.authority,
            "resource_manager": self.resource_manager,
            "resource_manager_audience": RESOURCE_MANAGER_AUDIENCE,
            "graph": self.graph,
            "graph_audience": GRAPH_AUDIENCE,
            "vault_audience": VAULT_AUDIENCE,
            "sql_audience": SQL_AUDIENCE,
            "discovery": self.discovery,
            "organization": {
                "name": ORGANIZATION,
                "url": self.organization,
                "id": foundation.organization_id,
            },
            "tenant_id": foundation.tenant_id,
            "subscription_id": foundation.subscription_id,
            "location": LOCATION,
            "client_id": foundation.client_id,
            "client_secret": application["secret"],
            "object_id": foundation.object_id,
            "sql_machine": {
                "host": HOST,
                "port": self._ports.of("machine"),
                "administrator": ADMINISTRATOR,
                "password": self._machine.password,
            },
            "sql_administrators": {"name": SQL_ADMINISTRATORS, "object_id": foundation.sql_administrators},
            "ca_file": str(self._certificates.authority),
            "sql_certificate": str(self._certificates.server),
            "service_region": SERVICE_REGION,
        }

    async def _open_machine(self) -> None:
        port = self._ports.of("machine")
        try:
            await self._sql.start_server(self._machine, port)
        except OSError as error:
            raise PortTaken(f"port {port}, where SQL Server on a machine answers, is in use: {error}") from error

    def server_address(self, server: str) -> str:
        return f"{HOST},{self._ports.of(f'server/{server}')}"

    def vault_address(self, vault: str) -> str:
        return f"https://{HOST}:{self._ports.of(f'vault/{vault.lower()}')}/"

    async def open_server(self, server: str) -> None:
        if server in self._servers:
            return
        port = self._ports.of(f"server/{server}")
        try:
            await self._sql.start_server(LogicalServer(self._state, self._tenant, server), port)
        except OSError as error:
            raise PortTaken(f"port {port}, where the server {server} answers, is in use: {error}") from error
        self._servers.add(server)
        for _, database in self._state.list(DATABASES, f"{server}/"):
            await self.create_database(server, database["name"])

    async def remove_server(self, server: str) -> None:
        self._servers.discard(server)
        await self._sql.stop_server(server)
        # The endpoint keeps a stopped server's data, for the next start; a deleted server leaves none.
        await asyncio.to_thread(shutil.rmtree, self._directory / "sql" / server, ignore_errors=True)

    async def create_database(self, server: str, name: str) -> None:
        await asyncio.to_thread(self._sql.create_database, server, name)

    async def drop_database(self, server: str, name: str) -> None:
        await asyncio.to_thread(self._sql.drop_database, server, name)

    async def open_vault(self, vault: str) -> None:
        if vault in self._vaults:
            return
        application = vault_application(
            self._state,
            self._tokens,
            self._latency,
            self._foundation.subscription_id,
            self.authority,
            self.vault_address(vault),
            vault,
        )
        site = self._site("key-vault", application)
        await site.start(self._ports.of(f"vault/{vault}"), self._tls)
        self._vaults[vault] = site

    async def close_vault(self, vault: str) -> None:
        site = self._vaults.pop(vault, None)
        if site is not None:
            await site.stop()

    async def _serve(self, part: str, name: str, application: web.Application) -> None:
        site = self._site(part, application)
        await site.start(self._ports.of(name), self._tls)
        self._sites.append(site)

    def _site(self, part: str, application: web.Application) -> Site:
        faulty = Faulty(part, self._faults, self._state, self._tenant, self._tokens)
        return Site(part, application, self._log, self._tokens, faulty.middleware)

    def _entra(self) -> web.Application:
        return entra_api.application(
            self._state, self._tenant, self._tokens, self.authority, self.organization, self._latency
        )

    def _dataverse(self) -> web.Application:
        organization = dataverse.Organization(
            name=ORGANIZATION,
            url=self.organization,
            id=self._foundation.organization_id,
            tenant_id=self._foundation.tenant_id,
            administrators=frozenset({self._foundation.object_id}),
            applications=frozenset({SERVICE_APP_ID}),
            records=self._records,
        )
        application = dataverse.application(
            organization,
            self._directory / ORGANIZATION_FILE,
            lambda token: self._tokens.check(token, self.organization),
        )
        application.middlewares.insert(0, slow(self._latency, "dataverse.request"))
        return application

    def _export_service(self) -> web.Application:
        kept = self._tenant.application(SERVICE_APP_ID) or {}
        settings = service.Settings(
            authority=self.authority,
            tenant_id=self._foundation.tenant_id,
            audience=SERVICE_AUDIENCE,
            client_id=SERVICE_APP_ID,
            client_secret=Secret(kept["secret"]),
            connector_url=self.discovery,
            organizations={self._foundation.organization_id: self.organization},
            region=SERVICE_REGION,
            state_directory=self._directory / "service",
            ca_file=self._certificates.authority,
            sql_certificate=self._certificates.server,
        )
        application = service.application(settings)
        application.middlewares.insert(0, slow(self._latency, "export.request", {"/validate": "export.validate"}))
        return application
