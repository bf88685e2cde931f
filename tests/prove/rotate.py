"""SIGKILL at each boundary of a `rotate`; a second run must end like an undisturbed one."""

from __future__ import annotations

from typing import Any

from tests.prove.boundaries import boundaries_of, killed
from tests.prove.sandboxes import sandboxes
from tests.sandbox.job.harness import Kit
from tests.sandbox.job.killing import Boundary, prepare
from tests.sandbox.job.rotating import rotate, settled, trial

TURN = "turn"


def rotate_killed_at_every_boundary(share: float, seed: int) -> bool:
    """Every fifth is finished by `apply`, which waits a minute where the user before is not dropped yet."""
    with sandboxes(_begin) as among:
        with among.one() as (kit, _):
            boundaries = boundaries_of(kit, TURN, lambda: rotate(kit, TURN))

        def one(kit: Kit, expected: dict[str, Any], _: str, at: Boundary) -> str:
            return trial(kit, TURN, at, expected, "apply" if at.number % 5 == 0 else "rotate")

        return killed("rotate", among, boundaries, one, share, seed)


def _begin(kit: Kit) -> dict[str, Any]:
    """Provisions, and rotates once undisturbed."""
    prepare(kit, TURN)
    kit.apply(TURN).succeeded()
    rotate(kit, TURN).succeeded()
    return settled(kit, TURN)
