"""How many requests a full `apply` sends, against the fewest that could do it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure
from tests.sandbox.job.faulting import provision
from tests.sandbox.job.harness import Kit

# Nothing of it can be left out of a run that knows nothing beforehand: neither who serves what, nor what is there.
FEWEST: Mapping[str, int] = {
    "the authority's description": 1,
    "a token for each audience: Resource Manager, Graph, vault, SQL, organization, service": 6,
    "the service: its challenge, its connector, whether it admits the caller, what it exports": 4,
    "the privacy terms: asked for, accepted": 2,
    "the organization: which it is, its version": 2,
    "the directory: the service's principal, to which the vault's role is given": 1,
    "two resource providers: asked for, registered": 4,
    "the resource group: asked for, made": 2,
    "the server: asked for, its name free, made, followed to its end, read with its address": 5,
    "the database: made, followed to its end, read": 3,
    "the firewall: Azure's services, the service's region, this machine, and this machine no longer": 4,
    "the vault: asked for, not among the deleted, its name free, made, read when its name is known": 5,
    "the operator's role at the vault: the roles that are there, the one that is missing": 2,
    "the service's role at the secret": 1,
    "the secret: its challenge, asked for, written, read again for the proof": 4,
    "the profile: listed, validated, created, activated": 4,
    "the first synchronization: looked at once while it goes on, once when it is done": 2,
    "the rows at their source: the table's name there, the count": 2,
}

# The vault's challenge comes before any token, so that the log cannot tell whose it was.
CHALLENGE = 1


def requests_over_the_fewest() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="setup-kit-bench-") as folder:
        kit = Kit(Path(folder))
        try:
            # The first run in a sandbox has the service sign in too, whose requests for tokens look alike.
            provision(kit, "first").succeeded()
            before = len(kit.requests())
            provision(kit, "counted").succeeded()
            sent = own(kit.requests()[before:], kit.document["client_id"]) + CHALLENGE
        finally:
            kit.close()
    fewest = sum(FEWEST.values())
    basis = f"{sent} over HTTPS for a full apply, {fewest} at the fewest (written out in tests/bench/requests.py)"
    return [Figure("requests over the fewest", sent / fewest, 1.3, "x", basis)]


def own(log: Sequence[Mapping[str, Any]], client: str) -> int:
    """Lines of what the kit sent: as its application, for a token, or to be told whom to ask for one."""
    return sum(
        line["caller"] == client
        or line["part"] == "entra"
        or (line["part"] == "export-service" and line["caller"] == "")
        for line in log
    )
