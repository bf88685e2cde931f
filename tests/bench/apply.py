"""How long `apply` takes on a sandbox at the cloud's own pace: against the longest chain of its delays, against a
script of commands that does the provisioning part one after the other, and with nothing to do against its slowest read.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from setup_kit.sandbox.latency import SECONDS
from tests.bench import azure_cli
from tests.bench.figures import Figure
from tests.sandbox.job.harness import Kit

# What the Data Export Service does before it finds a description good: the organization, the secret, a log-in.
TRIAL = ("dataverse.request",) * 3 + ("secret.get",) * 2 + ("sql.login",)

# What must wait for one another: nothing of it can begin before the one above it has ended. The vault's side (create,
# role, secret) runs beside the server's and is shorter. Left out, to the kit's disadvantage: all statements but those
# named, and every read of the kit's but the first ones.
PROVISIONING = (
    "token",  # Resource Manager's
    "export.request",  # the service's challenge, then its token
    "token",
    "export.request",  # the connector; the service asks the organization for the caller's role
    "dataverse.request",
    "resource_group.put",
    "arm.accept",
    "server.create",
    "arm.accept",
    "database.create",
    "sql.login",  # the administrator in the destination
    "sql.batch",  # CREATE USER
    "sql.batch",  # the grants
    "sql.login",  # the export user: the proof
)
CHAIN = (
    *PROVISIONING,
    "export.validate",
    *TRIAL,
    "token",  # the service's own, for the vault
    "export.request",  # create the profile, tried once more
    *TRIAL,
    "export.request",  # activate it
    *("dataverse.request",) * 6,  # the first synchronization: definition, four kinds of options, rows
    *("secret.get",) * 2,
    *("sql.login",) * 2,
    "export.request",  # its status
)

# The provisioning part as it is scripted with one process a step, and what each waits for. To the script's advantage:
# az asks nothing before it writes, looks at long operations without a pause, and every start is as quick as that of the
# command that loads least.
AZ: Mapping[str, Sequence[str]] = {
    "az login": ("token",),
    "az group create": ("resource_group.put",),
    "az sql server create": ("arm.accept", "server.create"),
    "az sql server firewall-rule create, Azure's services": ("firewall_rule.put",),
    "az sql server firewall-rule create, the service": ("firewall_rule.put",),
    "az sql server firewall-rule create, this machine": ("firewall_rule.put",),
    "az sql db create": ("arm.accept", "database.create"),
    "az keyvault create": ("vault.create",),
    "az role assignment create, the operator": ("graph.get", "role_assignment.put"),
    "az keyvault secret set": ("secret.get", "token", "secret.set"),
    "az role assignment create, the service": ("graph.get", "role_assignment.put"),
    "az account get-access-token, for SQL": ("token",),
}
SQLCMD: Mapping[str, Sequence[str]] = {
    "the login, in master": ("sql.login", "sql.batch"),
    "the user and its grants": ("sql.login", "sql.batch"),
    "the proof, as the export user": ("sql.login", "sql.batch"),
}

# What is read of a user that is there: the vault, its challenge, a token, the secret, the log-in, and one after the
# other the queries of the export user's session that the reading of grants takes.
SLOWEST_READ = (
    "token",
    "arm.get",
    "secret.get",
    "token",
    "secret.get",
    "sql.login",
    *("sql.batch",) * 4,
)

STARTS = 5
IDLE = 3


def apply_over_longest_chain() -> list[Figure]:
    chain = _delays(CHAIN)
    with tempfile.TemporaryDirectory(prefix="setup-kit-bench-") as folder:
        kit = Kit(Path(folder), latency=1.0, records=1.0)
        try:
            kit.init("bench", profile__prefix="bench", profile__entities=["team"], profile__relationships=[])
            at, begun = datetime.now(UTC), time.perf_counter()
            kit.apply("bench").succeeded()
            elapsed = time.perf_counter() - begun
            proven = [line["time"] for line in kit.journal("bench") if line.get("resource") == "proof/dataexport"]
            provisioned = (datetime.fromisoformat(proven[-1]) - at).total_seconds()
            idle = statistics.median(_seconds(lambda: kit.apply("bench").succeeded()) for _ in range(IDLE))
        finally:
            kit.close()
    basis = f"{elapsed:.1f} s over {chain:.1f} s of dependent delays"
    return [
        Figure("apply over its longest chain", elapsed / chain, 1.10, "x", basis),
        _over_a_script(provisioned),
        _idle(idle),
    ]


def _delays(operations: Sequence[str]) -> float:
    """Seconds in the cloud."""
    return sum(SECONDS[operation] for operation in operations)


def _over_a_script(provisioned: float) -> Figure:
    """`provisioned`: seconds of `apply` from its start until the export user's log-in is proven."""
    az = azure_cli.start_seconds()
    command = [sys.executable, "-c", "import pyodbc"]
    sqlcmd = statistics.median(
        _seconds(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True)) for _ in range(STARTS)
    )
    delays = sum(_delays(operations) for operations in (*AZ.values(), *SQLCMD.values()))
    starts = len(AZ) * az + len(SQLCMD) * sqlcmd
    script = delays + starts
    least = _delays(PROVISIONING)
    basis = (
        f"{script:.1f} s for {len(AZ)} az commands ({az:.1f} s each to start) and {len(SQLCMD)} of SQL, one after the"
        f" other, over {provisioned:.1f} s; both wait for server and database; beyond those {least:.1f} s the script"
        f" takes {script - least:.1f} s, apply {provisioned - least:.1f} s"
    )
    return Figure("a script of az over apply", script / provisioned, None, "x", basis)


def _idle(elapsed: float) -> Figure:
    slowest = _delays(SLOWEST_READ)
    basis = f"{elapsed:.1f} s over {slowest:.1f} s for the grants alone, sign-ins included"
    return Figure("apply with nothing to do", elapsed / slowest, 2.0, "x", basis)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
