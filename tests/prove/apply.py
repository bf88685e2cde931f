"""SIGKILL at each boundary of a full `apply`; a second run must end like an undisturbed one."""

from __future__ import annotations

from typing import Any

from tests.prove.boundaries import boundaries_of, killed
from tests.prove.sandboxes import sandboxes
from tests.sandbox.job.end_state import end_state
from tests.sandbox.job.harness import Kit
from tests.sandbox.job.killing import Boundary, prepare, trial


def apply_killed_at_every_boundary(share: float, seed: int) -> bool:
    with sandboxes(_begin) as among:
        with among.one() as (kit, expected):
            prepare(kit, "counted")
            boundaries = boundaries_of(kit, "counted", lambda: kit.apply("counted"))

        def one(kit: Kit, _: dict[str, Any], name: str, at: Boundary) -> str:
            return trial(kit, name, at, expected)

        return killed("apply", among, boundaries, one, share, seed)


def _begin(kit: Kit) -> dict[str, Any]:
    """Has everything been used once, which the first environment of a sandbox pays for; its end state."""
    prepare(kit, "undisturbed")
    kit.apply("undisturbed").succeeded()
    return end_state(kit, "undisturbed")
