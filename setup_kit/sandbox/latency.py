"""How long the cloud takes, so that a rehearsal can take a fraction of it."""

from __future__ import annotations

# Seconds of the real world. SQL servers take one to two minutes, databases about one, vaults up to half (Azure's own
# pages); the rest is estimated from published recordings, whose pollers waited about so long.
SECONDS: dict[str, float] = {
    "token": 0.3,
    "graph.get": 0.2,
    "graph.write": 0.5,
    "arm.get": 0.2,
    "arm.accept": 0.5,  # the 202 of an asynchronous operation, before its own duration begins
    "subscription.get": 0.2,
    "provider.register": 10,
    "resource_group.put": 1,
    "resource_group.delete": 30,
    "server.create": 75,
    "server.update": 10,
    "server.delete": 10,
    "server.administrator": 5,
    "database.create": 45,
    "database.update": 15,
    "database.delete": 5,
    "firewall_rule.put": 2,
    "firewall_rule.delete": 1,
    "vault.create": 20,
    "vault.update": 2,
    "vault.delete": 3,
    "vault.purge": 15,
    "role_assignment.put": 2,
    "role_assignment.delete": 1,
    "secret.set": 0.3,
    "secret.get": 0.15,
    "secret.delete": 0.3,
    "secret.settle": 8,  # from a secret's deletion until it can be recovered or purged
    "sql.login": 0.4,
    "sql.batch": 0.05,
    "dataverse.request": 0.2,
    "export.request": 0.3,
    "export.validate": 8,
}


class Latency:
    """The table above times a factor: 1.0 is the cloud's own pace, 0.0 no delay at all."""

    def __init__(self, factor: float = 0.0) -> None:
        if factor < 0:
            raise ValueError("the latency factor is not negative")
        self.factor = factor

    def seconds(self, operation: str) -> float:
        """Seconds to wait for `operation`; an operation that the table does not name is a KeyError."""
        return SECONDS[operation] * self.factor

    def retry_after(self, seconds: float) -> dict[str, str]:
        """The header that says what the real cloud says with `Retry-After: <seconds>`, at this pace.

        A fraction of a second goes into `retry-after-ms`, which azure-core reads too: azure-mgmt-sql takes
        `Retry-After` for a whole number, and azure-core takes 0 for none at all and then waits 30 seconds.
        """
        scaled = seconds * self.factor
        if scaled >= 1 and scaled == int(scaled):
            return {"Retry-After": str(int(scaled))}
        return {"retry-after-ms": str(max(round(scaled * 1000), 1))}
