"""What Resource Manager asks of the host when a server, a database or a vault comes or goes."""

from __future__ import annotations

from typing import Protocol


class Listeners(Protocol):
    """Opens and closes the ports behind resources. All of it is idempotent: an operation may be carried out twice."""

    def server_address(self, server: str) -> str:
        """The logical server's fullyQualifiedDomainName, in the driver's `host,port` form; the same for ever."""
        ...

    def vault_address(self, vault: str) -> str:
        """The vault's URI with a slash at its end; the same for ever."""
        ...

    async def open_server(self, server: str) -> None: ...

    async def remove_server(self, server: str) -> None:
        """Close its port and drop its data."""
        ...

    async def create_database(self, server: str, name: str) -> None: ...

    async def drop_database(self, server: str, name: str) -> None: ...

    async def open_vault(self, vault: str) -> None: ...

    async def close_vault(self, vault: str) -> None: ...
