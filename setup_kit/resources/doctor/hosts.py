"""The way to the vault and to the SQL server, which have their hosts once they are made."""

from __future__ import annotations

import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from setup_kit.clouds import Cloud
from setup_kit.engine.resource import Check, Finding, Node, Status
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.export_service.wire import Wire
from setup_kit.resources.doctor.network import Obstacle, Stage, connection, diagnosis, known_name, proxy_for
from setup_kit.resources.doctor.outlook import Outlook
from setup_kit.sqlserver.connection_string import SqlAddress

# "Azure SQL connectivity architecture": from within Azure, clients are redirected from the gateway to the node.
_REDIRECTED = "from within Azure, also on TCP ports 11000 to 11999 of the region's SQL addresses"
_STALE = "delete the stale record of the private DNS zone or hosts file that answers for it"


class OwnHosts(Check):
    kind = "own_hosts"

    def __init__(self, environment: Environment, cloud: Cloud, outlook: Outlook, *, needs: Iterable[Node] = ()) -> None:
        super().__init__(environment.resource_group, needs=needs)
        self._environment = environment
        self._cloud = cloud
        self._outlook = outlook

    def run(self) -> list[Finding]:
        # The way to a machine is looked at with the rest of it, before a run too.
        return [self._vault(), *([self._server()] if self._environment.sql.machine is None else [])]

    def _vault(self) -> Finding:
        name = self._environment.key_vault.name
        address = f"key_vault/{name}"
        found = self._outlook.vault()
        if found is None or not found.ready:
            host = f"{name}{self._cloud.vault_suffix}" if self._cloud.vault_suffix else ""
            return _absent(address, f"the vault {name}", host, "HTTPS, TCP port 443")
        url = found.uri.rstrip("/")
        wire = Wire(self._cloud)
        asked = time.monotonic()
        try:
            answer = wire.send("GET", url + "/")
        except KitError as error:
            way = diagnosis(url, self._cloud.ca_file, error.original)
            message = f"the vault {name} does not answer at {url}: {way.why}"
            return Finding(f"own_hosts.{way.stage}", Status.FAILED, address, message, way.remedy, way.evidence)
        finally:
            wire.close()
        evidence = f"{url}: HTTP {answer.status} after {(time.monotonic() - asked) * 1000:.0f} ms"
        proxy = proxy_for(url)
        if proxy is not None:
            evidence += f", through the proxy of {proxy.shown}"
        return Finding("own_hosts", Status.PASSED, address, f"the vault {name} answers", evidence=evidence)

    def _server(self) -> Finding:
        name = self._environment.sql.address
        address = f"sql_server/{name}"
        found = self._outlook.server()
        if found is None or not found.fqdn:
            host = f"{name}.{urlsplit(self._cloud.sql_audience).hostname}" if self._cloud.vault_suffix else ""
            return _absent(address, f"the SQL server {name}", host, "TCP port 1433")
        where = SqlAddress.parse(found.fqdn)
        asked = time.monotonic()
        way = connection(where.host, where.port)
        if isinstance(way, Obstacle):
            message = f"the SQL server {name} is not reached at {where.host}: {way.why}"
            remedy = way.remedy
            if way.stage is Stage.TCP:
                port = f"TCP port {where.port}, which no HTTPS proxy does; {_REDIRECTED}"
                remedy = f"let this machine reach {where.host} on {port}"
            return Finding(f"own_hosts.{way.stage}", Status.FAILED, address, message, remedy, way.evidence)
        with way:
            peer = way.getpeername()[0]
        milliseconds = (time.monotonic() - asked) * 1000
        message = f"the SQL server {name} takes connections"
        evidence = f"{where.host}: {peer} port {where.port} after {milliseconds:.0f} ms; {_REDIRECTED}"
        return Finding("own_hosts", Status.PASSED, address, message, evidence=evidence)


def _absent(address: str, what: str, host: str, way: str) -> Finding:
    """`host` is the name that it will have; empty where that is not known."""
    if host and known_name(host):
        message = f"{what} is not there, and yet its name {host} is known: what is made would not be found under it"
        evidence = f"{host} is found by this machine's DNS"
        return Finding("own_hosts.stale", Status.WARNING, address, message, _STALE, evidence)
    message = f"not known whether this machine reaches {what}, which is still to be made"
    evidence = f"{host} has no address yet" if host else "it has no address yet"
    return Finding(
        "own_hosts", Status.SKIPPED, address, message, f"see that this machine may go out by {way}", evidence
    )
