"""How long the cloud takes, so that a rehearsal can take a fraction of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from setup_kit.sandbox.files import write_private
from setup_kit.sandbox.watched import Watched

LATENCY = "latency.json"

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


# What only reads, signs in or sends data; everything else provisions something.
_DATA = (
    "token", "graph.get", "arm.get", "subscription.get", "secret.get", "sql.login", "sql.batch", "dataverse.request",
    "export.request",
)  # fmt: skip

#: The models by name: how many times the table's seconds an operation takes.
MODELS: dict[str, Mapping[str, float]] = {
    "none": dict.fromkeys(SECONDS, 0.0),
    "cloud": dict.fromkeys(SECONDS, 1.0),
    # An estimate: provisioning in a region under load takes about three times as long, what reads hardly longer.
    "busy": {operation: 1.0 if operation in _DATA else 3.0 for operation in SECONDS},
}


@dataclass(frozen=True)
class Pace:
    """A model and how it is scaled: 1.0 is the cloud's own pace, 0.0 no delay at all."""

    model: str = "cloud"
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ValueError(f"there is no latency model {self.model!r}; there are {', '.join(MODELS)}")
        if self.scale < 0:
            raise ValueError("the latency factor is not negative")

    @property
    def factor(self) -> float:
        """How many of the cloud's seconds one of them is."""
        return 0.0 if self.model == "none" else self.scale

    def seconds(self, operation: str) -> float:
        """Seconds that `operation` takes; an operation that the table does not name is a KeyError."""
        return SECONDS[operation] * MODELS[self.model][operation] * self.scale


def set_pace(directory: Path, pace: Pace) -> None:
    """Set the pace of the sandbox in `directory`; one that runs takes it up with its next request."""
    write_private(directory / LATENCY, (json.dumps(asdict(pace)) + "\n").encode())


def pace_of(directory: Path) -> Pace:
    """The pace of the sandbox in `directory`."""
    return _watched(directory).now()


def _watched(directory: Path) -> Watched[Pace]:
    return Watched(directory / LATENCY, lambda data: Pace(**json.loads(data)), Pace("none"))


class Latency:
    """How long operations take: at a pace that is fixed, or at the one that a sandbox's directory says."""

    def __init__(self, factor: float = 0.0, directory: Path | None = None) -> None:
        """`factor` times the real cloud's durations, or what is set in `directory`, when that is given."""
        fixed = Pace("cloud", factor)
        watched = _watched(directory) if directory is not None else None
        self._pace: Callable[[], Pace] = watched.now if watched is not None else lambda: fixed

    def seconds(self, operation: str) -> float:
        """Seconds to wait for `operation`; an operation that the table does not name is a KeyError."""
        return self._pace().seconds(operation)

    def retry_after(self, seconds: float) -> dict[str, str]:
        """The header that says what the real cloud says with `Retry-After: <seconds>`, at this pace.

        A fraction of a second goes into `retry-after-ms`, which azure-core reads too: azure-mgmt-sql takes
        `Retry-After` for a whole number, and azure-core takes 0 for none at all and then waits 30 seconds.
        """
        scaled = seconds * self._pace().factor
        if scaled >= 1 and scaled == int(scaled):
            return {"Retry-After": str(int(scaled))}
        return {"retry-after-ms": str(max(round(scaled * 1000), 1))}
