"""The checks by name: each is written once and runs with every driver that has what it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.sandbox.sql.conformance.client import Client, Need
from tests.sandbox.sql.conformance.session import Session

Body = Callable[[Session], None]


@dataclass(frozen=True)
class Check:
    name: str
    body: Body
    needs: frozenset[Need] = frozenset()

    def left_out(self, client: type[Client]) -> str | None:
        """Why this driver does not run it; None when it does."""
        if self.name in client.faults:
            return client.faults[self.name]
        return next((client.limits[need] for need in Need if need in self.needs & client.limits.keys()), None)


CHECKS: dict[str, Check] = {}


def add(name: str, body: Body, *needs: Need) -> None:
    assert name not in CHECKS, f"two checks are named {name}"
    CHECKS[name] = Check(name, body, frozenset(needs))


def check(*needs: Need) -> Callable[[Body], Body]:
    """Registers a function under its module's and its own name, with blanks for underscores."""

    def register(body: Body) -> Body:
        topic = body.__module__.rpartition(".")[2]
        add(f"{topic}: {body.__name__.replace('_', ' ')}", body, *needs)
        return body

    return register
