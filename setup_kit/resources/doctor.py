"""Looks for everything that would stop a run: on this machine, on the way to each host, in the environment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from setup_kit.azure.clients import AzureClients
from setup_kit.clouds import HOSTED_DISCOVERY, Cloud
from setup_kit.engine.resource import Finding, Status
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.export_service.client import HISTORY, WAY_OUT, ExportServiceClient
from setup_kit.export_service.organization import OrganizationClient
from setup_kit.export_service.wire import Wire
from setup_kit.identity import Identity
from setup_kit.resources.preflight import Preflight, failure
from setup_kit.resources.sign_in import SignIn
from setup_kit.sqlserver.driver import DriverMissingError, find_driver, load_pyodbc

OLDEST_PYTHON = (3, 11)

_MACHINE = "machine"
_WORKERS = 8


def examine_machine(*, pinned_certificate: bool = False) -> list[Finding]:
    """Python, unixODBC and the ODBC driver. Sends nothing.

    With `pinned_certificate`, as a sandbox has it, only a driver that knows how to pin one will do.
    """
    return [_python(), *_odbc(pinned_certificate)]


def examine(
    environment: Environment,
    cloud: Cloud,
    identity: Identity,
    azure: AzureClients,
    organization: OrganizationClient,
    export_client: ExportServiceClient,
) -> list[Finding]:
    """Everything at once; each failed finding has a remedy. Changes nothing.

    What rests on signing in is skipped where that fails, since each of it would only say so again.
    """
    pinned = cloud.sql_certificate is not None
    findings = [*examine_machine(pinned_certificate=pinned), *_reach(environment, cloud, export_client)]
    signing_in = SignIn(environment, identity)
    try:
        signed_in = signing_in.run()
    except KitError as error:
        signed_in = [failure("sign_in", signing_in.address, error)]
    findings += signed_in
    preflight = Preflight(environment, azure, organization, export_client)
    if any(finding.status is Status.FAILED for finding in signed_in):
        message = "not looked at, because signing in failed"
        return [*findings, Finding("preflight", Status.SKIPPED, preflight.address, message)]
    return [*findings, *_principal(environment, azure), *preflight.run()]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        message = f"Python is {version}; 3.11 or later is needed"
        return Finding("machine.python", Status.FAILED, _MACHINE, message, "install Python 3.11 or later")
    return Finding("machine.python", Status.PASSED, _MACHINE, f"Python {version}")


def _odbc(pinned_certificate: bool) -> Iterator[Finding]:
    try:
        load_pyodbc()
    except DriverMissingError as error:
        yield Finding("machine.libodbc", Status.FAILED, _MACHINE, str(error), f"run: {error.command}")
        return
    yield Finding("machine.libodbc", Status.PASSED, _MACHINE, "the ODBC driver manager is there")
    try:
        driver = find_driver(pinned_certificate=pinned_certificate)
    except DriverMissingError as error:
        yield Finding("machine.driver", Status.FAILED, _MACHINE, str(error), f"run: {error.command}")
        return
    yield Finding("machine.driver", Status.PASSED, _MACHINE, f"ODBC driver for SQL Server: {driver}")


def _reach(environment: Environment, cloud: Cloud, export_client: ExportServiceClient) -> list[Finding]:
    """Whether each host answers anything at all over verified TLS, asked without a token."""
    discovery = export_client.discovery
    hosted = discovery == HOSTED_DISCOVERY
    network = "check the network and its proxy"
    hosts = (
        ("the authority", cloud.authority, network),
        ("Resource Manager", cloud.resource_manager, network),
        ("Microsoft Graph", cloud.graph, network),
        ("the organization", environment.dynamics.organization_url.rstrip("/"), "check dynamics.organization_url"),
        (
            "the Data Export Service",
            discovery,
            WAY_OUT if hosted else "check export_service.discovery, and that the service runs",
        ),
    )
    wire = Wire(cloud)

    def reach(what: str, host: str, remedy: str) -> Finding:
        try:
            wire.send("GET", host + "/")
        except KitError as error:
            why = HISTORY if hosted and host == discovery else error.original
            return Finding("reach", Status.FAILED, host, f"{what} does not answer at {host}: {why}", remedy)
        return Finding("reach", Status.PASSED, host, f"{what} answers")

    try:
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="reach") as pool:
            return list(pool.map(lambda host: reach(*host), hosts))
    finally:
        wire.close()


def _principal(environment: Environment, azure: AzureClients) -> list[Finding]:
    application = environment.export_service.application_id
    address = f"service_principal/{application}"
    try:
        found = azure.graph.service_principal(application)
    except KitError as error:
        return [failure("service_principal", address, error)]
    if found is None:
        message = f"the tenant has no service principal of the export service ({application}): apply adds it"
        remedy = f"this takes a directory role; or have it added: az ad sp create --id {application}"
        return [Finding("service_principal", Status.WARNING, address, message, remedy)]
    return [Finding("service_principal", Status.PASSED, address, "the export service's service principal is there")]
