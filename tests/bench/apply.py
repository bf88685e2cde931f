"""How long `apply` takes on a sandbox with the cloud's delays, against the longest chain of delays."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from setup_kit.sandbox.latency import SECONDS
from tests.bench.figures import Figure
from tests.sandbox.job.harness import Kit

# A fifth of the cloud's pace: a server takes 15 seconds, a database 9.
FACTOR = 0.2

# What the Data Export Service does before it finds a description good: the organization, the secret, a log-in.
TRIAL = ("dataverse.request",) * 3 + ("secret.get",) * 2 + ("sql.login",)

# What must wait for one another: nothing of it can begin before the one above it has ended. The vault's side (create,
# role, secret) runs beside the server's and is shorter. Left out, to the kit's disadvantage: all statements but those
# named, and every read of the kit's but the first ones.
CHAIN = (
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


def apply_over_longest_chain() -> list[Figure]:
    chain = sum(SECONDS[operation] for operation in CHAIN) * FACTOR
    with tempfile.TemporaryDirectory(prefix="setup-kit-bench-") as folder:
        kit = Kit(Path(folder), latency=FACTOR)
        try:
            kit.init("bench", profile__prefix="bench", profile__entities=["team"], profile__relationships=[])
            begun = time.perf_counter()
            kit.apply("bench").succeeded()
            elapsed = time.perf_counter() - begun
        finally:
            kit.close()
    basis = f"{elapsed:.1f} s over {chain:.1f} s of dependent delays (the cloud's, times {FACTOR:g})"
    return [Figure("apply over its longest chain", elapsed / chain, 1.25, "x", basis)]
