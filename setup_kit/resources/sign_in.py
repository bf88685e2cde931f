"""Proves that somebody is signed in, to the tenant that the environment file names."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from setup_kit.engine.resource import Check, Finding, Status
from setup_kit.environment.models import Environment
from setup_kit.identity import Identity


class SignIn(Check):
    """Raises KitError, with the authority's own words, when no token is given out."""

    kind = "sign_in"
    first = True
    before_removal = True

    def __init__(
        self, environment: Environment, identity: Identity, *, meanwhile: Iterable[Callable[[], None]] = ()
    ) -> None:
        """`meanwhile` begins what the run will need and need not wait for the sign-in to end; each returns at once."""
        super().__init__(str(environment.tenant))
        self._identity = identity
        self._meanwhile = tuple(meanwhile)

    def run(self) -> list[Finding]:
        for begin in self._meanwhile:
            begin()
        caller = self._identity.caller()
        if caller.tenant_id.lower() != self.name:
            return [
                Finding(
                    "sign_in.tenant",
                    Status.FAILED,
                    self.address,
                    f"signed in to tenant {caller.tenant_id}, but the environment file says {self.name}",
                    remedy=f"sign in to the right one: az login --tenant {self.name}; or correct 'tenant'",
                    evidence=f"tid claim {caller.tenant_id}; wanted: {self.name}",
                )
            ]
        message = f"signed in as {caller.name} (object id {caller.object_id}) to tenant {caller.tenant_id}"
        evidence = f"tid claim {caller.tenant_id}"
        return [Finding("sign_in", Status.PASSED, self.address, message, evidence=evidence)]
