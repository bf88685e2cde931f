"""Azure Resource Manager: `arm` has its words, `router` who may, `gate` what stops a call nevertheless, `operations`
what takes time; then one module a kind of resource: `groups`, `sql_servers`, `sql_administrators`, `sql_databases`,
`sql_locations`, `firewall_rules`, `vaults`, `vault_secrets`, `authorization`, `governance`.
"""

from __future__ import annotations

from aiohttp import web

from setup_kit.sandbox.entra import Tokens
from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.resource_manager.authorization import Authorization
from setup_kit.sandbox.resource_manager.firewall_rules import FirewallRules
from setup_kit.sandbox.resource_manager.governance import Governance
from setup_kit.sandbox.resource_manager.groups import ResourceGroups
from setup_kit.sandbox.resource_manager.listeners import Listeners
from setup_kit.sandbox.resource_manager.operations import Operations
from setup_kit.sandbox.resource_manager.router import Router
from setup_kit.sandbox.resource_manager.sql_administrators import SqlAdministrators
from setup_kit.sandbox.resource_manager.sql_databases import SqlDatabases
from setup_kit.sandbox.resource_manager.sql_locations import SqlLocations
from setup_kit.sandbox.resource_manager.sql_servers import SqlServers
from setup_kit.sandbox.resource_manager.vault_secrets import VaultSecrets
from setup_kit.sandbox.resource_manager.vaults import Vaults
from setup_kit.sandbox.state import State
from setup_kit.sandbox.tenant import Tenant


class ResourceManager:
    """One subscription of one tenant, at `address`; callers without a token are sent to `sign_in`."""

    def __init__(
        self,
        state: State,
        tenant: Tenant,
        tokens: Tokens,
        latency: Latency,
        subscription: str,
        listeners: Listeners,
        *,
        address: str,
        sign_in: str,
    ) -> None:
        self._operations = Operations(state, latency, f"{address}/subscriptions/{subscription}")
        servers = SqlServers(state, latency, self._operations, listeners, subscription)
        databases = SqlDatabases(state, latency, self._operations, listeners, servers)
        vaults = Vaults(state, latency, self._operations, listeners, subscription)
        contents = [(servers.in_group, servers.remove_group), (vaults.in_group, vaults.remove_group)]
        groups = ResourceGroups(state, latency, self._operations, subscription, tenant.id, contents)
        routes = [
            # First: its routes end with its own words, at whatever scope they begin.
            *Authorization(state, tenant, subscription).routes(),
            *Governance(state, subscription).routes(),
            *groups.routes(),
            *servers.routes(),
            *SqlAdministrators(state, latency, self._operations, servers).routes(),
            *databases.routes(),
            *SqlLocations(state).routes(),
            *FirewallRules(state, servers).routes(),
            *vaults.routes(),
            *VaultSecrets(state, vaults, listeners).routes(),
        ]
        self._router = Router(state, tokens, latency, subscription, sign_in, routes)

    def application(self) -> web.Application:
        app = web.Application(client_max_size=4 * 1024**2)
        app.router.add_route("*", "/{path:.*}", self._router.handle)
        return app

    def resume(self) -> None:
        """Go on with operations that were under way when the sandbox stopped."""
        self._operations.resume()

    async def close(self) -> None:
        await self._operations.close()
