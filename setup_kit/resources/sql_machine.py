"""SQL Server on a virtual machine: not made by the kit, but looked at as closely as what is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from setup_kit.clouds import Cloud
from setup_kit.engine.resource import Change, Finding, Node, Removal, Resource, Status
from setup_kit.environment.models import Machine
from setup_kit.errors import KitError
from setup_kit.sqlserver.connection import SqlAddress
from setup_kit.sqlserver.encryption import CertificateRefused, NotEncrypted, NotSqlServer, Seen, look

# SQL Server 2016: the first with the database scoped configuration that MAXDOP is, and with DROP … IF EXISTS.
OLDEST = (13, 0)
# The marketing name of each major version, for people.
YEARS = {9: "2005", 10: "2008", 11: "2012", 12: "2014", 13: "2016", 14: "2017", 15: "2019", 16: "2022", 17: "2025"}
SOON = timedelta(days=30)


@dataclass(frozen=True)
class MachineState:
    """`fqdn`: host and port, in the form in which a logical server tells its own; `seen`: see there."""

    fqdn: str
    seen: Seen

    @property
    def version(self) -> str:
        return version_of(self.seen)


class SqlMachine(Resource[MachineState]):
    """Read without signing in: who may not sign in sees from here that the machine is the right one."""

    kind = "sql_machine"

    def __init__(self, machine: Machine, cloud: Cloud, *, needs: Iterable[Node] = ()) -> None:
        super().__init__(str(machine), needs=needs)
        self._machine = machine
        self._cloud = cloud

    def read(self) -> MachineState:
        return MachineState(self.name, looked_at(self._machine, self._cloud))

    def diff(self, observed: MachineState | None) -> list[Change]:
        return []

    def apply(self, change: Change) -> MachineState:
        raise ValueError(f"{self.address} is not changed by setup-kit")

    def evidence(self, observed: MachineState) -> str:
        seen = observed.seen
        return f"{observed.version}, its certificate is for this host and trusted until {seen.expires:%Y-%m-%d}"

    def audit(self, observed: MachineState) -> list[Finding]:
        left = observed.seen.expires - datetime.now(UTC)
        if left > SOON:
            return []
        message = f"the certificate of SQL Server ends on {observed.seen.expires:%Y-%m-%d}; nobody can connect then"
        remedy = f"renew it: {certificate_rules(self.name.partition(',')[0])}"
        evidence = f"notAfter: {observed.seen.expires:%Y-%m-%d}"
        return [Finding("sql_machine.certificate", Status.WARNING, self.address, message, remedy, evidence)]

    def removal(self, observed: MachineState) -> Removal:
        return Removal(kept="the machine was not made by setup-kit")

    def delete(self, observed: MachineState) -> None:
        """Leaves the machine, which is not the kit's."""


def looked_at(machine: Machine, cloud: Cloud) -> Seen:
    """What SQL Server shows of itself. Raises KitError where it is not to be worked with, saying what would help."""
    what = f"SQL Server at {machine} cannot be used"
    try:
        seen = look(SqlAddress(machine.host, machine.port), ca_file=cloud.ca_file)
    except CertificateRefused as refusal:
        named = f"; it is for {', '.join(refusal.names)}" if refusal.names else ""
        why = f"its certificate is refused: {refusal.reason}{named}"
        raise KitError(what, why=why, remedy=certificate_rules(machine.host)) from refusal
    except NotEncrypted as refusal:
        raise KitError(what, why=str(refusal), remedy=certificate_rules(machine.host)) from refusal
    except NotSqlServer as refusal:
        raise KitError(what, why=str(refusal), remedy="see that sql.machine names the port of SQL Server") from refusal
    except OSError as error:
        why = f"{machine.host}, port {machine.port}, is not reached from here"
        raise KitError(what, why=why, remedy=REACH, original=error.strerror or str(error)) from error
    if seen.version < OLDEST:
        raise KitError(
            what,
            why=f"it is {version_of(seen)}, and 2016 (13.0) is the oldest whose databases have the options set here",
            remedy="upgrade it, or name another sql.machine",
        )
    return seen


REACH = (
    "see that sql.machine is right; that SQL Server listens there (SQL Server Configuration Manager: TCP/IP enabled,"
    " the port under IPAll); and that the machine's network security group and its own firewall let this machine and"
    " the export service in (in the portal: SQL connectivity, Public)"
)


def certificate_rules(host: str) -> str:
    """What SQL Server's certificate must be, and where it is put.

    Source: https://learn.microsoft.com/sql/database-engine/configure-windows/certificate-requirements
    """
    return (
        f"give SQL Server a certificate that names {host} as its subject or a subject alternative name, is for server"
        " authentication, and comes from an authority that the export service trusts as well as this machine; import it"
        " with its key into the machine's store (Local Computer, Personal), let SQL Server's account read the key,"
        " choose it in SQL Server Configuration Manager (SQL Server Network Configuration, Protocols, Certificate), and"
        " restart SQL Server; verification is never switched off"
    )


def version_of(seen: Seen) -> str:
    major, minor, build = seen.version
    year = f" {YEARS[major]}" if major in YEARS else ""
    return f"SQL Server{year} ({major}.{minor}.{build})"
