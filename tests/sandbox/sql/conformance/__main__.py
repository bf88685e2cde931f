"""Tells for each driver set-up how many checks it runs, and which are left out for what reason."""

from __future__ import annotations

import sys
from collections import defaultdict

from tests.sandbox.sql.conformance.catalogue import CHECKS
from tests.sandbox.sql.conformance.client import Client
from tests.sandbox.sql.conformance.clients import CLIENTS


def told(client: type[Client]) -> str:
    left_out: dict[str, list[str]] = defaultdict(list)
    for check in CHECKS.values():
        reason = check.left_out(client)
        if reason is not None:
            left_out[reason].append(check.name)
    number = len(CHECKS) - sum(map(len, left_out.values()))
    lines = [f"{client.name}: {number} of {len(CHECKS)} checks"]
    for reason, names in left_out.items():
        shown = names[0] if len(names) == 1 else f"{len(names)} checks, {names[0]} and others"
        lines.append(f"  without {shown}: {reason}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write("\n".join(map(told, CLIENTS.values())) + "\n")
